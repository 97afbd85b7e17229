"""How alike are two distributions, or two sets of pieces: overlap, divergence, distances within and between sets.

Yang and Lerch 2020, "On the evaluation of generative models in music", Neural Computing and Applications 32: describe
each piece by a feature, take all distances inside the reference set and all distances from it to the generated set, and
ask how far those two distributions of distances overlap.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

GRID_POINTS = 1000
TINY = 1e-12  # probability below which KL reads a cell as this


class SetComparison(NamedTuple):
    """Overlap (1 = alike) and KL divergence (0 = alike) of the distances inside a set and to another set."""

    overlap: float
    kl: float


def histogram_overlap(p: Shaped[np.ndarray, "K"], q: Shaped[np.ndarray, "K"]) -> float:
    """Share that two histograms have in common.

    sum over k of min(p[k], q[k]) after each is scaled to sum 1; from 0 (disjoint) to 1 (equal). It equals one minus
    the total variation distance. NaN if either is empty.

    >>> histogram_overlap(np.array([2, 2, 0]), np.array([0, 1, 3]))
    0.25
    """
    p, q = _scaled(p), _scaled(q)
    return float(np.minimum(p, q).sum())


def kl_divergence(p: Shaped[np.ndarray, "K"], q: Shaped[np.ndarray, "K"], pseudo_count: float = 0.0) -> float:
    """Nats wasted by expecting q where p is true.

    KL(p || q) = sum over k of p[k] log(p[k] / q[k]), after pseudo_count is added to every cell of both and each is
    scaled to sum 1. From 0 (equal) to infinity (p has a cell that q lacks; a pseudo-count keeps it finite). Not
    symmetric. NaN if either is empty.

    >>> round(kl_divergence(np.array([1.0, 0.0]), np.array([1.0, 1.0])), 4)
    0.6931
    """
    from scipy.special import rel_entr

    return float(np.maximum(0.0, rel_entr(_scaled(p + pseudo_count), _scaled(q + pseudo_count)).sum()))


def overlapping_area(a: Shaped[np.ndarray, "N"], b: Shaped[np.ndarray, "M"]) -> float:
    """Area under both densities of two samples of numbers.

    OA = integral of min(f_a(x), f_b(x)) dx, where f is a Gaussian kernel density with Scott's bandwidth,
    sd * n^(-1/5), on 1,000 points. From 0 (apart) to 1 (alike). NaN if either sample is empty; a sample of equal values
    is a spike.
    Source: Yang and Lerch 2020. Their code integrates from the least to the greatest value and so loses the tails
    beyond; we go on for four bandwidths, and equal samples give 1.

    >>> round(overlapping_area(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])), 6)
    1.0
    """
    p, q = _densities(a, b)
    return histogram_overlap(p, q)


def kde_kl(a: Shaped[np.ndarray, "N"], b: Shaped[np.ndarray, "M"]) -> float:
    """KL(f_a || f_b) in nats between the kernel densities of two samples; 0 up to about 27 (-log TINY). NaN if empty.

    Source: Yang and Lerch 2020. Their code reads f_a on the range of a and f_b on the range of b, which compares
    the densities at different places; we read both on one grid, with cells below TINY raised to it.
    """
    p, q = _densities(a, b)
    return kl_divergence(p, q, TINY)


def intra_set_distances(features: Shaped[np.ndarray, "N ..."]) -> Float[np.ndarray, "pairs"]:
    """Euclidean distances between the N (N - 1) / 2 pairs of rows; a row is one piece, (N,) or (N, D)."""

    from scipy.spatial.distance import pdist  # here, as recipes import this module

    return pdist(_table(features))


def inter_set_distances(a: Shaped[np.ndarray, "N ..."], b: Shaped[np.ndarray, "M ..."]) -> Float[np.ndarray, "pairs"]:
    """Euclidean distances from each of N rows to each of M rows, N M numbers."""

    from scipy.spatial.distance import cdist

    return cdist(_table(a), _table(b)).ravel()


def compare_sets(reference: Shaped[np.ndarray, "N ..."], generated: Shaped[np.ndarray, "M ..."]) -> SetComparison:
    """Overlap and KL of the distances inside the reference and the distances from it to the generated set.

    One feature at a time: a number (N,) or a histogram (N, D) a piece. Near overlap 1 and KL 0 the generated pieces lie
    among the reference as its own pieces do. Rows with NaN (pieces without that feature) are left out.
    Caution: a generated set that sits in the middle of the reference without its variety still overlaps well; look at
    `intra_set_distances(generated)` too.
    Source: Yang and Lerch 2020, who measure the distances from each piece to all others; the pairs are the same.
    """
    reference, generated = _complete(reference), _complete(generated)
    intra, inter = intra_set_distances(reference), inter_set_distances(reference, generated)
    return SetComparison(overlapping_area(intra, inter), kde_kl(intra, inter))


def _densities(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kernel densities of both samples on one grid, each scaled to sum 1 there."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if not len(a) or not len(b):
        return np.full(1, np.nan), np.full(1, np.nan)
    both = np.concatenate([a, b])
    if np.ptp(both) == 0:
        return np.ones(1), np.ones(1)
    margin = 4 * max(_bandwidth(a), _bandwidth(b))
    grid = np.linspace(both.min() - margin, both.max() + margin, GRID_POINTS)
    return _density(a, grid), _density(b, grid)


def _density(sample: np.ndarray, grid: np.ndarray) -> np.ndarray:
    width = max(_bandwidth(sample), grid[1] - grid[0])
    values, counts = np.unique(sample, return_counts=True)
    density = np.zeros(len(grid))
    for start in range(0, len(values), 1000):  # blocks: a few MB at a time
        part = slice(start, start + 1000)
        density += np.exp(-0.5 * ((grid[:, None] - values[part]) / width) ** 2) @ counts[part]
    return density / density.sum()


def _bandwidth(sample: np.ndarray) -> float:
    return float(np.std(sample, ddof=1) * len(sample) ** -0.2) if len(sample) > 1 else 0.0


def _scaled(histogram: np.ndarray) -> np.ndarray:
    histogram = np.asarray(histogram, dtype=np.float64)
    if (histogram < 0).any():
        raise ValueError(f"a histogram has no negative cells, this one has {histogram.min()}")
    total = histogram.sum()
    return histogram / total if total > 0 else np.full(len(histogram), np.nan)


def _table(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    return features.reshape(len(features), -1)


def _complete(features: np.ndarray) -> np.ndarray:
    table = _table(features)
    return table[~np.isnan(table).any(axis=1)]
