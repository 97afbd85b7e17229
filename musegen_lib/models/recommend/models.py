"""Recommenders that know who heard what, in one small form: fit on histories, score every item for each of them.

Here are the three that need no training: popularity, neighbours among items, and EASE in closed form. ALS is in
listeners_als.py, the two nets are in listeners_nets.py. Taught in notebooks/06b_listeners.ipynb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.ranking import among_best

MAX_ITEMS = 10_000  # an I x I table of 64-bit numbers then takes 0.8 GB, and the inverse as much again


@dataclass(frozen=True)
class Histories:
    """What U users heard: item numbers, each item once a user, in order of hearing where `ordered`."""

    sequences: tuple[np.ndarray, ...]  # U arrays of item numbers in [0, n_items)
    n_items: int  # I
    ordered: bool = True

    def __len__(self) -> int:
        return len(self.sequences)

    def matrix(self) -> Any:
        """(U, I) scipy CSR matrix of 32-bit floats: 1 where a user heard an item."""
        from scipy import sparse  # here, as many import this module who need no matrix

        ends = np.cumsum([0, *map(len, self.sequences)])
        items = np.concatenate([np.empty(0, dtype=np.int64), *self.sequences])
        ones = np.ones(len(items), dtype=np.float32)
        return sparse.csr_matrix((ones, items, ends), shape=(len(self), self.n_items))

    def take(self, users: Sequence[int] | np.ndarray) -> Histories:
        """The histories of some users."""
        return Histories(tuple(self.sequences[user] for user in users), self.n_items, self.ordered)


@runtime_checkable
class Recommender(Protocol):
    """What every recommender offers."""

    def fit(self, heard: Histories) -> None:
        """Learn from what users heard."""

    def score(self, heard: Histories) -> np.ndarray:
        """(U, I): the higher, the likelier the user of that history hears the item next; any scale.

        The users need not be those of `fit`; what they know already is scored as well, the caller leaves it out.
        """


def check_size(heard: Histories, what: str) -> None:
    """MusegenError where an I x I table would not fit into memory."""
    if heard.n_items > MAX_ITEMS:
        raise MusegenError(f"{what} needs a table of items by items: at most {MAX_ITEMS:,}, not {heard.n_items:,}")


class Popularity:
    """The same list for everyone: items by the number of users who heard them. The floor."""

    def fit(self, heard: Histories) -> None:
        """Count."""
        self.counts = np.asarray(heard.matrix().sum(axis=0)).ravel()  # (I,)

    def score(self, heard: Histories) -> Float[np.ndarray, "U I"]:
        """The counts, once a user."""
        return np.tile(self.counts, (len(heard), 1))


class ItemKNN:
    """Who heard this also heard that: an item scores the sum of its likeness to the k nearest items of the history.

    Source: Sarwar et al. 2001, cosine likeness; the shrinkage, which distrusts likeness seen on few users, after Bell &
    Koren 2007.
    """

    def __init__(self, k: int = 50, shrink: float = 10.0):
        self.k, self.shrink = k, shrink

    def fit(self, heard: Histories) -> None:
        """Keep the k most similar items of each."""
        check_size(heard, "item-kNN")
        both = _together(heard)  # (I, I) users who heard both
        norms = np.sqrt(np.diag(both))  # (I,)
        alike = both / (norms[:, None] * norms[None, :] + self.shrink + 1e-9)
        np.fill_diagonal(alike, 0)
        if self.k < len(alike):
            alike[~among_best(alike, self.k, axis=0)] = 0
        self.alike = alike  # (I, I) column: the item that is scored

    def score(self, heard: Histories) -> Float[np.ndarray, "U I"]:
        """Sum of likeness to what was heard."""
        return np.asarray(heard.matrix() @ self.alike)


class EASE:
    """Predict each item from all the others by one linear map with zeros on its diagonal, in closed form.

    With G = XᵀX + l2 and P its inverse, B = -P / diag(P), and 0 on the diagonal, minimises |X - XB|² + l2 |B|².
    Source: Steck 2019, "Embarrassingly shallow autoencoders for sparse data", arXiv:1905.03375.
    """

    def __init__(self, l2: float = 200.0):
        self.l2 = l2

    def fit(self, heard: Histories) -> None:
        """One inverse of an I x I matrix."""
        check_size(heard, "EASE")
        inverse = np.linalg.inv(_together(heard) + self.l2 * np.eye(heard.n_items))
        self.weights = inverse / -np.diag(inverse)  # (I, I) column: the item that is scored
        np.fill_diagonal(self.weights, 0)

    def score(self, heard: Histories) -> Float[np.ndarray, "U I"]:
        """Sum of the weights of what was heard."""
        return np.asarray(heard.matrix() @ self.weights)


def _together(heard: Histories) -> Float[np.ndarray, "I I"]:
    """How many users heard both items of each pair."""
    matrix = heard.matrix()
    return (matrix.T @ matrix).toarray().astype(np.float64)
