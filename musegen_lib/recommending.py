"""What sounds alike: the 12,895 folk tunes as points, the neighbours of any melody, and tunes written for a taste."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from musegen_lib.convert import read_piece
from musegen_lib.core.ranking import best_first
from musegen_lib.corpus import cache, cache_path, load_folk_tunes
from musegen_lib.errors import MusegenError
from musegen_lib.metrics.hum import Notes, corpus_notes
from musegen_lib.paths import data_dir
from musegen_lib.piece import Piece
from musegen_lib.recipes.tune_encoder import (
    HOP,
    TUNE_ENCODER,
    WHOLE_HOP,
    cut_windows,
    encoder_of,
    mean_points,
    melody_of,
)

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
    points, asked = tune_points(), encoder_of(TUNE_ENCODER.load_once())(*cut_windows([melody], HOP)[:2])
    windows = points["windows"].astype(np.float32)
    best = [
        np.maximum.reduceat(windows @ part.T, points["first"]) for part in np.array_split(asked, -(-len(asked) // 32))
    ]
    return np.concatenate(best, axis=1).mean(axis=1)


def similar_file(source: Path, n: int = 10) -> dict[str, Any]:
    """The n folk tunes most like the melody of a file, best first, and what of the file was read."""
    if not 1 <= n <= MOST_NEIGHBOURS:
        raise MusegenError(f"n {n} must lie in 1 to {MOST_NEIGHBOURS}")
    started = time.perf_counter()
    piece, told = read_piece(source)
    melody = melody_of(piece if piece.title else piece.replace(title=source.name))
    if len(melody.pitches) < len(piece):
        told = [*told, f"the highest line is read: {len(melody.pitches)} of {len(piece)} notes"]
    if len(melody.pitches) > MOST_NOTES:
        told = [*told, f"the first {MOST_NOTES} notes of the melody are read, of {len(melody.pitches)}"]
        melody = Notes(melody.pitches[:MOST_NOTES], melody.durations[:MOST_NOTES])
    scores, corpus = similar_tunes(melody), load_folk_tunes()
    order = best_first(scores, n)
    columns = {name: corpus.column(name) for name in ("id", "title", "style", "metre")}
    rows = [
        {"rank": rank, "cosine": round(float(scores[row]), 4)} | {k: str(v[row]) for k, v in columns.items()}
        for rank, row in enumerate(order.tolist(), start=1)
    ]
    seconds = round(time.perf_counter() - started, 2)
    return {"file": str(source), "notes": len(melody.pitches), "read": told, "similar": rows, "seconds": seconds}


def notes_to_piece(notes: Notes, title: str) -> Piece:
    """A hummed query as a piece to hear: lengths rounded to twelfths of a beat, each at least one of them."""
    steps = np.maximum(1, np.rint(notes.durations * NOTE_GRID)).astype(int)
    onsets = np.cumsum(steps) - steps
    rows = zip(onsets.tolist(), steps.tolist(), notes.pitches.tolist())
    return Piece.from_notes(rows, steps_per_beat=NOTE_GRID, metre=None, title=title)


def _all_points() -> dict[str, np.ndarray]:
    pitches, durations, owners = cut_windows(corpus_notes(load_folk_tunes()), WHOLE_HOP)
    points = encoder_of(TUNE_ENCODER.load_once())(pitches, durations)
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    return {"windows": points.astype(np.float16), "first": first, "tunes": mean_points(points, first)}
