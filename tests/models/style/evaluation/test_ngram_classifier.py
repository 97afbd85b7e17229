"""Classifier and trigram that count: known small cases, keys and tempi do not matter, probabilities sum to one."""

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.models.style.evaluation.ngram_classifier import (
    BASE,
    VIEWS,
    NgramClassifier,
    calibration_error,
    ngram_counts,
    ratio_symbols,
    view_of,
)
from musegen_lib.models.style.trigram import IntervalTrigram, interval_symbols


def melody(pitches, durations=None):
    steps = list(durations or [2] * len(pitches))
    onsets = (np.cumsum(steps) - steps).astype(int).tolist()
    return Piece.from_notes(zip(onsets, steps, pitches, strict=True))


def walks(steps, n, seed):
    rng = np.random.default_rng(seed)
    return [melody((60 + np.cumsum(rng.choice(steps, 20))).clip(30, 100).tolist()) for _ in range(n)]


def test_grams_of_three_notes_are_two_single_ones_and_a_pair():
    counts = ngram_counts(interval_symbols(melody([60, 62, 62])))
    assert np.flatnonzero(counts).tolist() == [13, 15, 15 * BASE + 13]
    assert np.linalg.norm(counts) == pytest.approx(1)


@pytest.mark.parametrize("pitches", [[], [60]])
def test_a_melody_without_an_interval_has_no_features(pitches):
    assert not view_of(melody(pitches), "combined").any()


def test_features_know_neither_key_nor_tempo_and_views_see_their_half():
    tune = melody([60, 64, 62, 60], [2, 4, 2, 8])
    twice = melody([65, 69, 67, 65], [4, 8, 4, 16])
    assert np.array_equal(view_of(tune, "combined"), view_of(twice, "combined"))
    assert ratio_symbols(tune).tolist() == [14, 10, 16]
    assert not view_of(tune, "pitch")[BASE**3 :].any()
    assert not view_of(tune, "rhythm")[: BASE**3].any()


def test_the_classifier_tells_whole_tones_from_semitones_and_no_rhythm_from_none():
    classifier = NgramClassifier().fit(walks([-2, 2, 3, -3], 30, 0), walks([-1, 1, 4, -4], 30, 1))
    unseen = walks([-2, 2, 3, -3], 10, 2)
    assert (classifier.probability(unseen, "chinese") > 0.5).all()
    assert np.allclose(classifier.probability(unseen, "chinese") + classifier.probability(unseen, "german"), 1)
    assert np.allclose(classifier.probability(unseen, "chinese", "rhythm"), 0.5, atol=1e-3)
    assert classifier.weights.shape == (len(VIEWS), 2 * BASE**3)


def test_calibration_brings_an_overconfident_classifier_down():
    classifier = NgramClassifier().fit(walks([-2, 2, 1, -1], 40, 0), walks([-2, 2, 1, -1, 3], 40, 1))
    sides = walks([-2, 2, 1, -1], 40, 2), walks([-2, 2, 1, -1, 3], 40, 3)
    true = np.array([1] * 40 + [0] * 40)
    classifier.slopes[:] = 25.0
    before = calibration_error(classifier.probability([*sides[0], *sides[1]], "chinese", "pitch"), true)
    classifier.calibrate(*sides)
    assert calibration_error(classifier.probability([*sides[0], *sides[1]], "chinese", "pitch"), true) < before


def test_calibration_error_of_a_sure_and_wrong_classifier_is_one_and_of_a_true_coin_zero():
    assert calibration_error(np.ones(4), np.zeros(4)) == 1
    assert calibration_error(np.full(4, 0.5), np.array([0, 1, 0, 1])) == 0


def test_the_trigram_is_uniform_before_it_has_counted_and_sums_to_one_after():
    tune = melody([60, 62, 64, 62, 60])
    assert IntervalTrigram().nats(tune).tolist() == pytest.approx([np.log(25)] * 4)
    model = IntervalTrigram().fit([tune] * 3)
    assert np.allclose(np.exp(model.log_prob).sum(axis=-1), 1)
    assert model.nats(tune).mean() < model.nats(melody([60, 63, 67, 63, 60])).mean()


def test_back_off_by_hand():
    model = IntervalTrigram().fit([melody([60, 62])])  # one interval, seen once, at the start
    single = (1 + 1 / 25) / 2
    pair = single  # nothing followed anything
    assert np.exp(model.log_prob[25, 25, 14]) == pytest.approx(pair)
