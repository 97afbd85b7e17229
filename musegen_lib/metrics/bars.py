"""One table for models of four-voice bars: every figure of a set of short pieces beside held-out real ones.

A set is measured as a whole: a classifier tries to distinguish it from the real set, histograms are laid over each
other, and copies are counted. The baselines and the ceiling (noise, mixed voices, training bars) go through the same
function.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import piece_to_grid
from musegen_lib.metrics.features import window_features
from musegen_lib.metrics.histograms import duration_histogram, pitch_classes_per_bar
from musegen_lib.metrics.overlap import histogram_overlap
from musegen_lib.metrics.table import tonal_distance_of_outer_voices
from musegen_lib.metrics.texture import empty_bars_rate, polyphony
from musegen_lib.metrics.tonality import key_fit
from musegen_lib.metrics.two_sample import classifier_two_sample, frechet_distance
from musegen_lib.metrics.voices import RULES

FIGURES = {  # name: unit
    "two-sample accuracy": "0.5 = cannot tell, 1 = always",
    "accuracy, spread of folds": "standard deviation",
    "frechet distance": "squared deviations",
    "note-length overlap": "0 to 1",
    "pitch classes used": "a bar",
    "empty bars": "%",
    "key fit": "% of time",
    "tonal distance, outer voices": "0 to 2.83",
    "polyphony": "pitches",
    "voice crossing": "% of steps",
    "triads and sevenths": "% of beats",
    "parallel fifths": "per 100 chord changes",
    "parallel octaves": "per 100 chord changes",
    "exact copies": "% of pieces",
    "distinct": "in 1,000",
}


def bar_identity(piece: Piece) -> bytes:
    """The same for two pieces whose voices do the same at the same steps, at any transposition."""
    grid = piece_to_grid(piece)
    lowest = min(np.abs(grid[grid != 0]), default=0)
    return np.where(grid == 0, 0, np.sign(grid) * (np.abs(grid) - lowest + 1)).astype(np.int16).tobytes()


def copied_share(pieces: Sequence[Piece], training: Sequence[Piece], known: frozenset[bytes] | None = None) -> float:
    """Share of the pieces that are, note for note, some training piece at some transposition.

    Args:
        known: the identities of `training`, if the caller keeps them.
    """
    known = frozenset(map(bar_identity, training)) if known is None else known
    return float(np.mean([bar_identity(piece) in known for piece in pieces]))


def distinct_per_1000(pieces: Sequence[Piece], n: int = 1000) -> float:
    """Different pieces, transpositions not counted, among the first n; scaled to 1,000."""
    first = [bar_identity(piece) for piece in pieces[:n]]
    return 1000 * len(set(first)) / len(first)


def pooled_durations(pieces: Sequence[Piece]) -> np.ndarray:
    """(12,) share of all notes of a set in each class of length."""
    return np.nansum([duration_histogram(piece) * len(piece) for piece in pieces], axis=0)


def bar_report(
    pieces: Sequence[Piece],
    real: Sequence[Piece],
    training: Sequence[Piece],
    real_pieces: Int[np.ndarray, "N"] | None = None,
    made_pieces: Int[np.ndarray, "M"] | None = None,
    n_seeds: int = 3,
    kept: tuple[np.ndarray, frozenset[bytes]] | None = None,
) -> dict[str, float]:
    """Every figure of FIGURES for a set of four-voice pieces.

    Args:
        pieces: the set, at least five; the classifier and the distance read equally many of it and of `real`.
        real: held-out music, windows of the same length.
        training: what copies are looked for in.
        real_pieces, made_pieces: the work that each piece of `real` and of the set comes from, so that the classifier
            never trains and tests on one work; a number in both is one work. None: each is its own.
        kept: `window_features(real)` and the identities of `training`, if the caller measures many sets.
    """
    rows_of_real, known = kept or (window_features(real), None)
    rng, n = np.random.default_rng(0), min(len(pieces), len(real))
    a, b = rng.permutation(len(real))[:n], rng.permutation(len(pieces))[:n]
    real_rows, made_rows = rows_of_real[a], window_features(pieces)[b]
    works = np.arange(len(real)) if real_pieces is None else np.asarray(real_pieces)
    own = None if made_pieces is None else np.asarray(made_pieces)[b]
    told = classifier_two_sample(real_rows, made_rows, works[a], own, "trees", n_seeds)
    measured = (
        told.accuracy,
        told.seed_spread,
        frechet_distance(real_rows, made_rows),
        histogram_overlap(pooled_durations(pieces), pooled_durations(real)),
        float(np.mean(np.concatenate([pitch_classes_per_bar(piece) for piece in pieces]))),
        100 * _mean(empty_bars_rate, pieces),
        100 * _mean(key_fit, pieces),
        _mean(tonal_distance_of_outer_voices, pieces),
        _mean(polyphony, pieces),
        _pooled("voice crossing", pieces),
        _pooled("triads and sevenths", pieces),
        _pooled("parallel fifths", pieces),
        _pooled("parallel octaves", pieces),
        100 * copied_share(pieces, training, known),
        distinct_per_1000(pieces),
    )
    return dict(zip(FIGURES, measured, strict=True))


def _mean(measure, pieces: Sequence[Piece]) -> float:
    return float(np.nanmean([measure(piece) for piece in pieces]))


def _pooled(rule: str, pieces: Sequence[Piece]) -> float:
    hits, chances = np.sum([RULES[rule](piece) for piece in pieces], axis=0)
    return 100 * float(hits) / max(1, int(chances))
