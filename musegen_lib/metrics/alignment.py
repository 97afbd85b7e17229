"""Which melodies are versions of one another: local alignment of their intervals (Smith-Waterman).

An alignment may begin and end anywhere. Equal intervals score 1, different ones -1, and one left out on either side -1;
the score is the best sum. Divided by the mean number of intervals of the two it is 1 for a melody and itself.
Source: Smith and Waterman 1981, "Identification of common molecular subsequences".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int
from sklearn.feature_extraction.text import TfidfVectorizer

from musegen_lib.core.ranking import best_first
from musegen_lib.corpus import Corpus, load_folk_tunes
from musegen_lib.corpus.splits import group_by_shared_run

SAME_MELODY = 0.35  # the score over the mean length from which two tunes count as one melody
N_CANDIDATES = 20  # tunes that are aligned with each: those with the most n-grams in common
N_GRAMS = (3, 6)
WIDEST = 24  # semitones; wider leaps count as this wide
FILL = 99  # an interval that no melody has


def corpus_intervals(corpus: Corpus) -> list[np.ndarray]:
    """Semitones from each note to the next of every melody, straight from the corpus's arrays."""
    pitch, offsets = corpus.arrays["pitch"].astype(np.int64), corpus.arrays["offsets"]
    return [clipped(pitch[offsets[row] : offsets[row + 1]]) for row in corpus.rows]


def clipped(pitches: Int[np.ndarray, "N"]) -> Int[np.ndarray, "M"]:
    """Intervals of a melody, at most WIDEST either way.

    >>> clipped(np.array([60, 62, 60])).tolist()
    [2, -2]
    """
    return np.clip(np.diff(pitches), -WIDEST, WIDEST)


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


def ngram_counter() -> TfidfVectorizer:
    """Counts runs of three to six intervals; a rare run weighs more, a repeated one adds ever less."""
    return TfidfVectorizer(analyzer="char", ngram_range=N_GRAMS, sublinear_tf=True, lowercase=False, dtype=np.float32)


def find_pairs(melodies: Sequence[np.ndarray], books: Sequence[str], mirrored: bool = False) -> list[tuple[int, int]]:
    """Pairs of tunes out of two books that are the same melody; takes two minutes for the 4,433 fiddle tunes.

    Args:
        mirrored: the control: one side is played backwards and upside down, so that every pair found is chance.
    """
    sides = [-melody[::-1] for melody in melodies] if mirrored else melodies
    counter = ngram_counter()
    counts = counter.fit_transform([interval_text(melody) for melody in melodies])
    asked = counter.transform([interval_text(melody) for melody in sides])
    book = np.unique(np.asarray(books), return_inverse=True)[1]
    length = np.array([max(1, len(melody)) for melody in melodies])
    found = set()
    for tune, melody in enumerate(sides):
        alike = (counts @ asked[tune].T).toarray()[:, 0]
        near = best_first(np.where(book == book[tune], np.float32(-1), alike), N_CANDIDATES)
        near = near[book[near] != book[tune]]
        points = align(melody, stacked([melodies[other] for other in near]))
        same = near[points / ((length[tune] + length[near]) / 2) >= SAME_MELODY]
        found |= {(min(tune, other), max(tune, other)) for other in same.tolist()}
    return sorted(found)


def join(families: Sequence[int], pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Merge families that a pair connects; each member is numbered by the first tune of its joined family.

    >>> join([0, 1, 1, 3, 4], [(0, 2), (3, 4)])
    [0, 0, 0, 3, 3]
    """
    parent = list(families)

    def head(tune: int) -> int:
        while parent[tune] != tune:
            tune = parent[tune]
        return tune

    for a, b in pairs:
        first, second = sorted((head(a), head(b)))
        parent[second] = first
    return [head(tune) for tune in range(len(parent))]


def make_tune_variants() -> list[dict[str, object]]:
    """Joined families of fiddle tunes that stand in two books: their part, all their tunes, and the verified pairs.

    Tunes of all collections that share a run of 16 intervals are joined to them, so that none of these melodies is left
    among the tunes an encoder learns from. A third of the families is for validation, by a hash of the first id.
    """
    everything, dances = load_folk_tunes(), load_folk_tunes(kind="dance")
    ids, melodies = everything.column("id").tolist(), corpus_intervals(everything)
    number = {tune: n for n, tune in enumerate(ids)}
    place = [number[tune] for tune in dances.column("id").tolist()]
    found = find_pairs([melodies[n] for n in place], dances.column("collection").tolist())
    pairs = [(place[a], place[b]) for a, b in found]
    heads = join(group_by_shared_run(melodies), pairs)
    families: dict[int, dict[str, list]] = {heads[a]: {"tunes": [], "pairs": []} for a, _ in pairs}
    for a, b in pairs:
        families[heads[a]]["pairs"].append([ids[a], ids[b]])
    for n, head in enumerate(heads):
        if head in families:
            families[head]["tunes"].append(ids[n])
    return [{"part": _part(ids[head])} | family for head, family in sorted(families.items())]


def _part(first: str) -> str:
    return "valid" if int(hashlib.sha256(first.encode()).hexdigest(), 16) % 3 == 0 else "test"
