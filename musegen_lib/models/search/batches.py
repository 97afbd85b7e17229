"""Pairs of windows to train a tune encoder on: a place of a tune as written, and the same place hummed badly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from musegen_lib.models.search.encoder import PairBatch
from musegen_lib.models.search.hum_benchmark import N_NOTES, Notes, hum_rows

JITTER = 2  # notes by which the two windows of a pair may lie apart: windows of the pool stand 4 notes apart
MOST_NOISE = 0.35
LEAST_NOTES = N_NOTES + 2 * JITTER


class PairBatches:
    """Batches for `training.fit`: a window of a tune and a hummed one from the same place, drawn by seed and step.

    Args:
        tunes: those with fewer than LEAST_NOTES notes are left out.
        families: a number a tune; tunes of one family are versions of one melody.
        most_noise: each hummed window has a p between 0 and this.
    """

    def __init__(
        self, tunes: Sequence[Notes], families: Sequence[int], size: int, seed: int, most_noise: float = MOST_NOISE
    ):
        usable = [n for n, tune in enumerate(tunes) if len(tune.pitches) >= LEAST_NOTES]
        if not usable:
            raise ValueError(f"no tune has {LEAST_NOTES} notes; there is nothing to train on")
        self.families = np.array([families[n] for n in usable])
        self.pitches = np.concatenate([tunes[n].pitches for n in usable])
        self.durations = np.concatenate([tunes[n].durations for n in usable])
        lengths = np.array([len(tunes[n].pitches) for n in usable])
        self.first = np.cumsum(lengths) - lengths
        self.room = lengths - N_NOTES + 1  # places where a window can begin
        self.size, self.seed, self.most_noise = size, seed, most_noise

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> PairBatch:
        """Return this process's share of the batch of a step; the same one each time."""
        rng = np.random.default_rng((self.seed, step))
        tune = rng.integers(len(self.room), size=self.size)
        start = (rng.random(self.size) * self.room[tune]).astype(np.int64)
        other = np.clip(start + rng.integers(-JITTER, JITTER + 1, size=self.size), 0, self.room[tune] - 1)
        written = self._cut(self.first[tune] + start)
        p = rng.uniform(0, self.most_noise, size=self.size)
        sung = hum_rows(*self._cut(self.first[tune] + other), p, rng)
        return to_pairs(written, sung, self.families[tune], slice(rank, None, world_size))

    def _cut(self, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pitches and durations of windows that begin at the given notes, (B, M) each."""
        places = start[:, None] + np.arange(N_NOTES)
        return self.pitches[places], self.durations[places]


def to_pairs(
    written: tuple[np.ndarray, np.ndarray],
    sung: tuple[np.ndarray, np.ndarray, np.ndarray],
    families: np.ndarray,
    rows: slice = slice(None),
) -> PairBatch:
    """Put windows as written beside hummed ones, both filled to one length."""
    shape = 2, len(families), max(written[0].shape[1], sung[0].shape[1])
    pitches, durations = np.full(shape, 60, dtype=np.int64), np.ones(shape, dtype=np.float32)
    mask = np.zeros(shape, dtype=bool)
    sides = (*written, np.ones(written[0].shape, dtype=bool)), sung
    for side, (pitch, duration, kept) in enumerate(sides):
        length = pitch.shape[1]
        pitches[side, :, :length] = np.clip(np.where(kept, pitch, 60), 0, 127)
        durations[side, :, :length] = np.where(kept, duration, 1)
        mask[side, :, :length] = kept
    parts = (torch.from_numpy(part[:, rows]) for part in (pitches, durations, mask))
    return PairBatch(*parts, torch.from_numpy(families[rows].astype(np.int64)))
