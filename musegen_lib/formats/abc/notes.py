"""From note tokens of ABC to notes: pitches under key, accidentals and ties, lengths under tuplets and broken rhythm.

Times here are fine ticks, FINE_PER_BEAT to a quarter note, so that fractions of a tick stay whole numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.limits import MAX_BEATS, MAX_NOTES, TICKS_PER_BEAT
from musegen_lib.formats.abc.fields import default_unit, parse_key, parse_metre, parse_unit
from musegen_lib.formats.abc.tokens import (
    ACCIDENTALS,
    CHORD_NOTE,
    NATURALS,
    NOT_IN_CHORD,
    TUPLET_TIME,
    parse_length,
    parse_number,
)

FINE_PER_BEAT = 2**10 * 3**3 * 5**2 * 7 * 11 * 13  # exact: 4096ths, and tuplets of up to 16 notes
OTHER_OCTAVE = "notes without the accidental that stands in another octave of the bar"
FINE_PER_TICK = FINE_PER_BEAT // TICKS_PER_BEAT


class NoteReader:
    """What gives a note its pitch and its time, and the notes read so far.

    `notes` is the melody: the top note of each chord, first layer, as written. `sounding` is everything, as it sounds.
    """

    def __init__(self, fields: dict[str, list[str]], counts: Counter[str]):
        self.metre = parse_metre(fields.get("M", [""])[-1])
        self.key = parse_key(fields["K"][-1])
        units = [unit for unit in map(parse_unit, fields.get("L", [])) if unit]
        self._set_unit(units[-1] if units else default_unit(self.metre))
        self.counts = counts  # of what is left out, by phrase
        self.notes: list[list[int]] = []  # [onset, duration, pitch]
        self.sounding: list[list[int]] = []  # [onset, offset, pitch]
        self.n_grace = self.n_events = 0
        self.now = 0
        self.propagation = "octave"  # where an accidental holds until the bar line: not, octave, pitch (all octaves)
        is_other = any(re.match(r"H\s*=", value) for value in fields.get("U", []))  # the tune says what H means
        self.fermatas = {"!fermata!", "+fermata+", "!invertedfermata!", "" if is_other else "H"}
        self.waits = False  # a fermata is read, its note is not
        self.paused: list[list[int]] = []  # notes of `sounding` under a fermata
        self.in_layer = False  # a second layer is read, behind '&'
        self.shift = 0  # semitones from written to sounding notes
        self.altered: dict[int, int] = {}  # natural pitch -> semitones, until the next bar line
        self.struck: list[tuple[int, int]] = []  # (natural pitch, semitones) of the last note or chord
        self.rows: list[list[int]] = []  # those of the last note or chord in `sounding`
        self.held: dict[int, list[int]] = {}  # pitch -> its row, while a tie waits for its second note
        self.tied: dict[int, int] = {}  # natural pitch -> semitones, likewise
        self.tie = False
        self.last: tuple[bool, int] | None = None  # (is a melody note, duration) of what '>' would lengthen
        self.broken: tuple[int, int] | None = None  # what the last '>' or '<' does to the next duration
        self.tuplet, self.tuplet_left = (1, 1), 0

    def _read_note(self, match: re.Match[str]) -> None:
        accidental, letter, octave, length = match.group("accidental", "letter", "octave", "length")
        natural, alter = self._resolve(accidental, letter, octave)
        self.struck = [(natural, alter)]
        self._strike([natural + alter], self._duration(length))

    def _read_chord(self, match: re.Match[str]) -> None:
        """A chord lasts as long as its first note; a tie inside holds its note."""
        bare = NOT_IN_CHORD.sub("", match["chord"])
        inner = CHORD_NOTE.findall(bare)
        self.counts["chord symbols left out"] += match["chord"].count('"') // 2
        if not inner:
            return
        self.counts["chord notes of another length than the first, taken as long"] += sum(
            parse_length(found[3]) != parse_length(inner[0][3]) for found in inner
        )
        self.waits |= not self.fermatas.isdisjoint({*NOT_IN_CHORD.findall(match["chord"]), *bare})
        self.struck = [self._resolve(*found[:3]) for found in inner]
        times = parse_length(match["chord_length"])
        self._strike([sum(pair) for pair in self.struck], self._duration(inner[0][3], times))
        if any(found[4] for found in inner):
            self._read_tie(match)
            self.held = {row[2]: row for row, found in zip(self.rows, inner) if found[4]}
            self.tied = dict(pair for pair, found in zip(self.struck, inner) if found[4])

    def _read_rest(self, match: re.Match[str]) -> None:
        length = match["rest_length"]
        if match["rest"] in "ZX":  # Z4 is four bars of silence
            n_bars, parts = parse_length(length)
            duration = int(metre_to_beats(self.metre or "4/4") * FINE_PER_BEAT * n_bars / parts)
        else:
            duration = self._duration(length)
        self.rows = []
        self.lose_fermata()
        self._advance(duration, is_note=False)

    def lose_fermata(self) -> None:
        """Count a fermata that stands over no note."""
        self.counts["fermatas over rests and bar lines left out"] += self.waits
        self.waits = False

    def _read_tie(self, _: re.Match[str]) -> None:
        self.tie, self.tied = True, dict(self.struck)
        self.held = {row[2]: row for row in self.rows}

    def _read_broken(self, match: re.Match[str]) -> None:
        """A > B: the first gains what the second loses, half of it for '>', three quarters for '>>'."""
        signs = match["broken"]
        if len(signs) > 3:
            raise ValueError(f"the broken rhythm {signs[:8]!r} has more than three signs; write the lengths out")
        if self.last is None:
            return
        whole = 2 ** len(signs)
        first, second = (2 * whole - 1, 1) if signs[0] == ">" else (1, 2 * whole - 1)
        in_melody, duration = self.last
        gain = duration * first // whole - duration
        self.now += gain
        if in_melody:
            self.notes[-1][1] += gain
        for row in self.rows:
            row[1] += gain
        self.broken = (second, whole)

    def _read_tuplet(self, match: re.Match[str]) -> None:
        """(p:q:r is p notes in the time of q, for the next r notes."""
        p = int(match["tuplet"])
        compound = self.metre is not None and self.metre.split("/")[0] in ("6", "9", "12")
        usual = TUPLET_TIME.get(p, 3 if compound else 2)
        self.tuplet = (parse_number(match["q"] or "0") or usual, p)
        self.tuplet_left = parse_number(match["r"] or "0") or p

    def _read_grace(self, match: re.Match[str]) -> None:
        self.n_grace += len(CHORD_NOTE.findall(match["grace"]))

    def _resolve(self, accidental: str | None, letter: str, octave: str) -> tuple[int, int]:
        """Natural pitch and semitones: own accidental, else tie, else earlier in the bar, else key."""
        natural = NATURALS[letter]
        if octave:
            natural += 12 * (octave.count("'") - octave.count(","))
        place = natural % 12 if self.propagation == "pitch" else natural
        if accidental:
            if self.propagation == "not":
                return natural, ACCIDENTALS[accidental]
            self.altered[place] = ACCIDENTALS[accidental]
        elif natural in self.tied and place not in self.altered:  # the sign is not carried beyond the tied note
            return natural, self.tied[natural]
        alter = self.altered.get(place)
        if alter is None:
            alter = self.key.alters.get(letter, 0)
            if self.altered and any((place - other) % 12 == 0 for other in self.altered):
                self.counts[OTHER_OCTAVE] += 1
        return natural, alter

    def _duration(self, length: str, times: tuple[int, int] = (1, 1)) -> int:
        """The length behind a note in fine ticks, `times` as long; uses up broken rhythm and one note of a tuplet."""
        above, below = parse_length(length)
        above, below = self.unit * above * times[0], below * times[1]
        if self.broken:
            above, below = above * self.broken[0], below * self.broken[1]
            self.broken = None
        if self.tuplet_left:
            above, below = above * self.tuplet[0], below * self.tuplet[1]
            self.tuplet_left -= 1
        return above // below

    def _strike(self, pitches: list[int], duration: int) -> None:
        """Add notes, or lengthen those that a tie joins them to."""
        now = self.now
        self.rows = []
        for written in pitches:
            pitch = written + self.shift
            if not (0 <= written <= 127 and 0 <= pitch <= 127):
                raise ValueError(f"a note has MIDI pitch {pitch}, outside 0-127; take away octave marks")
            row = self.held.get(pitch)
            if row and row[1] == now:
                row[1] = now + duration
            else:
                row = [now, now + duration, pitch]
                self.sounding.append(row)
            self.rows.append(row)
        self.paused += self.rows if self.waits else []
        self.waits = False
        if not self.in_layer:
            self._add_to_melody(max(pitches), duration)
        self._advance(duration, is_note=not self.in_layer)

    def _add_to_melody(self, pitch: int, duration: int) -> None:
        joined = self.tie and self.notes and self.notes[-1][2] == pitch
        if joined and sum(self.notes[-1][:2]) == self.now:
            self.notes[-1][1] += duration
        else:
            self.notes.append([self.now, duration, pitch])

    def _advance(self, duration: int, is_note: bool) -> None:
        self.now += duration
        self.last = (is_note, duration)
        if self.tie:
            self.tie, self.tied, self.held = False, {}, {}
        self.n_events += 1
        if self.n_events > MAX_NOTES or self.now > MAX_BEATS * FINE_PER_BEAT:
            raise ValueError(f"a tune may hold {MAX_NOTES:,} notes and last {MAX_BEATS:,} quarter notes; shorten it")

    def _set_unit(self, unit: Fraction) -> None:
        self.unit_length = unit
        self.unit = int(unit * 4 * FINE_PER_BEAT)
