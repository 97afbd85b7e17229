"""A recurrent net that writes a melody's intervals in a style, over a given rhythm. Taught in 05_style_transfer.ipynb.

Axes as in `melody_lines`; D hidden units. One net holds all styles: asked twice, once for each, it says of every note
how much more one style would write it than the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from musegen_lib.encodings.melody_lines import N_INTERVALS, N_LEFT, N_LINE_DURATIONS, N_PLACES, N_STYLES, REGISTER
from musegen_lib.models.style.batches import LineBatch

State = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class StyleRNNConfig:
    """Sizes of a StyleRNN."""

    hidden_dim: int = 160  # D
    interval_dim: int = 48
    register_dim: int = 32
    rhythm_dim: int = 12  # of each of three features of two notes
    style_dim: int = 24
    dropout: float = 0.3


class StyleRNN(nn.Module):
    """p(intervals | rhythm, style) = product of p(interval | intervals before, rhythm, style)."""

    def __init__(self, config: StyleRNNConfig):
        super().__init__()
        self.config = config
        self.interval = nn.Embedding(N_INTERVALS + 1, config.interval_dim)
        self.register = nn.Embedding(2 * REGISTER + 1, config.register_dim)
        self.rhythm = nn.ModuleList(nn.Embedding(n, config.rhythm_dim) for n in (N_LINE_DURATIONS, N_PLACES, N_LEFT))
        self.style = nn.Embedding(N_STYLES, config.style_dim)
        width = config.interval_dim + config.register_dim + 6 * config.rhythm_dim + config.style_dim
        self.lstm = nn.LSTM(width, config.hidden_dim, batch_first=True)
        self.head = nn.Linear(config.hidden_dim + config.interval_dim, N_INTERVALS)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, batch: LineBatch) -> Float[Tensor, "B M V"]:
        """Return logits; logits[:, m] scores interval m having read the intervals before it and all rhythm."""
        return self.steps(batch, None)[0]

    def steps(self, batch: LineBatch, state: State | None) -> tuple[Float[Tensor, "B M V"], State]:
        """Go on from a state: logits of the next intervals, and the state after them."""
        return self.run(self.read(batch), batch, state)

    def read(self, batch: LineBatch) -> Float[Tensor, "B M W"]:
        """What the LSTM is told before each interval: interval and height before it, rhythm, style."""
        before = self.interval(batch.before)  # (B, M, E)
        columns = (batch.durations, batch.places, batch.left)
        rhythm = [table(column) for table, column in zip(self.rhythm, columns, strict=True)]  # (B, N, R) each
        style = self.style(batch.styles)[:, None].expand(-1, before.shape[1], -1)
        near = [part for table in rhythm for part in (table[:, :-1], table[:, 1:])]
        return torch.cat([before, self.register(batch.register), *near, style], dim=-1)

    def run(
        self, inputs: Float[Tensor, "B M W"], batch: LineBatch, state: State | None
    ) -> tuple[Float[Tensor, "B M V"], State]:
        """Logits of the intervals after these inputs, and the state after them."""
        hidden, state = self.lstm(self.dropout(inputs), state)  # (B, M, D)
        return self.head(torch.cat([self.dropout(hidden), self.interval(batch.before)], dim=-1)), state

    def log_prob(self, batch: LineBatch) -> Float[Tensor, "B"]:
        """Log-probability of each line's intervals, in nats."""
        nll = F.cross_entropy(self(batch).transpose(1, 2), batch.intervals, reduction="none")  # (B, M)
        return -(nll * batch.mask).sum(dim=1)

    def loss(self, batch: LineBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats an interval, and how many intervals that is the mean of."""
        n = batch.mask.sum()
        return -self.log_prob(batch).sum() / n, {"weight": float(n)}
