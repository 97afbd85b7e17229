"""How surprised is a model by music it never saw? Nats, bits and perplexity per note, with standard errors.

Notes of one piece are not independent, pieces nearly are: every standard error here counts pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

Column = Sequence[float | int] | np.ndarray  # one number a piece


class Estimate(NamedTuple):
    """A figure and its standard error (NaN where it cannot be known)."""

    mean: float
    standard_error: float

    def __str__(self) -> str:
        digits = 3 if abs(self.mean) < 10 else 1
        return f"{self.mean:.{digits}f} ± {self.standard_error:.{digits}f}"


def ratio_estimate(totals: Column, counts: Column) -> Estimate:
    """Sum of totals over sum of counts, such as nats over notes, one entry a piece.

    R = sum(t) / sum(c). Standard error = sqrt(sum((t - R c)^2) * n / (n - 1)) / sum(c): a long piece weighs more, and
    what counts is how far each piece lies from the common ratio. Same unit as t / c.
    Edge cases: NaN for no pieces or no counts; the error of a single piece is NaN.
    Source: Cochran 1977, Sampling Techniques, chapter 6 (ratio estimators), with no correction for a finite population.

    >>> ratio_estimate([2.0, 6.0], [1, 3]), ratio_estimate([1.0, 3.0], [1, 1])
    (Estimate(mean=2.0, standard_error=0.0), Estimate(mean=2.0, standard_error=1.0))
    """
    totals, counts = _columns(totals, counts)
    n, total_count = len(counts), counts.sum()
    if not total_count > 0:
        return Estimate(float("nan"), float("nan"))
    ratio = totals.sum() / total_count
    if n < 2:
        return Estimate(float(ratio), float("nan"))
    error = np.sqrt(np.sum((totals - ratio * counts) ** 2) * n / (n - 1)) / total_count
    return Estimate(float(ratio), float(error))


def mean_estimate(values: Column) -> Estimate:
    """Mean over pieces and its standard error, sd / sqrt(n); NaN entries (pieces without a value) are left out.

    >>> mean_estimate([1.0, 3.0, float("nan")])
    Estimate(mean=2.0, standard_error=1.0)
    """
    values = np.asarray(values, dtype=np.float64)
    values = values[~np.isnan(values)]
    return ratio_estimate(values, np.ones(len(values)))


def nats_per_note(nll: Column, n_notes: Column) -> dict[str, float]:
    """Score a model on held-out pieces.

    Args:
        nll: negative log-likelihood of each whole piece in nats: its rests, its end and all.
        n_notes: notes (not events or steps) of each piece.
    Returns:
        nats_per_note = sum(nll) / sum(notes), from 0 up, lower is better; standard_error of that, over pieces;
        bits_per_note = nats / ln 2; perplexity = exp(nats): the number of equally likely notes that would surprise as
        much. Discrete models only: a density can have negative nats. All NaN for no notes.

    >>> scores = nats_per_note([np.log(8), np.log(8)], [1, 1])
    >>> round(scores["bits_per_note"], 6), round(scores["perplexity"], 6)
    (3.0, 8.0)
    """
    nats, error = ratio_estimate(nll, n_notes)
    return {
        "nats_per_note": nats,
        "standard_error": error,
        "bits_per_note": nats_to_bits(nats),
        "perplexity": nats_to_perplexity(nats),
    }


def nats_to_bits(nats: float) -> float:
    """Nats / ln 2."""
    return float(nats / np.log(2))


def nats_to_perplexity(nats: float) -> float:
    """exp(nats): the size of the dice that is as hard to guess."""
    return float(np.exp(nats))


def _columns(a, b) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"two columns with one entry a piece are needed, but their shapes are {a.shape} and {b.shape}")
    return a, b
