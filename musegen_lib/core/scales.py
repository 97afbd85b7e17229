"""The twelve diatonic scales: how much of a melody lies on each, and the way home to the white keys."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from musegen_lib.core.keys import FIFTHS_ABOVE_MAJOR, TONIC_PITCH_CLASS, spell_key
from musegen_lib.core.piece import Piece, pitched_notes

DIATONIC = (0, 2, 4, 5, 7, 9, 11)
MODES = {0: "major", 9: "minor", 2: "dorian", 7: "mixolydian"}  # semitones of the last note above the major tonic


def weight_on_scales(weight: Float[np.ndarray, "12"] | np.ndarray) -> np.ndarray:
    """How much of the weight of twelve pitch classes lies on the diatonic scale of each tonic, (12,).

    >>> weight_on_scales(np.array([3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])).tolist()
    [3, 5, 2, 3, 2, 3, 2, 3, 5, 2, 3, 2]
    """
    return np.array([weight[(tonic + np.array(DIATONIC)) % 12].sum() for tonic in range(12)])


def scale_of_key(key: str | None) -> int | None:
    """Pitch class of the major tonic with the same seven notes; None for a key that is not known.

    >>> scale_of_key("A minor"), scale_of_key("D dorian"), scale_of_key(None)
    (0, 0, None)
    """
    tonic, _, mode = (key or "").partition(" ")
    if tonic not in TONIC_PITCH_CLASS:
        return None
    return (TONIC_PITCH_CLASS[tonic] - 7 * FIFTHS_ABOVE_MAJOR.get(mode, 0)) % 12


def best_scale(piece: Piece, key: str | None = None) -> int:
    """Pitch class of the major tonic whose scale holds most of the sounding time.

    Among scales that hold equally much, that of `key` counts, then the one in which the last note is home in the first
    of MODES.

    >>> best_scale(Piece.from_notes([(0, 2, 67), (2, 2, 64), (4, 4, 60)]))
    0
    """
    notes = pitched_notes(piece)
    held = weight_on_scales(np.bincount(notes["pitch"] % 12, weights=notes["duration_steps"], minlength=12))
    named, final, usual = scale_of_key(key), int(notes["pitch"][-1]), list(MODES)

    def fit(tonic: int) -> tuple[float, bool, int]:
        degree = (final - tonic) % 12
        return float(held[tonic]), tonic == named, -usual.index(degree) if degree in usual else -len(usual)

    return max(range(12), key=fit)


def name_key(scale: int, final: int) -> str:
    """Name the key of a melody on the scale of a major tonic by its last note, or by that tonic if no mode fits.

    >>> name_key(0, 62), name_key(7, 64), name_key(0, 71)
    ('D dorian', 'E minor', 'C major')
    """
    mode = MODES.get((final - scale) % 12)
    return spell_key(final % 12, mode) if mode else spell_key(scale, "major")
