"""The note table of a `Piece`: a structured array, one row a note, times in steps."""

from __future__ import annotations

import numpy as np

NOTE_DTYPE = np.dtype(
    [
        ("onset_steps", np.int32),
        ("duration_steps", np.int32),
        ("pitch", np.uint8),
        ("velocity", np.uint8),
        ("voice", np.uint8),
    ]
)


def clip_overlaps(notes: np.ndarray) -> np.ndarray:
    """Shorten each note that would still sound when its voice strikes the same pitch again.

    Of two notes of one voice with the same pitch and onset the longer stays.
    """
    order = np.lexsort((-notes["duration_steps"], notes["onset_steps"], notes["pitch"], notes["voice"]))
    notes = notes[order].copy()
    same = (notes["voice"][1:] == notes["voice"][:-1]) & (notes["pitch"][1:] == notes["pitch"][:-1])
    twin = np.concatenate([[False], same & (notes["onset_steps"][1:] == notes["onset_steps"][:-1])])[: len(notes)]
    notes = notes[~twin]
    same = (notes["voice"][1:] == notes["voice"][:-1]) & (notes["pitch"][1:] == notes["pitch"][:-1])
    room = np.where(same, np.diff(notes["onset_steps"]), np.iinfo(np.int32).max)
    notes["duration_steps"][:-1] = np.minimum(notes["duration_steps"][:-1], room)
    return notes


def check_notes(notes: np.ndarray) -> None:
    """ValueError that names the first note out of range, or that strikes a pitch its voice still sounds."""
    wrong = (notes["onset_steps"] < 0) | (notes["duration_steps"] < 1) | (notes["pitch"] > 127)
    wrong |= (notes["velocity"] < 1) | (notes["velocity"] > 127)
    if wrong.any():
        raise ValueError(
            f"note {notes[wrong][0]} (onset, duration, pitch, velocity, voice): onset must be at least 0, "
            "duration at least 1, pitch in 0-127, velocity in 1-127"
        )
    by_pitch = notes[np.lexsort((notes["onset_steps"], notes["pitch"], notes["voice"]))]
    same = (by_pitch["voice"][1:] == by_pitch["voice"][:-1]) & (by_pitch["pitch"][1:] == by_pitch["pitch"][:-1])
    offset = by_pitch["onset_steps"] + by_pitch["duration_steps"]
    overlap = same & (by_pitch["onset_steps"][1:] < offset[:-1])
    if overlap.any():
        raise ValueError(f"note {by_pitch[1:][overlap][0]} strikes a pitch that its voice is still sounding")
