"""Songs in 4/4 as rows of tokens, one an eighth: 0 holds the note before, 1 is a rest, 2 to 47 are pitches.

Songs are moved to the tonic C and read from the first bar line on; the last bar is filled up with rests. Taught in
notebooks/04_rnn.ipynb.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from jaxtyping import Int

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.melody_events import key_to_ids

HOLD, REST, LOW, N_TOKENS = 0, 1, 40, 48  # a pitch is LOW below its MIDI number
BAR, WINDOW, HOP = 8, 64, 32  # eighths


def shift_to_c(piece: Piece) -> int:
    """Semitones from the piece's tonic to the nearest C, down where both are as near.

    >>> [shift_to_c(Piece.from_notes([(0, 4, 60)], key=key)) for key in ("D major", "G minor", "F# minor")]
    [-2, 5, -6]
    """
    tonic, _ = key_to_ids(piece.key)
    return -tonic if tonic <= 6 else 12 - tonic


def song_to_tokens(piece: Piece) -> Int[np.ndarray, "T"]:
    """One token an eighth, whole bars.

    >>> song_to_tokens(Piece.from_notes([(0, 4, 60), (4, 8, 64)], metre="4/4", key="C major"))
    array([20,  0, 24,  0,  0,  0,  1,  1])
    """
    step = piece.steps_per_beat // 2
    shift = shift_to_c(piece)
    row = np.full(-(-piece.n_steps // step) + BAR - 1, REST, dtype=np.int64)
    for onset, length, pitch, *_ in piece.notes.tolist():
        start = onset // step
        row[start] = np.clip(pitch + shift - LOW, 2, N_TOKENS - 1)
        row[start + 1 : (onset + length) // step] = HOLD
    row = row[piece.pickup_steps // step :]
    return row[: len(row) // BAR * BAR]


def tokens_to_song(row: Iterable[Any], title: str = "", tempo_qpm: float = 150.0) -> Piece:
    """The notes of a row of tokens; a hold with nothing to hold is a rest."""
    notes: list[list[int]] = []
    sounding = False
    for place, token in enumerate(row):
        if token > REST:
            notes.append([2 * place, 2, int(token) + LOW])
            sounding = True
        elif token == HOLD and sounding:
            notes[-1][1] += 2
        else:
            sounding = False
    return Piece.from_notes([tuple(note) for note in notes], metre="4/4", title=title, tempo_qpm=tempo_qpm)


def song_windows(pieces: Iterable[Piece]) -> Int[np.ndarray, "N 64"]:
    """Windows of eight bars, one every four, of the pieces that are in 4/4, have a key and keep to eighths."""
    rows = []
    for piece in pieces:
        times = np.stack([piece.notes["onset_steps"], piece.notes["duration_steps"]])
        if piece.metre == "4/4" and piece.key and not (times % (piece.steps_per_beat // 2)).any():
            row = song_to_tokens(piece)
            rows += [row[start : start + WINDOW] for start in range(0, len(row) - WINDOW + 1, HOP)]
    return np.array(rows, dtype=np.int64).reshape(-1, WINDOW)
