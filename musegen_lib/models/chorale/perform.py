"""A recurrent net that plays on from a seed phrase while you listen: `musegen perform`.

The seed's chords come back beat by beat and its rhythm step by step; the notes are new. Every sixteenth is drawn,
shaped (loudness, tempo, delays) and handed on before the next one is thought of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from musegen_lib.core.expression import PLAIN_VELOCITY, expressive, note_delays
from musegen_lib.core.piece import Piece
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


def plan_performance(
    seed: ChoraleSteps, bars: int, number: int = 0, tempo: float = TEMPO, expression: bool = True
) -> Piece:
    """The frame of a performance before a note of it is known: four voices that strike every sixteenth.

    On the piano, for the organ knows no touch; `expressive` shapes it in phrases as long as `phrase_steps` says.
    """
    n_bar, n_phrase = CHORALE_METRES[seed.metre], phrase_steps(len(seed.tokens), CHORALE_METRES[seed.metre])
    n_steps = bars * n_bar
    rows = [(step, 1, 79 - voice, PLAIN_VELOCITY, voice) for step in range(n_steps) for voice in range(N_VOICES)]
    labels = {"metre": seed.metre, "key": steps_to_piece(seed).key, "pickup_steps": seed.pickup, "style": "chorale"}
    frame = Piece.from_notes(rows, tempo_qpm=tempo, programs=(0,) * N_VOICES, **labels)
    return expressive(frame, number, [*range(n_phrase, n_steps, n_phrase), n_steps]) if expression else frame


def perform(
    model: ChoraleRNN,
    seed: ChoraleSteps,
    bars: int,
    number: int = 0,
    temperature: float = 0.9,
    tempo: float = TEMPO,
    expression: bool = True,
) -> Iterator[list[Played]]:
    """Yield, sixteenth by sixteenth, what begins and ends there: `bars` bars that follow the seed.

    The net first reads the seed. The same number gives the same music, as loud and as late as in `plan_performance`.
    """
    plan = plan_performance(seed, bars, number, tempo, expression)
    n_seed, n_steps, rules = len(seed.tokens), plan.n_steps, SeedRules(seed)
    request = ChoraleRequest(seed.metre, plan.key or "C major", seed.pickup, temperature=temperature)
    frame = replace(seed, tokens=np.full((n_seed + n_steps, N_VOICES), REST))
    stream = ChoraleStream(model, [frame], request, "length", rules)
    generator = torch.Generator().manual_seed(number)
    for row in seed.tokens:
        stream.advance(generator, tuple(int(token) for token in row))
    seconds = plan.seconds_at(np.arange(n_steps + 1)).tolist()
    louds, delays = (
        column.reshape(n_steps, N_VOICES).tolist() for column in (plan.notes["velocity"], note_delays(plan))
    )
    sounding = [0] * N_VOICES
    for step in range(n_steps):
        rules.step = step
        tokens = stream.advance(generator)[0].tolist()
        turns = zip(range(N_VOICES), tokens, louds[step], delays[step])
        events = [event for turn in turns for event in _turn(*turn, sounding, seconds[step])]
        yield sorted(events, key=attrgetter("seconds"))
    yield [Played(seconds[-1], voice, pitch, 0) for voice, pitch in enumerate(sounding) if pitch]


def _turn(voice: int, token: int, velocity: int, delay: float, sounding: list[int], now: float) -> Iterator[Played]:
    """The events of one voice in one step; `sounding` is brought up to date."""
    if token == HOLD:
        return
    if sounding[voice]:
        yield Played(now, voice, sounding[voice], 0)
    sounding[voice] = token - FIRST_PITCH + LOW if token >= FIRST_PITCH else 0
    if sounding[voice]:
        yield Played(round(now + delay, 4), voice, sounding[voice], velocity)  # to a tenth of a millisecond


def phrase_steps(n_seed: int, n_bar: int = 16) -> int:
    """Length of one arch: the seed, or the largest part of a longer one that divides it, up to LONGEST_PHRASE bars.

    >>> [phrase_steps(16 * bars) // 16 for bars in (1, 4, 6, 8, 7)]
    [1, 4, 3, 4, 7]
    """
    bars = n_seed // n_bar
    parts = () if bars <= LONGEST_PHRASE else range(LONGEST_PHRASE, 1, -1)
    return n_bar * next((part for part in parts if bars % part == 0), bars)
