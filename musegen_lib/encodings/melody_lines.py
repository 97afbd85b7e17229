"""Whole melodies as style transfer reads them: intervals, and the rhythm that stays. Taught in 05_style_transfer.ipynb.

Axes: B lines in a batch, N notes, M = N - 1 intervals, V = 25 interval ids. Nothing here changes when the tune is
transposed. What a net is told of the rhythm it is told for every note, since a transfer keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES, marked_ends

WIDEST_INTERVAL = 12  # semitones; a wider leap counts as an octave
N_INTERVALS = 2 * WIDEST_INTERVAL + 1  # V
START = N_INTERVALS  # read where no interval comes before
REGISTER = 30  # semitones above or below the first note, at most
N_LINE_DURATIONS, N_PLACES, N_LEFT = 14, 6, 10
OTHER = len(STYLES)  # the style of every other tune, read in training only
N_STYLES = OTHER + 1
MAX_NOTES = 100  # of a line in training


@dataclass(frozen=True)
class MelodyLine:
    """One melody.

    Args:
        pitches: (N,) MIDI pitches.
        durations: (N,) class of the length, two a doubling; 6 is a quarter note.
        places: (N,) in the bar: 1 its start, 2 its middle, 3 a beat, 4 half a beat, 5 elsewhere; 0 without a metre.
        left: (N,) notes to come in the phrase, 9 at most.
    """

    pitches: Int[np.ndarray, "N"]
    durations: Int[np.ndarray, "N"]
    places: Int[np.ndarray, "N"]
    left: Int[np.ndarray, "N"]

    def __len__(self) -> int:
        return len(self.pitches)

    def intervals(self) -> Int[np.ndarray, "M"]:
        """Interval ids, from 0 (an octave down) over 12 (a repeated note) to 24."""
        return np.clip(np.diff(self.pitches), -WIDEST_INTERVAL, WIDEST_INTERVAL) + WIDEST_INTERVAL

    def cut(self, first: int, n_notes: int) -> MelodyLine:
        """The notes from `first` on, n_notes at most."""
        return MelodyLine(*(column[first : first + n_notes] for column in vars(self).values()))

    def with_pitches(self, pitches: Sequence[int] | np.ndarray) -> MelodyLine:
        """The same rhythm with other pitches."""
        return replace(self, pitches=np.asarray(pitches, dtype=np.int64))


def piece_to_line(piece: Piece) -> MelodyLine:
    """Read a melody of one voice; phrase ends are the collector's where the corpus has them.

    >>> line = piece_to_line(Piece.from_notes([(0, 4, 60), (4, 2, 62), (6, 2, 64), (8, 8, 60)]))
    >>> line.intervals().tolist(), line.durations.tolist(), line.places.tolist(), line.left.tolist()
    ([14, 14, 8], [6, 4, 4, 8], [1, 3, 4, 2], [3, 2, 1, 0])
    """
    notes, per_beat = piece.notes, piece.steps_per_beat
    beats = notes["duration_steps"] / per_beat
    durations = np.clip(np.round(2 * np.log2(beats)) + 6, 0, N_LINE_DURATIONS - 1)
    return MelodyLine(
        notes["pitch"].astype(np.int64), durations.astype(np.int64), _places(piece), _left(marked_ends(piece))
    )


def line_to_piece(line: MelodyLine, piece: Piece) -> Piece:
    """Give the notes of a piece the pitches of a line."""
    notes = piece.notes.copy()
    notes["pitch"] = line.pitches
    return replace(piece, notes=notes)


def _places(piece: Piece) -> Int[np.ndarray, "N"]:
    bar, beat = piece.steps_per_bar, piece.steps_per_beat
    if bar is None:
        return np.zeros(len(piece.notes), dtype=np.int64)
    step = (piece.notes["onset_steps"].astype(np.int64) - piece.pickup_steps) % bar
    grids = ((step == 0), (2 * step == bar), (step % beat == 0), (2 * step % beat == 0))
    return np.select(grids, (1, 2, 3, 4), default=5)


def _left(ends: Bool[np.ndarray, "N"]) -> Int[np.ndarray, "N"]:
    left = np.zeros(len(ends), dtype=np.int64)
    for note in range(len(ends) - 2, -1, -1):
        left[note] = 0 if ends[note] else min(left[note + 1] + 1, N_LEFT - 1)
    return left
