"""How the notes fill time: rhythm from bar to bar, how many sound at once, silence, crumbs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from musegen_lib.core.piece import Piece, pitched_notes
from musegen_lib.metrics.histograms import bar_starts, pitched_roll

QUALIFIED_BEATS = 1 / 8  # a 32nd note


def onset_pattern(piece: Piece) -> Bool[np.ndarray, "bars Q"]:
    """(bars, Q) True where something is struck, percussion too; Q = steps a bar. No bars without a metre."""
    starts, width = bar_starts(piece), piece.steps_per_bar or 1
    pattern = np.zeros((len(starts), width), dtype=bool)
    onset = piece.notes["onset_steps"][piece.notes["onset_steps"] >= piece.pickup_steps] - piece.pickup_steps
    if len(starts):
        pattern[onset // width, onset % width] = True
    return pattern


def groove_consistency(piece: Piece) -> float:
    """Likeness of the rhythm of each bar to that of the next.

    GC = 1 - mean over neighbouring bars of (positions where only one of them strikes) / Q; 0 to 1 (every bar alike);
    NaN for fewer than two bars. Compare at one steps_per_beat only: on a finer grid most positions are empty in every
    bar, and everything scores higher.
    Source: `muspy.groove_consistency` 0.5.0, after Wu and Yang 2020; MusPy adds an empty bar to a piece that ends on a
    bar line (length // bar + 1), we do not.

    >>> groove_consistency(Piece.from_notes([(0, 8, 60), (8, 8, 60), (16, 16, 60)]))
    0.9375
    """
    pattern = onset_pattern(piece)
    if len(pattern) < 2:
        return float("nan")
    return float(1 - (pattern[1:] != pattern[:-1]).mean())


def groove_similarity(piece: Piece) -> float:
    """Likeness of the rhythm of all pairs of bars, near or far.

    GS = 1 - mean over pairs of bars of (positions where only one strikes) / Q; if k of n bars strike at a position,
    k (n - k) of the n (n - 1) / 2 pairs differ there. 0 to 1; NaN for fewer than two bars; depends on the grid.
    Source: GS of Wu and Yang 2020 (arXiv:2008.01307), Q = 64 there; they draw at most 1,000 pairs, we take all.

    >>> groove_similarity(Piece.from_notes([(0, 16, 60), (16, 16, 60), (32, 8, 60), (40, 8, 60)])) == 1 - 2 / 48
    True
    """
    pattern = onset_pattern(piece)
    n, width = pattern.shape
    if n < 2:
        return float("nan")
    strikes = pattern.sum(axis=0)  # (Q,)
    return float(1 - (strikes * (n - strikes)).sum() / (width * n * (n - 1) / 2))


def polyphony(piece: Piece) -> float:
    """Mean number of different pitches that sound, over the steps in which any does.

    1 (one at a time) up; a pitch doubled by two voices counts once. NaN for an empty piece.
    Source: `muspy.polyphony` 0.5.0.

    >>> polyphony(Piece.from_notes([(0, 4, 60), (2, 2, 64), (9, 1, 60)]))
    1.4
    """
    sounding = pitched_roll(piece).sum(axis=1)
    return float(sounding[sounding > 0].mean()) if sounding.any() else float("nan")


def polyphony_rate(piece: Piece, n_pitches: int = 2) -> float:
    """Share of all steps in which at least n_pitches different pitches sound; 0 to 1, NaN for a piece without steps.

    Source: polyphonicity of MuseGAN (Dong et al. 2018). MusPy 0.5.0 counts steps with more than `threshold` = 2
    pitches, three or more, so its default is `polyphony_rate(piece, 3)` here.

    >>> polyphony_rate(Piece.from_notes([(0, 4, 60), (2, 2, 64)]))
    0.5
    """
    sounding = pitched_roll(piece).sum(axis=1)
    return float((sounding >= n_pitches).mean()) if len(sounding) else float("nan")


def empty_bars_rate(piece: Piece) -> float:
    """Share of the bars in which nothing sounds, percussion included; 0 to 1, NaN without bars.

    Source: EB of MuseGAN (Dong et al. 2018). MusPy's `empty_measure_rate` adds a bar to a piece that ends on a bar
    line, lets a note that ends on a bar line fill the bar after it, and knows no pickup.

    >>> empty_bars_rate(Piece.from_notes([(0, 4, 60), (48, 4, 60)]))
    0.5
    """
    starts = bar_starts(piece)
    return _empty_share(piece, starts, starts + (piece.steps_per_bar or 0))


def empty_beats_rate(piece: Piece) -> float:
    """Share of the beats (quarters, from the start of the piece) in which nothing sounds; 0 to 1, NaN when empty.

    Source: `muspy.empty_beat_rate` 0.5.0, with the differences told at `empty_bars_rate`.
    """
    starts = np.arange(0, piece.n_steps, piece.steps_per_beat)
    return _empty_share(piece, starts, starts + piece.steps_per_beat)


def qualified_note_rate(piece: Piece, shortest_beats: float = QUALIFIED_BEATS) -> float:
    """Share of the notes that are no crumbs: at least shortest_beats long; 0 to 1, NaN for an empty piece.

    Source: QN of MuseGAN (Dong et al. 2018): three time steps or longer, a 32nd note, at 96 steps a bar of four beats.
    That is 3 / 24 = 1/8 of a beat, whatever our grid. On sixteenths every note qualifies, so there ask for eighths,
    `shortest_beats=0.5`. They read notes off a roll, where struck repetitions melt; we count struck notes.

    >>> qualified_note_rate(Piece.from_notes([(0, 1, 60), (1, 2, 60), (3, 3, 60), (6, 6, 60)], steps_per_beat=24))
    0.5
    """
    duration = pitched_notes(piece)["duration_steps"]
    return float((duration >= shortest_beats * piece.steps_per_beat).mean()) if len(duration) else float("nan")


def _empty_share(piece: Piece, starts: np.ndarray, ends: np.ndarray) -> float:
    sounding = np.zeros(piece.n_steps, dtype=bool)
    for onset, duration, *_ in piece.notes.tolist():
        sounding[onset : onset + duration] = True
    heard = [sounding[start:end].any() for start, end in zip(starts, ends)]
    return float(1 - np.mean(heard)) if heard else float("nan")
