"""Real bars for the nets of lessons 02 and 02b: four voices as tokens, one to a few bars long, and bars of 784 cells.

Axes: N bars or windows, T steps, 4 voices from soprano to bass. Tokens are HOLD, REST or a pitch, as in
`encodings.chorale_steps`, without END. Every window is moved to the white keys (C major, or A minor), so that a small
net need not learn every key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import windows as cut_windows
from musegen_lib.encodings.arrays import BAR_STEPS, grid_to_piece, piece_to_bars
from musegen_lib.encodings.chorale_steps import (
    FIRST_PITCH,
    HIGH,
    LOW,
    REST,
    ChoraleSteps,
    piece_to_steps,
    tokens_to_grid,
    transpose_steps,
)
from musegen_lib.encodings.melody_events import NO_TONIC
from musegen_lib.models.gan.interval_features import N_BAR_TOKENS

A_MINOR = 9  # pitch class of the tonic whose minor scale is the white keys


def bar_windows(pieces: Iterable[Piece], n_bars: int = 1) -> tuple[list[Piece], Int[np.ndarray, "N"]]:
    """Cut pieces of 16 steps a bar into windows that begin on each bar line; what is not full is left out.

    Returns:
        the windows, and the number of the piece that each comes from.
    """
    found, numbers = [], []
    for number, piece in enumerate(pieces):
        if piece.steps_per_bar == BAR_STEPS:
            found += cut_windows([piece], n_bars, hop_bars=1)
            numbers += [number] * (len(found) - len(numbers))
    return found, np.array(numbers, dtype=np.int64)


def windows_to_tokens(windows: Sequence[Piece], n_bars: int = 1) -> Int[np.ndarray, "N T 4"]:
    """Encode windows, each moved to the white keys by its piece's key; a window that ends early ends in rests."""
    rows = []
    for window in windows:
        tokens = to_white_keys(piece_to_steps(window)).tokens
        rows.append(np.pad(tokens, ((0, n_bars * BAR_STEPS - len(tokens)), (0, 0)), constant_values=REST))
    return np.array(rows).reshape(-1, n_bars * BAR_STEPS, 4)


def sounding_pitches(windows: Sequence[Piece]) -> Int[np.ndarray, "N 16 4"]:
    """The pitch that sounds on each sixteenth of one-bar windows on the white keys; 0 for none."""
    return np.abs([tokens_to_grid(bar) for bar in windows_to_tokens(windows)])


def to_white_keys(steps: ChoraleSteps) -> ChoraleSteps:
    """Transpose by at most 6 semitones to tonic C, or A in minor; by octaves less if a voice would leave the table."""
    if steps.tonic == NO_TONIC:
        return steps
    target = 0 if steps.mode == 0 else A_MINOR
    by = (target - steps.tonic + 6) % 12 - 6
    pitches = steps.tokens[steps.tokens >= FIRST_PITCH] - FIRST_PITCH + LOW + by
    if len(pitches):
        by += 12 * int(pitches.min() < LOW) - 12 * int(pitches.max() > HIGH)
    return transpose_steps(steps, by)


def one_hot(tokens: Int[np.ndarray, "N T 4"]) -> Float[Tensor, "N T 4 K"]:
    """Write tokens the way a BarGenerator does."""
    return F.one_hot(torch.as_tensor(tokens), N_BAR_TOKENS).float()


def tokens_to_pieces(tokens: Int[np.ndarray, "N T 4"], **labels: Any) -> list[Piece]:
    """Decode windows."""
    return [grid_to_piece(tokens_to_grid(row), **{"metre": "4/4"} | labels) for row in tokens]


def windows_to_cells(windows: Sequence[Piece]) -> Bool[np.ndarray, "N 784"]:
    """Encode windows of one bar as 16 x 49 cells."""
    return np.concatenate([piece_to_bars(window)[:1] for window in windows])


class BarBatches:
    """Rows of a table drawn with replacement; batch k depends on the seed and on k alone."""

    def __init__(self, table: np.ndarray, size: int, seed: int = 0):
        self.table, self.size, self.seed = table, size, seed

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> Tensor:
        """Draw `size` rows: tokens one-hot, cells as 0 and 1."""
        rows = np.random.default_rng([self.seed, step]).integers(len(self.table), size=self.size)[rank::world_size]
        chosen = self.table[rows]
        return one_hot(chosen) if chosen.ndim == 3 else torch.as_tensor(chosen).float()
