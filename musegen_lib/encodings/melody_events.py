"""Melodies as the note-level models read them, and the rules that make every drawn melody playable.

A melody is a list of events. An event is a pitch id and a duration; the pitch id REST_ID is silence, END_ID closes the
tune. A model is conditioned on where a tune comes from (its style), its metre and the length of its pickup, and reads
where in the bar each event falls, which follows from the durations before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from musegen_lib.core.keys import TONIC_PITCH_CLASS, metre_to_beats, spell_key
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import Corpus
from musegen_lib.encodings.arrays import (
    EVENT_REST,
    MELODY_HIGH,
    MELODY_LOW,
    STEPS_PER_BEAT,
    events_to_piece,
    piece_to_events,
)

REST_ID, END_ID = 0, 1
FIRST_PITCH_ID = 2
N_PITCH_IDS = FIRST_PITCH_ID + MELODY_HIGH - MELODY_LOW + 1  # 44: REST, END, pitches 48-89
MAX_DURATION = 64  # sixteenth steps: the longest note of the folk tunes
N_DURATIONS = MAX_DURATION + 1  # ids are durations in steps; 0 stands at the END event only

STYLES = ("chinese", "german", "luxembourg", "lorraine", "irish", "american", "scottish", "english", "european")
METRES = ("2/4", "4/4", "2/2", "3/4", "6/8", "3/8", "9/8", "4/2", "3/2", "6/4")
MODES = ("major", "minor", "dorian", "mixolydian", "phrygian", "gong", "shang", "jue", "zhi", "yu")
NO_TONIC = 12
LAGS = (1, 2, 4, 8)  # bars
METRE_STEPS = tuple(int(metre_to_beats(m) * STEPS_PER_BEAT) for m in METRES)  # 8, 16, 16, 12, 12, 6, 18, 32, 24, 24


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
        piece.pickup_steps % METRE_STEPS[METRES.index(piece.metre)],
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


def look_back(onsets: Sequence[int], metre: int) -> Int[np.ndarray, "N lags"]:
    """Number of the event that began exactly 1, 2, 4 and 8 bars before each event; -1 where none did.

    >>> look_back([0, 8, 16, 24], METRES.index("4/4"))[:, 0].tolist()
    [-1, -1, 0, 1]
    """
    place = {onset: number for number, onset in reversed(list(enumerate(onsets)))}
    steps = [lag * METRE_STEPS[metre] for lag in LAGS]
    return np.array([[place.get(onset - lag, -1) for lag in steps] for onset in onsets], dtype=np.int64)


def is_playable(piece: Piece) -> bool:
    """Check from outside what the rules promise: one melody, in range, whole bars (the pickup counts with the last).

    The bars are those of the piece, of any metre.
    """
    bar = piece.steps_per_bar
    try:  # notes are read alike in every metre
        events = piece_to_melody_events(piece if piece.metre in METRES else piece.replace(metre="4/4", pickup_steps=0))
    except ValueError:
        return False
    return events.n_notes > 0 and bar is not None and int(events.durations.sum()) % bar in (0, piece.pickup_steps % bar)


def _start(metre: int, pickup: int) -> int:
    return (METRE_STEPS[metre] - pickup) % METRE_STEPS[metre]
