"""Recipes of lesson 02b: `gan` writes one bar for four voices, `gan-phrases` four bars, `gan-sketch` 784 cells."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import CHORALE_TERMS, corpus_fingerprint, load_chorales
from musegen_lib.metrics.bars import bar_identity, bar_report, copied_share
from musegen_lib.metrics.features import window_features
from musegen_lib.metrics.reference import noise_like, shuffle_chords, shuffle_notes
from musegen_lib.metrics.voice_leading import voice_leading
from musegen_lib.models.chorale.recipe import TEMPO
from musegen_lib.models.gan.baselines import ChordChain, cells_to_tokens, mix_voices
from musegen_lib.models.gan.batches import (
    BarBatches,
    bar_windows,
    tokens_to_pieces,
    windows_to_cells,
    windows_to_tokens,
)
from musegen_lib.models.gan.nets import BarDiscriminator, BarGANConfig, BarGenerator
from musegen_lib.models.gan.sketch import SketchConfig, SketchDiscriminator, SketchGenerator
from musegen_lib.training.adversarial import AdversarialConfig, train_adversarial
from musegen_lib.training.checkpoints import write_checkpoint
from musegen_lib.training.pretrained import ShippedNet, run_folder

PARTS = ("train", "valid", "test")
DRAWS = (0, 1, 2)  # seeds of the sets that `evaluate` measures
NO_WORK = -1  # and below: numbers of windows that come from no chorale
TEMPERATURE = 0.7  # of the draws; chosen on validation bars, as the appendix of lesson 02b shows


class Windows(NamedTuple):
    """Windows of a part of the chorales, and the number of the chorale that each comes from; no two parts share one."""

    pieces: list[Piece]
    works: Int[np.ndarray, "N"]


@lru_cache(maxsize=6)
def chorale_windows(part: str, n_bars: int = 1) -> Windows:
    """All windows of n bars of 16 steps that begin on a bar line."""
    pieces, works = bar_windows(load_chorales(part=part), n_bars)
    return Windows(pieces, works + 1000 * PARTS.index(part))


@lru_cache(maxsize=6)
def _kept(split: str, n_bars: int) -> tuple[np.ndarray, frozenset[bytes]]:
    """What every report on a split needs: the features of its windows, the identities of the training windows."""
    known = frozenset(map(bar_identity, chorale_windows("train", n_bars).pieces))
    return window_features(chorale_windows(split, n_bars).pieces), known


class GANRecipe(ShippedNet):
    """What the three recipes share: trained by steps against a discriminator, asked for music without controls."""

    about: str
    n_bars = 1
    adversarial = AdversarialConfig()

    def table(self) -> np.ndarray:
        """The training windows as the net writes them."""
        return windows_to_tokens(chorale_windows("train", self.n_bars).pieces, self.n_bars)

    def networks(self) -> tuple[torch.nn.Module, torch.nn.Module]:
        """A generator and a discriminator before training."""
        return self.net(self.config), BarDiscriminator(self.config)

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train both for the recipe's number of steps, or for `steps`; a GAN is not trained by the clock."""
        if minutes is not None:
            raise MusegenError(f"{self.name} is trained by steps, not by minutes: give --steps")
        config = AdversarialConfig(**vars(self.adversarial) | {"seed": seed, "steps": steps or self.adversarial.steps})
        torch.manual_seed(seed)
        (generator, discriminator), table = self.networks(), self.table()
        batches = BarBatches(table, config.batch_size, seed)
        losses = train_adversarial(generator, discriminator, batches, config, run_folder(out, seed))
        card = {
            "about": self.about,
            "recipe": f"musegen train {self.name} --seed {seed} --steps {config.steps}",
            "data": f"Bach chorales, split tune, part train, {len(table)} windows: {CHORALE_TERMS}",
            "data_fingerprint": corpus_fingerprint("chorales"),
            "seed": seed,
            "steps": len(losses),
            "loss": config.loss,
        }
        write_checkpoint(out, generator, card)
        return card

    @torch.no_grad()
    def draw(self, n: int, seed: int, net: Any = None) -> Int[np.ndarray, "n T 4"]:
        """Draw n windows as tokens, by the shipped net or by another."""
        generator = torch.Generator().manual_seed(seed)
        return (net or self.load_once()).draw(n, generator, TEMPERATURE).argmax(dim=-1).numpy()

    def generate(self, n: int, seed: int, **controls: Any) -> list[Piece]:
        """Write n windows on the white keys, from noise alone."""
        if controls:
            named = ", ".join(sorted(controls))
            raise MusegenError(f"{named}: {self.name} writes from noise alone and takes no controls")
        labels = {"source": f"musegen {self.name}, seed {seed}", "licence": CHORALE_TERMS, "style": "chorale"}
        made = tokens_to_pieces(self.draw(n, seed), tempo_qpm=TEMPO, **labels)
        return [piece.replace(title=f"{self.name} {number}") for number, piece in enumerate(made, start=1)]

    def evaluate(self, split: str, path: Path | None = None) -> dict[str, Any]:
        """Every figure of `metrics.bars`, for the net, for its baselines and for its ceiling."""
        real, training = chorale_windows(split, self.n_bars), chorale_windows("train", self.n_bars)
        net, n = self.load(path), len(real.pieces)
        reports = [self.report(tokens_to_pieces(self.draw(n, seed, net)), split) for seed in DRAWS]
        table = {self.name: {name: float(np.mean([r[name] for r in reports])) for name in reports[0]}}
        table[f"{self.name}, spread of {len(DRAWS)} draws"] = {
            name: float(np.std([r[name] for r in reports], ddof=1)) for name in reports[0]
        }
        sets = self.baselines(real, training, np.random.default_rng(0))
        for name, (pieces, works) in sets.items():
            table[name] = self.report(pieces, split, works)
        sung = {
            self.name: tokens_to_pieces(self.draw(n, 0, net)),
            "Bach": [piece.replace(fermatas=()) for piece in real.pieces],  # a window begins and ends in mid-phrase
            "Bach, chords shuffled": [piece.replace(fermatas=()) for piece in sets["shuffled chords"].pieces],
        }
        copies = 100 * copied_share(real.pieces, training.pieces)
        return {
            "model": self.name,
            "split": split,
            "windows": n,
            "exact copies, held out": copies,
            **table,
            "voice leading": [{"music": name} | voice_leading(pieces) for name, pieces in sung.items()],
        }

    def report(self, pieces: list[Piece], split: str, works: np.ndarray | None = None) -> dict[str, float]:
        """The figures of a set of windows beside a held-out part; `works` as in Windows, None: each is its own."""
        real = chorale_windows(split, self.n_bars)
        training, kept = chorale_windows("train", self.n_bars).pieces, _kept(split, self.n_bars)
        return bar_report(pieces, real.pieces, training, real.works, works, kept=kept)

    def baselines(self, real: Windows, training: Windows, rng: np.random.Generator) -> dict[str, Windows]:
        """Sets of as many windows as there are real ones: training music (the ceiling), and what learns little."""
        n, tokens = len(real.pieces), windows_to_tokens(training.pieces, self.n_bars)
        some, alone = rng.permutation(len(training.pieces))[:n], NO_WORK - np.arange(n)
        return {
            "real, from training (ceiling)": Windows([training.pieces[i] for i in some], training.works[some]),
            "Markov chain of chords": Windows(tokens_to_pieces(ChordChain(tokens).sample(n, rng)), alone),
            "mixed voices": Windows(tokens_to_pieces(mix_voices(tokens, rng)[:n]), alone),
            "shuffled notes": Windows([shuffle_notes(piece, rng) for piece in real.pieces], real.works),
            "shuffled chords": Windows([shuffle_chords(piece, rng) for piece in real.pieces], real.works),
            "noise": Windows([noise_like(piece, rng) for piece in real.pieces], real.works),
        }


class BarRecipe(GANRecipe):
    """One bar for four voices."""

    name = "gan"
    about = (
        "A generative adversarial network wrote this bar from noise; its opponent had seen bars of 230 Bach chorales."
    )
    net = BarGenerator
    config = BarGANConfig()
    adversarial = AdversarialConfig()

    def baselines(self, real: Windows, training: Windows, rng: np.random.Generator) -> dict[str, Windows]:
        """The sketch of the tutorials is one bar long, too; so are real bars that went through its cells."""
        through_cells = tokens_to_pieces(cells_to_tokens(windows_to_cells(real.pieces)))
        n = len(real.pieces)
        return {
            **super().baselines(real, training, rng),
            "real, through 784 cells": Windows(through_cells, real.works),
            "sketch": Windows(tokens_to_pieces(SKETCH.draw(n, seed=0)), NO_WORK - np.arange(n)),
        }


class PhraseRecipe(GANRecipe):
    """Four bars for four voices: the one-bar generator goes on, before a discriminator that reads four bars."""

    name = "gan-phrases"
    about = "A generative adversarial network wrote these four bars from noise; it had first learnt to write one."
    net = BarGenerator
    n_bars = 4
    config = BarGANConfig(n_bars=4)
    adversarial = AdversarialConfig(steps=800, batch_size=32, generator_rate=3e-4)

    def networks(self) -> tuple[torch.nn.Module, torch.nn.Module]:
        """The shipped one-bar generator, which has the same weights, and a new discriminator."""
        generator, discriminator = super().networks()
        generator.load_state_dict(BAR.load().state_dict())
        return generator, discriminator


class SketchRecipe(GANRecipe):
    """The pair of most tutorials, repaired."""

    name = "gan-sketch"
    about = "The generator of most tutorials, two layers and 784 cells, made this bar."
    net = SketchGenerator
    config = SketchConfig()
    adversarial = AdversarialConfig(
        steps=3000, generator_rate=2e-4, discriminator_rate=2e-4, slope_penalty=0.0, average=0.0
    )

    def table(self) -> np.ndarray:
        """Training bars of 784 cells."""
        return windows_to_cells(chorale_windows("train").pieces)

    def networks(self) -> tuple[torch.nn.Module, torch.nn.Module]:
        """Two layers each."""
        return SketchGenerator(self.config), SketchDiscriminator(self.config)

    @torch.no_grad()
    def draw(self, n: int, seed: int, net: Any = None) -> Int[np.ndarray, "n T 4"]:
        """Cells above one half, read as four voices."""
        cells = (net or self.load_once()).draw(n, torch.Generator().manual_seed(seed))
        return cells_to_tokens((cells > 0.5).numpy())


BAR, PHRASES, SKETCH = BarRecipe(), PhraseRecipe(), SketchRecipe()
