"""The exercises of notebooks/04_rnn.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]
MELODY = [60, 64, 67, 72, 71, 65]


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
    "The length is taken over all tensors together, like one long arrow.",
    "The square root of the sum of all squares is the length; too long means longer than the limit.",
    "Multiply every tensor by the same factor, limit divided by length, and never by more than one.",
)
def clip_gradient(answer: Answer) -> str | None:
    """Shorten a list of gradients to a length in common; keep the direction."""
    cases = (
        ([np.array([3.0, 4.0])], 1.0, [np.array([0.6, 0.8])], "a gradient of length 5"),
        (
            [np.array([3.0]), np.array([0.0, 4.0])],
            1.0,
            [np.array([0.6]), np.array([0.0, 0.8])],
            "two tensors, together 5",
        ),
        ([np.array([0.3, 0.4])], 1.0, [np.array([0.3, 0.4])], "a gradient that is short enough"),
        ([np.array([-30.0, 40.0])], 10.0, [np.array([-6.0, 8.0])], "a gradient of length 50, limit 10"),
    )
    for given, limit, wanted, what in cases:
        found = [np.asarray(part, dtype=float) for part in answer([part.copy() for part in given], limit)]
        if [part.shape for part in found] != [part.shape for part in wanted]:
            return f"{what}: the shapes changed."
        length = np.sqrt(sum((part**2).sum() for part in found))
        if not all(np.allclose(a, b, atol=1e-6) for a, b in zip(found, wanted)):
            return f"{what}: clipped to {limit:g} it has length {length:.2f} and points elsewhere, or it is too long."
    return None


@EXERCISES.add(
    "How many milliseconds does a beat last at this tempo, and how many sixteenths are in it?",
    "The mean hides late steps, the maximum is one bad moment; the 99th percentile is asked for.",
    "np.percentile with 99, compared with 60,000 divided by the tempo and by four.",
)
def in_time(answer: Answer) -> str | None:
    """Whether the 99th percentile of the times (ms) leaves a sixteenth at a tempo in time."""
    slow_once = [5.0] * 995 + [500.0] * 5  # half a per cent is late
    slow_often = [5.0] * 950 + [500.0] * 50
    cases = (
        ([100.0] * 200, 120, True, "100 ms a sixteenth at 120 beats a minute, where one lasts 125 ms"),
        ([100.0] * 200, 160, False, "100 ms a sixteenth at 160 beats a minute, where one lasts 94 ms"),
        (slow_once, 120, True, "five late steps in a thousand"),
        (slow_often, 120, False, "fifty late steps in a thousand"),
        ([130.0] * 200, 60, True, "130 ms a sixteenth at 60 beats a minute, where one lasts 250 ms"),
    )
    for times, tempo, wanted, what in cases:
        if bool(answer(times, tempo)) != wanted:
            return f"{what}: that {'is' if wanted else 'is not'} in time."
    return None


@EXERCISES.add(
    "A sixteenth is ready when it and all before it are drawn: add the times up.",
    "The first one sounds when `ahead` of them are ready; from then on one is due every `lasts` milliseconds.",
    "np.cumsum for when each is ready, the start plus lasts times 0, 1, 2, ... for when it is due; compare.",
)
def count_late(answer: Answer) -> str | None:
    """How many sixteenths come late, if they are drawn one by one and some of them before the first sounds."""
    cases = (
        ([10] * 8, 125, 1, 0, "a net that takes 10 ms a sixteenth"),
        ([10, 10, 300, 10, 10], 125, 1, 1, "one slow sixteenth, after which the net catches up"),
        ([10, 400, 100, 100, 100, 10], 125, 1, 5, "a slow sixteenth that makes all after it late"),
        ([10, 10, 300, 10, 10], 125, 3, 0, "the same, with three sixteenths drawn ahead"),
        ([130] * 8, 125, 1, 7, "a net that is always a little too slow"),
        ([125] * 8, 125, 1, 0, "a net that is ready in the very moment"),
        ([400, 100, 100, 100], 125, 1, 0, "a slow first sixteenth, for which everything waits"),
        ([130] * 4, 125, 9, 0, "more drawn ahead than there are"),
    )
    for taken, lasts, ahead, wanted, what in cases:
        found = answer(list(taken), lasts, ahead)
        if found != wanted:
            return f"{what}, {lasts} ms a sixteenth, {ahead} ahead: you count {found} late."
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


@EXERCISES.add(
    "Two conditions, both must hold: the range, and the leap.",
    "np.arange(128) gives all pitches; a comparison turns it into truth values.",
    "Where nothing sounded before (0), there is no leap to measure.",
)
def singable(answer: Answer) -> str | None:
    """Mask of pitches 0 to 127 that a voice may strike: in its range, and at most an octave from its last pitch."""
    cases = (
        (60, 55, 72, range(55, 73)),
        (70, 57, 81, range(58, 82)),
        (0, 40, 50, range(40, 51)),
        (57, 57, 81, range(57, 70)),
    )
    for last, low, high, wanted in cases:
        mask = np.asarray(answer(last, low, high))
        where = f"after pitch {last or 'none'}, range {low} to {high}"
        if mask.shape != (128,) or mask.dtype != bool:
            return f"{where}: wanted 128 truth values, got {mask.dtype} of shape {mask.shape}."
        missing, extra = (
            sorted(set(wanted) - set(np.flatnonzero(mask))),
            sorted(set(np.flatnonzero(mask)) - set(wanted)),
        )
        if missing:
            return f"{where}: pitch {missing[0]} can be sung and is forbidden."
        if extra:
            return f"{where}: pitch {extra[0]} is allowed and cannot be sung."
    return None


check = Checks(EXERCISES)
