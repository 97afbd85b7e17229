"""Guess the key of a melody, so that it can be written down with few accidentals."""

from __future__ import annotations

import numpy as np

from musegen_lib.core.keys import spell_key
from musegen_lib.core.piece import Piece
from musegen_lib.metrics.tonality import DIATONIC

MODES = {0: "major", 9: "minor", 2: "dorian", 7: "mixolydian"}  # semitones of the last note above the major tonic


def guess_key(piece: Piece) -> str | None:
    """Name the key by its best-fitting scale and its last note, such as "D dorian"; None for a piece without notes.

    Among scales that fit equally well, that one counts in which the last note is home in the first of MODES. It names
    the written key of 73 % of the validation tunes; most others end away from home, or are written in a relative key.

    >>> guess_key(Piece.from_notes([(0, 2, 67), (2, 2, 64), (4, 4, 60)]))
    'C major'
    """
    if not len(piece):
        return None
    weight = np.bincount(piece.notes["pitch"] % 12, weights=piece.notes["duration_steps"], minlength=12)
    final, usual = int(piece.notes["pitch"][-1]) % 12, list(MODES)

    def fit(tonic: int) -> tuple[float, int]:
        degree = (final - tonic) % 12
        scale = [(tonic + step) % 12 for step in DIATONIC]
        return float(weight[scale].sum()), -usual.index(degree) if degree in usual else -len(usual)

    tonic = max(range(12), key=fit)
    mode = MODES.get((final - tonic) % 12)
    return spell_key(final, mode) if mode else spell_key(tonic, "major")
