"""Recurrent language model of melodies. Heard in notebooks/00_first_music.ipynb, taught in notebooks/04_rnn.ipynb.

Axes: B tunes, T events, D model width. Each step reads one event (pitch, duration), where the next event falls in its
bar and phrase, and the tune's style and metre; it scores the next pitch, then, knowing that pitch, its duration.
It may also be told how many bars are left, so that it can lead a tune to its end. In training half of the tunes come
without that; likelihoods are always computed without it, since it would give away where the tune ends.
Source: the two-stage note of Mozer 1994 (pitch and duration heads) on the LSTM of Hochreiter and Schmidhuber 1997.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musegen_lib.events import (
    BAR_STEPS,
    END_ID,
    FIRST_PITCH_ID,
    METRES,
    N_DURATIONS,
    N_PITCH_IDS,
    STYLES,
    MelodyEvents,
    MelodyRequest,
    sample_melodies,
)

START_ID = N_PITCH_IDS  # read before the first event
BARS_A_PHRASE = 8
MAX_BARS_LEFT = 32  # more count as this many; 0 means not told
IN_BAR = max(BAR_STEPS)
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


@dataclass(frozen=True)
class MelodyBatch:
    """Tunes side by side, padded at the end; row by row as in `MelodyEvents`."""

    pitch_ids: Int[Tensor, "B T"]
    durations: Int[Tensor, "B T"]
    onsets: Int[Tensor, "B T"]  # steps from the bar line before the first note
    styles: Int[Tensor, "B"]
    metres: Int[Tensor, "B"]
    bars_left: Int[Tensor, "B T"]  # 0 = not told
    mask: Bool[Tensor, "B T"]  # True = real event, END included

    @property
    def n_notes(self) -> Int[Tensor, ""]:
        """Events that sound."""
        return ((self.pitch_ids >= FIRST_PITCH_ID) & self.mask).sum()


def collate(
    tunes: Sequence[MelodyEvents], shifts: Sequence[int] | None = None, told: Sequence[bool] | None = None
) -> MelodyBatch:
    """Stack tunes into a batch, each transposed by its own number of semitones, and told or not how long it is."""
    shape = len(tunes), max(len(tune.pitch_ids) for tune in tunes)
    pitch_ids, durations, onsets, bars_left = (torch.zeros(shape, dtype=torch.long) for _ in range(4))
    mask = torch.zeros(shape, dtype=torch.bool)
    unmoved, untold = [0] * len(tunes), [False] * len(tunes)
    for row, (tune, shift, tell) in enumerate(zip(tunes, shifts or unmoved, told or untold)):
        length = len(tune.pitch_ids)
        ids = torch.from_numpy(tune.pitch_ids)
        pitch_ids[row, :length] = torch.where(ids >= FIRST_PITCH_ID, ids + shift, ids)
        durations[row, :length] = torch.from_numpy(tune.durations)
        onsets[row, :length] = torch.from_numpy(tune.onsets)
        if tell:
            bars_left[row, :length] = count_bars_left(onsets[row, :length], int(tune.onsets[-1]), tune.metre)
        mask[row, :length] = True
    styles, metres = (torch.tensor([getattr(tune, name) for tune in tunes]) for name in ("style", "metre"))
    return MelodyBatch(pitch_ids, durations, onsets, styles, metres, bars_left, mask)


def count_bars_left(onsets: Int[Tensor, "..."], end: int, metre: int) -> Int[Tensor, "..."]:
    """1 at the end, 2 in the last bar, 3 in the one before, and so on; at most MAX_BARS_LEFT."""
    return (1 - (onsets - end) // BAR_STEPS[metre]).clamp(1, MAX_BARS_LEFT)


class MelodyBatches:
    """Batches of tunes of like length for `training.fit`, freshly shuffled each epoch, transposed at random.

    Args:
        max_shift: semitones a tune may move up or down, as far as the pitch range allows.
    Raises:
        ValueError: there are too few tunes for one batch.
    """

    def __init__(self, tunes: Sequence[MelodyEvents], batch_size: int, seed: int, max_shift: int = 5):
        self.tunes = sorted(tunes, key=lambda tune: len(tune.pitch_ids))
        self.batch_size, self.seed, self.max_shift = batch_size, seed, max_shift
        self.per_epoch = len(self.tunes) // batch_size
        if not self.per_epoch:
            raise ValueError(f"{len(self.tunes)} tunes do not fill a batch of {batch_size}; choose a smaller batch")

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> MelodyBatch:
        """Return this process's share of the batch of a step; the same one each time."""
        if world_size > self.batch_size:
            raise ValueError(f"{world_size} processes cannot share a batch of {self.batch_size}; use fewer processes")
        epoch, index = divmod(step, self.per_epoch)
        order = np.random.default_rng((self.seed, epoch))
        offset = int(order.integers(len(self.tunes) - self.per_epoch * self.batch_size + 1))
        start = offset + int(order.permutation(self.per_epoch)[index]) * self.batch_size
        chosen = self.tunes[start : start + self.batch_size]
        rng = np.random.default_rng((self.seed, epoch, index))
        shifts = [self._shift(tune, rng) for tune in chosen]
        told = (rng.random(len(chosen)) < 0.5).tolist()
        return collate(*(rows[rank::world_size] for rows in (chosen, shifts, told)))

    def _shift(self, tune: MelodyEvents, rng: np.random.Generator) -> int:
        pitches = tune.pitch_ids[tune.pitch_ids >= FIRST_PITCH_ID]
        low = max(-self.max_shift, FIRST_PITCH_ID - int(pitches.min()))
        high = min(self.max_shift, N_PITCH_IDS - 1 - int(pitches.max()))
        return int(rng.integers(low, high + 1))


@dataclass(frozen=True)
class MelodyRNNConfig:
    """Sizes of a MelodyRNN."""

    cell: str = "lstm"  # or "gru" or "rnn"
    hidden_dim: int = 384  # D
    n_layers: int = 1
    embedding_dim: int = 96
    dropout: float = 0.2

    def __post_init__(self) -> None:
        sizes = self.hidden_dim, self.n_layers, self.embedding_dim
        if self.cell not in CELLS or min(sizes) < 1 or not 0 <= self.dropout < 1:
            raise ValueError(f"{self}: needs a cell of {', '.join(CELLS)}, sizes of at least 1, a dropout in [0, 1)")


class MelodyRNN(nn.Module):
    """p(tune) = product over events of p(pitch | all events before) p(duration | this pitch, all events before)."""

    def __init__(self, config: MelodyRNNConfig):
        super().__init__()
        self.config = config
        width = config.embedding_dim
        self.pitch = nn.Embedding(N_PITCH_IDS + 1, width)
        self.duration = nn.Embedding(N_DURATIONS, width)
        self.place = nn.Embedding(len(METRES) * IN_BAR, width)  # where in the bar of this metre
        self.bar = nn.Embedding(BARS_A_PHRASE, width)
        self.bars_left = nn.Embedding(MAX_BARS_LEFT + 1, width)
        self.style = nn.Embedding(len(STYLES), width)
        inner = config.dropout if config.n_layers > 1 else 0.0
        self.cell = CELLS[config.cell](width, config.hidden_dim, config.n_layers, batch_first=True, dropout=inner)
        self.dropout = nn.Dropout(config.dropout)
        self.pitch_head = nn.Linear(config.hidden_dim + width, N_PITCH_IDS)
        self.duration_head = nn.Sequential(
            nn.Linear(config.hidden_dim + 2 * width, 2 * width), nn.ReLU(), nn.Linear(2 * width, N_DURATIONS)
        )

    def read(self, pitch_ids: Tensor, durations: Tensor, place: Tensor, styles: Tensor) -> Float[Tensor, "B T D"]:
        """Embed the event before each step together with the place of the step's own event."""
        event = self.pitch(pitch_ids) + self.duration(durations) + self.style(styles).unsqueeze(1)
        return self.dropout(event + place)

    def places(self, onsets: Tensor, metres: Tensor, bars_left: Tensor) -> Float[Tensor, "B T D"]:
        """Embed where in the bar each event starts, in which bar of eight, and how many bars before the end."""
        bar_steps = torch.tensor(BAR_STEPS, device=onsets.device)[metres].unsqueeze(1)  # (B, 1)
        in_bar = metres.unsqueeze(1) * IN_BAR + onsets % bar_steps
        return self.place(in_bar) + self.bar(onsets // bar_steps % BARS_A_PHRASE) + self.bars_left(bars_left)

    def forward(self, batch: MelodyBatch) -> tuple[Float[Tensor, "B T 44"], Float[Tensor, "B T 65"]]:
        """Return pitch and duration logits; those at t have read the events before t (and, for durations, pitch t)."""
        before = F.pad(batch.pitch_ids, (1, 0), value=START_ID)[:, :-1]  # (B, T)
        place = self.places(batch.onsets, batch.metres, batch.bars_left)  # (B, T, D)
        inputs = self.read(before, F.pad(batch.durations, (1, 0))[:, :-1], place, batch.styles)
        hidden, _ = self.cell(inputs)  # (B, T, D)
        hidden = self.dropout(hidden)
        return self.score_pitch(hidden, place), self.score_duration(hidden, place, batch.pitch_ids)

    def score_pitch(self, hidden: Tensor, place: Tensor) -> Tensor:
        """Pitch logits from the state and the place of the event."""
        return self.pitch_head(torch.cat([hidden, place], dim=-1))

    def score_duration(self, hidden: Tensor, place: Tensor, pitch_ids: Tensor) -> Tensor:
        """Duration logits from the state, the place and the pitch of the event."""
        return self.duration_head(torch.cat([hidden, place, self.pitch(pitch_ids)], dim=-1))

    def event_nll(self, batch: MelodyBatch) -> Float[Tensor, "B T"]:
        """Negative log-likelihood of each event in nats; 0 where mask is False. END has no duration to guess."""
        pitch_logits, duration_logits = self(batch)
        nll = F.cross_entropy(pitch_logits.transpose(1, 2), batch.pitch_ids, reduction="none")  # (B, T)
        timed = F.cross_entropy(duration_logits.transpose(1, 2), batch.durations, reduction="none")  # (B, T)
        return (nll + timed * (batch.pitch_ids != END_ID)) * batch.mask

    def loss(self, batch: MelodyBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats per note over the batch, and `weight`, the notes it is the mean of."""
        n_notes = batch.n_notes
        return self.event_nll(batch).sum() / n_notes, {"weight": float(n_notes)}

    @torch.no_grad()
    def sample(self, n: int, request: MelodyRequest, generator: torch.Generator) -> list[MelodyEvents]:
        """Draw n playable melodies."""
        self.eval()
        return sample_melodies(RNNStream(self, n, request), n, request, generator)


class RNNStream:
    """n melodies that a MelodyRNN is writing: one cell step an event, fed exactly what `forward` reads."""

    def __init__(self, model: MelodyRNN, n: int, request: MelodyRequest):
        self.model = model
        self.styles = torch.full((n,), STYLES.index(request.style))
        self.metres = torch.full((n,), METRES.index(request.metre))
        self.now = torch.full((n, 1), request.first_step)  # step of the next event
        self.end = request.last_step
        self.state = None
        self._advance(torch.full((n,), START_ID), torch.zeros(n, dtype=torch.long))

    def pitch_logits(self) -> Float[Tensor, "n 44"]:
        """Score the next pitch id of each melody."""
        return self.model.score_pitch(self.hidden, self.place)[:, 0]

    def duration_logits(self, pitch_ids: Int[Tensor, "n"]) -> Float[Tensor, "n 65"]:
        """Score the duration of the event whose pitch ids are given."""
        return self.model.score_duration(self.hidden, self.place, pitch_ids.unsqueeze(1))[:, 0]

    def push(self, pitch_ids: Int[Tensor, "n"], durations: Int[Tensor, "n"]) -> None:
        """Append one event to each melody."""
        self.now = self.now + durations.unsqueeze(1)
        self._advance(pitch_ids, durations)

    def _advance(self, pitch_ids: Tensor, durations: Tensor) -> None:
        left = count_bars_left(self.now, self.end, int(self.metres[0]))
        self.place = self.model.places(self.now, self.metres, left)  # (n, 1, D)
        inputs = self.model.read(pitch_ids.unsqueeze(1), durations.unsqueeze(1), self.place, self.styles)
        self.hidden, self.state = self.model.cell(inputs, self.state)
