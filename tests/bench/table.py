"""The table of `make bench`: written as JSON and as text, and held against the committed one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import replacing
from tests.bench.run import NATS, Figure

HEAD = """# Speeds, figures and sizes

Written by `make bench KEEP=1`; `make bench` says what differs. Processor time, speeds on one thread. "times faster"
compares ours with the peer named behind the colon, on the same work in the same process: below 1 ours is slower. Ours
also checks what it reads and reports what it repaired. miditok is no peer here: it reads MIDI by symusic,
which has its own row, and brings seven more packages.

| figure | value | unit | may move by |
|---|---|---|---|
"""
UNITS = {"ratio": "times faster"}


def write_table(figures: Sequence[Figure], folder: Path) -> None:
    """Write bench.json and bench.md into a folder."""
    rows = [{"name": figure.name, "value": float(f"{figure.value:.4g}"), "unit": figure.unit} for figure in figures]
    lines = [f"| {f.name} | {f.value:.4g} | {UNITS.get(f.unit, f.unit)} | {_tolerance(f)} |" for f in figures]
    for name, text in (("bench.json", json.dumps(rows, indent=1)), ("bench.md", HEAD + "\n".join(lines))):
        with replacing(folder / name) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def read_table(path: Path) -> list[Figure]:
    """Read bench.json; an empty list where there is none yet."""
    if not path.exists():
        return []
    try:
        return [Figure(str(row["name"]), float(row["value"]), str(row["unit"])) for row in json.loads(path.read_text())]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as fault:
        raise MusegenError(f"{path.name}: no readable table; restore it or run make bench KEEP=1") from fault


def changes(before: Sequence[Figure], now: Sequence[Figure]) -> list[str]:
    """One line for each figure that moved by more than its tolerance, is new, or is gone.

    >>> changes([Figure("a", 2.0, "ratio"), Figure("b", 1.0, "kB")], [Figure("a", 1.0, "ratio"), Figure("c", 1.0, "s")])
    ['a: 2 -> 1 ratio, worse', 'c: 1 s, new', 'b: gone']
    """
    old, lines = {figure.name: figure for figure in before}, []
    for figure in now:
        if figure.name not in old:
            lines.append(f"{figure.name}: {figure.value:.4g} {figure.unit}, new")
        elif _moved(old[figure.name].value, figure):
            better = (figure.value > old[figure.name].value) == figure.more_is_better
            values = f"{old[figure.name].value:.4g} -> {figure.value:.4g} {figure.unit}"
            lines.append(f"{figure.name}: {values}, {'better' if better else 'worse'}")
    return lines + [f"{name}: gone" for name in old.keys() - {figure.name for figure in now}]


def _moved(before: float, figure: Figure) -> bool:
    """A share counts both ways: half as much is as far as twice as much."""
    if figure.unit == NATS:
        return abs(figure.value - before) > figure.tolerance
    low, high = sorted((max(before, 1e-12), max(figure.value, 1e-12)))
    return high / low > 1 + figure.tolerance


def _tolerance(figure: Figure) -> str:
    return f"{figure.tolerance:g}" if figure.unit == NATS else f"{figure.tolerance:.0%}"
