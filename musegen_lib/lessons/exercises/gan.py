"""The exercises of lessons 02 and 02b: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]


@EXERCISES.add(
    "Of all the bars found at this point, which share is real?",
    "Two densities, one ratio: what stands above the line, and what below?",
    "Above the line the density of real music, below it the density of everything that is found there.",
)
def optimal_discriminator(answer: Answer) -> str | None:
    """What the best discriminator says where real music has density p and made music density q."""
    cases = (
        (0.3, 0.3, 0.5, "where both are equally likely"),
        (0.4, 0.0, 1.0, "where only real music is found"),
        (0.0, 0.2, 0.0, "where only made music is found"),
        (0.3, 0.1, 0.75, "where real music is three times as likely"),
        (0.05, 0.2, 0.2, "where made music is four times as likely"),
    )
    for p, q, wanted, what in cases:
        found = float(answer(p, q))
        if abs(found - wanted) > 1e-6:
            return f"{what} (p = {p}, q = {q}) the best answer is another than your {found:.3f}."
    return None


@EXERCISES.add(
    "Measure the distance of every point to every home first.",
    "A point belongs to its nearest home, and only if that is within 0.15.",
    "Count the points of each home; a home is found if it has at least 2 % of all points.",
)
def modes_found(answer: Answer) -> str | None:
    """How many of the homes a cloud of points visits, each with at least a share of the points."""
    homes = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0]])
    rng = np.random.default_rng(0)
    near = lambda rows, n: homes[rows] + 0.02 * rng.normal(size=(n, 2))  # noqa: E731
    cases = (
        (near(rng.integers(4, size=400), 400), 4, "a cloud at all four homes"),
        (near(np.zeros(400, dtype=int), 400), 1, "a cloud at one home"),
        (np.concatenate([near(np.zeros(396, dtype=int), 396), near(np.ones(4, dtype=int), 4)]), 1, "1 % at a second"),
        (np.full((400, 2), 5.0), 0, "a cloud far from every home"),
        (np.concatenate([near(np.zeros(200, dtype=int), 200), np.full((200, 2), 0.5)]), 1, "half of it between homes"),
    )
    for points, wanted, what in cases:
        found = answer(points.copy(), homes.copy())
        if found != wanted:
            return f"{what}: you find {found}. A home counts with 2 % of the points within 0.15 of it."
    return None


@EXERCISES.add(
    "Gumbel noise is made from a uniform number by two logarithms, each with a minus sign.",
    "Add the noise to the logits; the pick is where the sum is largest.",
    "The inner logarithm is of the uniform number itself; take argmax along the last axis.",
)
def gumbel_pick(answer: Answer) -> str | None:
    """Draw one index a row of logits by adding Gumbel noise made from uniform numbers."""
    logits = np.log(np.array([[0.7, 0.2, 0.1]]))
    uniform = np.random.default_rng(0).random((20_000, 3))
    found = np.asarray(answer(np.repeat(logits, 20_000, axis=0), uniform))
    if found.shape != (20_000,):
        return f"20,000 rows of logits want 20,000 picks, yours have the shape {found.shape}."
    shares = np.bincount(found.astype(int), minlength=3) / len(found)
    if np.abs(shares - [0.7, 0.2, 0.1]).max() > 0.02:
        return (
            f"tokens with probabilities 0.7, 0.2, 0.1 are picked with shares {', '.join(f'{s:.2f}' for s in shares)}."
        )
    certain = np.asarray(answer(np.array([[0.0, 50.0]]), np.array([[0.99, 0.01]])))
    return None if certain.tolist() == [1] else "a token that is all but certain is not the one you pick."


@EXERCISES.add(
    "Two bars are the same if every note has moved by the same number of semitones.",
    "Describe a bar so that its key drops out: what stays if all notes move together?",
    "Subtract the first note from all notes, and put the results into a set; scale its size to 1,000 bars.",
)
def distinct_bars(answer: Answer) -> str | None:
    """Different bars in 1,000, a transposed bar being the same."""
    cases = (
        ([[60, 62, 64]] * 10, 100.0, "ten times the same bar"),
        ([[60, 62, 64], [62, 64, 66], [67, 69, 71]], 1000 / 3, "one bar in three keys"),
        ([[60, 62, 64], [60, 64, 62]], 1000.0, "the same notes in another order"),
        ([[60, 62], [60, 62, 62]], 1000.0, "a bar with one more note"),
        ([[60, 72], [60, 48], [50, 62]], 2000 / 3, "an octave up, an octave down, and up again"),
    )
    for bars, wanted, what in cases:
        found = answer([list(bar) for bar in bars])
        if abs(found - wanted) > 1e-6:
            return f"{what}: your count is {found:.1f} in 1,000."
    return None


@EXERCISES.add(
    "psi moves first, against theta; theta is still the old one then.",
    "theta answers with the psi that has just moved, not with the old one.",
    "Two lines that follow each other: subtract rate times theta from psi, then add rate times psi to theta.",
)
def alternating_step(answer: Answer) -> str | None:
    """One round of the smallest GAN, the discriminator's number first."""
    cases = (
        ((1.0, 0.0, 0.1), (0.99, -0.1), "from the start"),
        ((0.0, 1.0, 0.1), (0.1, 1.0), "with theta at the goal"),
        ((2.0, 1.0, 0.5), (2.0, 0.0), "with a large step"),
        ((0.0, 0.0, 0.3), (0.0, 0.0), "at the goal"),
    )
    for given, wanted, what in cases:
        theta, psi = (float(number) for number in answer(*given))
        if abs(theta - wanted[0]) + abs(psi - wanted[1]) > 1e-9:
            return f"{what} (theta, psi, rate = {given}) you return ({theta:.3f}, {psi:.3f})."
    return None


@EXERCISES.add(
    "The two designs were trained from the same seeds, so each seed gives one difference.",
    "The standard error of a mean of n differences is their standard deviation, divided by the root of n.",
    "Use ddof=1 in the standard deviation: three differences, two degrees of freedom.",
)
def paired_difference(answer: Answer) -> str | None:
    """Mean difference of two designs, seed by seed, and its standard error."""
    cases = (
        (([0.9, 0.8, 0.7], [0.8, 0.7, 0.6]), (0.1, 0.0), "a design that is worse by the same in each seed"),
        (([0.9, 0.8], [0.8, 0.9]), (0.0, 0.1), "a design that is worse in one seed and better in the other"),
        (([0.5, 0.7, 0.9], [0.5, 0.5, 0.5]), (0.2, 0.2 / 3**0.5), "three seeds that differ"),
    )
    for (design, shipped), wanted, what in cases:
        mean, error = (float(number) for number in answer(np.array(design), np.array(shipped)))
        if abs(mean - wanted[0]) > 1e-9:
            return f"{what}: the mean difference (design minus shipped) is another than your {mean:.3f}."
        if abs(error - wanted[1]) > 1e-9:
            return f"{what}: the standard error is another than your {error:.3f}."
    return None


@EXERCISES.add(
    "The middle of the shape belongs to the interval 0, the place before it to one semitone down.",
    "A pitch that lies d semitones above the heard one gets the liking at place 24 + d.",
    "Intervals wider than two octaves get the liking at the nearer end: np.clip keeps d from -24 to 24.",
)
def slide_liking(answer: Answer) -> str | None:
    """Scores of 52 pitches when one of them is heard, from one shape of liking over 49 intervals."""
    third, ramp = np.zeros(49), np.arange(49.0)
    third[24 + 4] = 1.0
    cases = (
        (third, 20, np.eye(52)[24], "a shape that likes the major third above, heard at place 20"),
        (third, 3, np.eye(52)[7], "the same shape, heard at place 3"),
        (third, 50, np.zeros(52), "the same shape, heard so high that the third lies off the table"),
        (ramp, 0, np.minimum(np.arange(52) + 24, 48), "a rising shape, heard at the lowest pitch"),
    )
    for shape, heard, wanted, what in cases:
        found = np.asarray(answer(shape.copy(), heard), dtype=float)
        if found.shape != (52,):
            return f"52 pitches want 52 scores, yours have the shape {found.shape}."
        if np.abs(found - wanted).max() > 1e-9:
            place = int(np.abs(found - wanted).argmax())
            return f"{what}: pitch {place} gets {found[place]:.1f} and not {wanted[place]:.1f}."
    return None


@EXERCISES.add(
    "Compare the two arrays place by place: which steps differ?",
    "Average over bars and steps, and keep the voices apart.",
    "A mean over axis=(0, 1) of the places that differ leaves one number per voice.",
)
def changed_share(answer: Answer) -> str | None:
    """Share of steps on which each voice does something else after a change."""
    before = np.zeros((2, 4, 3), dtype=int)
    one, half, all_but = before.copy(), before.copy(), before.copy()
    one[0, 0, 0] = 5
    half[:, ::2, 1] = 7
    all_but[:, :, 1:] = 9
    cases = (
        (before, [0, 0, 0], "nothing changed"),
        (one, [1 / 8, 0, 0], "one step of the first voice"),
        (half, [0, 1 / 2, 0], "every other step of the second voice"),
        (all_but, [0, 1, 1], "all steps of two voices"),
    )
    for after, wanted, what in cases:
        found = np.asarray(answer(before.copy(), after), dtype=float)
        if found.shape != (3,):
            return f"three voices want three shares, yours have the shape {found.shape}."
        if np.abs(found - wanted).max() > 1e-9:
            return f"{what}: your shares are {', '.join(f'{share:.3f}' for share in found)}."
    return None


check = Checks(EXERCISES)
