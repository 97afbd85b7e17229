"""Each check of the lesson on music as data passes its reference and catches the named wrong answers."""

from collections import Counter

import numpy as np
import pytest

from musegen_lib.lessons.check import Checks
from musegen_lib.lessons.exercises.music_as_data import EXERCISES, check


def transpose(events, semitones):
    return [(pitch + semitones if pitch else 0, duration) for pitch, duration in events]


def transpose_in_place(events, semitones):
    events[:] = transpose(events, semitones)
    return events


def merged(notes):
    pairs = zip(notes, notes[1:])
    return len(notes) - sum(a[2] == b[2] and b[0] == a[0] + a[1] for a, b in pairs)


def at_onsets(truth, guess):
    return np.mean(guess[truth >= 2] == truth[truth >= 2])


RIGHT = {
    "pitch_to_hertz": lambda pitch: 440 * 2 ** ((pitch - 69) / 12),
    "transpose_events": transpose,
    "notes_after_a_roll": merged,
    "onset_accuracy": at_onsets,
    "bar_of_step": lambda step, width, pickup: (step - pickup) // width + 1,
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
    ("pitch_to_hertz", lambda p: 2 ** ((p - 69) / 12), "440 hertz; yours has 1"),
    ("pitch_to_hertz", lambda p: 440 + p - 69, "added 12 hertz"),
    ("pitch_to_hertz", lambda p: 440 * (1 + abs(p - 69) / 12), "an octave down halves"),
    ("pitch_to_hertz", lambda p: 440 * 2 ** ((p - 69) // 12), "look at the semitones between"),
    ("notes_after_a_roll", len, "one pitch struck twice without a gap"),
    ("notes_after_a_roll", lambda n: len({p for *_, p in n}), "a silent step between"),
    ("notes_after_a_roll", lambda n: 1 + sum(a[2] != b[2] for a, b in zip(n, n[1:])), "a silent step between"),
    ("onset_accuracy", lambda t, g: np.mean(t == g), "the held steps were counted"),
    ("onset_accuracy", lambda t, g: np.mean((t == g)[g >= 2]) if (g >= 2).any() else 0.0, "scored"),
    ("onset_accuracy", lambda t, g: np.mean((t == g)[t >= 1]), "a rest is no onset"),
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
