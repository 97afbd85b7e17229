"""Recipe of lesson 5's second judge: `style-rolls`, which no transfer method trains against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from musegen_lib import training
from musegen_lib.checkpoints import read_card, write_checkpoint
from musegen_lib.corpus import corpus_fingerprint
from musegen_lib.models.roll_judge import (
    RollBatches,
    RollJudge,
    RollJudgeConfig,
    piece_to_rolls,
    rolls_in_batches,
)
from musegen_lib.recipes.melody import TERMS
from musegen_lib.recipes.shipped import ShippedNet, train_command
from musegen_lib.style_pair import STYLES, load_side


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


ROLL_JUDGE = RollJudgeRecipe()
