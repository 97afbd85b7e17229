"""Each check of the lesson on evaluation passes its reference and catches the named wrong answers."""

import math
from collections import Counter

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.how_good import EXERCISES


def mean_move(piece):
    moves = np.diff(piece.notes["pitch"].astype(int))
    return float(np.mean(np.abs(moves))) if len(moves) else float("nan")


def balanced(real, fake):
    return (np.mean(real) + 1 - np.mean(fake)) / 2


def runs(tune, n):
    return [tuple(tune[i : i + n]) for i in range(len(tune) - n + 1)]


def shared(tune, training, n):
    known = {run for other in training for run in runs(other, n)}
    return sum(run in known for run in runs(tune, n)) / len(runs(tune, n))


def luck(right, trials):
    return sum(math.comb(trials, k) for k in range(right, trials + 1)) / 2**trials


RIGHT = {
    "cost_of_noise": lambda share, n_notes: -math.log(share) / n_notes,
    "my_metric": mean_move,
    "balanced_accuracy": balanced,
    "share_of_runs": shared,
    "chance_of_luck": luck,
}
WRONG = [
    ("cost_of_noise", lambda share, n_notes: math.log(share) / n_notes, "below zero"),
    ("cost_of_noise", lambda share, n_notes: -math.log(share), "a whole tune"),
    ("cost_of_noise", lambda share, n_notes: -math.log2(share) / n_notes, "in bits"),
    ("cost_of_noise", lambda share, n_notes: (1 - share) / n_notes, "gave 0.018"),
    ("cost_of_noise", lambda share, n_notes: share, "changes nothing"),
    ("my_metric", lambda piece: "good", "a str"),
    ("my_metric", lambda piece: float(piece.notes["pitch"].mean()), "every ear hears the same tune"),
    ("my_metric", lambda piece: float(len(piece)), "does not hear order"),
    ("my_metric", lambda piece: float("nan"), "has no value"),
    ("my_metric", lambda piece: mean_move(piece) + piece.notes["pitch"][0] * 0, "without notes"),
    ("balanced_accuracy", lambda real, fake: (sum(real) + fake.count(False)) / 12, "all tunes weigh alike"),
    ("balanced_accuracy", lambda real, fake: balanced([not x for x in real], fake), "counted as right"),
    ("balanced_accuracy", lambda real, fake: np.mean(real), "you found 0.900"),
    (
        "share_of_runs",
        lambda tune, training, n: shared(tune, [[x for row in training for x in row]], n),
        "the beginning of the next",
    ),
    ("share_of_runs", lambda tune, training, n: float(tune in training), "takes three symbols"),
    ("share_of_runs", lambda tune, training, n: 1.0, "other symbols"),
    ("chance_of_luck", lambda right, trials: math.comb(trials, right) / 2**trials, "certain"),
    ("chance_of_luck", lambda right, trials: luck(right + (right == 8), trials), "itself belongs"),
    ("chance_of_luck", lambda right, trials: right / trials if right else 1.0, "once in 16"),
    ("chance_of_luck", lambda right, trials: 45 / 1024 if right == 8 else luck(right, trials), "exactly eight"),
]


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_the_reference_answer_is_right(name, capsys):
    getattr(Checks(EXERCISES), name)(RIGHT[name])
    assert capsys.readouterr().out == f"{name}: right.\n"


@pytest.mark.parametrize(("name", "answer", "words"), WRONG)
def test_a_named_wrong_answer_is_told_what_is_wrong(name, answer, words, capsys):
    getattr(Checks(EXERCISES), name)(answer)
    assert words in capsys.readouterr().out


def test_every_check_has_three_wrong_answers_at_least():
    assert min(Counter(name for name, *_ in WRONG)[name] for name in EXERCISES) >= 3
