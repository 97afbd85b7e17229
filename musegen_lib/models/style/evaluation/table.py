"""`musegen evaluate transfer`: every method and every baseline of style transfer in one table, both directions."""

from __future__ import annotations

from typing import Any

import numpy as np
from tqdm import tqdm

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES, load_held_out, other_style
from musegen_lib.metrics.ranking import standard_error
from musegen_lib.models.style.baselines import (
    Rewriter,
    nearest_target,
    pasted_durations,
    random_target,
    transposed,
    unchanged,
)
from musegen_lib.models.style.evaluation.measures import believed, evaluate_pieces, real_tunes
from musegen_lib.models.style.method_names import METHODS
from musegen_lib.models.style.transfer import find_method

BASELINES: dict[str, Rewriter] = {
    "unchanged": unchanged,
    "transposed": transposed,
    "pasted durations": pasted_durations,
    "random target": random_target,
    "nearest target": nearest_target,
}
REAL, COUNTING = "real target tunes", "counts"
SURE, KEPT, NEAR, SIMILAR = 0.90, 0.80, 0.10, 0.63  # the targets, fixed before any method was measured
COLUMNS = {  # figure: heading in print
    "judged combined": "comb",
    "judged pitch": "pitch",
    "judged rhythm": "rhythm",
    "judged rolls": "rolls",
    "notes kept": "kept",
    "contour kept": "contour",
    "rhythm kept": "r kept",
    "chroma cosine": "chroma",
    "nats a note": "nats 3gr",
    "nats recurrent": "nats rnn",
    "in one scale": "scale",
    "copied": "copied",
}


def held_out_tunes(to: str, part: str, n_tunes: int | None = None) -> list[Piece]:
    """Held-out tunes that are to become `to`: all of the other style, or so many spread over them."""
    pieces = list(load_held_out(other_style(to), part))
    if n_tunes is None or n_tunes >= len(pieces):
        return pieces
    return [pieces[k] for k in np.linspace(0, len(pieces) - 1, n_tunes).round().astype(int).tolist()]


def transfer_table(part: str = "valid", n_tunes: int | None = None, amount: float = 0.2) -> list[dict[str, Any]]:
    """Rows of figures: for each direction the real target tunes, every baseline, every method of METHODS.

    `less counts` of a row is how much more often each classifier believes it than counting, tune by tune: [mean
    difference, its standard error].

    Args:
        part: "valid", or "test", which is looked at once.
        n_tunes: of each style; None: all that are held out. Real tunes are all.
        amount: largest share of notes that a method may change; baselines change what they say.
    Raises:
        MusegenError: another part, fewer than one tune, or an amount outside 0 to 1.
    """
    if part not in ("valid", "test"):
        raise MusegenError(f"split {part!r} is unknown; use valid or test")
    if n_tunes is not None and n_tunes < 1:
        raise MusegenError(f"{n_tunes} tunes are too few; give 1 or more, or leave it out for all")
    if not 0 <= amount <= 1:
        raise MusegenError(f"amount {amount:g} must lie in 0 to 1: it is the largest share of notes to change")
    return [row for to in STYLES for row in _direction(to, part, n_tunes, amount)]


def _direction(to: str, part: str, n_tunes: int | None, amount: float) -> list[dict[str, Any]]:
    real, pieces = real_tunes(to, part), held_out_tunes(to, part, n_tunes)
    rows, said = [], {}
    methods = {name: find_method(name) for name in METHODS}
    everyone = {"baseline": BASELINES, "method": methods}
    wanted = [(kind, name, rewrite) for kind, them in everyone.items() for name, rewrite in them.items()]
    for kind, name, rewrite in tqdm(wanted, desc=f"to {to}", leave=False):
        made = [rewrite(piece, to, amount, 0) for piece in pieces]
        said[name], found = believed(made, to), evaluate_pieces(pieces, made, to)
        rows.append({"to": to, "method": name, "kind": kind} | found | {"targets": targets_met(found, real)})
    for row in rows:
        row["less counts"] = less(said[row["method"]], said[COUNTING])
    return [{"to": to, "method": REAL, "kind": "real"} | real, *rows]


def less(mine: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Difference of two methods on the same tunes for each classifier: its mean, and the standard error of the mean.

    >>> less({"judged rolls": np.array([True, True])}, {"judged rolls": np.array([True, False])})
    {'judged rolls': [0.5, 0.5]}
    """
    changes = {name: mine[name].astype(float) - others[name] for name in mine}
    return {name: [round(float(d.mean()), 4), round(standard_error(d), 4)] for name, d in changes.items()}


def targets_met(found: dict[str, Any], real: dict[str, Any]) -> dict[str, bool]:
    """Which targets a row meets: judged as the target, notes kept, fluency beside real tunes, content over time.

    Fluency is met if neither model finds more than 0.10 nats a note beyond what it finds in real target tunes.
    """
    nats = ("nats a note", "nats recurrent")
    return {
        "judged": found["judged combined"] >= SURE,
        "kept": found["notes kept"] >= KEPT,
        "fluent": all(found[name] <= real[name] + NEAR for name in nats),
        "content": found["chroma cosine"] > SIMILAR,
    }


def transfer_report(part: str, n_tunes: int | None, amount: float) -> dict[str, Any]:
    """The table as the command prints it, digits rounded."""
    rows = [
        {name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()}
        for row in transfer_table(part, n_tunes, amount)
    ]
    return {"split": part, "amount": amount, "seed": 0, "rows": rows}


def table_lines(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as lines of text, a block for each direction; the last column names the targets that are missed."""
    width = max(len(row["method"]) for row in rows)
    lines = []
    for to in dict.fromkeys(row["to"] for row in rows):
        lines.append(f"to {to:{width - 3}}" + "".join(f"{heading:>9}" for heading in COLUMNS.values()) + "  missed")
        for row in (row for row in rows if row["to"] == to):
            cells = "".join(f"{row[name]:9.3f}" if name in row else f"{'':9}" for name in COLUMNS)
            missed = ", ".join(name for name, met in row.get("targets", {}).items() if not met)
            lines.append(f"{row['method']:{width}}{cells}  {missed}".rstrip())
    return lines
