"""The small grammars of ABC: tokens, keys, metres and lengths. A parser raises ValueError; `reader` adds file and line.

Source: the ABC standard 2.1, https://abcnotation.com/wiki/abc:standard:v2.1, sections 3.1 and 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from musegen_lib.core.keys import FIFTHS, FIFTHS_ABOVE_MAJOR, metre_to_beats

ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
NATURALS = dict(zip("CDEFGABcdefgab", (60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79, 81, 83)))
MODES = {  # by their first three letters
    **dict.fromkeys(("", "maj", "ion"), "major"),
    **dict.fromkeys(("m", "min", "aeo"), "minor"),
    **{name[:3]: name for name in ("mixolydian", "dorian", "phrygian", "locrian", "lydian")},
}
MAX_NUMBER = 9999  # no honest count of units, notes or bars is longer
_KEY = re.compile(r"([A-G])([#b]?)\s*((?i:maj|ion|mix|dor|min|aeo|phr|loc|lyd|m(?![a-z])))?")
_KEY_ACCIDENTAL = re.compile(r"(?<=\s)(\^\^|\^|__|_|=)([A-Ga-g])")
_METRE = re.compile(r"\(?([\d+ ]+)\)?/(\d+)")
_UNIT = re.compile(r"(\d+)/(\d+)")

_LENGTH = r"\d*/*\d*"
_PITCH = r"(?P<accidental>\^\^|\^|__|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)"
TOKEN = re.compile(  # whatever matches nothing (slurs, spaces, decorations such as ~ . T) is passed over
    rf"""(?P<note>{_PITCH}(?P<length>{_LENGTH}))
    | (?P<bar>:*\|+[:|\]]*|\[\|[:|\]]*|::+)
    | (?P<rest>[zxZX])(?P<rest_length>{_LENGTH})
    | (?P<skip>"[^"]*" | ![^!\s]*! | \+[a-zA-Z.<>()]+\+ | &[^|]*)   # text, decorations, a second layer
    | \{{(?P<grace>[^{{}}]*)\}}
    | \[(?P<field>[A-Za-z]):(?P<value>[^\[\]]*)\]
    | \[(?![\d|])(?P<chord>[^\[\]|]*)\](?P<chord_length>{_LENGTH})
    | \((?P<tuplet>[2-9])(?::(?P<q>\d*)(?::(?P<r>\d*))?)?
    | (?P<broken>[<>]+)
    | (?P<tie>-)""",
    re.VERBOSE,
)
CHORD_NOTE = re.compile(rf"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)({_LENGTH})(-?)")
OPEN_CHORD = re.compile(r"\[(?!\d)[A-Ga-g^_=,'/\d]{0,40}$")
TUPLET_TIME = {2: 3, 3: 2, 4: 3, 5: 2, 6: 2, 7: 2, 8: 3, 9: 2}  # p notes in the time of; 5, 7, 9: 3 in 6/8, 9/8, 12/8


@dataclass(frozen=True)
class Key:
    """A key signature: `name` such as 'D dorian' or None, `alters` from letters in both cases to semitones."""

    name: str | None
    n_sharps: int  # negative: flats
    alters: MappingProxyType[str, int]


@lru_cache(maxsize=256)
def parse_key(value: str) -> Key:
    """Read the value of a K: field; one that names no key has no accidentals.

    >>> key = parse_key("Ador")
    >>> key.name, dict(key.alters)
    ('A dorian', {'F': 1, 'f': 1})
    """
    value = value.split("%")[0].strip()
    if value.lower() == "hp":  # Highland pipes: A mixolydian, whose two sharps Hp prints and HP does not
        return Key("A mixolydian", 2 if value == "Hp" else 0, _alters(2 if value == "Hp" else 0))
    match = _KEY.match(value)
    if not match:
        return Key(None, 0, _alters(0))
    letter, accidental, mode = match.groups(default="")
    name = MODES[mode.lower()]
    n_sharps = FIFTHS.index(letter) - 1 + {"#": 7, "b": -7, "": 0}[accidental] - FIFTHS_ABOVE_MAJOR[name]
    explicit = re.search(r"\bexp\b", value) is not None  # "exp": only the accidentals that follow
    more = {n: ACCIDENTALS[a] for a, n in _KEY_ACCIDENTAL.findall(value)}
    return Key(
        None if explicit else f"{letter}{accidental} {name}", n_sharps, _alters(0 if explicit else n_sharps, more)
    )


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
    value = value.split("%")[0].strip()
    if value.lower() in ("c", "c|"):
        return "2/2" if value.endswith("|") else "4/4"
    match = _METRE.match(value)
    if not match:
        return None
    beats = sum(parse_number(digits) for digits in re.findall(r"\d+", match[1]))
    metre = f"{beats}/{parse_number(match[2])}"
    metre_to_beats(metre)  # raises ValueError for 4/0 or 4/3
    return metre


def parse_unit(value: str) -> Fraction | None:
    """Read the value of an L: field, as a part of a whole note; None where it holds no fraction.

    >>> parse_unit("1/16")
    Fraction(1, 16)
    """
    match = _UNIT.match(value)
    if not match:
        return None
    numerator, denominator = parse_number(match[1]), parse_number(match[2])
    if not numerator or not denominator:
        raise ValueError(f"L:{match[0]} is no note length; write one such as L:1/8")
    return Fraction(numerator, denominator)


def default_unit(metre: str | None) -> Fraction:
    """Unit note length where no L: field stands: a sixteenth in metres shorter than 3/4, else an eighth."""
    return Fraction(1, 16) if metre and metre_to_beats(metre) < 3 else Fraction(1, 8)


@lru_cache(maxsize=1024)
def parse_length(text: str) -> tuple[int, int]:
    """Read the length after a note as numerator and denominator, in unit note lengths.

    >>> parse_length(""), parse_length("3/2"), parse_length("//")
    ((1, 1), (3, 2), (1, 4))
    """
    above, slashes, below = text[: len(text) - len(text.lstrip("0123456789"))], text.count("/"), text.rpartition("/")[2]
    if slashes > 6:
        raise ValueError(f"the note length {text[:20]!r} has more than six slashes; write it as a fraction such as 1/8")
    numerator = parse_number(above) if above else 1
    denominator = 1 if not slashes else parse_number(below) if below else 2**slashes
    if not numerator or not denominator:
        raise ValueError(f"the note length {text!r} is zero or divides by zero; write a fraction such as 3/2")
    return numerator, denominator


def parse_number(digits: str) -> int:
    """Read a count; more than MAX_NUMBER is refused before it can cost time or memory."""
    if len(digits) > 9 or int(digits) > MAX_NUMBER:
        raise ValueError(
            f"the number {digits[:12]}{'...' * (len(digits) > 12)} is above {MAX_NUMBER:,}; correct the file"
        )
    return int(digits)
