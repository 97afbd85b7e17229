"""The exercises of notebooks/03_vae.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]


@EXERCISES.add(
    "Each row of the output belongs to one piece: the cut runs through every row.",
    "First half of the last axis: means. Second half: logarithms of variances.",
    "A deviation is exp(0.5 * log-variance).",
)
def split_code(answer: Answer) -> str | None:
    """Cut the encoder's output in two: means and deviations."""
    for n_pieces in (3, 2):
        raw = np.random.default_rng(n_pieces).normal(size=(n_pieces, 8))
        mean, deviation = (np.asarray(part, dtype=float) for part in answer(raw.copy()))
        where = f"a batch of {n_pieces} pieces with 8 numbers each"
        if mean.shape != (n_pieces, 4) or deviation.shape != (n_pieces, 4):
            return f"{where}: wanted two arrays of shape ({n_pieces}, 4), got {mean.shape} and {deviation.shape}."
        if (deviation <= 0).any():
            return f"{where}: a deviation of {deviation.min():.2f}; how wide is a bell curve of negative width?"
        if not np.allclose(mean, raw[:, :4]):
            return f"{where}: the means are not the first half of each piece's numbers."
        if np.allclose(deviation, np.exp(raw[:, 4:])):
            return f"{where}: these are variances; the deviation is the square root."
        if not np.allclose(deviation, np.exp(0.5 * raw[:, 4:])):
            return f"{where}: the deviations do not come from the log-variances in the second half."
    return None


@EXERCISES.add(
    "Before the end of the warm-up the weight is a share of beta.",
    "The share is step / warm-up, and never more than one.",
    "Without a warm-up nothing is to be divided by.",
)
def kl_weight(answer: Answer) -> str | None:
    """Weight of the KL term at a step: a line from 0, then flat."""
    cases = (
        (0, 100, 0.5, 0.0, "at the first step"),
        (50, 100, 0.5, 0.25, "half-way through the warm-up"),
        (100, 100, 0.5, 0.5, "when the warm-up ends"),
        (900, 100, 0.5, 0.5, "long after the warm-up"),
        (7, 0, 0.2, 0.2, "without any warm-up"),
    )
    for step, warmup, beta, wanted, when in cases:
        found = answer(step, warmup, beta)
        if not np.isclose(found, wanted):
            return f"{when} (step {step}, warm-up {warmup}, beta {beta:g}) the weight is {wanted:g}, yours {found:g}."
    return None


@EXERCISES.add(
    "Average over pieces first, then look at each unit.",
    "A unit below the allowance is charged the allowance, whatever it uses.",
    "np.maximum compares two numbers place by place; add up what it gives.",
)
def free_bits(answer: Answer) -> str | None:
    """The KL that is charged when each unit may use some nats for nothing."""
    cases = (
        ([[0.0, 3.0], [0.0, 1.0]], 0.5, 2.5, "one idle unit and one that uses 2 nats on average"),
        ([[0.2, 0.2]], 0.5, 1.0, "two units below the allowance"),
        ([[0.0, 2.0], [2.0, 0.0]], 0.5, 2.0, "two units that share the work between two pieces"),
        ([[4.0, 1.0, 0.0]], 0.0, 5.0, "no allowance"),
    )
    for kl, free, wanted, what in cases:
        found = float(answer(np.array(kl), free))
        if not np.isclose(found, wanted):
            return f"{what}, allowance {free:g}: {wanted:g} nats are charged, you charge {found:g}."
    return None


@EXERCISES.add(
    "A unit in use says different things of different pieces.",
    "How far a column spreads over its rows is its variance.",
    "Count the columns whose variance is above 0.01.",
)
def active_units(answer: Answer) -> str | None:
    """Count the units whose mean moves from piece to piece."""
    move = np.linspace(-1, 1, 50)
    cases = (
        (np.stack([move, 0 * move], axis=1), 1, "one unit that moves and one that stands still"),
        (np.stack([move, 0 * move + 3], axis=1), 1, "a unit that stands still, far from zero"),
        (np.stack([0.05 * move, move], axis=1), 1, "a unit that hardly moves"),
        (np.stack([move, -move, 2 * move], axis=1), 3, "three units that move"),
    )
    for means, wanted, what in cases:
        found = answer(means.copy())
        if found != wanted:
            return f"{what}: {wanted} in use, you count {found}."
    return None


@EXERCISES.add(
    "Only the steps at which the true melody strikes a note count.",
    "Tokens 0 and 1 are hold and rest; a struck note has a larger one.",
    "Choose those steps in both arrays with one mask, then compare.",
)
def onset_accuracy(answer: Answer) -> str | None:
    """Share of struck notes given back at their step with their pitch; 0 is hold, 1 is rest."""
    truth = np.array([14, 0, 0, 0, 16, 0, 1, 1])
    cases = (
        (truth, 1.0, "everything given back"),
        (np.zeros(8, dtype=int), 0.0, "always hold"),
        (np.array([14, 0, 0, 0, 18, 0, 1, 1]), 0.5, "one of two notes with a wrong pitch"),
        (np.array([14, 0, 0, 0, 0, 16, 1, 1]), 0.5, "one of two notes a step too late"),
        (np.array([14, 20, 21, 22, 16, 23, 24, 25]), 1.0, "all notes there, and wrong ones between them"),
    )
    for written, wanted, what in cases:
        found = float(answer(written.copy(), truth.copy()))
        if not np.isclose(found, wanted):
            return f"{what}: {wanted:g} of the struck notes are right, you say {found:g}."
    return None


@EXERCISES.add(
    "The mean is taken of the weights, the logarithm of the mean.",
    "Take the largest logarithm out before you raise e to anything.",
    "log mean exp(l) = m + log mean exp(l - m) for any m; choose m well.",
)
def weighted_bound(answer: Answer) -> str | None:
    """Log of the mean of weights that are given as logarithms."""
    cases = (
        ([np.log(0.2), np.log(0.4)], np.log(0.3), "weights 0.2 and 0.4"),
        ([-3.0], -3.0, "a single weight"),
        ([-2000.0, -2000.0], -2000.0, "two weights far too small for a float"),
        ([-1500.0, -1400.0], -1400.0 - np.log(2), "a weight that counts and one that does not"),
    )
    for logs, wanted, what in cases:
        found = float(answer(np.array(logs)))
        if not np.isfinite(found):
            return f"{what}: the result is {found}; the weights ran out of digits before the logarithm."
        if np.isclose(found, np.mean(logs)) and not np.isclose(wanted, np.mean(logs)):
            return f"{what}: that is the mean of the logarithms, which is the ELBO again."
        if not np.isclose(found, wanted):
            return f"{what}: wanted {wanted:.4f}, got {found:.4f}."
    return None


@EXERCISES.add(
    "Think of directions and lengths apart.",
    "A direction turns along an arc: sin((1-t) w) a + sin(t w) b, over sin(w), for unit vectors at angle w.",
    "The length goes from one to the other in a line.",
)
def path(answer: Answer) -> str | None:
    """n codes from a to b that keep their distance from the origin, both ends counted."""
    a, b = np.array([3.0, 0.0]), np.array([0.0, 3.0])
    found = np.asarray(answer(a.copy(), b.copy(), 5), dtype=float)
    if found.shape != (5, 2):
        return f"five codes of two numbers have shape (5, 2), yours {found.shape}."
    if not (np.allclose(found[0], a) and np.allclose(found[-1], b)):
        return "the path does not begin at the first tune and end at the second."
    lengths = np.linalg.norm(found, axis=1)
    if not np.allclose(lengths, 3):
        return f"half-way the code is {lengths[2]:.2f} from the origin, the ends are 3: you cut through the middle."
    if not np.allclose(found[2], 3 / np.sqrt(2)):
        return "the middle of the path does not lie half-way between the ends."
    longer = np.asarray(answer(a, 2 * b, 3), dtype=float)
    if not np.isclose(np.linalg.norm(longer[1]), 4.5):
        return f"from length 3 to length 6 the middle has length 4.5, yours {np.linalg.norm(longer[1]):.2f}."
    return None


@EXERCISES.add(
    "Sort the pieces by the attribute, and keep codes and values together.",
    "Two means of codes: of the top quarter and of the bottom quarter.",
    "np.quantile gives the borders of the quarters.",
)
def direction(answer: Answer) -> str | None:
    """Difference of mean codes between the quarter that has most of an attribute and the quarter that has least."""
    values = np.arange(16.0)
    codes = np.stack([values, np.tile([1.0, -1.0], 8), np.full(16, 7.0)], axis=1)
    order = np.random.default_rng(0).permutation(16)
    found = np.asarray(answer(codes[order], values[order]), dtype=float)
    if found.shape != (3,):
        return f"codes have three numbers, so the direction has three; yours has shape {found.shape}."
    if np.allclose(found, -np.array([12.0, 0, 0])):
        return "it points from much to little; a step along it takes the attribute away."
    if found[2] != 0:
        return f"the third number is 7 in every code and moves by {found[2]:.2f}: no difference was taken."
    if not np.allclose(found, [12.0, 0.0, 0.0]):
        return f"wanted the gap between the quarters, 12 in the first number; yours is {found.round(2).tolist()}."
    return None


check = Checks(EXERCISES)
