"""Guess the key of a melody, so that it can be written down with few accidentals."""

from __future__ import annotations

import numpy as np

from musegen_lib.core.keys import CHURCH_MODES, FIFTHS_ABOVE_MAJOR, TONIC_PITCH_CLASS
from musegen_lib.core.piece import Piece, pitched_notes
from musegen_lib.core.scales import best_scale, name_key
from musegen_lib.corpus.modes import PENTATONIC_MODES, western_mode


def obeys_key(piece: Piece) -> bool | None:
    """Whether the notes are in the mode that the piece's key names; None where it names none that we know.

    Western modes go by their third, second, sixth and seventh (`corpus.modes`); of a pentatonic mode no other of the
    twelve pentatonic scales may hold more of the sounding time. It tells major from minor, which `key_fit` cannot.

    >>> obeys_key(Piece.from_notes([(0, 2, 60), (2, 2, 63), (4, 4, 60)], key="C major"))
    False
    """
    tonic, _, mode = (piece.key or "").partition(" ")
    if tonic not in TONIC_PITCH_CLASS or mode not in FIFTHS_ABOVE_MAJOR:
        return None
    notes = pitched_notes(piece)
    weight = np.bincount(notes["pitch"] % 12, weights=notes["duration_steps"], minlength=12)
    degrees = np.roll(weight, -TONIC_PITCH_CLASS[tonic])
    if mode not in CHURCH_MODES:
        return western_mode(degrees) == mode
    gong = next(above for above, name in PENTATONIC_MODES.items() if name == mode)
    shares = [np.roll(degrees, gong - shift)[list(PENTATONIC_MODES)].sum() for shift in range(12)]
    return bool(shares[0] >= max(shares))


def guess_key(piece: Piece) -> str | None:
    """Name the key by its best-fitting scale and its last note, such as "D dorian"; None for a piece without notes.

    Among scales that fit equally well, that one counts in which the last note is home in the first of
    `core.scales.MODES`. It names the written key of 73 % of the validation tunes; most others end away from home, or
    are written in a relative key.

    >>> guess_key(Piece.from_notes([(0, 2, 67), (2, 2, 64), (4, 4, 60)]))
    'C major'
    """
    notes = pitched_notes(piece)
    return name_key(best_scale(piece), int(notes["pitch"][-1])) if len(notes) else None
