"""Hum a tune, find its melody in another book: the benchmark of lesson 6, its noise and its counting baseline.

A query is 16 notes in a row of one fiddle tune, hummed badly. Each note, with probability p, goes wrong in one of
three equally likely ways: it is moved by 1 to 4 semitones up or down, it is left out, or a stranger within 4 semitones
comes after it, which takes half of its time. Each length is stretched by 2 ** N(0, p / 2), the whole is moved by up
to 6 semitones and sung at half to twice the tempo; these two are there at p = 0, too.
Right is the tune's version in another book (`splits.tune_variants`); the other versions of the tune, and the tune
itself, are taken out of the 4,433 fiddle tunes that are searched. Axes: Q queries, N tunes, M notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from musegen_lib.core.ranking import settled
from musegen_lib.corpus import Corpus, load_chorales, load_folk_tunes
from musegen_lib.corpus.splits import hymn_tunes, tune_variants
from musegen_lib.metrics.ranking import bootstrap_interval, hits_at, reciprocal_ranks
from musegen_lib.models.search.alignment import align, clipped, interval_text, ngram_counter, stacked

NOISES = (0.0, 0.1, 0.2, 0.3)
N_NOTES = 16
N_EXCERPTS = 3  # a family; figures are means over them first, so that a family counts once
FAR = 4  # semitones
MAX_SHIFT = 6
Rng = np.random.Generator


@dataclass(frozen=True)
class Notes:
    """A melody as two rows of numbers."""

    pitches: np.ndarray  # (M,) MIDI numbers
    durations: np.ndarray  # (M,) in beats or in any other unit


@runtime_checkable
class Scorer(Protocol):
    """What a searcher offers: how well each tune of the pool answers a hummed query, higher is better."""

    def __call__(self, query: Notes) -> Float[np.ndarray, "N"]:
        """Score the pool."""


@dataclass(frozen=True)
class Query:
    """One hummed excerpt, and what counts.

    Args:
        tune: number of the tune in the pool.
        right: (N,) its versions in other books.
        out: (N,) tunes that are neither right nor wrong: itself, and relatives that no alignment has verified.
        family: number of the joined family it stands for.
    """

    notes: Notes
    tune: int
    right: np.ndarray
    out: np.ndarray
    family: int


def corpus_notes(corpus: Corpus) -> list[Notes]:
    """The notes of every melody, durations in beats."""
    pitch, ticks, offsets = corpus.arrays["pitch"], corpus.arrays["duration"], corpus.arrays["offsets"]
    cuts = [slice(offsets[row], offsets[row + 1]) for row in corpus.rows]
    return [Notes(pitch[cut].astype(np.int64), ticks[cut] / 48) for cut in cuts]


def hum(notes: Notes, p: float, rng: np.random.Generator) -> Notes:
    """Sing an excerpt with noise p, in a key and tempo of its own, as the top of this file says.

    >>> sung = hum(Notes(np.array([60, 62, 64]), np.ones(3)), 0.0, np.random.default_rng(0))
    >>> np.diff(sung.pitches).tolist(), bool(np.ptp(sung.durations) == 0)
    ([2, 2], True)
    """
    pitches, durations, kept = hum_rows(notes.pitches[None], notes.durations[None], np.array([p]), rng)
    return Notes(pitches[0, kept[0]], durations[0, kept[0]])


def hum_rows(
    pitches: Int[np.ndarray, "B M"], durations: Float[np.ndarray, "B M"], p: Float[np.ndarray, "B"], rng: Rng
) -> tuple[Int[np.ndarray, "B L"], Float[np.ndarray, "B L"], Bool[np.ndarray, "B L"]]:
    """Sing many excerpts, each with its own p; notes come first in each row, the mask tells them from filling."""
    shape, every = pitches.shape, p[:, None]
    fault = np.where(rng.random(shape) < every, rng.integers(3, size=shape), -1)  # 0 wrong, 1 left out, 2 a stranger
    off = rng.integers(1, FAR + 1, size=shape) * rng.choice([-1, 1], size=shape)
    sung = np.stack([pitches + off * (fault == 0), pitches + off], axis=-1)  # (B, M, 2): a note, and who may follow
    lasts = np.repeat((durations / (1 + (fault == 2)))[..., None], 2, axis=-1)
    lasts = lasts * 2 ** (0.5 * every[..., None] * rng.standard_normal(lasts.shape))
    kept = np.stack([fault != 1, fault == 2], axis=-1).reshape(len(p), -1)
    shift = rng.integers(-MAX_SHIFT, MAX_SHIFT + 1, size=(len(p), 1))
    tempo = 2 ** rng.uniform(-1, 1, size=(len(p), 1))
    order = np.argsort(~kept, axis=1, kind="stable")[:, : max(1, int(kept.sum(axis=1).max(initial=0)))]
    flat = [np.take_along_axis(rows.reshape(len(p), -1), order, axis=1) for rows in (sung, lasts, kept)]
    return flat[0] + shift, flat[1] * tempo, flat[2]


def make_queries(part: str, p: float, seed: int = 0) -> list[Query]:
    """Three hummed excerpts of each family of a part, "valid" or "test"; no encoder trains on these families."""
    pool = load_folk_tunes(kind="dance")
    number = {tune: n for n, tune in enumerate(pool.column("id").tolist())}
    tunes, queries = corpus_notes(pool), []
    for family, entry in enumerate(tune_variants()):
        if entry["part"] != part:
            continue
        rng = np.random.default_rng((seed, family, round(100 * p)))
        pairs = np.array([[number[a], number[b]] for a, b in entry["pairs"]])
        members = [number[tune] for tune in entry["tunes"] if tune in number]
        long_enough = [tune for tune in np.unique(pairs).tolist() if len(tunes[tune].pitches) > N_NOTES]
        for _ in range(N_EXCERPTS):
            tune = int(rng.choice(long_enough))
            right = np.isin(np.arange(len(tunes)), pairs[(pairs == tune).any(axis=1)]) & (np.arange(len(tunes)) != tune)
            out = np.isin(np.arange(len(tunes)), members) & ~right
            queries.append(Query(hum(excerpt(tunes[tune], rng), p, rng), tune, right, out, family))
    return queries


def chorale_notes() -> tuple[list[Notes], Int[np.ndarray, "N"]]:
    """The soprano of each of the 365 chorales, and the number of its hymn tune, -1 where it shares it with no other."""
    chorales, number = load_chorales(), hymn_tunes()
    lines = [piece.voice(0) for piece in chorales]
    notes = [Notes(line.notes["pitch"].astype(np.int64), line.notes["duration_steps"] / 4) for line in lines]
    return notes, np.array([number.get(name, -1) for name in chorales.column("id").tolist()])


def make_chorale_queries(p: float, seed: int = 0) -> list[Query]:
    """Second benchmark: a chorale's melody hummed; right are other harmonisations of its hymn tune, out is itself."""
    tunes, hymns = chorale_notes()
    queries = []
    for hymn in np.unique(hymns[hymns >= 0]).tolist():
        rng = np.random.default_rng((seed, hymn, round(100 * p)))
        members = np.flatnonzero(hymns == hymn)
        for _ in range(N_EXCERPTS if len(members) > 1 else 0):
            tune = int(rng.choice(members))
            itself = np.arange(len(tunes)) == tune
            sung = hum(excerpt(tunes[tune], rng), p, rng)
            queries.append(Query(sung, tune, (hymns == hymn) & ~itself, itself, hymn))
    return queries


def excerpt(tune: Notes, rng: np.random.Generator) -> Notes:
    """N_NOTES notes in a row from anywhere in a tune."""
    start = int(rng.integers(len(tune.pitches) - N_NOTES + 1))
    return Notes(tune.pitches[start : start + N_NOTES], tune.durations[start : start + N_NOTES])


def rank_of(scores: Float[np.ndarray, "N"], right: Bool[np.ndarray, "N"], out: Bool[np.ndarray, "N"]) -> int:
    """Place of the best right tune among all that are not out, from 1; of equal scores the right one comes last.

    >>> rank_of(np.array([9.0, 3, 5, 4]), np.array([False, True, False, True]), np.array([True, False, False, False]))
    2
    """
    scores = settled(scores)
    best = scores[right].max()
    return int((scores[~right & ~out] >= best).sum()) + 1


def evaluate(scorer: Scorer, queries: Sequence[Query]) -> dict[str, float | list[float]]:
    """R@1, R@10 and MRR with 95 % intervals over families."""
    ranks = np.array([rank_of(scorer(query.notes), query.right, query.out) for query in queries])
    families = np.unique([query.family for query in queries], return_inverse=True)[1]
    found: dict[str, float | list[float]] = {"queries": float(len(queries)), "families": float(families.max() + 1)}
    measures = {"r@1": hits_at(ranks, 1), "r@10": hits_at(ranks, 10), "mrr": reciprocal_ranks(ranks)}
    for name, values in measures.items():
        means = np.bincount(families, values) / np.bincount(families)  # a family counts once
        found[name] = round(float(means.mean()), 4)
        found[f"{name}_interval"] = [round(bound, 4) for bound in bootstrap_interval(means)]
    return found


class RandomScorer:
    """The baseline: scores drawn by chance."""

    def __init__(self, n_tunes: int, seed: int = 0):
        self.n_tunes, self.rng = n_tunes, np.random.default_rng(seed)

    def __call__(self, query: Notes) -> Float[np.ndarray, "N"]:
        """Score the pool."""
        return self.rng.random(self.n_tunes)


class NgramScorer:
    """Cosine of TF-IDF weights of interval 3- to 6-grams: the counting method that the encoder has to beat."""

    def __init__(self, tunes: Sequence[Notes]):
        self.counter = ngram_counter()
        self.table = self.counter.fit_transform([interval_text(clipped(tune.pitches)) for tune in tunes])

    def __call__(self, query: Notes) -> Float[np.ndarray, "N"]:
        """Score the pool."""
        return (self.table @ self.counter.transform([interval_text(clipped(query.pitches))]).T).toarray()[:, 0]


class AlignmentScorer:
    """Smith-Waterman of the query's intervals with every tune: slow, and it knows what a wrong note does."""

    def __init__(self, tunes: Sequence[Notes]):
        melodies = [clipped(tune.pitches) for tune in tunes]
        self.order = np.argsort([len(melody) for melody in melodies], kind="stable")
        blocks = np.array_split(self.order, max(1, len(melodies) // 256))
        self.tables = [stacked([melodies[tune] for tune in block]) for block in blocks]

    def __call__(self, query: Notes) -> Float[np.ndarray, "N"]:
        """Score the pool."""
        scores = np.zeros(len(self.order), dtype=np.float32)
        scores[self.order] = np.concatenate([align(clipped(query.pitches), table) for table in self.tables])
        return scores
