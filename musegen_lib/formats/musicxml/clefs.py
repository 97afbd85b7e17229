"""Which clef each voice stands in: by its place among the voices, and only then by its range. Used by `writer`."""

from __future__ import annotations

import numpy as np

from musegen_lib.core.piece import DRUMS, Piece

MIDDLE = {"treble": 71, "treble8vb": 59, "bass": 50}  # the pitch on the middle line
LEDGER = 14  # semitones from there to the second ledger line
PLACES = {
    2: ("treble", "bass"),
    3: ("treble", "treble", "bass"),
    4: ("treble", "treble", "treble8vb", "bass"),  # soprano, alto, tenor, bass
}
EQUAL = 5  # two voices whose means are less than a fourth apart are equals and share a clef, as a tune and its variant


def choose_clefs(piece: Piece) -> list[str]:
    """Return "treble", "treble8vb", "bass" or "percussion" for each voice, at least one.

    Two to four voices of single notes are an ensemble if the last can be its bass: each has the clef of its place, high
    or low as it may lie, unless its mean pitch passes the second ledger line. Any other voice has that of its range.
    """
    voices = [piece.notes[piece.notes["voice"] == voice] for voice in range(max(1, piece.n_voices))]
    drums = [piece.program(voice) == DRUMS for voice in range(len(voices))]
    clefs = ["percussion" if is_drum else _clef_of_range(notes) for notes, is_drum in zip(voices, drums)]
    pitched = [voice for voice, is_drum in enumerate(drums) if not is_drum]
    means = [voices[voice]["pitch"].mean() for voice in pitched if len(voices[voice])]
    if len(means) < len(pitched) or len(pitched) not in PLACES or any(_has_chords(voices[voice]) for voice in pitched):
        return clefs
    if len(pitched) == 2 and abs(means[0] - means[1]) < EQUAL:
        clefs[pitched[1]] = clefs[pitched[0]]
        return clefs
    is_bass = means[-1] - MIDDLE["bass"] < LEDGER if len(pitched) == 4 else clefs[pitched[-1]] != "treble"
    if not is_bass:
        return clefs
    for voice, mean, clef in zip(pitched, means, PLACES[len(pitched)]):
        clefs[voice] = clef if abs(mean - MIDDLE[clef]) < LEDGER else clefs[voice]
    return clefs


def _clef_of_range(notes: np.ndarray) -> str:
    """The clef that needs few ledger lines: treble, bass or, for one note at a time, tenors' treble an octave lower."""
    pitches, has_chords = notes["pitch"], _has_chords(notes)
    if not len(notes) or pitches.min() >= 55 or pitches.mean() >= (60 if has_chords else 62):
        return "treble"
    return "treble8vb" if pitches.mean() >= 55 and not has_chords else "bass"


def _has_chords(notes: np.ndarray) -> bool:
    return len(np.unique(notes["onset_steps"])) < len(notes)
