"""The long experiments of lesson 6: who finds a hummed tune, and which parts of the encoder's training matter."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from musegen_lib.corpus import load_folk_tunes
from musegen_lib.models.search.batches import MOST_NOISE, PairBatches
from musegen_lib.models.search.borrowed_embeddings import rnn_points, vae_points
from musegen_lib.models.search.encoder import TuneEncoder
from musegen_lib.models.search.hum_benchmark import (
    N_EXCERPTS,
    NOISES,
    AlignmentScorer,
    NgramScorer,
    Notes,
    Query,
    RandomScorer,
    chorale_notes,
    corpus_notes,
    evaluate,
    make_chorale_queries,
    make_queries,
)
from musegen_lib.models.search.recipe import (
    TUNE_ENCODER,
    WHOLE_HOP,
    WindowSearch,
    encoder_of,
    families_and_notes,
    mean_points,
)
from musegen_lib.training import loop as training

SEEDS = (0, 1, 2)
SLOW = ("alignment", "RNN state")  # asked one query a family instead of N_EXCERPTS
RUNS = Path("runs/tune-encoder.safetensors")
SHARES = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the n-gram cosine in the sum with the encoder's, chosen on valid
CHOSEN_AT = 0.2
SMALL = {"width": 32, "dim": 32}
SMALL_STEPS, SMALL_BATCH, SMALL_HOP = 150, 128, 8
DESIGNS: dict[str, tuple[dict[str, Any], float]] = {  # name: changes, most noise
    "all parts": ({}, MOST_NOISE),
    "pitches, not intervals": ({"reads": "pitches"}, MOST_NOISE),
    "no negatives": ({"negatives": False}, MOST_NOISE),
    "families repel": ({"masked": False}, MOST_NOISE),
    "no noise in training": ({}, 0.0),
}
Scorer = Callable[[Notes], np.ndarray]


class WholeSearch(WindowSearch):
    """One point a tune, the mean of its windows, instead of the best window."""

    def __init__(self, search: WindowSearch):
        self.points, self.encode = mean_points(search.points, search.first), search.encode
        self.first = np.arange(len(self.points))


class Remembered:
    """A searcher that answers each query once and then from memory; the queries must live as long as it does."""

    def __init__(self, search: Scorer):
        self.search, self.known = search, {}

    def __call__(self, query: Notes) -> np.ndarray:
        """Score the pool."""
        if id(query) not in self.known:
            self.known[id(query)] = self.search(query)
        return self.known[id(query)]


class SumSearch:
    """Cosine of the encoder plus a share of the cosine of n-grams."""

    def __init__(self, first: Scorer, second: Scorer, share: float):
        self.first, self.second, self.share = first, second, share

    def __call__(self, query: Notes) -> np.ndarray:
        """Score the pool."""
        return self.first(query) + self.share * self.second(query)


def hum_search() -> list[dict[str, Any]]:
    """Every searcher on the test queries of both benchmarks, the encoder from three seeds; shares chosen on valid."""
    tunes, hymns = corpus_notes(load_folk_tunes(kind="dance")), chorale_notes()[0]
    questions = {p: make_queries("test", p) for p in NOISES}, {p: make_chorale_queries(p) for p in NOISES}
    rows = []
    for name, make in _fixed_searchers().items():
        for where, pool, asked in (("fiddle", tunes, questions[0]), ("chorales", hymns, questions[1])):
            fewer = {p: queries[::N_EXCERPTS] if name in SLOW else queries for p, queries in asked.items()}
            rows += [{"method": name, "where": where} | row for row in _measured(make(pool), fewer)]
    for seed in SEEDS:  # five minutes of training on a core each
        TUNE_ENCODER.train(RUNS, seed)
        encode = encoder_of(TUNE_ENCODER.load(RUNS))
        rows += _trained_rows(encode, tunes, hymns, questions, seed)
    return rows


def tune_designs() -> list[dict[str, Any]]:
    """Small encoders, each with one part of the design taken away, three seeds, on validation queries at p = 0.1."""
    tunes, families = families_and_notes(None)
    pool, asked = corpus_notes(load_folk_tunes(kind="dance")), make_queries("valid", 0.1)[::N_EXCERPTS]
    rows = []
    for name, (changes, noise) in DESIGNS.items():
        for seed in SEEDS:
            torch.manual_seed(seed)
            model = TuneEncoder(replace(TUNE_ENCODER.config, **SMALL, **changes))
            batches = PairBatches(tunes, families, SMALL_BATCH, seed, noise)
            settings = replace(TUNE_ENCODER.training, steps=SMALL_STEPS, validate_every=SMALL_STEPS, seed=seed)
            training.fit(model, batches, TUNE_ENCODER.valid_pairs()[:1], settings)
            search = WindowSearch(pool, encoder_of(model), SMALL_HOP)
            spread = float(np.linalg.norm(search.points - search.points.mean(axis=0), axis=1).mean())
            rows.append({"design": name, "seed": seed, "spread": round(spread, 4)} | evaluate(search, asked))
    floor = evaluate(RandomScorer(len(pool)), asked), evaluate(NgramScorer(pool), asked)
    return [*rows, {"design": "random order"} | floor[0], {"design": "n-grams"} | floor[1]]


def _fixed_searchers() -> dict[str, Callable[[Sequence[Notes]], Scorer]]:
    return {
        "random": lambda pool: RandomScorer(len(pool)),
        "n-grams": NgramScorer,
        "alignment": AlignmentScorer,
        "VAE mean": lambda pool: WindowSearch(pool, vae_points, WHOLE_HOP),
        "RNN state": lambda pool: WindowSearch(pool, rnn_points, WHOLE_HOP),
    }


def _measured(search: Scorer, questions: dict[float, list[Query]]) -> list[dict[str, Any]]:
    rows = []
    for p, asked in questions.items():
        started = time.process_time()
        found = evaluate(search, asked)
        rows.append({"p": p} | found | {"ms_a_query": round(1000 * (time.process_time() - started) / len(asked), 1)})
    return rows


def _trained_rows(encode: Any, tunes: list[Notes], hymns: list[Notes], questions: tuple, seed: int) -> list[dict]:
    search = WindowSearch(tunes, encode)
    encoded, counted = Remembered(search), Remembered(NgramScorer(tunes))
    trial = make_queries("valid", CHOSEN_AT)
    shares = {share: evaluate(SumSearch(encoded, counted, share), trial)["mrr"] for share in SHARES}
    share = max(shares, key=shares.get)
    searchers = {"encoder": encoded, "encoder, one point a tune": WholeSearch(search)}
    searchers["encoder + n-grams"] = SumSearch(encoded, counted, share)
    rows = [
        {"method": name, "where": "fiddle", "seed": seed} | row
        for name, one in searchers.items()
        for row in _measured(one, questions[0])
    ]
    over_hymns = _measured(WindowSearch(hymns, encode), questions[1])
    rows += [{"method": "encoder", "where": "chorales", "seed": seed} | row for row in over_hymns]
    return [row | ({"share": share} if "+" in row["method"] else {}) for row in rows]
