"""A recurrent net that plays on from a seed phrase while you listen: `musegen perform`.

The seed's chords come back beat by beat and its rhythm step by step; the notes are new. Every sixteenth is drawn,
shaped (loudness, timing) and handed on before the next one is thought of.
"""

from __future__ import annotations

import math
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from musegen_lib.harmonise import harmonise
from musegen_lib.midi import write_midi
from musegen_lib.models.chorale import ChoraleRNN
from musegen_lib.models.chorale_batches import (
    BAR_STEPS,
    END,
    FIRST_PITCH,
    HOLD,
    LOW,
    N_TOKENS,
    N_VOICES,
    REST,
    STEPS_PER_BEAT,
    ChoraleSteps,
    piece_to_steps,
    steps_to_piece,
    tokens_to_grid,
)
from musegen_lib.models.chorale_sampling import ChoraleRequest, ChoraleStream
from musegen_lib.piece import Piece

TEMPO = 96.0  # quarter notes a minute, if the seed names none
TICKS = 100  # of a performance written down: hundredths of a second
PITCHES = [token - FIRST_PITCH + LOW for token in range(N_TOKENS)]
STRIKES = torch.tensor([FIRST_PITCH <= token < END for token in range(N_TOKENS)])


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


def four_voices(seed: Piece, number: int = 0) -> ChoraleSteps:
    """The seed phrase for four voices, filled up to whole bars by holding its end; a melody is harmonised first."""
    piece = seed if seed.n_voices == N_VOICES else harmonise(seed, number)[0]
    steps = piece_to_steps(piece)
    rest = np.full((-len(steps.tokens) % BAR_STEPS[steps.metre], N_VOICES), HOLD)
    rest[:, tokens_to_grid(steps.tokens)[-1] == 0] = REST
    return ChoraleSteps(np.vstack([steps.tokens, rest]), steps.tonic, steps.mode, steps.metre, steps.pickup)


class SeedRules:
    """What the seed leaves open: the soprano keeps its rhythm, and what sounds on a beat belongs to its chord."""

    def __init__(self, seed: ChoraleSteps):
        self.rhythm, self.step = seed.tokens[:, 0], 0
        self.chords = [{int(pitch) % 12 for pitch in row if pitch} for row in np.abs(tokens_to_grid(seed.tokens))]

    def __call__(self, voice: int, before: Tensor, known: Tensor) -> Bool[Tensor, "n V"]:
        """True = allowed in the step the performer is at."""
        place = self.step % len(self.chords)
        allowed = self._by_rhythm(voice, int(self.rhythm[place]), before)
        chord = self.chords[place]
        if place % STEPS_PER_BEAT == 0 and chord:
            allowed &= torch.tensor([pitch % 12 in chord for pitch in PITCHES]) | ~STRIKES
            if voice:
                allowed[:, HOLD] &= torch.tensor([int(pitch) % 12 in chord for pitch in before[:, voice].abs()])
        return allowed

    def _by_rhythm(self, voice: int, rhythm: int, before: Tensor) -> Bool[Tensor, "n V"]:
        allowed = STRIKES.repeat(len(before), 1)
        if voice == 0:
            allowed[:, :FIRST_PITCH] = False
            if rhythm < FIRST_PITCH:
                holds = (before[:, 0] != 0) & (rhythm == HOLD)
                allowed[:] = False
                allowed[:, HOLD], allowed[:, REST] = holds, ~holds
        else:
            allowed[:, HOLD] = self.step > 0  # nothing of the seed rings on
            allowed[:, REST] = not self.chords[self.step % len(self.chords)]
        return allowed


def perform(
    model: ChoraleRNN, seed: ChoraleSteps, bars: int, number: int = 0, temperature: float = 0.9, tempo: float = TEMPO
) -> Iterator[list[Played]]:
    """Yield, sixteenth by sixteenth, what begins and ends there: `bars` bars that follow the seed.

    The net first reads the seed. The same number gives the same music.
    """
    metre, n_phrase = seed.metre, len(seed.tokens)
    n_steps = bars * BAR_STEPS[metre]
    key = steps_to_piece(seed).key or "C major"
    rules = SeedRules(seed)
    request = ChoraleRequest(metre, key, seed.pickup, temperature=temperature)
    stream = ChoraleStream(model, 1, request, n_phrase + n_steps, rules)
    generator = torch.Generator().manual_seed(number)
    for row in seed.tokens:
        stream.advance(generator, tuple(int(token) for token in row))
    sounding, now = [0] * N_VOICES, 0.0
    for step in range(n_steps):
        rules.step = step
        tokens = stream.advance(generator)[0].tolist()
        velocity, stretch = shape(step, n_phrase, n_steps, BAR_STEPS[metre], seed.pickup)
        yield [event for voice in range(N_VOICES) for event in _turn(voice, tokens[voice], sounding, now, velocity)]
        now += 60 / tempo / STEPS_PER_BEAT * stretch
    yield [Played(now, voice, pitch, 0) for voice, pitch in enumerate(sounding) if pitch]


def _turn(voice: int, token: int, sounding: list[int], now: float, velocity: int) -> Iterator[Played]:
    """The events of one voice in one step; `sounding` is brought up to date."""
    if token == HOLD:
        return
    if sounding[voice]:
        yield Played(now, voice, sounding[voice], 0)
    sounding[voice] = token - FIRST_PITCH + LOW if token >= FIRST_PITCH else 0
    if sounding[voice]:
        yield Played(now, voice, sounding[voice], velocity + (10 if voice == 0 else 4 if voice == 3 else 0))


def shape(step: int, n_phrase: int, n_steps: int, n_bar: int = 16, pickup: int = 0) -> tuple[int, float]:
    """Loudness (MIDI velocity) of a step and how much longer than written it lasts.

    Loudness rises to the middle of a phrase and falls to its end, a little more on the first beat of a bar. Time runs
    evenly until the last fifth of a phrase and then slows down, by a tenth at the end of a phrase, by half at the end.
    Source: the arch over a phrase from Todd 1992, "The dynamics of dynamics"; the amounts are ours.

    >>> [shape(step, 64, 64)[0] for step in (0, 32, 63)]
    [64, 84, 59]
    """
    along = (step % n_phrase) / n_phrase
    accent = 6 if (step - pickup) % n_bar == 0 else 0
    left = min(n_phrase - step % n_phrase, n_steps - step)
    late = max(0.0, 1 - left / (0.2 * n_phrase))
    slowing = 0.5 if n_steps - step <= n_bar else 0.1
    return round(58 + 20 * math.sin(math.pi * along)) + accent, 1 + slowing * late**2


def performance_to_piece(events: Iterable[Played], **labels) -> Piece:
    """Write a performance down as it was played, to the hundredth of a second."""
    rows, open_notes = [], {}
    for event in events:
        at = round(event.seconds * TICKS)
        if event.velocity:
            open_notes[event.voice] = (at, event.pitch, event.velocity)
        elif event.voice in open_notes:
            begin, pitch, velocity = open_notes.pop(event.voice)
            rows.append((begin, max(1, at - begin), pitch, velocity, event.voice))
    return Piece.from_notes(rows, steps_per_beat=TICKS, tempo_qpm=60.0, **labels)


def play_to(path: Path, steps: Iterable[list[Played]], real_time: bool, **labels) -> dict[str, float]:
    """Play to a file or a FIFO as the music comes; returns seconds of music, and milliseconds of thought a sixteenth.

    A FIFO gets MIDI messages as a synthesizer's port reads them, each when it is due. A file is written whole at the
    end, or, after Ctrl-C, with what was played until then; `real_time` says whether the clock is waited for.
    """
    fifo = path.exists() and stat.S_ISFIFO(path.stat().st_mode)
    out = open(path, "wb", buffering=0) if fifo else None  # noqa: SIM115  closed below
    played: list[Played] = []
    thought: list[float] = []
    started = asked = time.perf_counter()
    try:
        for events in steps:
            thought.append(1000 * (time.perf_counter() - asked))
            if events and (fifo or real_time):
                time.sleep(max(0.0, events[0].seconds - (time.perf_counter() - started)))
            played += events
            if out:
                out.write(b"".join(event.to_midi() for event in events))
            asked = time.perf_counter()
    except KeyboardInterrupt:
        ends = [Played(played[-1].seconds, *note, 0) for note in _ringing(played)]
        played += ends
        if out:
            out.write(b"".join(event.to_midi() for event in ends))
    finally:
        if out:
            out.close()
        elif played:
            write_midi(performance_to_piece(played, **labels), path)
    return latency(thought) | {"seconds": played[-1].seconds if played else 0.0, "events": len(played)}


def latency(milliseconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and longest of the times a sixteenth took, the first (which reads the seed) apart."""
    if len(milliseconds) < 2:
        return {}
    first, rest = milliseconds[0], np.array(milliseconds[1:])
    p50, p99 = np.percentile(rest, [50, 99])
    return {"first_ms": first, "p50_ms": float(p50), "p99_ms": float(p99), "max_ms": float(rest.max())}


def _ringing(played: list[Played]) -> list[tuple[int, int]]:
    on: dict[int, int] = {}
    for event in played:
        if event.velocity:
            on[event.voice] = event.pitch
        else:
            on.pop(event.voice, None)
    return list(on.items())
