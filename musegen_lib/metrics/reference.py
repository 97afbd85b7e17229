"""Baselines for every metric: real pieces put out of order, and noise of the same size.

A metric that scores shuffled music like real music does not hear order; one that scores noise like real music does not
hear anything. Print both beside every figure of a model.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from musegen_lib.core.note_table import clip_overlaps
from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import grid_to_piece, piece_to_grid


def shuffle_notes(piece: Piece, rng: np.random.Generator) -> Piece:
    """Put the notes of each voice in random order, each with its pitch, its duration and the wait until the next.

    Kept: the pitches, durations and waits of each voice, and so every histogram of them; the start of each voice.
    Lost: melody, metre, and harmony between the voices; a rest that lands at the end. Only in a voice with chords: a
    note that would be struck again while it sounds is cut short, and two of one pitch that fall together become one.
    """
    notes = piece.notes.copy()
    for voice in np.unique(notes["voice"]):
        rows = np.flatnonzero(notes["voice"] == voice)
        part = notes[rows]
        waits = np.append(np.diff(part["onset_steps"]), part["duration_steps"][-1:])
        order = rng.permutation(len(rows))
        shuffled = part[order]
        shuffled["onset_steps"] = part["onset_steps"][0] + np.cumsum(waits[order]) - waits[order]
        notes[rows] = shuffled
    return piece.replace(notes=clip_overlaps(notes))


def shuffle_frames(grid: Int[np.ndarray, "T voices"], rng: np.random.Generator) -> Int[np.ndarray, "T voices"]:
    """Put the steps of a voice grid (`encodings.piece_to_grid`) in random order.

    Kept: every chord and how long it sounds in all. Lost: what follows what. A voice strikes where its pitch changes
    and holds where it does not, so the result reads back with `grid_to_piece`.

    >>> shuffle_frames(np.array([[60, 48], [-60, -48]]), np.random.default_rng(0)).tolist()
    [[60, 48], [-60, -48]]
    """
    pitch = np.abs(grid)[rng.permutation(len(grid))]
    held = np.zeros(grid.shape, dtype=bool)
    held[1:] = pitch[1:] == pitch[:-1]
    return np.where(held, -pitch, pitch)


def shuffle_chords(piece: Piece, rng: np.random.Generator) -> Piece:
    """A piece whose steps are in random order, as `shuffle_frames` puts them: every chord, and no voice leading."""
    grid = shuffle_frames(piece_to_grid(piece, n_voices=piece.n_voices), rng)
    return piece.replace(notes=grid_to_piece(grid, metre=piece.metre).notes)


def noise_like(piece: Piece, rng: np.random.Generator) -> Piece:
    """Replace each voice by as many random notes between its first onset and its end.

    Onsets are distinct steps drawn evenly, the first kept; each note lasts until the next; pitches are drawn evenly
    from the lowest to the highest of the voice. Of a voice with chords fewer notes may fit: then one in every step.
    """
    notes, drawn = piece.notes, []
    for voice in np.unique(notes["voice"]):
        part = notes[notes["voice"] == voice]
        start, end = int(part["onset_steps"][0]), int((part["onset_steps"] + part["duration_steps"]).max())
        n = min(len(part), end - start)
        later = rng.choice(np.arange(start + 1, end), n - 1, replace=False)
        onset = np.sort(np.append(start, later))
        new = part[:n].copy()
        new["onset_steps"], new["duration_steps"] = onset, np.diff(onset, append=end)
        new["pitch"] = rng.integers(part["pitch"].min(), part["pitch"].max(), n, endpoint=True)
        drawn.append(new)
    return piece.replace(notes=np.concatenate(drawn) if drawn else notes)
