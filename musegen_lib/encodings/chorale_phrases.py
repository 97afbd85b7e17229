"""Phrases of chorales: where they end, and what a net is told of them step by step.

A phrase ends on a note of the soprano, in chorales the one under a fermata: a pair (onset, offset) in steps, where
that note is struck, and where the next phrase begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import STEPS_PER_BEAT
from musegen_lib.encodings.chorale_steps import CHORALE_MODES, ChoraleSteps, tokens_to_grid
from musegen_lib.encodings.melody_events import NO_TONIC

FERMATA_BEATS = 4  # longer fermatas count as these
AHEAD_BEATS = 16  # a phrase end further away reads the same
NOT_TOLD, N_COUNTS = 0, FERMATA_BEATS + AHEAD_BEATS + 1
HOME_MODES = {  # (mode of the key as labelled, last bass note above its tonic): mode on that note
    ("major", 0): "major",
    ("major", 7): "mixolydian",
    ("major", 9): "minor",
    ("major", 2): "dorian",
    ("minor", 0): "minor",
    ("minor", 5): "dorian",
    ("minor", 3): "major",
    ("minor", 10): "mixolydian",
}
Ends = tuple[tuple[int, int], ...]


def ends_of_notes(melody: Piece, marks: Bool[np.ndarray, "N"]) -> Ends:
    """Phrase ends of a melody from one bool a note.

    >>> ends_of_notes(Piece.from_notes([(0, 4, 60), (4, 8, 62), (12, 4, 60)]), np.array([False, True, True]))
    ((4, 12), (12, 16))
    """
    notes = melody.notes[marks]
    return tuple(
        (int(onset), int(onset + length)) for onset, length in notes[["onset_steps", "duration_steps"]].tolist()
    )


def phrase_countdown(ends: Ends, n_steps: int) -> Int[np.ndarray, "T"]:
    """What each of n_steps steps is told: beats left under a fermata (1 to 4), or beats to the next one (5 to 20).

    Beats are rounded up. Steps after the last phrase end are told nothing.

    >>> phrase_countdown(((8, 12),), 13).tolist()
    [6, 6, 6, 6, 5, 5, 5, 5, 1, 1, 1, 1, 0]
    """
    told = np.full(n_steps, NOT_TOLD)
    start = 0
    for onset, offset in ends:
        until, under = np.arange(start, min(onset, n_steps)), np.arange(onset, min(offset, n_steps))
        told[until] = FERMATA_BEATS + _beats(onset - until, AHEAD_BEATS)
        told[under] = _beats(offset - under, FERMATA_BEATS)
        start = offset
    return told


def _beats(steps: np.ndarray, most: int) -> np.ndarray:
    return np.minimum(-(-steps // STEPS_PER_BEAT), most)


def at_home(steps: ChoraleSteps) -> ChoraleSteps:
    """The piece with its last bass note as tonic, as far as the labelled key gives that note a mode we know.

    In a quarter of the chorales the label, which follows the signature, names another: a dorian tune in D without flats
    is called A minor. A net that is told where a piece ends must not be told that. Phrygian ends stay without a key.
    """
    sung = np.abs(tokens_to_grid(steps.tokens)[:, -1])
    last = int(sung[sung > 0][-1]) if sung.any() else None
    if steps.tonic == NO_TONIC or last is None:
        return steps
    mode = HOME_MODES.get((CHORALE_MODES[steps.mode], (last - steps.tonic) % 12))
    return (
        replace(steps, tonic=last % 12, mode=CHORALE_MODES.index(mode))
        if mode
        else replace(steps, tonic=NO_TONIC, mode=0)
    )


def phrase_lengths(ends: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """(start in steps, length in beats, fermata in beats) of every phrase, rounded, at least a beat each.

    >>> phrase_lengths([(28, 32), (56, 64)])
    [(0, 8, 1), (32, 8, 2)]
    """
    starts = [0, *(offset for _, offset in ends)]
    return [
        (start, max(1, round((offset - start) / STEPS_PER_BEAT)), max(1, round((offset - onset) / STEPS_PER_BEAT)))
        for start, (onset, offset) in zip(starts, ends)
    ]
