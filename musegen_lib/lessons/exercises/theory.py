"""The exercises of notebooks/appendix_theory.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]
D_REAL, D_MADE = np.array([0.9, 0.8]), np.array([0.3, 0.1, 0.2])


@EXERCISES.add(
    "D is surprised twice: by real pieces it doubts and by made pieces it believes.",
    "The probability D gives to 'made' is one minus its answer; a surprise is minus a logarithm.",
    "Average each of the two surprises over its own pieces, then add; both carry a minus.",
)
def discriminator_loss(answer: Answer) -> str | None:
    """-E log D(x) - E log(1 - D(G(z))), in nats."""
    found, wanted = float(answer(D_REAL, D_MADE)), _loss(D_REAL, D_MADE)
    if np.isclose(found, wanted, atol=1e-6):
        return None
    if np.isnan(found):
        return "the loss is not a number: the logarithm was taken of something below zero."
    if found < 0:
        return "the loss is below zero, but it is made of surprises, and no surprise is negative."
    if np.isclose(found, wanted / np.log(2)):
        return "the loss is in bits; nats were asked for."
    if np.isclose(float(answer(D_REAL, 1 - D_MADE)), found):
        return "the loss does not care what D says to made pieces."
    if float(answer(D_REAL, D_MADE + 0.3)) < found:
        return "the loss falls when D believes a fake more: it rewards being fooled."
    return f"a D that is mostly right scored {found:.3f} nats: not the sum of the two average surprises."


@EXERCISES.add(
    "Write down the average, under the first curve, of the difference of the two log-densities.",
    "Three parts: the ratio of variances, the shift in deviations of the second curve, a logarithm.",
    "With the second curve standard it must turn into the closed form of the lesson; mind the half.",
)
def gaussian_kl(answer: Answer) -> str | None:
    """KL divergence of two normal distributions, in nats."""
    if not np.isclose(answer(1.0, 2.0, 1.0, 2.0), 0):
        return f"two equal bell curves are {answer(1.0, 2.0, 1.0, 2.0):.3f} apart; nothing is lost between equals."
    shift = answer(1.0, 1.0, 0.0, 1.0)
    if not np.isclose(shift, 0.5):
        return f"a shift by one deviation gave {shift:.3f} nats; it costs something else."
    wide, narrow = answer(0.0, 2.0, 0.0, 1.0), answer(0.0, 1.0, 0.0, 2.0)
    if np.isclose(wide, 0.5 * (0.25 - 1 + np.log(4))) and np.isclose(narrow, 0.5 * (4 - 1 - np.log(4))):
        return "the two curves changed places: KL is not symmetric, and the first one is the truth."
    if not np.isclose(wide, 0.5 * (4 - 1 - np.log(4))):
        return f"a curve twice as wide gave {wide:.3f} nats: look at how the two spreads enter."
    if not np.isclose(answer(3.0, 1.0, 0.0, 2.0), 0.5 * (0.25 + 2.25 - 1 + np.log(4))):
        return "shift and spread together go wrong: a shift counts in deviations of the second curve."
    return None


@EXERCISES.add(
    "Transposing changes pitches and leaves the intervals between neighbours alone.",
    "Shuffling changes which notes are neighbours; np.diff of the pitches looks at just that.",
    "Turn uint8 pitches into int before subtracting, and think of a piece with no or one note.",
)
def my_metric(answer: Answer) -> str | None:
    """A number a piece: hears order, does not hear the key."""
    scale, jumble = _tune(range(60, 76)), _tune([60, 73, 62, 75, 61, 70, 65, 68, 63, 74, 66, 71, 64, 72, 67, 69])
    values = [answer(scale), answer(jumble)]
    if not all(isinstance(value, (int, float, np.number)) for value in values):
        return f"the metric gave a {type(values[0]).__name__}, but a metric is one number."
    if not np.isfinite(values).all():
        return "a scale of sixteen notes has no value; keep NaN for pieces that have nothing to measure."
    if not np.isclose(answer(scale), values[0]):
        return "the same piece was measured twice and gave two values; a ruler must not roll dice."
    if any(not np.isclose(answer(piece.transpose(5)), value) for piece, value in zip((scale, jumble), values)):
        return "a fourth higher the value changes, though every ear hears the same tune."
    if np.isclose(values[0], values[1]):
        return "a rising scale and the same notes in a jumble score alike: the metric does not hear order."
    try:
        answer(_tune([]))
    except Exception as error:
        return f"a piece without notes stopped it with {type(error).__name__}; models do write silence."
    return None


def _tune(pitches) -> Piece:
    return Piece.from_notes([(4 * i, 4, pitch) for i, pitch in enumerate(pitches)])


def _loss(d_real: np.ndarray, d_made: np.ndarray) -> float:
    return float(-np.log(d_real).mean() - np.log(1 - d_made).mean())


check = Checks(EXERCISES)
