"""From the text of a file to tunes: where each begins, and which voice each line and field of it belongs to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from musegen_lib.core.errors import MusegenError
from musegen_lib.formats.abc.fields import parse_metre, parse_unit
from musegen_lib.formats.abc.tokens import OPEN_CHORD, TOKEN
from musegen_lib.formats.abc.voices import VoiceReader

MAX_VOICES = 64
MAX_HEADER = 50  # lines of a file header, which each tune reads
HEADER_CHECKS = {"M": parse_metre, "L": parse_unit}
_TUNE_START = re.compile(r"X:\s*(?:\d|$)")
_FIELD = re.compile(r"[A-Za-z]:")
_FILE_FIELD = re.compile(r"[LMQROUI]:|%%(?:MIDI|propagate)")  # what a file header may say of the sound of its tunes
_PROSE = re.compile(r"(?<![\w!\"^])(?=[A-Za-z]*[h-wH-W][A-Za-z]*[h-wH-W])[A-Za-z]{4,}\b(?![!\"])")
_MUSIC_LIKE_FIELD = re.compile(r"[A-G]:[:|]")  # a note and the end of a repeat, as in "A:|"


class TuneReader:
    """One tune, from its X: field on: feed it lines with `read_line`; header values gather in `fields`."""

    def __init__(self, line: int):
        self.line = line
        self.fields: dict[str, list[str]] = {}
        self.voices: dict[str, VoiceReader] = {}
        self.voice: VoiceReader | None = None  # the one that music goes to; None in the header
        self.counts: Counter[str] = Counter()  # of what is left out, by phrase
        self.properties: dict[str, str] = {}  # of each voice, from V: fields of the header
        self.midi: list[list[str]] = []  # directives of the header, which hold for the first voice
        self.propagation = "octave"
        self.field = ""  # the last one in the header, which "+:" goes on with
        self.after_blank = False
        self.open_chord = ""  # a chord that a hard line wrap has cut in two

    def read_line(self, line: str) -> None:
        """Take one line of the file; after a blank line only lines with a bar line are music, others are free text."""
        if line.startswith("%"):
            self._read_directive(line.partition("%%")[2] if line.startswith("%%") else "")
        elif line.startswith("+:"):
            if self.voice is None and self.field:
                self.fields[self.field][-1] += " " + line[2:].strip()
        elif line[1:2] == ":" and _is_field(line):
            self._read_field(line[0], line[2:].strip())
        elif not line.strip():
            self.after_blank = self.voice is not None and self.voice.n_events > 0
        elif self.voice and (not self.after_blank or ("|" in line and not _PROSE.search(line))):
            self._read_music(line.partition("%")[0].replace("`", "").rstrip())

    def _read_field(self, letter: str, value: str) -> None:
        if letter == "I":
            self._read_directive(value)
        if letter == "m":
            self.counts["macros (m:) not expanded"] += 1
        if self.voice is None or letter == "T":
            self.field = letter
            self.fields.setdefault(letter, []).append(value)
            HEADER_CHECKS.get(letter, str)(value)  # raises here, so that the message names this line
        if self.voice is None and letter == "V":
            name, properties = _split_voice(value)
            self.properties[name] = f"{self.properties.get(name, '')} {properties}"
        elif self.voice is None and letter == "K":
            self._choose_voice((self.fields.get("V") or [""])[0])
            for words in self.midi:
                self.voice.read_midi(words)
        elif self.voice and letter == "V":
            self._choose_voice(value)
        elif self.voice:
            self.voice.read_field(letter, value)

    def _read_directive(self, text: str) -> None:
        words = text.partition("%")[0].split()
        if words[:1] == ["propagate-accidentals"] and words[1:2] in (["not"], ["octave"], ["pitch"]):
            self.propagation = words[1]
            for voice in self.voices.values():
                voice.propagation = words[1]
        if words[:1] != ["MIDI"]:
            return
        if self.voice:
            self.voice.read_midi(words[1:])
        else:
            self.midi.append(words[1:])

    def _read_music(self, line: str) -> None:
        line = self.open_chord + line
        cut = OPEN_CHORD.search(line)
        self.open_chord = cut[0] if cut else ""
        for match in TOKEN.finditer(line, 0, cut.start() if cut else len(line)):
            if match.lastgroup == "value":
                self._read_inline(match["field"], match["value"].strip())
            else:
                self.voice.read(match)
        if not line.endswith("\\") and not cut:  # else the phrase goes on in the next line
            self.voice.end_line()

    def _read_inline(self, letter: str, value: str) -> None:
        if letter == "V":
            self._choose_voice(value)
        elif letter == "I":
            self._read_directive(value)
        else:
            self.voice.read_field(letter, value)

    def _choose_voice(self, value: str) -> None:
        name, properties = _split_voice(value)
        if name not in self.voices:
            unnamed = self.voices.get("")
            if unnamed and not unnamed.n_events:  # fields stood before the first V:
                self.voices[name] = self.voices.pop("")
                self.voices[name].set_properties(self.properties.get(name, ""))
        if name not in self.voices:
            if len(self.voices) == MAX_VOICES:
                raise ValueError(f"a tune may have {MAX_VOICES} voices; split it")
            self.voices[name] = VoiceReader(self.fields, self.counts)
            self.voices[name].propagation = self.propagation
            self.voices[name].set_properties(self.properties.get(name, ""))
        self.voice = self.voices[name]
        if properties and properties != self.properties.get(name, "").strip():
            self.voice.set_properties(properties)


def _is_field(line: str) -> bool:
    return line[0].isalpha() and line[0] not in "abcdefgz" and not _MUSIC_LIKE_FIELD.match(line)  # "g:|" is music


def _split_voice(value: str) -> tuple[str, str]:
    """The name of a voice, and what a V: field says of it."""
    name, _, properties = value.partition("%")[0].strip().partition(" ")
    return name, properties.strip()


def read_tunes(text: str, name: str) -> Iterator[TuneReader]:
    """Yield a reader that has read its tune, tune by tune.

    What stands before the first X: is the file header, whose fields hold for all tunes, or a tune without X:.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts = [number for number, line in enumerate(lines) if _TUNE_START.match(line)]
    header_stop = starts[0] if starts else len(lines)
    nameless = _nameless_starts(lines[:header_stop])
    header_stop = nameless[0] if nameless else header_stop
    header = [(n, line) for n, line in enumerate(lines[:header_stop]) if _FILE_FIELD.match(line)][:MAX_HEADER]
    for start, stop in zip(nameless + starts, [*(nameless + starts)[1:], len(lines)]):
        reader = TuneReader(start + 1)
        for number, line in (*header, *enumerate(lines[start:stop], start=start)):
            try:
                reader.read_line(line)
            except ValueError as error:
                raise MusegenError(f"{name}, line {number + 1}: {error}") from None
        yield reader


def _nameless_starts(lines: list[str]) -> list[int]:
    """Where tunes without X: begin: at the first field of each stretch between blank lines that has a K: field."""
    starts, first = [], None
    for number, line in enumerate(lines):
        if not line.strip():
            first = None
        elif _FIELD.match(line) or (first is not None and line.startswith("%")):
            first = number if first is None else first
            if line.startswith("K:") and first not in starts:
                starts.append(first)
    return starts
