"""Small recurrent nets that say how fluently a melody speaks a style; a measure, never a critic.

They read a melody note by note, as intervals and ratios of durations, and know neither key nor tempo.
Axes: B melodies, T = notes - 1, V = 25 symbols, D hidden units. Taught in notebooks/05_style_transfer.ipynb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES
from musegen_lib.models.style.evaluation.ngram_classifier import ratio_symbols
from musegen_lib.models.style.trigram import N_STEPS, interval_symbols

START = N_STEPS  # read before the first interval


@dataclass(frozen=True)
class StyleFluencyConfig:
    """Sizes of a StyleFluency."""

    hidden_dim: int = 80  # D, for each style
    interval_dim: int = 32
    ratio_dim: int = 16
    dropout: float = 0.4


@dataclass(frozen=True)
class StepBatch:
    """Steps from note to note of melodies side by side, padded at the end."""

    intervals: Int[Tensor, "B T"]
    ratios: Int[Tensor, "B T"]
    styles: Int[Tensor, "B"]  # numbers of STYLES
    mask: Bool[Tensor, "B T"]  # True = a real step


class Steps(nn.Module):
    """p(steps) = product of p(ratio | before) p(interval | before, this ratio), in one style."""

    def __init__(self, config: StyleFluencyConfig):
        super().__init__()
        width = config.interval_dim + config.ratio_dim
        self.interval = nn.Embedding(N_STEPS + 1, config.interval_dim)
        self.ratio = nn.Embedding(N_STEPS + 1, config.ratio_dim)
        self.gru = nn.GRU(width, config.hidden_dim, batch_first=True)
        self.ratio_head = nn.Linear(config.hidden_dim, N_STEPS)
        self.interval_head = nn.Linear(config.hidden_dim + width, N_STEPS)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, intervals: Int[Tensor, "B T"], ratios: Int[Tensor, "B T"]
    ) -> tuple[Float[Tensor, "B T V"], Float[Tensor, "B T V"]]:
        """Return logits of intervals and of ratios; at t both have read the steps before, intervals this ratio too."""
        before = self.interval(F.pad(intervals, (1, -1), value=START))  # (B, T, E)
        earlier = self.ratio(F.pad(ratios, (1, -1), value=START))
        hidden, _ = self.gru(self.dropout(torch.cat([before, earlier], dim=-1)))  # (B, T, D)
        hidden = self.dropout(hidden)
        return self.interval_head(torch.cat([hidden, self.ratio(ratios), before], dim=-1)), self.ratio_head(hidden)


class StyleFluency(nn.Module):
    """A net of its own for each style: none learns from the other's tunes what they would do next."""

    def __init__(self, config: StyleFluencyConfig):
        super().__init__()
        self.config = config
        self.nets = nn.ModuleList(Steps(config) for _ in STYLES)

    def forward(self, batch: StepBatch) -> tuple[Float[Tensor, "B T V"], Float[Tensor, "B T V"]]:
        """Return logits of intervals and of ratios, each melody read by the net of its style."""
        size = (*batch.intervals.shape, N_STEPS)
        found = batch.mask.new_zeros(size, dtype=torch.float32), batch.mask.new_zeros(size, dtype=torch.float32)
        for style, net in enumerate(self.nets):
            rows = torch.nonzero(batch.styles == style)[:, 0]
            if len(rows):
                logits = net(batch.intervals[rows], batch.ratios[rows])
                found = tuple(old.index_copy(0, rows, new) for old, new in zip(found, logits, strict=True))
        return found

    def surprise(self, batch: StepBatch) -> tuple[Float[Tensor, "B T"], Float[Tensor, "B T"]]:
        """Nats of each interval and of each ratio; 0 where the batch is padded."""
        wanted = (batch.intervals, batch.ratios)
        found = [
            F.cross_entropy(logits.transpose(1, 2), symbols, reduction="none") * batch.mask
            for logits, symbols in zip(self(batch), wanted, strict=True)
        ]
        return found[0], found[1]

    def loss(self, batch: StepBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats a step, interval and ratio together, and how many steps that is the mean of."""
        intervals, ratios = self.surprise(batch)
        n = batch.mask.sum()
        return (intervals.sum() + ratios.sum()) / n, {"weight": float(n)}

    @torch.no_grad()
    def nats(self, pieces: Sequence[Piece], style: str) -> Float[np.ndarray, "steps 2"]:
        """Surprise at each step of all pieces: at the interval, and at the ratio of durations."""
        self.eval()
        found = [np.zeros((0, 2))]
        for piece in (piece for piece in pieces if len(piece) > 1):
            columns = self.surprise(pieces_to_batch([piece], [STYLES.index(style)]))
            found.append(torch.stack(columns, dim=-1)[0].double().numpy())
        return np.concatenate(found)


def pieces_to_batch(pieces: Sequence[Piece], styles: Sequence[int], longest: int | None = None) -> StepBatch:
    """Lay melodies side by side, each cut to its first `longest` steps.

    Raises:
        ValueError: no melody has two notes.
    """
    lines = [(interval_symbols(piece)[:longest], ratio_symbols(piece)[:longest]) for piece in pieces]
    size = (len(lines), max((len(intervals) for intervals, _ in lines), default=0))
    if not size[1]:
        raise ValueError(f"{len(pieces)} pieces hold no melody of two notes or more")
    table, mask = np.zeros((2, *size), dtype=np.int64), np.zeros(size, dtype=bool)
    for row, (intervals, ratios) in enumerate(lines):
        table[0, row, : len(intervals)], table[1, row, : len(ratios)] = intervals, ratios
        mask[row, : len(intervals)] = True
    columns = (torch.from_numpy(column) for column in (table[0], table[1], np.array(styles), mask))
    return StepBatch(*columns)


@dataclass(frozen=True)
class StepBatches:
    """Batches for training: half of each style, so many notes from anywhere in a tune; step and seed decide which."""

    pieces: tuple[Sequence[Piece], ...]  # of each style
    size: int = 32
    longest: int = 64  # notes
    seed: int = 0

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> StepBatch:
        """Return this process's share of the batch of a step."""
        rng = np.random.default_rng([self.seed, step, rank])
        found, styles = [], []
        for style, tunes in enumerate(self.pieces):
            for number in rng.integers(len(tunes), size=self.size // (2 * world_size)):
                piece = tunes[int(number)]
                first = int(rng.integers(max(1, len(piece) - self.longest + 1)))
                found.append(piece.replace(notes=piece.notes[first : first + self.longest]))
                styles.append(style)
        return pieces_to_batch(found, styles)
