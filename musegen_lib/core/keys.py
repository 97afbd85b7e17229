"""Names of keys and metres: how long a bar is, where a tonic stands, how a key is spelt."""

from __future__ import annotations

from fractions import Fraction

PITCH_CLASSES = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
LETTER_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
TONIC_PITCH_CLASS = {
    letter + sign: (semitones + shift) % 12
    for letter, semitones in LETTER_SEMITONES.items()
    for sign, shift in (("", 0), ("#", 1), ("b", -1))
}
FIFTHS = "FCGDAEB"  # letters a fifth apart: sharps arrive in this order, flats in the opposite one
FIFTHS_ABOVE_MAJOR = {  # how far a mode's tonic stands above that of the major key with the same accidentals
    "lydian": -1,
    **dict.fromkeys(("major", "ionian", "gong"), 0),
    **dict.fromkeys(("mixolydian", "zhi"), 1),
    **dict.fromkeys(("dorian", "shang"), 2),
    **dict.fromkeys(("minor", "aeolian", "yu"), 3),
    **dict.fromkeys(("phrygian", "jue"), 4),
    "locrian": 5,
}
CHINESE_MODES = {"宫": "gong", "商": "shang", "角": "jue", "徵": "zhi", "羽": "yu"}
CHURCH_MODES = {"gong": "major", "shang": "dorian", "jue": "phrygian", "zhi": "mixolydian", "yu": "minor"}
LINE_OF_FIFTHS = [letter + sign for sign in ("b", "", "#") for letter in FIFTHS]


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


def spell_key(pitch_class: int, mode: str) -> str:
    """Name a key with few sharps or flats.

    >>> spell_key(1, "major"), spell_key(1, "minor")
    ('Db major', 'C# minor')
    """
    fifths = FIFTHS_ABOVE_MAJOR.get(mode, 0)
    relative = PITCH_CLASSES[(pitch_class - 7 * fifths) % 12]  # the major key that spells it: C# minor as E major
    return f"{LINE_OF_FIFTHS[LINE_OF_FIFTHS.index(relative) + fifths]} {mode}".rstrip()


def plain_key(text: str) -> str:
    """A key as people write it, as the library names it: capitals, Chinese names of modes; other words stay.

    >>> plain_key("a Minor"), plain_key("bb major"), plain_key("D 商"), plain_key("H moll")
    ('A minor', 'Bb major', 'D shang', 'H moll')
    """
    tonic, _, mode = " ".join(text.split()).partition(" ")
    mode = CHINESE_MODES.get(mode, mode.lower())
    return f"{tonic[:1].upper()}{tonic[1:]} {mode}".rstrip()


def as_asked(key: str | None, asked: str | None) -> str | None:
    """The spelling that was asked for, if it names the same key; else the key as it is.

    >>> as_asked("F# major", "Gb major"), as_asked("F# minor", "Gb major"), as_asked("C major", None)
    ('Gb major', 'F# minor', 'C major')
    """
    (tonic, _, mode), (wish, _, wished) = (key or "").partition(" "), (asked or "").partition(" ")
    same = TONIC_PITCH_CLASS.get(tonic, -1) == TONIC_PITCH_CLASS.get(wish, -2) and mode == wished
    return asked if same else key


def church_key(key: str | None) -> str | None:
    """Name a pentatonic mode by the church mode with its tonic and accidentals, as notation needs it; others stay.

    >>> church_key("A yu"), church_key("D dorian")
    ('A minor', 'D dorian')
    """
    tonic, _, mode = (key or "").partition(" ")
    return f"{tonic} {CHURCH_MODES[mode]}" if mode in CHURCH_MODES else key


def transpose_key(key: str | None, semitones: int) -> str | None:
    """Move the tonic of a key such as "A minor"; a key without a known tonic stays as it is."""
    tonic, _, mode = (key or "").partition(" ")
    if tonic not in TONIC_PITCH_CLASS or semitones % 12 == 0:
        return key
    return spell_key(TONIC_PITCH_CLASS[tonic] + semitones, mode)
