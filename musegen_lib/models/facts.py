"""The measured facts printed beside every generated piece: playable, original, in key."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.encodings.melody_events import STYLES, is_playable
from musegen_lib.metrics.originality import CopyDetector, chord_symbols, corpus_to_symbols, melody_symbols
from musegen_lib.metrics.tonality import key_fit
from musegen_lib.models.melody.recipe import copy_detector

HELD_OUT_SAMPLE = 200


def facts_of(piece: Piece) -> dict[str, Any]:
    """Whether a piece is playable, its longest run copied from training, and how well it fits one key.

    The run counts the notes of a melody, or the beats of a piece for four voices.
    """
    if piece.n_voices > 1:
        playable, run = is_playable_chorale(piece), chorale_detector().longest_run(chord_symbols(piece))
    else:
        styled = piece if piece.style else piece.replace(style=STYLES[0])  # a melody may be of no style
        playable, run = is_playable(styled), copy_detector().longest_run(melody_symbols(piece))
    return {"playable": playable, "longest_copied_run": run, "key_fit": round(key_fit(piece), 3)}


def is_playable_chorale(piece: Piece) -> bool:
    """Check from outside: four voices that sing, each one note at a time and near its range, in whole bars."""
    from musegen_lib.encodings.chorale_steps import CHORALE_METRES, FIRST_PITCH, N_VOICES, piece_to_steps

    try:
        steps = piece_to_steps(piece)
    except ValueError:
        return False
    bar = piece.steps_per_bar or CHORALE_METRES[steps.metre]  # the net counts 4/4 where the piece is in 2/4
    sung = all((steps.tokens[:, voice] >= FIRST_PITCH).any() for voice in range(N_VOICES))
    return sung and ends_with_a_bar(len(steps.tokens), bar, piece.pickup_steps)


def ends_with_a_bar(n_steps: int, bar: int, pickup: int) -> bool:
    """Whether a piece of bars of so many steps ends with a full bar, or with one that its pickup completes.

    >>> [ends_with_a_bar(n, 16, 4) for n in (32, 36, 44)]
    [True, True, False]
    """
    return n_steps % bar in (0, pickup % bar)


@lru_cache(maxsize=1)
def chorale_detector() -> CopyDetector:
    """A detector of runs of chords copied from the training chorales."""
    return CopyDetector([chord_symbols(piece) for piece in load_chorales(part="train")])


@lru_cache(maxsize=1)
def held_out_runs() -> list[int]:
    """The longest run shared with training of 200 held-out tunes: what real music scores."""
    tunes = corpus_to_symbols(load_folk_tunes(part="test"))
    chosen = np.random.default_rng(0).permutation(len(tunes))[:HELD_OUT_SAMPLE]
    return [copy_detector().longest_run(tunes[i]) for i in chosen]


def longest_runs(melodies: Iterable[Piece], n_notes: int) -> list[int]:
    """The longest run that the first n_notes of each melody share with training; shorter melodies are left out.

    A longer melody has more chances to agree, so melodies are compared at one length.
    """
    symbols = [melody_symbols(piece)[: n_notes - 1] for piece in melodies if len(piece) >= n_notes]
    return [copy_detector().longest_run(row) for row in symbols]


def originality_sentence(piece: Piece) -> str:
    """One sentence for a listener.

    The figure of held-out tunes stands beside the piece's own, since real tunes share phrases too.
    """
    run = facts_of(piece)["longest_copied_run"]
    low, middle, high = np.percentile(held_out_runs(), [5, 50, 95])
    return (
        f"Longest run of notes also found in a training tune: {run} of {len(piece)} "
        f"(real tunes it never saw: {middle:.0f}, most of them {low:.0f} to {high:.0f})."
    )
