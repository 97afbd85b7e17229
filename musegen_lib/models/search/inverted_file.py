"""Search without looking at every point: an inverted file of cells around centres (approximate nearest neighbours).

Source: the inverted file with coarse centres of Jégou et al. 2011, "Product quantization for nearest neighbor search",
without the quantization. Axes: N points, C cells, D numbers of a point; all points have length 1.
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

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
        with threadpool_limits(1):  # sums in one order, so the same centres on any machine
            means = KMeans(n_cells, init=sample[:n_cells], n_init=1, max_iter=N_ROUNDS).fit(sample).cluster_centers_
        self.centres = means / np.linalg.norm(means, axis=1, keepdims=True)
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
