"""Pieces as rows of numbers for classifiers and distances; every column is named, none is learned.

Shares and rates, so that none depends on key or length: transposing a piece leaves its row alone. A share of nothing is
0 here, since a classifier needs numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import piece_to_grid
from musegen_lib.metrics.histograms import (
    DURATION_BEATS,
    bar_starts,
    duration_histogram,
    interval_histogram,
    melodic_intervals,
    pitch_range,
)
from musegen_lib.metrics.texture import groove_consistency
from musegen_lib.metrics.tonality import key_fit, pitch_class_entropy

N_VOICES = 4
STEP_EDGES = (1, 3, 5, 8)  # semitones at which the next size begins
STEP_NAMES = ("second", "third", "fourth-fifth", "wider")
VOICE_NAMES = ("soprano", "alto", "tenor", "bass")

MELODY_FEATURES = (
    *(f"interval {k:+d}" for k in range(-12, 13)),
    *(f"duration {beats:.3g}" for beats in DURATION_BEATS),
    *("on the beat", "notes a beat", "range", "pitch class entropy", "key fit", "turns", "groove"),
)
BAR_FEATURES = (
    *(f"onsets {name}" for name in VOICE_NAMES),
    *(f"range {name}" for name in VOICE_NAMES),
    *(f"interval class {k}" for k in range(7)),
    *(f"above bass {k}" for k in range(12)),
    *(f"move {name}" for name in STEP_NAMES),
)


def melody_features(pieces: Sequence[Piece]) -> Float[np.ndarray, "N 44"]:
    """One row a melody, columns MELODY_FEATURES.

    Shares of melodic intervals (25) and durations (12); share of notes struck on a quarter; notes a beat; range in
    octaves; pitch-class entropy in bits; key fit; share of changes of direction among pairs of moves; groove
    consistency.
    """
    rows = np.array([_melody_row(piece) for piece in pieces]).reshape(-1, len(MELODY_FEATURES))
    return np.nan_to_num(rows)


def bar_features(pieces: Sequence[Piece]) -> tuple[Float[np.ndarray, "bars 31"], Int[np.ndarray, "bars"]]:
    """One row a bar of four-voice pieces, columns BAR_FEATURES, and the number of the piece it comes from.

    Onsets a beat in each voice (4); range of each voice in octaves (4); shares of interval classes 0-6 between all
    pairs of voices (7) and of pitch classes above the bass (12), by sounding time; shares of the moves of all voices by
    size, the move into the bar included (4). A pickup is left out; a last bar that is not full counts.
    Raises:
        ValueError: a piece has more than four voices, or two notes at once in one voice.
    """
    rows, groups = [np.zeros((0, len(BAR_FEATURES)))], []
    for number, piece in enumerate(pieces):
        grid, width = piece_to_grid(piece, n_voices=N_VOICES), piece.steps_per_bar
        found = [_bar_row(grid, start, start + width, piece.steps_per_beat) for start in bar_starts(piece).tolist()]
        rows += [np.array(found).reshape(-1, len(BAR_FEATURES))]
        groups += [number] * len(found)
    return np.concatenate(rows), np.array(groups, dtype=np.int64)


def _melody_row(piece: Piece) -> list[float]:
    onset = piece.notes["onset_steps"] - piece.pickup_steps
    direction = np.sign(melodic_intervals(piece))
    direction = direction[direction != 0]
    return [
        *interval_histogram(piece),
        *duration_histogram(piece),
        _share(onset % piece.steps_per_beat == 0),
        len(piece) * piece.steps_per_beat / max(1, piece.n_steps),
        pitch_range(piece) / 12,
        pitch_class_entropy(piece),
        key_fit(piece),
        _share(direction[1:] != direction[:-1]),
        groove_consistency(piece),
    ]


def _bar_row(grid: np.ndarray, start: int, end: int, steps_per_beat: int) -> np.ndarray:
    struck, pitch = grid[start:end] > 0, np.abs(grid[start:end])  # (T, 4)
    ranges = [np.ptp(line[line > 0]) / 12 if line.any() else 0.0 for line in pitch.T]
    classes, above = [], []
    for upper, lower in combinations(range(N_VOICES), 2):
        both = (pitch[:, upper] > 0) & (pitch[:, lower] > 0)
        apart = pitch[both, upper] - pitch[both, lower]
        classes.append(np.minimum(apart % 12, -apart % 12))
        if lower == N_VOICES - 1:
            above.append(apart % 12)
    moves = np.abs(np.concatenate([_moves(line) for line in np.abs(grid[max(0, start - 1) : end]).T]))
    sizes = np.searchsorted(STEP_EDGES, moves, side="right") - 1
    shares = [_shares(np.concatenate(classes), 7), _shares(np.concatenate(above), 12), _shares(sizes, len(STEP_EDGES))]
    return np.concatenate([struck.sum(axis=0) * steps_per_beat / (end - start), ranges, *shares])


def _moves(line: np.ndarray) -> np.ndarray:
    """Pitch changes along one voice, rests stepped over; a pitch struck again is not seen here."""
    line = line[line > 0]
    moves = np.diff(line)
    return moves[moves != 0]


def _shares(values: np.ndarray, n: int) -> np.ndarray:
    counts = np.bincount(values, minlength=n)
    return counts / max(1, counts.sum())


def _share(mask: np.ndarray) -> float:
    return float(mask.mean()) if len(mask) else 0.0
