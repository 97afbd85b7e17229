"""What is in a piece, counted: pitches, intervals, durations, notes and pitch classes bar by bar.

Rules of the house, here and in `tonality`, `texture` and `voices`: percussion has no pitch and is left out wherever
pitch matters; a mean or share of nothing is NaN, a count of nothing is 0; bars run from the first bar line, so a pickup
is left out and the last bar counts as full.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from musegen_lib.core.piece import Piece, pitched_notes
from musegen_lib.encodings.arrays import piece_to_roll

DURATION_BEATS = (4, 3, 2, 3 / 2, 4 / 3, 1, 3 / 4, 2 / 3, 1 / 2, 3 / 8, 1 / 3, 1 / 4)  # whole to sixteenth, in quarters
HISTOGRAM_WIDEST = 12  # semitones: wider melodic intervals count as an octave


def pitched_roll(piece: Piece) -> Bool[np.ndarray, "T 128"]:
    """(T, P) True while a pitch sounds in any voice but percussion."""
    return piece_to_roll(piece.replace(notes=pitched_notes(piece)), piece.n_steps)[0]


def bar_starts(piece: Piece) -> Int[np.ndarray, "bars"]:
    """Steps at which bars begin, a pickup left out; none without a metre."""
    if not piece.steps_per_bar:
        return np.zeros(0, dtype=np.int64)
    return np.arange(piece.pickup_steps, piece.n_steps, piece.steps_per_bar, dtype=np.int64)


def pitch_class_histogram(piece: Piece) -> Float[np.ndarray, "12"]:
    """Share of the notes in each pitch class, C first.

    h[k] = #(notes with pitch mod 12 = k) / #(notes); 12 numbers from 0 to 1 with sum 1. All NaN for an empty piece.
    Source: PCH of Yang and Lerch 2020.

    >>> pitch_class_histogram(Piece.from_notes([(0, 1, 60), (1, 3, 67)]))[[0, 7]].tolist()
    [0.5, 0.5]
    """
    return _shares(np.bincount(pitched_notes(piece)["pitch"] % 12, minlength=12))


def duration_histogram(piece: Piece) -> Float[np.ndarray, "12"]:
    """Share of the notes of each length in DURATION_BEATS: whole note to sixteenth, with dots and triplets.

    A note counts for the class nearest to it in ratio (log duration). 12 numbers with sum 1; all NaN when empty.
    Source: NLH of Yang and Lerch 2020, its 12 classes without rests.

    >>> duration_histogram(Piece.from_notes([(0, 4, 60), (4, 4, 62), (8, 8, 64)]))[[2, 5]].round(3).tolist()
    [0.333, 0.667]
    """
    beats = pitched_notes(piece)["duration_steps"] / piece.steps_per_beat
    nearest = np.abs(np.log(beats)[:, None] - np.log(DURATION_BEATS)).argmin(axis=1)  # (N,)
    return _shares(np.bincount(nearest, minlength=len(DURATION_BEATS)))


def melodic_intervals(piece: Piece) -> Int[np.ndarray, "N"]:
    """Semitones from each note to the next of its voice, upwards positive, voice after voice.

    Of a chord the highest note counts; rests are stepped over. Empty for fewer than two notes a voice.

    >>> melodic_intervals(Piece.from_notes([(0, 1, 60), (1, 1, 67), (4, 1, 64)])).tolist()
    [7, -3]
    """
    notes = pitched_notes(piece)
    pitch = notes["pitch"].astype(np.int64)
    order = np.lexsort((-pitch, notes["onset_steps"], notes["voice"]))
    notes, pitch = notes[order], pitch[order]
    same_voice = notes["voice"][1:] == notes["voice"][:-1]
    top = np.concatenate([[True], ~same_voice | (np.diff(notes["onset_steps"]) > 0)])[: len(notes)]
    voice = notes["voice"][top]
    return np.diff(pitch[top])[voice[1:] == voice[:-1]]


def interval_histogram(piece: Piece) -> Float[np.ndarray, "25"]:
    """Share of the melodic intervals from -12 to +12 semitones, wider ones in the outermost bins.

    h[12 + k] = #(intervals of k semitones) / #(intervals), sum 1. All NaN without two notes in a voice.

    >>> h = interval_histogram(Piece.from_notes([(0, 1, 60), (1, 1, 62), (2, 1, 80)]))
    >>> h[12 + 2], h[12 + 12]
    (np.float64(0.5), np.float64(0.5))
    """
    intervals = np.clip(melodic_intervals(piece), -HISTOGRAM_WIDEST, HISTOGRAM_WIDEST) + HISTOGRAM_WIDEST
    return _shares(np.bincount(intervals, minlength=2 * HISTOGRAM_WIDEST + 1))


def inter_onset_intervals(piece: Piece) -> Float[np.ndarray, "N"]:
    """Beats from each moment at which something is struck, in any voice, to the next. Percussion counts.

    Positive; empty for fewer than two moments.
    Source: IOI of Yang and Lerch 2020, in beats where they have seconds.

    >>> inter_onset_intervals(Piece.from_notes([(0, 8, 60), (4, 4, 64), (4, 4, 67), (6, 2, 72)])).tolist()
    [1.0, 0.5]
    """
    return np.diff(np.unique(piece.notes["onset_steps"])) / piece.steps_per_beat


def mean_inter_onset_interval(piece: Piece) -> float:
    """Mean of the inter-onset intervals in beats; NaN for fewer than two moments."""
    intervals = inter_onset_intervals(piece)
    return float(intervals.mean()) if len(intervals) else float("nan")


def pitch_range(piece: Piece) -> float:
    """Highest minus lowest pitch in semitones, 0 to 127; NaN for an empty piece (MusPy 0.5.0 says 0).

    Source: PR of Yang and Lerch 2020; `muspy.pitch_range`.
    """
    pitch = pitched_notes(piece)["pitch"].astype(np.int64)
    return float(np.ptp(pitch)) if len(pitch) else float("nan")


def n_pitches_used(piece: Piece) -> int:
    """Number of different pitches, 0 to 128; 0 for an empty piece. Source: `muspy.n_pitches_used`."""
    return len(np.unique(pitched_notes(piece)["pitch"]))


def n_pitch_classes_used(piece: Piece) -> int:
    """Number of different pitch classes, 0 to 12; 0 for an empty piece. Source: `muspy.n_pitch_classes_used`."""
    return len(np.unique(pitched_notes(piece)["pitch"] % 12))


def notes_per_bar(piece: Piece) -> Int[np.ndarray, "bars"]:
    """Notes struck in each bar, percussion too; empty without bars (no metre, no note after the first bar line).

    Source: NC/bar of Yang and Lerch 2020.

    >>> notes_per_bar(Piece.from_notes([(0, 4, 60), (4, 12, 64), (32, 4, 67)])).tolist()
    [2, 0, 1]
    """
    starts = bar_starts(piece)
    bar = np.searchsorted(starts, piece.notes["onset_steps"], side="right") - 1
    return np.bincount(bar[bar >= 0], minlength=len(starts))[: len(starts)]


def pitch_classes_per_bar(piece: Piece) -> Int[np.ndarray, "bars"]:
    """Different pitch classes sounding in each bar, 0 to 12; an empty bar has 0.

    Source: UPC of MuseGAN (Dong et al. 2018), which counts a held note in every bar it sounds in, as here.
    """
    roll, starts = pitched_roll(piece), bar_starts(piece)
    ends = starts + (piece.steps_per_bar or 0)
    used = [roll[start:end].any(axis=0).nonzero()[0] % 12 for start, end in zip(starts, ends)]
    return np.array([len(np.unique(classes)) for classes in used], dtype=np.int64)


def _shares(counts: np.ndarray) -> np.ndarray:
    total = counts.sum()
    return counts / total if total else np.full(len(counts), np.nan)
