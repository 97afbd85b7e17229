"""Implicit ALS: users and items as points, by the library `implicit`. Taught in notebooks/06b_listeners.ipynb.

Source: Hu, Koren & Volinsky 2008, "Collaborative filtering for implicit feedback datasets". The
library is by Frederickson.
"""

from __future__ import annotations

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from musegen_lib.models.recommend.models import Histories


class ALS:
    """Find U x F and I x F points whose product is 1 where something was heard, and 0, with less weight, elsewhere."""

    def __init__(self, factors: int = 64, l2: float = 0.05, alpha: float = 5.0, rounds: int = 15, seed: int = 0):
        self.factors, self.l2, self.alpha, self.rounds, self.seed = factors, l2, alpha, rounds, seed

    def fit(self, heard: Histories) -> None:
        """Solve for the users with the items fixed, then the other way round, `rounds` times."""
        with threadpool_limits(1, "blas"):  # the library's own threads would fight with those of BLAS
            self.model = AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.l2,
                alpha=self.alpha,
                iterations=self.rounds,
                num_threads=1,
                random_state=self.seed,
            )
            self.model.fit(heard.matrix(), show_progress=False)

    @property
    def items(self) -> Float[np.ndarray, "I F"]:
        """The points of the items."""
        return self.model.item_factors

    def place(self, heard: Histories) -> Float[np.ndarray, "U F"]:
        """The points of listeners with these histories, the items fixed."""
        with threadpool_limits(1, "blas"):
            return self.model.recalculate_user(np.arange(len(heard)), heard.matrix())

    def score(self, heard: Histories) -> Float[np.ndarray, "U I"]:
        """Products of the points."""
        return self.place(heard) @ self.items.T
