"""Each check of lesson 3 passes its reference and catches the named wrong answers."""

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.vae import EXERCISES, check


def split(raw, cut=None, width=lambda log_variance: np.exp(0.5 * log_variance)):
    half = raw.shape[1] // 2
    first, second = (raw[:, :half], raw[:, half:]) if cut is None else cut(raw)
    return first, width(second)


def weight(step, warmup, beta):
    return beta * min(1, step / warmup) if warmup else beta


def quarters(codes, values, share=0.25):
    high, low = values >= np.quantile(values, 1 - share), values <= np.quantile(values, share)
    return codes[high].mean(axis=0) - codes[low].mean(axis=0)


def arc(a, b, n, lengths=True, ends=(0, 1)):
    la, lb = np.linalg.norm(a), np.linalg.norm(b)
    w = np.arccos(a @ b / la / lb)
    shares = np.linspace(*ends, n)
    turned = [(np.sin((1 - t) * w) * a / la + np.sin(t * w) * b / lb) / np.sin(w) for t in shares]
    return np.stack([u * ((1 - t) * la + t * lb if lengths else la) for u, t in zip(turned, shares)])


def log_mean(logs):
    return logs.max() + np.log(np.mean(np.exp(logs - logs.max())))


def onsets(written, truth):
    return np.mean(written[truth > 1] == truth[truth > 1])


REFERENCES = {
    "split_code": split,
    "kl_weight": weight,
    "free_bits": lambda kl, free: np.maximum(kl.mean(axis=0), free).sum(),
    "active_units": lambda means: int((means.var(axis=0) > 0.01).sum()),
    "onset_accuracy": onsets,
    "weighted_bound": log_mean,
    "path": arc,
    "direction": quarters,
}
WRONG = {  # exercise: {mistake: (answer, part of the verdict)}
    "split_code": {
        "unpacked without a cut": (lambda raw: (raw[0], np.exp(raw[1])), "shape"),
        "every other number": (
            lambda raw: split(raw, cut=lambda r: (r[:, ::2], r[:, 1::2])),
            "not the first half",
        ),
        "no exponential": (lambda raw: split(raw, width=lambda v: v), "negative width"),
        "variances": (lambda raw: split(raw, width=np.exp), "these are variances"),
        "softplus": (lambda raw: split(raw, width=lambda v: np.log1p(np.exp(v))), "do not come from"),
    },
    "kl_weight": {
        "always beta": (lambda step, warmup, beta: beta, "at the first step"),
        "grows for ever": (lambda step, warmup, beta: beta * step / warmup if warmup else beta, "long after"),
        "up to one": (lambda step, warmup, beta: min(1, step / warmup) if warmup else beta, "half-way"),
        "divides by zero": (lambda step, warmup, beta: beta * min(1, step / warmup), "ZeroDivisionError"),
    },
    "free_bits": {
        "clamped a piece": (lambda kl, free: np.maximum(kl, free).mean(axis=0).sum(), "share the work"),
        "deducted": (lambda kl, free: np.maximum(kl.mean(axis=0) - free, 0).sum(), "one idle unit"),
        "clamped in sum": (lambda kl, free: max(kl.mean(axis=0).sum(), free), "one idle unit"),
        "no allowance": (lambda kl, free: kl.mean(axis=0).sum(), "one idle unit"),
    },
    "active_units": {
        "above zero": (lambda means: int((means.var(axis=0) > 0).sum()), "hardly moves"),
        "far from zero": (lambda means: int((np.abs(means).mean(axis=0) > 0.1).sum()), "far from zero"),
        "rows": (lambda means: int((means.var(axis=1) > 0.01).sum()), "in use"),
        "all": (lambda means: means.shape[1], "stands still"),
    },
    "onset_accuracy": {
        "all steps": (lambda written, truth: np.mean(written == truth), "always hold"),
        "rests count": (lambda written, truth: np.mean((written == truth)[truth > 0]), "one of two notes"),
        "where the answer strikes": (
            lambda written, truth: np.mean((written == truth)[written > 1]) if (written > 1).any() else 0.0,
            "wrong ones between",
        ),
        "pitch anywhere": (
            lambda written, truth: np.mean([t in written.tolist() for t in truth[truth > 1]]),
            "too late",
        ),
    },
    "weighted_bound": {
        "mean of logs": (lambda logs: logs.mean(), "the ELBO again"),
        "runs out of digits": (lambda logs: np.log(np.maximum(np.exp(logs), 1e-300).mean()), "far too small"),
        "sum, not mean": (lambda logs: logs.max() + np.log(np.exp(logs - logs.max()).sum()), "wanted"),
        "the best one": (lambda logs: logs.max(), "wanted"),
    },
    "path": {
        "a straight line": (lambda a, b, n: np.linspace(a, b, n), "through the middle"),
        "one length": (lambda a, b, n: arc(a, b, n, lengths=False), "length 4.5"),
        "stops short": (lambda a, b, n: arc(a, b, n, ends=(0, 0.9)), "end at the second"),
        "one too few": (lambda a, b, n: arc(a, b, n - 1), "five codes"),
    },
    "direction": {
        "from much to little": (lambda codes, values: -quarters(codes, values), "takes the attribute away"),
        "the top alone": (
            lambda codes, values: codes[values >= np.quantile(values, 0.75)].mean(axis=0),
            "third number",
        ),
        "halves": (lambda codes, values: quarters(codes, values, 0.5), "gap between the quarters"),
        "one number": (lambda codes, values: quarters(codes, values)[0], "three"),
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
