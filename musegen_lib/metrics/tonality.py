"""How well the notes fit one key, how evenly they use the pitches, and how far apart two parts lie in harmony."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from musegen_lib.core.piece import Piece, pitched_notes
from musegen_lib.core.scales import weight_on_scales
from musegen_lib.metrics.histograms import pitch_class_histogram, pitched_roll

TONAL_RADII = (1.0, 1.0, 0.5)  # of the circles of fifths, minor thirds and major thirds


def key_fit(piece: Piece) -> float:
    """Share of sounding time spent on the best-fitting of the twelve diatonic scales.

    1 for any piece in one major, natural minor, modal or pentatonic key; 7/12 on average for a scale that is guessed
    blindly on even noise (the best of twelve is higher); NaN for a piece without notes.
    Source: "scale consistency" of Mogren 2016 (C-RNN-GAN, arXiv:1611.09904), weighted by duration.

    >>> key_fit(Piece.from_notes([(0, 1, 60), (1, 1, 61), (2, 1, 62), (3, 1, 63)]))
    0.75
    """
    notes = pitched_notes(piece)
    return _best_scale(np.bincount(notes["pitch"] % 12, weights=notes["duration_steps"], minlength=12))


def scale_consistency(piece: Piece) -> float:
    """Share of the notes, each counted once, that lie on the best-fitting of the twelve diatonic scales.

    max over tonics of #(notes on the scale) / #(notes), 7/12 to 1; NaN for an empty piece. Major and natural minor keys
    share their scales, so twelve are all. It does not know the order of the notes: a shuffled tune scores the same.
    Source: Mogren 2016 (arXiv:1611.09904), as `muspy.scale_consistency` 0.5.0.

    >>> scale_consistency(Piece.from_notes([(0, 9, 60), (9, 1, 61), (10, 1, 62), (11, 1, 64)]))
    0.75
    """
    return _best_scale(np.bincount(pitched_notes(piece)["pitch"] % 12, minlength=12))


def pitch_class_entropy(piece: Piece) -> float:
    """Evenness of the pitch classes in bits.

    H = -sum over k of h[k] log2 h[k], h the share of notes in pitch class k; 0 (one class) to log2 12 = 3.585 (all
    alike). NaN for an empty piece. Shuffling and transposing leave it alone.
    Source: H of Wu and Yang 2020 (Jazz Transformer, arXiv:2008.01307), over the whole piece as in MusPy 0.5.0 where
    they average over windows of 1 and 4 bars.

    >>> pitch_class_entropy(Piece.from_notes([(0, 1, 60), (1, 1, 67), (2, 1, 72), (3, 1, 79)]))
    1.0
    """
    return _entropy(pitch_class_histogram(piece))


def pitch_entropy(piece: Piece) -> float:
    """Evenness of the pitches in bits, octaves told apart; 0 to 7. NaN for an empty piece.

    Source: `muspy.pitch_entropy` 0.5.0.
    """
    counts = np.bincount(pitched_notes(piece)["pitch"], minlength=128)
    return _entropy(counts / counts.sum()) if counts.any() else float("nan")


def tonal_centroid(chroma: Float[np.ndarray, "... 12"]) -> Float[np.ndarray, "... 6"]:
    """Place a chord in tonal space: a point on the circles of fifths, minor thirds and major thirds.

    Args:
        chroma: weight of each pitch class; scaled to sum 1 (NaN where silent).
    Returns:
        six coordinates, sine and cosine for angles k 7 pi / 6, k 3 pi / 2, k 2 pi / 3 with radii 1, 1, 1/2.
    Source: Harte, Sandler and Gasser 2006, "Detecting harmonic change in musical audio".
    """
    total = chroma.sum(axis=-1, keepdims=True)
    shares = np.divide(chroma, total, out=np.full(chroma.shape, np.nan), where=total > 0)
    return shares @ _TONAL_MATRIX  # (..., 6)


def tonal_distance(part: Piece, other: Piece) -> float:
    """Distance in tonal space between two parts that sound together, such as two voices or two tracks.

    Mean over the beats in which both sound of |centroid(part) - centroid(other)|, chroma weighted by sounding time;
    0 (same pitch classes) to 2 sqrt 2 = 2.83 (a tritone apart); a fifth apart gives 1.74, a semitone 2.55. NaN if they
    never sound in the same beat.
    Source: TD of MuseGAN (Dong et al. 2018, arXiv:1709.06298) between tracks, per beat. pypianoroll 1.0.4 is no guide:
    its chroma cuts 120 pitches into 12 rows of 10, which are no pitch classes.
    Raises:
        ValueError: the two lie on different grids.

    >>> c, g = Piece.from_notes([(0, 4, 60)]), Piece.from_notes([(0, 4, 55)])
    >>> tonal_distance(c, c), round(tonal_distance(c, g), 3)
    (0.0, 1.737)
    """
    if part.steps_per_beat != other.steps_per_beat:
        raise ValueError(f"{part!r} has {part.steps_per_beat} steps a beat, {other!r} has {other.steps_per_beat}")
    n_steps = min(part.n_steps, other.n_steps)
    here, there = (tonal_centroid(_beat_chroma(p, n_steps)) for p in (part, other))
    distance = np.linalg.norm(here - there, axis=1)  # (beats,) NaN where one is silent
    heard = ~np.isnan(distance)
    return float(distance[heard].mean()) if heard.any() else float("nan")


def _beat_chroma(piece: Piece, n_steps: int) -> np.ndarray:
    """(beats, 12) steps that each pitch class sounds in each beat; beats are counted from the bar lines."""
    lead = -piece.pickup_steps % piece.steps_per_beat
    roll = pitched_roll(piece)[:n_steps]
    by_class = np.stack([roll[:, k::12].sum(axis=1) for k in range(12)], axis=1)  # (T, 12)
    chroma = np.zeros((-(-(n_steps + lead) // piece.steps_per_beat), 12))
    np.add.at(chroma, (np.arange(n_steps) + lead) // piece.steps_per_beat, by_class)
    return chroma


def _best_scale(weight: np.ndarray) -> float:
    return float(weight_on_scales(weight).max() / weight.sum()) if weight.any() else float("nan")


def _entropy(shares: np.ndarray) -> float:
    used = shares[shares != 0]
    return float(-np.sum(used * np.log2(used))) + 0.0  # + 0.0 turns -0.0 into 0.0


def _tonal_matrix() -> np.ndarray:
    angles = np.arange(12)[:, None] * np.pi * np.array([7 / 6, 3 / 2, 2 / 3])  # (12, 3)
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(12, 6) * np.repeat(TONAL_RADII, 2)


_TONAL_MATRIX = _tonal_matrix()
