"""`musegen evaluate transfer`: every method and every baseline under the same judges, both directions."""

from __future__ import annotations

from typing import Any

from tqdm.auto import tqdm

from musegen_lib.errors import MusegenError
from musegen_lib.metrics.transfer import content_report
from musegen_lib.piece import Piece
from musegen_lib.style_pair import STYLES, load_held_out, other_style
from musegen_lib.transfer import METHODS
from musegen_lib.transfer_baselines import (
    Rewriter,
    nearest_target,
    pasted_durations,
    random_target,
    transposed,
    unchanged,
)
from musegen_lib.transfer_measures import evaluate_method

AMOUNT = 0.2  # of the notes: what lesson 5 asks for
REFERENCES: dict[str, Rewriter] = {
    "unchanged": unchanged,
    "transposed": transposed,
    "pasted durations": pasted_durations,
    "random target": random_target,
    "nearest target": nearest_target,
}


def transfer_table(split: str, n_tunes: int | None = None, seed: int = 0) -> dict[str, Any]:
    """Measure every method on whole held-out tunes; rows by direction and method.

    Args:
        split: "valid" or "test".
        n_tunes: the first so many tunes of each style; None: all.
    Returns:
        "rows": one a direction and method, with what `evaluate_method` returns; first of all "real target", held-out
        tunes of the style itself, which are the ceiling of being judged and of fluency.
    """
    if n_tunes is not None and n_tunes < 1:
        raise MusegenError(f"--n-tunes {n_tunes}: give 1 or more")
    rows = []
    for to in STYLES:
        tunes = list(load_held_out(other_style(to), split))[:n_tunes]
        rows.append({"to": to, "method": "real target"} | _real(to, split, n_tunes))
        for name, rewrite in tqdm((REFERENCES | METHODS).items(), desc=f"to {to}", leave=False):
            rows.append({"to": to, "method": name} | evaluate_method(rewrite, to, AMOUNT, tunes, seed))
    rows = [{name: round(cell, 4) if isinstance(cell, float) else cell for name, cell in row.items()} for row in rows]
    return {"split": split, "amount": AMOUNT, "seed": seed, "rows": rows}


def _real(to: str, split: str, n_tunes: int | None) -> dict[str, Any]:
    """Real tunes of the target; nothing was kept of anything, so the measures of content are left out."""
    tunes = list(load_held_out(to, split))[:n_tunes]
    row = evaluate_method(_same, to, 0.0, tunes, 0)
    return {name: value for name, value in row.items() if name not in content_report(tunes[0], tunes[0])}


def _same(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    return piece
