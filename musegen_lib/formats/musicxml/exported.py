"""What music21's exporter cannot write, put into what it wrote: percussion, and keys that change inside a bar."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from xml.etree import ElementTree as ET

from musegen_lib.core.keys import LETTER_SEMITONES
from musegen_lib.formats.musicxml.instruments import HEADS, line_of, name_of

HEADER = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<!DOCTYPE score-partwise  PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
BEHIND_HEAD = ("notehead-text", "staff", "beam", "notations", "lyric")  # what follows <notehead> in a <note>
KeyChange = tuple[int, Fraction, int, str]  # bar, quarter notes from there to its end, sharps, mode


def complete(data: bytes, drums: Sequence[int], keys: Sequence[KeyChange], divisions: int) -> bytes:
    """Make parts percussion and insert keys.

    Args:
        data: MusicXML with parts P1, P2, ...
        drums: which of them, counted from 0, hold drums as notes of their MIDI pitch.
        divisions: units of <duration> in a quarter note.
    """
    if not drums and not keys:
        return data
    root = ET.fromstring(data)
    parts, headers = root.findall("part"), root.findall("part-list/score-part")
    for voice in drums:
        _make_percussion(headers[voice], parts[voice], voice)
    for part in parts:
        measures = part.findall("measure")
        for bar, left, n_sharps, mode in keys:
            signature = f"<attributes><key><fifths>{n_sharps}</fifths><mode>{mode}</mode></key></attributes>"
            back, forth = (
                f"<{tag}><duration>{int(left * divisions)}</duration></{tag}>" for tag in ("backup", "forward")
            )
            measures[bar].extend(ET.fromstring(text) for text in (back, signature, forth))
    ET.indent(root)
    return (HEADER + ET.tostring(root, encoding="unicode")).encode()


def _make_percussion(header: ET.Element, part: ET.Element, voice: int) -> None:
    """Make the notes of a part unpitched, each of the instrument that is its drum, on channel 10."""
    drums = sorted({_strike(note, voice) for note in part.iter("note") if note.find("pitch") is not None})
    for each in [*header.findall("score-instrument"), *header.findall("midi-instrument")] if drums else []:
        header.remove(each)
    header.extend(ET.fromstring(text) for text in _instruments(voice, drums))


def _strike(note: ET.Element, voice: int) -> int:
    """Make a note unpitched, with the head that its drum has, and return its drum."""
    pitch = note.find("pitch")
    alter = round(float(pitch.findtext("alter", "0")))
    drum = 12 * (int(pitch.findtext("octave")) + 1) + LETTER_SEMITONES[pitch.findtext("step")] + alter
    step, octave = line_of(drum)
    place = list(note).index(pitch)
    note.remove(pitch)
    text = f"<display-step>{step}</display-step><display-octave>{octave}</display-octave>"
    note.insert(place, ET.fromstring(f"<unpitched>{text}</unpitched>"))
    behind = max(number for number, child in enumerate(note) if child.tag in ("duration", "tie"))
    note.insert(behind + 1, ET.Element("instrument", id=f"I{voice + 1}-{drum}"))
    for accidental in note.findall("accidental"):
        note.remove(accidental)
    if drum in HEADS:
        place = next((number for number, child in enumerate(note) if child.tag in BEHIND_HEAD), len(note))
        note.insert(place, ET.fromstring(f"<notehead>{HEADS[drum]}</notehead>"))
    return drum


def _instruments(voice: int, drums: list[int]) -> list[str]:
    names = [
        f'<score-instrument id="I{voice + 1}-{drum}"><instrument-name>{name_of(drum)}</instrument-name>'
        "</score-instrument>"
        for drum in drums
    ]
    players = [
        f'<midi-instrument id="I{voice + 1}-{drum}"><midi-channel>10</midi-channel><midi-program>1</midi-program>'
        f"<midi-unpitched>{drum + 1}</midi-unpitched></midi-instrument>"
        for drum in drums
    ]
    return names + players
