"""<direction>, <sound> and <barline> of MusicXML: tempo, and the signs that say in which order measures are played.

Each function yields (kind, value). Kinds: "tempo_qpm"; "tempo_ratio", new tempo by old; the fields of
`formats.repeats.Measure`; "ending", a (type, numbers); "coda sign", which leads to the coda or begins it; "unread".
Source: MusicXML 4.0, https://www.w3.org/2021/06/musicxml40/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree as ET

from musegen_lib.formats.musicxml.attributes import read_number

Event = tuple[str, Any]
_NAMES = ("maxima", "long", "breve", "whole", "half", "quarter", "eighth")
_NAMES += ("16th", "32nd", "64th", "128th", "256th", "512th", "1024th")
BEAT_UNITS = {name: Fraction(32, 2**power) for power, name in enumerate(_NAMES)}
WORDS = {  # what directions say in words alone
    "to_coda": re.compile(r"(to|al)\s+coda\b", re.I),
    "is_coda": re.compile(r"coda\W*$", re.I),
    "is_segno": re.compile(r"segno\W*$", re.I),
    "is_fine": re.compile(r"fine\W*$", re.I),
    "da capo": re.compile(r"(d\.?\s?c\.?|da\s*capo)(\s|$)", re.I),
    "dal segno": re.compile(r"(d\.?\s?s\.?|dal\s*segno)(\s|$)", re.I),
}
JUMPS = {"dacapo": "da capo", "dalsegno": "dal segno"}
MARKS = {"segno": "is_segno", "coda": "is_coda", "tocoda": "to_coda", "fine": "is_fine"}
MAX_ENDING = 100


def read_direction(direction: ET.Element) -> Iterator[Event]:
    """What one direction says; where its <sound> and its print say the same, the sound counts."""
    events: list[Event] = []
    sound = direction.find("sound")
    if sound is not None:
        events += read_sound(sound)
    kinds = {kind for kind, _ in events}
    words = " ".join(" ".join(each.text or "" for each in direction.iter("words")).split())
    for kind, wording in WORDS.items():
        if wording.match(words):
            events.append(("jump", kind) if " " in kind else (kind, True))
            kinds.add(events[-1][0])
            break
    for sign in direction.findall("direction-type/*"):
        if sign.tag == "metronome" and "tempo_qpm" not in kinds:
            events.append(_read_metronome(sign))
        elif sign.tag == "segno":
            events.append(("is_segno", True))
        elif sign.tag == "coda" and not kinds & {"is_coda", "to_coda", "jump"}:
            events.append(("coda sign", True))
    yield from events


def read_sound(sound: ET.Element) -> Iterator[Event]:
    """What playback is told."""
    if sound.get("tempo"):
        tempo = read_number(sound.get("tempo"), 0, 1e9, "<sound> tempo ")
        yield ("tempo_qpm", tempo) if 1e-6 < tempo < 10_000 else ("unread", True)
    for name, jump in JUMPS.items():
        if sound.get(name, "no") != "no":
            yield "jump", jump
    for name, field in MARKS.items():
        if sound.get(name, "no") != "no":
            yield field, True
    if sound.get("forward-repeat") == "yes":
        yield "repeat_begins", True
    for change in (*sound.findall("midi-instrument/midi-program"), *sound.findall("swing")):
        yield "unread", change.tag


def read_barline(barline: ET.Element) -> Iterator[Event]:
    """Repeat signs, endings and the signs of jumps on a bar line."""
    repeat, ending = barline.find("repeat"), barline.find("ending")
    if repeat is not None and repeat.get("direction") == "forward":
        yield "repeat_begins", True
    elif repeat is not None:
        yield "times", round(read_number(repeat.get("times", "2"), 1, 1e6, "<repeat> times "))
        if repeat.get("after-jump") == "yes":
            yield "unread", "after-jump"
    if ending is not None:
        numbers = _read_endings(ending.get("number", ""))
        yield ("ending", (ending.get("type"), numbers)) if numbers else ("unread", "ending")
    if barline.get("segno") is not None or barline.find("segno") is not None:
        yield "is_segno", True
    if barline.get("coda") is not None or barline.find("coda") is not None:
        yield "coda sign", True


def _read_endings(text: str) -> tuple[int, ...]:
    """Numbers of a bracket.

    >>> _read_endings("1, 2"), _read_endings("1-3"), _read_endings(" ")
    ((1, 2), (1, 2, 3), ())
    """
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?", text):
        numbers.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(numbers)) if numbers and min(numbers) > 0 and max(numbers) <= MAX_ENDING else ()


def _read_metronome(metronome: ET.Element) -> Event:
    """Quarter notes a minute of "dotted quarter = 60", or the change of "quarter = half"."""
    units: list[Fraction] = []
    dot = Fraction(0)
    for child in metronome:
        if child.tag == "beat-unit":
            units.append(BEAT_UNITS.get((child.text or "").strip(), Fraction(0)))
            dot = units[-1] / 2
        elif child.tag == "beat-unit-dot" and units:
            units[-1] += dot
            dot /= 2
    found = re.search(r"\d+(?:[.,]\d+)?", metronome.findtext("per-minute", ""))
    if len(units) == 1 and found:
        tempo = float(found[0].replace(",", ".")) * float(units[0])
        return ("tempo_qpm", round(tempo, 6)) if 1e-6 < tempo < 10_000 else ("unread", "metronome")
    if len(units) == 2 and all(units) and not found:
        return "tempo_ratio", float(units[1] / units[0])
    return "unread", "metronome"
