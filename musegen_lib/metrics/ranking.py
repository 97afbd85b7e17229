"""How good a ranked list is: where the wanted item stands, recall, reciprocal rank, gain, and how sure the mean is.

A rank counts from 1. Print beside every mean what a random order scores (the baseline); 1 is the ceiling.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from musegen_lib.core.ranking import best_first

N_RESAMPLES = 1000


def hits_at(rank: Int[np.ndarray, "Q"], k: int) -> Float[np.ndarray, "Q"]:
    """1 for each query whose wanted item is among the first k; the mean is R@k where one item is wanted."""
    return (rank <= k).astype(np.float64)


def reciprocal_ranks(rank: Int[np.ndarray, "Q"]) -> Float[np.ndarray, "Q"]:
    """1 / rank of each query; the mean is MRR."""
    return 1 / rank


def recall_at(scores: Float[np.ndarray, "U N"], relevant: Bool[np.ndarray, "U N"], k: int) -> Float[np.ndarray, "U"]:
    """Share of each user's relevant items among the first k, out of at most k that could be there.

    Source: the truncated recall of Liang et al. 2018, "Variational autoencoders for collaborative filtering".
    """
    found = np.take_along_axis(relevant, best_first(scores, k), axis=1).sum(axis=1)
    return found / np.maximum(1, np.minimum(k, relevant.sum(axis=1)))


def ndcg_at(scores: Float[np.ndarray, "U N"], relevant: Bool[np.ndarray, "U N"], k: int) -> Float[np.ndarray, "U"]:
    """Discounted gain of each user's first k items, over the best possible.

    Source: Järvelin & Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", with gains 0 and 1.
    """
    worth = 1 / np.log2(np.arange(2, k + 2))  # (k,)
    found = np.take_along_axis(relevant, best_first(scores, k), axis=1)  # (U, k')
    best = np.concatenate([[0.0], np.cumsum(worth)])[np.minimum(k, relevant.sum(axis=1))]
    return (found * worth[: found.shape[1]]).sum(axis=1) / np.maximum(best, worth[-1])


def standard_error(values: Float[np.ndarray, "Q"]) -> float:
    """Of the mean over queries, users or tunes; 0 for one of them. For a paired comparison give it the differences.

    >>> standard_error(np.array([0.0, 2.0, 0.0, 2.0, 1.0])) == 1 / 5**0.5
    True
    """
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def bootstrap_interval(values: Float[np.ndarray, "Q"], seed: int = 0) -> tuple[float, float]:
    """Where the mean lies in 95 of 100 resamples of the queries (percentile bootstrap, Efron 1979).

    >>> low, high = bootstrap_interval(np.array([0.0, 1.0] * 50))
    >>> 0.38 < low < 0.42 and 0.58 < high < 0.62
    True
    """
    rng = np.random.default_rng(seed)
    means = values[rng.integers(len(values), size=(N_RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
