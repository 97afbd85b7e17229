"""The exercises of notebooks/06_recommendation.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]


@EXERCISES.add(
    "Length must not matter, only direction.",
    "Multiply number by number, add up, and divide by both lengths.",
    "np.linalg.norm gives a length; a @ b multiplies and adds up.",
)
def cosine(answer: Answer) -> str | None:
    """Cosine of two points."""
    cases = (
        ([3.0, 0.0], [5.0, 0.0], 1.0, "two points in one direction, of different length"),
        ([1.0, 0.0], [0.0, 2.0], 0.0, "two points at a right angle"),
        ([1.0, 1.0], [-2.0, -2.0], -1.0, "two points in opposite directions"),
        ([1.0, 2.0, 2.0], [2.0, 1.0, 2.0], 8 / 9, "two points of length 3"),
    )
    for a, b, wanted, what in cases:
        found = float(answer(np.array(a), np.array(b)))
        if not np.isclose(found, wanted):
            return f"{what}: the cosine is {wanted:.3g}, yours is {found:.3g}."
    return None


@EXERCISES.add(
    "The place is a count: how many tunes score at least as much as the wanted one?",
    "The wanted tune counts itself, so the best place is 1.",
    "A comparison of the whole array with one score gives True and False; add them up.",
)
def reciprocal_rank(answer: Answer) -> str | None:
    """1 over the place of the wanted item."""
    scores = np.array([0.2, 0.9, 0.5, 0.7])
    for wanted, rank in ((1, 1), (3, 2), (2, 3), (0, 4)):
        found = float(answer(scores.copy(), wanted))
        if not np.isclose(found, 1 / rank):
            return f"the tune at place {rank} of the list earns 1/{rank}, you give it {found:.3g}."
    found = float(answer(np.zeros(5), 2))
    if not np.isclose(found, 1 / 5):
        return f"five equal scores: in doubt the wanted tune comes last and earns 1/5, you give it {found:.3g}."
    return None


@EXERCISES.add(
    "Sort by score, best first, and look at the first k.",
    "How many relevant tunes are there, and how many fit into k places?",
    "Divide by the smaller of k and the number of relevant tunes.",
)
def recall(answer: Answer) -> str | None:
    """Share of the relevant items among the first k, out of those that could be there."""
    scores = np.array([9.0, 7.0, 5.0, 3.0, 1.0])
    cases = (
        ([1, 0, 1, 0, 0], 2, 0.5, "one of two relevant tunes in a list of two"),
        ([1, 0, 1, 0, 0], 3, 1.0, "both relevant tunes in a list of three"),
        ([0, 0, 0, 0, 1], 3, 0.0, "the only relevant tune stands too low"),
        ([1, 1, 1, 1, 0], 2, 1.0, "four relevant tunes, and a list that holds only two"),
    )
    for relevant, k, wanted, what in cases:
        order = np.random.default_rng(k).permutation(5)
        found = float(answer(scores[order], np.array(relevant, dtype=bool)[order], k))
        if not np.isclose(found, wanted):
            return f"{what}: {wanted:g}, you say {found:.3g}."
    return None


@EXERCISES.add(
    "Each row is a question with three answers; the right one stands on the diagonal.",
    "Divide by the temperature, then take the cross-entropy of lesson 01, and the mean over rows.",
    "log of a sum of exponentials: take the largest number of each row out first.",
)
def nce(answer: Answer) -> str | None:
    """Cross-entropy of finding the partner in each row of a table of cosines."""
    table = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.3], [0.0, 0.4, 0.6]])
    for temperature in (1.0, 0.1):
        logits = table / temperature
        wanted = float(np.mean(np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)))
        found = float(answer(table.copy(), temperature))
        where = f"temperature {temperature:g}"
        if np.isclose(found, -wanted):
            return f"{where}: a loss falls when the partners come closer; yours rises."
        if np.isclose(found, 3 * wanted):
            return f"{where}: that is the sum over the three rows; wanted their mean."
        if not np.isclose(found, wanted):
            return f"{where}: wanted {wanted:.4f} nats, got {found:.4f}."
    found = float(answer(np.eye(3), 0.001))
    if not np.isfinite(found):
        return f"a very low temperature: the loss is {found}; exp ran out of digits."
    return None


@EXERCISES.add(
    "Two factors: how often here, and how rare elsewhere.",
    "Rarity is the logarithm of all tunes over the tunes that have it.",
    "What every tune has says nothing: the logarithm of 1 is 0.",
)
def tfidf(answer: Answer) -> str | None:
    """Weight of a run of intervals: how often it comes, times the logarithm of how rare it is."""
    cases = (
        (2, 100, 1, 2 * np.log(100), "twice in this tune, in no other of 100"),
        (1, 100, 100, 0.0, "in every tune"),
        (0, 100, 5, 0.0, "not in this tune"),
        (3, 50, 10, 3 * np.log(5), "three times here, in 10 of 50 tunes"),
    )
    for count, n_tunes, n_with, wanted, what in cases:
        found = float(answer(count, n_tunes, n_with))
        if not np.isclose(found, wanted):
            return f"{what}: the weight is {wanted:.4g}, yours {found:.4g}."
    return None


@EXERCISES.add(
    "One number a tune: the largest among its own windows.",
    "owners == tune picks the windows of a tune.",
    "Do not begin at 0: a cosine may be lower.",
)
def best_window(answer: Answer) -> str | None:
    """Score of each tune: its best window."""
    scores, owners = np.array([0.1, 0.9, 0.3, 0.4, 0.2]), np.array([0, 0, 1, 1, 1])
    for order in (np.arange(5), np.array([3, 0, 4, 2, 1])):
        found = np.asarray(answer(scores[order], owners[order]), dtype=float)
        where = "windows in order" if order[0] == 0 else "windows in any order"
        if found.shape != (2,):
            return f"{where}: two tunes have two scores; yours have shape {found.shape}."
        if not np.allclose(found, [0.9, 0.4]):
            return f"{where}: the tunes score 0.9 and 0.4, yours {found.round(3).tolist()}."
    below = np.asarray(answer(np.array([-0.5, -0.2]), np.array([0, 1])), dtype=float)
    if not np.allclose(below, [-0.5, -0.2]):
        return f"cosines below zero are scores, too: -0.5 and -0.2, yours are {below.tolist()}."
    return None


check = Checks(EXERCISES)
