"""All four voices of Bach's bars on eight eighths: data and measures for the small network of lesson 02b.

Axes: N bars, 8 eighths, 4 voices from soprano to bass, P pitches from LOW to HIGH. A bar holds MIDI pitches. The
network itself stands in notebooks/02b_gan_chorales.ipynb, whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.chorale_steps import HIGH, LOW, N_VOICES
from musegen_lib.models.gan.batches import sounding_pitches
from musegen_lib.models.gan.outer_voices import TEMPO
from musegen_lib.models.gan.recipe import chorale_windows

CONSONANT = (0, 3, 4, 7, 8, 9)  # semitones between two voices, octaves left out


def four_voices(part: str) -> tuple[Int[np.ndarray, "N 8 4"], Int[np.ndarray, "N"]]:
    """The pitch that sounds on each eighth of each bar, on the white keys, and the chorale that the bar comes from.

    Bars in which a voice rests are left out.
    """
    windows = chorale_windows(part)
    bars = sounding_pitches(windows.pieces)[:, ::2].astype(np.int64)
    sung = (bars > 0).all(axis=(1, 2))
    return bars[sung], windows.works[sung]


def to_one_hot(bars: Int[np.ndarray, "N 8 4"]) -> Float[Tensor, "N 8 4 P"]:
    """Set one of P places to 1 for each voice and eighth."""
    return F.one_hot(torch.as_tensor(bars) - LOW, HIGH - LOW + 1).float()


def from_one_hot(rows: Float[Tensor, "N 8 4 P"]) -> Int[np.ndarray, "N 8 4"]:
    """Read pitches out of one-hot rows; the way back of `to_one_hot`."""
    return (rows.argmax(dim=-1) + LOW).numpy()


def eighths_to_pieces(bars: Int[np.ndarray, "N 8 4"]) -> list[Piece]:
    """Play each bar; a note is struck on each beat, and off the beat where the pitch changes."""
    pieces = []
    for bar in np.asarray(bars):
        notes = []
        for voice in range(N_VOICES):
            for eighth in range(0, len(bar), 2):
                on, off = bar[eighth : eighth + 2, voice].tolist()
                notes.append((2 * eighth, 4 if on == off else 2, on, 80, voice))
                if on != off:
                    notes.append((2 * eighth + 2, 2, off, 80, voice))
        pieces.append(Piece.from_notes(sorted(notes), tempo_qpm=TEMPO, metre="4/4"))
    return pieces


def consonant_share(bars: Int[np.ndarray, "N 8 4"]) -> float:
    """Share of the pairs of voices that stand a third, a sixth, a fifth or an octave apart."""
    pairs = [(bars[..., upper] - bars[..., lower]) % 12 for upper, lower in combinations(range(N_VOICES), 2)]
    return float(np.isin(pairs, CONSONANT).mean())


def small_moves(bars: Int[np.ndarray, "N 8 4"]) -> float:
    """Share of the moves from one eighth to the next that are two semitones at most."""
    return float((np.abs(np.diff(bars, axis=1)) <= 2).mean())


def move_one_note(pieces: Sequence[Piece], rng: np.random.Generator) -> list[Piece]:
    """A cheat that no count of exact copies finds: one note of each piece goes up or down by one or two semitones."""
    moved = []
    for piece in pieces:
        notes = piece.notes.copy()
        note = rng.integers(len(notes))
        pitch = int(notes["pitch"][note]) + int(rng.choice([-2, -1, 1, 2]))
        notes["pitch"][note] = min(max(pitch, LOW), HIGH)
        moved.append(piece.replace(notes=notes))
    return moved


def closest_share(pieces: Sequence[Piece], training: Sequence[Piece]) -> float:
    """Share of the places (16 sixteenths, 4 voices) that agree with the closest training bar; all on the white keys.

    1 for a copy. It also finds a copy that was changed here and there, which a count of exact copies misses.
    """
    known, asked = sounding_pitches(training), sounding_pitches(pieces)
    return float(np.mean([(known == bar).mean(axis=(1, 2)).max() for bar in asked]))
