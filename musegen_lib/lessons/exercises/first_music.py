"""The exercises of notebooks/00_first_music.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from musegen_lib.core.keys import PITCH_CLASSES, TONIC_PITCH_CLASS
from musegen_lib.core.piece import Piece
from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
SCALE = Piece.from_notes([(4 * i, 4, pitch) for i, pitch in enumerate((60, 62, 64, 65, 67))], key="C major")
INTERVALS = {0: "nothing", 5: "a fourth", 7: "a fifth", 12: "an octave", -7: "a fifth down", -5: "a fourth down"}


@EXERCISES.add(
    "The lower number names a kind of note: 4 a quarter, 8 an eighth.",
    "How many sixteenths fit in one such note? Try 4, 8 and 2 by hand.",
    "Split the text at the slash, turn both parts into numbers, and multiply notes by sixteenths a note.",
)
def steps_in_bar(answer: Callable[[str], int]) -> str | None:
    """Sixteenth steps in a bar of a metre."""
    for metre, steps in (("4/4", 16), ("3/4", 12), ("2/2", 16), ("6/8", 12), ("9/8", 18)):
        found = answer(metre)
        if found != steps:
            size = "long" if isinstance(found, (int, float)) and found > steps else "short"
            return f"a bar of {metre} came out as {found!r} sixteenths, too {size}."
    return None


@EXERCISES.add(
    "From C up to G: count the semitones on a keyboard, black keys too.",
    "Piece has a method that moves all notes at once; type piece. and press Tab.",
    "The method also moves the key; if you changed the note table by hand, it could not.",
)
def up_a_fifth(answer: Callable[[Piece], Piece]) -> str | None:
    """Transpose a piece up a fifth, key and all."""
    moved = answer(SCALE)
    if not isinstance(moved, Piece):
        return f"a {type(moved).__name__} came back, not a Piece."
    by = int(moved.notes["pitch"][0]) - 60
    if by != 7:
        return f"the first note moved by {INTERVALS.get(by, f'{by} semitones')}, not by a fifth."
    if (moved.notes["pitch"] - SCALE.notes["pitch"] != 7).any():
        return "not every note moved by the same interval, so it is another melody now."
    if moved.key != "G major":
        return f"the notes are a fifth higher, but the key still says {moved.key}."
    return None


@EXERCISES.add(
    "Look at one tune at a time, and at each note but its last.",
    "zip(tune[:-1], tune[1:]) gives each note with the one after it.",
    "One Counter for all tunes, updated once per tune, keeps pairs from spanning two tunes.",
)
def count_pairs(answer: Callable[[list[list[int]]], dict]) -> str | None:
    """Count which pitch follows which, tune by tune."""
    tunes = [[60, 62, 60, 62], [67, 60]]
    wanted = Counter({(60, 62): 2, (62, 60): 1, (67, 60): 1})
    found = Counter({pair: count for pair, count in dict(answer(tunes)).items() if count})
    if (62, 67) in found:
        return "you counted D to G, the last note of one tune and the first of the next; no one sings that step."
    for pair in wanted | found:
        if found[pair] != wanted[pair]:
            a, b = (PITCH_CLASSES[pitch % 12] for pitch in pair)
            return f"the step from {a} to {b} occurs {wanted[pair]} times, you counted {found[pair]}."
    return None


@EXERCISES.add(
    "Four bars of 4/4 are 64 sixteenths: the onsets and durations must reach exactly that.",
    "Piece.from_notes takes rows of (onset, duration, pitch); C4 is 60, and key='C major' is a keyword.",
    "Start the last note at step 56 and let it last 8, on the note that the key is named after.",
)
def four_bars(answer: Callable[[], Piece]) -> str | None:
    """Write four bars of 4/4 that end on the tonic."""
    piece = answer()
    if not isinstance(piece, Piece):
        return f"a {type(piece).__name__} came back, not a Piece."
    if piece.metre != "4/4" or piece.n_steps != 4 * (piece.steps_per_bar or 0):
        return f"the tune is {piece.n_steps} steps of {piece.metre} long; four bars of 4/4 last 64 sixteenths."
    tonic = (piece.key or "").partition(" ")[0]
    if tonic not in TONIC_PITCH_CLASS:
        return "the piece names no key, so nobody knows where home is."
    offset = piece.notes["onset_steps"] + piece.notes["duration_steps"]
    if (piece.notes["onset_steps"][1:] < offset[:-1]).any():
        return "two notes sound at once; one voice can sing only one."
    last = int(piece.notes["pitch"][-1]) % 12
    if last != TONIC_PITCH_CLASS[tonic]:
        return f"the tune ends on {PITCH_CLASSES[last]}, away from home in {piece.key}."
    if len(set(piece.notes["pitch"].tolist())) < 4:
        return "fewer than four different pitches: a signal rather than a tune."
    return None


check = Checks(EXERCISES)
