"""What counting tells of a melody's style: n-grams of intervals and rhythm, and a classifier on them.

An interval is the step to the next note in semitones, a ratio that to the next duration in half octaves (2 = twice as
long); both are clipped to -12..12 and know neither key nor tempo. Taught in notebooks/05_style_transfer.ipynb.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from musegen_lib.core.piece import Piece
from musegen_lib.models.style.trigram import WIDEST_SYMBOL, interval_symbols

BASE = 32  # an n-gram is a number with n digits, each a symbol plus 1
VIEWS = ("pitch", "rhythm", "combined")
INVERSE_PENALTY = 30.0  # C of the logistic regression


def ratio_symbols(piece: Piece) -> Int[np.ndarray, "N"]:
    """Ratios of neighbouring durations as symbols 0 to 24; 12 is an equal note, 14 one twice as long."""
    halves = 2 * np.log2(piece.notes["duration_steps"].astype(np.float64))
    return np.clip(np.round(np.diff(halves)), -WIDEST_SYMBOL, WIDEST_SYMBOL).astype(np.int64) + WIDEST_SYMBOL


def ngram_counts(symbols: Int[np.ndarray, "N"]) -> Float[np.ndarray, "32768"]:
    """Count runs of one, two and three symbols, scaled to length 1; zeros for a melody without an interval."""
    found = np.zeros(BASE**3)
    for n in (1, 2, 3):
        digits = [symbols[k : len(symbols) - n + 1 + k] + 1 for k in range(n)]
        codes = sum(digit * BASE ** (n - 1 - k) for k, digit in enumerate(digits))
        np.add.at(found, np.asarray(codes, dtype=np.int64)[: max(0, len(symbols) - n + 1)], 1)
    length = np.linalg.norm(found)
    return found / length if length else found


def view_of(piece: Piece, view: str) -> Float[np.ndarray, "65536"]:
    """The features of a piece in one view: intervals in the first half, ratios in the second; the unseen half is 0."""
    empty = np.zeros(BASE**3)
    pitch = empty if view == "rhythm" else ngram_counts(interval_symbols(piece))
    rhythm = empty if view == "pitch" else ngram_counts(ratio_symbols(piece))
    return np.concatenate([pitch, rhythm])


@dataclass
class NgramClassifier:
    """Tells Chinese from German melodies by logistic regression on n-grams, in three views.

    Args:
        weights: (3, 65536) one row a view, in the order of VIEWS.
        biases: (3,)
        slopes: (3,) of the calibration: the logit is multiplied by it, and `offsets` added.
        offsets: (3,)
    """

    weights: np.ndarray = field(default_factory=lambda: np.zeros((3, 2 * BASE**3), dtype=np.float32))
    biases: np.ndarray = field(default_factory=lambda: np.zeros(3))
    slopes: np.ndarray = field(default_factory=lambda: np.ones(3))
    offsets: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def fit(self, chinese: Sequence[Piece], german: Sequence[Piece]) -> NgramClassifier:
        """Learn from melodies of both styles; each style weighs the same."""
        pieces, labels = [*chinese, *german], [1] * len(chinese) + [0] * len(german)
        for row, view in enumerate(VIEWS):
            line = _regression(INVERSE_PENALTY, "balanced").fit(_sparse(pieces, view), labels)
            self.weights[row], self.biases[row] = line.coef_[0], line.intercept_[0]
        return self

    def calibrate(self, chinese: Sequence[Piece], german: Sequence[Piece]) -> NgramClassifier:
        """Stretch and shift the logits so that held-out melodies fare as the probabilities say.

        Source: Platt 1999, "Probabilistic outputs for support vector machines"; both styles weigh the same.
        """
        labels = [1] * len(chinese) + [0] * len(german)
        for row, view in enumerate(VIEWS):
            raw = self.logits([*chinese, *german], view) - self.offsets[row]
            line = _regression(1e4, "balanced").fit(raw[:, None] / self.slopes[row], labels)
            self.slopes[row], self.offsets[row] = line.coef_[0, 0], line.intercept_[0]
        return self

    def logits(self, pieces: Iterable[Piece], view: str = "combined") -> Float[np.ndarray, "B"]:
        """Log odds that each piece is Chinese."""
        row = VIEWS.index(view)
        raw = np.array([view_of(piece, view) @ self.weights[row] for piece in pieces]) + self.biases[row]
        return raw * self.slopes[row] + self.offsets[row]

    def probability(self, pieces: Iterable[Piece], style: str, view: str = "combined") -> Float[np.ndarray, "B"]:
        """How sure the classifier is that each piece is of the style, 0 to 1."""
        logits = self.logits(pieces, view) * (1 if style == "chinese" else -1)
        return 1 / (1 + np.exp(-np.clip(logits, -50, 50)))


def calibration_error(prob: Float[np.ndarray, "B"], true: np.ndarray, n_bins: int = 10) -> float:
    """Expected calibration error: the mean gap between how sure and how often right, over bins of equal width.

    Source: Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    bins = np.minimum((prob * n_bins).astype(int), n_bins - 1)
    gaps = [abs(prob[bins == b].mean() - true[bins == b].mean()) * np.mean(bins == b) for b in np.unique(bins)]
    return float(sum(gaps))


def _regression(inverse_penalty: float, weights: str):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=inverse_penalty, max_iter=2000, class_weight=weights)


def _sparse(pieces: Sequence[Piece], view: str):
    from scipy.sparse import csr_matrix, vstack

    return vstack([csr_matrix(view_of(piece, view)) for piece in pieces])
