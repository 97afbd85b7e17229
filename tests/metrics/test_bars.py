"""The table of figures for bars: hand-made sets whose figures are known."""

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales
from musegen_lib.metrics.bars import (
    FIGURES,
    bar_identity,
    bar_report,
    copied_share,
    distinct_per_1000,
    pooled_durations,
)
from musegen_lib.models.gan.batches import bar_windows

CHORD = [(0, 16, p, 80, v) for v, p in enumerate((72, 67, 64, 48))]


def bar(move=0, soprano=72):
    rows = [(0, 16, soprano, 80, 0), *CHORD[1:]]
    return Piece.from_notes([(o, d, p + move, vel, v) for o, d, p, vel, v in rows], metre="4/4")


def test_a_transposed_bar_is_the_same_and_another_note_is_not():
    assert bar_identity(bar()) == bar_identity(bar(5))
    assert bar_identity(bar()) != bar_identity(bar(soprano=74))
    held = Piece.from_notes([(0, 8, 72, 80, 0), (8, 8, 72, 80, 0), *CHORD[1:]], metre="4/4")
    assert bar_identity(bar()) != bar_identity(held)


def test_copies_and_distinct_bars_are_counted():
    pieces = [bar(), bar(3), bar(soprano=74), bar(soprano=76)]
    assert copied_share(pieces, [bar(1)]) == 0.5
    assert distinct_per_1000(pieces) == 750
    assert pooled_durations(pieces)[0] == 16


@pytest.fixture(scope="module")
def reports():
    windows, works = bar_windows(load_chorales(part="valid"))
    rng = np.random.default_rng(0)
    half = np.isin(works, rng.permutation(np.unique(works))[: len(np.unique(works)) // 2])
    real, other = ([w for w, h in zip(windows, half) if h == side] for side in (True, False))
    same = bar_report(other, real, real, works[half], works[~half], n_seeds=2)
    dull = bar_report([bar(i % 3) for i in range(60)], real, real, works[half], n_seeds=2)
    return same, dull


def test_real_beside_real_is_hard_to_tell_and_one_chord_is_easy(reports):
    same, dull = reports
    assert list(same) == list(FIGURES)
    assert same["two-sample accuracy"] < 0.65 < 0.97 < dull["two-sample accuracy"]
    assert same["frechet distance"] < dull["frechet distance"] / 10
    assert same["note-length overlap"] > 0.9 > 0.1 > dull["note-length overlap"]
    assert same["distinct"] > 900
    assert dull["distinct"] == pytest.approx(1000 / 60)


def test_a_held_chord_is_full_in_key_and_uses_three_pitch_classes(reports):
    dull = reports[1]
    assert dull["key fit"] == 100
    assert dull["polyphony"] == 4
    assert dull["pitch classes used"] == 3
    assert dull["empty bars"] == dull["voice crossing"] == 0
    assert dull["triads and sevenths"] == 100
