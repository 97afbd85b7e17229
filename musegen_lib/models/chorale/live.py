"""Where the notes of a performance go as they come: to a file, a FIFO, a MIDI device, in time or as fast as can be."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.formats.midi.reader import write_midi


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


def performance_to_piece(events: Iterable[Played], plan: Piece) -> Piece:
    """Write a performance down: its notes on the steps of its plan, with the plan's bars, key, tempos and delays."""
    line = plan.seconds_at(np.arange(plan.n_steps + 1))
    rows, begun = [], {}
    for event in events:
        step = int(np.searchsorted(line, event.seconds + 1e-6, side="right")) - 1  # delays are less than half a step
        if event.velocity:
            begun[event.voice] = (step, event.pitch, event.velocity)
        elif event.voice in begun:
            begin, pitch, velocity = begun.pop(event.voice)
            rows.append((begin, max(1, step - begin), pitch, velocity, event.voice))
    end = max((onset + duration for onset, duration, *_ in rows), default=0)
    changes = tuple(change for change in plan.tempo_changes if change[0] < end)
    return plan.replace(notes=Piece.from_notes(rows).notes, tempo_changes=changes)


def play_to(path: Path, steps: Iterable[list[Played]], plan: Piece, real_time: bool) -> dict[str, float]:
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
        write_midi(performance_to_piece(played, plan), path)
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
    """Hands events on when they are due and takes down how long each sixteenth was thought about, in milliseconds."""

    def __init__(self, waits: bool = False):
        self.waits, self.started = waits, None
        self.thought: list[float] = []
        self.late: list[float] = []  # how much after its due moment each event came

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
            for due, together in groupby(events, key=attrgetter("seconds")):
                if self.waits:
                    time.sleep(max(0.0, due - self.seconds))
                    self.late.append(1000 * (self.seconds - due))
                yield list(together)
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
