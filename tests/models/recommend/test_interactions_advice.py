"""Every advice in a message about an interactions file is followed here, and the file is read."""

import bz2
import gzip
import io
import json
import lzma
import re
import zipfile

import pytest

from musegen_lib.core.errors import MusegenError
from musegen_lib.models.recommend.interaction_form import parse_columns
from musegen_lib.models.recommend.interactions import read_interactions

USERS, ITEMS = 12, 5
PLAYS = [
    (f"u{u}", f"song {i}", 1 + (u + i) % 5, 881250949 + 97 * u + 13 * i) for u in range(USERS) for i in range(ITEMS)
]
DAYS = [(u, i, f"2009-05-{1 + n % 28:02}") for n, (u, i, *_) in enumerate(PLAYS)]
MONTHS = [(u, i, f"{1 + n % 28:02} May 2009") for n, (u, i, *_) in enumerate(PLAYS)]


def table(rows, mark=",", head=""):
    """Lines of text."""
    return head + "\n" * bool(head) + "".join(mark.join(map(str, row)) + "\n" for row in rows)


def lists(mark=" ", between=" "):
    """One user a line, two to five items each, every item in one word."""
    return "".join(f"u{n}{mark}" + between.join(f"i{k}" for k in range(2 + n % 4)) + "\n" for n in range(USERS))


def zipped(text, entry="plays.csv"):
    """An archive with this text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(entry, text)
    return packed.getvalue()


@pytest.fixture
def read(tmp_path):
    """Read these bytes from a file."""

    def of(data, columns="", **options):
        path = tmp_path / "ears.csv"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return read_interactions(path, columns=parse_columns(columns) if columns else (), **options)

    return of


def refusal(read, data, **options):
    """The one line that refuses a file."""
    with pytest.raises(MusegenError, match=r"^ears.csv: ") as caught:
        read(data, **options)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
    return str(caught.value)


CHOICES = {  # what the file holds: its text, what the message says, the columns by choice, whether they give an order
    "user, time, four names": (
        table([(u, "2009-05-04T23:08:16Z", "mb", "band", "t", i) for u, i, *_ in PLAYS], "\t"),
        "6 columns; wanted user, item, count, time: choose them",
        "user,time,-,-,-,item",
        True,
    ),
    "user, id, name, plays": (
        table([(u, "mb", i, c) for u, i, c, _ in PLAYS], "\t"),
        "4 columns; wanted",
        "user,-,item,count",
        False,
    ),
    "user, time, item": (table([(u, t, i) for u, i, _, t in PLAYS]), "3 columns; wanted", "user,time,item", True),
    "time, user, id": (table([(t, u, 7) for u, _, _, t in PLAYS]), "3 columns; wanted", "time,user,item", True),
    "date, user, id": (table([(d, u, 7) for u, _, d in DAYS]), "3 columns; wanted", "time,user,item", True),
    "user, date, id": (table([(u, d, 7) for u, _, d in DAYS]), "3 columns; wanted", "user,time,item", True),
    "day without signs": (table([(20090504, u, 7) for u, *_ in DAYS]), "3 columns; wanted", "time,user,item", True),
    "three names": (table([(u, i, "x") for u, i, *_ in PLAYS]), "3 columns; wanted", "user,item,-", False),
    "a mark at the end": (table([(*row[:3], 1) for row in PLAYS]), "4 columns; wanted", "user,item,count,-", False),
    "a time that counts from 0": (
        table([(*row[:3], n) for n, row in enumerate(PLAYS)]),
        "4 columns; wanted",
        "user,item,count,time",
        True,
    ),
    "three ids": (table([(n % 9, n % 7, n) for n in range(300)], "\t"), "3 columns; wanted", "user,item,-", False),
    "unknown names": (
        table(PLAYS, head="foo,bar,baz,qux"),
        "none is known as user or item; use names such as",
        "user,item,count,time",
        True,
    ),
    "a time in place of the item": (
        table([(u, t) for u, _, _, t in PLAYS], head="user,timestamp"),
        "as item",
        "user,item",
        False,
    ),
    "track and artist": (
        table([(u, "band", i, t) for u, i, _, t in PLAYS], head="user,artist,track,time"),
        "'track' and 'artist' may both be the item, and titles repeat; choose in order",
        "user,item,-,time",
        True,
    ),
    "months by name": (table(MONTHS), "3 columns; wanted", "user,item,-", False),
    "months below a header": (table(MONTHS, head="user,item,date"), "60 of 60 lines do not fit", "user,item,-", False),
    "commas in thousands": (
        table([(u, i, f"1,{c}00") for u, i, c, _ in PLAYS], ";"),
        "'1,200' is not a number of at most 1e+09; and 58 more; correct that column, or read without it",
        "user,item,-",
        False,
    ),
    "no count above 0": (
        table([(u, i, 0) for u, i, *_ in PLAYS]),
        "every count or rating is 0 or less; read without it: --columns user,item,-",
        "user,item,-",
        False,
    ),
    "lists of equal length": (
        "".join(f"u{n} 3 5\n" for n in range(USERS)),
        "each line has 3 words",
        "user,items",
        True,
    ),
    "names of equal length": (table([(u, "a", "b") for u, *_ in PLAYS], " "), "3 words", "user,-,item", False),
    "users who are numbered": (
        "".join(f"{n} {n % 5} 3\n" for n in range(99)),
        "each line has 3 words: a list of items, or a row of a table; say --columns user,items for lists; for a table",
        "user,item,count",
        False,
    ),
    "lists in parts": (lists() + lists(), "no table of 2 to 50 columns, the same in each line", "user,items", True),
    "lists with commas": (lists(",", ","), "say --columns user,items, if these are lists", "user,items", True),
    "lists with commas and names": (
        lists(",", ",").replace("i", "a song "),
        "say --columns user,items, if these are lists",
        "user,items",
        True,
    ),
    "names of two words": (
        table([(f"u{n}", "a b" if n % 3 else "a", 5) for n in range(9)], " ", "user artist plays"),
        "the first line names 3 columns, the others have 4",
        "user,items",
        True,
    ),
    "lists longer than a table is wide": (
        table([(f"u{n}", *range(99)) for n in range(9)]),
        "no table of 2 to 50 columns",
        "user,items",
        True,
    ),
    "a list that is longer than a table is wide": (
        table([(f"u{n}", *range(99)) for n in range(9)], " "),
        "each line has 100 words",
        "user,items",
        True,
    ),
}


@pytest.mark.parametrize("case", CHOICES)
def test_columns_that_a_message_asks_for_can_be_chosen(read, case):
    data, says, columns, order = CHOICES[case]
    said = refusal(read, data)
    assert says in said
    assert "--columns" in said or columns == "user,items"
    found = read(data, columns)
    assert len(found.users) >= 5
    assert (found.time is not None) == order


FOLLOWED = {  # what the message says: the file, and the file after the advice was followed
    "unpack it first": [
        (gzip.compress(table(PLAYS).encode()), table(PLAYS)),
        (zipped(table(PLAYS)), table(PLAYS)),
        (bz2.compress(table(PLAYS).encode()), table(PLAYS)),
        (lzma.compress(table(PLAYS).encode()), table(PLAYS)),
    ],
    "save it there as CSV, or as text with tabs, in UTF-8": [
        (zipped("", "xl/workbook.xml"), table(PLAYS)),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", table(PLAYS, "\t")),
        (b"\x80\x04\x95" + bytes(range(256)), table(PLAYS)),
        (b"SQLite format 3\x00", table(PLAYS)),
        (table(PLAYS).encode("utf-16-le"), table(PLAYS)),
        (table(PLAYS).encode("utf-32"), table(PLAYS)),
        (b"\0\0\xfe\xff" + table(PLAYS).encode("utf-32-be"), table(PLAYS)),
    ],
    "save it as a text of lines user,item,count,time": [
        (json.dumps([{"user": u, "item": i} for u, i, *_ in PLAYS], indent=1), table(PLAYS)),
        ('{"user": "ann", "item": "x"}\n', table(PLAYS)),
        ('\ufeff<?xml version="1.0"?>', table(PLAYS)),
        ("<!DOCTYPE html><table>", table(PLAYS)),
        ("%%MatrixMarket matrix coordinate\n9 9 1\n1 1 5\n", table(PLAYS)),
    ],
    "or save it as UTF-8 first, which it is not": [
        (table(PLAYS, head="用户,歌曲,次数,时间").encode("gbk"), table(PLAYS, head="用户,歌曲,次数,时间"))
    ],
    "the first line names 3 columns, the others have 4; name each column there": [
        (table(PLAYS, head="user,item,count"), table(PLAYS, head="user,item,count,time")),
        (
            table([(9, *row[:3]) for row in PLAYS], head="user,item,n"),
            table([(9, *row[:3]) for row in PLAYS], head="row,user,item,n"),
        ),
    ],
    "or put names that hold a separator in double quotes": [
        (
            table([(u, "a, b", c) for u, _, c, _ in PLAYS], head="user,artist,plays"),
            table([(u, '"a, b"', c) for u, _, c, _ in PLAYS], head="user,artist,plays"),
        )
    ],
    "use names such as user_id, track_id": [
        (table(PLAYS, head="foo,bar,baz,qux"), table(PLAYS, head="user_id,track_id,plays,timestamp"))
    ],
    "fields may be separated by ';' or by ','; put a first line": [
        (
            table([(u, f"{i},b") for u, i, *_ in PLAYS], ";"),
            table([(u, f"{i},b") for u, i, *_ in PLAYS], ";", "user;item"),
        ),
        (
            table([(u, f"{i},b") for u, i, *_ in PLAYS], ";"),
            table([(u, f"{i},b") for u, i, *_ in PLAYS], ";", "user,item"),
        ),
    ],
    "write one interaction a line, user,item,count,time, with tabs or commas between": [
        ("ann 7:5 8:1\nbob 7:2\n", "ann,7,5\nann,8,1\nbob,7,2\n"),
        ("ann\nbob\n", "ann\tx\nbob\ty\n"),
        (table([(*row, *"x" * 99) for row in PLAYS]), table(PLAYS)),
        (table([(row[0], *range(60)) for row in PLAYS], ";"), table(PLAYS)),
        (table([(u, "a b" if n % 3 else "a", c) for n, (u, _, c, _) in enumerate(PLAYS)], " "), table(PLAYS, "\t")),
    ],
    "each line needs a user and an item": [("", "ann,x\n"), ("user,item\n", "user,item\nann,x\n")],
    "put names that hold ',' in double quotes, or separate by tabs": [
        (
            table([(u, "a, b" if n % 3 else "a", c) for n, (u, _, c, _) in enumerate(PLAYS)]),
            table([(u, i, c) for u, i, c, _ in PLAYS], "\t"),
        ),
        (
            table([(u, i if n % 3 else "a, b", c) for n, (u, i, c, _) in enumerate(PLAYS)], head="user,artist,plays"),
            table([(u, i if n % 3 else '"a, b"', c) for n, (u, i, c, _) in enumerate(PLAYS)], head="user,artist,plays"),
        ),
    ],
    "or put tabs between, if ',' separates nothing": [
        (
            table([(u, 7, f"{c},5") for u, _, c, _ in PLAYS], " "),
            table([(u, 7, f"{c},5") for u, _, c, _ in PLAYS], "\t"),
        )
    ],
    "1 fields, not 2; correct them": [
        ("7:\n" + table([row[:2] for row in PLAYS]), "7,7\n" + table([row[:2] for row in PLAYS]))
    ],
    "write 2009-05-04 23:08:16 or a number": [
        (table(MONTHS, head="user,item,date"), table(DAYS, head="user,item,date"))
    ],
    "a quotation mark out of place; correct": [(table(PLAYS) + 'bob,"x,1,2\n', table(PLAYS) + 'bob,"x",1,2\n')],
}


@pytest.mark.parametrize("says", FOLLOWED)
def test_what_a_message_advises_makes_the_file_readable(read, says):
    assert FOLLOWED[says]
    for before, after in FOLLOWED[says]:
        assert says in refusal(read, before)
        assert len(read(after)) > 0


def test_skip_bad_reads_what_a_message_says_it_reads(read):
    data = table(PLAYS) + "bob\n"
    assert "1 malformed lines: line 61: 1 fields, not 4; correct them or skip them with --skip-bad" in refusal(
        read, data
    )
    assert len(read(data, skip_bad=True)) == len(PLAYS)
    assert len(read(data + "\n", skip_bad=True)) == len(PLAYS)


@pytest.mark.parametrize(
    ("given", "says", "then"),
    [
        ("user,item", "4 columns, and --columns names 2; name all, with - for one to leave out", "user,item,-,-"),
        ("user,foo,-,-", "name user and item, count and time where they are, each once, and -", "user,item,-,-"),
        ("user,user,item,-", "each once, and - for a column to leave out", "user,-,count,item"),
        ("user,-,-,-", "name user and item, count and time where they are", "user,item,count,time"),
        ("user,-,-,count", "as in --columns user,item,count; or user,items for lists", "user,item,count,-"),
    ],
)
def test_a_wrong_choice_of_columns_says_how_to_choose(read, given, says, then):
    data = table([(u, i, c, c) for u, i, c, _ in PLAYS])
    with pytest.raises(MusegenError, match=re.escape(says)):
        read(data, given)
    assert len(read(data, then)) == len(PLAYS)


def test_columns_may_be_named_in_other_words():
    assert parse_columns("listener, -, track_id,plays,timestamp") == ("user", "-", "item", "count", "time")
