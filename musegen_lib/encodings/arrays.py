"""Piece <-> plain arrays, in pairs that invert each other: tokens, events, grid, roll and bars.

What each form keeps and loses stands in the table of `musegen_lib.encodings`. A piece may have any title, tempo or
metre; the way back takes those labels as keyword arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from musegen_lib.core.note_table import NOTE_DTYPE, clip_overlaps
from musegen_lib.core.piece import Piece, pitched_notes

MELODY_LOW, MELODY_HIGH = 48, 89  # C3 to F6: the range of the folk tunes
HOLD, REST, FIRST_PITCH = 0, 1, 2  # token ids; of a melody, pitch p has id p - MELODY_LOW + FIRST_PITCH
N_MELODY_TOKENS = FIRST_PITCH + MELODY_HIGH - MELODY_LOW + 1  # 44
EVENT_REST = 0  # the pitch column of an event that is silent

N_PITCHES = 128
STEPS_PER_BEAT = 4  # sixteenths: the grid of every encoding that names its steps
BAR_STEPS, BAR_LOW, BAR_PITCHES = 16, 36, 49  # one 4/4 bar, C2 to C6: 16 x 49 = 784 cells


def piece_to_tokens(piece: Piece, n_steps: int | None = None) -> Int[np.ndarray, "T"]:
    """Write a melody as one token a step: a pitch where a note is struck, else HOLD or REST.

    Args:
        piece: one voice, one note at a time, pitches 48-89.
        n_steps: T, at least the length of the piece; the steps after its end are REST.
    Raises:
        ValueError: two notes sound at once, or a pitch is out of range; the message names the note.

    >>> piece_to_tokens(Piece.from_notes([(0, 2, 60), (3, 1, 62)])).tolist()
    [14, 0, 1, 16]
    """
    notes = _melody_notes(piece)
    tokens = np.full(_length(piece, n_steps), REST, dtype=np.int64)
    for onset, duration, pitch, *_ in notes.tolist():
        tokens[onset : onset + duration] = HOLD
        tokens[onset] = pitch - MELODY_LOW + FIRST_PITCH
    return tokens


def tokens_to_piece(tokens: Sequence[int] | np.ndarray, **labels: Any) -> Piece:
    """Read melody tokens back; a HOLD with no note before it is a fault, named by its step."""
    rows: list[list[int]] = []
    sounding = False
    for step, token in enumerate(np.asarray(tokens).tolist()):
        if token >= FIRST_PITCH:
            rows.append([step, 1, token - FIRST_PITCH + MELODY_LOW])
        elif token == HOLD:
            if not sounding:
                raise ValueError(f"step {step} holds a note, but none sounds there")
            rows[-1][1] += 1
        sounding = token != REST
    return Piece.from_notes(rows, **labels)


def piece_to_events(piece: Piece) -> Int[np.ndarray, "N 2"]:
    """Write a melody as (pitch, duration) rows; silence is a row with pitch EVENT_REST.

    >>> piece_to_events(Piece.from_notes([(0, 2, 60), (3, 1, 62)])).tolist()
    [[60, 2], [0, 1], [62, 1]]
    """
    rows, now = [], 0
    for onset, duration, pitch, *_ in _melody_notes(piece).tolist():
        if onset > now:
            rows.append((EVENT_REST, onset - now))
        rows.append((pitch, duration))
        now = onset + duration
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def events_to_piece(events: Sequence[Sequence[int]] | np.ndarray, **labels: Any) -> Piece:
    """Read (pitch, duration) rows back."""
    table = np.asarray(events, dtype=np.int64).reshape(-1, 2)
    onset = np.cumsum(table[:, 1]) - table[:, 1]
    rows = [(o, d, p) for o, (p, d) in zip(onset.tolist(), table.tolist()) if p != EVENT_REST]
    return Piece.from_notes(rows, **labels)


def piece_to_grid(piece: Piece, n_steps: int | None = None, n_voices: int = 4) -> Int[np.ndarray, "T voices"]:
    """Write voices side by side: +pitch where a note is struck, -pitch while it is held, 0 in a rest.

    Raises:
        ValueError: a voice beyond n_voices, two notes at once in one voice, or pitch 0, which would read as a rest.

    >>> piece_to_grid(Piece.from_notes([(0, 2, 60), (1, 1, 48, 80, 1)]), n_voices=2).tolist()
    [[60, 0], [-60, 48]]
    """
    if piece.n_voices > n_voices:
        raise ValueError(f"{piece!r} has {piece.n_voices} voices, the grid {n_voices}")
    if not piece.notes["pitch"].all():
        raise ValueError(f"{piece!r}: the grid cannot hold pitch 0, its sign for a rest")
    grid = np.zeros((_length(piece, n_steps), n_voices), dtype=np.int64)
    for onset, duration, pitch, _, voice in piece.notes.tolist():
        if grid[onset : onset + duration, voice].any():
            raise ValueError(f"voice {voice} has two notes at once in step {onset}; the grid holds one a voice")
        grid[onset : onset + duration, voice] = -pitch
        grid[onset, voice] = pitch
    return grid


def grid_to_piece(grid: Int[np.ndarray, "T voices"], **labels: Any) -> Piece:
    """Read a voice grid back; a held pitch that was not sounding is a fault, named by step and voice."""
    rows: list[list[int]] = []
    for voice in range(grid.shape[1]):
        before = 0
        for step, cell in enumerate(grid[:, voice].tolist()):
            if cell > 0:
                rows.append([step, 1, cell, 80, voice])
            elif cell < 0:
                if abs(before) != -cell:
                    raise ValueError(f"step {step}, voice {voice} holds pitch {-cell}, but it does not sound there")
                rows[-1][1] += 1
            before = cell
    return Piece.from_notes(rows, **labels)


def piece_to_roll(
    piece: Piece, n_steps: int | None = None
) -> tuple[Bool[np.ndarray, "T 128"], Bool[np.ndarray, "T 128"]]:
    """Mark the steps in which each pitch sounds, and those in which it is struck.

    Returns:
        roll and onset_roll, both (T, P) bool with P = 128.
    Source: binary form of `get_piano_roll` in pretty_midi 0.2.11, with time first.

    >>> roll, onset_roll = piece_to_roll(Piece.from_notes([(1, 2, 60)]))
    >>> roll[:, 60].tolist(), onset_roll[:, 60].tolist()
    ([False, True, True], [False, True, False])
    """
    roll = np.zeros((_length(piece, n_steps), N_PITCHES), dtype=bool)
    onset_roll = np.zeros_like(roll)
    for onset, duration, pitch, *_ in piece.notes.tolist():
        roll[onset : onset + duration, pitch] = True
        onset_roll[onset, pitch] = True
    return roll, onset_roll


def roll_to_piece(
    roll: Bool[np.ndarray, "T 128"], onset_roll: Bool[np.ndarray, "T 128"] | None = None, **labels: Any
) -> Piece:
    """Read a roll back as one voice; without onset_roll neighbouring cells melt into one note."""
    before = np.zeros_like(roll)
    before[1:] = roll[:-1]
    starts = roll & ~before if onset_roll is None else roll & (onset_roll | ~before)
    after = np.zeros_like(roll)
    after[:-1] = roll[1:] & ~starts[1:]
    ends = roll & ~after  # the last step of each note
    pitches, onsets = np.nonzero(starts.T)
    _, lasts = np.nonzero(ends.T)  # transposed: both lists run pitch by pitch, in time order
    notes = np.zeros(len(onsets), dtype=NOTE_DTYPE)
    notes["onset_steps"], notes["duration_steps"] = onsets, lasts - onsets + 1
    notes["pitch"], notes["velocity"] = pitches, 80
    return Piece(notes, **labels)


def piece_to_bars(piece: Piece) -> Bool[np.ndarray, "bars 784"]:
    """Cut a piece in 4/4 (or 2/2) on sixteenths into full bars of 16 x 49 cells, step by step, C2 (36) first.

    A pickup is left out and the last bar is filled with silence; pitches outside 36-84 are left out.

    Raises:
        ValueError: the bars are not 16 steps long.
    """
    if piece.steps_per_bar != BAR_STEPS:
        raise ValueError(f"{piece!r}: a 784-cell bar holds 16 steps, this piece has {piece.steps_per_bar} a bar")
    n_bars = -(-max(0, piece.n_steps - piece.pickup_steps) // BAR_STEPS)
    roll, _ = piece_to_roll(piece, piece.pickup_steps + n_bars * BAR_STEPS)
    cells = roll[piece.pickup_steps :, BAR_LOW : BAR_LOW + BAR_PITCHES]
    return cells.reshape(n_bars, BAR_STEPS * BAR_PITCHES)


def bars_to_piece(bars: Bool[np.ndarray, "bars 784"], **labels: Any) -> Piece:
    """Join bars of 784 cells; neighbouring cells of a pitch melt into one note, also over bar lines."""
    cells = np.asarray(bars).reshape(-1, BAR_PITCHES)
    roll = np.zeros((len(cells), N_PITCHES), dtype=bool)
    roll[:, BAR_LOW : BAR_LOW + BAR_PITCHES] = cells
    return roll_to_piece(roll, **labels)


def skyline(piece: Piece) -> Piece:
    """Reduce any piece to one melody: the highest pitched note struck at each onset, cut off by the next.

    Percussion is left out; the melody's instrument is that of its first note.

    Source: the skyline rule of Uitdenbogerd and Zobel 1998, "Manipulation of music for melody matching".
    """
    notes = pitched_notes(piece)
    notes = notes[np.lexsort((-notes["pitch"].astype(int), notes["onset_steps"]))].copy()
    first = np.concatenate([[True], np.diff(notes["onset_steps"]) > 0])[: len(notes)]
    notes = notes[first]
    programs = (piece.program(int(notes["voice"][0])),) if piece.programs and len(notes) else ()
    notes["voice"] = 0
    room = np.diff(notes["onset_steps"], append=np.iinfo(np.int32).max)
    notes["duration_steps"] = np.minimum(notes["duration_steps"], room)
    return piece.replace(notes=clip_overlaps(notes), programs=programs)


def _melody_notes(piece: Piece) -> np.ndarray:
    notes = piece.notes
    offset = notes["onset_steps"] + notes["duration_steps"]
    if (notes["onset_steps"][1:] < offset[:-1]).any():
        clash = notes[1:][notes["onset_steps"][1:] < offset[:-1]][0]
        raise ValueError(f"{piece!r} is not one melody: note {clash} starts before the last one ends; see skyline()")
    outside = (notes["pitch"] < MELODY_LOW) | (notes["pitch"] > MELODY_HIGH)
    if outside.any():
        raise ValueError(f"{piece!r}: note {notes[outside][0]} lies outside pitches {MELODY_LOW}-{MELODY_HIGH}")
    return notes


def _length(piece: Piece, n_steps: int | None) -> int:
    if n_steps is not None and n_steps < piece.n_steps:
        raise ValueError(f"{piece!r} is {piece.n_steps} steps long, more than n_steps = {n_steps}")
    return piece.n_steps if n_steps is None else n_steps
