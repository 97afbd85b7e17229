"""A recurrent net that plays on from a seed phrase while you listen: `musegen perform`.

The seed's chords come back beat by beat and its rhythm step by step; the notes are new. Every sixteenth is drawn,
shaped (loudness, timing) and handed on before the next one is thought of.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from musegen_lib.encodings.chorale_steps import (
    CHORALE_METRES,
    FIRST_PITCH,
    HOLD,
    LOW,
    N_TOKENS,
    N_VOICES,
    REST,
    STEPS_PER_BEAT,
    ChoraleSteps,
    steps_to_piece,
    tokens_to_grid,
)
from musegen_lib.models.chorale.live import Played
from musegen_lib.models.chorale.rnn import ChoraleRNN
from musegen_lib.models.chorale.sampling import STRIKES, ChoraleRequest, ChoraleStream

TEMPO, SLOWEST, FASTEST = 96.0, 20.0, 300.0  # quarter notes a minute
LOUDER = (10, 0, 0, 4)  # added to the velocity of soprano, alto, tenor, bass
PLAIN = 70  # velocity of every note played without expression
LONGEST_PHRASE = 4  # bars of one arch
PITCHES = [token - FIRST_PITCH + LOW for token in range(N_TOKENS)]


class SeedRules:
    """What the seed leaves open: the soprano keeps its rhythm, and what sounds on a beat belongs to its chord.

    On a beat the net may strike only pitch classes that sound in the seed there, and below the soprano hold only
    these; the soprano holds where the seed's does. Between beats all notes are free.
    """

    def __init__(self, seed: ChoraleSteps):
        self.rhythm, self.pickup, self.step = seed.tokens[:, 0], seed.pickup, 0
        self.chords = [{int(pitch) % 12 for pitch in row if pitch} for row in np.abs(tokens_to_grid(seed.tokens))]
        of_chord = [[pitch % 12 in chord for pitch in PITCHES] for chord in self.chords]
        self.of_chord = torch.tensor(of_chord) | ~STRIKES  # (seed's steps, V) HOLD and REST are no pitches

    def __call__(self, voice: int, before: Tensor, known: Tensor) -> Bool[Tensor, "n V"]:
        """True = allowed in the step the performer is at."""
        place = self.step % len(self.chords)
        allowed = self._by_rhythm(voice, int(self.rhythm[place]), before)
        chord = self.chords[place]
        if (place - self.pickup) % STEPS_PER_BEAT == 0 and chord:
            allowed &= self.of_chord[place]
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
    model: ChoraleRNN,
    seed: ChoraleSteps,
    bars: int,
    number: int = 0,
    temperature: float = 0.9,
    tempo: float = TEMPO,
    expressive: bool = True,
) -> Iterator[list[Played]]:
    """Yield, sixteenth by sixteenth, what begins and ends there: `bars` bars that follow the seed.

    The net first reads the seed. The same number gives the same music; without expression it is as loud and as even
    as a machine's.
    """
    n_bar, n_seed = CHORALE_METRES[seed.metre], len(seed.tokens)
    n_steps, n_phrase, rules = bars * n_bar, phrase_steps(n_seed, n_bar), SeedRules(seed)
    request = ChoraleRequest(seed.metre, steps_to_piece(seed).key or "C major", seed.pickup, temperature=temperature)
    frame = replace(seed, tokens=np.full((n_seed + n_steps, N_VOICES), REST))
    stream = ChoraleStream(model, [frame], request, "length", rules)
    generator = torch.Generator().manual_seed(number)
    for row in seed.tokens:
        stream.advance(generator, tuple(int(token) for token in row))
    sounding, now = [0] * N_VOICES, 0.0
    for step in range(n_steps):
        rules.step = step
        tokens = stream.advance(generator)[0].tolist()
        loud, stretch = shape(step, n_phrase, n_steps, n_bar, seed.pickup)
        louds = [loud + louder for louder in LOUDER] if expressive else [PLAIN] * N_VOICES
        yield [event for v in range(N_VOICES) for event in _turn(v, tokens[v], sounding, now, louds[v])]
        now += 60 / tempo / STEPS_PER_BEAT * (stretch if expressive else 1)
    yield [Played(now, voice, pitch, 0) for voice, pitch in enumerate(sounding) if pitch]


def _turn(voice: int, token: int, sounding: list[int], now: float, velocity: int) -> Iterator[Played]:
    """The events of one voice in one step; `sounding` is brought up to date."""
    if token == HOLD:
        return
    if sounding[voice]:
        yield Played(now, voice, sounding[voice], 0)
    sounding[voice] = token - FIRST_PITCH + LOW if token >= FIRST_PITCH else 0
    if sounding[voice]:
        yield Played(now, voice, sounding[voice], velocity)


def phrase_steps(n_seed: int, n_bar: int = 16) -> int:
    """Length of one arch: the seed, or the largest part of a longer one that divides it, up to LONGEST_PHRASE bars.

    >>> [phrase_steps(16 * bars) // 16 for bars in (1, 4, 6, 8, 7)]
    [1, 4, 3, 4, 7]
    """
    bars = n_seed // n_bar
    parts = () if bars <= LONGEST_PHRASE else range(LONGEST_PHRASE, 1, -1)
    return n_bar * next((part for part in parts if bars % part == 0), bars)


def shape(step: int, n_phrase: int, n_steps: int, n_bar: int = 16, pickup: int = 0) -> tuple[int, float]:
    """Loudness (MIDI velocity) of a step and how much longer than written it lasts.

    Loudness rises to the middle of a phrase and falls to its end, a little more on the first beat of a bar. Time runs
    evenly until the last fifth of a phrase and then slows down by up to a tenth; the last bar slows down by up to half.
    Source: the arch over a phrase from Todd 1992, "The dynamics of dynamics"; the amounts are ours.

    >>> [shape(step, 64, 64)[0] for step in (0, 32, 63)]
    [64, 84, 59]
    """
    along = (step % n_phrase) / n_phrase
    accent = 6 if (step - pickup) % n_bar == 0 else 0
    late = max(0.0, 1 - (n_phrase - step % n_phrase) / (0.2 * n_phrase))
    last = max(0.0, 1 - (n_steps - step) / n_bar)
    return round(58 + 20 * math.sin(math.pi * along)) + accent, 1 + max(0.1 * late**2, 0.5 * last**2)
