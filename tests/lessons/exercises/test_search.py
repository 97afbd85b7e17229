"""Each check of lesson 6 passes its reference and catches the named wrong answers."""

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.search import EXERCISES, check


def nce(table, temperature, how=np.mean):
    logits = table / temperature
    top = logits.max(axis=1)
    return how(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)) - np.diag(logits))


def recall(scores, relevant, k, out_of=lambda n, k: min(n, k)):
    return relevant[np.argsort(-scores)[:k]].sum() / out_of(relevant.sum(), k)


def best(scores, owners):
    return np.array([scores[owners == tune].max() for tune in np.unique(owners)])


def from_zero(scores, owners):
    found = np.zeros(owners.max() + 1)
    np.maximum.at(found, owners, scores)
    return found


REFERENCES = {
    "cosine": lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b),
    "reciprocal_rank": lambda scores, wanted: 1 / (scores >= scores[wanted]).sum(),
    "recall": recall,
    "nce": nce,
    "tfidf": lambda count, n, n_with: count * np.log(n / n_with),
    "best_window": best,
}
WRONG = {  # exercise: {mistake: (answer, part of the verdict)}
    "cosine": {
        "no lengths": (lambda a, b: a @ b, "different length"),
        "one length": (lambda a, b: a @ b / np.linalg.norm(a), "different length"),
        "always positive": (lambda a, b: abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b), "opposite"),
        "by the sums": (lambda a, b: a @ b / a.sum() / b.sum(), "opposite"),
    },
    "reciprocal_rank": {
        "from zero": (lambda s, w: 1 / max(1, (s > s[w]).sum()), "place 2"),
        "ties are won": (lambda s, w: 1 / (1 + (s > s[w]).sum()), "five equal"),
        "lowest first": (lambda s, w: 1 / (s <= s[w]).sum(), "place 1"),
        "the rank": (lambda s, w: (s >= s[w]).sum(), "place 2"),
    },
    "recall": {
        "precision": (lambda s, r, k: recall(s, r, k, lambda n, k: k), "a list of three"),
        "all relevant": (lambda s, r, k: recall(s, r, k, lambda n, k: n), "holds only two"),
        "worst first": (lambda s, r, k: recall(-s, r, k), "one of two"),
        "unsorted": (lambda s, r, k: r[:k].sum() / min(k, r.sum()), "you say"),
    },
    "nce": {
        "no temperature": (lambda t, tau: nce(t, 1.0), "temperature 0.1"),
        "multiplied": (lambda t, tau: nce(t * tau, 1.0), "temperature 0.1"),
        "wrong sign": (lambda t, tau: -nce(t, tau), "yours rises"),
        "sum": (lambda t, tau: nce(t, tau, np.sum), "sum over the three rows"),
        "others only": (
            lambda t, tau: np.mean(np.log((np.exp(t / tau) * (1 - np.eye(3))).sum(axis=1)) - np.diag(t) / tau),
            "wanted",
        ),
    },
    "tfidf": {
        "count alone": (lambda count, n, n_with: count, "in no other"),
        "rarity alone": (lambda count, n, n_with: np.log(n / n_with), "in no other"),
        "no logarithm": (lambda count, n, n_with: count * n / n_with, "in no other"),
        "upside down": (lambda count, n, n_with: count * np.log(n_with / n), "in no other"),
    },
    "best_window": {
        "mean": (lambda s, o: np.array([s[o == t].mean() for t in np.unique(o)]), "in order"),
        "last one": (lambda s, o: np.array([s[o == t][-1] for t in np.unique(o)]), "in order"),
        "begins at zero": (from_zero, "below zero"),
        "best of all": (lambda s, o: s.max(), "two tunes"),
    },
}
CASES = [(name, mistake, *entry) for name, mistakes in WRONG.items() for mistake, entry in mistakes.items()]


@pytest.mark.parametrize("name", REFERENCES)
def test_the_reference_is_right(name, capsys):
    getattr(Checks(EXERCISES), name)(REFERENCES[name])
    assert capsys.readouterr().out == f"{name}: right.\n"


@pytest.mark.parametrize(("name", "mistake", "answer", "words"), CASES, ids=[f"{n}: {m}" for n, m, *_ in CASES])
def test_a_named_wrong_answer_is_told_what_is_wrong(name, mistake, answer, words, capsys):
    getattr(Checks(EXERCISES), name)(answer)
    out = capsys.readouterr().out
    assert words in out
    assert "Hint 1: " in out


def test_every_exercise_has_a_reference_three_hints_and_three_to_five_wrong_answers():
    assert set(REFERENCES) == set(WRONG) == set(EXERCISES)
    assert all(3 <= len(mistakes) <= 5 for mistakes in WRONG.values())
    assert all(len(hints) == 3 for _, hints in EXERCISES.values())
    assert set(EXERCISES) <= set(dir(check))
