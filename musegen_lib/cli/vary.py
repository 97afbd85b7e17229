"""`musegen vary` and `musegen interpolate`: melodies near a file's, and between two files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from musegen_lib.cli.output import Expression, played
from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import FIRST_PITCH
from musegen_lib.encodings.melody_windows import piece_to_window
from musegen_lib.formats.files import read_for_model
from musegen_lib.formats.midi.reader import write_midi
from musegen_lib.models.facts import facts_of
from musegen_lib.models.registry import RECIPES
from musegen_lib.models.vae.interpolate import neighbours, path_between


def vary_file(
    source: Path,
    out: Path,
    n: int,
    distance: float,
    seed: int,
    as_written: bool = False,
    expression: Expression = Expression.LIGHT,
) -> dict[str, Any]:
    """Write n variations of the first two bars of a melody as .mid files; returns facts to tell the user."""
    window, lines, title = _read(source, as_written)
    made = neighbours(RECIPES["vae"].load_once(), window, n, distance, torch.Generator().manual_seed(seed))
    rows = _write(made, out, f"{source.stem}_variation", f"{title}, variation", seed, expression)
    struck = window >= FIRST_PITCH
    for row, tokens in zip(rows, made):
        row["notes_kept"] = round(float((tokens == window)[struck].mean()), 3)
    return _summary(rows, lines) | {"distance": distance, "seed": seed}


def interpolate_files(
    first: Path,
    second: Path,
    out: Path,
    n_steps: int,
    as_written: bool = False,
    expression: Expression = Expression.LIGHT,
) -> dict[str, Any]:
    """Write a path from one melody's first two bars to another's as .mid files; returns facts to tell the user."""
    (start, lines, name), (end, more, other) = _read(first, as_written), _read(second, as_written)
    made = path_between(RECIPES["vae"].load_once(), start, end, n_steps)
    rows = _write(made, out, f"{first.stem}_to_{second.stem}", f"{name} to {other}, step", 0, expression)
    return _summary(rows, [*lines, *more])


def _read(source: Path, as_written: bool) -> tuple[np.ndarray, list[str], str]:
    piece, lines = read_for_model(source, as_written)
    title = piece.title or source.stem
    window, told = piece_to_window(piece.replace(title=title))
    return window, [*lines, *(f"{source.name}: {line}" for line in told)], title


def _write(
    made: np.ndarray, out: Path, stem: str, title: str, seed: int, expression: Expression
) -> list[dict[str, Any]]:
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, tokens in enumerate(made, start=1):
        file = out / f"{stem}_{number:03d}.mid"
        piece: Piece = RECIPES["vae"].to_piece(tokens, f"{title} {number}", seed)
        write_midi(played(piece, expression, seed), file)
        rows.append({"file": str(file), "notes": len(piece), **facts_of(piece)})
    return rows


def _summary(rows: list[dict[str, Any]], lines: list[str]) -> dict[str, Any]:
    return {"read": lines, "validity": sum(row["playable"] for row in rows) / len(rows), "pieces": rows}
