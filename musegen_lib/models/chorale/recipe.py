"""Recipes of lesson 4: `rnn-chorales` writes four-voice chorales, `harmoniser` fills voices in below a melody."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import CHORALE_TERMS, load_chorales
from musegen_lib.encodings.chorale_phrases import Ends, ends_of_notes
from musegen_lib.encodings.chorale_steps import CHORALE_MODES, ChoraleSteps, piece_to_steps, steps_to_piece
from musegen_lib.metrics.likelihood import ratio_estimate
from musegen_lib.metrics.reference import shuffle_chords
from musegen_lib.metrics.voice_leading import voice_leading
from musegen_lib.models.chorale.batches import ChoraleBatch, ChoraleBatches, collate_steps
from musegen_lib.models.chorale.faults import keep_best
from musegen_lib.models.chorale.infill import ChoraleInfill, InfillConfig
from musegen_lib.models.chorale.practice import PRACTICE_SEEDS, practise
from musegen_lib.models.chorale.rnn import ChoraleConfig, ChoraleRNN
from musegen_lib.models.chorale.sampling import ChoraleRequest, harmonise_steps, sample_chorales
from musegen_lib.training import loop as training
from musegen_lib.training.pretrained import ShippedNet

TEMPO = 80.0
ASKED = ("metre", "key", "bars", "temperature")  # what a command can ask for
KEYS = ("G major", "A minor", "D major", "F major", "E minor", "Bb major", "D minor", "A major", "C major", "G minor")


@lru_cache(maxsize=6)
def chorale_steps(part: str, split: str = "tune") -> list[ChoraleSteps]:
    """The chorales of a part of a split, encoded, with the ends of their phrases."""
    corpus = load_chorales(split, part)
    return [
        replace(piece_to_steps(piece), ends=marked_phrases(piece, corpus.marks(i))) for i, piece in enumerate(corpus)
    ]


def marked_phrases(piece: Piece, marks: np.ndarray) -> Ends:
    """Phrase ends of a chorale: the notes of its soprano that have a fermata, by one bool a note of the piece."""
    soprano = piece.notes["voice"] == 0
    return ends_of_notes(piece.replace(notes=piece.notes[soprano]), marks[soprano])


def chorales_in_batches(pieces: list[ChoraleSteps], told: str = "nothing", size: int = 12) -> list[ChoraleBatch]:
    """Batch pieces of like length, in a fixed order."""
    ordered = sorted(pieces, key=lambda piece: len(piece.tokens))
    parts = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    return [collate_steps(part, [told] * len(part)) for part in parts]


@torch.no_grad()
def chorale_nll(model: ChoraleRNN, pieces: list[ChoraleSteps]) -> np.ndarray:
    """(N,) nats of each piece; the net is not told how long it is."""
    model.eval()
    return np.array([float(model.cell_nll(collate_steps([piece])).sum()) for piece in pieces])


class ChoraleNet(ShippedNet):
    """A net trained on the chorales: what the two recipes share."""

    about: str
    batch_size = 12

    def train(
        self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None, split: str = "tune"
    ) -> dict[str, Any]:
        """Train for 8 minutes, or for `minutes`, or for a number of steps; the best of the validations is kept."""
        pieces, valid = chorale_steps("train", split), self.valid_batches(split)
        batches = ChoraleBatches(pieces, self.batch_size, seed)
        model, run = self.fitted(batches, valid, out, seed, steps, minutes)
        self.finish(model, pieces, valid, run, seed)
        data = f"Bach chorales, split {split}, part train, {len(pieces)} pieces: {CHORALE_TERMS}"
        return self.save_trained(out, model, run, data, seed, steps, minutes, corpus="chorales")

    def valid_loss(self) -> float:
        """The loss on the validation chorales; what is hidden at random is the same at each call."""
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return training.evaluate(self.load(), self.valid_batches())

    def valid_batches(self, split: str = "tune") -> list[ChoraleBatch]:
        """Validation chorales of which the net is told nothing."""
        return chorales_in_batches(chorale_steps("valid", split))

    def finish(
        self, model: Any, pieces: list[ChoraleSteps], valid: list[ChoraleBatch], run: training.Run, seed: int
    ) -> None:
        """What is learnt after training."""


class ChoraleRecipe(ChoraleNet):
    """The recurrent net that writes chorales."""

    name = "rnn-chorales"
    about = (
        "A recurrent network (GRU) wrote this for four voices, having read 257 Bach chorales sixteenth by sixteenth."
    )
    net = ChoraleRNN
    config = ChoraleConfig()
    training = training.TrainConfig(steps=1_000, learning_rate=3e-3, weight_decay=0.5, validate_every=100, patience=12)

    def valid_batches(self, split: str = "tune") -> list[ChoraleBatch]:
        """Validation chorales twice: nothing told, and the soprano and its phrase ends known."""
        pieces = chorale_steps("valid", split)
        return chorales_in_batches(pieces) + chorales_in_batches(pieces, "soprano")

    def finish(
        self, model: ChoraleRNN, pieces: list[ChoraleSteps], valid: list[ChoraleBatch], run: training.Run, seed: int
    ) -> None:
        """Practise, for as large a share of the steps as were trained; count how long pieces and phrases are."""
        batches = ChoraleBatches(pieces, self.batch_size, PRACTICE_SEEDS + seed)
        practise(model, batches, valid, seed, share=run.step / self.training.steps)
        run.best_loss = training.evaluate(model, valid)
        model.planner.learn(pieces)

    def generate(self, n: int, seed: int, rules: Any = None, draws: int = 1, **controls: Any) -> list[Piece]:
        """Write n chorales, in different keys if none is asked for, each along a plan of its phrases.

        Args:
            draws: chorales drawn along each plan; the one with the fewest faults is kept. 1 is the net's first draw.
        """
        unknown = controls.keys() - ChoraleRequest.__dataclass_fields__.keys()
        if unknown:
            raise MusegenError(f"{', '.join(sorted(unknown))}: chorales are asked for {', '.join(ASKED)}")
        generator = torch.Generator().manual_seed(seed)
        keys = [controls.get("key") or KEYS[number % len(KEYS)] for number in range(n)]
        request = ChoraleRequest(**controls)
        if request.key.split()[-1] not in CHORALE_MODES:
            raise MusegenError(f"key {request.key!r}: chorales are written in {', '.join(CHORALE_MODES)}")
        made = sample_chorales(self.load_once(), n, request, generator, rules, keys, draws=draws)
        source = f"musegen {self.name}, seed {seed}"
        labels = {"source": source, "licence": CHORALE_TERMS, "style": "chorale", "tempo_qpm": TEMPO}
        kept = keep_best([steps_to_piece(steps, **labels) for steps in made], draws, at_home=True)
        return [piece.replace(title=f"{self.name} {i}") for i, piece in enumerate(kept, start=1)]

    def evaluate(self, split: str, path: Path | None = None, by: str = "tune") -> dict[str, Any]:
        """Nats per voice and sixteenth of held-out chorales, and per note; how its voices lead, beside Bach's."""
        pieces, model = chorale_steps(split, by), self.load(path)
        return {
            "model": self.name,
            "split": split,
            "chorales": by,
            **score_chorales(chorale_nll(model, pieces), pieces),
            "voice leading": [{"music": name} | voice_leading(made) for name, made in written(model, pieces).items()],
        }


def written(model: ChoraleRNN, held_out: list[ChoraleSteps], seed: int = 0) -> dict[str, list[Piece]]:
    """As many chorales as are held out: of the net alone, below their sopranos, Bach's, Bach's chords in random order.

    First draws, no rule in the sampler; below a soprano the net is told Bach's phrase ends.
    """
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    keys = [KEYS[number % len(KEYS)] for number in range(len(held_out))]
    free = sample_chorales(model, len(held_out), ChoraleRequest(), generator, keys=keys)
    below = harmonise_steps(model, held_out, ChoraleRequest(), generator)
    bach = list(map(steps_to_piece, held_out))
    return {
        "rnn-chorales, free": list(map(steps_to_piece, free)),
        "rnn-chorales, harmonising": list(map(steps_to_piece, below)),
        "Bach": bach,
        "Bach, chords shuffled": [shuffle_chords(piece, rng) for piece in bach],
    }


def score_chorales(nll: np.ndarray, pieces: list[ChoraleSteps]) -> dict[str, Any]:
    """Nats per voice and sixteenth (the usual "per note" of a grid), per frame of four, per note that is struck."""
    cells = np.array([piece.tokens.size for piece in pieces])
    estimate = ratio_estimate(nll, cells)
    return {
        "pieces": len(pieces),
        "cells": int(cells.sum()),
        "nats_per_note": estimate.mean,
        "standard_error": estimate.standard_error,
        "nats_per_frame": 4 * estimate.mean,
        "nats_per_struck_note": float(nll.sum() / sum((piece.tokens > 1).sum() for piece in pieces)),
    }


class HarmoniserRecipe(ChoraleNet):
    """The net that fills in voices."""

    name = "harmoniser"
    about = "A network that reads both ways filled in the lower voices, drawing them anew many times."
    net = ChoraleInfill
    config = InfillConfig()
    training = training.TrainConfig(
        steps=1_000_000, minutes=8.0, learning_rate=3e-3, weight_decay=0.2, validate_every=100, patience=20
    )


CHORALES, HARMONISER = ChoraleRecipe(), HarmoniserRecipe()
