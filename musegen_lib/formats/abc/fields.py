"""The fields of ABC: keys, metres, unit lengths, tempi and what a voice says of itself. A parser raises ValueError.

Source: the ABC standard 2.1, https://abcnotation.com/wiki/abc:standard:v2.1, sections 3.1 and 4.6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from musegen_lib.core.keys import FIFTHS, FIFTHS_ABOVE_MAJOR, metre_to_beats
from musegen_lib.formats.abc.tokens import ACCIDENTALS, NATURALS, parse_number

SIGNS = str.maketrans("♭♯", "b#")
MODES = {  # by their first three letters
    **dict.fromkeys(("", "maj", "ion"), "major"),
    **dict.fromkeys(("m", "min", "aeo"), "minor"),
    **{name[:3]: name for name in ("mixolydian", "dorian", "phrygian", "locrian", "lydian")},
}
_KEY = re.compile(r"([A-G])([#b]?)\s*((?i:maj|ion|mix|dor|min|aeo|phr|loc|lyd|m(?![a-z])))?")
_LOWER_TONIC = re.compile(r"[a-g][#b]?\s*(?:(?:maj|ion|mix|dor|min|aeo|phr|loc|lyd)[a-z]*|m)?(?![A-Za-z])")
_CLEF_WORD = re.compile(r"(?:treble|bass|alto|tenor|perc)", re.IGNORECASE)
_KEY_ACCIDENTAL = re.compile(r"(\^\^|\^|__|_|=)([A-Ga-g])(?![a-z])")
_PROPERTY = re.compile(r"(?<!\S)([a-z]+)=(\"[^\"]*\"|\S+)")
_SHIFT = re.compile(r"([_^=]*)([A-Ga-g])([,']*)" * 2)
_CLEF = re.compile(r"(?:treble|bass|alto|tenor|none|[GCF])\d?([+-]8)(?:va)?|(-8)va", re.IGNORECASE)
_METRE = re.compile(r"\(?([\d+ ]+)\)?/(\d+)")
_METRE_SUM = re.compile(r"(?<=/\d)\+")  # of metres, as in 3/4+2/8
_UNIT = re.compile(r"(\d+)\s*(?:/\s*(\d+))?(?!\d|\.\d|\s*/)")
_TEMPO = re.compile(  # 1/4=120, also 1/4=ca. 120, but not 1/8=1/4
    r"([\d/ ]+|C[\d/]*)[=:]\s*(?:~|(?i:circa|ca?|approx|about)\b\.?|(?i:ca?)(?=\d))?\s*(\d{1,4}(?:\.\d{1,9})?)(?![\d/])"
)
MAX_TEMPO_TEXT = 200
_BARE_TEMPO = re.compile(r"\d{1,4}(?:\.\d{1,9})?")


@dataclass(frozen=True)
class Key:
    """A key signature: `name` such as 'D dorian' or None, `alters` from letters in both cases to semitones."""

    name: str | None
    n_sharps: int  # negative: flats
    alters: MappingProxyType[str, int]
    unread: str = ""  # an accidental right behind the tonic


@lru_cache(maxsize=256)
def parse_key(value: str) -> Key:
    """Read the value of a K: field; one that names no key has no accidentals but those it lists.

    >>> key = parse_key("Ador")
    >>> key.name, dict(key.alters)
    ('A dorian', {'F': 1, 'f': 1})
    """
    value = _PROPERTY.sub("", value.partition("%")[0]).strip().translate(SIGNS)
    if value.partition(" ")[0].upper() == "HP":  # Highland bagpipes; Hp prints the two sharps and HP does not
        return Key("A mixolydian", 2, _alters(2))
    if _LOWER_TONIC.match(value):  # K:a minor
        value = value.capitalize()
    match = None if _CLEF_WORD.match(value) else _KEY.match(value)
    if not match:
        return Key(None, 0, _alters(0, _key_accidentals(value)))
    letter, accidental, mode = match.groups(default="")
    name = MODES[mode.lower()]
    n_sharps = FIFTHS.index(letter) - 1 + {"#": 7, "b": -7, "": 0}[accidental] - FIFTHS_ABOVE_MAJOR[name]
    explicit = re.search(r"\bexp\b", value) is not None  # "exp": only the accidentals that follow
    rest = value[match.end() :]
    is_glued = value[len(letter + accidental) :] == rest  # no space and no mode: abc2midi reads "^G" as a mode
    glued = _KEY_ACCIDENTAL.match(rest) if is_glued else None
    more = _key_accidentals(rest[glued.end() if glued else 0 :])
    alters = _alters(0 if explicit else n_sharps, more)
    return Key(None if explicit else f"{letter}{accidental} {name}", n_sharps, alters, glued[0] if glued else "")


def names_key(value: str) -> bool:
    """Whether a K: field says anything of the key; K:clef=bass and K:bass do not."""
    key = parse_key(value)
    said = _PROPERTY.sub("", value.partition("%")[0]).strip()
    return bool(key.name or key.alters) or not (said or value.strip()) or said.lower().startswith("none")


def _key_accidentals(text: str) -> dict[str, int]:
    return {letter: ACCIDENTALS[sign] for sign, letter in _KEY_ACCIDENTAL.findall(text)}


def _alters(n_sharps: int, more: dict[str, int] | None = None) -> MappingProxyType[str, int]:
    order, sign = (FIFTHS, 1) if n_sharps > 0 else (FIFTHS[::-1], -1)
    alters: dict[str, int] = {}
    for i in range(abs(n_sharps)):
        alters[order[i % 7]] = alters.get(order[i % 7], 0) + sign
    alters |= {letter.upper(): alter for letter, alter in (more or {}).items()}
    return MappingProxyType({case: alter for letter, alter in alters.items() for case in (letter, letter.lower())})


def spelling_in(n_sharps: int, is_minor: bool = False) -> dict[int, tuple[str, int]]:
    """Spell the twelve pitch classes as (letter, semitones): neighbours of the key on the line of fifths.

    In major they run from the lowered third to the raised fifth, in minor from the lowered second to the raised fourth.

    >>> spelling_in(0)[8], spelling_in(-3)[8]  # G sharp in C major, A flat in E flat major
    (('G', 1), ('A', -1))
    """
    lowest = min(1, max(-8, n_sharps - (2 if is_minor else 3)))  # 0 is C; from F flat to B sharp at most
    return {7 * place % 12: (FIFTHS[(place + 1) % 7], (place + 1) // 7) for place in range(lowest, lowest + 12)}


@lru_cache(maxsize=256)
def parse_metre(value: str) -> str | None:
    """Read the value of an M: field; None for 'none' and for words.

    >>> parse_metre("C|"), parse_metre("(2+3)/8"), parse_metre("none")
    ('2/2', '5/8', None)
    """
    value = re.sub(r" ?([+/]) ?", r"\1", value.split("%")[0].strip())
    if value.lower() in ("c", "c|"):
        return "2/2" if value.endswith("|") else "4/4"
    parts = [_METRE.match(part) for part in _METRE_SUM.split(value)]
    if not all(parts):
        return None
    below = max(parse_number(part[2]) for part in parts)
    beats = [parse_number(digits) * (below // (parse_number(n) or 1) or 1) for n, digits in _beats(parts)]
    metre = f"{sum(beats)}/{below}"
    metre_to_beats(metre)  # raises ValueError for 4/0 or 4/3
    return metre


def _beats(parts: list[re.Match[str]]) -> list[tuple[str, str]]:
    """Each number of beats with the lower number under it."""
    return [(part[2], digits) for part in parts for digits in re.findall(r"\d+", part[1])]


def parse_unit(value: str) -> Fraction | None:
    """Read the value of an L: field, as a part of a whole note; None where it holds no fraction.

    >>> parse_unit("1/16")
    Fraction(1, 16)
    """
    match = _UNIT.match(value)
    if not match:
        return None
    numerator, denominator = parse_number(match[1]), parse_number(match[2] or "1")
    if not numerator or not denominator:
        raise ValueError(f"L:{match[0]} is no note length; write one such as L:1/8")
    return Fraction(numerator, denominator)


def default_unit(metre: str | None) -> Fraction:
    """Unit note length where no L: field stands: a sixteenth in metres shorter than 3/4, else an eighth."""
    return Fraction(1, 16) if metre and metre_to_beats(metre) < 3 else Fraction(1, 8)


def parse_tempo(value: str, unit: Fraction) -> float | None:
    """Quarter notes a minute from the value of a Q: field; None where it states no number, or one out of range.

    Args:
        unit: the unit note length, which a number alone counts, and which C stands for.

    >>> parse_tempo('"Allegro" 1/4=96', Fraction(1, 8)), parse_tempo("3/8=60", Fraction(1, 8))
    (96.0, 90.0)
    >>> parse_tempo("180", Fraction(1, 8)), parse_tempo("1/4 3/8=40", Fraction(1, 8))
    (90.0, 100.0)
    >>> parse_tempo("1/4 = ca. 120", Fraction(1, 8)), parse_tempo("1/8 = 1/4", Fraction(1, 8))  # the second is swing
    (120.0, None)
    """
    value = re.sub(r'"[^"]*"', " ", value.partition("%")[0]).strip()
    match, bare = _TEMPO.search(value[:MAX_TEMPO_TEXT]), _BARE_TEMPO.fullmatch(value)
    if match:
        beats, number = match[1].strip(), match[2]
        lengths = [unit * _fraction(beats[1:] or "1")] if beats[:1] == "C" else map(_fraction, beats.split())
        tempo = float(4 * sum(lengths) * Fraction(number))
    else:
        tempo = float(4 * unit * Fraction(bare[0])) if bare else 0.0
    return tempo if 0 < tempo < 10_000 else None


def _fraction(text: str) -> Fraction:
    above, _, below = text.partition("/")
    if not (above.isdecimal() and (below or "1").isdecimal()):
        return Fraction(0)
    return Fraction(parse_number(above), max(1, parse_number(below or "1")))


def _semitones(accidental: str, letter: str, octave: str) -> int:
    return NATURALS[letter] + ACCIDENTALS.get(accidental, 0) + 12 * (octave.count("'") - octave.count(","))


def parse_properties(value: str) -> dict[str, int]:
    """What K: and V: fields say of the sound: octave, transpose (semitones), clef (octaves), percussion (0 or 1).

    >>> parse_properties("clef=treble-8 name=Tenor"), parse_properties("octave=1 transpose=-2")
    ({'clef': -1}, {'octave': 1, 'transpose': -2})
    """
    found: dict[str, int] = {}
    named = dict(_PROPERTY.findall(value))
    for name in ("octave", "t", "transpose"):
        number = re.fullmatch(r"([+-]?)(\d{1,3})", named.get(name, "").strip('"'))
        if number:
            found["octave" if name == "octave" else "transpose"] = int(number[1] + number[2])
    shift = _SHIFT.fullmatch(named.get("shift", ""))
    if shift:
        found["transpose"] = _semitones(*shift.groups()[3:]) - _semitones(*shift.groups()[:3])
    words = [*_PROPERTY.sub(" ", value).split(), named.get("clef", "").strip('"')]
    clefs = [match for match in map(_CLEF.fullmatch, words) if match]
    if clefs:
        found["clef"] = 1 if (clefs[-1][1] or clefs[-1][2]).startswith("+") else -1
    elif any(_CLEF_WORD.match(word) for word in words):
        found["clef"] = 0
    if any(word.lower().startswith("perc") for word in words):
        found["percussion"] = 1
    return found
