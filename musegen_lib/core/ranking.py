"""The one home of choices among scores: highest first, and of equal scores the one with the lowest index.

Two scores count as equal when they round to the same first digits. What is equal by arithmetic differs in its last
digits by the order in which a processor's vector code adds; without the rounding another machine would choose another
item. The digits kept are 17 binary ones of 32-bit scores (5 decimal) and 40 of 64-bit scores (12 decimal), so hand over
scores in the precision in which they were computed. Scores on either side of a rounding step are still told apart by
their last digits: the rule makes such a flip rare, it cannot abolish it. `np.argpartition`, `topk` and sorts that are
not stable break ties by the processor; tests/repo/test_ties.py keeps them out of the rest of the library.
"""

from __future__ import annotations

from typing import Any

import numpy as np

KEPT_BITS = {np.dtype(np.float32): (17, 24), np.dtype(np.float64): (40, 53)}  # binary digits kept, and there
ENTRIES_AT_ONCE = 1 << 22  # of a table: its working copies then take 0.1 GB


def settled(scores: Any) -> np.ndarray:
    """Scores without their last digits, so that == is the rule of this module; whole numbers stay as they are.

    Works on the bits of the numbers, with no logarithm or power that a vector code could round in its own way.

    >>> bool(0.1 + 0.2 == 0.3), bool(settled(0.1 + 0.2) == settled(0.3))
    (False, True)
    """
    scores = np.asarray(scores)
    if scores.dtype.kind in "iub":
        return scores.astype(np.int64)
    scores = np.ascontiguousarray(scores, dtype=scores.dtype if scores.dtype in KEPT_BITS else np.float32)
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} of {scores.size} scores are NaN: they have no order")
    kept, there = KEPT_BITS[scores.dtype]
    whole = np.int32 if scores.dtype == np.float32 else np.int64
    bits = scores.view(whole) + whole(1 << (there - kept - 1))  # half of the last digit kept
    bits &= whole(-1 << (there - kept))
    return bits.view(scores.dtype)


def best_first(scores: Any, k: int | None = None, axis: int = -1) -> np.ndarray:
    """Indices of the k highest scores along an axis (all of them without k), highest first.

    Sorts k entries of a row, not all; a table is worked through in parts.

    >>> best_first([0.3, 0.9, 0.1 + 0.2, 0.9]).tolist(), best_first([0.3, 0.9, 0.1 + 0.2, 0.9], 3).tolist()
    ([1, 3, 0, 2], [1, 3, 0])
    """
    scores = np.moveaxis(np.asarray(scores), axis, -1)
    if k is None or k >= scores.shape[-1]:
        order = np.argsort(-settled(scores), axis=-1, kind="stable")
    elif scores.ndim == 1:
        order = _best_of_row(settled(scores), k)
    else:
        rows = scores.reshape(-1, scores.shape[-1])
        order = np.concatenate([_best_of_rows(part, k) for part in _parts(rows)]).reshape(*scores.shape[:-1], k)
    return np.moveaxis(order, -1, axis)


def among_best(scores: Any, k: int, axis: int = -1) -> np.ndarray:
    """True where a score is one of the k that `best_first` names; as many True along the axis in every row.

    >>> among_best([[2, 5, 2, 2]], 2).tolist()
    [[True, True, False, False]]
    """
    scores = np.moveaxis(np.asarray(scores), axis, -1)
    if k >= scores.shape[-1]:
        return np.ones_like(np.moveaxis(scores, -1, axis), dtype=bool)
    rows = scores.reshape(-1, scores.shape[-1])
    found = np.concatenate([_mark(settled(part), k) for part in _parts(rows)]).reshape(scores.shape)
    return np.moveaxis(found, -1, axis)


def first_best(scores: Any, axis: int | None = None) -> Any:
    """Index of the highest score, as `np.argmax` gives it: into the flat scores where no axis is given.

    >>> int(first_best([0.3, 0.1 + 0.2, 0.1]))
    0
    """
    return np.argmax(settled(scores), axis=axis)


def _parts(rows: np.ndarray) -> list[np.ndarray]:
    return np.array_split(rows, max(1, min(len(rows), rows.size // ENTRIES_AT_ONCE)))


def _mark(high: np.ndarray, k: int) -> np.ndarray:
    """(U, N) True at the k best: all above the k-th highest score, and of its equals the first ones."""
    if k < 1:
        return np.zeros(high.shape, dtype=bool)
    least = np.partition(high, -k, axis=-1)[:, -k, None]  # (U, 1) a value, the same on any processor
    chosen = high > least
    room = k - chosen.sum(axis=-1, keepdims=True)
    level = high == least
    return chosen | (level & (np.cumsum(level, axis=-1, dtype=np.int32) <= room))


def _best_of_row(high: np.ndarray, k: int) -> np.ndarray:
    """(k,) the quick way for one row, which a search takes for every query."""
    items = np.flatnonzero(high >= np.partition(high, -k)[-k]) if k > 0 else np.empty(0, dtype=np.int64)
    return items[np.argsort(-high[items], kind="stable")[:k]]


def _best_of_rows(rows: np.ndarray, k: int) -> np.ndarray:
    high = settled(rows)
    items = np.nonzero(_mark(high, k))[1].reshape(len(rows), max(k, 0))  # (U, k) in order of their index
    order = np.argsort(-np.take_along_axis(high, items, axis=1), axis=1, kind="stable")
    return np.take_along_axis(items, order, axis=1)
