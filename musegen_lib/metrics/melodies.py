"""One table for models of melodies: every figure of a set of made melodies beside the real ones they answer.

Each made melody was asked for in the style, metre, key, pickup and length of one real melody, so that none of these
tells the two sets apart.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musegen_lib.core.keys import TONIC_PITCH_CLASS
from musegen_lib.core.piece import Piece
from musegen_lib.metrics.form import LAGS, opening_features, repeated_share, return_rates
from musegen_lib.metrics.key import obeys_key
from musegen_lib.metrics.two_sample import classifier_two_sample

RHYTHM = (0, 1)  # columns of a bar's notes: offsets and durations


def melody_figures(pieces: Sequence[Piece]) -> dict[str, float]:
    """Figures of one set: shares of bars that return, of melodies that end on their tonic and that keep their mode."""
    bars, rhythms = return_rates(pieces), return_rates(pieces, RHYTHM)
    return {
        **{f"bar returns after {lag}": bars[lag] for lag in LAGS},
        **{f"rhythm returns after {lag}": rhythms[lag] for lag in LAGS},
        "notes in repeated runs": float(np.mean([repeated_share(piece) for piece in pieces])),
        "ends on the tonic": float(np.mean([_tonic(piece) == piece.notes["pitch"][-1] % 12 for piece in pieces])),
        "keeps its mode": float(np.mean([bool(obeys_key(piece)) for piece in pieces])),
    }


def melody_report(pieces: Sequence[Piece], real: Sequence[Piece], n_seeds: int = 3) -> dict[str, float]:
    """The figures of a set, and how well a classifier tells its first eight bars from those of the real melodies.

    Args:
        real: the melodies that `pieces` answer, one by one; both of a pair stay in one fold.
    """
    pairs = np.arange(len(real))
    rows = [opening_features(group, [_tonic(piece) for piece in group]) for group in (real, pieces)]
    told = classifier_two_sample(*rows, pairs, pairs, "trees", n_seeds)
    return melody_figures(pieces) | {"two-sample accuracy": told.accuracy, "spread": told.standard_error}


def floor_accuracy(pieces: Sequence[Piece], n_seeds: int = 3) -> float:
    """What the classifier scores between two halves of one set of real melodies."""
    rows = opening_features(pieces, [_tonic(piece) for piece in pieces])
    order = np.random.default_rng(0).permutation(len(rows))
    return classifier_two_sample(rows[order[::2]], rows[order[1::2]], classifier="trees", n_seeds=n_seeds).accuracy


def _tonic(piece: Piece) -> int:
    return TONIC_PITCH_CLASS[piece.key.partition(" ")[0]]
