"""Each check of lesson 4 passes its reference and catches the named wrong answers."""

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.rnn import EXERCISES, check


def has_memory(net, melody):
    orders = [melody[:-1][::-1], *(melody[i:-1] + melody[:i] for i in range(1, len(melody) - 1))]
    return any(net(order + melody[-1:]) != net(melody) for order in orders)


def shuffles_in_place(net, melody):
    before = net(melody)
    melody[:-1] = melody[:-1][::-1]
    return net(melody) != before


def period(melody, times=3, longest_first=False):
    sizes = range(1, len(melody) // times + 1)
    for p in reversed(sizes) if longest_first else sizes:
        end = melody[-p * times :]
        if all(end[i] == end[i % p] for i in range(len(end))):
            return p
    return 0


def fifths(upper, lower, interval=lambda a, b: (a - b) % 12, same=True, rests=True, hold=False):
    count = 0
    for a, b, c, d in zip(upper, lower, upper[1:], lower[1:]):
        if rests and not (a and b and c and d):
            continue
        moves = hold or (c != a and (not same or (c > a) == (d > b)))
        count += bool(moves and interval(a, b) == 7 and interval(c, d) == 7)
    return count


def late(taken, lasts, ahead, slack=0):
    return int((np.cumsum(taken) > lasts * (ahead + np.arange(len(taken))) + slack).sum())


def echo(inputs, w, u, start=0.0, inside=True):
    h, states = start, []
    for x in inputs:
        h = np.tanh(w * x + u * h) if inside else w * x + u * h
        states.append(h)
    return states


def countdown(ends, n_beats, none=-1, strict=False):
    later = [[end - beat for end in ends if end > beat - (not strict)] for beat in range(n_beats)]
    return [left[0] if left else none for left in later]


def follow(form, bars):
    named, fresh = {}, iter(bars)
    for letter in form:
        if letter not in named:
            named[letter] = next(fresh)
    return [named[letter] for letter in form]


def empties(form, bars):
    named = {}
    for letter in form:
        if letter not in named:
            named[letter] = bars.pop(0)
    return [named[letter] for letter in form]


REFERENCES = {
    "echo": echo,
    "follow_form": follow,
    "beats_to_end": countdown,
    "has_memory": has_memory,
    "loop_period": period,
    "parallel_fifths": fifths,
    "count_late": late,
}
WRONG = {  # exercise: {mistake: (answer, part of the verdict)}
    "echo": {
        "no tanh": (lambda xs, w, u: echo(xs, w, u, inside=False), "the worked number"),
        "no memory": (lambda xs, w, u: [np.tanh(w * x) for x in xs], "the worked number"),
        "only the last": (lambda xs, w, u: echo(xs, w, u)[-1:], "3 states wanted"),
        "the start, too": (lambda xs, w, u: [0.0, *echo(xs, w, u)], "you return 4"),
    },
    "beats_to_end": {
        "never zero": (lambda ends, n: countdown(ends, n, strict=True), "one phrase of four beats"),
        "zero at the end": (lambda ends, n: countdown(ends, n, none=0), "two beats after the last end"),
        "the last end only": (lambda ends, n: countdown(ends[-1:], n), "two phrases"),
        "since the last end": (lambda ends, n: list(range(n)), "one phrase of four beats"),
    },
    "follow_form": {
        "by the alphabet": (lambda form, bars: [bars[ord(x) - 65] for x in form if ord(x) - 65 < len(bars)], "XAX"),
        "always new": (lambda form, bars: list(bars[: len(form)]), "ABAC"),
        "empties the list": (empties, "has changed"),
        "all the bars": (lambda form, bars: follow(form, bars) + bars[len(set(form)) :], "AB with"),
    },
    "has_memory": {
        "always yes": (lambda net, melody: True, "looks at the last note only has no memory"),
        "always no": (lambda net, melody: False, "last two notes has memory"),
        "moves the last note": (lambda net, melody: net(melody[::-1]) != net(melody), "last note only has no memory"),
        "shuffles the original": (shuffles_in_place, "shuffle a copy"),
    },
    "loop_period": {
        "twice is enough": (lambda melody: period(melody, times=2), "do re mi, twice"),
        "the longest": (lambda melody: period(melody[-6:], 3, longest_first=True), "three times"),
        "from the front": (
            lambda melody: period(melody[::-1]) if melody[0] == melody[-1] else 0,
            "do re mi, three times",
        ),
        "never": (lambda melody: 0, "do re mi, three times"),
    },
    "parallel_fifths": {
        "no octaves": (lambda u, d: fifths(u, d, interval=lambda a, b: a - b), "a twelfth"),
        "held ones, too": (lambda u, d: fifths(u, d, hold=True), "only held"),
        "any direction": (lambda u, d: fifths(u, d, same=False), "the voices cross"),
        "rests are skipped over": (
            lambda u, d: fifths([p for p in u if p], [p for p in d if p]),
            "a rest in between",
        ),
        "either voice above": (lambda u, d: fifths(u, d, lambda a, b: abs(a - b) % 12, same=False), "contrary motion"),
    },
    "count_late": {
        "no waiting line": (lambda taken, lasts, ahead: sum(t > lasts for t in taken), "late"),
        "the clock waits for the first": (
            lambda taken, lasts, ahead: int((np.cumsum(taken) > taken[0] + lasts * np.arange(len(taken))).sum()),
            "for which there was time",
        ),
        "nothing ahead": (lambda taken, lasts, ahead: late(taken, lasts, 1), "3 ahead"),
        "ready in time is late": (lambda taken, lasts, ahead: late(taken, lasts, ahead, slack=-1), "very moment"),
    },
}
CASES = [(name, mistake) for name, mistakes in WRONG.items() for mistake in mistakes]


def test_every_exercise_has_a_reference_and_at_least_three_wrong_answers():
    assert EXERCISES.keys() == REFERENCES.keys() == WRONG.keys()
    assert all(len(mistakes) >= 3 for mistakes in WRONG.values())


@pytest.mark.parametrize("name", REFERENCES)
def test_the_reference_is_right(name, capsys):
    getattr(Checks(EXERCISES), name)(REFERENCES[name])
    assert capsys.readouterr().out == f"{name}: right.\n"


@pytest.mark.parametrize(("name", "mistake"), CASES, ids=[f"{name}: {mistake}" for name, mistake in CASES])
def test_a_wrong_answer_is_told_what_is_wrong(name, mistake, capsys):
    answer, verdict = WRONG[name][mistake]
    getattr(Checks(EXERCISES), name)(answer)
    said = capsys.readouterr().out
    assert said.startswith(f"{name}: not yet: ")
    assert verdict in said
    assert EXERCISES[name][1][0] in said


def test_the_lesson_finds_its_checks():
    assert set(EXERCISES) <= set(dir(check))
