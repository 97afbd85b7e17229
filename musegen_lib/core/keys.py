"""TODO."""

from __future__ import annotations

from fractions import Fraction

PITCH_CLASSES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def metre_to_beats(metre: str) -> Fraction:
    """Length of a bar in quarter notes.

    >>> metre_to_beats("6/8")
    Fraction(3, 1)
    """
    numerator, _, denominator = metre.partition("/")
    if not (numerator.isdecimal() and denominator.isdecimal() and 0 < int(numerator) < 256):
        raise ValueError(f"metre {metre!r} is not of the form '4/4'")
    if int(denominator) not in (1, 2, 4, 8, 16, 32, 64):
        raise ValueError(f"metre {metre!r}: the lower number must be a power of two up to 64")
    return Fraction(4 * int(numerator), int(denominator))


def _transpose_key(key: str | None, semitones: int) -> str | None:
    tonic, _, mode = (key or "").partition(" ")
    if tonic not in TONIC_PITCH_CLASS or semitones % 12 == 0:
        return key
    return spell_key(TONIC_PITCH_CLASS[tonic] + semitones, mode)


def spell_key(pitch_class: int, mode: str) -> str:
    """Name a key with few sharps or flats.

    >>> spell_key(1, "major"), spell_key(1, "minor")
    ('Db major', 'C# minor')
    """
    fifths = _FIFTHS_ABOVE_MAJOR.get(mode, 0)
    relative = PITCH_CLASSES[
        (pitch_class - 7 * fifths) % 12
    ]  # the major key that spells it: C# minor as E major, not Db
    return f"{_LINE_OF_FIFTHS[_LINE_OF_FIFTHS.index(relative) + fifths]} {mode}".rstrip()


_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


TONIC_PITCH_CLASS = {
    name + accidental: (pitch_class + shift) % 12
    for name, pitch_class in _NATURALS.items()
    for accidental, shift in (("", 0), ("#", 1), ("b", -1))
}


_LINE_OF_FIFTHS = [
    *("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D"),
    *("A", "E", "B", "F#", "C#", "G#", "D#", "A#", "E#"),
]


_FIFTHS_ABOVE_MAJOR = {"lydian": -1, "mixolydian": 1, "dorian": 2, "minor": 3, "phrygian": 4, "locrian": 5}
