"""Four-voice pieces as arrays for the nets of lesson 4: what each voice does in each sixteenth, side by side.

Axes: B pieces, T steps, 4 voices from soprano to bass. A token says what a voice does: HOLD, REST, or the pitch it
strikes; END in the soprano's column closes a piece. A batch made for training moves each piece to another key, as far
as its voices allow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int

from musegen_lib.core.keys import church_key, spell_key
from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import FIRST_PITCH, HOLD, REST, STEPS_PER_BEAT, grid_to_piece, piece_to_grid
from musegen_lib.encodings.melody_events import MODES, NO_TONIC, key_to_ids

LOW, HIGH = 33, 84  # a little beyond what Bach's voices sing
END = FIRST_PITCH + HIGH - LOW + 1
N_TOKENS = END + 1
N_VOICES = 4
CHORALE_MODES = MODES[:4]  # major, minor, dorian, mixolydian: those of Bach's chorales
MARGIN = 3  # semitones by which a transposition may leave a voice's range
CHORALE_METRES = {"4/4": 16, "3/4": 12}
N_PLACES = sum(CHORALE_METRES.values())
LEFT_BEATS = 24  # more beats than these to the end read the same


@dataclass(frozen=True)
class ChoraleSteps:
    """One piece: tokens (T, 4), and what is known of it from the start."""

    tokens: Int[np.ndarray, "T 4"]
    tonic: int
    mode: int
    metre: str  # a key of CHORALE_METRES
    pickup: int  # steps before the first bar line
    ends: tuple[tuple[int, int], ...] = ()  # of its phrases, as in `encodings.chorale_phrases`; none: not known

    @property
    def places(self) -> Int[np.ndarray, "T1"]:
        """Where each step falls, as in `step_places`, the step after the last included."""
        return step_places(np.arange(len(self.tokens) + 1), self.metre, self.pickup)


def step_places(steps: Any, metre: str, pickup: int) -> Any:
    """Number the place in the bar of steps counted from the start of a piece, 0 to N_PLACES - 1."""
    return (steps - pickup) % CHORALE_METRES[metre] + (CHORALE_METRES["4/4"] if metre == "3/4" else 0)


def bar_family(piece: Piece) -> str:
    """The metre of CHORALE_METRES that a piece's bars fill: those of 12 steps are read as 3/4, all others as 4/4."""
    return "3/4" if piece.steps_per_bar and piece.steps_per_bar % 12 == 0 else "4/4"


def beats_left(steps: Any, n_steps: Any) -> Any:
    """Beats to the end, rounded up, from 1 to LEFT_BEATS; 0 is kept for "not told"."""
    return ((n_steps - steps + STEPS_PER_BEAT - 1) // STEPS_PER_BEAT + 1).clip(1, LEFT_BEATS)


def piece_to_steps(piece: Piece) -> ChoraleSteps:
    """Encode four voices on sixteenths.

    Raises:
        ValueError: another grid than sixteenths, more than four voices, or a pitch outside LOW to HIGH.
    """
    if piece.steps_per_beat != STEPS_PER_BEAT:
        raise ValueError(f"{piece!r} has {piece.steps_per_beat} steps a beat, this encoding {STEPS_PER_BEAT}")
    grid = piece_to_grid(piece)
    sung = np.abs(grid[grid != 0])
    if len(sung) and (sung.min() < LOW or sung.max() > HIGH):
        raise ValueError(f"{piece!r} sings {sung.min()} to {sung.max()}, this encoding holds {LOW} to {HIGH}")
    tokens = np.select([grid > 0, grid < 0], [grid - LOW + FIRST_PITCH, HOLD], REST)
    return ChoraleSteps(tokens, *chorale_key(piece.key), bar_family(piece), piece.pickup_steps)


def chorale_key(key: str | None) -> tuple[int, int]:
    """Pitch class of the tonic and number of the mode in CHORALE_MODES; NO_TONIC and 0 where the key is unknown.

    A pentatonic or phrygian key is read as the chorale mode with its third.

    >>> chorale_key("A yu"), chorale_key("E phrygian"), chorale_key(None)
    ((9, 1), (4, 1), (12, 0))
    """
    tonic, mode = key_to_ids((church_key(key) or "").replace("phrygian", "minor"))
    return tonic, mode


def steps_to_piece(steps: ChoraleSteps, **labels: Any) -> Piece:
    """Decode; the key is spelt from its tonic, and a fermata stands at each phrase end."""
    key = None if steps.tonic == NO_TONIC else spell_key(steps.tonic, CHORALE_MODES[steps.mode])
    known = {"metre": steps.metre, "key": key, "pickup_steps": steps.pickup}
    known["fermatas"] = tuple(onset for onset, _ in steps.ends)
    return grid_to_piece(tokens_to_grid(steps.tokens), **known | labels)


def tokens_to_grid(tokens: Int[np.ndarray, "T 4"]) -> Int[np.ndarray, "T 4"]:
    """Signed pitches as in `encodings.piece_to_grid`."""
    struck = np.maximum.accumulate(np.where(tokens != HOLD, np.arange(len(tokens))[:, None], 0), axis=0)
    source = np.take_along_axis(tokens, struck, axis=0)  # the token that began what sounds
    pitch = np.where(source >= FIRST_PITCH, source - FIRST_PITCH + LOW, 0)
    return np.where(tokens == HOLD, -pitch, pitch)


def transpose_range(steps: ChoraleSteps) -> tuple[int, int]:
    """Lowest and highest transposition in semitones that keeps the voices near their ranges; at most 6 either way."""
    low, high = -6, 6
    for voice, (bottom, top) in enumerate(VOICE_RANGES):
        sung = steps.tokens[:, voice]
        sung = sung[sung >= FIRST_PITCH] - FIRST_PITCH + LOW
        if len(sung):
            low, high = max(low, bottom - MARGIN - sung.min()), min(high, top + MARGIN - sung.max())
    return min(int(low), 0), max(int(high), 0)


def transpose_steps(steps: ChoraleSteps, semitones: int) -> ChoraleSteps:
    """Move all pitches and the tonic."""
    moved = np.where(steps.tokens >= FIRST_PITCH, steps.tokens + semitones, steps.tokens)
    tonic = steps.tonic if steps.tonic == NO_TONIC else (steps.tonic + semitones) % 12
    return replace(steps, tokens=moved, tonic=tonic)


def shrink_steps(steps: ChoraleSteps, by: int) -> ChoraleSteps:
    """Divide all note values by an integer.

    Raises:
        ValueError: something is struck, rests or ends between the steps that are kept.
    """
    between = np.delete(steps.tokens, np.s_[::by], axis=0)
    last = np.delete(np.repeat(steps.tokens[::by], by, axis=0)[: len(steps.tokens)], np.s_[::by], axis=0)
    edges = [len(steps.tokens), steps.pickup, *(step for end in steps.ends for step in end)]
    if any(step % by for step in edges) or (between != np.where(last == REST, REST, HOLD)).any():
        raise ValueError(f"these notes cannot be divided by {by} on sixteenths")
    ends = tuple((onset // by, offset // by) for onset, offset in steps.ends)
    return replace(steps, tokens=steps.tokens[::by], pickup=steps.pickup // by, ends=ends)


def stretch_steps(steps: ChoraleSteps, by: int) -> ChoraleSteps:
    """Multiply all note values by an integer."""
    tokens = np.repeat(steps.tokens, by, axis=0)
    held = np.delete(tokens, np.s_[::by], axis=0)
    tokens[np.arange(len(tokens)) % by > 0] = np.where(held == REST, REST, HOLD)
    ends = tuple((onset * by, offset * by) for onset, offset in steps.ends)
    return replace(steps, tokens=tokens, pickup=steps.pickup * by, ends=ends)


VOICE_RANGES = ((57, 81), (53, 74), (48, 69), (36, 64))  # soprano A3-A5, alto F3-D5, tenor C3-A4, bass C2-E4
