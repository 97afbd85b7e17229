"""Every advice in a message about an interactions file is followed here, and the file is read."""

import bz2
import gzip
import io
import json
import lzma
import pickle
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


CHOICES = {  # what the file holds: text, what the message says, users, has order after the advised option
    "user, time, four names": (
        table([(u, "2009-05-04T23:08:16Z", "mb", "band", "t", i) for u, i, *_ in PLAYS], "\t"),
        "6 columns; wanted user, item, count, time: choose them",
        True,
    ),
    "user, id, name, plays": (table([(u, "mb", i, c) for u, i, c, _ in PLAYS], "\t"), "4 columns; wanted", False),
    "user, time, item": (table([(u, t, i) for u, i, _, t in PLAYS]), "3 columns; wanted", True),
    "time, user, item": (table([(t, u, 7) for u, _, _, t in PLAYS]), "the first holds times", True),
    "two separators": (
        table([(f"{u} {i.split()[1]}", n % 9) for n, (u, i, *_) in enumerate(PLAYS)], "\t"),
        "the first holds several words",
        False,
    ),
    "user, date, item": (table([(u, d, i) for u, i, d in DAYS]), "3 columns; wanted", True),
    "three names": (table([(u, i, "x") for u, i, *_ in PLAYS]), "3 columns; wanted", False),
    "user, item, what, hours": (table([(u, i, "play", c, 0) for u, i, c, _ in PLAYS]), "5 columns; wanted", False),
    "lines counted": (table([(n, *row[:3]) for n, row in enumerate(PLAYS)]), "the first counts the lines", False),
    "a mark of few values": (
        table([(*row[:3], n % 2) for n, row in enumerate(PLAYS)]),
        "the fourth holds few values",
        False,
    ),
    "three ids": (table([(n % 9, n % 7, n) for n in range(300)], "\t"), "the third may hold ids", False),
    "unknown names": (table(PLAYS, head="foo,bar,baz,qux"), "none is known as user or item; names such as", True),
    "many unknown names": (
        table([(*row, *range(46)) for row in PLAYS], head=",".join(f"a name of column {n}" for n in range(50))),
        "none is known as user or item",
        True,
    ),
    "a time in place of the item": (table([(u, t) for u, _, _, t in PLAYS], head="user,timestamp"), "as item", False),
    "two columns of counts": (
        table([(c, c) for _, _, c, _ in PLAYS] + [(n, 1) for n in range(9)], head="plays,rating"),
        "as user or item",
        False,
    ),
    "no item by name": (table([row[:2] for row in PLAYS], head="userID,friendID"), "none is known as item", False),
    "track and artist": (
        table([(u, "band", i, t) for u, i, _, t in PLAYS], head="user,artist,track,time"),
        "'track' and 'artist' may both be the item",
        True,
    ),
    "months by name": (table(MONTHS), "3 columns; wanted", False),
    "months below a header": (table(MONTHS, head="user,item,date"), "60 of 60 lines do not fit", False),
    "commas in thousands": (
        table([(u, i, f"1,{c}00") for u, i, c, _ in PLAYS], ";"),
        "60 of 60 lines do not fit",
        False,
    ),
    "no count above 0": (table([(u, i, 0) for u, i, *_ in PLAYS]), "every count or rating is 0 or less", False),
    "lists of equal length": (
        "".join(f"u{n} 3 5\n" for n in range(USERS)),
        "each line has 3 words and another user",
        True,
    ),
    "names of equal length": (table([(u, "a", "b") for u, *_ in PLAYS], " "), "3 words and users come back", True),
    "users who are numbered": ("".join(f"{n} {n % 5} 3\n" for n in range(99)), "3 words and another user", True),
    "an arrow": (
        table([(u, "->", n % 7) for n, (u, *_) in enumerate(PLAYS)], " "),
        "the second holds one value",
        False,
    ),
    "lists in parts": (lists() + lists(), "users come back, and lines have 3 to 6 words", True),
    "lists with commas": (lists(",", ","), "',' separates, but the lines have unlike numbers of fields", True),
}


@pytest.mark.parametrize("case", CHOICES)
def test_the_columns_that_a_message_advises_can_be_chosen(read, case):
    data, says, order = CHOICES[case]
    said = refusal(read, data)
    assert says in said
    chosen = [found.rstrip(",;") for found in re.findall(r"--columns ([\w,-]+)", said)]
    assert chosen
    for columns in chosen:
        found = read(data, columns)
        assert len(found.users) >= 5
        last = found
    if len(chosen) == 1:
        assert (last.time is not None) == order


FOLLOWED = {  # what the message says: the file, and the file after the advice was followed
    "unpack it first": [
        (gzip.compress(table(PLAYS).encode()), table(PLAYS)),
        (bz2.compress(table(PLAYS).encode()), table(PLAYS)),
        (lzma.compress(table(PLAYS).encode()), table(PLAYS)),
    ],
    "save it as a text of lines user,item,count,time": [
        (
            json.dumps([{"user": u, "item": i} for u, i, *_ in PLAYS], indent=1),
            table(PLAYS, head="user,item,count,time"),
        ),
        ('{"user": "ann", "item": "x"}\n', table(PLAYS)),
        (pickle.dumps(PLAYS), table(PLAYS)),
        (b"PAR1\x15\x04\x00", table(PLAYS)),
        (b"\x89HDF\r\n\x1a\n\x00", table(PLAYS)),
        (b"SQLite format 3\x00", table(PLAYS)),
        ("<!DOCTYPE html><table>", table(PLAYS)),
        ("%%MatrixMarket matrix coordinate\n9 9 1\n1 1 5\n", table(PLAYS)),
    ],
    "save it there as CSV or as text with tabs": [(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", table(PLAYS, "\t"))],
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
    "rename them there": [(table(PLAYS, head="foo,bar,baz,qux"), table(PLAYS, head="user,item,plays,timestamp"))],
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
    "write it into each line: user,item,rating": [
        (
            "7:\n" + table([row[::2] for row in PLAYS]) + "8:\nann,1\n",
            table([(u, "7", c) for u, _, c, _ in PLAYS]) + "ann,8,1\n",
        )
    ],
    "write one interaction a line: user,item,count": [("ann 7:5 8:1\nbob 7:2\n", "ann,7,5\nann,8,1\nbob,7,2\n")],
    "each line needs a user and an item": [("", "ann,x\n"), ("user,item\n", "user,item\nann,x\n")],
    "keep user, item, count, time; for lists, say --columns user,items": [
        (table([(*row, *"x" * 99) for row in PLAYS]), table(PLAYS)),
        (table([(row[0], *range(60)) for row in PLAYS], " "), table(PLAYS)),
    ],
    "one column; wanted user, item, count, time": [("ann\nbob\n", "ann\tx\nbob\ty\n")],
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
    "put tabs between its fields": [
        (table([(u, "a b" if n % 3 else "a", c) for n, (u, _, c, _) in enumerate(PLAYS)], " "), table(PLAYS, "\t"))
    ],
    "name all, with - for one to leave out": [],
    "leave it out": [
        (
            table([(u, i, f"1,{c}00") for u, i, c, _ in PLAYS], "\t", "user\titem\tn\tplays".replace("n\t", "")),
            table([(u, i, f"1{c}00") for u, i, c, _ in PLAYS], "\t", "user\titem\tplays"),
        )
    ],
    "write 2009-05-04 23:08:16 or a number": [
        (table(MONTHS, head="user,item,date"), table(DAYS, head="user,item,date"))
    ],
    "a quotation mark out of place; correct": [(table(PLAYS) + 'bob,"x,1,2\n', table(PLAYS) + 'bob,"x",1,2\n')],
}


@pytest.mark.parametrize("says", FOLLOWED)
def test_what_a_message_advises_makes_the_file_readable(read, says):
    for before, after in FOLLOWED[says]:
        assert says in refusal(read, before)
        assert len(read(after)) > 0


def test_a_zip_archive_is_told_from_a_workbook(read):
    for entry, says in (
        ("plays.csv", "is a zip archive; unpack it first"),
        ("xl/workbook.xml", "is a workbook of Excel"),
    ):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(entry, table(PLAYS))
        assert says in refusal(read, packed.getvalue())
    with zipfile.ZipFile(io.BytesIO(packed.getvalue())) as archive:
        assert len(read(archive.read(entry))) == len(PLAYS)


def test_one_separator_everywhere_makes_lists_of_a_second_column_of_words(read):
    for between in (" ", ","):
        data = lists("\t", between)
        assert "put tab between them and say --columns user,items" in refusal(read, data)
        assert "put spaces everywhere" in refusal(read, data, columns="user,items")
        assert len(read(data.replace(between, "\t"), "user,items").items) == 5
        assert len(read(data.replace("\t", " ").replace(between, " "), "user,items").items) == 5


def test_a_second_column_of_names_of_several_words_is_one_item_if_the_user_says_so(read):
    data = table([(f"u{n}", f"a song {n}") for n in range(9)])
    assert "if they are one name, say --columns user,item" in refusal(read, data)
    assert len(read(data, "user,item").items) == 9


def test_lists_of_equal_length_may_be_longer_than_a_table_is_wide(read):
    for mark in (" ", ",", "\t"):
        data = table([(f"u{n}", *range(99)) for n in range(9)], mark)
        assert len(read(data, "user,items")) == 9 * 99


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
        ("user,foo,-,-", "'foo' is unknown; use user, item, count, time or -", "user,item,-,-"),
        ("user,user,item,-", "user comes twice; leave one column out with -", "user,-,count,item"),
        ("user,-,-,-", "user and item are needed, as in --columns user,item,count", "user,item,count,-"),
    ],
)
def test_a_wrong_choice_of_columns_says_how_to_choose(read, given, says, then):
    data = table([(u, i, c, c) for u, i, c, _ in PLAYS])
    with pytest.raises(MusegenError, match=re.escape(says)):
        read(data, given)
    assert len(read(data, then)) == len(PLAYS)


def test_columns_may_be_named_in_other_words():
    assert parse_columns("listener, -, track_id,plays,timestamp") == ("user", "-", "item", "count", "time")
