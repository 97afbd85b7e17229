"""Chorales side by side, as the nets of lesson 4 train on them: padded batches, shuffled and transposed by the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from musegen_lib.encodings.chorale_phrases import at_home, phrase_countdown
from musegen_lib.encodings.chorale_steps import (
    END,
    N_VOICES,
    REST,
    ChoraleSteps,
    beats_left,
    tokens_to_grid,
    transpose_range,
    transpose_steps,
)

TOLD = {
    "nothing": 0.2,
    "length": 0.1,
    "plan": 0.3,
    "soprano": 0.4,
}  # what pieces are told, each more; share in training
KINDS = list(TOLD)
BATCH_STEPS = 3_000  # of a batch, about: few of the long pieces


@dataclass(frozen=True)
class ChoraleBatch:
    """Pieces side by side, each closed by END; 0 in time_left (beats) and phrases (counts) where they are not told."""

    tokens: Int[Tensor, "B T 4"]
    grid: Int[Tensor, "B T 4"]  # +pitch struck, -pitch held, 0 silent
    mask: Bool[Tensor, "B T"]  # True = a step of the piece or its END
    places: Int[Tensor, "B T"]
    time_left: Int[Tensor, "B T"]
    phrases: Int[Tensor, "B T"]
    told: Int[Tensor, "B"]  # numbers of keys of TOLD
    tonics: Int[Tensor, "B"]
    modes: Int[Tensor, "B"]

    @property
    def n_cells(self) -> int:
        """Steps times voices, END not counted: what nats a cell are divided by."""
        return int((self.mask.sum() - len(self.mask)) * N_VOICES)

    @property
    def sees_soprano(self) -> Bool[Tensor, "B"]:
        """True where the whole soprano is known from the start."""
        return self.told == KINDS.index("soprano")

    @property
    def scored(self) -> Bool[Tensor, "B T 4"]:
        """True where a token is to be guessed: of an END the soprano's alone, of a soprano that is known none."""
        lower = torch.arange(N_VOICES, device=self.mask.device) > 0
        ends = self.tokens[:, :, :1] == END
        return self.mask.unsqueeze(2) & torch.where(lower, ~ends, ~self.sees_soprano.view(-1, 1, 1))


def collate_steps(pieces: Sequence[ChoraleSteps], told: Sequence[str] | None = None) -> ChoraleBatch:
    """Batch pieces.

    Args:
        told: for each piece a key of TOLD, by default "nothing": "length" tells the beats that are left, "plan" the
            ends of the phrases as well, "soprano" besides these all that the soprano will sing.
    """
    told = told if told is not None else ["nothing"] * len(pieces)
    lengths = [len(piece.tokens) for piece in pieces]
    shape = len(pieces), max(lengths) + 1
    tokens, mask = np.full((*shape, N_VOICES), REST), np.zeros(shape, dtype=bool)
    grid = np.zeros_like(tokens)
    places, left, phrases = np.zeros((3, *shape), dtype=np.int64)
    for row, (piece, n_steps, tell) in enumerate(zip(pieces, lengths, told)):
        tokens[row, :n_steps], tokens[row, n_steps, 0] = piece.tokens, END
        grid[row, :n_steps] = tokens_to_grid(piece.tokens)
        mask[row, : n_steps + 1], places[row, : n_steps + 1] = True, piece.places
        if tell != "nothing":
            left[row, : n_steps + 1] = beats_left(np.arange(n_steps + 1), n_steps)
        if tell in ("plan", "soprano"):
            phrases[row, : n_steps + 1] = phrase_countdown(piece.ends, n_steps + 1)
    kinds = [KINDS.index(tell) for tell in told]
    labels = [[piece.tonic for piece in pieces], [piece.mode for piece in pieces]]
    return ChoraleBatch(*map(torch.as_tensor, (tokens, grid, mask, places, left, phrases, kinds, *labels)))


class ChoraleBatches:
    """Batches of like length, in keys drawn at random; batch k depends on the seed and on k alone."""

    def __init__(self, pieces: Sequence[ChoraleSteps], size: int, seed: int):
        self.pieces = sorted(pieces, key=lambda piece: len(piece.tokens))
        self.ranges = [transpose_range(piece) for piece in self.pieces]
        self.size, self.seed = size, seed

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> ChoraleBatch:
        """Draw a run of neighbours in length, each moved and told more or less at random."""
        rng = np.random.default_rng([self.seed, step])
        start = int(rng.integers(1 - self.size // 2, len(self.pieces) - self.size // 2))
        rows = range(max(0, start), min(len(self.pieces), start + self.size))
        rows = rows[: max(1, BATCH_STEPS // len(self.pieces[rows[0]].tokens))]
        moves = [int(rng.integers(*self.ranges[i], endpoint=True)) for i in rows]
        told = rng.choice(KINDS, len(rows), p=list(TOLD.values())).tolist()
        drawn = [(transpose_steps(self.pieces[i], by), tell) for i, by, tell in zip(rows, moves, told)]
        drawn = drawn[rank::world_size] or drawn[:1]
        return collate_steps([at_home(p) if tell == "plan" else p for p, tell in drawn], [tell for _, tell in drawn])
