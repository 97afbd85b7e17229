"""From logits to melodies: what is asked for, which events it allows, and drawing event by event from any model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.progress import progress
from musegen_lib.encodings.melody_events import (
    END_ID,
    FIRST_PITCH_ID,
    METRE_STEPS,
    METRES,
    MODES,
    N_DURATIONS,
    N_PITCH_IDS,
    NO_TONIC,
    REST_ID,
    STYLES,
    MelodyEvents,
    key_to_ids,
)
from musegen_lib.encodings.melody_form import Form, parse_form
from musegen_lib.models.melody.written import Written
from musegen_lib.training.sampling import sample


@runtime_checkable
class MelodyStream(Protocol):
    """n melodies in the making: what a model must offer so that `sample_melodies` can draw from it."""

    def pitch_logits(self) -> Float[Tensor, "n 44"]:
        """Score the next pitch id of each melody."""

    def duration_logits(self, pitch_ids: Int[Tensor, "n"]) -> Float[Tensor, "n 65"]:
        """Score the duration of the event whose pitch ids are given."""

    def push(self, pitch_ids: Int[Tensor, "n"], durations: Int[Tensor, "n"]) -> None:
        """Append one event to each melody."""


@dataclass(frozen=True)
class MelodyRequest:
    """What to write: style, metre, key, pickup (sixteenth steps), length in bars, form, and how daring it may be.

    A pickup and the shortened last bar that completes it count as one bar. A form such as "AABB" has a letter for each
    section; "" leaves it to a model of forms.
    """

    style: str = "german"
    metre: str = "4/4"
    key: str = "G major"
    pickup: int = 0
    bars: int = 16
    form: str = ""
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise MusegenError(f"style {self.style!r} is unknown; choose one of {', '.join(STYLES)}")
        if self.metre not in METRES:
            raise MusegenError(f"metre {self.metre!r} is unknown; choose one of {', '.join(METRES)}")
        if key_to_ids(self.key)[0] == NO_TONIC:
            raise MusegenError(f"key {self.key!r} is unknown; write it like 'G major', modes are {', '.join(MODES)}")
        if not 1 <= self.bars <= 64:
            raise MusegenError(f"{self.bars} bars: ask for 1 to 64")
        if self.form:
            parse_form(self.form, self.bars)
        if not 0 <= self.pickup < self.bar_steps:
            raise MusegenError(f"a pickup of {self.pickup} steps does not fit a bar of {self.bar_steps}")

    @property
    def bar_steps(self) -> int:
        """Steps in a full bar."""
        return METRE_STEPS[METRES.index(self.metre)]

    @property
    def first_step(self) -> int:
        """Where the first note falls, counted from the bar line before it."""
        return (self.bar_steps - self.pickup) % self.bar_steps

    @property
    def last_step(self) -> int:
        """Where the tune ends."""
        return self.first_step + self.bars * self.bar_steps


def sample_melodies(
    stream: MelodyStream,
    n: int,
    request: MelodyRequest | Sequence[MelodyRequest],
    generator: torch.Generator,
    opening: MelodyEvents | None = None,
    forms: Sequence[Form] | None = None,
) -> list[MelodyEvents]:
    """Draw n melodies that are always playable: bars add up, pitches in range, the last event is a note.

    Args:
        request: one for all, or one for each; temperature, top_k and top_p are those of the first.
        opening: events to start every melody with (its END is ignored).
        forms: for each melody, which of its bars return; these are written again note for note.
    Raises:
        MusegenError: n is below 1, or the opening leaves no step before the end.
    """
    if n < 1:
        raise MusegenError(f"cannot draw {n} melodies; ask for at least 1")
    requests = each_request(n, request)
    rules = PlayableRules(requests, forms)
    written: list[tuple[Tensor, Tensor]] = []
    for pitch, duration in zip(*_opening_rows(opening)):
        rows = torch.full((n,), pitch), torch.full((n,), duration)
        _push(stream, rules, written, *rows)
    if (rules.now >= rules.limit).any():
        now, limit = int(rules.now.max()), int(rules.limit.min())
        raise MusegenError(f"the opening reaches step {now} of {limit}; shorten it or ask for more bars")
    draw = (requests[0].temperature, requests[0].top_k, requests[0].top_p)
    for _ in progress(_until_done(rules), "notes of each melody"):
        pitch_ids = sample(stream.pitch_logits(), generator, rules.pitch_mask(), *draw)  # (n,)
        durations = sample(stream.duration_logits(pitch_ids), generator, rules.duration_mask(pitch_ids), *draw)  # (n,)
        _push(stream, rules, written, pitch_ids, durations)
    pitch_ids, durations = (torch.stack(column, dim=1).numpy() for column in zip(*written))  # (n, N)
    return [_cut_at_end(*row) for row in zip(pitch_ids, durations, requests)]


def each_request(n: int, request: MelodyRequest | Sequence[MelodyRequest]) -> Sequence[MelodyRequest]:
    """A request for each of n melodies."""
    return [request] * n if isinstance(request, MelodyRequest) else request


class PlayableRules:
    """Masks over pitch ids and durations of n growing melodies.

    A melody ends where its last bar is full, with a note. No rest opens it, follows a rest or runs into the end. A bar
    that its form says returns is written note for note, and no note crosses the lines of such bars.
    """

    def __init__(self, requests: Sequence[MelodyRequest], forms: Sequence[Form] | None = None):
        self.written = Written(requests, forms)
        self.limit = torch.tensor([request.last_step for request in requests])
        self.after_note = torch.zeros(len(requests), dtype=torch.bool)
        self.done = torch.zeros(len(requests), dtype=torch.bool)

    @property
    def now(self) -> Int[Tensor, "n"]:
        """Step of the next event of each melody."""
        return self.written.now

    def pitch_mask(self) -> Bool[Tensor, "n 44"]:
        """True where a pitch id is allowed next; a finished melody may only repeat END."""
        mask = torch.ones(len(self.now), N_PITCH_IDS, dtype=torch.bool)
        mask[:, END_ID] = False
        mask[:, REST_ID] = self.after_note & (self.now < self.limit - 1)
        only_end = (self.now >= self.limit) | self.done
        mask[only_end] = False
        mask[only_end, END_ID] = True
        returning, _ = self.written.returning()
        forced = F.one_hot(returning, N_PITCH_IDS + 1)[:, :N_PITCH_IDS].bool() & mask  # (n, 44)
        return torch.where(forced.any(dim=1, keepdim=True), forced, mask)

    def duration_mask(self, pitch_ids: Int[Tensor, "n"]) -> Bool[Tensor, "n 65"]:
        """True where a duration is allowed for the chosen pitch ids; END has duration 0 and nothing else has."""
        room = torch.minimum(self.limit - self.now - (pitch_ids == REST_ID).int(), self.written.room()).unsqueeze(1)
        mask = (torch.arange(N_DURATIONS) <= room).repeat(1, 1)
        mask[:, 0] = False
        mask[pitch_ids == END_ID] = False
        mask[pitch_ids == END_ID, 0] = True
        returning, durations = self.written.returning()
        forced = F.one_hot(durations, N_DURATIONS).bool() & mask & (returning == pitch_ids).unsqueeze(1)  # (n, 65)
        return torch.where(forced.any(dim=1, keepdim=True), forced, mask)

    def push(self, pitch_ids: Int[Tensor, "n"], durations: Int[Tensor, "n"]) -> None:
        """Note what was drawn."""
        self.written.push(pitch_ids, durations)
        self.after_note = pitch_ids >= FIRST_PITCH_ID
        self.done = self.done | (pitch_ids == END_ID)


def _opening_rows(opening: MelodyEvents | None) -> tuple[Sequence[int], Sequence[int]]:
    if opening is None:
        return [], []
    kept = opening.pitch_ids != END_ID
    return opening.pitch_ids[kept].tolist(), opening.durations[kept].tolist()


def _until_done(rules: PlayableRules) -> Iterator[None]:
    while not rules.done.all():
        yield


def _push(stream: MelodyStream, rules: PlayableRules, written: list, pitch_ids: Tensor, durations: Tensor) -> None:
    stream.push(pitch_ids, durations)
    rules.push(pitch_ids, durations)
    written.append((pitch_ids, durations))


def _cut_at_end(pitch_ids: np.ndarray, durations: np.ndarray, request: MelodyRequest) -> MelodyEvents:
    length = int(np.argmax(pitch_ids == END_ID)) + 1
    labels = STYLES.index(request.style), METRES.index(request.metre), request.pickup, *key_to_ids(request.key)
    return MelodyEvents(pitch_ids[:length], durations[:length], *labels)
