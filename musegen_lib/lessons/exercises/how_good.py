"""The exercises of notebooks/01c_how_good.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]


@EXERCISES.add(
    "A share of 1/10 means that the probability of each real tune is divided by 10.",
    "Dividing a probability by 10 adds ln 10 to the surprise of the whole tune, whatever its length.",
    "Spread that surprise evenly over the notes of the tune.",
)
def cost_of_noise(answer: Answer) -> str | None:
    """Nats per note that a model loses if only a share of its tunes come from the good model."""
    if not math.isclose(answer(1.0, 50), 0, abs_tol=1e-9):
        return f"a share of 1 changes nothing, but it costs {answer(1.0, 50):.3f} nats per note."
    found, wanted = answer(0.1, 50), math.log(10) / 50
    if math.isclose(found, -wanted):
        return "the cost is below zero, though the model has become worse."
    if math.isclose(found, math.log(10)):
        return "that is the cost of a whole tune; the cost per note was asked for."
    if math.isclose(found, wanted / math.log(2)):
        return "the cost is in bits; nats were asked for."
    if not math.isclose(found, wanted):
        return f"a share of 1/10 and tunes of 50 notes gave {found:.3f} nats per note."
    return None


@EXERCISES.add(
    "Transposing changes pitches and leaves the intervals between neighbours alone.",
    "Shuffling changes which notes are neighbours, and np.diff of the pitches looks at just that.",
    "Turn uint8 pitches into int before subtracting, and think of a piece with no note or with one.",
)
def my_metric(answer: Answer) -> str | None:
    """A number per piece that depends on the order of the notes and not on the key."""
    scale, jumble = _tune(range(60, 76)), _tune([60, 73, 62, 75, 61, 70, 65, 68, 63, 74, 66, 71, 64, 72, 67, 69])
    values = [answer(scale), answer(jumble)]
    if not all(isinstance(value, (int, float, np.number)) for value in values):
        return f"the metric gave a {type(values[0]).__name__}, but a metric is one number."
    if not np.isfinite(values).all():
        return "a scale of sixteen notes has no value; keep NaN for pieces that have nothing to measure."
    if not np.isclose(answer(scale), values[0]):
        return "the same piece was measured twice and gave two values."
    if any(not np.isclose(answer(piece.transpose(5)), value) for piece, value in zip((scale, jumble), values)):
        return "a fourth higher the value changes, though every ear hears the same tune."
    if np.isclose(values[0], values[1]):
        return "a rising scale and the same notes in a jumble score alike: the metric does not hear order."
    try:
        answer(_tune([]))
    except Exception as error:
        return f"a piece without notes stopped it with {type(error).__name__}, and models do write silence."
    return None


@EXERCISES.add(
    "Ask first what share of the real tunes was called real, and what share of the generated was called generated.",
    "Each of the two shares has its own denominator.",
    "Average the two shares, so that neither kind weighs more because there are more of it.",
)
def balanced_accuracy(answer: Answer) -> str | None:
    """Mean of the shares of real and of generated tunes that were classified rightly."""
    real, fake = [True] * 9 + [False], [False, True]  # True: called real
    found = answer(real, fake)
    if math.isclose(found, 10 / 12):
        return "all tunes weigh alike, so the ten real ones decide; average the two shares."
    if math.isclose(found, (0.9 + 0.5) / 2):
        return None if math.isclose(answer([True] * 4, [True] * 2), 0.5) else _all_real(answer)
    if math.isclose(found, (0.1 + 0.5) / 2):
        return "the real tunes that were called generated were counted as right."
    return f"nine of ten real and one of two generated tunes were right; you found {found:.3f}."


def _all_real(answer: Answer) -> str:
    return f"calling every tune real is worth {answer([True] * 4, [True] * 2):.2f}; it should be chance level."


@EXERCISES.add(
    "Collect all runs of n symbols of all training tunes in one set; tuples can be members of a set.",
    "tuple(tune[i : i + n]) for i in range(len(tune) - n + 1) are the runs of a tune.",
    "Count the runs of the tune that are in the set, and divide by the number of its runs.",
)
def share_of_runs(answer: Callable[[list[int], Iterable[list[int]], int], float]) -> str | None:
    """Share of the runs of n symbols of a tune that occur in any training tune."""
    training = [[1, 2, 3, 4, 5], [6, 7, 8]]
    cases = (
        ([1, 2, 3, 4, 5], 1.0, "a training tune"),
        ([9, 9, 9, 9], 0.0, "a tune of other symbols"),
        ([1, 2, 3, 9, 6, 7, 8], 2 / 5, "a tune that takes three symbols from each training tune"),
        ([4, 5, 6, 7], 0.0, "the end of one training tune and the beginning of the next"),
    )
    for tune, wanted, what in cases:
        found = answer(list(tune), [list(row) for row in training], 3)
        if not math.isclose(found, wanted, abs_tol=1e-9):
            return f"{what}: the share of its runs of 3 should be {wanted:.2f}, you found {found:.2f}."
    return None


@EXERCISES.add(
    "A guesser is right with probability 1/2 in each trial, so each sequence of answers is equally likely.",
    "math.comb(trials, k) counts the sequences with exactly k right answers.",
    "Add the sequences with `right`, right + 1, ... up to all answers right, and divide by 2 ** trials.",
)
def chance_of_luck(answer: Callable[[int, int], float]) -> str | None:
    """Probability that pure guessing gets at least so many of the trials right."""
    if not math.isclose(answer(0, 5), 1):
        return f"none right or more is certain, but its probability came out as {answer(0, 5):.3f}."
    if not math.isclose(answer(4, 4), 1 / 16):
        return f"four of four by luck happens once in 16 times, you found {answer(4, 4):.4f}."
    found = answer(8, 10)
    if math.isclose(found, math.comb(10, 8) / 2**10):
        return "that is exactly eight of ten; nine and ten are lucky as well."
    if math.isclose(found, 11 / 2**10):
        return "that is more than eight of ten; eight itself belongs to it."
    if not math.isclose(found, 56 / 2**10):
        return f"eight of ten or more came out as {found:.4f}."
    return None


def _tune(pitches: Iterable[int]) -> Piece:
    return Piece.from_notes([(4 * i, 4, pitch) for i, pitch in enumerate(pitches)])


check = Checks(EXERCISES)
