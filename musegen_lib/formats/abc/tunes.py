"""From the text of a file to tunes: where each begins, and which voice each line and field of it belongs to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape

from musegen_lib.core.errors import MusegenError
from musegen_lib.formats.abc.fields import parse_metre, parse_unit
from musegen_lib.formats.abc.tokens import OPEN_CHORD, TOKEN
from musegen_lib.formats.abc.voices import NO_UNIT, VoiceReader

MAX_VOICES = 64
MAX_SIGNS = 3  # that are named
MAX_HEADER = 50  # lines of a file header, which each tune reads
HEADER_CHECKS = {"M": parse_metre, "L": parse_unit}
_TUNE_START = re.compile(r"X:\s*(?:\d|$)")
_FIELD = re.compile(r"[A-Za-z]:")
_FILE_FIELD = re.compile(r"[LMQROUI]:|%%(?:MIDI|propagate)")  # what a file header may say of the sound of its tunes
_TEXTS = re.compile(r'"[^"]*"|![^!|]*!|\+[^+|]*\+|\[[A-Za-z]:[^\[\]]*\]|%.*')  # what may hold words within music
_PROSE = re.compile(r"[h-tw][A-Za-z]{0,9}[a-z]{2}|[a-z][h-tw][a-z]{0,9}\b|[H-RTUVW]{3}|[A-Z]{2}[H-W][A-Z]")
_SOUND = re.compile(r"[A-Ga-gzxZX]")
_SYMBOLS = re.compile(r"d:(?:\s*[!*+.~]|[^|]*$)")  # a line of decorations, unlike "d:|"
_ENTITY = re.compile(r"&(?:[a-z]{2,6}|#\d{1,5});")
_BLOCK = re.compile(r"%%\s*(begin|end)(\w+)")
_HTML = re.compile(r"<(?:pre|html|body)\b|</(?:pre|html|body)>", re.IGNORECASE)
_TAG = re.compile(
    r"</[A-Za-z]\w*\s*>|<(?![A-Ga-gzxZX\d]+>)[A-Za-z]\w+(?: [^<>\n]*)?/?>|<[A-Za-z] [^<>\n]*=[^<>\n]*>|<![^<>\n]*>"
)
NUMBERS, UNREAD = "numbers that follow no note, ignored", "unread"
_MUSIC_LIKE_FIELD = re.compile(r"[A-G]:[:|]")  # a note and the end of a repeat, as in "A:|"


class TuneReader:
    """One tune, from its X: field on: feed it lines with `read_line`; header values gather in `fields`."""

    def __init__(self, line: int):
        self.line = self.now_at = line
        self.fields: dict[str, list[str]] = {}
        self.voices: dict[str, VoiceReader] = {}
        self.voice: VoiceReader | None = None  # the one that music goes to; None in the header
        self.counts: Counter[str] = Counter()  # of what is left out, by phrase
        self.properties: dict[str, str] = {}  # of each voice, from V: fields of the header
        self.signs: list[str] = []  # the first that were not understood, with their lines
        self.midi: list[list[str]] = []  # directives of the header, which hold for the first voice
        self.programs: dict[int, str] = {}  # those of the header that name a channel: that of the n-th voice is n
        self.propagation = "octave"
        self.field = ""  # the last one in the header, which "+:" goes on with
        self.after_blank = False
        self.open_chord = ""  # a chord that a hard line wrap has cut in two

    def read_line(self, line: str, number: int) -> None:
        """Take one line of the file; after a blank line only lines with a bar line are music, others are free text."""
        self.now_at = number
        if line.startswith("%"):
            self._read_directive(line.partition("%%")[2] if line.startswith("%%") else "")
        elif line.startswith("+:"):
            if self.voice is None and self.field:
                self.fields[self.field][-1] += " " + line[2:].strip()
        elif line[1:2] == ":" and _is_field(line):
            self._read_field(line[0], line[2:].strip())
        elif not line.strip():
            self.after_blank = self.voice is not None and self.voice.n_events > 0
        elif self.voice and (not self.after_blank or _is_music(line)):
            self._read_music(line.partition("%")[0].replace("`", "").rstrip())

    def _read_field(self, letter: str, value: str) -> None:
        if letter == "I":
            self._read_directive(value)
        if letter == "m":
            self.counts["macros (m:) not expanded"] += 1
        if self.voice is None or letter == "T":
            self.field = letter
            self.fields.setdefault(letter, []).append(value)
            read = HEADER_CHECKS.get(letter, str)(value)  # raises here, so that the message names this line
            self.counts[NO_UNIT] += letter == "L" and read is None
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
        elif words[1:2] == ["program"] and len(words) > 3 and words[2].isdecimal() and len(words[2]) < 3:
            self.programs[int(words[2])] = words[3]
        else:
            self.midi.append(words[1:])

    def _read_music(self, line: str) -> None:
        line = self.open_chord + (_ENTITY.sub(lambda entity: unescape(entity[0]), line) if "&" in line else line)
        cut = OPEN_CHORD.search(line)
        self.open_chord = cut[0] if cut else ""
        for match in TOKEN.finditer(line, 0, cut.start() if cut else len(line)):
            if match.lastgroup == "value":
                self._read_inline(match["field"], match["value"].strip())
            elif match.lastgroup == "stray":
                self._read_stray(match["stray"])
            else:
                self.voice.read(match)
        if not line.endswith("\\") and not cut:  # else the phrase goes on in the next line
            self.voice.end_line()

    def _read_stray(self, sign: str) -> None:
        self.counts[NUMBERS if sign.isdecimal() else UNREAD] += 1
        if not sign.isdecimal() and len(self.signs) < MAX_SIGNS:
            self.signs.append(f"{sign[:12]!r} (line {self.now_at})")

    def finish(self) -> None:
        """Close a chord in which the tune ends."""
        if self.voice and self.open_chord:
            self.open_chord, chord = "", self.open_chord
            self._read_music(chord + "]")

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
                self.properties.pop("", None)
                self.voices[name].set_properties(self.properties.setdefault(name, ""))
        if name not in self.voices:
            if len(self.voices) == MAX_VOICES:
                raise ValueError(f"a tune may have {MAX_VOICES} voices; split it")
            self.voices[name] = VoiceReader(self.fields, self.counts)
            self.voices[name].propagation = self.propagation
            self.voices[name].set_properties(self.properties.setdefault(name, ""))
            number = list(self.properties).index(name) + 1
            self.voices[name].read_midi(["program", self.programs.get(number, "")])
        self.voice = self.voices[name]
        if properties and properties != self.properties.get(name, "").strip():
            self.voice.set_properties(properties)


def _is_field(line: str) -> bool:
    if line[0] == "d":
        return bool(_SYMBOLS.match(line))
    return line[0].isalpha() and line[0] not in "abcdefgz" and not _MUSIC_LIKE_FIELD.match(line)  # "g:|" is music


def _is_music(line: str) -> bool:
    """Whether a line behind a blank one is music: it has bar lines and notes, and no words."""
    if "|" not in line:
        return False
    line = _TEXTS.sub(" ", line)
    return bool(_SOUND.search(line)) and not _PROSE.search(line)


def _split_voice(value: str) -> tuple[str, str]:
    """The name of a voice, and what a V: field says of it."""
    name, _, properties = value.partition("%")[0].strip().partition(" ")
    return name, properties.strip()


def read_tunes(text: str, name: str) -> Iterator[TuneReader | MusegenError]:
    """Yield a reader that has read its tune, or the fault in it, tune by tune.

    What stands before the first X: is the file header, whose fields hold for all tunes, or a tune without X:.
    """
    lines = _without_blocks(_TAG.sub("", text) if _HTML.search(text) else text)
    starts = [number for number, line in enumerate(lines) if _TUNE_START.match(line)]
    header_stop = starts[0] if starts else len(lines)
    nameless = _nameless_starts(lines[:header_stop])
    header_stop = nameless[0] if nameless else header_stop
    header = [(n, line) for n, line in enumerate(lines[:header_stop]) if _FILE_FIELD.match(line)][:MAX_HEADER]
    for start, stop in zip(nameless + starts, [*(nameless + starts)[1:], len(lines)]):
        reader = TuneReader(start + 1)
        try:
            for number, line in (*header, *enumerate(lines[start:stop], start=start)):
                reader.read_line(line, number + 1)
            reader.finish()
        except ValueError as error:
            yield MusegenError(f"{name}, line {reader.now_at}: {error}")
        else:
            yield reader


def _without_blocks(text: str) -> list[str]:
    """The lines of a file; those from %%beginps, %%begintext and the like to their %%end become comments."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    edges = [(number, *found.groups()) for number, line in enumerate(lines) if (found := _BLOCK.match(line))]
    ends = {kind: number for number, edge, kind in edges if edge == "end"}  # the last of each kind
    opened = None
    for number, edge, kind in edges:
        if opened is None and edge == "begin" and ends.get(kind, 0) > number:
            opened = (number, kind)
        elif opened and (edge, kind) == ("end", opened[1]):
            lines[opened[0] : number] = ["%"] * (number - opened[0])
            opened = None
    return lines


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
