"""`musegen transfer`: rewrite any melody towards Chinese or German folk song, and say what came of it."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pkgutil import resolve_name
from typing import Any

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece, pitched_notes
from musegen_lib.core.progress import progress
from musegen_lib.core.ranking import first_best
from musegen_lib.corpus.chinese_german import FEWEST_NOTES, STYLES
from musegen_lib.encodings.arrays import skyline
from musegen_lib.models.style.baselines import Rewriter
from musegen_lib.models.style.method_names import METHODS, NETS

MOST_NOTES = 200  # that are rewritten at once


def find_method(name: str, model: Any = None) -> Rewriter:
    """The rewriter of that name, its net in hand.

    Args:
        model: the net that is to rewrite; None: the one that comes with the course.
    Raises:
        MusegenError: no method has that name.
        ValueError: a net is given to a method that has none.
    """
    _refuse_unknown("method", name, METHODS)
    function, net = resolve_name(METHODS[name][0]), net_recipe(name)
    if net is None and model is not None:
        raise ValueError(f"method {name!r} rewrites without a net, and {type(model).__name__} was given")
    if net is None:
        return function
    return partial(function, net.load_once() if model is None else model)


def net_recipe(method: str) -> Any:
    """The recipe of a method's net, None if it has none."""
    net = METHODS[method][1]
    return resolve_name(NETS[net]) if net else None


def rewrite(piece: Piece, to: str, method: str = "counts", amount: float = 0.2, seed: int = 0) -> Piece:
    """Rewrite a melody towards a style; at most the share `amount` of its notes changes.

    A melody of more than MOST_NOTES notes is rewritten in parts.

    Raises:
        MusegenError: the style or the method is unknown, or the amount lies outside 0 to 1.
    """
    _refuse_unknown("style", to, STYLES)
    if not 0 <= amount <= 1:
        raise MusegenError(f"amount {amount:g} must lie in 0 to 1: it is the largest share of notes to change")
    rewriter, parts = find_method(method), _parts(piece)
    if len(parts) == 1:
        return rewriter(piece, to, amount, seed)
    made = [rewriter(part, to, amount, seed).notes for part in progress(parts, "parts of the melody")]
    return piece.replace(notes=np.concatenate(made))


def _parts(piece: Piece) -> list[Piece]:
    """A long melody in parts of MOST_NOTES at most, each of which ends with a long note: searching takes n squared."""
    notes, parts = piece.notes, []
    while len(notes) > MOST_NOTES:
        lasting = np.diff(notes["onset_steps"][: MOST_NOTES + 1])[MOST_NOTES // 2 :]
        cut = MOST_NOTES // 2 + int(first_best(lasting)) + 1
        parts.append(piece.replace(notes=notes[:cut]))
        notes = notes[cut:]
    return [*parts, piece.replace(notes=notes)]


def melody_of(piece: Piece) -> tuple[Piece, list[str]]:
    """The highest line of any piece without percussion, and lines that tell what was left out or guessed.

    Raises:
        MusegenError: no note is left.
    """
    melody, told = skyline(piece), []
    n_sung = len(pitched_notes(piece))
    if not len(melody):
        raise MusegenError(f"{piece.title or 'the piece'}: no melody in it ({len(piece)} notes, all percussion)")
    if len(melody) < n_sung:
        told.append(f"several notes at once: the highest is taken, {len(melody)} of {n_sung} notes")
    if piece.metre is None:
        told.append("no metre: only pitches and durations are read")
    if len(melody) < FEWEST_NOTES:
        told.append(f"{len(melody)} notes are few: the judges were trained on tunes of {FEWEST_NOTES} or more")
    return melody, told


def _refuse_unknown(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise MusegenError(f"{what} {name!r} is unknown; choose one of {', '.join(known)}")
