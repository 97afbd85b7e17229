"""Experiments too long for a lesson: `make study NAME=vae-rates` runs one and keeps its numbers beside it.

Each study trains small nets from several seeds on one core and writes every raw number. A lesson reads the file with
`read_study`; anyone can run the study again.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import committed, replacing

STUDIES = {  # module of this folder: its studies; the function of "vae-rates" is vae_rates
    "form": ("melody-form", "melody-form-test"),
    "small_memory": ("small-memory",),
    "small_chorale": ("small-chorale",),
    "first_network": ("first-network",),
    "melody": ("melody-cells", "melody-context", "melody-sizes", "melody-counting", "melody-equal", "copy-distance"),
    "chorales": ("frames-benchmark", "chorale-splits"),
    "gan": ("gan-designs", "gan-motion", "gan-seeds", "gan-phrases-seeds", "gan-sizes"),
    "vae": ("vae-rates", "vae-collapse", "vae-sizes", "vae-designs", "vae-seeds"),
    "style": ("style-latents", "transfer-test"),
    "transfer": ("transfer-curves",),
    "harmony": ("style-harmony",),
    "phrases": ("chorale-phrases", "chorale-practice"),
    "voices": ("chorale-voices", "chorale-judge"),
    "recommend": ("hum-search", "tune-designs"),
    "listeners": ("listener-contest", "listener-cold", "listener-loop"),
}
NAMES = tuple(name for names in STUDIES.values() for name in names)


def find_study(name: str) -> Callable[[], list[dict[str, Any]]]:
    """The function that runs a study; MusegenError lists the names there are."""
    if name not in NAMES:
        raise MusegenError(f"study {name!r} is unknown; choose one of {', '.join(NAMES)}")
    module = next(module for module, names in STUDIES.items() if name in names)
    return getattr(import_module(f"data.studies.{module}"), name.replace("-", "_"))


def run_study(name: str, out: Path | None = None) -> dict[str, Any]:
    """Run a study on one core and write its file; returns what was written."""
    study = find_study(name)
    torch.set_num_threads(1)
    started = time.process_time()
    rows = study()
    found = {
        "study": name,
        "command": f"make study NAME={name}",
        "about": (study.__doc__ or "").partition("\n")[0],
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


def main(names: list[str]) -> None:
    """Run the studies named; without a name, list them."""
    for name in names:
        print(f"{name}: {run_study(name)['minutes_on_one_core']} minutes")
    if not names:
        print("make study NAME=one of:", *NAMES, sep="\n  ")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except MusegenError as fault:
        sys.exit(f"study: {fault}")
