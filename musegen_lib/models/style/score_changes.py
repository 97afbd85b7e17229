"""A melody before and after a rewriting on two staves, bar over bar, the changed notes in colour."""

from __future__ import annotations

import html
import re

import numpy as np

from musegen_lib.core.limits import PAGE_BARS
from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import marked_ends
from musegen_lib.display.score import Score, engrave

FEWEST_BARS, MOST_BARS = 3, 6  # of a line; in between, a line ends with the phrase
MOST_TOLD = 16  # changes that the text alternative names one by one
NAMES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")


def changed_notes(before: Piece, after: Piece) -> tuple[list[int], list[int]]:
    """Numbers of the notes before that are gone, and of the notes after that are new: another onset or pitch.

    >>> a, b = (Piece.from_notes([(0, 4, 60), (4, 4, pitch)]) for pitch in (62, 64))
    >>> changed_notes(a, b)
    ([1], [1])
    """
    marks = [
        list(zip((piece.notes["onset_steps"] / piece.steps_per_beat).round(4).tolist(), piece.notes["pitch"].tolist()))
        for piece in (before, after)
    ]
    kept = set(marks[0]) & set(marks[1])
    gone, new = ([number for number, mark in enumerate(side) if mark not in kept] for side in marks)
    return gone, new


def line_starts(piece: Piece) -> list[int]:
    """Bars before which a line of the score ends: after a phrase if it is long enough, at the latest when full."""
    bars = piece.bar_onsets
    ends = piece.notes["onset_steps"][marked_ends(piece)]
    last_bars = set((np.searchsorted(bars, ends, side="right") - 1).tolist())
    starts, first = [], 0
    for bar in range(1, len(bars)):
        if (bar - first >= FEWEST_BARS and bar - 1 in last_bars) or bar - first >= MOST_BARS:
            starts.append(bar)
            first = bar
    if starts and len(bars) - starts[-1] < FEWEST_BARS - 1:  # no line of a single bar at the end
        starts.pop()
    return starts


def engrave_changes(before: Piece, after: Piece, n_bars: int | None = None) -> Score:
    """Engrave two melodies one over the other, bar by bar; lines end with the phrases of the first.

    Notes that are gone and notes that are new are drawn in colour, and the text alternative names them. Melodies of
    another metre, grid or pickup cannot share bar lines: these are engraved one after the other, in one picture.

    Args:
        n_bars: only the beginning; None: all, up to 64 bars.
    """
    n_bars = min(n_bars or PAGE_BARS, PAGE_BARS)
    starts = [start for start in line_starts(before) if start < n_bars]
    before, after = (piece.excerpt(n_bars) if piece.n_bars > n_bars else piece for piece in (before, after))
    gone, new = changed_notes(before, after)
    label = f"Before and after a rewriting. {describe_changes(before, after)}"
    both = _on_two_staves(before, after)
    if _share_bars(before, after):
        rows = {
            tuple(row)
            for piece, voice, some in ((before, 0, gone), (after, 1, new))
            for row in _rows(piece, voice, some)
        }
        marked = [number for number, row in enumerate(both.notes.tolist()) if row in rows]
        return Score(both, engrave(both, marked, starts, ("before", "after"), label))
    upper = engrave(before, gone, starts, ("before",))
    lower = engrave(after, new, [start for start in line_starts(after) if start < n_bars], ("after",))
    return Score(both, _stacked(upper, lower, label))


def describe_changes(before: Piece, after: Piece) -> str:
    """What changed, in words: how many notes, and which became which."""
    gone, new = changed_notes(before, after)
    told = f"{len(gone)} of {len(before)} notes are changed"
    if not np.array_equal(*(piece.notes["onset_steps"] / piece.steps_per_beat for piece in (before, after))):
        return f"{told}, and the rhythm is another: {len(after)} notes after."
    bars = np.searchsorted(before.bar_onsets, before.notes["onset_steps"], side="right") - (before.pickup_steps > 0)
    old, now = (piece.notes["pitch"].tolist() for piece in (before, after))
    pairs = [f"bar {bars[k]} {_name(old[k])} to {_name(now[k])}" for k in new[:MOST_TOLD]]
    more = [f"and {len(new) - MOST_TOLD} more"] if len(new) > MOST_TOLD else []
    return f"{told}: {', '.join(pairs + more)}." if new else f"{told}."


def _name(pitch: int) -> str:
    return f"{NAMES[pitch % 12]} {pitch // 12 - 1}"


def _share_bars(before: Piece, after: Piece) -> bool:
    return all(getattr(before, name) == getattr(after, name) for name in ("metre", "steps_per_beat", "pickup_steps"))


def _on_two_staves(before: Piece, after: Piece) -> Piece:
    notes = [piece.notes.copy() for piece in (before, after)]
    for voice, column in enumerate(notes):
        column["voice"] = voice
    return before.replace(notes=np.concatenate(notes), programs=())


def _rows(piece: Piece, voice: int, numbers: list[int]) -> list[tuple]:
    return [(*piece.notes[number].tolist()[:4], voice) for number in numbers]


def _stacked(upper: str, lower: str, label: str) -> str:
    """One SVG that holds two, the second below the first."""
    sizes = [tuple(map(int, re.search(r'width="(\d+)" height="(\d+)"', svg).groups())) for svg in (upper, lower)]
    width, height = max(size[0] for size in sizes), sum(size[1] for size in sizes)
    inner = [svg[svg.index("<svg") :].replace('role="img" ', "", 1) for svg in (upper, lower)]
    inner[1] = inner[1].replace("<svg", f'<svg y="{sizes[0][1]}"', 1)
    frame = f'role="img" aria-label="{html.escape(label, quote=True)}" width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {frame}>{"".join(inner)}</svg>'
