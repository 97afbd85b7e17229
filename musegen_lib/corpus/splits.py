"""Which piece belongs to train, valid or test; decided by piece or tune, never by window.

Folk tunes that share a run of 16 intervals are versions of one melody: they fall on the same side. Without this rule
3,842 of the 12,895 tunes have such a relative, and many of them would stand on the other side of the split.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import committed

SPLITS = ("train", "valid", "test")
SHARED_INTERVALS = 16
VARIANT_FIELDS = ("part", "tunes", "pairs")
MIN_DISTINCT = 4  # a run of fewer different intervals (a trill, a scale) proves no kinship


def chorale_split(split: str) -> dict[str, str]:
    """File name -> train, valid or test, for split "tune" (no hymn tune on two sides) or "jsb" (the benchmark's)."""
    if split == "tune":
        return _read("bach_split_leakfree.json", _by_name)
    if split == "jsb":
        return _read("jsb_split_by_music21_file.json", lambda t: {name: row["split"] for name, row in t.items()})
    raise MusegenError(f"split {split!r} is unknown; use 'tune' or 'jsb'")


def hymn_tunes() -> dict[str, int]:
    """File name -> number of the hymn tune that a chorale sets; files that share no tune with another are left out."""
    return _read("bach_tune_groups.json", lambda t: {name: n for n, group in enumerate(t) for name in group["files"]})


def folk_split() -> dict[str, str]:
    """Tune id -> valid or test, as committed; a tune that is not listed belongs to train."""
    return _read("folk_split.json", _by_name)


def tune_variants() -> list[dict[str, Any]]:
    """Families of fiddle tunes that stand in two books: "part", "tunes" (ids), "pairs" (verified, ids), as committed.

    `make_tune_variants` in data/splits/make.py finds them.
    """
    return _read("tune_variants.json", lambda table: [{name: row[name] for name in VARIANT_FIELDS} for row in table])


def group_by_shared_run(intervals: Sequence[np.ndarray]) -> list[int]:
    """Number each melody by the first one of its family; a family shares runs of 16 intervals in a chain."""
    parent = list(range(len(intervals)))
    first_seen: dict[bytes, int] = {}
    for tune, steps in enumerate(intervals):
        run = steps.astype(np.int8).tobytes()  # one byte an interval
        for start in range(len(run) - SHARED_INTERVALS + 1):
            window = run[start : start + SHARED_INTERVALS]
            if len(set(window)) >= MIN_DISTINCT:
                other = first_seen.setdefault(window, tune)
                a, b = sorted((head_of(parent, tune), head_of(parent, other)))
                parent[b] = a
    return [head_of(parent, tune) for tune in range(len(intervals))]


def head_of(parent: list[int], tune: int) -> int:
    """The first tune of a family, along the chain of parents, which gets shorter on the way."""
    while parent[tune] != tune:
        parent[tune] = parent[parent[tune]]
        tune = parent[tune]
    return tune


def _by_name(table: dict[str, list[str]]) -> dict[str, str]:
    return {name: part for part, names in table.items() for name in names}


def _read(name: str, take: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Take what is wanted out of a file of splits; MusegenError if it is missing, no JSON, or of another form."""
    path = committed(f"splits/{name}")
    try:
        return take(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, AttributeError, TypeError, KeyError) as fault:
        raise MusegenError(f"{path.name}: the split file is missing or unreadable; restore data/splits") from fault
