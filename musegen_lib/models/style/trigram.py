"""Melodic intervals as symbols, and a table of their runs of three: the language model that only counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from musegen_lib.core.piece import Piece

WIDEST_SYMBOL = 12  # intervals and ratios beyond count as this
N_STEPS = 2 * WIDEST_SYMBOL + 1  # symbols of either
PSEUDO_COUNTS = (1.0, 4.0, 6.0)  # of the order below: for single intervals, pairs, triples


def interval_symbols(piece: Piece) -> Int[np.ndarray, "N"]:
    """Melodic intervals as symbols 0 to 24; 12 is a repeated note.

    >>> interval_symbols(Piece.from_notes([(0, 4, 60), (4, 4, 62), (8, 4, 60)])).tolist()
    [14, 10]
    """
    return np.clip(np.diff(piece.notes["pitch"].astype(np.int64)), -WIDEST_SYMBOL, WIDEST_SYMBOL) + WIDEST_SYMBOL


@dataclass
class IntervalTrigram:
    """p(interval | the two before), from counts that back off to shorter contexts.

    log_prob[a, b, c] is that of c after a, b; the symbol 25 stands before the first interval.
    """

    log_prob: np.ndarray = field(default_factory=lambda: np.full((26, 26, N_STEPS), -np.log(N_STEPS)))

    def fit(self, pieces: Iterable[Piece]) -> IntervalTrigram:
        """Count the intervals of melodies."""
        single, pair, triple = np.zeros(N_STEPS), np.zeros((26, N_STEPS)), np.zeros((26, 26, N_STEPS))
        for piece in pieces:
            now = interval_symbols(piece)
            before, earlier = before_of(now)
            np.add.at(single, now, 1)
            np.add.at(pair, (before, now), 1)
            np.add.at(triple, (earlier, before, now), 1)
        pair[N_STEPS], triple[:, N_STEPS], triple[N_STEPS] = 0, 0, 0  # at the start the shorter context decides
        prob = _back_off(single, np.full(N_STEPS, 1 / N_STEPS), PSEUDO_COUNTS[0])
        prob = _back_off(pair, prob, PSEUDO_COUNTS[1])
        self.log_prob = np.log(_back_off(triple, prob, PSEUDO_COUNTS[2]))
        return self

    def nats(self, piece: Piece) -> Float[np.ndarray, "N"]:
        """Surprise at each interval, in nats."""
        now = interval_symbols(piece)
        before, earlier = before_of(now)
        return -self.log_prob[earlier, before, now]


def before_of(symbols: Int[np.ndarray, "N"]) -> tuple[Int[np.ndarray, "N"], Int[np.ndarray, "N"]]:
    """The symbol before each one, and the one before that; 25 where there is none."""
    padded = np.concatenate([[N_STEPS, N_STEPS], symbols])
    return padded[1:-1], padded[:-2]


def _back_off(counts: np.ndarray, shorter: np.ndarray, pseudo: float) -> np.ndarray:
    return (counts + pseudo * shorter) / (counts.sum(axis=-1, keepdims=True) + pseudo)
