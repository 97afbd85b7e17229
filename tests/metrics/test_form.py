"""Bars that return, openings as rows of numbers, and whether a melody keeps the mode it is asked for."""

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.metrics.form import OPENING_FEATURES, bar_returns, opening_features, repeated_share, return_rates
from musegen_lib.metrics.key import obeys_key
from musegen_lib.metrics.melodies import melody_figures, melody_report
from musegen_lib.metrics.reference import shuffle_notes

RNG = np.random.default_rng


def bars(*pitches, metre="2/4", **labels):
    """A melody of one long note a bar."""
    return Piece.from_notes([(8 * bar, 8, pitch) for bar, pitch in enumerate(pitches)], metre=metre, **labels)


def test_bars_that_return_are_counted_at_each_distance():
    piece = bars(60, 62, 60, 62, 64)
    assert [bar_returns(piece, lag) for lag in (1, 2, 4)] == [(0, 4), (2, 3), (0, 1)]
    assert [bar_returns(piece, lag, (0, 1)) for lag in (1, 2, 4)] == [(4, 4), (3, 3), (1, 1)]


def test_a_pickup_is_no_bar_and_a_bar_with_a_tie_into_it_does_not_return():
    with_pickup = Piece.from_notes([(0, 4, 60), (4, 8, 60), (12, 8, 62), (20, 8, 60)], metre="2/4", pickup_steps=4)
    assert bar_returns(with_pickup, 2) == (1, 1)
    tied = Piece.from_notes([(0, 12, 60), (12, 4, 62), (16, 12, 60), (28, 4, 62)], metre="2/4")
    assert bar_returns(tied, 2) == (1, 2)  # bars 0 and 2; bars 1 and 3 begin with a held note


def test_rates_are_pooled_over_pieces():
    assert return_rates([bars(60, 62, 60), bars(60, 62, 64, 65)])[2] == pytest.approx(1 / 3)
    assert np.isnan(return_rates([bars(60, 62)])[4])


def test_a_run_counts_as_repeated_in_any_key():
    line = [60, 62, 64, 65, 67, 69, 71, 72, 74]
    assert repeated_share(bars(*line, *(pitch + 2 for pitch in line))) == 1
    assert repeated_share(bars(*line)) == 0


def test_an_opening_does_not_depend_on_key_or_on_what_follows():
    piece = bars(60, 62, 64, 65, 67, 65, 64, 62, 60, 60, key="C major")
    (row,) = opening_features([piece], [0])
    assert len(row) == len(OPENING_FEATURES)
    assert row == pytest.approx(opening_features([piece.transpose(5)], [5])[0])
    assert row == pytest.approx(opening_features([bars(60, 62, 64, 65, 67, 65, 64, 62, 71, 71)], [0])[0])


def test_a_mode_is_kept_or_not():
    minor = [(0, 4, 69), (4, 4, 72), (8, 8, 69)]
    assert obeys_key(Piece.from_notes(minor, key="A minor"))
    assert not obeys_key(Piece.from_notes(minor, key="A major"))
    assert obeys_key(Piece.from_notes(minor)) is None
    yu = Piece.from_notes([(4 * n, 4, pitch) for n, pitch in enumerate((69, 72, 74, 76, 79, 69))])
    assert obeys_key(yu.replace(key="A yu"))
    assert not obeys_key(yu.replace(key="A gong"))


def test_the_judge_tells_shuffled_tunes_from_real_ones_and_real_from_real_less_well():
    tunes = load_folk_tunes(region="german", part="valid", steps_per_beat=4)
    drawn = [tunes[int(i)] for i in RNG(0).permutation(len(tunes))[:200]]
    real = [piece for piece in drawn if piece.metre and piece.key and piece.n_bars >= 8]
    half = len(real) // 2
    shuffled = [shuffle_notes(piece, RNG(n)) for n, piece in enumerate(real[:half])]
    told = melody_report(shuffled, real[:half], n_seeds=1)
    assert told["two-sample accuracy"] > 0.8
    assert melody_report(real[half : 2 * half], real[:half], n_seeds=1)["two-sample accuracy"] < 0.65
    assert told["ends on the tonic"] < melody_figures(real[:half])["ends on the tonic"] - 0.3
