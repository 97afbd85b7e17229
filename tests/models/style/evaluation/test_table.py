"""The table of style transfer: every method and baseline, both ways, and the targets as they were fixed."""

import json

import pytest
from typer.testing import CliRunner

from musegen_lib.cli.main import app
from musegen_lib.core.errors import MusegenError
from musegen_lib.corpus.chinese_german import STYLES, load_held_out
from musegen_lib.models.style.baselines import snapped
from musegen_lib.models.style.evaluation import table as transfer_table
from musegen_lib.models.style.evaluation.table import (
    BASELINES,
    COLUMNS,
    REAL,
    held_out_tunes,
    targets_met,
    transfer_report,
)
from musegen_lib.models.style.method_names import METHODS

GOOD = {"judged combined": 0.9, "notes kept": 0.8, "nats a note": 2.0, "nats recurrent": 1.8, "chroma cosine": 0.7}


def test_every_baseline_and_every_method_stands_in_the_table_in_both_directions():
    result = CliRunner().invoke(app, ["evaluate", "transfer", "--n-tunes", "2", "--part", "valid", "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert [(row["to"], row["method"]) for row in rows] == [
        (to, name) for to in STYLES for name in (REAL, *BASELINES, *METHODS)
    ]
    for row in rows:
        assert COLUMNS.keys() - row.keys() <= ({"notes kept", "contour kept", "rhythm kept", "chroma cosine"})
        assert ("targets" in row) == ("less counts" in row) == (row["kind"] != "real")
        counted = next(other for other in rows if (other["to"], other["method"]) == (row["to"], "counts"))
        for judge, (difference, _) in row.get("less counts", {}).items():
            assert difference == pytest.approx(row[judge] - counted[judge], abs=1e-4)


def test_in_print_each_row_says_which_targets_it_misses(monkeypatch):
    monkeypatch.setattr(transfer_table, "BASELINES", {"unchanged": BASELINES["unchanged"]})
    monkeypatch.setattr(transfer_table, "METHODS", ("counts",))
    monkeypatch.setattr(transfer_table, "find_method", lambda name: snapped)
    result = CliRunner().invoke(app, ["evaluate", "transfer", "--n-tunes", "2", "--amount", "0"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 9
    assert [line.split("  ")[0] for line in lines[2:5]] == [REAL, "unchanged", "counts"]
    assert "judged" in lines[3].rpartition("  ")[2]
    assert lines[3].split()[1:] == lines[4].split()[1:]


@pytest.mark.parametrize(
    ("worse", "missed"),
    [
        ({}, None),
        ({"judged combined": 0.89}, "judged"),
        ({"notes kept": 0.79}, "kept"),
        ({"nats a note": 2.11}, "fluent"),
        ({"nats recurrent": 1.91}, "fluent"),
        ({"chroma cosine": 0.63}, "content"),
    ],
)
def test_each_target_is_missed_by_its_own_figure(worse, missed):
    found = targets_met(GOOD | worse, GOOD | {"nats a note": 2.0, "nats recurrent": 1.8})
    assert [name for name, met in found.items() if not met] == ([missed] if missed else [])


def test_some_tunes_are_spread_over_all_and_come_from_the_other_style():
    every = list(load_held_out("german", "valid"))
    some = held_out_tunes("chinese", "valid", 3)
    assert [piece.source for piece in some] == [every[k].source for k in (0, round((len(every) - 1) / 2), -1)]
    assert len(held_out_tunes("chinese", "valid")) == len(held_out_tunes("chinese", "valid", 10**6)) == len(every)


@pytest.mark.parametrize(
    ("wish", "answer"),
    [(("train", 2, 0.2), "use valid or test"), (("valid", 0, 0.2), "too few"), (("valid", 2, 2.0), "0 to 1")],
)
def test_wrong_wishes_are_answered_in_one_line(wish, answer):
    with pytest.raises(MusegenError, match=answer):
        transfer_report(*wish)
