"""From a taste to new music: windows written around what a listener has heard, and how near to the taste they land.

A listener here is a list of tunes, simulated. Axes: N windows, D numbers of a point.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from musegen_lib.core.piece import Piece
from musegen_lib.core.ranking import best_first
from musegen_lib.encodings.arrays import FIRST_PITCH
from musegen_lib.encodings.melody_windows import make_playable, window_to_piece
from musegen_lib.models.search.alignment import interval_text, ngram_counter
from musegen_lib.models.search.borrowed_embeddings import rnn_points
from musegen_lib.models.search.hum_benchmark import Notes
from musegen_lib.models.search.recipe import embed_notes, melody_notes
from musegen_lib.models.vae.vae import MelodyVAE

WIDTH = 0.7  # deviation of the codes drawn around a taste, in units of the prior
FEWEST = 8  # notes of a window that is worth hearing
MOST_TRIES = 50


def write_windows(model: MelodyVAE, centre: np.ndarray, n: int, seed: int, width: float = WIDTH) -> np.ndarray:
    """(n, 32) tokens of codes drawn around a centre; zeros and width 1 are the prior. Too few notes: drawn again."""
    generator, found = torch.Generator().manual_seed(seed), []
    for _ in range(MOST_TRIES):
        z = torch.from_numpy(centre.astype(np.float32)) + width * torch.randn(n, len(centre), generator=generator)
        with torch.no_grad():
            tokens = np.stack([make_playable(row) for row in model.write(z).numpy()])
        found += list(tokens[(tokens >= FIRST_PITCH).sum(axis=1) >= FEWEST])
        if len(found) >= n:
            break
    return np.stack(found[:n])


def windows_to_notes(tokens: np.ndarray) -> list[Notes]:
    """The melody of each window."""
    return [melody_notes(window_to_piece(row)) for row in tokens]


def centre_of(points: np.ndarray) -> np.ndarray:
    """The taste: the mean of points, of length 1 again."""
    mean = points.mean(axis=0)
    return mean / np.linalg.norm(mean)


def rnn_embed(tunes: Sequence[Notes]) -> np.ndarray:
    """(N, D) states of the RNN of lesson 4 at the end of each melody, one by one, of length 1."""
    return np.concatenate([rnn_points(tune.pitches[None], tune.durations[None]) for tune in tunes])


class Ngrams:
    """Points of n-gram weights, counted on given tunes: a measure that no net has anything to do with."""

    def __init__(self, tunes: Sequence[Notes]):
        self.counter = ngram_counter().set_params(ngram_range=(2, 4)).fit([self._text(tune) for tune in tunes])

    def __call__(self, tunes: Sequence[Notes]) -> np.ndarray:
        """(N, D) points of length 1; zeros for a melody whose runs are all unknown."""
        return self.counter.transform([self._text(tune) for tune in tunes]).toarray()

    @staticmethod
    def _text(tune: Notes) -> str:
        return interval_text(np.clip(np.diff(tune.pitches), -24, 24))


def pick(tokens: np.ndarray, taste: np.ndarray, n: int) -> np.ndarray:
    """The n windows whose points of the tune encoder are nearest to a taste, nearest first."""
    return tokens[best_first(embed_notes(windows_to_notes(tokens)) @ taste, n)]


def pieces_of(tokens: np.ndarray, title: str) -> list[Piece]:
    """Windows as titled pieces."""
    return [window_to_piece(row, title=title) for row in tokens]
