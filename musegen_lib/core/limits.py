"""Bounds on music from outside, whichever reader it came through: what is read must also be drawn in time."""

from __future__ import annotations

import math
from itertools import pairwise

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.piece import Piece

TICKS_PER_BEAT = 48  # of the corpus, and of what the readers of ABC and MusicXML give
MAX_NOTES = 200_000  # of an ABC file or a MusicXML score
MAX_BEATS = 100_000  # quarter notes of a tune or a part: days of music
MAX_BARS = 50_000  # of a piece; six hours of 2/4 at 200 quarter notes a minute have 36,000
PAGE_BARS = 64  # of an engraved page; a longer piece is cut, and its label says so
MAX_WRITTEN = 20_000  # notes and empty bars of a page: about half a minute of drawing
_NO_METRE = "4/4"  # what a piece without metre is written in


def refuse_endless(piece: Piece) -> None:
    """MusegenError for more than MAX_BARS bars: a metre of 1/64 makes millions of them out of six hours of silence."""
    bars = _count_bars(piece)
    if bars > MAX_BARS:
        metres = ", ".join(dict.fromkeys(metre or _NO_METRE for _, metre in piece.timeline("metre")[:3]))
        raise MusegenError(f"has {bars:,} bars of {metres}, more than {MAX_BARS:,}; correct the metre or split it")


def _count_bars(piece: Piece) -> int:
    """Bars as they are written, also where the grid cannot hold them; a piece without metre is written in 4/4."""
    edges = [*piece.timeline("metre"), (piece.n_steps, None)]
    bars = 0
    for (start, metre), (stop, _) in pairwise(edges):
        steps = max(0, min(stop, piece.n_steps) - start)
        bars += math.ceil(steps / (metre_to_beats(metre or _NO_METRE) * piece.steps_per_beat))
    return bars


def refuse_long_page(piece: Piece, to: str, name: str = "the piece") -> None:
    """MusegenError for more notes than can be written down: one over a bar line counts in each bar, and so do bars."""
    bar = min(metre_to_beats(metre or _NO_METRE) for _, metre in piece.timeline("metre")) * piece.steps_per_beat
    lengths = piece.notes["duration_steps"].astype(float) / float(bar)
    written = len(piece) + int(lengths.sum()) + _count_bars(piece) * max(1, piece.n_voices)
    if written > MAX_WRITTEN:
        sizes = f"{written:,} notes and bars to write as {to}, more than {MAX_WRITTEN:,}"
        raise MusegenError(f"{name}: has {sizes}; cut out a part of the music")
