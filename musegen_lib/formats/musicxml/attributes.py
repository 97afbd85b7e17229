"""<attributes> of MusicXML: divisions, metres, keys and transpositions. Used by `parts` and `measures`.

Source: MusicXML 4.0, https://www.w3.org/2021/06/musicxml40/.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

from musegen_lib.core.keys import FIFTHS, FIFTHS_ABOVE_MAJOR, metre_to_beats, transpose_key


@dataclass(frozen=True)
class Key:
    """A key signature: `n_sharps` is negative for flats; `mode` None where the file states none that is known."""

    n_sharps: int
    mode: str | None

    @property
    def name(self) -> str:
        """Such as 'A minor'; major where no mode is stated.

        >>> Key(-1, "minor").name, Key(2, None).name
        ('D minor', 'D major')
        """
        mode = self.mode if self.mode in FIFTHS_ABOVE_MAJOR else "major"
        place = self.n_sharps + FIFTHS_ABOVE_MAJOR[mode] + 1
        return FIFTHS[place % 7] + ("#" * (place // 7) if place >= 0 else "b" * -(place // 7)) + f" {mode}"


@dataclass(frozen=True)
class Transposition:
    """From written to sounding pitch: semitones and, where the file tells, letters; `doubled` semitones away."""

    chromatic: int = 0
    diatonic: int | None = None
    octaves: int = 0
    doubled: int = 0

    @property
    def semitones(self) -> int:
        """Chromatic steps and octaves together."""
        return self.chromatic + 12 * self.octaves

    def key_name(self, key: Key) -> str:
        """The key that sounds where this one is written.

        >>> Transposition(-2, -1).key_name(Key(2, "major")), Transposition(-3).key_name(Key(0, "minor"))
        ('C major', 'F# minor')
        """
        if self.diatonic is None:
            return transpose_key(key.name, self.chromatic)
        moved = Key(key.n_sharps + 7 * self.chromatic - 12 * self.diatonic, key.mode)
        return moved.name if abs(moved.n_sharps) <= 7 else transpose_key(key.name, self.chromatic)


AS_WRITTEN = Transposition()


class Attributes:
    """What is in force in a part; `read` takes the next <attributes>."""

    def __init__(self) -> None:
        self.divisions = Fraction(1)
        self.transpositions: dict[str | None, Transposition] = {None: AS_WRITTEN}  # by staff; None for the others
        self.key: Key | None = None
        self.bar_beats = Fraction(0)  # 0 without metre
        self.repeated = 0  # how many measures a sign says to play again

    def read(self, attributes: ET.Element) -> Iterator[tuple[str, Any]]:
        """Yield "metre", its name or None; "key", (name as it sounds, `Key` as written); the counts of the report."""
        if attributes.find("divisions") is not None:
            self.divisions = parse_divisions(attributes.findtext("divisions"))
        for transpose in attributes.findall("transpose"):
            staff = transpose.get("number")
            self.transpositions = {**(self.transpositions if staff else {}), staff: parse_transposition(transpose)}
        yield from self._read_keys(attributes.findall("key"))
        if self.key and (attributes.find("key") is not None or attributes.find("transpose") is not None):
            yield "key", (self.transposition("1").key_name(self.key), self.key)
        for time in attributes.findall("time"):
            if time.get("number", "1") == "1":
                metre = parse_metre(time)
                self.bar_beats = metre_to_beats(metre) if metre else Fraction(0)
                yield "metre", metre
        for style in attributes.findall("measure-style/*"):
            if style.tag == "measure-repeat":
                self.repeated = 0 if style.get("type") == "stop" else number(style, 1, 100)
            elif style.tag != "multiple-rest" and style.get("type") != "stop":
                yield "unread", style.tag

    def transposition(self, staff: str | None) -> Transposition:
        """The transposition of a staff."""
        return self.transpositions.get(staff) or self.transpositions.get(None, AS_WRITTEN)

    def _read_keys(self, keys: list[ET.Element]) -> Iterator[tuple[str, Any]]:
        for key in keys:
            if key.get("number", "1") == "1":
                self.key = parse_key(key)
                if self.key is None:
                    yield "unread", "key"
            elif parse_key(key) != self.key:
                yield "staff_keys", True


@lru_cache(64)
def parse_divisions(text: str | None) -> Fraction:
    """Read <divisions>, the units of <duration> in a quarter note."""
    return Fraction(str(read_number(text, 1e-3, 1e6, "<divisions> ")))


def parse_metre(time: ET.Element) -> str | None:
    """Read <time>: several pairs and sums become one metre; None for music without metre.

    >>> parse_metre(ET.fromstring("<time><beats>2</beats><beat-type>4</beat-type>"
    ...                           "<beats>3+2</beats><beat-type>8</beat-type></time>"))
    '9/8'
    """
    if time.find("senza-misura") is not None:
        return None
    units = [number(each, 1, 64) for each in time.findall("beat-type")]
    counts = [
        sum(Fraction(str(read_number(text, 0.25, 255, "<beats> "))) for text in (each.text or "").split("+"))
        for each in time.findall("beats")
    ]
    if not units or len(units) != len(counts):
        raise ValueError("<time> needs as many <beats> as <beat-type>, at least one; correct it")
    for count, unit in zip(counts, units):
        metre_to_beats(f"{math.ceil(count)}/{unit}")
    unit = max(units)
    beats = sum(count * unit / each for count, each in zip(counts, units))
    metre = f"{beats.numerator}/{unit * beats.denominator}"
    metre_to_beats(metre)
    return metre


def parse_key(element: ET.Element) -> Key | None:
    """Read <key>; None for accidentals that no traditional key has."""
    if element.find("fifths") is not None:
        mode = (element.findtext("mode") or "").strip().lower()
        return Key(number(element.find("fifths"), -15, 15), mode if mode in FIFTHS_ABOVE_MAJOR else None)
    alters = [read_number(each.text, -12, 12, "<key-alter> ") for each in element.findall("key-alter")]
    altered = {(step.text or "").strip(): alter for step, alter in zip(element.findall("key-step"), alters) if alter}
    n_sharps = len(altered)
    if altered == dict.fromkeys(FIFTHS[:n_sharps], 1):
        return Key(n_sharps, None)
    return Key(-n_sharps, None) if altered == dict.fromkeys(FIFTHS[::-1][:n_sharps], -1) else None


def parse_transposition(element: ET.Element) -> Transposition:
    """Read <transpose>."""
    double = element.find("double")
    return Transposition(
        chromatic=number(element.find("chromatic"), -127, 127),
        diatonic=number(element.find("diatonic"), -70, 70) if element.find("diatonic") is not None else None,
        octaves=number(element.find("octave-change"), -10, 10) if element.find("octave-change") is not None else 0,
        doubled=0 if double is None else 12 if double.get("above") == "yes" else -12,
    )


def read_number(text: str | None, lowest: float, highest: float, tag: str = "") -> float:
    """Read a number; what is missing, no number or out of range is named."""
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not lowest <= value <= highest:
        given = (text or "").strip()[:20]
        raise ValueError(f"{tag}{given!r} must be a number from {lowest:g} to {highest:g}; correct it")
    return value


def number(element: ET.Element | None, lowest: float, highest: float) -> int:
    """Read a whole number; MusicXML allows decimals nearly everywhere."""
    if element is None:
        raise ValueError("a number is missing; export it again")
    return round(read_number(element.text, lowest, highest, f"<{element.tag}> "))
