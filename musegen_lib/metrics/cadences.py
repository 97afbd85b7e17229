"""Cadences of four voices, counted: the chords that phrases end on, the way into them, and suspensions.

Each count returns (hits, chances) of one piece, as in `metrics.voices`. A phrase end is the step in which the note
under the fermata is struck; the last entry of `phrase_ends` may be the end of the piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import piece_to_grid
from musegen_lib.encodings.melody_events import key_to_ids
from musegen_lib.metrics.likelihood import Estimate, ratio_estimate
from musegen_lib.metrics.voices import FIFTH, Count, voice_pitches

CONSONANT_TRIADS = ((0, 4, 7), (0, 3, 7), (0, 4), (0, 3))  # semitones above the bass; the fifth may be left out
DISSONANT = (1, 2, 10, 11)  # seconds and sevenths, semitones modulo 12
FOURTH = 5


def is_root_position(chord: Sequence[int] | np.ndarray) -> bool:
    """True for a major or minor triad over its root in the bass, the fifth there or not; pitches, 0 for a rest.

    >>> is_root_position([72, 67, 64, 48]), is_root_position([72, 67, 60, 52])
    (True, False)
    """
    above = sounding_above(chord)
    return above in CONSONANT_TRIADS


def sounding_above(chord: Sequence[int] | np.ndarray) -> tuple[int, ...]:
    """Semitones above the bass modulo 12, each once; empty where the bass rests.

    >>> sounding_above([72, 67, 64, 48])
    (0, 4, 7)
    """
    bass = int(chord[-1])
    return tuple(sorted({(int(pitch) - bass) % 12 for pitch in chord if pitch})) if bass else ()


def count_phrase_triads(piece: Piece, phrase_ends: Sequence[int]) -> Count:
    """Phrase ends that are a triad in root position, and all phrase ends; beyond the last note all is silent."""
    pitch = _pitches_until(piece, phrase_ends)
    return sum(is_root_position(pitch[end]) for end in phrase_ends), len(phrase_ends)


def count_authentic(piece: Piece, phrase_ends: Sequence[int]) -> Count:
    """Phrase ends reached by an authentic cadence, V-I in whatever key, and all phrase ends.

    Hit: the phrase ends on a triad in root position, and in the step before the bass sounds the fifth above its root
    below a major third.
    """
    pitch = _pitches_until(piece, phrase_ends)
    hits = 0
    for end in phrase_ends:
        before = pitch[end - 1] if end else np.zeros(4, dtype=int)
        falls = bool(before[-1]) and (int(before[-1]) - int(pitch[end, -1])) % 12 == FIFTH
        hits += falls and 4 in sounding_above(before) and is_root_position(pitch[end])
    return hits, len(phrase_ends)


def count_final_tonics(piece: Piece) -> Count:
    """1 if the last chord is a triad in root position on the tonic of the piece's key, major or minor; of 1.

    Raises:
        ValueError: the piece has no key.
    """
    if piece.key is None:
        raise ValueError(f"{piece!r} names no key to end in")
    last = voice_pitches(piece)[-1] if len(piece) else np.zeros(4, dtype=int)
    return int(is_root_position(last) and int(last[-1]) % 12 == key_to_ids(piece.key)[0]), 1


def count_at_home(piece: Piece, phrase_ends: Sequence[int]) -> Count:
    """Phrase ends that are a triad over the tonic of the piece's key, and all phrase ends. Bach: 36 %."""
    return sum(_home(piece, phrase_ends)), len(phrase_ends)


def count_home_again(piece: Piece, phrase_ends: Sequence[int]) -> Count:
    """Phrase ends at home right after one that was, and all but the first. Bach: 6 %.

    A chain of equal cadences says "the end" again and again.
    """
    home = _home(piece, phrase_ends)
    return sum(now and before for before, now in pairwise(home)), max(0, len(home) - 1)


def count_suspensions(piece: Piece) -> Count:
    """Suspensions, and chord changes (two neighbouring steps whose pitches differ in any voice).

    Hit: on a beat a voice sounds a note struck before, another voice strikes one a second or a seventh away from it, or
    the bass one a fourth below it, and the next note of the voice lies one or two semitones lower.
    """
    notes, per_beat = piece.notes, piece.steps_per_beat
    pitch = voice_pitches(piece)
    hits = 0
    for voice in range(piece.n_voices):
        own = notes[notes["voice"] == voice]
        stop = own["onset_steps"] + own["duration_steps"]
        for now, end, following in zip(own[:-1], stop, own[1:]):
            falls = 1 <= int(now["pitch"]) - int(following["pitch"]) <= 2 and following["onset_steps"] == end
            first = int(now["onset_steps"]) + 1
            beats = range(first + (piece.pickup_steps - first) % per_beat, int(end), per_beat)
            hits += bool(falls) and any(_clashes(notes, pitch, voice, step) for step in beats)
    return hits, int((np.diff(pitch, axis=0) != 0).any(axis=1).sum())


def cadence_report(pieces: Sequence[Piece], phrase_ends: Sequence[Sequence[int]]) -> dict[str, Estimate]:
    """Per cent of every count over a collection, with the standard error over pieces; suspensions per 100 changes.

    Bach, 54 held-out chorales: 95 % of phrases end on a triad in root position, 59 % by V-I; 5.0 suspensions.
    """
    counts = {
        "triads at phrase ends": [count_phrase_triads(piece, ends) for piece, ends in zip(pieces, phrase_ends)],
        "V-I at phrase ends": [count_authentic(piece, ends) for piece, ends in zip(pieces, phrase_ends)],
        "final triad": [count_phrase_triads(piece, [piece.n_steps - 1]) for piece in pieces],
        "final tonic": [count_final_tonics(piece) for piece in pieces if piece.key],
        "suspensions": [count_suspensions(piece) for piece in pieces],
    }
    return {
        name: ratio_estimate([100.0 * hit for hit, _ in found], [chances for _, chances in found])
        for name, found in counts.items()
    }


def _home(piece: Piece, phrase_ends: Sequence[int]) -> list[bool]:
    pitch, tonic = _pitches_until(piece, phrase_ends), key_to_ids(piece.key)[0]
    return [is_root_position(pitch[end]) and int(pitch[end, -1]) % 12 == tonic for end in phrase_ends]


def _pitches_until(piece: Piece, phrase_ends: Sequence[int]) -> np.ndarray:
    """(T, voices) as `voice_pitches`, with silence after the piece as far as its phrase ends reach."""
    n_steps = max([piece.n_steps, *(end + 1 for end in phrase_ends)])
    return np.abs(piece_to_grid(piece, n_steps, piece.n_voices))


def _clashes(notes: np.ndarray, pitch: np.ndarray, voice: int, step: int) -> bool:
    struck = notes[(notes["onset_steps"] == step) & (notes["voice"] != voice)]
    above = (int(pitch[step, voice]) - struck["pitch"].astype(int)) % 12
    over_bass = (above == FOURTH) & (struck["voice"] == pitch.shape[1] - 1)
    return bool((np.isin(above, DISSONANT) | over_bass).any())
