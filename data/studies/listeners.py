"""Studies with SIMULATED listeners: the contest of recommenders, cold start from notes, and a loop of feedback."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Float

from data.studies.cold_start import cold_start, hybrid, tune_content
from musegen_lib.core.ranking import best_first
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.models.recommend.benchmark import benchmark
from musegen_lib.models.recommend.models import EASE, Histories, Popularity
from musegen_lib.models.recommend.protocol import keep_core, split_histories, to_histories
from musegen_lib.models.recommend.simulator import DRIFT, Simulation, draw, liking, simulate
from musegen_lib.models.search.similar import corpus_embeddings

WORLDS = (0, 1, 2)
SIZE = {"n_listeners": 400, "n_tunes": 500, "plays": 40.0}
ROUNDS, PLAYS_A_ROUND, SHOWN = 8, 5, 20
RUNS = {"unheard tunes": cold_start, "all tunes": hybrid}
POLICIES = ("nothing", "random", "popularity", "EASE")


def listener_contest() -> list[dict[str, Any]]:
    """All recommenders on three simulated worlds of 400 listeners and 500 real tunes, one row a world and model."""
    rows = []
    for seed in WORLDS:
        heard, _ = keep_core(to_histories(simulate(**SIZE, seed=seed).played))
        for name, row in benchmark(split_histories(heard), seed, print)["models"].items():
            rows.append({"simulated": True, "seed": seed, "model": name, **row})
    return rows


def listener_cold() -> list[dict[str, Any]]:
    """Tunes nobody has heard, found by their notes, and a hybrid on all tunes: three simulated worlds.

    The notes come as n-grams of intervals, and as the points of lesson 6's tune encoder.
    """
    rows, corpus, points = [], load_folk_tunes(), corpus_embeddings()
    for seed in WORLDS:
        world = simulate(**SIZE, seed=seed)
        contents = {
            "n-grams": tune_content([corpus[int(row)] for row in world.tunes]),
            "encoder": points[world.tunes],
        }
        for (name, content), (pool, run) in product(contents.items(), RUNS.items()):
            same = {"simulated": True, "seed": seed, "content": name, "pool": pool}
            rows += [same | row for row in run(world, content, seed)]
    return rows


def listener_loop() -> list[dict[str, Any]]:
    """Recommend, listen, learn again, eight rounds, three simulated worlds; what becomes of variety, policy by policy.

    In each round a simulated listener plays five tunes: with "nothing" out of all tunes, else out of the 20 that are
    shown, drawn by the same liking; so only the shop window differs.
    """
    return [row for seed in WORLDS for policy in POLICIES for row in loop(simulate(**SIZE, seed=seed), policy, seed)]


def loop(world: Simulation, policy: str, seed: int) -> list[dict[str, Any]]:
    """One row a round: how alike a listener's plays are, how many tunes are heard at all, and how evenly."""
    rng = np.random.default_rng(seed + 1000)
    n_items = len(world.tunes)
    rows, heard = [], to_histories(world.played)
    heard = replace(heard, sequences=tuple(row[:10] for row in heard.sequences))  # where everyone begins
    for number in range(1, ROUNDS + 1):
        shown = _shown(policy, heard, rng)
        moods = world.tastes + DRIFT * rng.normal(size=world.tastes.shape) / np.sqrt(world.tastes.shape[1])
        weights = np.where(shown, liking(world, moods), -np.inf)
        plays = np.stack([draw(weights, rng) for _ in range(PLAYS_A_ROUND)], axis=1)  # (U, 5)
        heard = _heard_more(heard, plays)
        traits = world.traits[plays]  # (U, 5, K)
        pairs = np.triu_indices(PLAYS_A_ROUND, 1)
        likeness = np.einsum("upk,uqk->upq", traits, traits)[:, pairs[0], pairs[1]].mean()
        counts = np.bincount(plays.ravel(), minlength=n_items)
        row = {"round": number, "likeness": likeness, "coverage": (counts > 0).mean(), "gini": gini(counts)}
        liked = (world.tastes[:, None] * traits).sum(axis=2).mean()
        rows.append({"simulated": True, "seed": seed, "policy": policy} | _rounded({**row, "liked": liked}))
    return rows


def gini(counts: Float[np.ndarray, "I"] | np.ndarray) -> float:
    """How unevenly plays fall on tunes: 0 if each gets as many, towards 1 if one gets all.

    >>> gini(np.array([5, 5, 5])), gini(np.array([0, 0, 0, 12]))
    (0.0, 0.75)
    """
    ordered = np.sort(counts).astype(float)
    n = len(ordered)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * max(ordered.sum(), 1e-9)))


def _shown(policy: str, heard: Histories, rng: np.random.Generator) -> np.ndarray:
    """(U, I) truth values: which tunes a listener can choose from."""
    shape = (len(heard), heard.n_items)
    if policy == "nothing":
        return np.ones(shape, dtype=bool)
    if policy == "random":
        scores = rng.random(shape)
    else:
        model = EASE(l2=100.0) if policy == "EASE" else Popularity()
        model.fit(heard)
        scores = np.array(model.score(heard), dtype=float)
    shown = np.zeros(shape, dtype=bool)
    np.put_along_axis(shown, best_first(scores, SHOWN), True, axis=1)
    return shown


def _heard_more(heard: Histories, plays: np.ndarray) -> Histories:
    """The histories with new plays; an item counts once."""
    rows = (np.concatenate([old, new]) for old, new in zip(heard.sequences, plays, strict=True))
    return replace(heard, sequences=tuple(row[np.sort(np.unique(row, return_index=True)[1])] for row in rows))


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: round(float(value), 4) if name != "round" else int(value) for name, value in row.items()}
