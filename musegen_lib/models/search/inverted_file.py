"""Search without looking at every point: an inverted file of cells around centres (approximate nearest neighbours).

Source: the inverted file with coarse centres of Jégou et al. 2011, "Product quantization for nearest neighbor search",
without the quantization. Axes: N points, C cells, D numbers of a point; all points have length 1.
"""

from __future__ import annotations

import numpy as np

from musegen_lib.core.ranking import best_first

N_ROUNDS, N_SAMPLE = 8, 12_000  # of k-means


class InvertedFile:
    """Points in cells; a query looks only into the cells whose centres are nearest to it.

    >>> points = np.eye(4, dtype=np.float32)
    >>> InvertedFile(points, n_cells=2, seed=0).nearest(points[2], k=1, n_cells=2).tolist()
    [2]
    """

    def __init__(self, points: np.ndarray, n_cells: int, seed: int = 0):
        rng = np.random.default_rng(seed)
        sample = points[rng.permutation(len(points))[:N_SAMPLE]]
        self.centres = _k_means(sample, n_cells)
        cell = np.concatenate([(part @ self.centres.T).argmax(axis=1) for part in np.array_split(points, 64)])
        self.order = np.argsort(cell, kind="stable")  # points, cell by cell
        self.points = np.ascontiguousarray(points[self.order])
        self.ends = np.cumsum(np.bincount(cell, minlength=n_cells))

    def nearest(self, query: np.ndarray, k: int, n_cells: int) -> np.ndarray:
        """Numbers of the k best points found in the n_cells nearest cells, best first."""
        near = best_first(self.centres @ query, n_cells)
        starts = np.where(near > 0, self.ends[near - 1], 0)
        spans = [slice(start, end) for start, end in zip(starts, self.ends[near])]
        scores = np.concatenate([self.points[span] @ query for span in spans])
        numbers = np.concatenate([self.order[span] for span in spans])
        return numbers[best_of(scores, k)]


def best_of(scores: np.ndarray, k: int) -> np.ndarray:
    """Places of the k highest scores, best first; of equal scores the first place."""
    return best_first(scores, k)


def _k_means(points: np.ndarray, n_cells: int) -> np.ndarray:
    """Centres of length 1; a centre that no point is nearest to stays where it is."""
    centres = points[:n_cells].copy()
    for _ in range(N_ROUNDS):
        cell = (points @ centres.T).argmax(axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, cell, points)
        filled = np.bincount(cell, minlength=n_cells) > 0
        centres[filled] = sums[filled] / np.maximum(np.linalg.norm(sums[filled], axis=1, keepdims=True), 1e-9)
    return centres
