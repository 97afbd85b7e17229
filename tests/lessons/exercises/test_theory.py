"""Each check of the appendix on theory passes its reference and catches the named wrong answers."""

from collections import Counter

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.theory import EXERCISES, check


def d_loss(d_real, d_made):
    return -np.mean(np.log(d_real)) - np.mean(np.log(1 - d_made))


def kl(m1, s1, m2, s2):
    ratio = (s1 / s2) ** 2
    return 0.5 * (ratio + ((m1 - m2) / s2) ** 2 - 1 - np.log(ratio))


def mean_move(piece):
    moves = np.diff(piece.notes["pitch"].astype(int))
    return float(np.mean(np.abs(moves))) if len(moves) else float("nan")


def count_big_moves_by_hand(piece):
    pitches = piece.notes["pitch"].astype(int).tolist()
    before, moves = pitches[0], 0
    for pitch in pitches[1:]:
        moves += abs(pitch - before) > 4
        before = pitch
    return moves


RIGHT = {
    "discriminator_loss": d_loss,
    "gaussian_kl": kl,
    "my_metric": mean_move,
}
WRONG = [
    ("discriminator_loss", lambda r, m: -np.log(r).mean() + np.log(1 - m).mean(), "the loss is below zero"),
    ("discriminator_loss", lambda r, m: -np.log(r).mean() - np.log(m).mean(), "it rewards being fooled"),
    ("discriminator_loss", lambda r, m: -np.log(r).mean(), "does not care what D says to made pieces"),
    ("discriminator_loss", lambda r, m: d_loss(r, m) / np.log(2), "in bits"),
    ("discriminator_loss", lambda r, m: -np.log(r).sum() - np.log(1 - m).sum(), "two average surprises"),
    ("gaussian_kl", lambda a, b, c, d: kl(c, d, a, b), "the two curves changed places"),
    ("gaussian_kl", lambda a, b, c, d: 2 * kl(a, b, c, d), "a shift by one deviation gave 1.000 nats"),
    ("gaussian_kl", lambda a, b, c, d: kl(a, b**0.5, c, d**0.5), "twice as wide gave"),
    ("gaussian_kl", lambda a, b, c, d: kl(a, b, c, d) + 0.5, "two equal bell curves are 0.500 apart"),
    ("gaussian_kl", lambda a, b, c, d: kl(a / b * d, b, c / b * d, d), "shift and spread together"),
    ("my_metric", lambda piece: float(piece.notes["pitch"].mean()) if len(piece) else 0.0, "a fourth higher"),
    ("my_metric", lambda piece: len(set(piece.notes["pitch"].tolist())), "does not hear order"),
    ("my_metric", count_big_moves_by_hand, "a piece without notes stopped it with IndexError"),
    ("my_metric", lambda piece: np.random.default_rng().random(), "must not roll dice"),
    ("my_metric", lambda piece: piece.notes["pitch"].tolist(), "a metric is one number"),
    ("my_metric", lambda piece: float("nan"), "keep NaN for pieces that have nothing to measure"),
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
