"""The reader of interactions files: forms, faults by line number, limits, and any bytes at all."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from musegen_lib.cli.recommend import understood_lines
from musegen_lib.core.errors import MusegenError
from musegen_lib.models.recommend import interaction_text, interactions
from musegen_lib.models.recommend.interactions import read_interactions

NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=7)  # too short for a time
TIMES = st.integers(4 * 10**8, 4 * 10**9)  # seconds from 1982 to 2096


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all examples of a property."""
    return tmp_path_factory.mktemp("interactions")


def read(folder, data, **options):
    """Read these bytes from a file."""
    path = folder / "ears.tsv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_interactions(path, **options)


def test_a_table_without_times_has_no_order(folder):
    found = read(folder, "userID\tartistID\tweight\r\nann\ttune 1\t3\r\nbob\ttune 2\t1\r\nann\ttune 2\t2.5\r\n")
    assert (found.users, found.items) == (("ann", "bob"), ("tune 1", "tune 2"))
    assert (found.user.tolist(), found.item.tolist()) == ([0, 1, 0], [0, 1, 1])
    assert found.weight.tolist() == [3, 1, 2.5]
    assert found.time is None


def test_a_fourth_column_is_the_time(folder):
    found = read(folder, "ann\tx\t5\t881250949\nbob\ty\t4\t881250950\n")
    assert found.time.tolist() == [881250949, 881250950]


def test_commas_and_quotation_marks(folder):
    assert read(folder, '\ufeffann,"Jig, slow"\n\nbob,Reel\n').items == ("Jig, slow", "Reel")


def test_a_list_keeps_its_order_and_its_repeats(folder):
    found = read(folder, "ann 7 3 7\nbob  3\n")
    assert [found.items[i] for i in found.item] == ["7", "3", "7", "3"]
    assert found.time.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("ann\tx\tnan", "count or rating 'nan' is not a number"),
        ("ann\tx\t1e10", "count or rating '1e10' is not a number of at most 1e[+]09"),
        ("ann\tx", "2 fields, not 3"),
        ("ann\tx\t1\t1", "4 fields, not 3"),
        ("\tx\t1", "user '' is not a name"),
        ("ann\ta\x1b[2J\t1", "item .* is not a name of printable characters"),
        ("ann\t" + "x" * 201 + "\t1", "item .* is not a name"),
    ],
)
def test_a_malformed_line_is_named_and_skipped_only_when_asked(folder, line, fault):
    data = f"ann\tx\t1\n{line}\nbob\ty\t2\n"
    with pytest.raises(MusegenError, match=rf"^ears.tsv: 1 malformed lines: line 2: .*{fault}"):
        read(folder, data)
    found = read(folder, data, skip_bad=True)
    assert [number for number, _ in found.skipped] == [2]
    assert found.weight.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"a\x81,x\nb,y\nc,z\n", r"line 1: user 'a[?]' is not a name of printable characters"),  # no letter anywhere
        (b'ann,x\nbob,"y\nann,z\n', "line 2: a quotation mark out of place"),
        (b"a 1\nb\n", "line 2: a user without items"),
        (b"a,x,1,5e8\nb,x,1,6e8\n" * 9 + b"a,x,1,9e19\n", "line 19: time '9e19' is not understood"),
    ],
)
def test_other_faults_of_a_line(folder, data, fault):
    with pytest.raises(MusegenError, match=fault):
        read(folder, data)


def test_many_faults_fit_one_line(folder):
    with pytest.raises(MusegenError, match=r"9 malformed lines: line 2: .*line 4: .*; and 6 more; correct") as caught:
        read(folder, "ann\tx\t1\n" + "ann\n" * 9 + "ann\ty\t1\n" * 90)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("skip_bad", [False, True])
def test_more_than_a_tenth_of_malformed_lines_is_another_form_and_no_option_helps(folder, skip_bad):
    data = "bob\ty\t2\n" + "ann\tx\t1\n" * 86 + "ann\tx\n" * 10
    with pytest.raises(MusegenError, match=r"ears.tsv: is not understood: read as user,item,count, .*10 of 97 lines"):
        read(folder, data, skip_bad=skip_bad)
    assert len(read(folder, data + "ann\tx\t1\n" * 3, skip_bad=True)) == 90


def test_the_reading_ends_where_most_lines_are_malformed(folder):
    with pytest.raises(MusegenError, match=r"2,001 of 4,001 lines do not fit"):
        read(folder, "ann\tx\t1\nbob\ty\t2\n" * 1000 + "ann\tx\n" * 9000, skip_bad=True)


def test_nothing_left_and_no_file(folder):
    for data in ("", "\n\n", "user\titem\n", "who,song\n,\n", "\ufeff"):
        with pytest.raises(MusegenError, match=r"holds no interaction|none is known as user"):
            read(folder, data)
    with pytest.raises(MusegenError, match="every count or rating is 0 or less"):
        read(folder, "ann\tx\t-1\n", skip_bad=True)
    for path in (folder, folder / "none"):
        with pytest.raises(MusegenError, match="no such file"):
            read_interactions(path)


@pytest.mark.parametrize(
    ("where", "limit", "data"),
    [
        (interaction_text, "LINES", "a 1 2\nb 1\nc 1 2\nd 1\n"),
        (interaction_text, "LINE", "a 1 2\nb 1\n"),
        (interactions, "INTERACTIONS", "a 1 2 3\nb 1\nc 1 2\n"),
    ],
)
def test_limits_hold_even_where_bad_lines_are_skipped_and_a_part_can_be_read(folder, monkeypatch, where, limit, data):
    monkeypatch.setattr(where, f"MAX_{limit}", 3)
    with pytest.raises(MusegenError, match=r"more than 3 (lines|characters|interactions)"):
        read(folder, data, skip_bad=True)
    monkeypatch.setattr(where, f"MAX_{limit}", 6)
    assert len(read(folder, data)) >= 3


def test_how_far_the_reading_is_is_told(folder, monkeypatch):
    monkeypatch.setattr(interactions, "SAY_EVERY", 2)
    said = []
    read(folder, "a\tx\n" * 5, say=said.append)
    assert said == ["2 lines read", "4 lines read"]


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    mark=st.sampled_from(["\t", ",", ";", "|", "::"]),
    rows=st.lists(
        st.tuples(NAMES, NAMES, st.integers(1, 10**6), st.integers(4 * 10**8, 4 * 10**9)), min_size=1, max_size=20
    ),
)
@example(mark="\t", rows=[("0", "0", 1, 881250949)] * 10)
def test_what_was_written_is_read(folder, mark, rows):
    found = read(folder, "".join(mark.join(map(str, row)) + "\n" for row in rows))
    names = [found.users[u] for u in found.user], [found.items[i] for i in found.item]
    assert list(zip(*names, found.weight, found.time, strict=True)) == rows


BYTES = st.binary(max_size=200) | st.text('ab1,\t; |:#\n\r"-.eu', max_size=200).map(str.encode)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(data=BYTES, skip=st.booleans(), columns=st.sampled_from([(), ("user", "items"), ("item", "user", "-")]))
@example(data=b"\t::", skip=False, columns=())
def test_any_bytes_are_read_or_refused_in_one_line(folder, data, skip, columns):
    try:
        found = read(folder, data, skip_bad=skip, columns=columns)
    except MusegenError as fault:
        if not str(fault).isprintable() or not str(fault).startswith("ears.tsv: ") or len(str(fault)) > 600:
            raise AssertionError(repr(str(fault))) from fault
        return
    assert skip or not found.skipped
    assert found.user.max() + 1 == len(set(found.users))
    assert found.item.max() + 1 == len(set(found.items))
    assert np.isfinite(found.weight).all()
    assert (found.weight > 0).all()
    assert all(line.isprintable() for line in understood_lines("ears.tsv", found))
