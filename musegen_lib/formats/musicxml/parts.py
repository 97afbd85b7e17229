"""One part of a MusicXML score, from elements to notes. Used by `reader` only.

Source: MusicXML 4.0, https://www.w3.org/2021/06/musicxml40/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree as ET

from musegen_lib.core.limits import MAX_BARS, MAX_BEATS, MAX_NOTES
from musegen_lib.formats.musicxml.attributes import Attributes, read_number
from musegen_lib.formats.musicxml.directions import read_barline, read_direction, read_sound
from musegen_lib.formats.musicxml.instruments import Instrument, program_of, read_instruments
from musegen_lib.formats.musicxml.notes import Fragment, read_marks, read_pitch

END = None  # the place of a sign at the end of its measure


@dataclass
class WrittenMeasure:
    """A measure of one part, with times from its beginning; `events` are (time or END, kind, value)."""

    length: int = 0
    fragments: list[Fragment] = field(default_factory=list)
    events: list[tuple[int | None, str, Any]] = field(default_factory=list)


class PartReader:
    """Reads a part measure by measure; `now` steps back where another layer begins."""

    def __init__(self, header: ET.Element | None, units_per_beat: int, pitches: dict[Any, tuple[int, bool]]):
        self.name = " ".join((header.findtext("part-name") or "").split()) if header is not None else ""
        self.instruments = read_instruments(header)
        self.units_per_beat = units_per_beat
        self.measures: list[WrittenMeasure] = []
        self.layers: set[str] = set()
        self.players: Counter[str | None] = Counter()  # pitched notes by the id of their instrument
        self.counts: Counter[str] = Counter()  # fields of `NotationReport`
        self.has_chords = False
        self.attributes = Attributes()
        self.lengths: dict[str | None, int] = {}  # units by the text of <duration>, under the divisions in force
        self.pitches = pitches  # what parts have found by the texts of <pitch>
        self.now = self.last_onset = 0
        self.measure = WrittenMeasure()

    def read_measure(self, elements: Iterable[ET.Element], room: int) -> None:
        """Take the next measure, of at most `room` notes; it is as long as the farthest of its layers reaches."""
        self.measure = WrittenMeasure()
        self.now = self.last_onset = 0
        for element in elements:
            if element.tag == "note":
                self._read_note({child.tag: child for child in element}, element)
            elif element.tag in READERS:
                READERS[element.tag](self, element)
        back = self.attributes.repeated
        if 0 < back <= len(self.measures) and not self.measure.fragments:
            self.measure.fragments = list(self.measures[-back].fragments)
            self.measure.length = self.measures[-back].length
        if len(self.measure.fragments) > room:
            raise ValueError(f"a score may hold {MAX_NOTES:,} notes; export a shorter one")
        if len(self.measures) == MAX_BARS:
            raise ValueError(f"a part may have {MAX_BARS:,} measures; export a shorter score")
        self.measures.append(self.measure)

    @property
    def main_instrument(self) -> Instrument:
        """The one that plays most of its pitched notes."""
        return self.instruments[self._main_player]

    @property
    def notes_of_others(self) -> int:
        """Pitched notes of instruments with another program."""
        if len(self.players) < 2:  # else names of programs need not be looked up
            return 0
        programs = {one: program_of(self.instruments[one], self.name) for one in self.players}
        return sum(n for one, n in self.players.items() if programs[one] != programs[self._main_player])

    @property
    def distrust(self) -> int:
        """How little the part's key says of the score: percussion has none, and some horns are written without."""
        is_transposing = any(each.semitones % 12 for each in self.attributes.transpositions.values())
        return 2 if not self.players else int(is_transposing)

    @property
    def _main_player(self) -> str | None:
        return self.players.most_common(1)[0][0] if self.players else None

    def _read_attributes(self, attributes: ET.Element) -> None:
        divisions = self.attributes.divisions
        self._events(self.attributes.read(attributes), self.now)
        if divisions != self.attributes.divisions:
            self.lengths.clear()

    def _read_direction(self, direction: ET.Element) -> None:
        offset = direction.find("offset")
        shift = self._shift(offset) if offset is not None and offset.get("sound") == "yes" else 0
        shift += self._shift(direction.find("sound/offset"))
        self._events(read_direction(direction), self.now + shift)

    def _read_sound(self, sound: ET.Element) -> None:
        self._events(read_sound(sound), self.now + self._shift(sound.find("offset")))

    def _read_barline(self, barline: ET.Element) -> None:
        events = list(read_barline(barline))
        begins = self.now == 0 and ("repeat_begins", True) in events
        place = {"left": 0, "right": END, "middle": self.now}.get(barline.get("location"), 0 if begins else END)
        for kind, value in events:
            self._event(kind, value, place)

    def _events(self, events: Iterable[tuple[str, Any]], time: int) -> None:
        for kind, value in events:
            ends = kind in ("jump", "is_fine", "to_coda") and time <= 0  # print that stands above its whole measure
            value = time <= 0 if kind == "coda sign" else value
            self._event(kind, value, END if ends else max(0, time))

    def _event(self, kind: str, value: Any, time: int | None) -> None:
        if kind in ("unread", "staff_keys"):
            self.counts[kind] += 1
        else:
            self.measure.events.append((time, kind, value))

    def _read_note(self, children: dict[str, ET.Element], element: ET.Element) -> None:
        if "grace" in children:
            self.counts["grace_notes"] += "cue" not in children
            return
        duration = self._duration(children.get("duration"))
        if "chord" in children:
            self.has_chords = True
        else:
            self.last_onset = self.now
            if "rest" in children and children["rest"].get("measure") == "yes" and not self.now:
                bar = int(self.attributes.bar_beats * self.units_per_beat)
                duration = min(duration, bar) if bar else duration
            self._move(duration)
        if "rest" in children:
            return
        if "cue" in children or not duration:
            self.counts["cue_notes" if "cue" in children else "unread"] += 1
        elif "pitch" in children:
            self._strike(children, element, duration)
        elif "unpitched" in children:
            self._beat(children, element, duration)

    def _strike(self, children: dict[str, ET.Element], element: ET.Element, duration: int) -> None:
        """Add a pitched note, and its double where the part has one."""
        player = self._player(children)
        instrument = self.instruments[player]
        written = self._pitch(children["pitch"])
        if instrument.is_percussion:
            self._add(written if instrument.drum is None else instrument.drum, True, children, element, duration)
            return
        self.players[player] += 1
        transposition = self.attributes.transposition(children["staff"].text if "staff" in children else None)
        self._add(written + transposition.semitones, False, children, element, duration)
        if transposition.doubled:
            self._add(written + transposition.semitones + transposition.doubled, False, children, element, duration)

    def _beat(self, children: dict[str, ET.Element], element: ET.Element, duration: int) -> None:
        """Add a note of percussion."""
        place = children["unpitched"]
        line = f"{place.findtext('display-step', '')}{place.findtext('display-octave', '')}"
        is_named = "instrument" in children or len(self.instruments) < 3
        drum, is_guess = (self.instruments[self._player(children)] if is_named else Instrument()).drum_at(line)
        self.counts["drums_guessed"] += is_guess
        self._add(drum, True, children, element, duration)

    def _add(
        self, pitch: int, is_drum: bool, children: dict[str, ET.Element], element: ET.Element, duration: int
    ) -> None:
        if not 0 <= pitch <= 127:
            raise ValueError(f"a note sounds {pitch} semitones above MIDI's lowest pitch, outside 0-127; correct it")
        layer = children["voice"].text or "" if "voice" in children else ""
        self.layers.add(layer)
        ties, has_fermata = (), False
        if "tie" in children or "notations" in children:
            ties, has_fermata, has_ornament = read_marks(children, element)
            if has_ornament:
                self.counts["ornaments"] += 1
        if element.get("time-only"):
            self.counts["unread"] += 1
        end = self.last_onset + duration
        text = (children["staff"].text or "").strip() if "staff" in children else ""
        staff = int(text[:3]) if text.isdecimal() else 1
        self.measure.fragments.append(
            Fragment(self.last_onset, end, pitch, is_drum, layer, "stop" in ties, "start" in ties, has_fermata, staff)
        )
        if end > self.measure.length:
            self.measure.length = end

    def _player(self, children: dict[str, ET.Element]) -> str | None:
        """The id of the instrument that plays a note, None for the first of the part."""
        if "instrument" in children and len(self.instruments) > 2:
            name = children["instrument"].get("id")
            return name if name in self.instruments else None
        return None

    def _pitch(self, element: ET.Element) -> int:
        """The pitch as written."""
        texts = tuple([child.text for child in element])
        if texts not in self.pitches:
            self.pitches[texts] = read_pitch(element)
        pitch, is_microtone = self.pitches[texts]
        if is_microtone:
            self.counts["microtones"] += 1
        return pitch

    def _duration(self, element: ET.Element | None) -> int:
        """Units of a <duration>."""
        if element is None:
            return 0
        text = element.text
        if text not in self.lengths:
            self.lengths[text] = self._units(read_number(text, 0, 1e9, f"<{element.tag}> "))
        return self.lengths[text]

    def _shift(self, element: ET.Element | None) -> int:
        return 0 if element is None else self._units(read_number(element.text, -1e9, 1e9, "<offset> "))

    def _units(self, divisions: float) -> int:
        exact = int(divisions) if divisions.is_integer() else Fraction(str(divisions))
        return int(exact * self.units_per_beat / self.attributes.divisions)

    def _back(self, backup: ET.Element) -> None:
        self.now = max(0, self.now - self._duration(backup.find("duration")))

    def _forward(self, forward: ET.Element) -> None:
        self._move(self._duration(forward.find("duration")))

    def _move(self, distance: int) -> None:
        self.now += distance
        if self.now > self.measure.length:
            self.measure.length = self.now
        if self.now > MAX_BEATS * self.units_per_beat:
            raise ValueError(f"a part may last {MAX_BEATS:,} quarter notes; export a shorter score")


READERS: dict[str, Callable[[PartReader, ET.Element], None]] = {
    "attributes": PartReader._read_attributes,
    "backup": PartReader._back,
    "barline": PartReader._read_barline,
    "direction": PartReader._read_direction,
    "forward": PartReader._forward,
    "sound": PartReader._read_sound,
}
