"""From a file's own times to the grid of a `Piece`: the coarsest grid that is exact, or the one asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.note_table import NOTE_DTYPE, clip_overlaps

GRIDS = (4, 12, 24, 48)  # steps per beat to try, coarsest first
FINEST = 32_767  # MIDI's finest division of a quarter note


def coarsest_grid(ticks: Int[np.ndarray, "..."], ticks_per_beat: int) -> int:
    """Steps per beat of the coarsest grid that holds every time exactly; the finest of GRIDS if none up to FINEST does.

    >>> coarsest_grid(np.array([0, 320, 640]), 960), coarsest_grid(np.array([0, 192]), 960)
    (12, 5)
    """
    exact = (grid for grid in GRIDS if not (ticks % ticks_per_beat * grid % ticks_per_beat).any())
    own = ticks_per_beat // int(np.gcd.reduce(ticks, axis=None, initial=ticks_per_beat))
    return next(exact, own if own <= FINEST else GRIDS[-1])


def nearest_grid(ticks: Int[np.ndarray, "N"], ticks_per_beat: int, beats: float) -> int | None:
    """The coarsest of GRIDS on which no time moves by more than so many beats or an eighth of a step, or None.

    >>> nearest_grid(np.array([0, 85, 171, 256]), 256, 0.01)  # triplets rounded to whole ticks
    12
    """
    for grid in GRIDS:
        moves = np.abs(to_steps(ticks, grid, ticks_per_beat) * ticks_per_beat - ticks * grid)
        if moves.max(initial=0) <= min(beats * grid, 1 / 8) * ticks_per_beat:
            return grid
    return None


def to_steps(ticks: Any, grid: int, ticks_per_beat: int) -> Any:
    """Round times to the nearest step, halves up."""
    return (2 * ticks * grid + ticks_per_beat) // (2 * ticks_per_beat)


def table_to_notes(
    table: Int[np.ndarray, "N 5"], grid: int, ticks_per_beat: int
) -> tuple[np.ndarray, dict[str, int | float]]:
    """Move notes onto the grid and keep one note a voice and pitch at a time.

    Args:
        table: onset and offset in ticks, pitch, velocity, voice.
    Returns:
        (M,) array of NOTE_DTYPE, and the counts of `Report` by name.
    Raises:
        MusegenError: more steps than a `Piece` counts.
    """
    ticks = table[:, :2]
    steps = to_steps(ticks, grid, ticks_per_beat)
    if steps.max(initial=0) > 2**31 - 2:
        raise MusegenError(f"is too long for {grid} steps per beat; choose a coarser grid")
    moves = np.abs(steps * ticks_per_beat - ticks * grid)  # in parts of a step
    kept = _one_a_step(table, steps, moves[:, 0])
    dropped, table, ticks, steps = len(table) - len(kept), table[kept], ticks[kept], steps[kept]
    moves = moves[kept].max(axis=1, initial=0) / (grid * ticks_per_beat)
    notes = np.zeros(len(table), dtype=NOTE_DTYPE)
    notes["onset_steps"], notes["duration_steps"] = steps[:, 0], np.maximum(1, steps[:, 1] - steps[:, 0])
    for column, name in enumerate(("pitch", "velocity", "voice"), start=2):
        notes[name] = table[:, column]
    clipped = clip_overlaps(notes)
    return clipped, {
        "notes_moved": int((moves > 0).sum()),
        "largest_move_beats": float(moves.max(initial=0)),
        "notes_lengthened": int(((steps[:, 0] == steps[:, 1]) & (ticks[:, 0] < ticks[:, 1])).sum()),
        "notes_dropped": dropped,
        "notes_merged": len(notes) - len(clipped),
        "notes_trimmed": _count_shorter(clipped, notes),
    }


def drop_unisons(notes: Iterable[Sequence[Any]]) -> tuple[list[Sequence[Any]], int]:
    """Leave out notes (onset, offset, pitch, ...) of a voice within which it already sounds their pitch; count them.

    >>> drop_unisons([(0, 4, 60), (0, 2, 60), (3, 6, 60), (0, 2, 64)])
    ([(0, 4, 60), (3, 6, 60), (0, 2, 64)], 1)
    """
    rows = sorted(notes, key=lambda row: (row[2], row[0], -row[1]))
    kept: list[Sequence[Any]] = []
    for row in rows:
        if not (kept and kept[-1][2] == row[2] and row[1] <= kept[-1][1]):
            kept.append(row)
    return kept, len(rows) - len(kept)


def _one_a_step(table: np.ndarray, steps: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Rows to keep: of notes that follow each other in a voice and fall on one step, the one that moves least.

    Notes that sound together, as in a chord, are no neighbours. Of two that move as much the first stays.
    """
    rows = np.lexsort((table[:, 1], table[:, 0], table[:, 4]))
    while len(rows):
        first, second = rows[:-1], rows[1:]
        meet = (table[first, 4] == table[second, 4]) & (steps[first, 0] == steps[second, 0])
        meet &= table[first, 1] <= table[second, 0]
        lost = np.where(moves[first] <= moves[second], second, first)[meet]
        if not len(lost):
            break
        rows = rows[~np.isin(rows, lost)]
    return np.sort(rows)


def _count_shorter(clipped: np.ndarray, notes: np.ndarray) -> int:
    """Count the notes that `clip_overlaps` cut, given its result and what it was given."""
    order = np.lexsort((-notes["duration_steps"], notes["onset_steps"], notes["pitch"], notes["voice"]))
    strikes = notes[order][["voice", "pitch", "onset_steps"]]
    longest = notes["duration_steps"][order][np.concatenate([[True], strikes[1:] != strikes[:-1]])[: len(notes)]]
    return int((clipped["duration_steps"] < longest).sum())
