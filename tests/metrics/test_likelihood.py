"""Nats per note: sums over sums, with an error that counts pieces."""

import math

import numpy as np
import pytest

from musegen_lib.metrics.likelihood import (
    mean_estimate,
    nats_per_note,
    nats_to_bits,
    nats_to_perplexity,
    ratio_estimate,
)


def test_nats_per_note_weighs_notes_not_tunes():
    scores = nats_per_note([10.0, 2.0], [10, 1])
    assert scores["nats_per_note"] == pytest.approx(12 / 11)
    assert scores["bits_per_note"] == pytest.approx(12 / 11 / math.log(2))
    assert scores["perplexity"] == pytest.approx(math.exp(12 / 11))


def test_a_uniform_guess_over_44_pitches_has_perplexity_44_and_no_error():
    notes = np.array([3, 7, 20])
    scores = nats_per_note(notes * np.log(44), notes)
    assert scores["perplexity"] == pytest.approx(44)
    assert scores["standard_error"] == pytest.approx(0)


def test_the_error_of_tunes_of_one_length_is_the_textbook_error_of_a_mean():
    nll = np.array([4.0, 6.0, 5.0, 9.0])
    assert ratio_estimate(nll, [1, 1, 1, 1]).standard_error == pytest.approx(np.std(nll, ddof=1) / 2)
    assert ratio_estimate(nll, [2, 2, 2, 2]).standard_error == pytest.approx(np.std(nll, ddof=1) / 4)


def test_the_error_of_a_ratio_is_what_repeated_sampling_shows():
    rng = np.random.default_rng(0)
    counts = rng.integers(5, 100, size=(2000, 40))
    totals = counts * rng.normal(2.0, 0.5, size=counts.shape)
    estimates = [ratio_estimate(t, c) for t, c in zip(totals, counts)]
    seen = np.std([estimate.mean for estimate in estimates])
    assert np.mean([estimate.standard_error for estimate in estimates]) == pytest.approx(seen, rel=0.06)


def test_nothing_gives_nan_and_one_piece_has_no_error():
    assert all(math.isnan(value) for value in nats_per_note([], []).values())
    assert all(math.isnan(value) for value in nats_per_note([1.0], [0]).values())
    mean, error = ratio_estimate([3.0], [2])
    assert mean == 1.5
    assert math.isnan(error)


def test_columns_of_unlike_length_are_refused():
    with pytest.raises(ValueError, match=r"shapes are \(2,\) and \(1,\)"):
        ratio_estimate([1.0, 2.0], [1])


def test_mean_estimate_leaves_out_pieces_without_a_value():
    assert mean_estimate([2.0, float("nan"), 4.0]) == (3.0, pytest.approx(1.0))


def test_one_bit_halves_the_choices():
    assert nats_to_bits(math.log(2)) == pytest.approx(1)
    assert nats_to_perplexity(math.log(2)) == pytest.approx(2)
