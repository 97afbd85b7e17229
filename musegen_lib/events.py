"""Melodies as the note-level models read them, and the rules that make every drawn melody playable.

A melody is a list of events. An event is a pitch id and a duration; the pitch id REST_ID is silence, END_ID closes the
tune. A model is conditioned on where a tune comes from (its style), its metre and the length of its pickup, and reads
where in the bar each event falls, which follows from the durations before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from musegen_lib.corpus import Corpus
from musegen_lib.encodings import EVENT_REST, MELODY_HIGH, MELODY_LOW, events_to_piece, piece_to_events
from musegen_lib.errors import MusegenError
from musegen_lib.piece import TONIC_PITCH_CLASS, Piece, metre_to_beats, spell_key
from musegen_lib.sampling import sample

REST_ID, END_ID = 0, 1
FIRST_PITCH_ID = 2
N_PITCH_IDS = FIRST_PITCH_ID + MELODY_HIGH - MELODY_LOW + 1  # 44: REST, END, pitches 48-89
MAX_DURATION = 64  # sixteenth steps: the longest note of the folk tunes
N_DURATIONS = MAX_DURATION + 1  # ids are durations in steps; 0 stands at the END event only
STEPS_PER_BEAT = 4

STYLES = ("chinese", "german", "luxembourg", "lorraine", "irish", "american", "scottish", "english", "european")
METRES = ("2/4", "4/4", "2/2", "3/4", "6/8", "3/8", "9/8", "4/2", "3/2", "6/4")
MODES = ("major", "minor", "dorian", "mixolydian")
NO_TONIC = 12
LAGS = (1, 2, 4, 8)  # bars
BAR_STEPS = tuple(int(metre_to_beats(m) * STEPS_PER_BEAT) for m in METRES)  # 8, 16, 16, 12, 12, 6, 18, 32, 24, 24


@dataclass(frozen=True)
class MelodyEvents:
    """One tune: pitch_ids and durations (N + 1 rows, the last is END), and what it is conditioned on."""

    pitch_ids: Int[np.ndarray, "N"]
    durations: Int[np.ndarray, "N"]  # steps
    style: int
    metre: int
    pickup: int  # steps
    tonic: int = NO_TONIC  # pitch class
    mode: int = 0

    @property
    def n_notes(self) -> int:
        """Events that sound."""
        return int((self.pitch_ids >= FIRST_PITCH_ID).sum())

    @property
    def onsets(self) -> Int[np.ndarray, "N"]:
        """Step at which each event starts, counted from the bar line before the first note."""
        return np.cumsum(self.durations) - self.durations + _start(self.metre, self.pickup)


def piece_to_melody_events(piece: Piece) -> MelodyEvents:
    """Read one melody on sixteenths; ValueError names what the models cannot hold."""
    if piece.steps_per_beat != STEPS_PER_BEAT or piece.metre not in METRES or piece.style not in STYLES:
        raise ValueError(
            f"{piece!r} needs sixteenth steps, a metre of {METRES} and a style of {STYLES}; it has "
            f"{piece.steps_per_beat} steps a beat, metre {piece.metre} and style {piece.style!r}"
        )
    events = piece_to_events(piece)
    if len(events) and events[:, 1].max() > MAX_DURATION:
        raise ValueError(f"{piece!r} holds a note longer than {MAX_DURATION} steps")
    pitch_ids = np.where(events[:, 0] == EVENT_REST, REST_ID, events[:, 0] - MELODY_LOW + FIRST_PITCH_ID)
    return MelodyEvents(
        np.append(pitch_ids, END_ID),
        np.append(events[:, 1], 0),
        STYLES.index(piece.style),
        METRES.index(piece.metre),
        piece.pickup_steps % BAR_STEPS[METRES.index(piece.metre)],
        *key_to_ids(piece.key),
    )


def key_to_ids(key: str | None) -> tuple[int, int]:
    """Pitch class of the tonic and number of the mode; NO_TONIC where the key is unknown or of another mode.

    >>> key_to_ids("A minor"), key_to_ids(None)
    ((9, 1), (12, 0))
    """
    tonic, _, mode = (key or "").partition(" ")
    if tonic not in TONIC_PITCH_CLASS or mode not in MODES:
        return NO_TONIC, 0
    return TONIC_PITCH_CLASS[tonic], MODES.index(mode)


def melody_events_to_piece(events: MelodyEvents, **labels) -> Piece:
    """Turn events back into a piece; labels such as title and source are added."""
    pitches = np.where(events.pitch_ids == REST_ID, EVENT_REST, events.pitch_ids - FIRST_PITCH_ID + MELODY_LOW)
    kept = events.pitch_ids != END_ID
    key = None if events.tonic == NO_TONIC else spell_key(events.tonic, MODES[events.mode])
    known = {"metre": METRES[events.metre], "style": STYLES[events.style], "pickup_steps": events.pickup, "key": key}
    return events_to_piece(np.stack([pitches, events.durations], axis=1)[kept], **known | labels)


def corpus_to_melody_events(corpus: Corpus) -> list[MelodyEvents]:
    """Read every tune the models can hold: on sixteenths, in a known metre and range, no note over MAX_DURATION."""
    found = []
    for piece in corpus.select(corpus.column("grid") == STEPS_PER_BEAT):
        with suppress(ValueError):
            found.append(piece_to_melody_events(piece))
    return found


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
    """What to write: style, metre, key, pickup (sixteenth steps), length in bars, and how daring it may be.

    A pickup and the shortened last bar that completes it count as one bar.
    """

    style: str = "german"
    metre: str = "4/4"
    key: str = "G major"
    pickup: int = 0
    bars: int = 16
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
        if not 0 <= self.pickup < self.bar_steps:
            raise MusegenError(f"a pickup of {self.pickup} steps does not fit a bar of {self.bar_steps}")

    @property
    def bar_steps(self) -> int:
        """Steps in a full bar."""
        return BAR_STEPS[METRES.index(self.metre)]

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
    request: MelodyRequest,
    generator: torch.Generator,
    opening: MelodyEvents | None = None,
) -> list[MelodyEvents]:
    """Draw n melodies that are always playable: bars add up, pitches in range, the last event is a note.

    Args:
        opening: events to start every melody with (its END is ignored).
    Raises:
        MusegenError: n is below 1, or the opening leaves no step before the end.
    """
    if n < 1:
        raise MusegenError(f"cannot draw {n} melodies; ask for at least 1")
    rules = PlayableRules(n, request)
    written: list[tuple[Tensor, Tensor]] = []
    for pitch, duration in zip(*_opening_rows(opening)):
        rows = torch.full((n,), pitch), torch.full((n,), duration)
        _push(stream, rules, written, *rows)
    if rules.now[0] >= rules.limit:
        raise MusegenError(
            f"the opening reaches step {int(rules.now[0])} of {rules.limit}; shorten it or ask for more bars"
        )
    while not rules.done.all():
        draw = (request.temperature, request.top_k, request.top_p)
        pitch_ids = sample(stream.pitch_logits(), generator, rules.pitch_mask(), *draw)  # (n,)
        durations = sample(stream.duration_logits(pitch_ids), generator, rules.duration_mask(pitch_ids), *draw)  # (n,)
        _push(stream, rules, written, pitch_ids, durations)
    pitch_ids, durations = (torch.stack(column, dim=1).numpy() for column in zip(*written))  # (n, N)
    return [_cut_at_end(pitch_ids[i], durations[i], request) for i in range(n)]


class PlayableRules:
    """Masks over pitch ids and durations of n growing melodies.

    A melody ends where its last bar is full, with a note. No rest opens it, follows a rest or runs into the end.
    """

    def __init__(self, n: int, request: MelodyRequest):
        self.now = torch.full((n,), request.first_step)  # step of the next event
        self.limit = request.last_step
        self.after_note = torch.zeros(n, dtype=torch.bool)
        self.done = torch.zeros(n, dtype=torch.bool)

    def pitch_mask(self) -> Bool[Tensor, "n 44"]:
        """True where a pitch id is allowed next; a finished melody may only repeat END."""
        mask = torch.ones(len(self.now), N_PITCH_IDS, dtype=torch.bool)
        mask[:, END_ID] = False
        mask[:, REST_ID] = self.after_note & (self.now < self.limit - 1)
        only_end = (self.now >= self.limit) | self.done
        mask[only_end] = False
        mask[only_end, END_ID] = True
        return mask

    def duration_mask(self, pitch_ids: Int[Tensor, "n"]) -> Bool[Tensor, "n 65"]:
        """True where a duration is allowed for the chosen pitch ids; END has duration 0 and nothing else has."""
        room = (self.limit - self.now - (pitch_ids == REST_ID).int()).unsqueeze(1)
        mask = (torch.arange(N_DURATIONS) <= room).repeat(1, 1)
        mask[:, 0] = False
        mask[pitch_ids == END_ID] = False
        mask[pitch_ids == END_ID, 0] = True
        return mask

    def push(self, pitch_ids: Int[Tensor, "n"], durations: Int[Tensor, "n"]) -> None:
        """Note what was drawn."""
        self.now = self.now + durations
        self.after_note = pitch_ids >= FIRST_PITCH_ID
        self.done = self.done | (pitch_ids == END_ID)


def look_back(onsets: Sequence[int], metre: int) -> Int[np.ndarray, "N lags"]:
    """Number of the event that began exactly 1, 2, 4 and 8 bars before each event; -1 where none did.

    >>> look_back([0, 8, 16, 24], METRES.index("4/4"))[:, 0].tolist()
    [-1, -1, 0, 1]
    """
    place = {onset: number for number, onset in reversed(list(enumerate(onsets)))}
    steps = [lag * BAR_STEPS[metre] for lag in LAGS]
    return np.array([[place.get(onset - lag, -1) for lag in steps] for onset in onsets], dtype=np.int64)


def is_playable(piece: Piece) -> bool:
    """Check from outside what the rules promise: one melody, in range, whole bars (the pickup counts with the last)."""
    try:
        events = piece_to_melody_events(piece)
    except ValueError:
        return False
    bar, end = BAR_STEPS[events.metre], int(events.durations.sum())
    return events.n_notes > 0 and end % bar in (0, events.pickup)


def _start(metre: int, pickup: int) -> int:
    return (BAR_STEPS[metre] - pickup) % BAR_STEPS[metre]


def _opening_rows(opening: MelodyEvents | None) -> tuple[Sequence[int], Sequence[int]]:
    if opening is None:
        return [], []
    kept = opening.pitch_ids != END_ID
    return opening.pitch_ids[kept].tolist(), opening.durations[kept].tolist()


def _push(stream: MelodyStream, rules: PlayableRules, written: list, pitch_ids: Tensor, durations: Tensor) -> None:
    stream.push(pitch_ids, durations)
    rules.push(pitch_ids, durations)
    written.append((pitch_ids, durations))


def _cut_at_end(pitch_ids: np.ndarray, durations: np.ndarray, request: MelodyRequest) -> MelodyEvents:
    length = int(np.argmax(pitch_ids == END_ID)) + 1
    labels = STYLES.index(request.style), METRES.index(request.metre), request.pickup, *key_to_ids(request.key)
    return MelodyEvents(pitch_ids[:length], durations[:length], *labels)
