"""The shipped counting classifier: the fitted one to half precision, read fast, right on held-out tunes and windows."""

import time

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES
from musegen_lib.models.style.evaluation import measures as transfer_measures
from musegen_lib.models.style.evaluation.classifier_recipes import (
    NGRAM_CLASSIFIER,
    classifier_tunes,
    classifier_windows,
    fit_ngram_classifier,
)
from musegen_lib.models.style.evaluation.ngram_classifier import VIEWS, NgramClassifier, calibration_error, view_of
from musegen_lib.models.style.evaluation.ngram_weights import NgramWeights, NgramWeightsConfig, nats_of

TUNE = Piece.from_notes([(4 * k, 4, 60 + k % 5) for k in range(20)])


def sure_of_truth(view, pieces_of):
    """How sure the shipped classifier is of each style's own pieces."""
    classifier = NGRAM_CLASSIFIER.load_once().classifier()
    return [classifier.probability(pieces_of(style, "valid"), style, view) for style in STYLES]


def balanced_accuracy(sure):
    return float(np.mean([(side > 0.5).mean() for side in sure]))


def balanced_error(sure):
    """Calibration error of p(chinese), both styles weighing the same by repeating none and averaging the two."""
    n = min(map(len, sure))
    chinese, german = (np.random.default_rng(0).permutation(side)[:n] for side in sure)
    return calibration_error(np.concatenate([chinese, 1 - german]), np.repeat([1, 0], n))


def test_numbers_of_a_classifier_survive_the_net_to_half_precision():
    rng = np.random.default_rng(0)
    classifier = NgramClassifier(
        rng.normal(size=(3, 65536)).astype(np.float32), rng.normal(size=3), rng.normal(size=3), np.ones(3)
    )
    net = NgramWeights.of(classifier)
    for view in VIEWS:
        assert net.classifier().logits([TUNE], view) == pytest.approx(classifier.logits([TUNE], view), abs=5e-3)
    grams = np.stack([view_of(TUNE, "combined")]).astype(np.float32)
    forward = net(net.weights.new_tensor(grams, dtype=net.biases.dtype))
    assert forward.numpy() == pytest.approx(net.classifier().logits([TUNE]), abs=1e-4)


def test_an_empty_net_is_a_coin():
    assert nats_of(NgramWeights(NgramWeightsConfig()).classifier(), [TUNE], [TUNE]) == pytest.approx(np.log(2))


def test_the_shipped_classifier_is_small_and_read_well_within_a_second():
    assert NGRAM_CLASSIFIER.checkpoint.stat().st_size < 600_000
    transfer_measures.ngram_classifier.cache_clear()
    started = time.process_time()
    NGRAM_CLASSIFIER.load().classifier()
    assert time.process_time() - started < 0.5
    assert transfer_measures.ngram_classifier().weights.shape == (3, 65536)


def test_the_shipped_classifier_says_what_the_fitted_one_says():
    shipped, fitted = NGRAM_CLASSIFIER.load_once().classifier(), fit_ngram_classifier()
    tunes = classifier_tunes("german", "valid")[:60] + classifier_tunes("chinese", "valid")[:60]
    for view in VIEWS:  # the fit for rhythm ends on a plateau, on another processor a little elsewhere
        ours, theirs = (classifier.probability(tunes, "chinese", view) for classifier in (shipped, fitted))
        assert np.abs(ours - theirs).max() < (0.05 if view == "rhythm" else 0.005)
        assert np.mean((ours > 0.5) == (theirs > 0.5)) > 0.98
    assert NGRAM_CLASSIFIER.valid_loss() == pytest.approx(
        nats_of(shipped, *(classifier_tunes(style, "valid") for style in STYLES)), abs=1e-4
    )


@pytest.mark.parametrize("pieces_of", [classifier_tunes, classifier_windows])
def test_held_out_tunes_and_windows_are_told_apart_and_the_classifier_knows_how_sure_it_may_be(pieces_of):
    for view in ("combined", "pitch"):
        sure = sure_of_truth(view, pieces_of)
        assert balanced_accuracy(sure) >= 0.95
        assert balanced_error(sure) < 0.04
