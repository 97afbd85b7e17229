"""Which melodies are versions of one another: local alignment of their intervals (Smith-Waterman).

An alignment may begin and end anywhere. Equal intervals score 1, different ones -1, and one left out on either side -1;
the score is the best sum. Divided by the mean number of intervals of the two it is 1 for a melody and itself.
Source: Smith and Waterman 1981, "Identification of common molecular subsequences".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from musegen_lib.corpus import Corpus

N_GRAMS = (3, 6)
ALIGNED_WIDEST = 24  # semitones; wider leaps count as this wide
FILL = 99  # an interval that no melody has


def corpus_intervals(corpus: Corpus) -> list[np.ndarray]:
    """Semitones from each note to the next of every melody, straight from the corpus's arrays."""
    pitch, offsets = corpus.arrays["pitch"].astype(np.int64), corpus.arrays["offsets"]
    return [clipped(pitch[offsets[row] : offsets[row + 1]]) for row in corpus.rows]


def clipped(pitches: Int[np.ndarray, "N"]) -> Int[np.ndarray, "M"]:
    """Intervals of a melody, at most ALIGNED_WIDEST either way.

    >>> clipped(np.array([60, 62, 60])).tolist()
    [2, -2]
    """
    return np.clip(np.diff(pitches), -ALIGNED_WIDEST, ALIGNED_WIDEST)


def stacked(melodies: Sequence[np.ndarray]) -> Int[np.ndarray, "M L"]:
    """Melodies as rows of one table, filled at the end; sort them by length first, and little of it is filling."""
    table = np.full((len(melodies), max(map(len, melodies), default=0)), FILL, dtype=np.int8)
    for row, melody in zip(table, melodies):
        row[: len(melody)] = melody
    return table


def align(query: Int[np.ndarray, "N"], table: Int[np.ndarray, "M L"]) -> Float[np.ndarray, "M"]:
    """Best local alignment of a melody with each row of a table, in points.

    >>> align(np.array([2, 2, 1]), stacked([np.array([5, 2, 2, 1, 7]), np.array([2, 9, 2, 1])])).tolist()
    [3.0, 2.0]
    """
    ramp = np.arange(table.shape[1] + 1, dtype=np.float32)
    score = np.zeros((len(table), len(ramp)), dtype=np.float32)  # best alignment that ends here
    best = np.zeros(len(table), dtype=np.float32)
    for interval in query.tolist():
        step = np.zeros_like(score)
        step[:, 1:] = np.maximum(score[:, :-1] + np.where(table == interval, 1, -1), score[:, 1:] - 1)
        score = np.maximum.accumulate(np.maximum(step, 0) + ramp, axis=1) - ramp  # left out in the row: -1 each
        np.maximum(best, score.max(axis=1), out=best)
    return best


def interval_text(intervals: Int[np.ndarray, "N"]) -> str:
    """One letter an interval, for tools that count n-grams of letters."""
    return "".join(chr(100 + interval) for interval in intervals.tolist())


def ngram_counter() -> Any:
    """A TfidfVectorizer of runs of three to six intervals; a rare run weighs more, a repeated one adds ever less."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # here, as it takes longer to import than all of this

    return TfidfVectorizer(analyzer="char", ngram_range=N_GRAMS, sublinear_tf=True, lowercase=False, dtype=np.float32)
