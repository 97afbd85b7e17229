"""One table of voice leading for everything that is written for four voices: nets, Bach, Bach put out of order.

Each row is counted per chord change (two neighbouring steps whose pitches differ in any voice), so that long notes
and short ones do not change what a figure means; the merits beside them have chances of their own. Read a row as a
whole: noise has few parallels, since its voices seldom move together, and shuffled notes clash like suspensions. The
floor is therefore `reference.shuffle_chords`: every chord of the music, in random order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from musegen_lib.core.piece import Piece
from musegen_lib.metrics.cadences import count_authentic, count_phrase_triads, count_suspensions
from musegen_lib.metrics.likelihood import ratio_estimate
from musegen_lib.metrics.voices import FIFTH, OCTAVE, Count, count_chords, count_parallels, voice_pitches

STEPWISE, WIDEST = 2, 12  # semitones: widest step, and an octave


def count_direct(piece: Piece) -> Count:
    """Direct ("hidden") fifths and octaves between the outer voices, and the chord changes.

    Hit: highest and lowest voice move in the same direction to a fifth or an octave that they had not before, and the
    highest leaps there.

    >>> rows = [(0, 4, 62, 80, 0), (4, 4, 67, 80, 0), (0, 4, 57, 80, 1), (4, 4, 60, 80, 1)]
    >>> count_direct(Piece.from_notes(rows))  # both rise to a fifth
    (1, 1)
    """
    pitch = voice_pitches(piece)
    outer, moves = pitch[:, [0, -1]], np.diff(pitch[:, [0, -1]], axis=0)
    apart = (outer[:, 0] - outer[:, 1]) % 12
    sounding = (outer[1:] > 0).all(axis=1) & (outer[:-1] > 0).all(axis=1)
    together = (np.sign(moves[:, 0]) == np.sign(moves[:, 1])) & (np.abs(moves[:, 0]) > STEPWISE)
    reached = np.isin(apart[1:], (FIFTH, OCTAVE)) & (apart[1:] != apart[:-1])
    return int((sounding & together & reached).sum()), int(_changes(pitch).sum())


def count_crossed_chords(piece: Piece) -> Count:
    """Chord changes after which a voice sounds below a lower one, and the chord changes."""
    pitch = voice_pitches(piece)
    crossed = np.zeros(len(pitch), dtype=bool)
    for upper, lower in combinations(range(pitch.shape[1]), 2):
        crossed |= (pitch[:, upper] > 0) & (pitch[:, upper] < pitch[:, lower])
    changes = _changes(pitch)
    return int((crossed[1:] & changes).sum()), int(changes.sum())


def count_wide_leaps(piece: Piece) -> Count:
    """Moves wider than an octave from one step to the next in any voice, and the chord changes.

    >>> count_wide_leaps(Piece.from_notes([(0, 1, 60), (1, 1, 73), (2, 1, 61)]))
    (1, 2)
    """
    pitch = voice_pitches(piece)
    sounding = (pitch[1:] > 0) & (pitch[:-1] > 0)
    wide = np.abs(np.diff(pitch, axis=0)) > WIDEST
    return int((wide & sounding).sum()), int(_changes(pitch).sum())


VOICE_LEADING: dict[str, tuple[str, Callable[[Piece], Count]]] = {  # name: (unit, count)
    "parallel fifths": ("per 100 chord changes", partial(count_parallels, semitones=FIFTH)),
    "parallel octaves": ("per 100 chord changes", partial(count_parallels, semitones=OCTAVE)),
    "direct fifths and octaves": ("per 100 chord changes", count_direct),
    "crossed voices": ("per 100 chord changes", count_crossed_chords),
    "leaps over an octave": ("per 100 chord changes", count_wide_leaps),
    "suspensions": ("per 100 chord changes", count_suspensions),
    "triads and sevenths": ("% of beats", count_chords),
}
AT_PHRASE_ENDS: dict[str, tuple[str, Callable[[Piece, Sequence[int]], Count]]] = {
    "triads at phrase ends": ("% of phrase ends", count_phrase_triads),
    "V-I at phrase ends": ("% of phrase ends", count_authentic),
}


def voice_leading(pieces: Sequence[Piece]) -> dict[str, Any]:
    """Every figure over a collection: hits per 100 chances, its standard error, hits, chances.

    The figures of AT_PHRASE_ENDS follow if any piece has fermatas: those are its phrase ends.
    """
    counts = {name: [count(piece) for piece in pieces] for name, (_, count) in VOICE_LEADING.items()}
    if any(piece.fermatas for piece in pieces):
        for name, (_, count) in AT_PHRASE_ENDS.items():
            counts[name] = [count(piece, piece.fermatas) for piece in pieces]
    return {"pieces": len(pieces)} | {name: _rate(found) for name, found in counts.items()}


def _rate(counts: Sequence[Count]) -> dict[str, float]:
    hits, chances = np.array(counts, dtype=np.int64).reshape(-1, 2).T
    estimate = ratio_estimate(100.0 * hits, chances)
    return {
        "rate": round(estimate.mean, 3),
        "standard_error": round(estimate.standard_error, 3),
        "hits": int(hits.sum()),
        "chances": int(chances.sum()),
    }


def _changes(pitch: Int[np.ndarray, "T voices"]) -> Bool[np.ndarray, "T1"]:
    return np.diff(pitch, axis=0).any(axis=1)
