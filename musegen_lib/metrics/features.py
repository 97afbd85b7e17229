"""Pieces as rows of numbers for classifiers and distances; every column is named, none is learned.

Shares and rates, so that none depends on key or length: transposing a piece leaves its row alone. A share of nothing is
0 here, since a classifier needs numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import piece_to_grid
from musegen_lib.metrics.histograms import (
    DURATION_BEATS,
    duration_histogram,
    interval_histogram,
    melodic_intervals,
    pitch_range,
)
from musegen_lib.metrics.motion import MOTION_FEATURES, PAIRS, VOICE_NAMES, motion_features
from musegen_lib.metrics.texture import groove_consistency
from musegen_lib.metrics.tonality import key_fit, pitch_class_entropy

N_VOICES = len(VOICE_NAMES)
STEP_EDGES = (1, 3, 5, 8)  # semitones at which the next size begins
STEP_NAMES = ("second", "third", "fourth-fifth", "wider")

MELODY_FEATURES = (
    *(f"interval {k:+d}" for k in range(-12, 13)),
    *(f"duration {beats:.3g}" for beats in DURATION_BEATS),
    *("on the beat", "notes a beat", "range", "pitch class entropy", "key fit", "turns", "groove"),
)
WINDOW_FEATURES = (
    *(f"onsets {name}" for name in VOICE_NAMES),
    *(f"range {name}" for name in VOICE_NAMES),
    *(f"interval class {k}" for k in range(7)),
    *(f"above bass {k}" for k in range(12)),
    *(f"move {name}" for name in STEP_NAMES),
    *MOTION_FEATURES,
)


def melody_features(pieces: Sequence[Piece]) -> Float[np.ndarray, "N 44"]:
    """One row a melody, columns MELODY_FEATURES.

    Shares of melodic intervals (25) and durations (12); share of notes struck on a quarter; notes a beat; range in
    octaves; pitch-class entropy in bits; key fit; share of changes of direction among pairs of moves; groove
    consistency.
    """
    rows = np.array([_melody_row(piece) for piece in pieces]).reshape(-1, len(MELODY_FEATURES))
    return np.nan_to_num(rows)


def window_features(pieces: Sequence[Piece]) -> Float[np.ndarray, "N 103"]:
    """One row a piece for four voices, meant for windows of one to a few bars; columns WINDOW_FEATURES.

    Onsets a beat in each voice (4); range of each voice in octaves (4); shares of interval classes 0-6 between all
    pairs of voices (7) and of pitch classes above the bass (12), by sounding time; shares of the moves of all voices by
    size (4); how the voices move against each other (72, `metrics.motion`).
    Raises:
        ValueError: a piece has more than four voices, or two notes at once in one voice.
    """
    return np.array([_window_row(piece) for piece in pieces]).reshape(-1, len(WINDOW_FEATURES))


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


def _window_row(piece: Piece) -> np.ndarray:
    grid = piece_to_grid(piece, max(1, piece.n_bars) * piece.steps_per_bar, N_VOICES)
    struck, pitch = grid > 0, np.abs(grid)  # (T, 4)
    ranges = [np.ptp(line[line > 0]) / 12 if line.any() else 0.0 for line in pitch.T]
    classes, above = [], []
    for upper, lower in PAIRS:
        both = (pitch[:, upper] > 0) & (pitch[:, lower] > 0)
        apart = pitch[both, upper] - pitch[both, lower]
        classes.append(np.minimum(apart % 12, -apart % 12))
        if lower == N_VOICES - 1:
            above.append(apart % 12)
    moves = np.abs(np.concatenate([_moves(line) for line in pitch.T]))
    sizes = np.searchsorted(STEP_EDGES, moves, side="right") - 1
    shares = [_shares(np.concatenate(classes), 7), _shares(np.concatenate(above), 12), _shares(sizes, len(STEP_EDGES))]
    onsets = struck.sum(axis=0) * piece.steps_per_beat / len(grid)
    return np.concatenate([onsets, ranges, *shares, motion_features(pitch)])


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
