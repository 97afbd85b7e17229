"""Experiments too long for a lesson: `musegen study NAME` runs one, data/studies keeps its numbers, lessons draw them.

Each study trains small nets from several seeds on one core and writes every raw number. A lesson reads the file with
`read_study`; anyone can run the study again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from data.studies.chorales import chorale_splits, frames_benchmark
from data.studies.gan import gan_designs, gan_seeds, gan_sizes
from data.studies.harmony import style_harmony
from data.studies.listeners import RECOMMEND_STUDIES
from data.studies.melody import copy_distance, melody_cells, melody_context, melody_counting, melody_sizes
from data.studies.recommend import hum_search, tune_designs
from data.studies.style import style_latents, transfer_test
from data.studies.transfer import transfer_curves
from data.studies.vae import VAE_STUDIES
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import committed, replacing

STUDIES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "melody-cells": melody_cells,
    "melody-context": melody_context,
    "melody-sizes": melody_sizes,
    "melody-counting": melody_counting,
    "copy-distance": copy_distance,
    "frames-benchmark": frames_benchmark,
    "chorale-splits": chorale_splits,
    "gan-designs": gan_designs,
    "gan-seeds": gan_seeds,
    "gan-sizes": gan_sizes,
    "transfer-curves": transfer_curves,
    **VAE_STUDIES,
    "style-latents": style_latents,
    "transfer-test": transfer_test,
    "style-harmony": style_harmony,
    "hum-search": hum_search,
    "tune-designs": tune_designs,
    **RECOMMEND_STUDIES,
}


def run_study(name: str, out: Path | None = None) -> dict[str, Any]:
    """Run a study on one core and write its file; returns what was written."""
    if name not in STUDIES:
        raise MusegenError(f"study {name!r} is unknown; choose one of {', '.join(STUDIES)}")
    torch.set_num_threads(1)
    started = time.process_time()
    rows = STUDIES[name]()
    found = {
        "study": name,
        "command": f"musegen study {name}",
        "about": (STUDIES[name].__doc__ or "").partition("\n")[0],
        "seeds": sorted({row["seed"] for row in rows if "seed" in row}),
        "versions": {package: version(package).partition("+")[0] for package in ("torch", "numpy", "music21")},
        "rows": rows,
        "minutes_on_one_core": round(max(time.process_time() - started, _kept_seconds(rows)) / 60, 1),
    }
    path = out or committed(f"studies/{name}.json")
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def _kept_seconds(rows: list[dict[str, Any]]) -> float:
    """What rows took that say so: some of them may have been kept from an earlier run."""
    return sum(row.get("seconds", 0.0) for row in rows)
