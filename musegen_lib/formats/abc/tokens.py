"""The smallest pieces of ABC music: tokens, note lengths and counts. A parser raises ValueError; `tunes` adds the line.

Source: the ABC standard 2.1, https://abcnotation.com/wiki/abc:standard:v2.1, section 4.
"""

from __future__ import annotations

import re
from functools import lru_cache

ACCIDENTALS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
NATURALS = dict(zip("CDEFGABcdefgab", (60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79, 81, 83)))
MAX_NUMBER = 9999  # no honest count of units, notes or bars is longer

_LENGTH = r"\d*/*\d*"
_PITCH = r"(?P<accidental>\^\^|\^|__|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)"
_NOTES = r"[A-Ga-gz^_=\d/,'|\[\]]{2,}"  # what stands between two "!" that break lines is music
_WORDS = r"(?:[A-Za-z][h-tw]|[h-tw][A-Za-z]|[H-Y]{2}|D\.[ ]?[CS]\.)"  # what only words between two "!" hold
_SPACED = rf"!(?=[^!|\"\[\]{{}}]*{_WORDS})[^!|\"\[\]{{}}]*! | \+(?=[^+|\"\[\]{{}}]*{_WORDS})[a-zA-Z.<>() ]*\+"
_FERMATA = r"H(?=[^\s\d/,')|:-]|[ ]*(?::[:|]|\|[|\]:]))"
_ENDING = r"\d+(?:[,-]\d+)*"
TOKEN = re.compile(  # the third line passes over spaces, slurs, line breaks, and letters and signs that decorate a note
    rf"""(?P<note>{_PITCH}(?P<length>{_LENGTH}))[ )]*
    | (?P<bar>(?P<line>:*\|+[:|\]]*|\[\|[:|\]]*|::+)(?P<ending>{_ENDING})?)[ ]*
    | [ \t)]+ | \((?!\d) | [.~*\\$]+ | [I-NP-RT-Wh-w]+ | y\d*
    | (?P<rest>[zxZX])(?P<rest_length>{_LENGTH})
    | (?P<text>"[^"]*")
    | (?P<decoration>!f*! | !(?!{_NOTES}!)[^!\s]*! | \+f*\+ | \+(?!{_NOTES}\+)[a-zA-Z.<>()]+\+ | {_SPACED} | [SO]
        | {_FERMATA})
    | !
    | \{{(?P<grace>[^{{}}]*)\}}
    | \[(?P<field>[A-Za-z]):(?P<value>[^\[\]]*)\]
    | \[(?P<bracket>{_ENDING}|"\d[^"]*"(?![^\[\]|]*\]))
    | \[(?![\d|])(?P<chord>(?:"[^"]*"|[^\[\]|"])*)\](?P<chord_length>{_LENGTH})
    | \((?P<tuplet>[2-9](?!\d)|[1-9]\d)(?::(?P<q>\d*)(?::(?P<r>\d*))?)?
    | (?P<broken>[<>]+)
    | (?P<tie>-)
    | (?P<overlay>&+)
    | (?P<colon>:)
    | (?P<stray>[\d/]+|H[,']*[\d/]*|\S)""",
    re.VERBOSE,
)
ENDING = re.compile(_ENDING)
CHORD_NOTE = re.compile(rf"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)({_LENGTH})(-?)")
NOT_IN_CHORD = re.compile(r'"[^"]*"|![^!]*!|\+[a-zA-Z.]+\+')  # letters that are no notes
OPEN_CHORD = re.compile(r"\[(?!\d)[A-Ga-g^_=,'/\d]{0,40}$")
TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # p notes in the time of; else two, or three in 6/8, 9/8, 12/8


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
