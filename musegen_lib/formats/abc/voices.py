"""One voice of ABC: its notes, and what stands between them: bar lines, fields, layers and signs of repeat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from musegen_lib.formats.abc.bars import Bar, read_mark
from musegen_lib.formats.abc.fields import names_key, parse_key, parse_metre, parse_properties, parse_tempo, parse_unit
from musegen_lib.formats.abc.notes import NoteReader
from musegen_lib.formats.abc.tokens import ENDING

DRUM_CHANNEL = 10
NO_UNIT = "values of L: that are no fraction such as 1/8, ignored"
ODD_TEMPO = "tempi below 10 or above 1,000 quarter notes a minute"
_INTEGER = re.compile(r"[+-]?\d{1,3}")


class VoiceReader(NoteReader):
    """Feed it tokens in order with `read` and fields with `read_field`, then `finish`, then take its lists."""

    def __init__(self, fields: dict[str, list[str]], counts: Counter[str]):
        super().__init__(fields, counts)
        self.bars: list[tuple[int, int]] = []  # (onset, length)
        self.bar_lines: list[Bar] = []
        self.marks: list[tuple[int, str]] = []  # (start of the measure, what `read_mark` gives)
        self.part_labels: list[tuple[int, str]] = []
        self.changes: dict[str, list[tuple[int, Any]]] = {"metre": [(0, self.metre)], "key": [], "tempo": []}
        self.phrase_ends: list[int] = []
        self.metre_changes = self.key_changes = 0
        self.bar_start = self.layer_start = self.main_now = 0  # the last: where the first layer has come to
        self.other_ties: tuple[Any, ...] = (False, {}, {})  # those of the layer that is not read now
        self.shifts: dict[str, int] = {}  # octave, clef, transpose and MIDI's own, by name
        self.program, self.is_drums = 0, False
        self.set_properties(fields["K"][-1])
        for value in fields.get("Q", [])[-1:]:
            self.read_field("Q", value)

    @property
    def has_signs(self) -> bool:
        """Whether the voice says anything of repeats, endings or jumps."""
        return bool(self.marks) or any(":" in bar.line or bar.ending for bar in self.bar_lines)

    def read(self, match: re.Match[str]) -> None:
        """Take one token; its kind is the last group of TOKEN that closed."""
        reader = _READERS.get(match.lastgroup)
        if reader:
            reader(self, match)

    def read_field(self, letter: str, value: str) -> None:
        """Change metre, key, unit or tempo from here on, or name a part."""
        if letter == "M":
            metre = parse_metre(value)
            self.metre_changes += metre is not None and metre != self.metre
            self.metre = metre or self.metre
            self.changes["metre"].append((self.now, metre))
        elif letter == "K":
            self._read_key(value)
        elif letter == "L":
            unit = parse_unit(value)
            self.counts[NO_UNIT] += unit is None
            self._set_unit(unit or self.unit_length)
        elif letter == "Q":
            tempo = parse_tempo(value, self.unit_length)
            if tempo:
                self.changes["tempo"].append((self.now, tempo))
                self.counts[ODD_TEMPO] += not 10 <= tempo <= 1000
            elif value.strip():
                self.counts["tempo marks without a number"] += 1
        elif letter == "P":
            self.part_labels.append((self.now, value.strip()))

    def set_properties(self, value: str) -> None:
        """Take what K: or V: says of octave, clef, transposition and percussion."""
        properties = parse_properties(value)
        self.counts["sound= of K: and V: ignored"] += bool(re.search(r"\bsound=", value))
        self.is_drums |= bool(properties.pop("percussion", 0))
        self._set_shifts(properties)
        self.note_key()

    def read_midi(self, words: list[str]) -> None:
        """Take a %%MIDI directive, such as ["program", "40"]; those that change only the accompaniment are counted."""
        name, numbers = words[0].lower() if words else "", [int(word) for word in words[1:] if _INTEGER.fullmatch(word)]
        if name == "program" and numbers and 0 <= numbers[-1] <= 127:
            if self.n_events and self.program != numbers[-1]:
                self.counts["changes of instrument within a voice"] += 1
            elif len(numbers) == 1 or numbers[0] != DRUM_CHANNEL:
                self.program = numbers[-1]
        elif name == "channel" and numbers:
            self.is_drums = numbers[0] == DRUM_CHANNEL
        elif name in ("transpose", "rtranspose") and numbers:
            before = self.shifts.get("midi", 0) if name == "rtranspose" else 0
            self._set_shifts({"midi": before + numbers[0]})
            self.note_key()
        elif name in ("drum", "drumon", "drummap"):
            self.counts[f"%%MIDI {name} left out"] += 1

    def note_key(self) -> None:
        """Keep the key from here on: as written, and the semitones from there to the sounding one."""
        transposition = self.shifts.get("transpose", 0) + self.shifts.get("midi", 0)
        self.changes["key"].append((self.now, (self.key.name, transposition)))

    def _set_shifts(self, shifts: dict[str, int]) -> None:
        self.shifts |= shifts
        octaves = {"octave", "clef"}
        self.shift = sum(12 * shift if name in octaves else shift for name, shift in self.shifts.items())

    def end_line(self) -> None:
        """Note a phrase end: collections of songs write one phrase a line."""
        if self.now > (self.phrase_ends[-1] if self.phrase_ends else 0):
            self.phrase_ends.append(self.now)

    def finish(self) -> None:
        """Close the last bar, which may lack its bar line, and the last phrase."""
        self._leave_layer()
        self._close_bar()
        self.end_line()
        self.lose_fermata()

    def _read_key(self, value: str) -> None:
        if names_key(value):
            key = parse_key(value)
            self.key_changes += key.alters != self.key.alters
            self.key = key
        self.set_properties(value)

    def _read_bar(self, match: re.Match[str]) -> None:
        self.altered = {}
        self.lose_fermata()
        if self.in_layer and self.layer_start < self.bar_start and self.now <= self.bar_start:
            return  # within a layer of several bars
        self._leave_layer()
        self._close_bar()
        self.bar_lines.append(Bar(self.now, match["line"], match["ending"] or ""))

    def _read_colon(self, match: re.Match[str]) -> None:
        """A repeat sign whose bar line is missing, or stands in the line before."""
        ends = not match.string[match.end() :].strip()
        self.bar_lines.append(Bar(self.now, ":|" if ends else "|:", ""))

    def _read_bracket(self, match: re.Match[str]) -> None:
        self.bar_lines.append(Bar(self.now, "", ENDING.match(match["bracket"].strip('"'))[0]))

    def _read_overlay(self, match: re.Match[str]) -> None:
        """Go back by as many bar lines as there are signs, to read another layer of notes there."""
        starts = [onset for onset, _ in self.bars[-8:]] + [self.bar_start]
        if not self.in_layer:
            self.main_now = self.now
            self._swap_ties()
        self.now = self.layer_start = starts[max(0, len(starts) - len(match["overlay"]))]
        self.altered, self.last, self.in_layer = {}, None, True

    def _leave_layer(self) -> None:
        """Go on where the first layer has come to."""
        if self.in_layer:
            self.now, self.last, self.in_layer = max(self.now, self.main_now), None, False
            self._swap_ties()

    def _swap_ties(self) -> None:
        ties = self.tie, self.tied, self.held
        self.tie, self.tied, self.held = self.other_ties
        self.other_ties = ties

    def _read_text(self, match: re.Match[str]) -> None:
        text = match["text"]
        mark = read_mark(text)
        if mark:
            self._mark(mark)
        elif text[1:2] not in "^_<>@" and text[1:2] in "ABCDEFG":
            self.counts["chord symbols left out"] += 1

    def _read_decoration(self, match: re.Match[str]) -> None:
        if match["decoration"] in self.fermatas:
            self.waits = True
            return
        mark = {"S": "segno", "O": "coda"}.get(match["decoration"]) or read_mark(match["decoration"])
        if mark:
            self._mark(mark)

    def _mark(self, mark: str) -> None:
        self.marks.append((self.bar_lines[-1].onset if self.bar_lines else 0, mark))

    def _close_bar(self) -> None:
        if self.now > self.bar_start:
            self.bars.append((self.bar_start, self.now - self.bar_start))
            self.bar_start = self.now


_READERS: dict[str | None, Callable[[VoiceReader, re.Match[str]], None]] = {
    "note": VoiceReader._read_note,
    "rest_length": VoiceReader._read_rest,
    "chord_length": VoiceReader._read_chord,
    "bar": VoiceReader._read_bar,
    "colon": VoiceReader._read_colon,
    "bracket": VoiceReader._read_bracket,
    "tie": VoiceReader._read_tie,
    "broken": VoiceReader._read_broken,
    "grace": VoiceReader._read_grace,
    "text": VoiceReader._read_text,
    "decoration": VoiceReader._read_decoration,
    "overlay": VoiceReader._read_overlay,
    **dict.fromkeys(("tuplet", "q", "r"), VoiceReader._read_tuplet),
}
