"""Each check of lessons 02 and 02b passes its reference and catches the named wrong answers."""

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.gan import EXERCISES


def modes(points, homes, share=0.02, radius=0.15):
    far = np.linalg.norm(points[:, None] - homes, axis=2)
    near = far.argmin(axis=1)[far.min(axis=1) < radius]
    return int((np.bincount(near, minlength=len(homes)) >= share * len(points)).sum())


def pick(logits, uniform, noise=lambda u: -np.log(-np.log(u))):
    return (logits + noise(uniform)).argmax(axis=-1)


def distinct(bars, key=lambda bar: tuple(p - bar[0] for p in bar), per=1000):
    return per * len({key(bar) for bar in bars}) / len(bars)


def alternate(theta, psi, rate):
    psi = psi - rate * theta
    return theta + rate * psi, psi


def paired(design, shipped, ddof=1):
    difference = np.asarray(design) - np.asarray(shipped)
    return difference.mean(), difference.std(ddof=ddof) / len(difference) ** 0.5


def slide(shape, heard, middle=24, sign=1):
    return shape[np.clip(sign * (np.arange(52) - heard), -24, 24) + middle]


REFERENCES = {
    "optimal_discriminator": lambda p, q: p / (p + q),
    "modes_found": modes,
    "gumbel_pick": pick,
    "distinct_bars": distinct,
    "alternating_step": alternate,
    "paired_difference": paired,
    "slide_liking": slide,
    "changed_share": lambda before, after: (before != after).mean(axis=(0, 1)),
}
WRONG = {  # exercise: {mistake: (answer, part of the verdict)}
    "optimal_discriminator": {
        "the made share": (lambda p, q: q / (p + q), "only real music"),
        "the ratio": (lambda p, q: p / max(q, 1e-9), "both are equally likely"),
        "yes or no": (lambda p, q: 0.5 if p == q else float(p > q), "three times as likely"),
        "the density": (lambda p, q: p, "both are equally likely"),
    },
    "modes_found": {
        "one point is enough": (lambda p, h: modes(p, h, share=1e-6), "1 % at a second"),
        "any distance": (lambda p, h: modes(p, h, radius=99.0), "far from every home"),
        "the count of homes": (lambda p, h: len(h), "at one home"),
        "half is needed": (lambda p, h: modes(p, h, share=0.6), "all four homes"),
    },
    "gumbel_pick": {
        "the likeliest": (lambda logits, u: logits.argmax(axis=-1), "shares 1.00"),
        "uniform noise": (lambda logits, u: pick(logits, u, lambda x: x), "shares"),
        "one logarithm": (lambda logits, u: pick(logits, u, np.log), "shares"),
        "one pick for all": (lambda logits, u: np.array([0]), "the shape"),
    },
    "distinct_bars": {
        "keys tell bars apart": (lambda bars: distinct(bars, key=tuple), "one bar in three keys"),
        "order does not matter": (lambda bars: distinct(bars, lambda b: tuple(sorted(p - b[0] for p in b))), "order"),
        "a share": (lambda bars: distinct(bars, per=1), "ten times"),
        "pitch classes": (lambda bars: distinct(bars, lambda b: tuple((p - b[0]) % 12 for p in b)), "octave"),
    },
    "alternating_step": {
        "simultaneous": (lambda t, p, r: (t + r * p, p - r * t), "from the start"),
        "theta first": (lambda t, p, r: (t + r * p, p - r * (t + r * p)), "from the start"),
        "the other way round": (lambda t, p, r: alternate(t, p, -r), "from the start"),
        "the order of the answer": (lambda t, p, r: alternate(t, p, r)[::-1], "from the start"),
    },
    "paired_difference": {
        "not paired": (lambda a, b: (a.mean() - b.mean(), np.hypot(a.std(ddof=1), b.std(ddof=1))), "standard error"),
        "the other way round": (lambda a, b: paired(b, a), "mean difference"),
        "all degrees of freedom": (lambda a, b: paired(a, b, ddof=0), "standard error"),
    },
    "slide_liking": {
        "upside down": (lambda shape, heard: slide(shape, heard, sign=-1), "heard at place 20"),
        "not slid": (lambda shape, heard: np.pad(shape, (0, 3)), "heard at place 20"),
        "wrapped around": (lambda shape, heard: np.roll(np.pad(shape, (0, 3)), heard - 24), "off the table"),
        "the shape itself": (lambda shape, heard: shape, "52 scores"),
    },
    "changed_share": {
        "all voices together": (lambda a, b: (a != b).mean(), "three shares"),
        "what stayed": (lambda a, b: (a == b).mean(axis=(0, 1)), "nothing changed"),
        "how far": (lambda a, b: np.abs(a - b).mean(axis=(0, 1)), "one step of the first voice"),
        "any change": (lambda a, b: (a != b).any(axis=(0, 1)), "one step of the first voice"),
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
    assert verdict in said
    assert "Hint 1" in said
