"""Notes of MusicXML: as written, and as ties make them sound. Used by `parts` and `reader`.

Times are units, `units_per_beat` of them a quarter note, so many that each time of the file is a whole number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple
from xml.etree import ElementTree as ET

from musegen_lib.core.keys import LETTER_SEMITONES
from musegen_lib.core.limits import TICKS_PER_BEAT
from musegen_lib.formats.musicxml.attributes import number, parse_divisions, read_number

MOST_UNITS = 2**30  # a quarter note: times up to `limits.MAX_BEATS` on any grid stay below 2 ** 63
USUAL_UNITS = TICKS_PER_BEAT * 20_160  # 2^10 * 3^3 * 5 * 7, where the exact number is larger than MOST_UNITS


class Fragment(NamedTuple):
    """A written note, which a tie may join to others."""

    onset: int
    offset: int
    pitch: int
    is_drum: bool
    layer: str
    tied_back: bool
    tied_on: bool
    has_fermata: bool
    staff: int = 1


def units_per_beat(root: ET.Element) -> tuple[int, bool]:
    """A number of units a quarter note that makes every time of the file whole, and whether there is one.

    <divisions> may change, and they and every <duration> may be decimal.
    """
    units, wholes = TICKS_PER_BEAT, 1
    for text in {each.text for each in root.iter("divisions")}:
        units = math.lcm(units, parse_divisions(text).numerator)
    for text in {each.text for each in root.iter("duration")}:
        if text and "." in text:
            wholes = math.lcm(wholes, Fraction(str(read_number(text, 0, 1e9, "<duration> "))).denominator)
    return (units * wholes, True) if units * wholes <= MOST_UNITS else (USUAL_UNITS, False)


def merge_ties(fragments: Iterable[Fragment]) -> list[list[int]]:
    """Join what ties join, also from layer to layer: [onset, offset, pitch, is drum, has fermata, staff], sorted."""
    notes: list[list[int]] = []
    waiting: dict[tuple[int, int, bool], list[tuple[str, list[int]]]] = {}  # (offset, pitch, is a drum) -> tied on
    for onset, offset, pitch, is_drum, layer, tied_back, tied_on, has_fermata, staff in sorted(fragments):
        found = waiting.get((onset, pitch, is_drum)) if tied_back else None
        if found:
            note = found.pop(next((i for i, (other, _) in enumerate(found) if other == layer), 0))[1]
            note[1], note[4] = offset, note[4] or has_fermata
        else:
            note = [onset, offset, pitch, is_drum, has_fermata, staff]
            notes.append(note)
        if tied_on:
            waiting.setdefault((offset, pitch, is_drum), []).append((layer, note))
    return sorted(notes)


def read_pitch(element: ET.Element) -> tuple[int, bool]:
    """The pitch that is written, and whether it lies between two semitones."""
    alter, step = element.findtext("alter", "").strip(), element.findtext("step", "").strip()
    alteration = read_number(alter, -12, 12, "<alter> ") if alter else 0
    pitch = 12 * (number(element.find("octave"), -2, 10) + 1) + round(alteration)
    if step not in LETTER_SEMITONES or not 0 <= pitch + LETTER_SEMITONES[step] <= 127:
        raise ValueError(f"a note {step[:8]!r} in octave {element.findtext('octave')} is no MIDI pitch; correct it")
    return pitch + LETTER_SEMITONES[step], alteration != round(alteration)


def read_marks(children: dict[str, ET.Element], element: ET.Element) -> tuple[set[str | None], bool, bool]:
    """Types of the ties at a note, whether it has a fermata, and whether it has an ornament."""
    ties = {tie.get("type") for tie in element.findall("tie")} if "tie" in children else set()
    if "notations" not in children:
        return ties, False, False
    marks = [mark for notations in element.findall("notations") for mark in notations]
    tags = {mark.tag for mark in marks}
    ties = ties or {mark.get("type") for mark in marks if mark.tag == "tied"}
    return ties, "fermata" in tags, "ornaments" in tags
