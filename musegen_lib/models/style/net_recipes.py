"""Recipes of the nets of lesson 5 that rewrite melodies; they learn from the transfer side alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from musegen_lib.corpus import FOLK_TERMS, load_folk_tunes
from musegen_lib.corpus.chinese_german import FEWEST_NOTES, STYLES, load_side
from musegen_lib.encodings.melody_lines import MelodyLine, piece_to_line
from musegen_lib.models.style.batches import LineBatch, LineBatches, lines_to_batch
from musegen_lib.models.style.rnn import StyleRNN, StyleRNNConfig
from musegen_lib.models.style.vae import N_NETS, StyleVAE, StyleVAEConfig, StyleVAEEnsemble
from musegen_lib.training import loop as training
from musegen_lib.training.loop import Run
from musegen_lib.training.pretrained import ShippedNet


def transfer_lines(part: str) -> tuple[list[MelodyLine], ...]:
    """Lines of the transfer side of each style, then those of every other region."""
    corpus = load_folk_tunes(part=part)
    style = corpus.column("style")
    other = corpus.select((style != STYLES[0]) & (style != STYLES[1]) & (corpus.n_notes >= FEWEST_NOTES))
    sides = [load_side(name, "transfer", part) for name in STYLES]
    return tuple([piece_to_line(piece) for piece in tunes] for tunes in (*sides, other))


def lines_in_batches(lines: tuple[list[MelodyLine], ...], size: int = 50) -> list[LineBatch]:
    """Batches of whole lines, each of one style of the pair."""
    parts = [
        (own[first : first + size], style)
        for style, own in enumerate(lines[: len(STYLES)])
        for first in range(0, len(own), size)
    ]
    return [lines_to_batch(part, [style] * len(part)) for part, style in parts]


class LineRecipe(ShippedNet):
    """A net that learns from lines of both styles; subclasses name it."""

    about: str
    training = training.TrainConfig(
        steps=1000, learning_rate=3e-3, weight_decay=0.01, validate_every=250, patience=4, clip_norm=1.0
    )
    sizes = (10, 18, 10)  # lines of each style in a batch

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train on the transfer side; the best step is chosen on its validation tunes."""
        lines = transfer_lines("train")
        valid = lines_in_batches(transfer_lines("valid"))
        model, run = self.trained(lines, valid, out, seed, steps, minutes)
        data = f"folk tunes but the judge's files, part train, {sum(map(len, lines)):,} tunes: {FOLK_TERMS}"
        return self.save_trained(out, model, run, data, seed, steps, minutes)

    def trained(
        self,
        lines: tuple[list[MelodyLine], ...],
        valid: list[LineBatch],
        out: Path,
        seed: int,
        steps: int | None,
        minutes: float | None,
    ) -> tuple[nn.Module, Run]:
        """As `fitted`, on batches of these lines."""
        return self.fitted(LineBatches(lines, self.sizes, seed), valid, out, seed, steps, minutes)


class StyleRNNRecipe(LineRecipe):
    """The recurrent net of two styles."""

    name = "style-rnn"
    about = "A recurrent net that writes the intervals of Chinese or German folk song over a given rhythm."
    net = StyleRNN
    config = StyleRNNConfig()


class StyleVAERecipe(LineRecipe):
    """The VAE that tells content from style."""

    name = "style-vae"
    about = "A variational autoencoder that keeps a melody's outline and gives it the intervals of a style."
    net = StyleVAE
    config = StyleVAEConfig()


STYLE_RNN = StyleRNNRecipe()
STYLE_VAE = StyleVAERecipe()


class StyleVAEEnsembleRecipe(LineRecipe):
    """VAEs from consecutive seeds; seed s has the nets of seeds 3s, 3s + 1 and 3s + 2."""

    name = "style-vae-ensemble"
    about = "Three variational autoencoders that rewrite a melody together."
    net = StyleVAEEnsemble
    config = STYLE_VAE.config

    def trained(
        self,
        lines: tuple[list[MelodyLine], ...],
        valid: list[LineBatch],
        out: Path,
        seed: int,
        steps: int | None,
        minutes: float | None,
    ) -> tuple[nn.Module, Run]:
        """Train each net as STYLE_VAE is trained, within the same limits; the loss is the mean of theirs."""
        found = [
            STYLE_VAE.trained(lines, valid, Path(STYLE_VAE.name), own, steps, minutes)
            for own in range(N_NETS * seed, N_NETS * (seed + 1))
        ]
        model = self.net(self.config)
        model.nets = nn.ModuleList(net for net, _ in found)
        return model, replace(found[-1][1], best_loss=float(np.mean([run.best_loss for _, run in found])))


STYLE_VAE_ENSEMBLE = StyleVAEEnsembleRecipe()
