"""Each check of lesson 6b passes its reference and catches the named wrong answers."""

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.recommend import EXERCISES, check


def recall(ranked, wanted, k):
    return len(set(ranked[:k]) & wanted) / min(k, len(wanted))


def last(items, times):
    order = np.argsort(times, kind="stable")
    return [items[i] for i in order][-max(1, round(0.2 * len(items))) :]


def one_pass(pairs, n):
    users, items = [u for u, _ in pairs], [i for _, i in pairs]
    return {(u, i) for u, i in pairs if users.count(u) >= n and items.count(i) >= n}


def core(pairs, n):
    while one_pass(pairs, n) != pairs:
        pairs = one_pass(pairs, n)
    return pairs


def ease(x, l2, axis=1, diagonal=True, gram=lambda x: x.T @ x):
    inverse = np.linalg.inv(gram(x) + l2 * np.eye(len(gram(x))))
    weights = inverse / -np.expand_dims(np.diag(inverse), 1 - axis)
    if diagonal:
        np.fill_diagonal(weights, 0)
    return weights


def nll(logits, heard):
    shifted = logits - logits.max()
    return -((shifted - np.log(np.exp(shifted).sum())) * heard).sum()


def logistic(logits, heard):
    return (np.logaddexp(0, logits) - heard * logits).sum()


REFERENCES = {
    "truncated_recall": recall,
    "hold_out_last": last,
    "core": core,
    "ease_weights": ease,
    "multinomial_nll": nll,
    "coverage": lambda lists, n: len({item for row in lists for item in row}) / n,
}
WRONG = {
    "truncated_recall": {
        "out of all wanted": (lambda r, w, k: len(set(r[:k]) & w) / len(w), "three wanted tunes"),
        "precision": (lambda r, w, k: len(set(r[:k]) & w) / k, "all in the list"),
        "hit or miss": (lambda r, w, k: float(bool(set(r[:k]) & w)), "one of two"),
    },
    "hold_out_last": {
        "order of the file": (lambda items, times: items[-max(1, round(0.2 * len(items))) :], "upside down"),
        "the first": (lambda items, times: last(items, [-t for t in times]), "five plays in order"),
        "none of two": (lambda items, times: last(items, times) if len(items) > 2 else [], "two plays"),
    },
    "core": {
        "one pass": (one_pass, "a chain"),
        "users only": (lambda p, n: {(u, i) for u, i in p if sum(u == v for v, _ in p) >= n}, "a chain"),
        "nothing": (lambda p, n: p, "a user with one item"),
    },
    "ease_weights": {
        "rows": (lambda x, l2: ease(x, l2, axis=0), "divide each row"),
        "diagonal left": (lambda x, l2: ease(x, l2, diagonal=False), "predicts itself"),
        "users by users": (lambda x, l2: ease(x, l2, gram=lambda x: x @ x.T), "3 by 3"),
        "no l2": (lambda x, l2: ease(x, 1e-3), "first tune to the second"),
    },
    "multinomial_nll": {
        "logistic": (logistic, "a net that knows nothing"),
        "mean": (lambda logits, heard: nll(logits, heard) / heard.sum(), "two tunes heard"),
        "no softmax": (lambda logits, heard: -(logits * heard).sum(), "two tunes heard"),
    },
    "coverage": {
        "counts twice": (lambda lists, n: sum(map(len, lists)) / n, "the same list"),
        "a number": (lambda lists, n: len({i for row in lists for i in row}), "the same list"),
        "first list": (lambda lists, n: len(lists[0]) / n, "different lists"),
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
