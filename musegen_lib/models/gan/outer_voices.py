"""Soprano and bass of Bach's bars on eight eighths: data, baselines and measures for the small GAN of lesson 2.

Axes: N bars, 8 eighths, 2 voices (soprano, bass). The network itself stands in notebooks/02_gan.ipynb, whole.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from musegen_lib.core.piece import Piece
from musegen_lib.models.gan.batches import sounding_pitches
from musegen_lib.models.gan.recipe import chorale_windows

LOWEST_SOPRANO, N_SOPRANO = 55, 30
LOWEST_BASS, N_BASS = 33, 35
TEMPO = 84
SIZES = ((0, 0), (1, 2), (3, 4), (5, 99))  # semitones: stays, second, third, wider


def two_voices(part: str) -> tuple[Int[np.ndarray, "N 8 2"], Int[np.ndarray, "N"]]:
    """The pitch that sounds on each eighth of each bar, on the white keys, and the chorale that the bar comes from.

    Bars in which one of the two voices rests are left out.
    """
    windows = chorale_windows(part)
    bars = sounding_pitches(windows.pieces)[:, ::2, [0, 3]].astype(np.int64)
    sung = (bars > 0).all(axis=(1, 2))
    return bars[sung], windows.works[sung]


def bars_to_rows(bars: Int[np.ndarray, "N 8 2"]) -> Float[Tensor, "N 8 65"]:
    """Write each eighth as 30 places for the soprano and 35 for the bass, one of each set to 1."""
    pitch = torch.as_tensor(bars)
    soprano = F.one_hot(pitch[..., 0] - LOWEST_SOPRANO, N_SOPRANO)
    return torch.cat([soprano, F.one_hot(pitch[..., 1] - LOWEST_BASS, N_BASS)], dim=-1).float()


def rows_to_bars(rows: Float[Tensor, "N 8 65"]) -> Int[np.ndarray, "N 8 2"]:
    """Read pitches out of one-hot rows; the way back of `bars_to_rows`."""
    soprano, bass = rows.split([N_SOPRANO, N_BASS], dim=-1)
    return torch.stack([soprano.argmax(-1) + LOWEST_SOPRANO, bass.argmax(-1) + LOWEST_BASS], dim=-1).numpy()


def bars_to_piece(bars: Int[np.ndarray, "N 8 2"], title: str = "") -> Piece:
    """Play bars one after the other; a note is struck on each beat, and off the beat where the pitch changes."""
    line, notes = np.asarray(bars).reshape(-1, 2).tolist(), []
    for voice in (0, 1):
        for eighth in range(0, len(line), 2):
            on, off = line[eighth][voice], line[eighth + 1][voice]
            notes.append((2 * eighth, 4 if on == off else 2, on, 80, 3 * voice))
            if on != off:
                notes.append((2 * eighth + 2, 2, off, 80, 3 * voice))
    return Piece.from_notes(sorted(notes), title=title, tempo_qpm=TEMPO, metre="4/4")


def shuffle_bars(bars: Int[np.ndarray, "N 8 2"], rng: np.random.Generator) -> Int[np.ndarray, "N 8 2"]:
    """Put the pitches of each voice of each bar in random order."""
    return rng.permuted(bars, axis=1)


def mix_bars(bars: Int[np.ndarray, "N 8 2"], n: int, rng: np.random.Generator) -> Int[np.ndarray, "n 8 2"]:
    """Take soprano and bass from two different bars: both lines are real, and nothing fits."""
    return np.stack([bars[rng.permutation(len(bars))[:n], :, voice] for voice in (0, 1)], axis=2)


def change_one_note(bars: Int[np.ndarray, "N 8 2"], n: int, rng: np.random.Generator) -> Int[np.ndarray, "n 8 2"]:
    """A cheat: copies in which one eighth of one voice is that of another bar."""
    changed = bars[rng.permutation(len(bars))[:n]]
    for bar in changed:
        eighth, voice = rng.integers(8), rng.integers(2)
        bar[eighth, voice] = bars[rng.integers(len(bars)), eighth, voice]
    return changed


def chain_of_pairs(bars: Int[np.ndarray, "N 8 2"], n: int, rng: np.random.Generator) -> Int[np.ndarray, "n 8 2"]:
    """Draw n bars from a Markov chain that counts which pair of pitches follows which, at each eighth of the bar."""
    follow = defaultdict(list)
    for bar in bars.tolist():
        for eighth in range(1, len(bar)):
            follow[eighth, *bar[eighth - 1]].append(bar[eighth])
    drawn = []
    for start in rng.integers(len(bars), size=n):
        bar = [bars[start, 0].tolist()]
        for eighth in range(1, bars.shape[1]):
            choices = follow[eighth, *bar[-1]]
            bar.append(choices[rng.integers(len(choices))])
        drawn.append(bar)
    return np.array(drawn)


def two_voice_features(bars: Int[np.ndarray, "N 8 2"]) -> Float[np.ndarray, "N 25"]:
    """What a judge reads of each bar.

    Shares of the twelve interval classes between the voices (12); shares of the moves of each voice that stay, go by a
    second, a third, or farther (8); range of each voice (2); how often each voice moves off the beat (2); how often
    both move and keep a fifth or an octave (1).
    """
    above = (bars[..., 0] - bars[..., 1]) % 12  # (N, 8)
    moves = np.abs(np.diff(bars, axis=1))  # (N, 7, 2)
    columns = [(above == interval).mean(axis=1) for interval in range(12)]
    columns += [((moves >= low) & (moves <= high)).mean(axis=1)[:, v] for v in (0, 1) for low, high in SIZES]
    columns += [np.ptp(bars, axis=1)[:, v] for v in (0, 1)]
    columns += [(moves[:, ::2, v] > 0).mean(axis=1) for v in (0, 1)]
    kept = (above[:, 1:] == above[:, :-1]) & np.isin(above[:, 1:], (0, 7)) & (moves > 0).all(axis=2)
    return np.stack([*columns, kept.mean(axis=1)], axis=1).astype(float)


def copied_bars(bars: Int[np.ndarray, "N 8 2"], training: Int[np.ndarray, "M 8 2"]) -> float:
    """Share of the bars that are training bars, both on the white keys."""
    known = {bar.tobytes() for bar in np.ascontiguousarray(training, dtype=np.int64)}
    return float(np.mean([bar.tobytes() in known for bar in np.ascontiguousarray(bars, dtype=np.int64)]))
