"""Recipes of lesson 5's two classifiers, `style-judges` and `style-rolls`, which no transfer method trains against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import FOLK_TERMS, corpus_fingerprint, windows
from musegen_lib.corpus.chinese_german import FEWEST_NOTES, STYLES, load_side
from musegen_lib.models.style.evaluation.ngram_classifier import NgramClassifier
from musegen_lib.models.style.evaluation.ngram_weights import NgramWeights, NgramWeightsConfig, nats_of
from musegen_lib.models.style.evaluation.roll_classifier import (
    RollBatches,
    RollClassifier,
    RollClassifierConfig,
    piece_to_rolls,
    rolls_in_batches,
)
from musegen_lib.training import loop as training
from musegen_lib.training.checkpoints import write_checkpoint
from musegen_lib.training.pretrained import ShippedNet


def classifier_tunes(style: str, part: str) -> list[Piece]:
    """Whole tunes of the side "judge", which no transfer method learns from."""
    return list(load_side(style, "judge", part))


def classifier_windows(style: str, part: str) -> list[Piece]:
    """Four bars of 2/4 on sixteenths (32 steps), two bars apart, of the side "judge", with 8 notes or more."""
    corpus = load_side(style, "judge", part)
    corpus = corpus.select((corpus.column("metre") == "2/4") & (corpus.column("grid") == 4))
    return [piece for piece in windows(corpus, 4, 2) if len(piece) >= FEWEST_NOTES]


def fit_ngram_classifier() -> NgramClassifier:
    """Fit the first classifier on tunes and windows, calibrate it on valid tunes; about 15 s."""
    classifier = NgramClassifier().fit(
        *(classifier_tunes(style, "train") + classifier_windows(style, "train") for style in STYLES)
    )
    return classifier.calibrate(*(classifier_tunes(style, "valid") for style in STYLES))


class NgramClassifierRecipe(ShippedNet):
    """The classifier that counts: n-grams of intervals and rhythm, logistic regression, calibrated."""

    name = "style-judges"
    about = "Logistic regression that tells Chinese from German folk song by counted intervals and rhythms; a judge."
    net = NgramWeights
    config = NgramWeightsConfig()

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Fit the classifier; the solution is one, whatever the seed, and steps or minutes limit nothing."""
        net = NgramWeights.of(fit_ngram_classifier())
        card = {
            "about": self.about,
            "recipe": f"musegen train {self.name}",
            "data": f"han2, fink0, kinder0, zuccal0, part train, tunes and windows of four bars: {FOLK_TERMS}",
            "data_fingerprint": corpus_fingerprint("folk"),
            "seed": seed,
            "valid_loss": round(nats_of(net.classifier(), *(classifier_tunes(style, "valid") for style in STYLES)), 4),
        }
        write_checkpoint(out, net, card)
        return card


def side_rolls(style: str, part: str) -> np.ndarray:
    """Rolls of all tunes of the side "judge"."""
    return np.concatenate([piece_to_rolls(piece) for piece in load_side(style, "judge", part)])


class RollClassifierRecipe(ShippedNet):
    """The classifier of piano rolls."""

    name = "style-rolls"
    about = "A convolutional net that tells Chinese from German folk song by piano rolls; a judge, never a critic."
    net = RollClassifier
    config = RollClassifierConfig()
    training = training.TrainConfig(
        steps=1500, learning_rate=3e-3, weight_decay=0.02, validate_every=150, patience=4, clip_norm=1.0
    )
    batch_size = 96

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train on tunes of the side "judge"; the best step is chosen on its validation tunes."""
        sides = [side_rolls(style, "train") for style in STYLES]
        valid = rolls_in_batches(*(side_rolls(style, "valid") for style in STYLES))
        model, run = self.fitted(RollBatches(*sides, self.batch_size, seed), valid, out, seed, steps, minutes)
        data = f"han2, fink0, kinder0, zuccal0, part train, {sum(map(len, sides)):,} rolls: {FOLK_TERMS}"
        return self.save_trained(out, model, run, data, seed, steps, minutes)


NGRAM_CLASSIFIER = NgramClassifierRecipe()
ROLL_CLASSIFIER = RollClassifierRecipe()
