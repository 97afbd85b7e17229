"""Each check of the theory lesson passes its reference and catches the named wrong answers."""

from collections import Counter

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.theory import EXERCISES, check


def transpose(events, semitones):
    return [(pitch + semitones if pitch else 0, duration) for pitch, duration in events]


def transpose_in_place(events, semitones):
    events[:] = transpose(events, semitones)
    return events


def d_loss(d_real, d_made):
    return -np.mean(np.log(d_real)) - np.mean(np.log(1 - d_made))


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


def kl(m1, s1, m2, s2):
    ratio = (s1 / s2) ** 2
    return 0.5 * (ratio + ((m1 - m2) / s2) ** 2 - 1 - np.log(ratio))


def counts(tunes, n, start=1):
    table = np.full((n, n), float(start))
    for tune in tunes:
        np.add.at(table, (tune[:-1], tune[1:]), 1)
    return table


def rows(table):
    return table / np.maximum(table.sum(axis=1, keepdims=True), 1e-9)


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
    "transpose_events": transpose,
    "bar_of_step": lambda step, width, pickup: (step - pickup) // width + 1,
    "discriminator_loss": d_loss,
    "soften": softmax,
    "gaussian_kl": kl,
    "next_pitch_table": lambda tunes, n: rows(counts(tunes, n)),
    "my_metric": mean_move,
}
WRONG = [
    ("transpose_events", lambda e, k: [(p + k, d) for p, d in e], "event 2 was a rest, and now something sounds"),
    ("transpose_events", lambda e, k: [(p + k if p else 0, d + k) for p, d in e], "the rhythm changed"),
    ("transpose_events", lambda e, k: transpose([row for row in e if row[0]], k), "4 events went in, 3 came back"),
    ("transpose_events", transpose_in_place, "leave the original"),
    ("transpose_events", lambda e, k: transpose(e, -k), "event 1, a G, moved by -3 semitones"),
    ("transpose_events", lambda e, k: transpose(e, abs(k)), "an octave down it goes wrong"),
    ("bar_of_step", lambda s, w, p: s // w, "without pickup (step 0) came out in bar 0"),
    ("bar_of_step", lambda s, w, p: s // w + 1, "first step of a pickup (step 0) came out in bar 1"),
    ("bar_of_step", lambda s, w, p: s // 16 + 1, "second bar of 3/4 (step 12) came out in bar 1"),
    ("bar_of_step", lambda s, w, p: int((s - p) / w) + 1, "first step of a pickup (step 0) came out in bar 1"),
    ("bar_of_step", lambda s, w, p: (s - p) / w + 1, "came out in bar 1.9375"),
    ("discriminator_loss", lambda r, m: -np.log(r).mean() + np.log(1 - m).mean(), "the loss is below zero"),
    ("discriminator_loss", lambda r, m: -np.log(r).mean() - np.log(m).mean(), "it rewards being fooled"),
    ("discriminator_loss", lambda r, m: -np.log(r).mean(), "does not care what D says to made pieces"),
    ("discriminator_loss", lambda r, m: d_loss(r, m) / np.log(2), "in bits"),
    ("discriminator_loss", lambda r, m: -np.log(r).sum() - np.log(1 - m).sum(), "two average surprises"),
    ("soften", lambda x, t: softmax(x, 1 / t), "a higher temperature made the favourite more certain"),
    ("soften", lambda x, t: np.exp(x / t), "the probabilities add up to"),
    ("soften", cooled_afterwards, "does too much or too little"),
    ("soften", naive_softmax, "logits near 1000 came out wrong"),
    ("soften", lambda x, t: 1.0, "an answer of shape ()"),
    ("gaussian_kl", lambda a, b, c, d: kl(c, d, a, b), "the two curves changed places"),
    ("gaussian_kl", lambda a, b, c, d: 2 * kl(a, b, c, d), "a shift by one deviation gave 1.000 nats"),
    ("gaussian_kl", lambda a, b, c, d: kl(a, b**0.5, c, d**0.5), "twice as wide gave"),
    ("gaussian_kl", lambda a, b, c, d: kl(a, b, c, d) + 0.5, "two equal bell curves are 0.500 apart"),
    ("gaussian_kl", lambda a, b, c, d: kl(a / b * d, b, c / b * d, d), "shift and spread together"),
    ("next_pitch_table", lambda t, n: counts(t, n), "each row adds up to 1; here rows do not"),
    ("next_pitch_table", lambda t, n: rows(counts(t, n, 0)), "has probability 0"),
    ("next_pitch_table", lambda t, n: rows(counts([[p for tune in t for p in tune]], n)), "no one sings that"),
    ("next_pitch_table", lambda t, n: rows(counts(t, n).T), "your row for it says"),
    ("next_pitch_table", lambda t, n: rows(counts(t, n).T).T, "this is what came before"),
    ("next_pitch_table", lambda t, n: rows(counts(t[:1], n)), "a row besides the first is off"),
    ("next_pitch_table", lambda t, n: np.ones(n) / n, "has shape (3,)"),
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


def test_the_lesson_finds_its_checks():
    assert set(EXERCISES) <= set(dir(check))
