"""The exercises of notebooks/06b_listeners.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]


@EXERCISES.add(
    "Count the wanted tunes among the first k.",
    "A list of two cannot hold three wanted tunes: what is the most that it could hold?",
    "Divide by the smaller of k and the number of wanted tunes.",
)
def truncated_recall(answer: Answer) -> str | None:
    """Share of the wanted items among the first k, out of at most k that could be there."""
    cases = (
        ([3, 1, 2, 0], {1, 2}, 2, 0.5, "one of two wanted tunes in a list of two"),
        ([3, 1, 2, 0], {0, 1, 2}, 2, 0.5, "three wanted tunes, a list of two, one of them in it"),
        ([3, 1, 2, 0], {1, 2}, 4, 1.0, "all in the list"),
        ([3, 1, 2, 0], {9}, 3, 0.0, "none in the list"),
    )
    for ranked, wanted, k, value, what in cases:
        found = answer(list(ranked), set(wanted), k)
        if not np.isclose(found, value):
            return f"{what}: the recall is {value:g}, you say {found:g}."
    return None


@EXERCISES.add(
    "A file need not be in order of time.",
    "Sort the plays by their time, then cut.",
    "A fifth of the number, rounded, and at least one; the last so many of the sorted list.",
)
def hold_out_last(answer: Answer) -> str | None:
    """The latest fifth of the items, at least one, in order of time."""
    cases = (
        ([5, 6, 7, 8, 9], [1, 2, 3, 4, 5], [9], "five plays in order"),
        ([5, 6, 7, 8, 9], [5, 4, 3, 2, 1], [5], "five plays, the file upside down"),
        (list(range(10)), [0, 9, 1, 8, 2, 3, 4, 5, 6, 7], [3, 1], "ten plays, out of order"),
        ([4, 2], [1, 2], [2], "two plays"),
    )
    for items, times, wanted, what in cases:
        found = [int(item) for item in answer(list(items), list(times))]
        if found != wanted:
            return f"{what}: held out should be {wanted}, you hold out {found}."
    return None


@EXERCISES.add(
    "Count partners of users and of items.",
    "When an item goes, a user may fall below n: one pass is not enough.",
    "Repeat the filter until it changes nothing.",
)
def core(answer: Answer) -> str | None:
    """Leave out users and items with fewer than n partners until nothing changes; a set of pairs."""
    square = {("a", 1), ("a", 2), ("b", 1), ("b", 2)}
    cases = (
        (square, 2, square, "a square of two by two"),
        (square | {("c", 1)}, 2, square, "a user with one item"),
        (square | {("c", 2), ("c", 3), ("d", 3)}, 2, square, "a chain that unravels from its end"),
        (square, 3, set(), "a core that nobody belongs to"),
    )
    for pairs, n, wanted, what in cases:
        found = set(answer(set(pairs), n))
        if found != wanted:
            return f"{what}: {len(wanted)} pairs should be left, you keep {len(found)}."
    return None


@EXERCISES.add(
    "Users by tunes, times itself turned: which side first gives tunes by tunes?",
    "Add l2 to the diagonal before you invert.",
    "Divide each column of the inverse by minus its own diagonal entry, then set the diagonal to 0.",
)
def ease_weights(answer: Answer) -> str | None:
    """The closed form of EASE: inverse of the Gram matrix plus l2, divided by minus its diagonal, 0 on the diagonal."""
    heard = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 0, 0]], dtype=float)
    for l2 in (1.0, 10.0):
        inverse = np.linalg.inv(heard.T @ heard + l2 * np.eye(3))
        wanted = inverse / -np.diag(inverse)
        np.fill_diagonal(wanted, 0)
        found = np.asarray(answer(heard.copy(), l2), dtype=float)
        if found.shape != (3, 3):
            return f"four users and three tunes: the weights are 3 by 3, yours are {found.shape}."
        if np.abs(np.diag(found)).max() > 1e-9:
            return "a tune predicts itself: the diagonal is to be 0."
        if not np.allclose(found, wanted):
            if np.allclose(found, wanted.T):
                return "each column is divided by an entry of the diagonal; you divide each row."
            return (
                f"l2 = {l2:g}: from the first tune to the second goes {wanted[0, 1]:.3f}, yours is {found[0, 1]:.3f}."
            )
    return None


@EXERCISES.add(
    "Softmax first: the tunes share one probability of 1.",
    "Add up the logarithms at the tunes that were heard, and change the sign.",
    "Subtract the largest logit before you take exponentials: nothing else changes, and nothing overflows.",
)
def multinomial_nll(answer: Answer) -> str | None:
    """Minus the sum of log softmax over the heard items."""
    cases = (
        ([0.0] * 5, [1, 1, 0, 0, 0], 2 * np.log(5), "two tunes heard of five, a net that knows nothing"),
        ([5.0, 5.0, 5.0, 5.0], [0, 0, 0, 1], np.log(4), "all logits 5, which is the same as all 0"),
        ([np.log(3), 0.0], [1, 0], np.log(4 / 3), "odds of three to one, and right"),
        ([1000.0, 0.0], [1, 0], 0.0, "a very large logit"),
    )
    for logits, heard, wanted, what in cases:
        found = answer(np.array(logits), np.array(heard))
        if not np.isclose(found, wanted):
            return f"{what}: {wanted:.3f} nats, you say {found:.3f}."
    return None


@EXERCISES.add(
    "A tune that is in many lists counts once.",
    "Put all lists into one set.",
    "The size of the set, divided by the number of all tunes.",
)
def coverage(answer: Answer) -> str | None:
    """Share of all items that are in at least one list."""
    cases = (
        ([[0, 1], [0, 1]], 4, 0.5, "two listeners with the same list"),
        ([[0, 1], [2, 3]], 4, 1.0, "two listeners with different lists"),
        ([[0, 1], [1, 2]], 10, 0.3, "two lists that share a tune"),
    )
    for lists, n_items, wanted, what in cases:
        found = answer([list(row) for row in lists], n_items)
        if not np.isclose(found, wanted):
            return f"{what}, {n_items} tunes: the coverage is {wanted:g}, you say {found:g}."
    return None


check = Checks(EXERCISES)
