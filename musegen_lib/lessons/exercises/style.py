"""The exercises of notebooks/05_style_transfer.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]

PENTATONIC = (0, 2, 4, 7, 9)


@EXERCISES.add(
    "A note is its onset and its pitch, both.",
    "Divide by the notes there were, not by those there are.",
    "Sets make it short: a & b holds what is in both.",
)
def share_kept(answer: Answer) -> str | None:
    """Share of the notes (onset, pitch) before that still stand after."""
    cases = (
        ([(0, 60), (4, 62)], [(0, 60), (4, 64)], 0.5, "one of two notes moved"),
        ([(0, 60), (4, 62)], [(0, 60), (5, 62)], 0.5, "one of two notes struck a step later"),
        ([(0, 60), (4, 60)], [(0, 60)], 0.5, "one of two equal pitches left out"),
        ([(0, 60)], [(0, 60), (1, 62), (2, 64)], 1.0, "the note kept and two put in"),
        ([(0, 60), (4, 62)], [(0, 72), (4, 74)], 0.0, "all an octave higher"),
    )
    for before, after, wanted, what in cases:
        found = float(answer(list(before), list(after)))
        if not np.isclose(found, wanted):
            return f"{what}: {wanted:g} of the notes before are kept, you say {found:g}."
    return None


@EXERCISES.add(
    "Count each style by itself first.",
    "A classifier that always says the same is right on one style and wrong on the other.",
    "The mean of the shares weighs each style the same, however many tunes it has.",
)
def fair_accuracy(answer: Answer) -> str | None:
    """Mean over the styles of the share of its tunes that is classified rightly."""
    cases = (
        ("ccgg", "ccgg", 1.0, "all right"),
        ("ccccccccgg", "cccccccccc", 0.5, "a classifier that always says c, with eight c and two g"),
        ("cccg", "cgcg", 5 / 6, "one of three c wrong, the only g right"),
        ("ccgg", "ggcc", 0.0, "all wrong"),
    )
    for true, said, wanted, what in cases:
        found = float(answer(np.array(list(true)), np.array(list(said))))
        if not np.isclose(found, wanted):
            return f"{what}: balanced accuracy is {wanted:.3f}, yours {found:.3f}."
    return None


@EXERCISES.add(
    "A pitch class is the pitch modulo 12.",
    "Look at the pitch itself, then a semitone away, then two.",
    "Going outwards, try the upper one first; the farthest a pitch can be from a scale is six semitones.",
)
def snap(answer: Answer) -> str | None:
    """The nearest pitch whose pitch class is in the scale; of two the upper."""
    cases = (
        (64, 64, "a pitch of the scale"),
        (65, 64, "a semitone above the scale's E"),
        (66, 67, "a semitone below the scale's G"),
        (70, 69, "B flat, with A below and C above"),
        (71, 72, "B, with C just above"),
        (59, 60, "B below middle C"),
    )
    for pitch, wanted, what in cases:
        found = int(answer(pitch, PENTATONIC))
        if found != wanted:
            return f"{what}: pitch {pitch} snaps to {wanted}, yours to {found}."
    sharp = int(answer(61, (0, 2)))
    if sharp != 62:
        return f"61 lies between 60 and 62, equally far; the upper is wanted, yours is {sharp}."
    far = int(answer(65, (0,)))
    return None if far == 60 else f"with C alone in the scale, 65 snaps to 60, five semitones off; yours to {far}."


@EXERCISES.add(
    "Of the 25 symbols at each interval only the one that is sung counts.",
    "log_probs[:, np.arange(n), symbols] picks it for both styles at once.",
    "Take the mean over the intervals; the lead is the larger mean less the smaller.",
)
def sung_by(answer: Answer) -> str | None:
    """Which of two styles finds a melody likelier, and by how many nats an interval."""
    rng = np.random.default_rng(0)
    symbols = np.array([12, 14, 10, 13])
    log_probs = np.log(rng.dirichlet(np.ones(25), size=(2, 4)))  # (styles, intervals, symbols)
    flat = np.log(np.full((2, 4, 25), 1 / 25))
    for style in (0, 1):
        case = flat.copy()
        case[style] = log_probs[style]
        case[style, np.arange(4), symbols] = np.log((0.5, 0.5, 0.5, 0.01))
        wanted = float((case[style] - case[1 - style])[np.arange(4), symbols].mean())
        found, lead = answer(case, symbols.copy())
        if int(found) != style:
            return f"style {style} finds the melody likelier as a whole; you say style {int(found)}."
        if not np.isclose(float(lead), wanted):
            return f"style {style} leads by {wanted:.3f} nats an interval; you say {float(lead):.3f}."
    return None


@EXERCISES.add(
    "What counts is not the score after a move but what the move adds to it.",
    "Take column 0, staying put, away from each row.",
    "np.unravel_index turns the place of the largest entry into row and column.",
)
def best_move(answer: Answer) -> str | None:
    """Which note to move, and how: most gain of log p(target) - w log p(source) over staying put (column 0)."""
    rng = np.random.default_rng(0)
    target, source = rng.normal(size=(6, 5)), rng.normal(size=(6, 5))
    target[2] += 9  # a note that is likely however it moves, and gains nothing by it
    for weight in (0.0, 0.5, 1.0):
        score = target - weight * source
        gain = score - score[:, :1]
        wanted = tuple(int(i) for i in np.unravel_index(gain.argmax(), gain.shape))
        found = answer(target.copy(), source.copy(), weight)
        if found is None or tuple(int(i) for i in found) != wanted:
            return f"weight {weight:g}: note {wanted[0]}, move {wanted[1]} gains most; you chose {found}."
    nothing = answer(np.array([[0.0, -1.0], [2.0, 1.0]]), np.zeros((2, 2)), 0.3)
    return None if nothing is None else f"where no move gains anything, return None; you returned {nothing}."


@EXERCISES.add(
    "Order the notes by gain, the largest first.",
    "The budget is a whole number: int(amount * len(gains)).",
    "A note whose gain is not above 0 stays, even if the budget is not used up.",
)
def within_budget(answer: Answer) -> str | None:
    """The notes to change: those with most gain above 0, at most the share `amount` of them."""
    cases = (
        ([3.0, 1.0, 2.0, 4.0], 0.5, {0, 3}, "half of four notes"),
        ([3.0, 1.0, 2.0, 4.0], 0.45, {3}, "0.45 of four notes is less than two"),
        ([3.0, -1.0, -2.0, -4.0], 1.0, {0}, "only one note gains"),
        ([3.0, 1.0], 0.0, set(), "nothing may change"),
    )
    for gains, amount, wanted, what in cases:
        found = {int(i) for i in answer(np.array(gains), amount)}
        if found != wanted:
            return f"{what}, gains {gains}: change notes {sorted(wanted)}; you change {sorted(found)}."
    return None


@EXERCISES.add(
    "The cosine is the product of the vectors over the product of their lengths.",
    "It must not change when one piece is played five times as long.",
    "Silence has length 0: answer before you divide.",
)
def chroma_cosine(answer: Answer) -> str | None:
    """Cosine between the sounding times of twelve pitch classes; 0 where one is silent."""
    one, two = np.eye(12)[0], np.eye(12)[7]
    cases = (
        (one, 5 * one, 1.0, "the same pitch class, five times as long"),
        (one, two, 0.0, "two different pitch classes"),
        (one + two, one, np.sqrt(0.5), "one of two pitch classes shared"),
        (np.zeros(12), one, 0.0, "silence and a note"),
    )
    for a, b, wanted, what in cases:
        found = float(answer(a.copy(), b.copy()))
        if not np.isclose(found, wanted):
            return f"{what}: the cosine is {wanted:.3f}, yours {found:.3f}."
    return None


@EXERCISES.add(
    "A classifier that says 0.1 is 90 % sure of the other style.",
    "How sure: the larger of p and 1 - p. How right: whether p is on the true side of one half.",
    "Both are means over the tunes; subtract the second.",
)
def overconfidence(answer: Answer) -> str | None:
    """How sure a classifier is on average of the answer it gives, less how often it is right."""
    cases = (
        ([0.9, 0.9, 0.1, 0.1], [1, 0, 0, 1], 0.4, "90 % sure and right half of the time"),
        ([1.0, 0.0], [1, 0], 0.0, "quite sure and right"),
        ([0.6, 0.6, 0.4], [1, 1, 0], -0.4, "60 % sure and always right"),
    )
    for prob, true, wanted, what in cases:
        found = float(answer(np.array(prob), np.array(true)))
        if not np.isclose(found, wanted):
            return f"{what}: sureness less rightness is {wanted:g}, yours {found:g}."
    return None


check = Checks(EXERCISES)
