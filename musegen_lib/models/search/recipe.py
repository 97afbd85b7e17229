"""Recipe of lesson 6: `tune-encoder`, tunes as points, near when their notes are alike; and a search by windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import FOLK_TERMS, load_folk_tunes
from musegen_lib.corpus.splits import group_by_shared_run, tune_variants
from musegen_lib.encodings.arrays import skyline
from musegen_lib.models.search.alignment import corpus_intervals
from musegen_lib.models.search.batches import PairBatches
from musegen_lib.models.search.encoder import PairBatch, TuneEncoder, TuneEncoderConfig, encode_rows
from musegen_lib.models.search.hum_benchmark import N_NOTES, Notes, corpus_notes
from musegen_lib.training import loop as training
from musegen_lib.training.pretrained import ShippedNet

HOP, WHOLE_HOP = 2, 4  # notes between windows: to search, and to average into one point a tune
FEWEST_NOTES = 3
N_VALID = 6  # batches

Encode = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (N, L) pitches and durations to (N, D) points


def families_and_notes(held_out: str | None) -> tuple[list[Notes], list[int]]:
    """Tunes and their families: those that no benchmark family holds (None), or those of one part of them."""
    corpus = load_folk_tunes()
    rows = [row for row in tune_variants() if held_out in (None, row["part"])]
    named = np.isin(corpus.column("id"), [tune for row in rows for tune in row["tunes"]])
    keep = np.flatnonzero(named if held_out else ~named)
    heads, notes = group_by_shared_run(corpus_intervals(corpus)), corpus_notes(corpus)
    return [notes[n] for n in keep], [heads[n] for n in keep]


class TuneEncoderRecipe(ShippedNet):
    """The contrastive encoder."""

    name = "tune-encoder"
    about = "A net that lays windows of tunes out as points, so that a tune hummed badly falls near itself."
    net = TuneEncoder
    config = TuneEncoderConfig()
    training = training.TrainConfig(
        steps=1200, learning_rate=3e-3, weight_decay=0.01, validate_every=200, patience=6, clip_norm=1.0
    )
    batch_size = 256

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train on all folk tunes but the benchmark's families; the best step is chosen on its validation families."""
        tunes, families = families_and_notes(None)
        model, run = self.fitted(
            PairBatches(tunes, families, self.batch_size, seed), self.valid_pairs(), out, seed, steps, minutes
        )
        data = f"windows of 16 notes of {len(tunes):,} folk tunes, the benchmark's families left out: {FOLK_TERMS}"
        return self.save_trained(out, model, run, data, seed, steps, minutes)

    def valid_pairs(self) -> list[PairBatch]:
        """Pairs of the families that validation queries come from; always the same ones."""
        batches = PairBatches(*families_and_notes("valid"), self.batch_size, seed=0)
        return [batches(step) for step in range(N_VALID)]


TUNE_ENCODER = TuneEncoderRecipe()


def cut_note_windows(tunes: Sequence[Notes], hop: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pitches and durations of windows of 16 notes, (N, 16) each, and the tune of each; the last window ends the tune.

    A tune with fewer notes is filled with its last note, held as long again.
    """
    pitches, durations, owners = [], [], []
    for number, tune in enumerate(tunes):
        last = max(0, len(tune.pitches) - N_NOTES)
        starts = np.unique(np.append(np.arange(0, last + 1, hop), last))
        places = np.minimum(starts[:, None] + np.arange(N_NOTES), len(tune.pitches) - 1)
        pitches.append(tune.pitches[places])
        durations.append(tune.durations[places])
        owners.append(np.full(len(starts), number))
    return np.concatenate(pitches), np.concatenate(durations), np.concatenate(owners)


class WindowSearch:
    """Every window of a pool as a point; a tune answers a query as well as its best window does."""

    def __init__(self, tunes: Sequence[Notes], encode: Encode, hop: int = HOP):
        pitches, durations, owners = cut_note_windows(tunes, hop)
        self.points = encode(pitches, durations)  # (W, D)
        self.first = np.flatnonzero(np.diff(owners, prepend=-1))
        self.encode = encode

    def __call__(self, query: Notes) -> Float[np.ndarray, "N"]:
        """Score the pool: cosine of the query and each tune's best window."""
        point = self.encode(query.pitches[None], query.durations[None])[0]
        return np.maximum.reduceat(self.points @ point, self.first).astype(np.float64)


def encoder_of(model: TuneEncoder) -> Encode:
    """The net as a function from arrays to points."""
    return lambda pitches, durations: encode_rows(model, np.clip(pitches, 0, 127), durations)


def melody_notes(piece: Piece) -> Notes:
    """The highest line of a piece, durations in beats."""
    notes = skyline(piece).notes
    if len(notes) < FEWEST_NOTES:
        raise MusegenError(f"{piece.title or 'the piece'}: its melody has {len(notes)} notes; wanted {FEWEST_NOTES}")
    return Notes(notes["pitch"].astype(np.int64), notes["duration_steps"] / piece.steps_per_beat)


def embed_notes(tunes: Sequence[Notes], model: TuneEncoder | None = None) -> Float[np.ndarray, "N D"]:
    """One point of length 1 a melody: the mean of its windows' points; it knows nothing of key and tempo."""
    model = model or TUNE_ENCODER.load_once()
    if not tunes:
        return np.zeros((0, model.config.dim), dtype=np.float32)
    pitches, durations, owners = cut_note_windows(tunes, WHOLE_HOP)
    points = encoder_of(model)(pitches, durations)
    return mean_points(points, np.flatnonzero(np.diff(owners, prepend=-1)))


def mean_points(points: Float[np.ndarray, "W D"], first: Int[np.ndarray, "N"]) -> Float[np.ndarray, "N D"]:
    """Mean of each tune's windows, of length 1 again; `first` says where each tune's windows begin."""
    sums = np.add.reduceat(points, first)
    return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)
