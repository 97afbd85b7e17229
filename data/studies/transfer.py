"""The long experiment with style transfer: every method at each of AMOUNTS, trained nets from three seeds."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from musegen_lib.core.paths import committed, replacing
from musegen_lib.corpus.chinese_german import STYLES
from musegen_lib.models.style.baselines import Rewriter
from musegen_lib.models.style.evaluation.measures import evaluate_method, real_tunes
from musegen_lib.models.style.evaluation.table import BASELINES, REAL, held_out_tunes
from musegen_lib.models.style.method_names import METHODS
from musegen_lib.models.style.transfer import find_method, net_recipe
from musegen_lib.training.checkpoints import read_card
from musegen_lib.training.pretrained import ShippedNet

SEEDS = (0, 1, 2)
ONE_NET = ("vae-attribute",)  # lesson 3's VAE takes half an hour a seed
AMOUNTS = (0.05, 0.1, 0.2, 0.3)
USUAL = 0.2  # amount at which baselines are run; they change what they say
CELLS = Path("runs") / "transfer-curves"
KEY = ("method", "to", "amount", "seed", "stamp")
N_TUNES = 40  # validation tunes of each style, spread over them


def transfer_curves() -> list[dict[str, Any]]:
    """What each transfer method reaches at each of AMOUNTS, both ways, on validation tunes; nets from three seeds.

    Each cell is kept as soon as it is done, in runs/transfer-curves: a study that was stopped goes on there, and cells
    of the stored file are not run again while nets and methods are the same. A net is trained anew from each seed by
    its own recipe; the shipped one stands for the seed on its card. Methods without a net draw nothing and run once,
    and so do those of ONE_NET.
    """
    known, rows = known_cells(), []
    for to in STYLES:
        real = {"method": REAL, "to": to, "amount": 0.0, "seed": SEEDS[0], "stamp": "", "kind": "real"}
        rows.append(known.get(key_of(real)) or keep_cell(real, lambda to=to: real_tunes(to)))
        for name, rewrite in BASELINES.items():
            cell = {"method": name, "to": to, "amount": USUAL, "kind": "baseline"}
            rows.append(_measured(cell, rewrite, {"seed": SEEDS[0], "stamp": letters_of(rewrite)}, known))
    for name in METHODS:
        rows += method_cells(name, known)
    return rows


def method_cells(name: str, known: Mapping[tuple, dict[str, Any]]) -> list[dict[str, Any]]:
    """All cells of a method; what is known is taken from there."""
    recipe, rows = net_recipe(name), []
    letters = letters_of(find_method(name), recipe)
    for seed in SEEDS if recipe and name not in ONE_NET else SEEDS[:1]:
        wanted = [{"method": name, "to": to, "amount": a, "kind": "method"} for to in STYLES for a in AMOUNTS]
        stamp = {"seed": seed, "stamp": letters}
        if all(key_of(cell | stamp) in known for cell in wanted):
            rows += [known[key_of(cell | stamp)] for cell in wanted]
            continue
        rewrite = find_method(name, trained(recipe, seed) if recipe else None)
        rows += [_measured(cell, rewrite, stamp, known) for cell in wanted]
    return rows


def letters_of(rewrite: Rewriter, recipe: ShippedNet | None = None) -> str:
    """Eight letters that change with the shipped net of a rewriter, or with what it makes of one tune each way."""
    seal = hashlib.sha256((stamp_of(recipe) if recipe else "").encode())
    for to in STYLES:
        seal.update(rewrite(held_out_tunes(to, "valid", 1)[0], to, USUAL, 0).notes.tobytes())
    return seal.hexdigest()[:8]


def trained(recipe: ShippedNet, seed: int) -> Any:
    """The recipe's net from a seed: the shipped one if the seed is its own, else one trained now or kept before."""
    if read_card(recipe.checkpoint).get("seed") == seed:
        return recipe.load()
    path = CELLS / f"{recipe.name}-{stamp_of(recipe)}-seed{seed}.safetensors"
    if not path.exists():
        CELLS.mkdir(parents=True, exist_ok=True)
        recipe.train(path, seed)
    return recipe.load(path)


def stamp_of(recipe: ShippedNet) -> str:
    """Eight letters that change when the weights of the shipped net do."""
    return read_card(recipe.checkpoint)["sha256"][:8]


def known_cells() -> dict[tuple, dict[str, Any]]:
    """Cells that were measured before: those of the stored study, then those kept by runs on this machine."""
    path, rows = committed("studies/transfer-curves.json"), []
    if path.exists():
        rows += json.loads(path.read_text(encoding="utf-8"))["rows"]
    rows += [json.loads(file.read_text(encoding="utf-8")) for file in sorted(CELLS.glob("cell-*.json"))]
    return {key_of(row): row for row in rows if row.get("tunes_wanted") == N_TUNES}


def key_of(cell: Mapping[str, Any]) -> tuple:
    """What tells a cell from all others."""
    return tuple(cell.get(name) for name in KEY)


def keep_cell(cell: dict[str, Any], measure: Any) -> dict[str, Any]:
    """Measure a cell and write it at once."""
    started = time.process_time()
    found = {name: round(value, 4) if isinstance(value, float) else value for name, value in measure().items()}
    row = cell | found | {"tunes_wanted": N_TUNES, "seconds": round(time.process_time() - started, 1)}
    CELLS.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(repr(key_of(row)).encode()).hexdigest()[:12]
    with replacing(CELLS / f"cell-{name}.json") as temporary:
        temporary.write_text(json.dumps(row) + "\n", encoding="utf-8")
    return row


def _measured(
    cell: dict[str, Any], rewrite: Rewriter, stamp: dict[str, Any], known: Mapping[tuple, dict[str, Any]]
) -> dict[str, Any]:
    cell = cell | stamp
    pieces = held_out_tunes(cell["to"], "valid", N_TUNES)
    return known.get(key_of(cell)) or keep_cell(
        cell, lambda: evaluate_method(rewrite, cell["to"], cell["amount"], pieces, cell["seed"])
    )
