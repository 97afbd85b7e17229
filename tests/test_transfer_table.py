"""The table of style transfer: its ends are where they must be."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from musegen_lib.cli import app
from musegen_lib.style_pair import STYLES, load_held_out, load_side
from musegen_lib.transfer import METHODS
from musegen_lib.transfer_baselines import nearest_target, random_target
from musegen_lib.transfer_measures import shared_runs
from musegen_lib.transfer_table import REFERENCES, transfer_table


@pytest.fixture(scope="module")
def table():
    return {(row["to"], row["method"]): row for row in transfer_table("valid", n_tunes=4)["rows"]}


def test_every_method_and_reference_has_a_row_each_way(table):
    assert set(table) == {(to, name) for to in STYLES for name in {"real target", *REFERENCES, *METHODS}}


@pytest.mark.parametrize("to", STYLES)
def test_content_has_its_ceiling_and_its_floor_and_style_has_them_the_other_way_round(table, to):
    kept, gone = table[to, "unchanged"], table[to, "random target"]
    assert kept["notes kept"] == kept["contour kept"] == kept["rhythm kept"] == 1
    assert gone["notes kept"] < 0.5
    assert kept["judged combined"] < 0.5 < gone["judged combined"]
    assert table[to, "real target"]["nats a note"] < kept["nats a note"]
    assert "notes kept" not in table[to, "real target"]


def test_a_training_tune_shares_all_of_itself_and_a_held_out_one_less():
    tune = load_side("german", "transfer", "train")[0]
    assert shared_runs([tune], "german").tolist() == [min(len(tune), 65)]
    held_out = list(load_held_out("german", "valid"))[:20]
    assert shared_runs(held_out, "german").mean() < np.mean([len(piece) for piece in held_out]) / 2


def test_the_nearest_tune_keeps_more_than_a_random_one(table):
    for to in STYLES:
        assert table[to, "nearest target"]["notes kept"] > table[to, "random target"]["notes kept"]
    piece = load_held_out("german", "valid")[0]
    assert nearest_target(piece, "chinese", 0.0, 0).source != piece.source
    assert random_target(piece, "chinese", 0.0, 0).source != random_target(piece, "chinese", 0.0, 1).source


def test_the_command_prints_the_table():
    result = CliRunner().invoke(app, ["evaluate", "transfer", "--n-tunes", "1", "--json"])
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["rows"]) == 2 * (1 + len(REFERENCES) + len(METHODS))


def test_a_table_of_no_tunes_is_refused():
    result = CliRunner().invoke(app, ["evaluate", "transfer", "--n-tunes", "0"])
    assert "give 1 or more" in str(result.exception)
