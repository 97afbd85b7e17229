"""Read the bytes of a MIDI file before any library parses them: structure, sizes, times and what will be ignored.

`scan` accepts a file only if every event can be read and nothing is out of bounds. It hands on `clean`, the same file
with its notes alone, so that the parser behind it meets no byte that was not understood here.
Source: Standard MIDI Files 1.0 (MIDI Manufacturers Association, RP-001).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter
from typing import Any

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import DRUMS
from musegen_lib.formats.midi.messages import (
    AGAIN,
    END_OF_TRACK,
    LIMITS,
    SPLIT,
    one_line,
    read_chunks,
    read_events,
    read_header,
)

MARKER = b"musegen:"  # a text event that begins so holds what MIDI has no event for
DEFAULT_TEMPO = 500_000  # microseconds a quarter note, in force until a file sets its own
FASTEST_TEMPO, SLOWEST_TEMPO = 6_001, 2**24 - 1  # just under 10,000 quarter notes a minute; three bytes
DRUM_CHANNEL = 9  # musicians count it as channel 10
IGNORED = {0xA: "pressures", 0xB: "controllers", 0xD: "pressures", 0xE: "pitch_bends", 0xF: "sysex"}
EMPTY_TEXT = b"\xff\x01\x00"


@dataclass(frozen=True)
class VoiceFacts:
    """One channel of one track: its General MIDI program (None if never set) and how many notes it plays."""

    track: int
    channel: int
    program: int | None
    n_notes: int

    @property
    def piece_program(self) -> int:
        """The program as `Piece` counts it: DRUMS on the drum channel, piano if never set."""
        return DRUMS if self.channel == DRUM_CHANNEL else self.program or 0


@dataclass
class ScanFacts:
    """What the scan found, in time order. `counts` says what reading will drop, repair or ignore."""

    ticks_per_beat: int
    voices: list[VoiceFacts] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)  # (tick, microseconds a quarter note)
    metres: list[tuple[int, str]] = field(default_factory=list)  # (tick, "4/4")
    keys: list[tuple[int, int, int]] = field(default_factory=list)  # (tick, sharps or minus flats, 1 if minor)
    title: bytes = b""
    marker: bytes | None = None
    n_events: int = 0
    n_note_ons: int = 0
    end_tick: int = 0
    last_tick: int = 0  # of the notes
    counts: Counter[str] = field(default_factory=Counter)
    clean: bytes = b""

    def seconds_at(self, tick: int) -> float:
        """Playing time from the start to a tick, through all tempo changes."""
        spans = pairwise([(0, DEFAULT_TEMPO), *self.tempos, (tick, 0)])
        spent = sum(max(0, min(stop, tick) - start) * tempo for (start, tempo), (stop, _) in spans)
        return spent / self.ticks_per_beat / 1e6


def scan(data: bytes, name: str) -> ScanFacts:
    """Check a whole file and list what it holds.

    Raises:
        MusegenError: one line with `name`, the first fault found and what to do about it.
    """
    try:
        n_tracks, ticks_per_beat, start = read_header(data)
        facts, tracks, elsewhere = ScanFacts(ticks_per_beat), [], {}
        for t, body in enumerate(read_chunks(data, start, n_tracks, facts.counts)):
            tracks.append(_read_track(t, body, facts, elsewhere))
        _check_totals(facts)
    except MusegenError as fault:
        raise MusegenError(f"{one_line(name)}: {fault}") from None
    facts.clean = b"".join([b"MThd\0\0\0\6\0\1", n_tracks.to_bytes(2, "big"), data[12:14], *tracks])
    return facts


def _read_track(t: int, body: bytes, facts: ScanFacts, elsewhere: dict[int, int]) -> bytes:
    """Add one track to the facts; return its chunk with the notes alone."""
    track, bare = _Track(t, facts), _Bare(body)
    tick = status = end = 0
    try:
        for tick, status, begin, start, end in read_events(body):
            facts.n_events += 1
            if facts.n_events > LIMITS.events or facts.n_note_ons > LIMITS.notes:
                raise MusegenError(f"beyond {LIMITS.events:,} events or {LIMITS.notes:,} notes; {SPLIT}")
            if status < 0xA0:
                track.read_note(status & 15, body[start], body[start + 1] if status >= 0x90 else 0)
                bare.note_end, track.last_tick = end, tick
                continue
            bare.leave_out(begin, end)
            if status >= 0x100:
                track.read_meta(status - 0x100, tick, body[start:end])
            else:
                track.read_control(status, body[start:end])
    except (IndexError, MusegenError) as fault:
        text = f"ends in the middle of an event; {AGAIN}" if isinstance(fault, IndexError) else fault
        raise MusegenError(f"track {t + 1}: {text}") from None
    facts.counts += Counter(ends_added=status != END_OF_TRACK, stray_bytes=len(body) - end)
    facts.end_tick, facts.last_tick = max(facts.end_tick, tick), max(facts.last_tick, track.last_tick)
    track.finish(elsewhere)
    return bare.to_chunk()


class _Bare:
    """The bytes of a track up to its last note, an empty text in place of every event that is not a note."""

    def __init__(self, body: bytes):
        self.body, self.parts, self.kept, self.note_end = body, [], 0, 0
        self.last = (0, 0, 0)  # how many parts, and which bytes behind them, end with the last note

    def leave_out(self, begin: int, end: int) -> None:
        """Put an empty text in place of the event between two bytes."""
        if self.note_end > self.kept:
            self.last = len(self.parts), self.kept, self.note_end
        self.parts += (self.body[self.kept : begin], EMPTY_TEXT)
        self.kept = end

    def to_chunk(self) -> bytes:
        """The chunk; what follows the last note, which may be hours away, cannot disturb the parser."""
        self.leave_out(len(self.body), len(self.body))
        n_parts, start, stop = self.last
        data = b"".join([*self.parts[:n_parts], self.body[start:stop], b"\0\xff\x2f\0"])
        return b"MTrk" + len(data).to_bytes(4, "big") + data


class _Track:
    """Takes the events of one track into the facts."""

    def __init__(self, number: int, facts: ScanFacts):
        self.number, self.facts = number, facts
        self.sounding = [0] * 2048  # notes begun and not yet ended, by channel * 128 + pitch
        self.begun, self.ended = [0] * 16, [0] * 16  # notes by channel
        self.programs: dict[int, int] = {}
        self.last_tick = 0  # of its notes

    def read_note(self, channel: int, pitch: int, velocity: int) -> None:
        """Take a note-on, or a note-off as velocity 0."""
        note = channel << 7 | pitch
        if velocity:
            self.facts.n_note_ons += 1
            self.sounding[note] += 1
            self.begun[channel] += 1
        elif self.sounding[note]:
            self.sounding[note] -= 1
            self.ended[channel] += 1
        else:
            self.facts.counts["stray_note_offs"] += 1

    def read_control(self, status: int, payload: bytes) -> None:
        """Keep the program under which a channel's first note sounds, else the first one set; count the rest."""
        kind, channel = status >> 4, status & 15
        if kind == 0xC and not (self.begun[channel] and channel in self.programs):
            self.programs[channel] = payload[0]
        elif kind == 0xC:
            self.facts.counts["program_changes"] += self.programs[channel] != payload[0]
        else:
            pedal = kind == 0xB and payload[0] == 64
            self.facts.counts["pedals" if pedal else IGNORED[kind]] += 1

    def read_meta(self, kind: int, tick: int, payload: bytes) -> None:
        """Take tempo, metre, key, title and marker; count other text; the rest says nothing about the music."""
        facts = self.facts
        if len(facts.tempos) + len(facts.metres) + len(facts.keys) > LIMITS.changes:
            raise MusegenError(f"more than {LIMITS.changes:,} changes of tempo, metre or key; {AGAIN}")
        if kind == 0x51:
            self._keep(facts.tempos, tick, _read_tempo(payload), "bad_tempos")
        elif kind == 0x58:
            self._keep(facts.metres, tick, _read_metre(payload), "bad_metres")
        elif kind == 0x59 and len(payload) == 2 and (payload[0] + 7) % 256 < 15 and payload[1] < 2:
            facts.keys.append((tick, (payload[0] + 7) % 256 - 7, payload[1]))
        elif kind == 0x03:
            facts.title = facts.title or payload * (self.number == 0)
        elif kind == 0x01 and payload.startswith(MARKER) and facts.marker is None:
            facts.marker = payload.removeprefix(MARKER)
        elif kind in range(1, 16) or kind == 0x59:
            facts.counts["bad_keys" if kind == 0x59 else "texts"] += 1

    def _keep(self, changes: list[tuple[int, Any]], tick: int, value: Any, otherwise: str) -> None:
        if value is None:
            self.facts.counts[otherwise] += 1
        else:
            changes.append((tick, value))

    def finish(self, elsewhere: dict[int, int]) -> None:
        """List this track's voices; one without a program takes the first that an earlier track set for its channel."""
        for channel, program in self.programs.items():
            elsewhere.setdefault(channel, program)
        for channel, n_notes in enumerate(self.ended):
            if n_notes:
                program = self.programs.get(channel, elsewhere.get(channel))
                self.facts.voices.append(VoiceFacts(self.number, channel, program, n_notes))
        self.facts.counts["unended_notes"] += sum(self.sounding)


def _read_tempo(payload: bytes) -> int | None:
    """Microseconds a quarter note, None for what is no tempo."""
    tempo = int.from_bytes(payload, "big")
    return tempo if len(payload) == 3 and tempo >= FASTEST_TEMPO else None


def _read_metre(payload: bytes) -> str | None:
    """Such as "6/8", None for what is no metre up to 255/64."""
    possible = len(payload) >= 2 and payload[0] and payload[1] <= 6
    return f"{payload[0]}/{2 ** payload[1]}" if possible else None


def _check_totals(facts: ScanFacts) -> None:
    for timed in (facts.tempos, facts.metres, facts.keys):
        timed.sort(key=itemgetter(0))
    if len(facts.voices) > LIMITS.voices:
        raise MusegenError(f"{len(facts.voices)} voices, more than {LIMITS.voices}; {SPLIT}")
    seconds = facts.seconds_at(facts.last_tick)
    if facts.last_tick > LIMITS.ticks or seconds > LIMITS.seconds:
        raise MusegenError(
            f"its last note ends at tick {facts.last_tick:,}, after {seconds / 3600:,.1f} hours, beyond "
            f"{LIMITS.ticks:,} ticks or {LIMITS.seconds / 3600:g} hours; cut out the silence or the damaged event"
        )
