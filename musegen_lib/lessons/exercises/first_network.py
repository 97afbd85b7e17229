"""The exercises of notebooks/01b_first_network.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]
LOGITS = np.array([2.0, 1.0, 0.0])
INPUTS, WEIGHTS = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.1, -0.4])
COUNTS, LOWER = np.array([0.0, 3.0, 1.0]), np.array([0.5, 0.3, 0.2])


@EXERCISES.add(
    "Three factors: the loss by the output, the output by the sum, the sum by a weight.",
    "For the sigmoid with this loss the first two factors together are p minus y.",
    "The sum changes with weight i as fast as input i is large.",
)
def neuron_gradient(answer: Answer) -> str | None:
    """Slope of the loss for each weight of one sigmoid neuron."""
    for y in (1, 0):
        p = 1 / (1 + np.exp(-INPUTS @ WEIGHTS))
        wanted = (p - y) * INPUTS
        found = np.asarray(answer(INPUTS, WEIGHTS, y), dtype=float)
        if found.shape != wanted.shape:
            return f"three weights have three slopes; yours have shape {found.shape}."
        if np.allclose(found, -wanted):
            return "each slope has the wrong sign: following it, the loss would rise."
        if np.allclose(found, (p - y) * WEIGHTS):
            return "the sum was differentiated by the inputs; the weights are what we change."
        if np.allclose(found, p * INPUTS) and y:
            return "the slopes are the same whatever came: y does not enter."
        if not np.allclose(found, wanted):
            return f"for y = {y} the slopes are {found.round(3).tolist()}: one of the three factors is off."
    return None


@EXERCISES.add(
    "Temperature acts on the logits, before anything is exponentiated.",
    "High temperature makes logits small and alike; which operation does that?",
    "Only differences of logits matter, so subtract the largest before taking the exponential.",
)
def soften(answer: Answer) -> str | None:
    """Softmax at a temperature, safe for large logits."""
    warm, cold = (np.asarray(answer(LOGITS, temperature), dtype=float) for temperature in (2.0, 0.5))
    if warm.shape != LOGITS.shape:
        return f"{len(LOGITS)} logits went in, an answer of shape {warm.shape} came back."
    if not np.isclose(warm.sum(), 1) or not np.isclose(cold.sum(), 1):
        return f"the probabilities add up to {warm.sum():.3f}: some pitch must come next."
    if warm.max() > cold.max():
        return "a higher temperature made the favourite more certain; it should make it less so."
    if not (np.allclose(warm, _softmax(LOGITS / 2)) and np.allclose(cold, _softmax(LOGITS * 2))):
        return "the temperature does too much or too little: at 2 and at 0.5 the shares are off."
    with np.errstate(all="ignore"):
        large = np.asarray(answer(LOGITS + 1000, 1.0), dtype=float)
    if not np.allclose(large, _softmax(LOGITS)):
        return "logits near 1000 came out wrong: the exponential is too large for the machine."
    return None


@EXERCISES.add(
    "Begin with a square of ones, the row for this pitch and the column for the next.",
    "Go through one tune at a time, so that no pair spans two.",
    "Divide each row by its own sum; keepdims=True keeps the shapes in line.",
)
def next_pitch_table(answer: Answer) -> str | None:
    """Table of p(next | this), counted from one up, tune by tune."""
    tunes = [[0, 2, 0, 2], [1, 0]]
    table = np.asarray(answer(tunes, 3), dtype=float)
    if table.shape != (3, 3):
        return f"three pitches want a table of 3 by 3, yours has shape {table.shape}."
    if (table <= 0).any():
        return "some step has probability 0: one tune that takes it, and the surprise is infinite."
    if not np.allclose(table.sum(axis=1), 1):
        other = (
            "the columns add up to 1, so this is what came before"
            if np.allclose(table.sum(axis=0), 1)
            else "rows do not"
        )
        return f"after each pitch something must come, so each row adds up to 1; here {other}."
    if np.isclose(table[2, 1], 2 / 5):
        return "you counted the step from the last note of one tune to the first of the next; no one sings that."
    if not np.allclose(table[0], [1 / 5, 1 / 5, 3 / 5]):
        return f"after pitch 0 came pitch 2, twice; your row for it says {table[0].round(2).tolist()}."
    if not np.allclose(table, [[0.2, 0.2, 0.6], [0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]):
        return "a row besides the first is off: look at which pitch stands for the row, and at the last tune."
    return None


@EXERCISES.add(
    "The shorter context takes part as if it had been seen m times.",
    "Add to each count m times the probability from the shorter context.",
    "Divide by the number of real counts and of the m imagined ones together.",
)
def back_off(answer: Answer) -> str | None:
    """Probabilities after a context, backed off to those of a shorter context."""
    found = np.asarray(answer(COUNTS, LOWER, 4), dtype=float)
    if found.shape != COUNTS.shape:
        return f"{len(COUNTS)} pitches went in, an answer of shape {found.shape} came back."
    if not np.isclose(found.sum(), 1):
        return f"the probabilities add up to {found.sum():.3f}: divide by all counts, the imagined ones too."
    unseen = np.asarray(answer(np.zeros(3), LOWER, 4), dtype=float)
    if not np.allclose(unseen, LOWER):
        return f"after a context never seen you say {unseen.round(2).tolist()}; only the shorter context can tell."
    if not np.allclose(found, (COUNTS + 4 * LOWER) / 8):
        return f"with m = 4 the shares are {found.round(3).tolist()}: the shorter context has the wrong weight."
    return None


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


check = Checks(EXERCISES)
