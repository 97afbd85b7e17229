"""Recipe of lesson 5's measure of fluency: `style-fluency`, trained on the side "judge" alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from musegen_lib.corpus import FOLK_TERMS
from musegen_lib.corpus.chinese_german import STYLES
from musegen_lib.models.style.evaluation.classifier_recipes import classifier_tunes
from musegen_lib.models.style.evaluation.language_model import (
    StepBatch,
    StepBatches,
    StyleFluency,
    StyleFluencyConfig,
    pieces_to_batch,
)
from musegen_lib.training import loop as training
from musegen_lib.training.pretrained import ShippedNet


def steps_in_batches(part: str, size: int = 32) -> list[StepBatch]:
    """Whole tunes of the side "judge", each batch of one style."""
    found = []
    for number, style in enumerate(STYLES):
        tunes = sorted(classifier_tunes(style, part), key=len)
        parts = [tunes[first : first + size] for first in range(0, len(tunes), size)]
        found += [pieces_to_batch(some, [number] * len(some)) for some in parts]
    return found


class FluencyRecipe(ShippedNet):
    """The recurrent measure of fluency: a net for each style, trained together."""

    name = "style-fluency"
    about = "Recurrent nets that say how fluently a melody speaks Chinese or German folk song; a measure, no critic."
    net = StyleFluency
    config = StyleFluencyConfig()
    training = training.TrainConfig(
        steps=2000, learning_rate=4e-3, weight_decay=0.05, validate_every=100, patience=5, clip_norm=1.0
    )

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train on tunes of the side "judge"; the best step is chosen on its validation tunes."""
        tunes = tuple(classifier_tunes(style, "train") for style in STYLES)
        batches = StepBatches(tunes, seed=seed)
        model, run = self.fitted(batches, steps_in_batches("valid"), out, seed, steps, minutes)
        data = f"han2, fink0, kinder0, zuccal0, part train, {sum(map(len, tunes)):,} tunes: {FOLK_TERMS}"
        return self.save_trained(out, model, run, data, seed, steps, minutes)


FLUENCY = FluencyRecipe()
