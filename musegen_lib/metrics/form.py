"""Form of melodies: which bars come back, note for note or in rhythm, and how an opening is built.

Bars are counted from the bar lines; a bar that begins with a held note never counts as one that returns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from musegen_lib.core.piece import Piece
from musegen_lib.metrics.features import MELODY_FEATURES, melody_features

LAGS = (2, 4, 8)  # bars
OPENING_FEATURES = (
    *MELODY_FEATURES,
    *(f"{what} returns after {lag}" for what in ("bar", "rhythm", "contour") for lag in (1, 2, 4)),
    *(f"struck at bar {bar}" for bar in range(8)),
    *(f"notes in bar {bar}" for bar in range(8)),
    *(f"longest in bar {bar}" for bar in range(8)),
    *(f"degree {degree}" for degree in range(12)),
    *(f"degree at bar {bar}" for bar in range(8)),
    "notes in repeated runs",
)

Bars = list[list[tuple[int, int, int]]]


def bars_of(piece: Piece) -> Bars:
    """(offset in steps, duration, pitch) of the notes that begin in each full bar; a pickup is left out."""
    width, start = piece.steps_per_bar, piece.pickup_steps
    bars: Bars = [[] for _ in range(max(0, (piece.n_steps - start) // width))]
    for onset, duration, pitch, *_ in piece.notes.tolist():
        bar = (onset - start) // width
        if onset >= start and bar < len(bars):
            bars[bar].append(((onset - start) % width, duration, pitch))
    return bars


def bar_returns(piece: Piece, lag: int, columns: Sequence[int] = (0, 1, 2)) -> tuple[int, int]:
    """Bars that equal the one `lag` bars before, and bars that have one there.

    Args:
        columns: what must be equal: 0 offsets, 1 durations, 2 pitches; without pitches, rhythm alone.

    >>> bar_returns(Piece.from_notes([(0, 8, 60), (8, 8, 62), (16, 8, 60)], metre="2/4"), 2)
    (1, 1)
    """
    return _returns(_comparable(bars_of(piece), columns), lag)


def _comparable(bars: Bars, columns: Sequence[int]) -> list[list[tuple[int, ...]] | None]:
    """The named columns of each bar; None where a bar is empty or begins with a held note."""
    return [[tuple(note[c] for c in columns) for note in bar] if bar and not bar[0][0] else None for bar in bars]


def _returns(bars: list[list[tuple[int, ...]] | None], lag: int) -> tuple[int, int]:
    pairs = list(zip(bars[lag:], bars))
    return sum(now is not None and now == before for now, before in pairs), len(pairs)


def return_rates(pieces: Sequence[Piece], columns: Sequence[int] = (0, 1, 2)) -> dict[int, float]:
    """Share of all bars that equal the one 2, 4 and 8 bars before; NaN where no piece is long enough."""
    bars = [_comparable(bars_of(piece), columns) for piece in pieces]
    counts = {lag: np.sum([_returns(row, lag) for row in bars], axis=0) for lag in LAGS}
    return {lag: float(hits / n) if n else float("nan") for lag, (hits, n) in counts.items()}


def opening_features(pieces: Sequence[Piece], tonics: Sequence[int]) -> Float[np.ndarray, "N D"]:
    """One row for the first eight bars of each melody, columns OPENING_FEATURES.

    Args:
        tonics: pitch class of each piece's tonic.
    """
    openings = [piece.excerpt(min(8, piece.n_bars)) for piece in pieces]
    rows = [_opening_row(piece, tonic) for piece, tonic in zip(openings, tonics)]
    return np.concatenate([melody_features(openings), np.array(rows)], axis=1)


def _opening_row(piece: Piece, tonic: int) -> Float[np.ndarray, "D"]:
    bars, beat = bars_of(piece), piece.steps_per_beat
    compared = [_comparable(bars, columns) for columns in ((0, 1, 2), (0, 1))]
    counts = [_returns(row, lag) for row in compared for lag in (1, 2, 4)]
    bars = bars[:8] + [[] for _ in range(8 - len(bars))]
    returns = [hits / max(1, n) for hits, n in counts]
    contours = [np.sign(np.diff([pitch for *_, pitch in bar])).tolist() for bar in bars]
    same = [np.mean([a == b for a, b in zip(contours[lag:], contours)]) for lag in (1, 2, 4)]
    degrees = np.bincount((piece.notes["pitch"] - tonic) % 12, piece.notes["duration_steps"], 12)
    row = [
        *returns,
        *same,
        *(float(bool(bar) and bar[0][0] == 0) for bar in bars),
        *(len(bar) for bar in bars),
        *(max((duration for _, duration, _ in bar), default=0) / beat for bar in bars),
        *(degrees / max(1, degrees.sum())),
        *((bar[0][2] - tonic) % 12 if bar else -1 for bar in bars),
        repeated_share(piece),
    ]
    return np.array(row, dtype=np.float64)


def repeated_share(piece: Piece, n: int = 9) -> float:
    """Share of the notes that lie in a run of n notes (intervals and durations) that the piece has more than once."""
    notes = piece.notes
    moves = list(zip(np.diff(notes["pitch"]).tolist(), notes["duration_steps"][1:].tolist()))
    seen: dict[tuple, list[int]] = {}
    for start in range(len(moves) - n + 2):
        seen.setdefault(tuple(moves[start : start + n - 1]), []).append(start)
    inside = np.zeros(len(notes), dtype=bool)
    for starts in seen.values():
        for start in starts if len(starts) > 1 else ():
            inside[start : start + n] = True
    return float(inside.mean()) if len(notes) else 0.0
