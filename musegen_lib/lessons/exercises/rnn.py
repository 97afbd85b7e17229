"""The exercises of lessons 04 and 04b: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]
MELODY = [60, 64, 67, 72, 71, 65]


@EXERCISES.add(
    "The state starts at 0, and each new state needs the one before.",
    "One line a step: tanh of w times the input plus u times the old state.",
    "Keep h in a variable, replace it in a loop over the inputs, and append each h to a list.",
)
def echo(answer: Answer) -> str | None:
    """States of one recurrent neuron h = tanh(w x + u h), from h = 0."""
    cases = (
        ([1, 0, 0], 1.0, 0.5, [0.7616, 0.3634, 0.1797], "the worked number: inputs 1, 0, 0, w = 1, u = 0.5"),
        ([1, 1], 1.0, 0.0, [0.7616, 0.7616], "u = 0, which remembers nothing"),
        ([0, 2, 0], 0.5, -1.0, [0.0, 0.7616, -0.6420], "a negative u"),
        ([], 1.0, 1.0, [], "no inputs"),
    )
    for inputs, w, u, wanted, what in cases:
        found = [float(h) for h in answer(list(inputs), w, u)]
        if len(found) != len(wanted):
            return f"{what}: {len(wanted)} states wanted, you return {len(found)}."
        if not np.allclose(found, wanted, atol=1e-3):
            return f"{what}: the states are {wanted}, you return {[round(h, 4) for h in found]}."
    return None


@EXERCISES.add(
    "A dictionary from letters to bars remembers what each letter stands for.",
    "Go through the letters; take the next new bar only where the letter is not in the dictionary yet.",
    "iter(new_bars) and next(...) hand out the new bars in order.",
)
def follow_form(answer: Answer) -> str | None:
    """Bars of a tune in a form of letters: a new letter takes the next new bar, an old one repeats its own."""
    cases = (
        ("ABAC", ["do", "re", "mi"], ["do", "re", "do", "mi"]),
        ("AABB", ["do", "re"], ["do", "do", "re", "re"]),
        ("AB", ["do", "re", "mi"], ["do", "re"]),
        ("XAX", ["do", "re"], ["do", "re", "do"]),
        ("ABCB", ["do", "do", "mi"], ["do", "do", "mi", "do"]),
        ("", ["do"], []),
    )
    for form, bars, wanted in cases:
        given = list(bars)
        found = list(answer(form, given))
        if given != bars:
            return f"{form!r}: the list of new bars that was handed in has changed."
        if found != wanted:
            return f"{form or 'no letters'} with {bars}: wanted {wanted}, you return {found}."
    return None


@EXERCISES.add(
    "On a beat where a phrase ends, 0 beats are left.",
    "For each beat look at the ends that are not before it; the first of them counts.",
    "Where no such end is left, return -1.",
)
def beats_to_end(answer: Answer) -> str | None:
    """Beats left to the next phrase end, for each beat; -1 after the last."""
    cases = (
        ([3], 4, [3, 2, 1, 0], "one phrase of four beats"),
        ([1, 4], 5, [1, 0, 2, 1, 0], "two phrases"),
        ([0, 2], 5, [0, 1, 0, -1, -1], "two beats after the last end"),
        ([], 2, [-1, -1], "no end at all"),
    )
    for ends, n_beats, wanted, what in cases:
        found = [int(left) for left in answer(list(ends), n_beats)]
        if found != wanted:
            return f"{what}, ends {ends}: the countdown is {wanted}, you return {found}."
    return None


@EXERCISES.add(
    "If only the last note counts, the notes before it may stand in any order.",
    "Keep the last note where it is and put the others in another order; what does the net say now?",
    "One other order can agree by chance: try the reverse and a few more, and ask if any answer differs.",
)
def has_memory(answer: Answer) -> str | None:
    """Whether a guess for what follows depends on the order of what came before the last note."""
    nets = (
        (lambda melody: melody[-1] % 7, False, "a net that looks at the last note only"),
        (lambda melody: melody[-2] * 100 + melody[-1], True, "a net that looks at the last two notes"),
        (lambda melody: sum(i * pitch for i, pitch in enumerate(melody)), True, "a net that reads the whole melody"),
        (lambda melody: 5, False, "a net that always says the same"),
    )
    for net, remembers, what in nets:
        melody = list(MELODY)
        found = answer(net, melody)
        if melody != MELODY:
            return "the melody that was handed in came back in another order; shuffle a copy."
        if bool(found) != remembers:
            return f"{what} {'has' if remembers else 'has no'} memory, and you say it {'has' if found else 'has none'}."
    return None


@EXERCISES.add(
    "A sixteenth is ready when it and all before it are drawn: add the times up.",
    "The clock starts when the first is asked for: number i is due `lasts` times (ahead + i) later.",
    "np.cumsum for when each is ready, lasts * (ahead + np.arange(n)) for when it is due; compare.",
)
def count_late(answer: Answer) -> str | None:
    """How many sixteenths come late if they are drawn one by one and the first is due after a head start."""
    cases = (
        ([10] * 8, 125, 1, 0, "a net that takes 10 ms a sixteenth"),
        ([10, 10, 300, 10, 10], 125, 1, 0, "one slow sixteenth, for which there was time"),
        ([10, 10, 500, 10, 10], 125, 1, 2, "one slow sixteenth, after which the net catches up"),
        ([10, 10, 500, 10, 10], 125, 3, 0, "the same with a longer head start"),
        ([400, 100, 100, 100], 125, 1, 4, "a slow first sixteenth, from which the net does not recover"),
        ([130] * 8, 125, 1, 8, "a net that is always a little too slow"),
        ([125] * 8, 125, 1, 0, "a net that is ready in the very moment"),
        ([10] * 4, 125, 0, 1, "no head start at all"),
    )
    for taken, lasts, ahead, wanted, what in cases:
        found = answer(list(taken), lasts, ahead)
        if found != wanted:
            return f"{what}, {lasts} ms a sixteenth, {ahead} ahead: {wanted} are late, you count {found}."
    return None


@EXERCISES.add(
    "A loop of period p: the last p notes equal the p before them, and those equal the p before.",
    "Look at the end of the melody only; how it began does not matter.",
    "Try the periods 1, 2, 3, ... in turn, as long as three of them fit into the melody.",
)
def loop_period(answer: Answer) -> str | None:
    """Shortest period with which the end of a melody has come at least three times; 0 if there is none."""
    cases = (
        ([60, 62, 64, 60, 62, 64, 60, 62, 64], 3, "do re mi, three times"),
        ([67, 65, 60, 60, 60, 60], 1, "a tune stuck on one note"),
        ([60, 62, 64, 60, 62, 64], 0, "do re mi, twice"),
        ([60, 62, 60, 62, 60, 62, 65], 0, "a loop that the tune has left"),
        ([48, 50, 60, 62, 60, 62, 60, 62], 2, "a loop after a beginning of its own"),
        ([60, 60, 62, 60, 60, 62, 60, 60, 62], 3, "a loop with a repeated note in it"),
        ([60], 0, "a single note"),
    )
    for melody, period, what in cases:
        found = answer(list(melody))
        if found != period:
            return f"{what} ({melody}): the period is {period or 'none, so 0'}, you say {found!r}."
    return None


@EXERCISES.add(
    "A fifth is 7 semitones, and with an octave more it is still a fifth.",
    "Both voices must move, in the same direction, and be a fifth apart before and after.",
    "Upper minus lower, modulo 12, with the upper voice above; and leave out steps where a voice rests.",
)
def parallel_fifths(answer: Answer) -> str | None:
    """Count moves of two voices in parallel perfect fifths; pitches step by step, 0 a rest."""
    cases = (
        ([67, 69], [60, 62], 1, "both voices a step up, a fifth apart"),
        ([67, 67], [60, 60], 0, "a fifth that is only held"),
        ([67, 69], [60, 60], 0, "a fifth that opens to a sixth"),
        ([79, 81], [60, 62], 1, "a twelfth, which is a fifth and an octave"),
        ([67, 62], [60, 67], 0, "a fifth after which the voices cross"),
        ([67, 0, 69], [60, 0, 62], 0, "two fifths with a rest in between"),
        ([67, 69, 71], [60, 62, 64], 2, "three fifths in a row"),
        ([67, 74], [60, 55], 0, "fifths by contrary motion"),
    )
    for upper, lower, wanted, what in cases:
        found = answer(list(upper), list(lower))
        if found != wanted:
            return f"{what}: {wanted} parallel, you count {found!r}."
    return None


check = Checks(EXERCISES)
