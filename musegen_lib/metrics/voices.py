"""Rules of four-part writing, counted: parallels, crossings, leaps, chords on the beat, ranges.

Each rule returns (hits, chances) of one piece, so that a collection is scored by sum of hits / sum of chances
(`likelihood.ratio_estimate`) and a short piece does not weigh like a long one. Voice 0 is the highest (soprano), the
last the lowest. Every count reads sounding pitches, struck or held, and is the same on a finer grid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations

import numpy as np
from jaxtyping import Int

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import piece_to_grid
from musegen_lib.encodings.chorale_steps import VOICE_RANGES
from musegen_lib.metrics.histograms import melodic_intervals
from musegen_lib.metrics.likelihood import Estimate, ratio_estimate

FIFTH, OCTAVE = 7, 0  # semitones modulo 12
TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
SEVENTHS = ((0, 4, 7, 10), (0, 4, 7, 11), (0, 3, 7, 10), (0, 3, 6, 10), (0, 3, 6, 9))
WITHOUT_FIFTH = ((0, 4), (0, 3), (0, 4, 10), (0, 4, 11), (0, 3, 10))
Count = tuple[int, int]


def voice_pitches(piece: Piece) -> Int[np.ndarray, "T voices"]:
    """(T, voices) MIDI pitch sounding in each voice and step, 0 in a rest.

    Raises:
        ValueError: a voice sounds two notes at once.
    """
    return np.abs(piece_to_grid(piece, n_voices=piece.n_voices))


def beat_pitches(piece: Piece) -> Int[np.ndarray, "N voices"]:
    """`voice_pitches` on every beat (quarters, counted from the bar lines)."""
    return voice_pitches(piece)[piece.pickup_steps % piece.steps_per_beat :: piece.steps_per_beat]


def count_parallels(piece: Piece, semitones: int) -> Count:
    """Pairs of voices that move in parallel fifths (FIFTH) or octaves and unisons (OCTAVE), and the chord changes.

    Hit: two voices sound in two neighbouring steps, both move, in the same direction, and are `semitones` apart modulo
    12, the higher above the lower, before and after. Chance: two neighbouring steps whose pitches differ in any voice.
    Up to six hits a change; multiplied by 100 this is "per 100 chord changes". Fifths by contrary motion, and fifths on
    successive beats with notes between, are not counted.
    Bach, 365 chorales: 0.16 fifths, 0.07 octaves per 100 changes; steps shuffled 10.3 and 7.1. Caution: noise scores
    low, too, since its voices seldom move in the same step. Read it beside the chords.

    >>> rows = [(0, 4, 67, 80, 0), (4, 4, 69, 80, 0), (0, 4, 60, 80, 1), (4, 4, 62, 80, 1)]
    >>> count_parallels(Piece.from_notes(rows), FIFTH)
    (1, 1)
    """
    pitch = voice_pitches(piece)
    motion = np.sign(np.diff(pitch, axis=0))  # (T - 1, voices)
    sounding = (pitch[1:] > 0) & (pitch[:-1] > 0)
    hits = 0
    for upper, lower in combinations(range(pitch.shape[1]), 2):
        apart = np.abs(pitch[:, upper] - pitch[:, lower]) % 12 == semitones
        together = (motion[:, upper] == motion[:, lower]) & (motion[:, upper] != 0)
        both = sounding[:, upper] & sounding[:, lower]
        hits += int((apart[1:] & apart[:-1] & together & both).sum())
    return hits, int(motion.any(axis=1).sum())


def count_crossings(piece: Piece) -> Count:
    """Steps in which a voice sounds below a lower one, and the steps in which at least two voices sound.

    Bach: 2.1 % of steps.

    >>> count_crossings(Piece.from_notes([(0, 4, 60, 80, 0), (2, 4, 64, 80, 1)]))
    (2, 2)
    """
    pitch = voice_pitches(piece)
    crossed = np.zeros(len(pitch), dtype=bool)
    for upper, lower in combinations(range(pitch.shape[1]), 2):
        crossed |= (pitch[:, upper] > 0) & (pitch[:, upper] < pitch[:, lower])
    return int(crossed.sum()), int(((pitch > 0).sum(axis=1) > 1).sum())


def count_leaps(piece: Piece) -> Count:
    """Melodic moves wider than a fifth, and all melodic moves; repeated notes are no moves.

    A rest does not break a line. Any number of voices. Bach: 2.5 % of moves.

    >>> count_leaps(Piece.from_notes([(0, 1, 60), (1, 1, 60), (2, 1, 62), (3, 1, 72)]))
    (1, 2)
    """
    moves = np.abs(melodic_intervals(piece))
    return int((moves > FIFTH).sum()), int((moves > 0).sum())


def count_chords(piece: Piece) -> Count:
    """Beats that are a triad or a seventh chord, and the beats on which at least three voices sound.

    The pitch classes sounding on the beat (quarters, counted from the bar lines) form, in any inversion, a major,
    minor, diminished or augmented triad, a dominant, major, minor, half-diminished or diminished seventh, or one of
    those with its perfect fifth left out. Bach: 91 %; 86.5 % if the fifth may not be missing.

    >>> count_chords(Piece.from_notes([(0, 8, 72, 80, 0), (0, 8, 64, 80, 1), (0, 4, 55, 80, 2), (4, 4, 53, 80, 2)]))
    (1, 2)
    """
    pitch = beat_pitches(piece)
    pitch = pitch[(pitch > 0).sum(axis=1) >= 3]
    masks = np.bitwise_or.reduce(np.where(pitch > 0, 1 << (pitch % 12), 0), axis=1)
    return int(_IS_CHORD[masks].sum()), len(pitch)


def count_out_of_range(piece: Piece) -> Count:
    """Notes outside the range of their voice in Bach's chorales (VOICE_RANGES), and all notes of the four voices."""
    hits = chances = 0
    for voice, (low, high) in enumerate(VOICE_RANGES):
        pitch = piece.notes["pitch"][piece.notes["voice"] == voice]
        hits += int(((pitch < low) | (pitch > high)).sum())
        chances += len(pitch)
    return hits, chances


RULES: dict[str, Callable[[Piece], Count]] = {
    "parallel fifths": partial(count_parallels, semitones=FIFTH),
    "parallel octaves": partial(count_parallels, semitones=OCTAVE),
    "voice crossing": count_crossings,
    "leaps over a fifth": count_leaps,
    "triads and sevenths": count_chords,
    "out of range": count_out_of_range,
}


def voice_rules(pieces: Sequence[Piece]) -> dict[str, Estimate]:
    """Per cent (hits per 100 chances) of every rule over a collection, with the standard error over pieces.

    NaN where there is no chance in any piece.
    """
    found = {}
    for name, rule in RULES.items():
        hits, chances = zip(*(rule(piece) for piece in pieces)) if len(pieces) else ((), ())
        found[name] = ratio_estimate([100.0 * hit for hit in hits], chances)
    return found


def _chord_table() -> np.ndarray:
    """(4096,) bool: is the set of pitch classes with these bits a chord?"""
    table = np.zeros(1 << 12, dtype=bool)
    for shape in TRIADS + SEVENTHS + WITHOUT_FIFTH:
        for root in range(12):
            table[sum(1 << (root + step) % 12 for step in shape)] = True
    return table


_IS_CHORD = _chord_table()
