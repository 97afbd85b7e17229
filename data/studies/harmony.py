"""Folk songs of two regions in Bach's harmony: how well the chorale model knows its craft outside its home."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.corpus.chinese_german import STYLES
from musegen_lib.encodings.arrays import grid_to_piece, piece_to_grid
from musegen_lib.metrics.voices import voice_rules
from musegen_lib.models.chorale.harmonise import harmonise

SEEDS = (0, 1, 2)
N_TUNES, N_BARS = 12, 8
LATE = 16  # steps that the floor's lower voices come late: a bar


def style_harmony() -> list[dict[str, Any]]:
    """Twelve songs of each region and twelve held-out chorale melodies, eight bars in 4/4, harmonised from three seeds.

    Rows give the rules of four-part writing in per cent. Beside them the same chorales as Bach wrote them (the ceiling)
    and the harmonised chorales with their lower voices a bar late (the floor).
    """
    tunes = {style: songs(style) for style in STYLES} | {"chorale": chorales()}
    rows = [{"melodies": "chorale", "harmony": "Bach", **_rules(tunes["chorale"])}]
    for (name, pieces), seed in product(tunes.items(), SEEDS):
        made = [harmonise(soprano(piece), seed)[0] for piece in pieces]
        rows.append({"melodies": name, "harmony": "net", "seed": seed, **_rules(made)})
        if name == "chorale":
            rows.append({"melodies": name, "harmony": "late", "seed": seed, **_rules([*map(late, made)])})
    return rows


def songs(style: str) -> list[Piece]:
    """The first songs in 4/4 on sixteenths that fit a soprano, of any part: the net has learnt from chorales alone."""
    fits = [p for p in load_folk_tunes(region=style) if p.metre == "4/4" and p.steps_per_beat == 4 and p.n_bars >= 4]
    narrow = [p for p in fits if np.ptp(p.notes["pitch"]) <= 19]
    return [piece.excerpt(N_BARS) for piece in narrow[:N_TUNES]]


def chorales() -> list[Piece]:
    """The first held-out chorales in 4/4, eight bars of each."""
    fits = [piece for piece in load_chorales(part="valid") if piece.metre == "4/4" and piece.n_voices == 4]
    return [piece.excerpt(N_BARS) for piece in fits[:N_TUNES]]


def soprano(piece: Piece) -> Piece:
    """The first voice alone."""
    return piece.replace(notes=piece.notes[piece.notes["voice"] == 0])


def late(piece: Piece) -> Piece:
    """The piece with its lower voices a bar late; what would come after its end sounds at the beginning."""
    grid = piece_to_grid(piece)
    grid[:, 1:] = np.roll(grid[:, 1:], LATE, axis=0)
    before = np.vstack([np.zeros((1, grid.shape[1]), dtype=np.int64), grid[:-1]])
    cut = (grid < 0) & (np.abs(before) != -grid)  # a held note whose beginning was rolled away is struck
    return grid_to_piece(np.where(cut, -grid, grid), metre=piece.metre)


def _rules(pieces: list[Piece]) -> dict[str, Any]:
    rules = voice_rules(pieces)
    return {"pieces": len(pieces)} | {
        name: [round(rule.mean, 3), round(rule.standard_error, 3)] for name, rule in rules.items()
    }
