"""How well the notes fit one key."""

from __future__ import annotations

import numpy as np

from musegen_lib.piece import Piece

DIATONIC = (0, 2, 4, 5, 7, 9, 11)


def key_fit(piece: Piece) -> float:
    """Share of sounding time spent on the best-fitting of the twelve diatonic scales.

    1 for any piece in one major, natural minor, modal or pentatonic key; 7/12 on average for a scale that is guessed
    blindly on even noise (the best of twelve is higher); NaN for a piece without notes.
    Source: "scale consistency" of Mogren 2016 (C-RNN-GAN, arXiv:1611.09904), weighted by duration.

    >>> key_fit(Piece.from_notes([(0, 1, 60), (1, 1, 61), (2, 1, 62), (3, 1, 63)]))
    0.75
    """
    weight = np.bincount(piece.notes["pitch"] % 12, weights=piece.notes["duration_steps"], minlength=12)
    if not weight.sum():
        return float("nan")
    fits = [weight[[(tonic + step) % 12 for step in DIATONIC]].sum() for tonic in range(12)]
    return float(max(fits) / weight.sum())
