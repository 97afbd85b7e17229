"""All nets that write for four voices, side by side: how they lead them, and whether a judge tells them from Bach."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.chorale_steps import ChoraleSteps, steps_to_piece
from musegen_lib.metrics.reference import shuffle_chords
from musegen_lib.metrics.voice_leading import voice_leading
from musegen_lib.models.chorale.infill import gibbs
from musegen_lib.models.chorale.recipe import CHORALES, HARMONISER, chorale_steps, written
from musegen_lib.models.gan.batches import bar_windows
from musegen_lib.models.gan.recipe import BAR, NO_WORK, PHRASES, GANRecipe, Windows, chorale_windows

N_FILLED = 20  # chorales that the harmoniser fills in, one by one
N_FREE = 100  # chorales of the recurrent net that are cut into windows
JUDGED = ("two-sample accuracy", "accuracy, spread of folds", "parallel fifths", "parallel octaves")


def chorale_voices() -> list[dict[str, Any]]:
    """Parallels, direct fifths, crossings, leaps and suspensions of every net, of Bach and of Bach's chords shuffled.

    Validation chorales and as many of the nets', first draws with no rule in the sampler; of the two GANs as many
    windows as Bach has. Each figure stands with its hits and chances.
    """
    held_out, generator = chorale_steps("valid"), torch.Generator().manual_seed(0)
    sets = written(CHORALES.load_once(), held_out)
    sets["harmoniser"] = [steps_to_piece(_filled(steps, generator)) for steps in held_out[:N_FILLED]]
    for recipe in (BAR, PHRASES):
        rng = np.random.default_rng(0)
        real = [piece.replace(fermatas=()) for piece in chorale_windows("valid", recipe.n_bars).pieces]
        sets[recipe.name] = recipe.generate(len(real), 0)
        sets[f"Bach, {recipe.n_bars}-bar windows"] = real
        sets[f"Bach, {recipe.n_bars}-bar windows, chords shuffled"] = [shuffle_chords(piece, rng) for piece in real]
    return [{"music": name, **voice_leading(pieces)} for name, pieces in sets.items()]


def chorale_judge() -> list[dict[str, Any]]:
    """Boosted trees that see motion between voices, on windows of one and of four bars: who is told from Bach?

    Validation windows. Nothing that is read depends on the key; windows of one chorale stay in one fold.
    """
    written_by = {"rnn-chorales": CHORALES.generate(N_FREE, 0, metre="4/4"), "gan-phrases": PHRASES.generate(300, 0)}
    return [
        {"bars": recipe.n_bars, "music": name, "windows": len(pieces), **_judged(recipe, pieces, works)}
        for recipe in (BAR, PHRASES)
        for name, (pieces, works) in _windows(recipe, written_by).items()
    ]


def _windows(recipe: GANRecipe, written_by: dict[str, list[Piece]]) -> dict[str, Windows]:
    real, training = (chorale_windows(part, recipe.n_bars) for part in ("valid", "train"))
    references = recipe.baselines(real, training, np.random.default_rng(0))
    cut = {name: bar_windows(pieces, recipe.n_bars) for name, pieces in written_by.items()}
    found = {name: Windows(pieces, NO_WORK - works) for name, (pieces, works) in cut.items()}
    if recipe is BAR:
        found["gan"] = Windows(BAR.generate(len(real.pieces), 0), NO_WORK - np.arange(len(real.pieces)))
    return references | found


def _judged(recipe: GANRecipe, pieces: list[Piece], works: np.ndarray) -> dict[str, float]:
    report = recipe.report(pieces, "valid", works)
    return {name: round(report[name], 3) for name in JUDGED}


def _filled(steps: ChoraleSteps, generator: torch.Generator) -> ChoraleSteps:
    """The chorale with its lower voices drawn anew."""
    free = np.ones_like(steps.tokens, dtype=bool)
    free[:, 0] = False
    return gibbs(HARMONISER.load_once(), steps, free, generator, temperature=0.5)[0]
