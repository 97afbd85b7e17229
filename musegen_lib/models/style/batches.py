"""Melody lines of several styles side by side, as the nets of lesson 5 train on them: padded, drawn by the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from musegen_lib.encodings.melody_lines import MAX_NOTES, REGISTER, START, MelodyLine


@dataclass(frozen=True)
class LineBatch:
    """Lines side by side, padded at the end."""

    before: Int[Tensor, "B M"]  # the interval that led to the note an interval starts from, START at the first
    register: Int[Tensor, "B M"]  # that note above the first, in semitones, plus REGISTER
    durations: Int[Tensor, "B N"]
    places: Int[Tensor, "B N"]
    left: Int[Tensor, "B N"]
    styles: Int[Tensor, "B"]
    intervals: Int[Tensor, "B M"]  # what is to be guessed
    mask: Bool[Tensor, "B M"]  # True = a real interval


def lines_to_batch(lines: Sequence[MelodyLine], styles: Sequence[int]) -> LineBatch:
    """Lay lines side by side; styles are numbers of STYLES, or OTHER."""
    size = (len(lines), max(len(line) for line in lines))
    before = np.full((size[0], size[1] - 1), START)
    register = np.full_like(before, REGISTER)
    intervals, mask = np.zeros_like(before), np.zeros(before.shape, dtype=bool)
    rhythm = {name: np.zeros(size, dtype=np.int64) for name in ("durations", "places", "left")}
    for row, line in enumerate(lines):
        m = len(line) - 1
        steps = line.intervals()
        before[row, 1:m], intervals[row, :m], mask[row, :m] = steps[:-1], steps, True
        register[row, :m] = registers(line.pitches)[:-1]
        for name, table in rhythm.items():
            table[row, : m + 1] = getattr(line, name)
    columns = {"before": before, "register": register, **rhythm, "styles": np.array(styles), "intervals": intervals}
    return LineBatch(
        **{name: torch.from_numpy(column) for name, column in columns.items()}, mask=torch.from_numpy(mask)
    )


def registers(pitches: Int[np.ndarray, "... N"]) -> Int[np.ndarray, "... N"]:
    """Height above the first note, as an id.

    >>> registers(np.array([60, 64, 100])).tolist()
    [30, 34, 60]
    """
    return np.clip(pitches - pitches[..., :1], -REGISTER, REGISTER) + REGISTER


@dataclass(frozen=True)
class LineBatches:
    """Batches for training: so many lines of each style, cut to MAX_NOTES; step and seed decide which."""

    lines: tuple[Sequence[MelodyLine], ...]  # of each style, OTHER included
    sizes: tuple[int, ...]  # lines of each style in a batch
    seed: int = 0

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> LineBatch:
        """Return this process's batch of a step."""
        rng = np.random.default_rng([self.seed, step, rank])
        found, styles = [], []
        for style, (lines, size) in enumerate(zip(self.lines, self.sizes, strict=True)):
            for number in rng.integers(len(lines), size=-(-size // world_size)):
                line = lines[int(number)]
                found.append(line.cut(int(rng.integers(max(1, len(line) - MAX_NOTES + 1))), MAX_NOTES))
                styles.append(style)
        return lines_to_batch(found, styles)
