"""Where the notes of a performance go as they come: to a file, a FIFO, a MIDI device, in time or as fast as can be."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.formats.midi.reader import write_midi

TICKS = 100  # of a performance written down: hundredths of a second


@dataclass(frozen=True)
class Played:
    """A note that begins (velocity above 0) or ends (velocity 0), `seconds` after the start."""

    seconds: float
    voice: int
    pitch: int
    velocity: int

    def to_midi(self) -> bytes:
        """The message a synthesizer's MIDI port reads; the voice is the channel."""
        return bytes([(0x90 if self.velocity else 0x80) | self.voice, self.pitch, self.velocity or 64])


def performance_to_piece(events: Iterable[Played], **labels: Any) -> Piece:
    """Write a performance down as it was played, to the hundredth of a second: without a metre, as it is heard."""
    rows, begun = [], {}
    for event in events:
        at = round(event.seconds * TICKS)
        if event.velocity:
            begun[event.voice] = (at, event.pitch, event.velocity)
        elif event.voice in begun:
            begin, pitch, velocity = begun.pop(event.voice)
            rows.append((begin, max(1, at - begin), pitch, velocity, event.voice))
    return Piece.from_notes(rows, steps_per_beat=TICKS, tempo_qpm=60.0, **{"metre": None} | labels)


def play_to(path: Path, steps: Iterable[list[Played]], real_time: bool, **labels: Any) -> dict[str, float]:
    """Play to a file, or live to a FIFO or a MIDI device, as the music comes; Ctrl-C ends the music, not the program.

    Live means MIDI messages as a synthesizer's port reads them, each when it is due; a FIFO waits until someone reads
    it. A file cannot grow that way, for a MIDI file says at its beginning how long it is: it is written whole at the
    end, or, after Ctrl-C, with what was played until then. `real_time` says whether its clock is waited for.

    Returns:
        seconds of music, events, 1 or 0 for `complete`, `latency` of a sixteenth; in time, `late_ms` of the latest.
    """
    live = path.exists() and (stat.S_ISFIFO(path.stat().st_mode) or stat.S_ISCHR(path.stat().st_mode))
    played: list[Played] = []
    clock = Clock(waits=live or real_time)
    with path.open("wb", buffering=0) if live else nullcontext() as port:
        complete = _play(clock.pace(steps), played, port)
        if not complete:
            now = max(clock.seconds, played[-1].seconds + 0.1 if played else 0.0)
            ends = [Played(now, voice, pitch, 0) for voice, pitch in _ringing(played).items()]
            _play([ends], played, port)
    if not live:
        write_midi(performance_to_piece(played, **labels), path)
    found = {"seconds": played[-1].seconds if played else 0.0, "events": len(played), "complete": int(complete)}
    return found | latency(clock.thought) | ({"late_ms": max(clock.late)} if clock.late else {})


def _play(steps: Iterable[list[Played]], played: list[Played], port: Any) -> bool:
    """False if the player (Ctrl-C) or the listener (a FIFO closed by its reader) ended the music."""
    try:
        for events in steps:
            played += events
            if port:
                port.write(b"".join(event.to_midi() for event in events))
    except (KeyboardInterrupt, BrokenPipeError):
        return False
    return True


class Clock:
    """Hands sixteenths on when they are due and takes down how long each was thought about, in milliseconds."""

    def __init__(self, waits: bool = False):
        self.waits, self.started = waits, None
        self.thought: list[float] = []
        self.late: list[float] = []  # how much after its due moment each sixteenth came

    @property
    def seconds(self) -> float:
        """Since the first sixteenth was ready; 0 for a clock that does not wait."""
        return time.perf_counter() - self.started if self.waits and self.started else 0.0

    def pace(self, steps: Iterable[list[Played]]) -> Iterator[list[Played]]:
        """Time starts when the first sixteenth is ready, for before it the seed is read."""
        asked = time.perf_counter()
        for events in steps:
            ready = time.perf_counter()
            self.thought.append(1000 * (ready - asked))
            self.started = self.started or ready
            if self.waits and events:
                time.sleep(max(0.0, events[0].seconds - self.seconds))
                self.late.append(1000 * (self.seconds - events[0].seconds))
            yield events
            asked = time.perf_counter()


def _ringing(played: list[Played]) -> dict[int, int]:
    """What each voice is still sounding."""
    on: dict[int, int] = {}
    for event in played:
        on.pop(event.voice, None)
        if event.velocity:
            on[event.voice] = event.pitch
    return on


def latency(milliseconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and longest of the times a sixteenth took, the first (which reads the seed) apart."""
    if len(milliseconds) < 2:
        return {}
    first, rest = milliseconds[0], np.array(milliseconds[1:])
    p50, p99 = np.percentile(rest, [50, 99])
    return {"first_ms": first, "p50_ms": float(p50), "p99_ms": float(p99), "max_ms": float(rest.max())}
