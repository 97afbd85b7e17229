"""One honest test for every recommender: 5-core, hold-out by time, ranking against all items, errors over users.

An item counts once a user, at its first hearing: to recommend what somebody knows already is no feat. A user's own
training items are left out of the ranking; no other item is, so nothing is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.ranking import best_first
from musegen_lib.metrics.ranking import ndcg_at, recall_at
from musegen_lib.models.recommend.interactions import Interactions
from musegen_lib.models.recommend.models import Histories, Recommender

CORE = 5
HELD_OUT = 0.2
K, K_NEXT = 20, 10
USERS_AT_ONCE = 500  # how many rows of scores are in memory


@dataclass(frozen=True)
class Split:
    """The same users three times: what a model learns from, what it is tuned on, what it is tested on."""

    train: Histories
    valid: Histories
    test: Histories

    @property
    def known(self) -> Histories:
        """Train and valid: what is learnt from, once the tuning is over."""
        pairs = zip(self.train.sequences, self.valid.sequences, strict=True)
        return replace(self.train, sequences=tuple(np.concatenate(pair) for pair in pairs))


def to_histories(found: Interactions) -> Histories:
    """Each user's items, each once, by time of first hearing (by line where times are equal), else by line."""
    time = found.time if found.time is not None else np.zeros(len(found))
    order = np.lexsort((np.arange(len(found)), time, found.user))
    user, item = found.user[order], found.item[order]
    _, first = np.unique(user * len(found.items) + item, return_index=True)
    first.sort()
    ends = np.searchsorted(user[first], np.arange(1, len(found.users)))
    return Histories(tuple(np.split(item[first], ends)), len(found.items), found.time is not None)


def keep_core(heard: Histories, core: int = CORE) -> tuple[Histories, np.ndarray]:
    """Leave out users and items with fewer than `core` partners, again and again until none is left to leave out.

    Returns:
        The histories of the users that stay, over items numbered anew, and (I,) the old number of each item.
    Raises:
        MusegenError: nobody stays.
    """
    sequences, items = list(heard.sequences), np.arange(heard.n_items)
    while True:
        n_users = np.bincount(np.concatenate([np.empty(0, dtype=np.int64), *sequences]), minlength=heard.n_items)
        keep = n_users >= core
        shorter = [kept for kept in (row[keep[row]] for row in sequences) if len(kept) >= core]
        if len(shorter) == len(sequences) and all(len(a) == len(b) for a, b in zip(sequences, shorter)):
            break
        sequences = shorter
    if not sequences:
        raise MusegenError(
            f"nothing is left after the {core}-core: each user needs {core} items with {core} users each"
        )
    items = np.flatnonzero(keep)
    new = np.full(heard.n_items, -1)
    new[items] = np.arange(len(items))
    return Histories(tuple(new[row] for row in sequences), len(items), heard.ordered), items


def split_histories(heard: Histories, seed: int = 0, share: float = HELD_OUT, by_time: bool = True) -> Split:
    """Hold out the last `share` of each user's items for the test, and of the rest for validation, at least one each.

    Args:
        seed: decides where there is no order, or where `by_time` is False (a fault that the lesson shows).
    """
    rng = np.random.default_rng(seed)
    parts: tuple[list, list, list] = ([], [], [])
    for items in heard.sequences:
        items = items if heard.ordered and by_time else rng.permutation(items)
        n_test = max(1, round(share * len(items)))
        n_valid = max(1, round(share * (len(items) - n_test)))
        for part, cut in zip(parts, np.split(items, [len(items) - n_test - n_valid, len(items) - n_test])):
            part.append(cut)
    return Split(*(replace(heard, sequences=tuple(part)) for part in parts))


@dataclass(frozen=True)
class Found:
    """What one recommender scored on U users; per-user values, so that any error can be computed from them."""

    recall: Float[np.ndarray, "U"]  # R@20
    ndcg: Float[np.ndarray, "U"]  # NDCG@20
    hit_next: Float[np.ndarray, "U"]  # HR@10 of the first held-out item
    lists: np.ndarray  # (U, 20) recommended items

    def coverage(self, n_items: int) -> float:
        """Share of all items that are recommended to somebody."""
        return len(np.unique(self.lists)) / n_items


def evaluate(model: Recommender, known: Histories, wanted: Histories) -> Found:
    """Rank all items but the user's known ones, and look for the wanted ones."""
    parts: list[tuple] = []
    for start in range(0, len(known), USERS_AT_ONCE):
        users = np.arange(start, min(start + USERS_AT_ONCE, len(known)))
        have, want = known.take(users), wanted.take(users)
        scores = np.array(model.score(have))
        scores = scores if scores.dtype.kind == "f" else scores.astype(np.float64)
        for row, items in enumerate(have.sequences):
            scores[row, items] = -np.inf
        relevant = want.matrix().toarray() > 0
        lists = best_first(scores, K)
        short = np.take_along_axis(scores, lists, axis=1), np.take_along_axis(relevant, lists, axis=1)
        following = np.array([items[0] for items in want.sequences])[:, None]
        hits = (lists[:, :K_NEXT] == following).any(axis=1).astype(float)
        parts.append((*_measure(*short, relevant), hits, lists))
    return Found(*(np.concatenate(column) for column in zip(*parts)))


def _measure(scores: np.ndarray, found: np.ndarray, relevant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Recall and gain of each user from the scores and hits of the K best, the relevant items beyond K counted too."""
    missing = relevant.sum(axis=1) - found.sum(axis=1)  # relevant items that are not in the list
    width = int(missing.max(initial=0))
    tail = np.arange(width) < missing[:, None]  # (U, width)
    all_scores = np.hstack([np.arange(scores.shape[1], 0, -1.0)[None].repeat(len(scores), 0), 0.0 * tail - 1])
    hits = np.hstack([found, tail])
    return recall_at(all_scores, hits, K), ndcg_at(all_scores, hits, K)


def mean_popularity(lists: list[np.ndarray] | np.ndarray, counts: Float[np.ndarray, "I"]) -> float:
    """Mean over users of the mean number of training users of the items in their list."""
    return float(np.mean([counts[items].mean() for items in lists]))
