"""A plain recurrent language model of melodies: nothing but memory. Studied in notebooks/04_rnn.ipynb.

Axes: B tunes, T events, D model width. Unlike models/rnn.py it is told no plan and cannot look back by whole bars: what
it knows of the past went through its state. So its cells (tanh RNN, GRU, LSTM) can be compared, and its memory cut off.
Source: tanh RNN of Elman 1990; GRU of Cho et al. 2014, arXiv:1406.1078; LSTM of Hochreiter and Schmidhuber 1997.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from musegen_lib.encodings.melody_events import N_DURATIONS, N_PITCH_IDS, STYLES
from musegen_lib.models.melody.batches import N_BAR_PLACES, MelodyBatch, bar_places
from musegen_lib.models.melody.rnn import CELLS

__all__ = ["CELLS", "MelodyLM", "MelodyLMConfig"]


@dataclass(frozen=True)
class MelodyLMConfig:
    """Sizes of a MelodyLM."""

    cell: str = "lstm"  # or "gru" or "rnn"
    hidden_dim: int = 128  # D
    embedding_dim: int = 48
    dropout: float = 0.1
    memories: tuple[int, ...] = ()  # lengths to which training cuts the memory at times, one drawn a batch; (): never


class MelodyLM(nn.Module):
    """p(tune) = product over events of p(pitch | events before) p(duration | this pitch, events before)."""

    def __init__(self, config: MelodyLMConfig):
        super().__init__()
        self.config = config
        width = config.embedding_dim
        self.pitch = nn.Embedding(N_PITCH_IDS + 1, width)
        self.duration = nn.Embedding(N_DURATIONS, width)
        self.style = nn.Embedding(len(STYLES), width)
        self.in_bar = nn.Embedding(N_BAR_PLACES, width)
        self.cell = CELLS[config.cell](width, config.hidden_dim, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.pitch_head = nn.Linear(config.hidden_dim, N_PITCH_IDS)
        self.duration_head = nn.Linear(config.hidden_dim + width, N_DURATIONS)

    def read(self, batch: MelodyBatch) -> Float[Tensor, "B T E"]:
        """Embed, for each event, the event before it, its place in the bar, and the style."""
        pitch_ids, durations = batch.before()
        place = self.in_bar(bar_places(batch.onsets, batch.metres))
        return self.dropout(
            self.pitch(pitch_ids) + self.duration(durations) + place + self.style(batch.styles)[:, None]
        )

    def forward(self, batch: MelodyBatch, memory: int | None = None) -> tuple[Tensor, Tensor]:
        """Return pitch logits (B, T, 44) and duration logits (B, T, 65); those at t have read the events before t.

        Args:
            memory: how many inputs the state may go back; None: all. With 1, each step starts from an empty state.
        """
        hidden = self.dropout(self.states(self.read(batch), memory))
        with_pitch = torch.cat([hidden, self.pitch(batch.pitch_ids)], dim=-1)
        return self.pitch_head(hidden), self.duration_head(with_pitch)

    def states(self, x: Float[Tensor, "B T E"], memory: int | None) -> Float[Tensor, "B T D"]:
        """State at every step; in training blocks of `memory` inputs stand for windows, which cost far more."""
        if memory is None or memory >= x.shape[1]:
            return self.cell(x)[0]
        return self.blocks(x, memory) if self.training else self.last_of_windows(x, memory)

    def blocks(self, x: Float[Tensor, "B T E"], memory: int) -> Float[Tensor, "B T D"]:
        """State at every step if it is emptied before steps 0, memory, 2 memory, ..."""
        n_steps = x.shape[1]
        cut = F.pad(x, (0, 0, 0, -n_steps % memory)).unflatten(1, (-1, memory))  # (B, blocks, memory, E)
        hidden = self.cell(cut.flatten(0, 1))[0]
        return hidden.unflatten(0, cut.shape[:2]).flatten(1, 2)[:, :n_steps]

    def last_of_windows(self, x: Float[Tensor, "B T E"], memory: int) -> Float[Tensor, "B T D"]:
        """State after reading the last `memory` inputs alone, for every step."""
        n_steps = x.shape[1]
        windows = F.pad(x, (0, 0, memory - 1, 0)).unfold(1, memory, 1).transpose(2, 3)  # (B, T, memory, E)
        hidden = self.cell(windows.flatten(0, 1))[0].unflatten(0, (len(x), n_steps))  # (B, T, memory, D)
        first = min(memory, n_steps)
        start = self.cell(x[:, :first])[0]  # the first steps have fewer inputs than that
        return torch.cat([start, hidden[:, first:, -1]], dim=1)

    def event_nll(self, batch: MelodyBatch, memory: int | None = None) -> Float[Tensor, "B T"]:
        """Negative log-likelihood of each event in nats; 0 where mask is False."""
        return batch.event_nll(*self(batch, memory))

    def loss(self, batch: MelodyBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats per note over the batch, and `weight`, the notes it is the mean of."""
        nll = self.event_nll(batch, self._drawn_memory() if self.training else None)
        return nll.sum() / batch.n_notes, {"weight": float(batch.n_notes)}

    def _drawn_memory(self) -> int | None:
        choices = (None, *self.config.memories)
        return choices[int(torch.randint(len(choices), ()))] if self.config.memories else None
