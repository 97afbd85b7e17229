"""From lines of ABC to notes: the state that gives each token its meaning.

Times here are fine ticks, FINE_PER_TICK to a tick, so that fractions of a tick stay whole numbers.
"""

from __future__ import annotations

import re
from fractions import Fraction

from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.limits import MAX_BEATS, MAX_NOTES, TICKS_PER_BEAT
from musegen_lib.formats.abc.fields import (
    ACCIDENTALS,
    CHORD_NOTE,
    NATURALS,
    OPEN_CHORD,
    TOKEN,
    TUPLET_TIME,
    default_unit,
    parse_key,
    parse_length,
    parse_metre,
    parse_number,
    parse_unit,
)

FINE_PER_TICK = 840  # 48 * 840 = 2^7 * 3^2 * 5 * 7: halves, triplets, quintuplets and septuplets are exact
MAX_VOICES = 64
HEADER_CHECKS = {"M": parse_metre, "L": parse_unit}


class VoiceReader:
    """One voice: feed it tokens in order with `read`, then `finish`, then take `notes`, `bars`, `phrase_ends`."""

    def __init__(self, fields: dict[str, list[str]]):
        self.metre = parse_metre(fields.get("M", [""])[-1])
        self.key = parse_key(fields["K"][-1])
        units = [unit for unit in map(parse_unit, fields.get("L", [])) if unit]
        self._set_unit(units[-1] if units else default_unit(self.metre))
        self.notes: list[list[int]] = []  # [onset, duration, pitch]
        self.bars: list[tuple[int, int]] = []  # (onset, length)
        self.phrase_ends: list[int] = []
        self.metre_changes = self.key_changes = self.n_grace = self.n_events = 0
        self.now = self.bar_start = 0
        self.altered: dict[int, int] = {}  # natural pitch -> semitones, until the next bar line
        self.struck: list[tuple[int, int]] = []  # (natural pitch, semitones) of the last note or chord
        self.tied: dict[int, int] = {}  # the same, while a tie waits for its second note
        self.tie = False
        self.last: tuple[bool, int] | None = None  # (is a note, duration) of what '>' would lengthen
        self.broken = (1, 1)  # what the last '>' or '<' does to the next duration
        self.tuplet, self.tuplet_left = (1, 1), 0
        self.read_token = {
            "note": self._read_note,
            "rest_length": self._read_rest,
            "chord_length": self._read_chord,
            "bar": self._read_bar,
            "tie": self._read_tie,
            "broken": self._read_broken,
            "grace": self._read_grace,
            "value": lambda match: self.read_field(match["field"], match["value"].strip()),
            **dict.fromkeys(("tuplet", "q", "r"), self._read_tuplet),
        }

    def read(self, match: re.Match[str]) -> None:
        """Take one token; its kind is the last group of TOKEN that closed."""
        reader = self.read_token.get(match.lastgroup)
        if reader:
            reader(match)

    def read_field(self, letter: str, value: str) -> None:
        """Change metre, key or unit from here on."""
        if letter == "M":
            metre = parse_metre(value)
            self.metre_changes += metre is not None and metre != self.metre
            self.metre = metre or self.metre
        elif letter == "K":
            key = parse_key(value)
            self.key_changes += key.alters != self.key.alters
            self.key = key
        elif letter == "L" and (unit := parse_unit(value)):
            self._set_unit(unit)

    def end_line(self) -> None:
        """Note a phrase end: collections of songs write one phrase a line."""
        if self.now > (self.phrase_ends[-1] if self.phrase_ends else 0):
            self.phrase_ends.append(self.now)

    def finish(self) -> None:
        """Close the last bar, which may lack its bar line, and the last phrase."""
        self._close_bar()
        self.end_line()

    def _read_note(self, match: re.Match[str]) -> None:
        accidental, letter, octave, length = match.group("accidental", "letter", "octave", "length")
        self.struck = [self._resolve(accidental, letter, octave)]
        self._strike(sum(self.struck[0]), self._duration(length))

    def _read_chord(self, match: re.Match[str]) -> None:
        """Keep the top note, with the length of the first and a tie if one stands inside."""
        inner = CHORD_NOTE.findall(match["chord"])
        if not inner:
            return
        self.struck = [self._resolve(*found[:3]) for found in inner]
        duration = self._duration(inner[0][3], match["chord_length"])
        self._strike(max(map(sum, self.struck)), duration)
        if any(found[4] for found in inner):
            self._read_tie(match)

    def _read_rest(self, match: re.Match[str]) -> None:
        length = match["rest_length"]
        if match["rest"] in "ZX" and self.metre:  # Z4 is four bars of silence
            n_bars, parts = parse_length(length)
            duration = int(metre_to_beats(self.metre) * TICKS_PER_BEAT * FINE_PER_TICK * n_bars / parts)
        else:
            duration = self._duration(length)
        self._advance(duration, is_note=False)

    def _read_bar(self, _: re.Match[str]) -> None:
        self._close_bar()
        self.altered = {}

    def _read_tie(self, _: re.Match[str]) -> None:
        self.tie, self.tied = True, dict(self.struck)

    def _read_broken(self, match: re.Match[str]) -> None:
        """A > B: the first gains what the second loses, half of it for '>', three quarters for '>>'."""
        signs = match["broken"]
        if len(signs) > 3:
            raise ValueError(f"the broken rhythm {signs[:8]!r} has more than three signs; write the lengths out")
        if self.last is None:
            return
        whole = 2 ** len(signs)
        first, second = (2 * whole - 1, 1) if signs[0] == ">" else (1, 2 * whole - 1)
        was_note, duration = self.last
        gain = duration * first // whole - duration
        self.now += gain
        if was_note:
            self.notes[-1][1] += gain
        self.broken = (second, whole)

    def _read_tuplet(self, match: re.Match[str]) -> None:
        """(p:q:r is p notes in the time of q, for the next r notes."""
        p = int(match["tuplet"])
        compound = self.metre is not None and self.metre.split("/")[0] in ("6", "9", "12")
        usual = 3 if compound and p in (5, 7, 9) else TUPLET_TIME[p]
        self.tuplet = (parse_number(match["q"] or "0") or usual, p)
        self.tuplet_left = parse_number(match["r"] or "0") or p

    def _read_grace(self, match: re.Match[str]) -> None:
        self.n_grace += len(CHORD_NOTE.findall(match["grace"]))

    def _resolve(self, accidental: str | None, letter: str, octave: str) -> tuple[int, int]:
        """Natural pitch and semitones: own accidental, else tie, else earlier in the bar, else key."""
        natural = NATURALS[letter]
        if octave:
            natural += 12 * (octave.count("'") - octave.count(","))
        if accidental:
            self.altered[natural] = ACCIDENTALS[accidental]
        elif natural in self.tied and natural not in self.altered:
            self.altered[natural] = self.tied[natural]
        alter = self.altered.get(natural)
        return natural, self.key.alters.get(letter, 0) if alter is None else alter

    def _duration(self, *lengths: str) -> int:
        numerator, denominator = self.unit, 1
        factors = [parse_length(length) for length in lengths] + [self.broken]
        self.broken = (1, 1)
        if self.tuplet_left:
            factors.append(self.tuplet)
            self.tuplet_left -= 1
        for above, below in factors:
            numerator, denominator = numerator * above, denominator * below
        return numerator // denominator

    def _strike(self, pitch: int, duration: int) -> None:
        """Add a note, or lengthen the last one if a tie joins them."""
        if not 0 <= pitch <= 127:
            raise ValueError(f"a note has MIDI pitch {pitch}, outside 0-127; take away octave marks")
        joined = self.tie and self.notes and self.notes[-1][2] == pitch
        if joined and sum(self.notes[-1][:2]) == self.now:
            self.notes[-1][1] += duration
        else:
            self.notes.append([self.now, duration, pitch])
        self._advance(duration, is_note=True)

    def _advance(self, duration: int, is_note: bool) -> None:
        self.now += duration
        self.last = (is_note, duration)
        self.tie, self.tied = False, {}
        self.n_events += 1
        if self.n_events > MAX_NOTES or self.now > MAX_BEATS * TICKS_PER_BEAT * FINE_PER_TICK:
            raise ValueError(f"a tune may hold {MAX_NOTES:,} notes and last {MAX_BEATS:,} quarter notes; shorten it")

    def _close_bar(self) -> None:
        if self.now > self.bar_start:
            self.bars.append((self.bar_start, self.now - self.bar_start))
            self.bar_start = self.now

    def _set_unit(self, unit: Fraction) -> None:
        self.unit = int(unit * 4 * TICKS_PER_BEAT * FINE_PER_TICK)


class TuneReader:
    """One tune, from its X: field on: feed it lines with `read_line`; header values gather in `fields`."""

    def __init__(self, line: int):
        self.line = line
        self.fields: dict[str, list[str]] = {}
        self.voices: dict[str, VoiceReader] = {}
        self.voice: VoiceReader | None = None  # the one that music goes to; None in the header
        self.after_blank = False
        self.open_chord = ""  # a chord that a hard line wrap has cut in two

    def read_line(self, line: str) -> None:
        """Take one line of the file; after a blank line only lines with a bar line are music, others are free text."""
        if line.startswith("%"):
            return
        if line[1:2] == ":" and line[0].isalpha() and line[0] not in "abcdefgz":  # "g:|" is music
            self._read_field(line[0], line[2:].strip())
        elif not line.strip():
            self.after_blank = self.voice is not None and self.voice.n_events > 0
        elif self.voice and ("|" in line or not self.after_blank):
            self._read_music(line.partition("%")[0].replace("`", "").rstrip())

    def _read_field(self, letter: str, value: str) -> None:
        if self.voice is None or letter == "T":
            self.fields.setdefault(letter, []).append(value)
            HEADER_CHECKS.get(letter, str)(value)  # raises here, so that the message names this line
        if self.voice is None and letter == "K":
            self._choose_voice((self.fields.get("V") or [""])[0])
        elif self.voice and letter == "V":
            self._choose_voice(value)
        elif self.voice:
            self.voice.read_field(letter, value)

    def _read_music(self, line: str) -> None:
        line = self.open_chord + line
        cut = OPEN_CHORD.search(line)
        self.open_chord = cut[0] if cut else ""
        for match in TOKEN.finditer(line, 0, cut.start() if cut else len(line)):
            if match.lastgroup == "value" and match["field"] == "V":
                self._choose_voice(match["value"])
            else:
                self.voice.read(match)
        if not line.endswith("\\") and not cut:  # else the phrase goes on in the next line
            self.voice.end_line()

    def _choose_voice(self, value: str) -> None:
        name = (value.split() or [""])[0]
        if name not in self.voices:
            if len(self.voices) == MAX_VOICES:
                raise ValueError(f"a tune may have {MAX_VOICES} voices; split it")
            self.voices[name] = VoiceReader(self.fields)
        self.voice = self.voices[name]
