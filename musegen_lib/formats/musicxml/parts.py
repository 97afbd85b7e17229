"""One part of a MusicXML score, from elements to notes. Used by `reader` only.

Source: MusicXML 4.0, https://www.w3.org/2021/06/musicxml40/.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from musegen_lib.core.keys import LETTER_SEMITONES, metre_to_beats
from musegen_lib.core.limits import MAX_BEATS, MAX_NOTES, TICKS_PER_BEAT
from musegen_lib.core.piece import DRUMS

FINE_PER_TICK = 20_160  # fine ticks are whole numbers for every usual <divisions>: 48 * 20160 = 2^10 * 3^3 * 5 * 7
FINE_PER_BEAT = TICKS_PER_BEAT * FINE_PER_TICK


@dataclass(frozen=True)
class Part:
    """One part of a score.

    Args:
        notes: (onset_ticks, duration_ticks, pitch, has a fermata), sorted; pitches as they sound.
        length_ticks: where its last measure ends.
        n_voices: voices written in it; several make it polyphonic, and so do chords.
        n_offgrid: notes whose start or end is no whole number of ticks, and was rounded.
        program: General MIDI program, None where the file names none.
    """

    name: str
    notes: tuple[tuple[int, int, int, bool], ...]
    length_ticks: int
    n_voices: int
    has_chords: bool
    n_offgrid: int
    n_grace: int
    program: int | None

    @property
    def is_melody(self) -> bool:
        """True if at most one note sounds at a time."""
        return all(a[0] + a[1] <= b[0] for a, b in zip(self.notes, self.notes[1:]))


class PartReader:
    """Reads a part measure by measure; `now` runs in fine ticks and steps back where a second voice begins."""

    def __init__(self, header: ET.Element | None, max_notes: int):
        self.header, self.max_notes = header, max_notes
        self.notes: list[list[int]] = []  # [onset, offset, pitch, has a fermata]
        self.ending: dict[tuple[int, int], list[int]] = {}  # (pitch, offset) -> the note, which a tie may lengthen
        self.voices: set[str | None] = set()
        self.has_chords, self.n_grace = False, 0
        self.metre: str | None = None
        self.mode: str | None = None
        self.n_sharps: int | None = None
        self.divisions, self.transpose = 1, 0
        self.now = self.end = self.last_onset = 0
        self.first_measure: int | None = None

    def read_measure(self, measure: ET.Element) -> None:
        """Take the next measure; it ends at the farthest point that any of its voices reaches."""
        for element in measure:
            if element.tag == "note":
                self._read_note({child.tag: child for child in element}, element)
            elif element.tag in ("backup", "forward"):
                sign = 1 if element.tag == "forward" else -1
                self._move(sign * self._duration(element.find("duration")))
            elif element.tag == "attributes":
                self._read_attributes(element)
        self.now = self.end
        if self.first_measure is None:
            self.first_measure = self.end

    def finish(self) -> Part:
        """Round to ticks."""
        self.notes.sort()
        instrument = self.header.find("midi-instrument") if self.header is not None else None
        return Part(
            name=" ".join((self.header.findtext("part-name") or "").split()) if self.header is not None else "",
            notes=tuple(_round_note(note) for note in self.notes),
            length_ticks=to_ticks(self.end),
            n_voices=max(1, len(self.voices)),
            has_chords=self.has_chords,
            n_offgrid=sum(bool(on % FINE_PER_TICK or off % FINE_PER_TICK) for on, off, *_ in self.notes),
            n_grace=self.n_grace,
            program=_program(instrument),
        )

    def _read_attributes(self, attributes: ET.Element) -> None:
        if attributes.find("divisions") is not None:
            self.divisions = _number(attributes.find("divisions"), 1, 1e6)
        if self.n_sharps is None and attributes.find("key/fifths") is not None:
            self.n_sharps = _number(attributes.find("key/fifths"), -15, 15)
            self.mode = (attributes.findtext("key/mode") or "").strip() or None
        if self.metre is None and attributes.find("time/beats") is not None:
            beats = sum(
                round(read_number(text, 1, 255, "<beats> ")) for text in attributes.findtext("time/beats").split("+")
            )
            metre = f"{beats}/{_number(attributes.find('time/beat-type'), 1, 64)}"
            metre_to_beats(metre)
            self.metre = metre
        transpose = attributes.find("transpose")
        if transpose is not None:
            octaves = transpose.find("octave-change")
            self.transpose = _number(transpose.find("chromatic"), -127, 127)
            self.transpose += 12 * _number(octaves, -10, 10) if octaves is not None else 0

    def _read_note(self, children: dict[str, ET.Element], element: ET.Element) -> None:
        if "grace" in children:
            self.n_grace += 1
            return
        duration = self._duration(children.get("duration"))
        if "chord" in children:
            self.has_chords = True
        else:
            self.last_onset = self.now
            self._move(duration)
        if "pitch" not in children or "cue" in children or not duration:
            return
        voice = children.get("voice")
        self.voices.add(None if voice is None else voice.text)
        ties = {tie.get("type") for tie in element.iter("tie")} if "tie" in children else ()
        fermata = "notations" in children and next(element.iter("fermata"), None) is not None
        self._strike(self._pitch(children["pitch"]), self.last_onset + duration, "stop" in ties, fermata)

    def _strike(self, pitch: int, offset: int, tied: bool, fermata: bool) -> None:
        """Add a note, or lengthen the one it is tied to."""
        note = self.ending.pop((pitch, self.last_onset), None) if tied else None
        if note is None:
            note = [self.last_onset, offset, pitch, fermata]
            self.notes.append(note)
        note[1], note[3] = offset, note[3] or fermata
        self.ending[pitch, offset] = note
        if len(self.notes) > self.max_notes:
            raise ValueError(f"a score may hold {MAX_NOTES:,} notes; export a shorter one")

    def _pitch(self, element: ET.Element) -> int:
        alter = element.find("alter")
        pitch = 12 * (_number(element.find("octave"), -2, 10) + 1) + self.transpose
        pitch += _number(alter, -12, 12) if alter is not None else 0
        step = element.findtext("step", "").strip()
        if step not in LETTER_SEMITONES or not 0 <= pitch + LETTER_SEMITONES[step] <= 127:
            raise ValueError(f"a note {step[:8]!r} in octave {element.findtext('octave')} is no MIDI pitch; correct it")
        return pitch + LETTER_SEMITONES[step]

    def _duration(self, element: ET.Element | None) -> int:
        return _number(element, 0, 1e9) * FINE_PER_BEAT // self.divisions if element is not None else 0

    def _move(self, distance: int) -> None:
        self.now = max(0, self.now + distance)
        self.end = max(self.end, self.now)
        if self.end > MAX_BEATS * FINE_PER_BEAT:
            raise ValueError(f"a part may last {MAX_BEATS:,} quarter notes; export a shorter score")


def to_ticks(fine: int) -> int:
    """Round to the nearest tick, halves up."""
    return (2 * fine + FINE_PER_TICK) // (2 * FINE_PER_TICK)


def _round_note(note: list[int]) -> tuple[int, int, int, bool]:
    onset, offset, pitch, fermata = note
    return to_ticks(onset), max(1, to_ticks(offset) - to_ticks(onset)), pitch, bool(fermata)


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


def _number(element: ET.Element | None, lowest: float, highest: float) -> int:
    """Read a whole number; MusicXML allows decimals nearly everywhere."""
    if element is None:
        raise ValueError("a number is missing; export it again")
    return round(read_number(element.text, lowest, highest, f"<{element.tag}> "))


def _program(instrument: ET.Element | None) -> int | None:
    if instrument is None:
        return None
    if (instrument.findtext("midi-channel") or "").strip() == "10":
        return DRUMS
    program = instrument.find("midi-program")
    return None if program is None else _number(program, 1, 128) - 1
