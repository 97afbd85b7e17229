"""Budgets and figures, measured: how long the usual things take here, and what each model scores."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from musegen_lib import corpus
from musegen_lib.listen import render
from musegen_lib.recipes import RECIPES
from musegen_lib.score import engrave


def bench() -> dict[str, Any]:
    """Time loading, building, generating, rendering and engraving; score every model on the validation tunes."""
    corpus.load_folk_tunes()  # built before anything is timed
    chorale = corpus.find_piece("bwv66.6.mxl")
    rows: dict[str, Any] = {
        "load folk tunes, s": _seconds(_load_afresh),
        "render 1 minute of a chorale, s": _seconds(lambda: render(chorale)) * 60 / chorale.seconds,
        "engrave 8 bars of a chorale, s": _seconds(lambda: engrave(chorale.excerpt(8))),
    }
    for name, recipe in RECIPES.items():
        recipe.generate(1, 0)
        rows[f"{name}: 10 tunes, s"] = _seconds(lambda recipe=recipe: recipe.generate(10, 0))
        rows[f"{name}: valid nats per note"] = recipe.evaluate("valid")["nats_per_note"]
    return rows


def _load_afresh() -> None:
    corpus.forget()
    corpus.load_folk_tunes()


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
