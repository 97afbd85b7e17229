"""Every recommender under the one protocol: tuned on validation, fitted again on train and valid, tested once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from musegen_lib.metrics.ranking import standard_error
from musegen_lib.models.recommend.als import ALS
from musegen_lib.models.recommend.models import EASE, MAX_ITEMS, Histories, ItemKNN, Popularity, Recommender
from musegen_lib.models.recommend.nets import MultVAEConfig, SessionGRUConfig, SessionGRURecommender, VAERecommender
from musegen_lib.models.recommend.protocol import (
    Found,
    Split,
    evaluate,
    mean_popularity,
)

SEEDS = (0, 1, 2)
LARGE = 50_000_000  # hearings x items: from here on nets take their first settings
LOOK_EVERY, PATIENCE = 2, 4  # epochs between two looks at validation; looks without a better one before a net stops
Say = Callable[[str], None]


class Chance:
    """A random order for each user: the floor below the floor."""

    def __init__(self, seed: int = 0):
        self.seed = seed

    def fit(self, heard: Histories) -> None:
        """Nothing to learn."""

    def score(self, heard: Histories) -> np.ndarray:
        """(U, I) random numbers."""
        return np.random.default_rng(self.seed).random((len(heard), heard.n_items))


@dataclass(frozen=True)
class Contest:
    """One kind of recommender: settings to choose among on validation, and how to build it."""

    build: Callable[..., Any]  # build(seed=..., **settings); nets: epochs among the settings
    grid: tuple[dict[str, Any], ...] = ({},)
    seeded: bool = False
    is_net: bool = False
    needs_order: bool = False
    needs_table: bool = False  # items by items


CONTESTS: dict[str, Contest] = {
    "random": Contest(lambda seed: Chance(seed), seeded=True),
    "popularity": Contest(lambda seed: Popularity()),
    "item-kNN": Contest(
        lambda seed, **settings: ItemKNN(**settings),
        tuple({"k": k, "shrink": shrink} for k in (20, 100, 400, 1600) for shrink in (0.0, 10.0, 50.0)),
        needs_table=True,
    ),
    "EASE": Contest(
        lambda seed, **settings: EASE(**settings),
        tuple({"l2": l2} for l2 in (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)),
        needs_table=True,
    ),
    "ALS": Contest(
        lambda seed, **settings: ALS(seed=seed, **settings),
        tuple(
            {"factors": f, "l2": l2, "alpha": a} for f in (8, 16, 64) for l2 in (0.05, 5.0, 50.0) for a in (1.0, 5.0)
        ),
        seeded=True,
    ),
    "VAE": Contest(
        lambda seed, **settings: VAERecommender(MultVAEConfig(seed=seed, **settings)),
        ({"beta": 0.2}, {"beta": 0.6}),
        seeded=True,
        is_net=True,
    ),
    "GRU": Contest(
        lambda seed, **settings: SessionGRURecommender(SessionGRUConfig(seed=seed, **settings)),
        ({"dropout": 0.3}, {"dropout": 0.5}),
        seeded=True,
        is_net=True,
        needs_order=True,
    ),
}


def tune(contest: Contest, split: Split) -> tuple[dict[str, Any], float]:
    """The settings with the best R@20 on validation, and that R@20; a net's epochs are one of them."""
    tried = [_try_net(contest, settings, split) if contest.is_net else (settings, None) for settings in contest.grid]
    if len(tried) == 1 and not contest.is_net:
        return tried[0][0], _on_valid(contest.build(seed=0, **tried[0][0]), split)
    scored = [(s, r if r is not None else _on_valid(contest.build(seed=0, **s), split)) for s, r in tried]
    return max(scored, key=lambda pair: pair[1])


def _on_valid(model: Recommender, split: Split) -> float:
    model.fit(split.train)
    return float(evaluate(model, split.train, split.valid).recall.mean())


def _try_net(contest: Contest, settings: dict[str, Any], split: Split) -> tuple[dict[str, Any], float]:
    """Train once, look at validation now and then, and remember after how many epochs it was best."""
    model, seen = contest.build(seed=0, **settings), {}

    def look(epoch: int) -> bool:
        if epoch % LOOK_EVERY == 0:
            seen[epoch] = float(evaluate(model, split.train, split.valid).recall.mean())
        return bool(seen) and epoch - max(seen, key=seen.get) >= PATIENCE * LOOK_EVERY

    model.fit(split.train, look)
    best = max(seen, key=seen.get)
    return {**settings, "epochs": best}, seen[best]


def run_contest(contest: Contest, split: Split, seeds: Iterable[int] = SEEDS) -> tuple[dict[str, Any], list[Found]]:
    """Tune, fit again on train and valid from each seed, and test; the settings and what each seed found."""
    settings, _ = tune(contest, split)
    found = []
    for seed in seeds if contest.seeded else (0,):
        model = contest.build(seed=seed, **settings)
        model.fit(split.known)
        found.append(evaluate(model, split.known, split.test))
    return settings, found


def benchmark(split: Split, seed: int = 0, say: Say = lambda text: None, names: Iterable[str] = ()) -> dict[str, Any]:
    """All contests that the data allow, one row each.

    Returns:
        "models": a row each; "left_out": why others are missing; "not_tuned": whose settings validation did not choose,
        and why.
    """
    report: dict[str, dict[str, Any]] = {"models": {}, "left_out": {}, "not_tuned": {}}
    users: dict[str, dict[str, np.ndarray]] = {}
    for name in names or CONTESTS:
        contest = CONTESTS[name]
        if reason := why_left_out(contest, split):
            report["left_out"][name] = reason
            continue
        if reason := why_not_tuned(contest, split):
            contest, report["not_tuned"][name] = replace(contest, grid=contest.grid[:1]), reason
        say(f"{name} is {'tested, its settings not tuned' if reason else 'tuned and tested'}")
        report["models"][name], users[name] = _enter(contest, split, range(seed, seed + len(SEEDS)))
        say(f"  R@20 {report['models'][name]['recall_at_20']:.3f}, {report['models'][name]['seconds']:.0f} s")
    for name, row in report["models"].items():
        if "EASE" in users and name != "EASE":
            row["minus_ease"] = _difference(users[name]["recall"], users["EASE"]["recall"])
    return report


def why_left_out(contest: Contest, split: Split) -> str:
    """Why the data do not allow a contest; empty where they do."""
    if contest.needs_order and not split.train.ordered:
        return "the file gives no order"
    if contest.needs_table and split.train.n_items > MAX_ITEMS:
        return f"more than {MAX_ITEMS:,} items"
    return ""


def why_not_tuned(contest: Contest, split: Split) -> str:
    """Why the settings of a contest are the first of its grid, unseen by validation; empty where it chooses them."""
    size = sum(map(len, split.known.sequences)) * split.known.n_items
    if not contest.is_net or len(contest.grid) == 1 or size <= LARGE:
        return ""
    first = ", ".join(f"{name} {value}" for name, value in contest.grid[0].items())
    few = f"the first of {len(contest.grid)} settings ({first}) was taken, and only the epochs chosen on validation"
    return f"{size:,} hearings times items are more than {LARGE:,}: {few}"


def _enter(contest: Contest, split: Split, seeds: Iterable[int]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Run a contest; its row, and what it measured of each user."""
    started = time.perf_counter()
    settings, found = run_contest(contest, split, seeds)
    users = {m: np.mean([getattr(f, m) for f in found], axis=0) for m in ("recall", "ndcg", "hit_next")}
    row = _row(settings, found, users, split)
    return row | {"seconds": round(time.perf_counter() - started, 1)}, users


def _row(settings: dict[str, Any], found: list[Found], users: dict[str, np.ndarray], split: Split) -> dict[str, Any]:
    known = split.known
    counts = np.asarray(known.matrix().sum(axis=0)).ravel()
    names = {"recall": "recall_at_20", "ndcg": "ndcg_at_20"} | ({"hit_next": "hit_next_at_10"} if known.ordered else {})
    row: dict[str, Any] = {"settings": settings, "seeds": len(found)}
    for short, name in names.items():
        row[name] = round(float(users[short].mean()), 4)
        row[f"{name}_standard_error"] = round(standard_error(users[short]), 4)
    of_seeds = [f.recall.mean() for f in found]
    row["recall_at_20_spread_of_seeds"] = round(float(np.std(of_seeds, ddof=1)), 4) if len(found) > 1 else 0.0
    row["coverage_at_20"] = round(float(np.mean([f.coverage(known.n_items) for f in found])), 4)
    row["popularity_of_recommended"] = round(float(np.mean([mean_popularity(f.lists, counts) for f in found])), 2)
    row["popularity_of_held_out"] = round(mean_popularity(list(split.test.sequences), counts), 2)
    return row


def _difference(mine: np.ndarray, ease: np.ndarray) -> dict[str, Any]:
    """R@20 less that of EASE over the same users; within noise: nearer to 0 than two standard errors."""
    difference, error = float((mine - ease).mean()), standard_error(mine - ease)
    found = {"recall_at_20": round(difference, 4), "standard_error": round(error, 4)}
    return found | {
        "verdict": "within noise" if abs(difference) <= 2 * error else "below" if difference < 0 else "above"
    }
