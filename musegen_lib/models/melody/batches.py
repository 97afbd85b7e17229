"""Melodies side by side, as the recurrent model trains on them: padded batches, shuffled and transposed by the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from musegen_lib.encodings.melody_events import (
    END_ID,
    FIRST_PITCH_ID,
    LAGS,
    METRE_STEPS,
    METRES,
    N_PITCH_IDS,
    NO_TONIC,
    MelodyEvents,
    look_back,
)
from musegen_lib.encodings.melody_form import NO_FINAL, NOT_TOLD, final_degree, form_of_events

START_ID = N_PITCH_IDS  # read before the first event
N_BAR_PLACES = len(METRES) * max(METRE_STEPS)
NEAR_STEPS = 32
UNTOLD, WITHOUT_FORM = 0.45, 0.55  # in training, tunes below the first are told nothing, up to the second no form
N_COUNTS = NEAR_STEPS + 34  # 0 means not told; 32 bars and more count alike


@dataclass(frozen=True)
class MelodyBatch:
    """Tunes side by side, padded at the end; row by row as in `MelodyEvents`."""

    pitch_ids: Int[Tensor, "B T"]
    durations: Int[Tensor, "B T"]
    onsets: Int[Tensor, "B T"]  # steps from the bar line before the first note
    styles: Int[Tensor, "B"]
    metres: Int[Tensor, "B"]
    back: Int[Tensor, "B T lags"]  # events 1, 2, 4, 8 bars before, -1 = none
    time_left: Int[Tensor, "B T"]  # 0 = not told
    relations: Int[Tensor, "B T 2"]  # of the event's bar and of the next to earlier bars; NOT_TOLD = not told
    sources: Int[Tensor, "B T"]  # the event that returns here, -1 = none
    tonics: Int[Tensor, "B"]  # NO_TONIC = not told
    modes: Int[Tensor, "B"]
    finals: Int[Tensor, "B"]  # semitones of the last note above the tonic, NO_FINAL = not told
    mask: Bool[Tensor, "B T"]  # True = real event, END included

    @property
    def n_notes(self) -> Int[Tensor, ""]:
        """Events that sound."""
        return ((self.pitch_ids >= FIRST_PITCH_ID) & self.mask).sum()

    def before(self) -> tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]:
        """Pitch ids and durations of the event before each; START_ID and 0 before the first."""
        return F.pad(self.pitch_ids, (1, 0), value=START_ID)[:, :-1], F.pad(self.durations, (1, 0))[:, :-1]

    def event_nll(self, pitch_logits: Float[Tensor, "B T 44"], duration_logits: Float[Tensor, "B T 65"]) -> Tensor:
        """(B, T) negative log-likelihood in nats; 0 where mask is False. END has no duration to guess."""
        nll = F.cross_entropy(pitch_logits.transpose(1, 2), self.pitch_ids, reduction="none")  # (B, T)
        timed = F.cross_entropy(duration_logits.transpose(1, 2), self.durations, reduction="none")  # (B, T)
        return (nll + timed * (self.pitch_ids != END_ID)) * self.mask

    def looked_up(self, index: Int[Tensor, "B T ..."]) -> tuple[Int[Tensor, "B T ..."], Int[Tensor, "B T ..."]]:
        """Pitch ids and durations of the events of these numbers; START_ID and 0 where the number is -1."""
        rows = index.clamp(min=0).flatten(1)  # (B, T * ...)
        pitch_ids, durations = (column.gather(1, rows).view_as(index) for column in (self.pitch_ids, self.durations))
        return torch.where(index < 0, START_ID, pitch_ids), torch.where(index < 0, 0, durations)


def bar_places(onsets: Int[Tensor, "B T"], metres: Int[Tensor, "B"]) -> Int[Tensor, "B T"]:
    """Number the place of steps in the bar, 0 to N_BAR_PLACES - 1; each metre has places of its own."""
    bar_steps = torch.tensor(METRE_STEPS, device=onsets.device)[metres].unsqueeze(1)  # (B, 1)
    return metres.unsqueeze(1) * max(METRE_STEPS) + onsets % bar_steps


def collate(
    tunes: Sequence[MelodyEvents],
    shifts: Sequence[int] | None = None,
    told: Sequence[bool] | None = None,
    told_form: Sequence[bool] | None = None,
) -> MelodyBatch:
    """Stack tunes into a batch, each moved by its own semitones, and told key and end or not, its form or not."""
    shape = len(tunes), max(len(tune.pitch_ids) for tune in tunes)
    pitch_ids, durations, onsets, time_left = (torch.zeros(shape, dtype=torch.long) for _ in range(4))
    back, sources = torch.full((*shape, len(LAGS)), -1), torch.full(shape, -1)
    relations = torch.full((*shape, 2), NOT_TOLD)
    mask = torch.zeros(shape, dtype=torch.bool)
    shifts, told = shifts or [0] * len(tunes), told or [False] * len(tunes)
    told_form = told_form or [False] * len(tunes)
    for row, (tune, shift, tell, tell_form) in enumerate(zip(tunes, shifts, told, told_form)):
        length = len(tune.pitch_ids)
        ids = torch.from_numpy(tune.pitch_ids)
        pitch_ids[row, :length] = torch.where(ids >= FIRST_PITCH_ID, ids + shift, ids)
        durations[row, :length] = torch.from_numpy(tune.durations)
        onsets[row, :length] = torch.from_numpy(tune.onsets)
        back[row, :length] = torch.from_numpy(look_back(tune.onsets.tolist(), tune.metre))
        if tell:
            time_left[row, :length] = count_down(onsets[row, :length], int(tune.onsets[-1]), METRE_STEPS[tune.metre])
        if tell_form:
            found = form_of_events(tune)
            relations[row, :length], sources[row, :length] = map(torch.from_numpy, found)
        mask[row, :length] = True
    styles, metres = (torch.tensor([getattr(tune, name) for tune in tunes]) for name in ("style", "metre"))
    keys = [_told_key(*row) for row in zip(tunes, shifts, told, told_form)]
    labels = torch.tensor(keys).T
    return MelodyBatch(pitch_ids, durations, onsets, styles, metres, back, time_left, relations, sources, *labels, mask)


def count_down(onsets: Tensor, end: int | Tensor, bar_steps: int | Tensor) -> Int[Tensor, "..."]:
    """Number the time left: 1 at the end, then 2, 3, ... by steps up to NEAR_STEPS, beyond that by bars.

    >>> count_down(torch.tensor([64, 60, 0]), 64, 16)
    tensor([ 1,  5, 37])
    """
    steps = end - onsets
    bars = -(-steps // bar_steps)
    return torch.where(steps <= NEAR_STEPS, steps + 1, NEAR_STEPS + 1 + bars).clamp(1, N_COUNTS - 1)


def _told_key(tune: MelodyEvents, shift: int, tell: bool, tell_form: bool) -> tuple[int, int, int]:
    if not tell or tune.tonic == NO_TONIC:
        return NO_TONIC, 0, NO_FINAL
    return (tune.tonic + shift) % 12, tune.mode, final_degree(tune) if tell_form else NO_FINAL


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
        luck = rng.random(len(chosen))
        told, told_form = (luck >= UNTOLD).tolist(), (luck >= WITHOUT_FORM).tolist()
        return collate(*(rows[rank::world_size] for rows in (chosen, shifts, told, told_form)))

    def _shift(self, tune: MelodyEvents, rng: np.random.Generator) -> int:
        pitches = tune.pitch_ids[tune.pitch_ids >= FIRST_PITCH_ID]
        low = max(-self.max_shift, FIRST_PITCH_ID - int(pitches.min()))
        high = min(self.max_shift, N_PITCH_IDS - 1 - int(pitches.max()))
        return int(rng.integers(low, high + 1))
