"""The exercises of notebooks/01_theory.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.core.keys import PITCH_CLASSES
from musegen_lib.core.piece import Piece
from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]
PHRASE = [(67, 4), (0, 2), (64, 2), (60, 8)]  # (pitch, duration), 0 a rest
D_REAL, D_MADE = np.array([0.9, 0.8]), np.array([0.3, 0.1, 0.2])
LOGITS = np.array([2.0, 1.0, 0.0])


@EXERCISES.add(
    "Every event is a pitch and a duration; which of the two does transposing touch?",
    "A pitch of 0 is no pitch: silence has no octave.",
    "Build a new list, row by row, and ask of each row first whether it sounds.",
)
def transpose_events(answer: Answer) -> str | None:
    """Move events by semitones; rests stay rests, lengths stay."""
    given = list(PHRASE)
    moved = [(int(pitch), int(duration)) for pitch, duration in answer(given, 3)]
    if given != PHRASE:
        return "the phrase that was handed in has changed; leave the original as it was and return a new one."
    if len(moved) != len(PHRASE):
        return f"{len(PHRASE)} events went in, {len(moved)} came back."
    for number, ((pitch, duration), (found, length)) in enumerate(zip(PHRASE, moved), start=1):
        if length != duration:
            return f"event {number} lasted {duration} steps and now lasts {length}: the rhythm changed."
        if not pitch and found:
            return f"event {number} was a rest, and now something sounds there."
        if pitch and found - pitch != 3:
            return f"event {number}, a {PITCH_CLASSES[pitch % 12]}, moved by {found - pitch} semitones instead of 3."
    down = [int(pitch) for pitch, _ in answer(list(PHRASE), -12)]
    if down != [55, 0, 52, 48]:
        return "an octave down it goes wrong: -12 semitones did not put every note an octave lower."
    return None


@EXERCISES.add(
    "Without a pickup, count how many whole bars lie before the step.",
    "Whole-number division (//) counts full bars; musicians start at 1.",
    "Measure steps from the first bar line, not from the start; Python's // rounds down below zero, too.",
)
def bar_of_step(answer: Answer) -> str | None:
    """Number of the bar in which a step falls."""
    cases = (
        (0, 16, 0, 1, "the first step of a tune without pickup"),
        (15, 16, 0, 1, "the last sixteenth of the first bar of 4/4"),
        (16, 16, 0, 2, "the downbeat of the second bar of 4/4"),
        (12, 12, 0, 2, "the downbeat of the second bar of 3/4"),
        (0, 16, 4, 0, "the first step of a pickup"),
        (4, 16, 4, 1, "the downbeat after a pickup of one beat"),
        (19, 16, 4, 1, "the last sixteenth of bar 1 after a pickup of one beat"),
        (20, 16, 4, 2, "the downbeat of bar 2 after a pickup of one beat"),
    )
    for step, width, pickup, bar, where in cases:
        found = answer(step, width, pickup)
        if found != bar:
            return f"{where} (step {step}) came out in bar {found!r}."
    return None


@EXERCISES.add(
    "D is surprised twice: by real pieces it doubts and by made pieces it believes.",
    "The probability D gives to 'made' is one minus its answer; a surprise is minus a logarithm.",
    "Average each of the two surprises over its own pieces, then add; both carry a minus.",
)
def discriminator_loss(answer: Answer) -> str | None:
    """-E log D(x) - E log(1 - D(G(z))), in nats."""
    found, wanted = float(answer(D_REAL, D_MADE)), _loss(D_REAL, D_MADE)
    if np.isclose(found, wanted, atol=1e-6):
        return None
    if np.isnan(found):
        return "the loss is not a number: the logarithm was taken of something below zero."
    if found < 0:
        return "the loss is below zero, but it is made of surprises, and no surprise is negative."
    if np.isclose(found, wanted / np.log(2)):
        return "the loss is in bits; nats were asked for."
    if np.isclose(float(answer(D_REAL, 1 - D_MADE)), found):
        return "the loss does not care what D says to made pieces."
    if float(answer(D_REAL, D_MADE + 0.3)) < found:
        return "the loss falls when D believes a fake more: it rewards being fooled."
    return f"a D that is mostly right scored {found:.3f} nats: not the sum of the two average surprises."


@EXERCISES.add(
    "Temperature acts on the logits, before anything is exponentiated.",
    "High temperature makes logits small and alike; which operation does that?",
    "Only differences of logits matter, so subtract the largest before taking the exponential.",
)
def soften(answer: Answer) -> str | None:
    """Softmax at a temperature, safe for large logits."""
    warm, cold = (np.asarray(answer(LOGITS, temperature), dtype=float) for temperature in (2.0, 0.5))
    if warm.shape != LOGITS.shape:
        return f"{len(LOGITS)} logits went in, an answer of shape {warm.shape} came back."
    if not np.isclose(warm.sum(), 1) or not np.isclose(cold.sum(), 1):
        return f"the probabilities add up to {warm.sum():.3f}: some pitch must come next."
    if warm.max() > cold.max():
        return "a higher temperature made the favourite more certain; it should make it less so."
    if not (np.allclose(warm, _softmax(LOGITS / 2)) and np.allclose(cold, _softmax(LOGITS * 2))):
        return "the temperature does too much or too little: at 2 and at 0.5 the shares are off."
    with np.errstate(all="ignore"):
        large = np.asarray(answer(LOGITS + 1000, 1.0), dtype=float)
    if not np.allclose(large, _softmax(LOGITS)):
        return "logits near 1000 came out wrong: the exponential is too large for the machine."
    return None


@EXERCISES.add(
    "Write down the average, under the first curve, of the difference of the two log-densities.",
    "Three parts: the ratio of variances, the shift in deviations of the second curve, a logarithm.",
    "With the second curve standard it must turn into the closed form of the lesson; mind the half.",
)
def gaussian_kl(answer: Answer) -> str | None:
    """KL divergence of two normal distributions, in nats."""
    if not np.isclose(answer(1.0, 2.0, 1.0, 2.0), 0):
        return f"two equal bell curves are {answer(1.0, 2.0, 1.0, 2.0):.3f} apart; nothing is lost between equals."
    shift = answer(1.0, 1.0, 0.0, 1.0)
    if not np.isclose(shift, 0.5):
        return f"a shift by one deviation gave {shift:.3f} nats; it costs something else."
    wide, narrow = answer(0.0, 2.0, 0.0, 1.0), answer(0.0, 1.0, 0.0, 2.0)
    if np.isclose(wide, 0.5 * (0.25 - 1 + np.log(4))) and np.isclose(narrow, 0.5 * (4 - 1 - np.log(4))):
        return "the two curves changed places: KL is not symmetric, and the first one is the truth."
    if not np.isclose(wide, 0.5 * (4 - 1 - np.log(4))):
        return f"a curve twice as wide gave {wide:.3f} nats: look at how the two spreads enter."
    if not np.isclose(answer(3.0, 1.0, 0.0, 2.0), 0.5 * (0.25 + 2.25 - 1 + np.log(4))):
        return "shift and spread together go wrong: a shift counts in deviations of the second curve."
    return None


@EXERCISES.add(
    "Begin with a square of ones, the row for this pitch and the column for the next.",
    "Go through one tune at a time, so that no pair spans two.",
    "Divide each row by its own sum; keepdims=True keeps the shapes in line.",
)
def next_pitch_table(answer: Answer) -> str | None:
    """Table of p(next | this), counted from one up, tune by tune."""
    tunes = [[0, 2, 0, 2], [1, 0]]
    table = np.asarray(answer(tunes, 3), dtype=float)
    if table.shape != (3, 3):
        return f"three pitches want a table of 3 by 3, yours has shape {table.shape}."
    if (table <= 0).any():
        return "some step has probability 0: one tune that takes it, and the surprise is infinite."
    if not np.allclose(table.sum(axis=1), 1):
        other = (
            "the columns add up to 1, so this is what came before"
            if np.allclose(table.sum(axis=0), 1)
            else "rows do not"
        )
        return f"after each pitch something must come, so each row adds up to 1; here {other}."
    if np.isclose(table[2, 1], 2 / 5):
        return "you counted the step from the last note of one tune to the first of the next; no one sings that."
    if not np.allclose(table[0], [1 / 5, 1 / 5, 3 / 5]):
        return f"after pitch 0 came pitch 2, twice; your row for it says {table[0].round(2).tolist()}."
    if not np.allclose(table, [[0.2, 0.2, 0.6], [0.5, 0.25, 0.25], [0.5, 0.25, 0.25]]):
        return "a row besides the first is off: look at which pitch stands for the row, and at the last tune."
    return None


@EXERCISES.add(
    "Transposing changes pitches and leaves the intervals between neighbours alone.",
    "Shuffling changes which notes are neighbours; np.diff of the pitches looks at just that.",
    "Turn uint8 pitches into int before subtracting, and think of a piece with no or one note.",
)
def my_metric(answer: Answer) -> str | None:
    """A number a piece: hears order, does not hear the key."""
    scale, jumble = _tune(range(60, 76)), _tune([60, 73, 62, 75, 61, 70, 65, 68, 63, 74, 66, 71, 64, 72, 67, 69])
    values = [answer(scale), answer(jumble)]
    if not all(isinstance(value, (int, float, np.number)) for value in values):
        return f"the metric gave a {type(values[0]).__name__}, but a metric is one number."
    if not np.isfinite(values).all():
        return "a scale of sixteen notes has no value; keep NaN for pieces that have nothing to measure."
    if not np.isclose(answer(scale), values[0]):
        return "the same piece was measured twice and gave two values; a ruler must not roll dice."
    if any(not np.isclose(answer(piece.transpose(5)), value) for piece, value in zip((scale, jumble), values)):
        return "a fourth higher the value changes, though every ear hears the same tune."
    if np.isclose(values[0], values[1]):
        return "a rising scale and the same notes in a jumble score alike: the metric does not hear order."
    try:
        answer(_tune([]))
    except Exception as error:
        return f"a piece without notes stopped it with {type(error).__name__}; models do write silence."
    return None


def _tune(pitches) -> Piece:
    return Piece.from_notes([(4 * i, 4, pitch) for i, pitch in enumerate(pitches)])


def _loss(d_real: np.ndarray, d_made: np.ndarray) -> float:
    return float(-np.log(d_real).mean() - np.log(1 - d_made).mean())


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


check = Checks(EXERCISES)
