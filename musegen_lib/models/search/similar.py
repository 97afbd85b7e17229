"""What sounds alike: the 12,895 folk tunes as points, the neighbours of any melody, and tunes written for a taste."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
from jaxtyping import Float

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import data_dir
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import cache, cache_path, load_folk_tunes
from musegen_lib.models.search.hum_benchmark import Notes, corpus_notes
from musegen_lib.models.search.recipe import HOP, TUNE_ENCODER, WHOLE_HOP, cut_note_windows, encoder_of, mean_points

MOST_NOTES = 1000  # of a file; more are left out, and said so
MOST_NEIGHBOURS = 1000
NOTE_GRID = 12  # steps a beat of a hummed query that is to be heard


def tune_points() -> dict[str, np.ndarray]:
    """Points of all folk tunes: "windows" (W, D), "first" (N,) each tune's first window, "tunes" (N, D) their means.

    The first call takes about a minute and writes data/cache; later ones read it.
    """
    return cache.read_or_build(points_path(), _all_points, lambda line: print(line, file=sys.stderr))


def points_path() -> Path:
    """File of the points; its name changes with the weights and with the reader of the corpus."""
    weights = TUNE_ENCODER.checkpoint
    if not weights.exists():
        raise MusegenError(f"{weights.name}: no such checkpoint; run musegen train tune-encoder")
    seal = hashlib.sha256(weights.read_bytes() + cache_path("folk").name.encode()).hexdigest()[:12]
    return data_dir() / "cache" / f"tune-points-{seal}.npz"


def corpus_embeddings() -> Float[np.ndarray, "N D"]:
    """One point a tune, in the order of `load_folk_tunes()`."""
    return tune_points()["tunes"]


def similar_tunes(melody: Notes) -> Float[np.ndarray, "N"]:
    """How alike each folk tune is: the mean, over the melody's windows, of the cosine to the tune's best window."""
    points, asked = tune_points(), encoder_of(TUNE_ENCODER.load_once())(*cut_note_windows([melody], HOP)[:2])
    windows = points["windows"].astype(np.float32)
    best = [
        np.maximum.reduceat(windows @ part.T, points["first"]) for part in np.array_split(asked, -(-len(asked) // 32))
    ]
    return np.concatenate(best, axis=1).mean(axis=1)


def notes_to_piece(notes: Notes, title: str) -> Piece:
    """A hummed query as a piece to hear: lengths rounded to twelfths of a beat, each at least one of them."""
    steps = np.maximum(1, np.rint(notes.durations * NOTE_GRID)).astype(int)
    onsets = np.cumsum(steps) - steps
    rows = zip(onsets.tolist(), steps.tolist(), notes.pitches.tolist())
    return Piece.from_notes(rows, steps_per_beat=NOTE_GRID, metre=None, title=title)


def _all_points() -> dict[str, np.ndarray]:
    pitches, durations, owners = cut_note_windows(corpus_notes(load_folk_tunes()), WHOLE_HOP)
    points = encoder_of(TUNE_ENCODER.load_once())(pitches, durations)
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    return {"windows": points.astype(np.float16), "first": first, "tunes": mean_points(points, first)}
