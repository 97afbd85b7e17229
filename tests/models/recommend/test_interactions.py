"""The reader of interactions files: forms, faults by line number, limits, and any bytes at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen_lib.core.errors import MusegenError
from musegen_lib.models.recommend import interactions
from musegen_lib.models.recommend.interactions import read_interactions

NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=9).filter(
    lambda name: name.lower() not in (*interactions.USER_HEADS, *interactions.ITEM_HEADS)
)


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
        ("ann\tx\t0", "count or rating '0' is not above 0"),
        ("ann\tx\t1e10", "is not above 0 and at most"),
        ("ann\tx", "2 fields, not 3"),
        ("ann\tx\t1\t1", "4 fields, not 3"),
        ("\tx\t1", "user '' is not a name"),
        ("ann\ta\x1b[2J\t1", "item .* is not a name"),
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


def test_other_faults_of_a_line(folder):
    for data, fault in (
        (b"ann,x\n\xff,y\n", "not UTF-8"),
        (b'ann,x\nbob,"y\n', "quotation"),
        (b"a 1\nb\n", "without"),
        (b"a,x,1,1\na,x,1,9e19\n", "beyond"),
    ):
        with pytest.raises(MusegenError, match=f"line 2: .*{fault}"):
            read(folder, data)


def test_many_faults_fit_one_line(folder):
    with pytest.raises(MusegenError, match=r"9 malformed lines: line 2: .*line 6: .*; and 4 more; correct") as caught:
        read(folder, "ann\tx\t1\n" + "ann\n" * 9)
    assert "\n" not in str(caught.value)


def test_nothing_left_and_no_file(folder):
    for data in ("", "\n\n", "user\titem\n", "who,song\n"):
        with pytest.raises(MusegenError, match="holds no interaction"):
            read(folder, data)
    with pytest.raises(MusegenError, match="holds no interaction"):
        read(folder, "ann\tx\t-1\n", skip_bad=True)
    for path in (folder, folder / "none"):
        with pytest.raises(MusegenError, match="no such file"):
            read_interactions(path)


@pytest.mark.parametrize(("limit", "fault"), [("LINES", "lines"), ("INTERACTIONS", "interactions"), ("LINE", "bytes")])
def test_limits_hold_even_where_bad_lines_are_skipped(folder, monkeypatch, limit, fault):
    monkeypatch.setattr(interactions, f"MAX_{limit}", 3)
    with pytest.raises(MusegenError, match=f"more than 3 {fault}"):
        read(folder, "a 1\n" * 4 if limit == "LINE" else "a 1 2 3 4\n" * 4, skip_bad=True)


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(NAMES, NAMES, st.integers(1, 10**6), st.integers(0, 10**10)), min_size=1, max_size=20))
def test_what_was_written_is_read(folder, rows):
    for mark in "\t,":
        found = read(folder, "".join(mark.join(map(str, row)) + "\n" for row in rows))
        names = [found.users[u] for u in found.user], [found.items[i] for i in found.item]
        assert list(zip(*names, found.weight, found.time, strict=True)) == rows


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200) | st.text('ab1,\t \n"-.eu', max_size=200).map(str.encode), skip=st.booleans())
def test_any_bytes_are_read_or_refused_in_one_line(folder, data, skip):
    try:
        found = read(folder, data, skip_bad=skip)
    except MusegenError as fault:
        if not str(fault).isprintable():
            raise AssertionError(repr(str(fault))) from fault
        return
    assert skip or not found.skipped
    assert found.user.max() + 1 == len(set(found.users))
    assert found.item.max() + 1 == len(set(found.items))
    assert np.isfinite(found.weight).all()
    assert (found.weight > 0).all()
