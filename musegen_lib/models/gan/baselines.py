"""What a GAN for bars has to beat: mixed voices, a Markov chain of chords, bars of cells read as four voices.

Axes as in `gan.batches`: N bars, T steps, 4 voices. Studied in notebooks/02b_gan_chorales.ipynb.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from jaxtyping import Bool, Int

from musegen_lib.encodings.arrays import BAR_LOW, BAR_PITCHES
from musegen_lib.encodings.chorale_steps import FIRST_PITCH, HIGH, HOLD, LOW, N_VOICES, REST, tokens_to_grid


def mix_voices(tokens: Int[np.ndarray, "N T 4"], rng: np.random.Generator) -> Int[np.ndarray, "N T 4"]:
    """Give each bar its four voices from four different bars: each line is real, nothing fits."""
    return np.stack([tokens[rng.permutation(len(tokens)), :, voice] for voice in range(N_VOICES)], axis=2)


class ChordChain:
    """Markov chain of order 1 over steps: what the voices do next, given what sounds now and the place in the bar."""

    def __init__(self, tokens: Int[np.ndarray, "N T 4"]):
        self.n_steps = tokens.shape[1]
        self.opening = tokens[:, 0]
        self.next: dict[tuple, list[np.ndarray]] = defaultdict(list)
        for bar in tokens:
            sounding = np.abs(tokens_to_grid(bar))
            for step in range(1, self.n_steps):
                self.next[step, *sounding[step - 1].tolist()].append(bar[step])

    def sample(self, n: int, rng: np.random.Generator) -> Int[np.ndarray, "n T 4"]:
        """Draw n bars; every state that can be reached was followed by something in training."""
        made = np.empty((n, self.n_steps, N_VOICES), dtype=np.int64)
        for bar in made:
            bar[0] = self.opening[rng.integers(len(self.opening))]
            for step in range(1, self.n_steps):
                follow = self.next[step, *np.abs(tokens_to_grid(bar[:step]))[-1].tolist()]
                bar[step] = follow[rng.integers(len(follow))]
        return made


def cells_to_tokens(cells: Bool[np.ndarray, "N 784"]) -> Int[np.ndarray, "N T 4"]:
    """Read cells as four voices: the highest note, the lowest, and the two below the highest between them.

    With fewer notes voices double; a silent step is a rest in all. A note is struck where the pitch changes: cells
    do not tell a note that is struck again from one that is held.
    """
    grid = cells.reshape(len(cells), -1, BAR_PITCHES)
    tokens = np.full((*grid.shape[:2], N_VOICES), REST)
    for bar, step in zip(*np.nonzero(grid.any(axis=2))):
        down = np.flatnonzero(grid[bar, step])[::-1] + BAR_LOW
        down = np.clip(down, LOW, HIGH)
        middle = np.minimum((1, 2), len(down) - 1)
        tokens[bar, step] = down[[0, *middle, -1]] - LOW + FIRST_PITCH
    held = np.zeros(tokens.shape, dtype=bool)
    held[:, 1:] = (tokens[:, 1:] == tokens[:, :-1]) & (tokens[:, 1:] != REST)
    return np.where(held, HOLD, tokens)
