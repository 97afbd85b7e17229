"""The table of `make bench`: what counts as a change, and that it comes back from its file."""

import pytest

from musegen_lib.core.errors import MusegenError
from tests.bench import run as bench
from tests.bench.run import NATS, RATIO, SECONDS, SIZE, SPEED, Figure, race
from tests.bench.table import changes, read_table, write_table


@pytest.mark.parametrize(
    ("unit", "before", "now", "said"),
    [
        (RATIO, 10, 13.9, ""),
        (RATIO, 10, 14.1, "better"),
        (RATIO, 10, 7.2, ""),
        (RATIO, 10, 7.1, "worse"),
        (SPEED, 1000, 600, "worse"),
        (SIZE, 100, 109, ""),
        (SIZE, 100, 111, "worse"),
        (SECONDS, 30, 10, "better"),
        (NATS, 2.0, 2.004, ""),
        (NATS, 2.0, 2.006, "worse"),
        (NATS, 2.0, 1.9, "better"),
        (RATIO, 0, 0, ""),
    ],
)
def test_a_figure_that_moved_by_more_than_it_may_is_told_as_better_or_worse(unit, before, now, said):
    lines = changes([Figure("a", before, unit)], [Figure("a", now, unit)])
    assert [line.rpartition(", ")[2] for line in lines] == [said] * bool(said)


def test_the_table_comes_back_and_says_which_tolerance_holds(tmp_path):
    figures = [Figure("parse: mido", 12.345678, RATIO), Figure("rnn, valid: nats", 2.1453, NATS)]
    write_table(figures, tmp_path)
    assert changes(read_table(tmp_path / "bench.json"), figures) == []
    text = (tmp_path / "bench.md").read_text()
    assert "| parse: mido | 12.35 | times faster | 40% |" in text
    assert "| rnn, valid: nats | 2.145 | nats | 0.005 |" in text
    assert read_table(tmp_path / "none.json") == []


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"name": "a"}]', "[" * 9999])
def test_a_damaged_table_is_one_line(tmp_path, text):
    (tmp_path / "bench.json").write_text(text)
    if text == "{}":
        assert read_table(tmp_path / "bench.json") == []
    else:
        with pytest.raises(MusegenError, match=r"bench\.json: no readable table"):
            read_table(tmp_path / "bench.json")


def test_a_race_takes_turns_and_keeps_the_best_time_of_each(monkeypatch):
    order, clock = [], iter([0, 3, 10, 14, 20, 21, 30, 36])  # starts and ends: 3 and 4, then 1 and 6 seconds
    monkeypatch.setattr(bench.time, "process_time", lambda: next(clock))
    assert race(lambda: order.append("ours"), lambda: order.append("theirs"), turns=2) == (1, 4)
    assert order == ["ours", "theirs"] * 3


def test_the_committed_table_holds_every_kind_of_figure():
    figures = read_table(bench.ROOT / "data" / "bench.json")
    assert {figure.unit for figure in figures} == {RATIO, SPEED, NATS, SIZE, SECONDS}
    assert len({figure.name for figure in figures}) == len(figures)
