"""Plans of chorales: how many bars, and where the phrases end; drawn from counts of the training chorales.

A plan is a chain of phrases. The next phrase's length and fermata depend on the beat of the bar it begins on, and all
must fill the asked bars exactly: a phrase is drawn in proportion to its count times the number of ways to go on from
its end to the end of the piece (the backward pass of a hidden semi-Markov model, Yu 2010).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from musegen_lib.encodings.chorale_phrases import FERMATA_BEATS, Ends, phrase_lengths
from musegen_lib.encodings.chorale_steps import CHORALE_METRES, N_PLACES, STEPS_PER_BEAT, ChoraleSteps, step_places

LONGEST = 32  # bars
PHRASE_BEATS = 24  # of the longest phrase that is planned
SELDOM = 1e-3  # count of what was never seen, so that any length can be filled


class PhrasePlanner(nn.Module):
    """Counts of phrases (beat of the bar they begin on, length, fermata) and of bars (metre, number)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("phrases", torch.ones(N_PLACES // STEPS_PER_BEAT, PHRASE_BEATS, FERMATA_BEATS))
        self.register_buffer("bars", torch.ones(len(CHORALE_METRES), LONGEST))

    def learn(self, pieces: Sequence[ChoraleSteps]) -> None:
        """Count the phrases and the bars of pieces whose phrase ends are known."""
        self.phrases.fill_(SELDOM)
        self.bars.fill_(SELDOM)
        for piece in pieces:
            bar = CHORALE_METRES[piece.metre]
            for start, beats, fermata in phrase_lengths(piece.ends):
                if beats <= PHRASE_BEATS:
                    place = step_places(start, piece.metre, piece.pickup) // STEPS_PER_BEAT
                    self.phrases[place, beats - 1, min(fermata, FERMATA_BEATS) - 1] += 1
            n_bars = len(piece.tokens) // bar
            if len(piece.tokens) % bar == 0 and n_bars <= LONGEST:
                self.bars[list(CHORALE_METRES).index(piece.metre), n_bars - 1] += 1

    def draw_bars(self, metre: str, n: int, generator: torch.Generator) -> list[int]:
        """Numbers of bars of n pieces."""
        counts = self.bars[list(CHORALE_METRES).index(metre)]
        return (torch.multinomial(counts, n, replacement=True, generator=generator) + 1).tolist()

    def draw_ends(self, metre: str, pickup: int, n_steps: int, generator: torch.Generator) -> Ends:
        """Phrase ends of one piece of n_steps, a multiple of a beat; the last is its end."""
        n_beats, ends, now = n_steps // STEPS_PER_BEAT, [], 0
        places = [int(step_places(beat * STEPS_PER_BEAT, metre, pickup)) // STEPS_PER_BEAT for beat in range(n_beats)]
        ways = self._ways(places)
        while now < n_beats:
            drawn = int(
                torch.multinomial(self._options(places[now], ways[now + 1 :]).flatten(), 1, generator=generator)
            )
            length, fermata = drawn // FERMATA_BEATS + 1, drawn % FERMATA_BEATS + 1
            now += length
            ends.append(((now - min(length, fermata)) * STEPS_PER_BEAT, now * STEPS_PER_BEAT))
        return tuple(ends)

    def _options(self, place: int, ways: Tensor) -> Float[Tensor, "L F"]:
        """Weight of each length and fermata of a phrase from here, `ways` (beats left,) leading on from its end."""
        counts = self.phrases[place, : len(ways)]
        return counts / self.phrases[place].sum() * ways[: len(counts), None]

    def _ways(self, places: list[int]) -> Float[Tensor, "beats1"]:
        """Weight of all plans from each beat to the end."""
        ways = torch.zeros(len(places) + 1, dtype=torch.float64)
        ways[-1] = 1
        for beat in reversed(range(len(places))):
            ways[beat] = self._options(places[beat], ways[beat + 1 :]).sum()
        return ways
