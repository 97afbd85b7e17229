"""What is left of a melody after a transfer: notes, contour, rhythm and harmony over time.

Every measure compares a melody before and after and lies in 0 to 1 (1 = all kept). Print beside them what an unchanged
tune scores (1, the ceiling) and what a random tune of the target style scores (the baseline).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from musegen_lib.core.piece import Piece

WINDOW_BEATS = 2  # chroma are summed over so many beats, a beat apart


def notes_kept(before: Piece, after: Piece) -> float:
    """Share of the notes before that still stand after: same onset, same pitch. 1 for a piece without notes.

    >>> a = Piece.from_notes([(0, 4, 60), (4, 4, 62)])
    >>> notes_kept(a, Piece.from_notes([(0, 4, 60), (4, 4, 64)]))
    0.5
    """
    wanted = set(_marks(before))
    return len(wanted & set(_marks(after))) / len(wanted) if wanted else 1.0


def contour_kept(before: Piece, after: Piece) -> float:
    """Share of the melodic steps before that go the same way (up, level, down) between the same two onsets after."""
    wanted = _moves(before)
    found = _moves(after)
    return float(np.mean([found.get(place) == move for place, move in wanted.items()])) if wanted else 1.0


def rhythm_kept(before: Piece, after: Piece) -> float:
    """Share of the notes before whose onset and duration are still there after, whatever the pitch."""
    wanted, found = set(_rhythm(before)), set(_rhythm(after))
    return len(wanted & found) / len(wanted) if wanted else 1.0


def chroma_similarity(before: Piece, after: Piece) -> float:
    """Mean cosine between the pitch classes of the two pieces, in windows of two beats, a beat apart.

    Windows that are silent in both are left out; one that is silent in one counts 0.
    Source: the content measure of Cifka et al. 2019, "Supervised symbolic music style translation".
    """
    n_beats = -(-max(before.n_steps / before.steps_per_beat, after.n_steps / after.steps_per_beat) // 1)
    first, second = chroma(before, int(n_beats)), chroma(after, int(n_beats))
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    heard = first.any(axis=1) | second.any(axis=1)
    cosine = (first * second).sum(axis=1) / np.where(lengths > 0, lengths, 1)
    return float(cosine[heard].mean()) if heard.any() else 1.0


def chroma(piece: Piece, n_beats: int) -> Float[np.ndarray, "windows 12"]:
    """Beats that each pitch class sounds, in windows of two beats that begin a beat apart."""
    spb, notes = piece.steps_per_beat, piece.notes
    start = notes["onset_steps"] / spb
    stop = start + notes["duration_steps"] / spb
    edges = np.arange(max(1, n_beats - WINDOW_BEATS + 1))[:, None]  # (windows, 1)
    overlap = np.clip(np.minimum(stop, edges + WINDOW_BEATS) - np.maximum(start, edges), 0, None)  # (windows, N)
    classes = np.eye(12)[notes["pitch"] % 12].reshape(-1, 12)  # (N, 12)
    return overlap @ classes


def content_report(before: Piece, after: Piece) -> dict[str, float]:
    """All measures of one pair by name."""
    return {
        "notes kept": notes_kept(before, after),
        "contour kept": contour_kept(before, after),
        "rhythm kept": rhythm_kept(before, after),
        "chroma cosine": chroma_similarity(before, after),
    }


def _beats(piece: Piece) -> list[float]:
    return (piece.notes["onset_steps"] / piece.steps_per_beat).round(4).tolist()


def _marks(piece: Piece) -> list[tuple[float, int]]:
    return list(zip(_beats(piece), piece.notes["pitch"].tolist(), strict=True))


def _rhythm(piece: Piece) -> list[tuple[float, float]]:
    return list(zip(_beats(piece), (piece.notes["duration_steps"] / piece.steps_per_beat).tolist(), strict=True))


def _moves(piece: Piece) -> dict[tuple[float, float], int]:
    onsets, moves = _beats(piece), np.sign(np.diff(piece.notes["pitch"].astype(int))).tolist()
    return dict(zip(zip(onsets[:-1], onsets[1:], strict=True), moves, strict=True))
