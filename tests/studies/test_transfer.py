"""The study transfer-curves: nets are trained anew by seed, cells are kept, the picture shows what was found."""

import json

import numpy as np
import pytest
import torch

from data.studies import transfer as studies_transfer
from musegen_lib.corpus.chinese_german import STYLES, load_held_out
from musegen_lib.models.style import baselines as transfer_baselines
from musegen_lib.models.style.evaluation.measures import classify_pieces
from musegen_lib.models.style.evaluation.plots import curve_of, draw_trade_off
from musegen_lib.models.style.method_names import METHODS
from musegen_lib.models.style.net_recipes import STYLE_RNN
from musegen_lib.models.style.transfer import find_method, net_recipe


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Two tunes, two amounts, one net method of a few training steps and one without a net; nothing is known."""
    for name, value in {
        "CELLS": tmp_path,
        "AMOUNTS": (0.1, 0.3),
        "SEEDS": (0, 1),
        "N_TUNES": 2,
        "METHODS": ("counts", "rnn"),
    }.items():
        monkeypatch.setattr(studies_transfer, name, value)
    monkeypatch.setattr(studies_transfer, "BASELINES", {"unchanged": transfer_baselines.unchanged})
    monkeypatch.setattr(studies_transfer, "real_tunes", lambda to: classify_pieces(load_held_out(to, "valid")[:2], to))
    monkeypatch.setattr(STYLE_RNN.__class__, "train", _quick_training)
    return tmp_path


def _quick_training(recipe, out, seed=0, steps=None, minutes=None):
    from musegen_lib.training.checkpoints import write_checkpoint

    torch.manual_seed(seed)
    write_checkpoint(out, recipe.net(recipe.config), {"seed": seed})
    return {"seed": seed}


def test_cells_of_the_stored_study_are_known_while_nets_and_methods_are_the_same():
    stored = {key[0]: key[-1] for key in studies_transfer.known_cells()}
    assert studies_transfer.letters_of(transfer_baselines.unchanged) == stored["unchanged"]
    for method in ("rnn", "gan"):
        assert studies_transfer.letters_of(find_method(method), net_recipe(method)) == stored[method]


def test_every_cell_is_there_and_nets_differ_by_seed(tiny):
    rows = studies_transfer.transfer_curves()
    cells = {(row["method"], row["to"], row["amount"], row["seed"]) for row in rows if row["kind"] == "method"}
    assert cells == {("counts", to, a, 0) for to in STYLES for a in (0.1, 0.3)} | {
        ("rnn", to, a, seed) for to in STYLES for a in (0.1, 0.3) for seed in (0, 1)
    }
    assert len(rows) == len({studies_transfer.key_of(row) for row in rows}) == len(cells) + 4
    trained = {row["seed"]: row["nats a note"] for row in rows if row["method"] == "rnn" and row["amount"] == 0.3}
    assert trained[0] != trained[1]
    assert len(list(tiny.glob("style-rnn-*-seed1.safetensors"))) == 1


def test_a_stopped_study_goes_on_and_done_cells_are_not_run_again(tiny, monkeypatch):
    first = studies_transfer.transfer_curves()
    lost = sorted(tiny.glob("cell-*.json"))[3]
    row = json.loads(lost.read_text())
    lost.unlink()
    asked = []
    keep = studies_transfer.keep_cell
    monkeypatch.setattr(studies_transfer, "keep_cell", lambda cell, measure: asked.append(cell) or keep(cell, measure))
    again = studies_transfer.transfer_curves()
    assert [studies_transfer.key_of(cell) for cell in asked] == [studies_transfer.key_of(row)]
    without = [[{k: v for k, v in row.items() if k != "seconds"} for row in rows] for rows in (first, again)]
    assert without[0] == without[1]


def test_a_net_with_other_weights_is_measured_anew(tiny, monkeypatch):
    before = {studies_transfer.key_of(row) for row in studies_transfer.transfer_curves()}
    monkeypatch.setattr(studies_transfer, "stamp_of", lambda recipe: "otherone")
    after = {studies_transfer.key_of(row) for row in studies_transfer.transfer_curves()}
    assert {key[0] for key in after - before} == {"rnn"}


def test_a_method_that_writes_otherwise_is_measured_anew(tiny, monkeypatch):
    before = {studies_transfer.key_of(row) for row in studies_transfer.transfer_curves()}
    monkeypatch.setitem(METHODS, "counts", METHODS["snap"])
    after = {studies_transfer.key_of(row) for row in studies_transfer.transfer_curves()}
    assert {key[0] for key in after - before} == {"counts"}


def test_the_picture_has_a_panel_for_each_direction_a_curve_for_each_method_and_a_band_over_seeds(tiny):
    rows = studies_transfer.transfer_curves()
    for seed, row in enumerate(row for row in rows if row["method"] == "rnn"):
        row["judged combined"] = 0.1 * seed  # as if the seeds differed
    fig = draw_trade_off(rows)
    assert [ax.get_title() for ax in fig.axes] == [f"to {to}" for to in STYLES]
    for ax, to in zip(fig.axes, STYLES, strict=True):
        assert [line.get_label() for line in ax.lines if not line.get_label().startswith("_")] == ["counts", "rnn"]
        assert {"unchanged", "real target tunes"} <= {text.get_text() for text in ax.texts}
        assert len(ax.collections) == 2  # the corner aimed at, and the band of the net
        curve = curve_of([row for row in rows if row["to"] == to], "rnn", "judged combined", "notes kept")
        assert (curve["low"] < curve["mean"]).all()
        assert (curve["mean"] < curve["high"]).all()
        assert np.array_equal(curve["amount"], [0.1, 0.3])
