"""Files of frames: sets of pitches that sound together, as in the JSB Chorales and Nottingham benchmarks.

A file is JSON: {"train": pieces, "valid": pieces, "test": pieces}; a piece is a list of frames, a frame a list of MIDI
pitches (none: silence).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.models.chorale.frames import NONE, FrameBatch

PARTS = ("train", "valid", "test")
LARGEST_FILE = 100_000_000  # bytes
SHIFTS = 6  # semitones a piece may move up or down in training
BLUR = 1.15  # lengths that differ by less count as like
BATCH_FRAMES = 2_400  # frames, padding included, that a batch may hold
Frames = np.ndarray  # (T, K) int ids from high to low, filled up with NONE


def read_frames(path: Path) -> dict[str, list[Frames]]:
    """Read a file of frames.

    Raises:
        MusegenError: the file is missing, too large, no JSON of this form, or holds a pitch outside 0 to 127; the
            message names the place.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise MusegenError(f"{path.name}: larger than {LARGEST_FILE // 1_000_000} MB; cut the data down")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise MusegenError(f"{path.name}: not a readable JSON file ({shorten(fault)})") from fault
    missing = [part for part in PARTS if not isinstance(found, dict) or not isinstance(found.get(part), list)]
    if missing:
        raise MusegenError(f'{path.name}: has no list of pieces named "{missing[0]}"; wanted {", ".join(PARTS)}')
    return {part: _read_part(found[part], f"{path.name}, {part}") for part in PARTS}


def _read_part(pieces: list, where: str) -> list[Frames]:
    read = [frames_to_ids(piece, f"{where}, piece {number}") for number, piece in enumerate(pieces)]
    if not read:
        raise MusegenError(f"{where}: holds no piece")
    return read


def frames_to_ids(piece: Any, where: str = "piece") -> Frames:
    """Write a piece, a list of lists of MIDI pitches, as (T, K) ids: pitch + 1, from high to low, each once.

    Raises:
        MusegenError: it is not that; the message starts with `where` and names the frame.

    >>> frames_to_ids([[60, 64, 60], []]).tolist()
    [[65, 61], [0, 0]]
    """
    if not isinstance(piece, list) or not piece:
        raise MusegenError(f"{where}: wanted a list of frames with at least one frame")
    for step, frame in enumerate(piece):
        if not isinstance(frame, list) or not all(type(pitch) is int and 0 <= pitch <= 127 for pitch in frame):
            raise MusegenError(f"{where}, frame {step}: wanted a list of whole numbers from 0 to 127")
    sets = [sorted(set(frame), reverse=True) for frame in piece]
    ids = np.full((len(sets), max(1, max(map(len, sets)))), NONE, dtype=np.int64)
    for step, pitches in enumerate(sets):
        ids[step, : len(pitches)] = np.array(pitches, dtype=np.int64) + 1
    return ids


def collate_frames(pieces: Sequence[Frames]) -> FrameBatch:
    """Batch pieces, padded at the end."""
    shape = len(pieces), max(len(piece) for piece in pieces), max(piece.shape[1] for piece in pieces)
    ids, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape[:2], dtype=torch.bool)
    for row, piece in enumerate(pieces):
        ids[row, : piece.shape[0], : piece.shape[1]] = torch.from_numpy(piece)
        mask[row, : len(piece)] = True
    return FrameBatch(ids, mask)


def transpose_frames(ids: Frames, semitones: int) -> Frames:
    """Move every pitch."""
    return np.where(ids > NONE, ids + semitones, NONE)


def frames_in_batches(lengths: Sequence[float] | Sequence[int] | np.ndarray, size: int = 16) -> list[list[int]]:
    """Put numbers of pieces of like length into groups of at most `size` pieces and BATCH_FRAMES frames.

    >>> frames_in_batches([10, 2000, 12])
    [[1], [2, 0]]
    """
    groups: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda i: -lengths[i]):  # the first of a group is its longest
        if groups and len(groups[-1]) < size and (len(groups[-1]) + 1) * lengths[groups[-1][0]] <= BATCH_FRAMES:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


class FrameBatches:
    """Batches for `training.fit`: pieces of roughly like length, each moved to a key of its own."""

    def __init__(self, pieces: Sequence[Frames], seed: int):
        self.pieces, self.seed = pieces, seed
        self.lengths = np.array([len(piece) for piece in pieces])
        self.per_epoch = len(frames_in_batches(self.lengths))

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> FrameBatch:
        """Return this process's share of the batch of a step; the same one each time."""
        rng = np.random.default_rng((self.seed, step))
        group = self._group(step)
        moved = [transpose_frames(self.pieces[i], self._shift(self.pieces[i], rng)) for i in group]
        return collate_frames(moved[rank::world_size] or moved[:1])

    def _group(self, step: int) -> list[int]:
        epoch, index = divmod(step, self.per_epoch)
        rng = np.random.default_rng((self.seed, 1, epoch))
        groups = frames_in_batches(self.lengths * rng.uniform(1, BLUR, len(self.pieces)))  # neighbours change
        order = rng.permutation(len(groups))
        return groups[order[index % len(groups)]]

    def _shift(self, ids: Frames, rng: np.random.Generator) -> int:
        sounding = ids[ids > NONE]
        low, high = (int(sounding.min()), int(sounding.max())) if len(sounding) else (1, 128)
        return int(rng.integers(max(-SHIFTS, 1 - low), min(SHIFTS, 128 - high), endpoint=True))
