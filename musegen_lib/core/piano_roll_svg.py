"""A piano roll as a small SVG picture, without any drawing library."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musegen_lib.core.piece import Piece

VOICE_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#7b4f9d")  # told apart by colour-blind readers
WIDTH, ROW = 720, 5  # pixels: of the picture, of one semitone


def piece_to_svg(piece: Piece) -> str:
    """Draw a piano roll: time to the right, pitch upwards, one colour a voice, bar lines in grey."""
    notes, label = piece.notes.tolist(), f"Piano roll of {piece!r}"
    pitches = [note[2] for note in notes] or [60]
    high, x = max(pitches), WIDTH / max(1, piece.n_steps)
    height = (high - min(pitches) + 1) * ROW + 10
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" '
        f'aria-label="{html.escape(label, quote=True)}"><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    ]
    out += [f'<path d="M{line * x:.1f} 0V{height}" stroke="#ccc"/>' for line in piece.bar_onsets.tolist()]
    for onset, duration, pitch, _, voice in notes:
        colour, wide = VOICE_COLOURS[voice % len(VOICE_COLOURS)], max(1.0, duration * x - 0.8)
        y = 5 + (high - pitch) * ROW
        out.append(f'<rect x="{onset * x:.1f}" y="{y}" width="{wide:.1f}" height="{ROW - 1}" fill="{colour}"/>')
    return "".join([*out, "</svg>"])
