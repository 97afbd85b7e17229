"""Each check of the lesson on a first network passes its reference and catches the named wrong answers."""

from collections import Counter

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.first_network import EXERCISES, check


def softmax(logits, temperature):
    scaled = np.asarray(logits) / temperature
    weights = np.exp(scaled - scaled.max())
    return weights / weights.sum()


def naive_softmax(logits, temperature):
    weights = np.exp(np.asarray(logits) / temperature)
    return weights / weights.sum()


def cooled_afterwards(logits, temperature):
    weights = softmax(logits, 1.0) / temperature
    return weights / weights.sum()


def counts(tunes, n, start=1):
    table = np.full((n, n), float(start))
    for tune in tunes:
        np.add.at(table, (tune[:-1], tune[1:]), 1)
    return table


def rows(table):
    return table / np.maximum(table.sum(axis=1, keepdims=True), 1e-9)


def gradient(x, w, y):
    return (1 / (1 + np.exp(-x @ w)) - y) * x


def backed_off(counts, shorter, m):
    return (counts + m * shorter) / (counts.sum() + m)


RIGHT = {
    "neuron_gradient": gradient,
    "soften": softmax,
    "next_pitch_table": lambda tunes, n: rows(counts(tunes, n)),
    "back_off": backed_off,
}
WRONG = [
    ("soften", lambda x, t: softmax(x, 1 / t), "a higher temperature made the favourite more certain"),
    ("soften", lambda x, t: np.exp(x / t), "the probabilities add up to"),
    ("soften", cooled_afterwards, "does too much or too little"),
    ("soften", naive_softmax, "logits near 1000 came out wrong"),
    ("soften", lambda x, t: 1.0, "an answer of shape ()"),
    ("next_pitch_table", lambda t, n: counts(t, n), "each row adds up to 1; here rows do not"),
    ("next_pitch_table", lambda t, n: rows(counts(t, n, 0)), "has probability 0"),
    ("next_pitch_table", lambda t, n: rows(counts([[p for tune in t for p in tune]], n)), "no one sings that"),
    ("next_pitch_table", lambda t, n: rows(counts(t, n).T), "your row for it says"),
    ("next_pitch_table", lambda t, n: rows(counts(t, n).T).T, "this is what came before"),
    ("next_pitch_table", lambda t, n: rows(counts(t[:1], n)), "a row besides the first is off"),
    ("next_pitch_table", lambda t, n: np.ones(n) / n, "has shape (3,)"),
    ("neuron_gradient", lambda x, w, y: -gradient(x, w, y), "the wrong sign"),
    ("neuron_gradient", lambda x, w, y: (1 / (1 + np.exp(-x @ w)) - y) * w, "differentiated by the inputs"),
    ("neuron_gradient", lambda x, w, y: gradient(x, w, 0), "y does not enter"),
    ("neuron_gradient", lambda x, w, y: gradient(x, w, y).sum(), "shape ()"),
    ("neuron_gradient", lambda x, w, y: 2 * gradient(x, w, y), "one of the three factors is off"),
    ("back_off", lambda c, s, m: (c + m * s) / c.sum(), "the imagined ones too"),
    ("back_off", lambda c, s, m: (c + 1) / (c + 1).sum(), "only the shorter context can tell"),
    ("back_off", lambda c, s, m: (c + 2 * m * s) / (c.sum() + 2 * m), "has the wrong weight"),
    ("back_off", lambda c, s, m: 1.0, "shape ()"),
]


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_the_reference_answer_is_right(name, capsys):
    getattr(Checks(EXERCISES), name)(RIGHT[name])
    assert capsys.readouterr().out == f"{name}: right.\n"


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_a_named_wrong_answer_is_told_what_is_wrong(name, answer, words, capsys):
    getattr(Checks(EXERCISES), name)(answer)
    out = capsys.readouterr().out
    assert words in out
    assert "Hint 1: " in out


def test_every_check_has_three_wrong_answers_at_least():
    assert min(Counter(name for name, *_ in WRONG)[name] for name in EXERCISES) >= 3


def test_a_lesson_finds_its_own_checks_and_no_others():
    assert set(dir(check)) == set(EXERCISES)
