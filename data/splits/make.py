"""How data/splits was made: folk tunes shared out by families, and tunes that stand in two books, by alignment."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from musegen_lib.core.ranking import best_first
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.corpus.splits import group_by_shared_run, head_of
from musegen_lib.models.search.alignment import align, corpus_intervals, interval_text, ngram_counter, stacked

SAME_MELODY = 0.35  # the score over the mean length from which two tunes count as one melody
N_CANDIDATES = 20  # tunes that are aligned with each: those with the most n-grams in common


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
    for a, b in pairs:
        first, second = sorted((head_of(parent, a), head_of(parent, b)))
        parent[second] = first
    return [head_of(parent, tune) for tune in range(len(parent))]


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


def make_folk_split(ids: Sequence[str], pitches: Sequence[np.ndarray]) -> dict[str, list[str]]:
    """Share out families of tunes by a hash of the family's first id: a tenth each to valid and test.

    >>> make_folk_split(["b", "d"], [np.array([60, 62]), np.array([60, 64])])
    {'valid': ['d'], 'test': []}
    """
    parts = {"valid": [], "test": []}
    family = group_by_shared_run([np.diff(p.astype(int)) for p in pitches])
    for tune, head in zip(ids, family):
        digit = int(hashlib.sha256(ids[head].encode()).hexdigest(), 16) % 10
        if digit < 2:
            parts[("valid", "test")[digit]].append(tune)
    return parts
