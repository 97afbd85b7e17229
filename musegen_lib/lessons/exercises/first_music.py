"""The exercises of notebooks/00_first_music.ipynb: each a function that finds the first fault, and three hints."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

from musegen_lib.core.keys import PITCH_CLASSES, TONIC_PITCH_CLASS
from musegen_lib.core.piece import Piece
from musegen_lib.lessons.check import Checks, Exercises

EXERCISES = Exercises()
NEXT_NOTE = {60: 0.5, 62: 0.3, 64: 0.15, 65: 0.05}


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
    "The surprise at one note is minus the natural logarithm of its probability.",
    "math.log and np.log are natural logarithms; a note that was sure to come has no surprise.",
    "Take the surprise of each note first, and the mean of the surprises last.",
)
def average_surprise(answer: Callable[[list[float]], float]) -> str | None:
    """Mean surprise in nats of the notes that came."""
    sure, found = float(answer([1.0, 1.0])), float(answer([0.5, 0.1]))
    wanted = math.log(20) / 2
    if not math.isclose(sure, 0, abs_tol=1e-9):
        return f"two notes that were sure to come surprise by {sure:.2f} nats; they should not surprise at all."
    if math.isclose(found, -wanted):
        return "the surprise came out below zero; look at the sign."
    if math.isclose(found, -math.log(0.3)):
        return "you averaged the probabilities first, which hides the one rare note."
    if math.isclose(found, wanted / math.log(2)):
        return "the surprise is in bits; nats were asked for."
    if math.isclose(found, 2 * wanted):
        return "the surprises were added up; the mean per note was asked for."
    if not math.isclose(found, wanted):
        return f"probabilities of 1/2 and 1/10 gave {found:.2f} nats; their surprises are 0.69 and 2.30."
    return None


@EXERCISES.add(
    "Sort the pitches by their probability, the largest first.",
    "sorted(chances, key=chances.get, reverse=True)[:k] names the pitches to keep.",
    "Divide what is kept by its own sum, so that something is sure to come.",
)
def keep_likeliest(answer: Callable[[dict[int, float], int], dict[int, float]]) -> str | None:
    """Keep the k likeliest pitches and rescale them."""
    given = dict(NEXT_NOTE)
    kept = dict(answer(given, 2))
    if given != NEXT_NOTE:
        return "the dictionary that was handed in has changed; return a new one."
    if set(kept) & {64, 65}:
        return "E or F may still be drawn, though only the two likeliest pitches were to be kept."
    if set(kept) != {60, 62}:
        return f"the two likeliest pitches are C and D, you kept {len(kept)} pitches."
    if not math.isclose(sum(kept.values()), 1):
        return f"the probabilities that are kept add up to {sum(kept.values()):.2f}; some note has to come."
    if not math.isclose(kept[60], 0.625):
        return "C was five thirds as likely as D, and that ratio has changed."
    return None


@EXERCISES.add(
    "Compare every start in the first tune with every start in the second.",
    "From one pair of starts, count how far the notes agree before the first difference.",
    "Stop at the end of the shorter rest, and keep the largest count.",
)
def longest_shared_run(answer: Callable[[list[int], list[int]], int]) -> str | None:
    """Notes in the longest run that two tunes share, at the same pitch."""
    cases = (
        ([60, 62, 64, 65], [67, 62, 64, 60], 2, "two tunes that share D E"),
        ([60, 62, 64], [60, 62, 64], 3, "a tune and itself"),
        ([60, 62, 64], [64, 62, 60], 1, "a tune and the same backwards"),
        ([60, 62], [65, 67], 0, "two tunes without a common note"),
        ([60, 62, 60, 62, 64], [60, 62, 64], 3, "a tune that begins the run twice before it goes on"),
    )
    for a, b, wanted, what in cases:
        found = answer(list(a), list(b))
        if found != wanted:
            return f"{what}: the longest shared run has {wanted} notes, you found {found!r}."
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
