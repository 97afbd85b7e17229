"""Chorales side by side, as the nets of lesson 4 train on them: padded batches, shuffled and transposed by the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

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


@dataclass(frozen=True)
class ChoraleBatch:
    """Pieces side by side, each closed by END; time_left counts beats, 0 where it is not told."""

    tokens: Int[Tensor, "B T 4"]
    grid: Int[Tensor, "B T 4"]  # +pitch struck, -pitch held, 0 silent
    mask: Bool[Tensor, "B T"]  # True = a step of the piece or its END
    places: Int[Tensor, "B T"]
    time_left: Int[Tensor, "B T"]
    tonics: Int[Tensor, "B"]
    modes: Int[Tensor, "B"]

    @property
    def n_cells(self) -> int:
        """Steps times voices, END not counted: what nats a cell are divided by."""
        return int((self.mask.sum() - len(self.mask)) * N_VOICES)


def collate_steps(pieces: Sequence[ChoraleSteps], told: Sequence[bool] | None = None) -> ChoraleBatch:
    """Batch pieces; those that are told (default: none) read how many beats are left."""
    told = told if told is not None else [False] * len(pieces)
    lengths = [len(piece.tokens) for piece in pieces]
    shape = len(pieces), max(lengths) + 1
    tokens, mask = np.full((*shape, N_VOICES), REST), np.zeros(shape, dtype=bool)
    grid = np.zeros_like(tokens)
    places, left = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for row, (piece, n_steps, tell) in enumerate(zip(pieces, lengths, told)):
        tokens[row, :n_steps], tokens[row, n_steps, 0] = piece.tokens, END
        grid[row, :n_steps] = tokens_to_grid(piece.tokens)
        mask[row, : n_steps + 1], places[row, : n_steps + 1] = True, piece.places
        if tell:
            left[row, : n_steps + 1] = beats_left(np.arange(n_steps + 1), n_steps)
    labels = [[piece.tonic for piece in pieces], [piece.mode for piece in pieces]]
    return ChoraleBatch(*map(torch.as_tensor, (tokens, grid, mask, places, left, *labels)))


class ChoraleBatches:
    """Batches of like length, in keys drawn at random; batch k depends on the seed and on k alone."""

    def __init__(self, pieces: Sequence[ChoraleSteps], size: int, seed: int):
        self.pieces = sorted(pieces, key=lambda piece: len(piece.tokens))
        self.ranges = [transpose_range(piece) for piece in self.pieces]
        self.size, self.seed = size, seed

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> ChoraleBatch:
        """Draw a run of neighbours in length, each moved and told or not at random."""
        rng = np.random.default_rng([self.seed, step])
        start = int(rng.integers(1 - self.size // 2, len(self.pieces) - self.size // 2))
        rows = range(max(0, start), min(len(self.pieces), start + self.size))
        drawn = [(self.pieces[i], int(rng.integers(*self.ranges[i], endpoint=True)), rng.random() < 0.5) for i in rows]
        drawn = drawn[rank::world_size] or drawn[:1]
        return collate_steps([transpose_steps(piece, by) for piece, by, _ in drawn], [told for *_, told in drawn])
