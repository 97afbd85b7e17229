"""Each check of lesson 5 passes its reference and catches the named wrong answers."""

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.style import EXERCISES, check


def kept(before, after):
    return len(set(before) & set(after)) / len(before)


def fair(true, said):
    return np.mean([(said[true == style] == style).mean() for style in np.unique(true)])


def snap(pitch, scale, steps=(0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6)):
    return next((pitch + step for step in steps if (pitch + step) % 12 in scale), pitch)


def sung_by(log_probs, symbols, mean=np.mean):
    sung = mean(log_probs[:, np.arange(len(symbols)), symbols], axis=1)
    return sung.argmax(), abs(sung[0] - sung[1])


def best_move(target, source, weight, over=True):
    score = target - weight * source
    gain = score - score[:, :1] if over else score
    return np.unravel_index(gain.argmax(), gain.shape) if gain.max() > 0 else None


def within(gains, amount, round_=int):
    return [i for i in np.argsort(-gains)[: round_(amount * len(gains))] if gains[i] > 0]


def cosine(a, b):
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return a @ b / length if length else 0.0


def sure(prob, true):
    return np.maximum(prob, 1 - prob).mean() - ((prob > 0.5) == true).mean()


REFERENCES = {
    "share_kept": kept,
    "fair_accuracy": fair,
    "snap": snap,
    "sung_by": sung_by,
    "best_move": best_move,
    "within_budget": within,
    "chroma_cosine": cosine,
    "overconfidence": sure,
}
WRONG = {  # exercise: {mistake: (answer, part of the verdict)}
    "share_kept": {
        "of the notes after": (lambda b, a: len(set(b) & set(a)) / len(a), "left out"),
        "pitches alone": (lambda b, a: np.mean([p in [q for _, q in a] for _, p in b]), "a step later"),
        "pitch classes": (lambda b, a: kept([(t, p % 12) for t, p in b], [(t, p % 12) for t, p in a]), "an octave"),
        "place in the list": (
            lambda b, a: np.mean([x[1] == y[1] for x, y in zip(b, a, strict=False)]),
            "a step later",
        ),
    },
    "fair_accuracy": {
        "plain accuracy": (lambda t, s: (t == s).mean(), "always says c"),
        "over what was said": (lambda t, s: fair(s, t), "always says c"),
        "the better style": (lambda t, s: max((s[t == k] == k).mean() for k in np.unique(t)), "always says c"),
    },
    "snap": {
        "always down": (lambda p, scale: snap(p, scale, range(0, -7, -1)), "a semitone below"),
        "down first": (lambda p, scale: snap(p, scale, (0, -1, 1, -2, 2)), "equally far"),
        "three semitones": (lambda p, scale: snap(p, scale, (0, 1, -1, 2, -2, 3, -3)), "five semitones off"),
        "no octaves": (lambda p, scale: min(scale, key=lambda s: abs(s - p % 12)), "snaps to"),
        "within the octave": (
            lambda p, scale: p - p % 12 + min(scale, key=lambda s: abs(s - p % 12)),
            "C just above",
        ),
    },
    "sung_by": {
        "sum": (lambda logs, s: sung_by(logs, s, np.sum), "nats an interval"),
        "of all symbols": (lambda logs, s: (logs.sum((1, 2)).argmax(), 0.0), "style"),
        "the other style": (lambda logs, s: (1 - sung_by(logs, s)[0], sung_by(logs, s)[1]), "likelier as a whole"),
        "most intervals": (
            lambda logs, s: ((logs[1] > logs[0])[np.arange(len(s)), s].mean() > 0.5, 0.0),
            "nats an interval",
        ),
        "with its sign": (
            lambda logs, s: (sung_by(logs, s)[0], np.diff(logs[:, np.arange(len(s)), s].mean(1))[0]),
            "nats an interval",
        ),
    },
    "best_move": {
        "the likeliest": (lambda t, s, w: best_move(t, s, w, over=False), "gains most"),
        "source forgotten": (lambda t, s, w: best_move(t, s, 0.0), "weight"),
        "always one": (
            lambda t, s, w: np.unravel_index((t - w * s - (t - w * s)[:, :1]).argmax(), t.shape),
            "return None",
        ),
        "source rewarded": (lambda t, s, w: best_move(t, s, -w), "weight"),
    },
    "within_budget": {
        "all that gain": (lambda g, a: np.flatnonzero(g > 0), "half of four"),
        "rounded": (lambda g, a: within(g, a, round), "less than two"),
        "losers too": (lambda g, a: np.argsort(-g)[: int(a * len(g))], "only one note gains"),
        "the first ones": (lambda g, a: range(int(a * len(g))), "half of four"),
    },
    "chroma_cosine": {
        "product": (lambda a, b: a @ b, "five times as long"),
        "distance": (lambda a, b: 1 - np.linalg.norm(a - b), "five times as long"),
        "silence divides": (lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b) if a.any() else 1.0, "silence"),
        "squared lengths": (lambda a, b: a @ b / max((a @ a) * (b @ b), 1e-9), "five times as long"),
    },
    "overconfidence": {
        "of one style": (lambda p, t: p.mean() - t.mean(), "sureness"),
        "turned round": (lambda p, t: -sure(p, t), "sureness"),
        "wrongness": (lambda p, t: np.maximum(p, 1 - p).mean() - ((p > 0.5) != t).mean(), "sureness"),
    },
}
CASES = [(name, mistake, *entry) for name, mistakes in WRONG.items() for mistake, entry in mistakes.items()]


@pytest.mark.parametrize("name", REFERENCES)
def test_the_reference_is_right(name, capsys):
    getattr(Checks(EXERCISES), name)(REFERENCES[name])
    assert capsys.readouterr().out == f"{name}: right.\n"


@pytest.mark.parametrize(("name", "mistake", "answer", "words"), CASES, ids=[f"{n}: {m}" for n, m, *_ in CASES])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_named_wrong_answer_is_told_what_is_wrong(name, mistake, answer, words, capsys):
    getattr(Checks(EXERCISES), name)(answer)
    out = capsys.readouterr().out
    assert words in out
    assert "Hint 1: " in out


def test_every_exercise_has_a_reference_and_is_reached_by_the_lesson():
    assert set(REFERENCES) == set(WRONG) == set(EXERCISES)
    assert set(EXERCISES) <= set(dir(check))
