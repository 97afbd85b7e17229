"""Recipes of lesson 5's two judges, `style-grams` and `style-rolls`, which no transfer method trains against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from musegen_lib import training
from musegen_lib.checkpoints import read_card, write_checkpoint
from musegen_lib.corpus import corpus_fingerprint, windows
from musegen_lib.errors import MusegenError
from musegen_lib.models.roll_judge import (
    RollBatches,
    RollJudge,
    RollJudgeConfig,
    piece_to_rolls,
    rolls_in_batches,
)
from musegen_lib.models.style_counts import GramJudge
from musegen_lib.models.style_judge import GramJudgeConfig, GramJudgeNet
from musegen_lib.piece import Piece
from musegen_lib.recipes.melody import TERMS
from musegen_lib.recipes.shipped import ShippedNet, train_command
from musegen_lib.style_pair import FEWEST_NOTES, STYLES, load_side


def side_rolls(style: str, part: str) -> np.ndarray:
    """Rolls of all tunes of the judge's side."""
    return np.concatenate([piece_to_rolls(piece) for piece in load_side(style, "judge", part)])


class RollJudgeRecipe(ShippedNet):
    """The judge on piano rolls."""

    name = "style-rolls"
    about = "A convolutional net that tells Chinese from German folk song by piano rolls; a judge, never a critic."
    net = RollJudge
    config = RollJudgeConfig()
    training = training.TrainConfig(
        steps=1500, learning_rate=3e-3, weight_decay=0.02, validate_every=150, patience=4, clip_norm=1.0
    )
    batch_size = 96

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train on the judge's tunes; the best step is chosen on its validation tunes."""
        sides = [side_rolls(style, "train") for style in STYLES]
        valid = rolls_in_batches(*(side_rolls(style, "valid") for style in STYLES))
        model, run = self.fitted(RollBatches(*sides, self.batch_size, seed), valid, out, seed, steps, minutes)
        card = {
            "about": self.about,
            "recipe": train_command(self.name, seed, self.training, steps, minutes),
            "data": f"han2, fink0, kinder0, zuccal0, part train, {sum(map(len, sides)):,} rolls: {TERMS}",
            "data_fingerprint": corpus_fingerprint("folk"),
            "seed": seed,
            "steps": run.step,
            "valid_loss": round(run.best_loss, 4),
            "best_step": run.best_step,
        }
        write_checkpoint(out, model, card)
        return card

    def valid_loss(self) -> float:
        """Nats a roll on the validation tunes, each style weighing the same."""
        return float(read_card(self.checkpoint)["valid_loss"])


def judge_tunes(style: str, part: str) -> list[Piece]:
    """Whole tunes of the judge's side."""
    return list(load_side(style, "judge", part))


def judge_windows(style: str, part: str) -> list[Piece]:
    """Four bars of 2/4 on sixteenths (32 steps), two bars apart, of the judge's side, with 8 notes or more."""
    corpus = load_side(style, "judge", part)
    corpus = corpus.select((corpus.column("metre") == "2/4") & (corpus.column("grid") == 4))
    return [piece for piece in windows(corpus, 4, 2) if len(piece) >= FEWEST_NOTES]


class GramJudgeRecipe(ShippedNet):
    """The judge that counts."""

    name = "style-grams"
    about = "Logistic regression that tells Chinese from German folk song by runs of intervals and of durations."
    net = GramJudgeNet
    config = GramJudgeConfig()

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Fit on tunes and windows of the judge's side, calibrate on its validation tunes; nothing is drawn.

        Raises:
            MusegenError: steps or minutes are given, which a closed fit does not have.
        """
        if steps is not None or minutes is not None:
            raise MusegenError(f"{self.name} is fitted to its end: give neither --steps nor --minutes")
        train = [judge_tunes(style, "train") + judge_windows(style, "train") for style in STYLES]
        valid = [judge_tunes(style, "valid") for style in STYLES]
        judge = GramJudge().fit(*train).calibrate(*valid)
        card = {
            "about": self.about,
            "recipe": f"musegen train {self.name}",
            "data": f"han2, fink0, kinder0, zuccal0, part train, {sum(map(len, train)):,} tunes and windows: {TERMS}",
            "data_fingerprint": corpus_fingerprint("folk"),
            "seed": seed,
            "valid_loss": round(_surprise(judge, valid), 4),
        }
        write_checkpoint(out, self.net(self.config).fill(judge), card)
        return card

    def valid_loss(self) -> float:
        """Nats a tune on the validation tunes, each style weighing the same."""
        return float(read_card(self.checkpoint)["valid_loss"])


def _surprise(judge: GramJudge, tunes: list[list[Piece]]) -> float:
    found = [-np.log(judge.probability(own, style)).mean() for own, style in zip(tunes, STYLES, strict=True)]
    return float(np.mean(found))


ROLL_JUDGE = RollJudgeRecipe()
GRAM_JUDGE = GramJudgeRecipe()
