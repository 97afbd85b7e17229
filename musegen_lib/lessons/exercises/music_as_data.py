"""The exercises of notebooks/01_theory.ipynb and its appendix: functions that find the first fault, and three hints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.core.keys import PITCH_CLASSES
from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
Answer = Callable[..., Any]
PHRASE = [(67, 4), (0, 2), (64, 2), (60, 8)]  # (pitch, duration), 0 a rest
TRUTH = np.array([16, 0, 0, 0, 18, 0, 20, 0, 1, 1])  # tokens: three notes, the last two steps silent


@EXERCISES.add(
    "Turn the formula round: which frequency has the pitch 69 + 12?",
    "Take away 69, divide by 12, and you have the number of octaves above 440 hertz.",
    "An octave doubles, so raise 2 to the number of octaves; it may be negative or a fraction.",
)
def pitch_to_hertz(answer: Answer) -> str | None:
    """Frequency of a pitch number."""
    if not np.isclose(answer(69), 440):
        return f"pitch 69 is what orchestras tune to, 440 hertz; yours has {answer(69):g}."
    if np.isclose(answer(81), 440 + 12):
        return "12 semitones added 12 hertz, but an octave doubles the frequency."
    if not np.isclose(answer(81), 880):
        return f"pitch 81 lies an octave above pitch 69 and has {answer(81):g} hertz; an octave doubles."
    if not np.isclose(answer(57), 220):
        return f"pitch 57 lies an octave below pitch 69 and has {answer(57):g} hertz; an octave down halves."
    if not np.isclose(answer(60), 261.6256, atol=1e-3):
        return f"the octaves are right, but pitch 60 has {answer(60):.2f} hertz: look at the semitones between."
    return None


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
    "Two neighbours merge if nothing in the roll separates them; what separates two notes there?",
    "The same pitch must follow, and it must begin in the very step in which the note before ends.",
    "Start from the number of notes and take one away for each pair of neighbours that merges.",
)
def notes_after_a_roll(answer: Answer) -> str | None:
    """How many notes of a melody, rows of (onset, duration, pitch), come back from a roll without onsets."""
    cases = (
        ([(0, 4, 60), (4, 4, 62)], 2, "two notes of different pitch"),
        ([(0, 4, 60), (4, 4, 60)], 1, "one pitch struck twice without a gap"),
        ([(0, 3, 60), (4, 4, 60)], 2, "one pitch struck twice with a silent step between"),
        ([(0, 4, 60), (4, 4, 60), (8, 4, 60)], 1, "one pitch struck three times without a gap"),
        ([(0, 4, 60), (4, 2, 62), (6, 2, 60)], 2 + 1, "a pitch that comes back after another one"),
        ([], 0, "a melody without notes"),
    )
    for notes, wanted, what in cases:
        found = answer(list(notes))
        if found != wanted:
            return f"{what}: you say that {found} come back."
    return None


@EXERCISES.add(
    "Which tokens are onsets? HOLD is 0 and REST is 1.",
    "Look only at the steps in which the truth, not the guess, strikes a note.",
    "np.mean of a comparison is a share; index both arrays with the same mask first.",
)
def onset_accuracy(answer: Answer) -> str | None:
    """Share of the struck steps at which a guess is right."""
    if np.isclose(answer(TRUTH, np.zeros_like(TRUTH)), 0.5):
        return "a model that always holds scored 50 %: the held steps were counted, too."
    if not np.isclose(answer(TRUTH, TRUTH), 1):
        return f"a guess that is right everywhere scored {answer(TRUTH, TRUTH):.2f}."
    if not np.isclose(answer(TRUTH, np.zeros_like(TRUTH)), 0):
        return "a model that always holds strikes no note, yet it scored something."
    silent = np.where(TRUTH == 1, 0, TRUTH)  # right at the onsets, wrong in the rests
    if not np.isclose(answer(TRUTH, silent), 1):
        return "a guess that is wrong in the rests alone lost something: a rest is no onset."
    if not np.isclose(answer(TRUTH, np.full_like(TRUTH, 18)), 1 / 3):
        return f"one of three onsets is pitch 18; always saying 18 scored {answer(TRUTH, np.full_like(TRUTH, 18)):.2f}."
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


check = Checks(EXERCISES)
