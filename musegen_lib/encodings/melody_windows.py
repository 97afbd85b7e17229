"""Two bars of melody as 32 tokens: what the melody VAE reads and writes. Taught in notebooks/03_vae.ipynb.

A window is (T,) token ids of `encodings.piece_to_tokens` with T = 32: eight beats of four sixteenths. A note that began
before the window counts as struck at its start. Every tune is first moved home: by so many semitones that the scale of
its key becomes that of C major, and all tunes have one register: G major is read as C major, E minor as A minor, A
dorian as D dorian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.core.scales import best_scale
from musegen_lib.corpus import Corpus, load_folk_tunes
from musegen_lib.encodings.arrays import (
    FIRST_PITCH,
    HOLD,
    MELODY_HIGH,
    MELODY_LOW,
    N_MELODY_TOKENS,
    REST,
    STEPS_PER_BEAT,
    piece_to_tokens,
    skyline,
    tokens_to_piece,
)

WINDOW_STEPS = 32
OCTAVE = 12  # semitones: a wider leap stands in one of a hundred windows of the corpus
MIDDLE = 71  # B4, the middle of the folk tunes
WINDOW_METRES = {"4/4": 16, "2/2": 16, "2/4": 8}  # steps a bar; a window is two bars of the first two, four of 2/4


@dataclass(frozen=True)
class MelodyWindows:
    """Many windows, and where each comes from.

    Args:
        tokens: (N, T) token ids, at home.
        tunes: (N,) number of the tune in the corpus it was cut from.
        first_bars: (N,) the bar it begins with, counted from the first full bar.
        styles: (N,) such as "chinese".
        titles: (N,) of the tune.
    """

    tokens: np.ndarray
    tunes: np.ndarray
    first_bars: np.ndarray
    styles: np.ndarray
    titles: np.ndarray

    def __len__(self) -> int:
        return len(self.tokens)

    def where(self, mask: np.ndarray) -> MelodyWindows:
        """The windows where mask is True (or those with these numbers)."""
        return replace(self, **{name: column[mask] for name, column in vars(self).items()})

    def piece(self, number: int, **labels: Any) -> Piece:
        """One window as a piece that names its tune."""
        title = f"{self.titles[number]}, bar {self.first_bars[number] + 1}"
        return window_to_piece(self.tokens[number], **{"title": title, "style": self.styles[number], **labels})


def cut_windows(corpus: Corpus, metres: Sequence[str] = ("4/4", "2/2"), hop_bars: int = 2) -> MelodyWindows:
    """Cut the tunes in these metres that lie on sixteenths into windows at home, hop_bars apart, pickups left out."""
    on_grid = np.isin(corpus.column("metre"), metres) & (corpus.column("grid") == STEPS_PER_BEAT)
    found: list[np.ndarray] = []
    rows: list[tuple[int, int, str, str]] = []
    for number in np.flatnonzero(on_grid).tolist():
        tune = corpus[number]
        bar = WINDOW_METRES[tune.metre or ""]
        cut = tune_to_windows(tune.transpose(home_shift(tune)), hop_bars * bar)
        found += [cut]
        rows += [(number, hop_bars * i, tune.style, tune.title) for i in range(len(cut))]
    tokens = np.concatenate([np.zeros((0, WINDOW_STEPS), dtype=np.int64), *found])
    columns = [np.array(column) for column in zip(*rows)] if rows else [np.zeros(0, dtype=np.int64)] * 4
    return MelodyWindows(tokens, *columns)


def home_shift(piece: Piece) -> int:
    """Semitones that bring a melody to the scale of C major, in the octave where its mean pitch is nearest to MIDDLE.

    >>> home_shift(Piece.from_notes([(0, 4, 67), (4, 4, 66), (8, 8, 67)], key="G major"))
    5
    """
    return middle_shift(piece, -best_scale(piece, piece.key))


def middle_shift(piece: Piece, semitones: int) -> int:
    """So many semitones up or down, and the octaves with which the mean pitch comes nearest to MIDDLE.

    Raises:
        MusegenError: the melody is too wide for the net.
    """
    pitches = piece.notes["pitch"].astype(np.int64)
    low, high = int(pitches.min()), int(pitches.max())
    ways = [semitones % 12 + 12 * octaves for octaves in range(-12, 12)]
    fits = [shift for shift in ways if low + shift >= MELODY_LOW and high + shift <= MELODY_HIGH]
    if not fits:
        name = piece.title or "the piece"
        raise MusegenError(
            f"{name}: its melody spans {high - low} semitones, too wide for the net; give a narrower one"
        )
    return min(fits, key=lambda shift: abs(int((pitches + shift - MIDDLE).sum())))


def tune_to_windows(tune: Piece, hop_steps: int = WINDOW_STEPS) -> Int[np.ndarray, "N 32"]:
    """Cut one melody on sixteenths into windows, hop_steps apart, from its first full bar on.

    Only full bars count: what stands after the last one is left out. A window without any note is left out, too.

    >>> tune = Piece.from_notes([(0, 30, 60), (30, 6, 62), (36, 28, 64)])
    >>> tune_to_windows(tune)[:, :6].tolist()
    [[14, 0, 0, 0, 0, 0], [16, 0, 0, 0, 18, 0]]
    """
    tokens = piece_to_tokens(tune)
    bar = tune.steps_per_bar or WINDOW_STEPS
    end = tune.pickup_steps + (len(tokens) - tune.pickup_steps) // bar * bar
    starts = np.arange(tune.pickup_steps, end - WINDOW_STEPS + 1, hop_steps)
    cut = tokens[starts[:, None] + np.arange(WINDOW_STEPS)]  # (N, T)
    sounding = np.maximum.accumulate(
        np.where(tokens != HOLD, np.arange(len(tokens)), 0)
    )  # where each step's note began
    cut[:, 0] = tokens[sounding[starts]]
    return cut[(cut >= FIRST_PITCH).any(axis=1)]


@lru_cache(maxsize=3)
def training_windows() -> Int[np.ndarray, "N 32"]:
    """Windows of the training tunes a bar apart, in 4/4 and 2/2, and of 2/4 two bars apart."""
    tunes = load_folk_tunes(part="train")
    return np.concatenate([cut_windows(tunes, hop_bars=1).tokens, cut_windows(tunes, ("2/4",)).tokens])


@lru_cache(maxsize=3)
def held_out_windows(part: str) -> MelodyWindows:
    """Windows in 4/4 and 2/2 of "valid" or "test", side by side, that no training window equals in any key."""
    windows = cut_windows(load_folk_tunes(part=part))
    return windows.where(~is_among(windows.tokens, training_windows()))


def is_among(windows: Int[np.ndarray, "N 32"], known: Int[np.ndarray, "M 32"]) -> Bool[np.ndarray, "N"]:
    """True for each window that is among the known ones, transpositions included."""
    lowest = {row.tobytes() for row in _to_lowest(known)}
    return np.array([row.tobytes() in lowest for row in _to_lowest(windows)], dtype=bool)


def _to_lowest(windows: Int[np.ndarray, "N 32"]) -> Int[np.ndarray, "N 32"]:
    """Each window transposed so that its lowest note is the lowest there is."""
    pitched = windows >= FIRST_PITCH
    lowest = np.where(pitched, windows, N_MELODY_TOKENS).min(axis=1, keepdims=True)
    return np.where(pitched, windows - lowest + FIRST_PITCH, windows)


def make_playable(tokens: Int[np.ndarray, "T"]) -> Int[np.ndarray, "T"]:
    """Turn each HOLD with no note to hold into a REST; nothing else is wrong that tokens can say.

    >>> make_playable(np.array([0, 0, 14, 0, 1, 0])).tolist()
    [1, 1, 14, 0, 1, 1]
    """
    fixed, sounding = tokens.copy(), False
    for step, token in enumerate(tokens.tolist()):
        sounding = token >= FIRST_PITCH or (sounding and token == HOLD)
        if token == HOLD and not sounding:
            fixed[step] = REST
    return fixed


def widest_leap(tokens: Int[np.ndarray, "T"]) -> int:
    """Semitones of the widest step from one note to the next, 0 for fewer than two notes.

    >>> widest_leap(np.array([14, 0, 27, 1, 26])), widest_leap(np.array([14, 0]))
    (13, 0)
    """
    return int(np.abs(np.diff(tokens[tokens >= FIRST_PITCH])).max(initial=0))


def window_to_piece(tokens: Int[np.ndarray, "T"], **labels: Any) -> Piece:
    """Two bars of 4/4 as a piece, playable whatever a net wrote."""
    return tokens_to_piece(make_playable(np.asarray(tokens)), **{"metre": "4/4", "tempo_qpm": 100.0, **labels})


def windows_to_piece(windows: Sequence[np.ndarray], **labels: Any) -> Piece:
    """Windows one after the other, as one piece; a note never lasts from one into the next."""
    return window_to_piece(np.concatenate([make_playable(np.asarray(window)) for window in windows]), **labels)


def piece_to_window(piece: Piece) -> tuple[Int[np.ndarray, "32"], list[str]]:
    """The first 32 sixteenths of any piece's melody after its pickup, at home, and lines on what was left out.

    Of several notes at once the highest is taken. The whole melody decides where home is.

    Raises:
        MusegenError: no note is left, the piece is not on sixteenths, or its melody is too wide for the net.
    """
    name, melody = piece.title or "the piece", skyline(piece)
    if piece.steps_per_beat != STEPS_PER_BEAT:
        raise MusegenError(f"{name}: has {piece.steps_per_beat} steps a beat; wanted sixteenths, {STEPS_PER_BEAT}")
    start, onsets = piece.pickup_steps, melody.notes["onset_steps"]
    notes = melody.notes[(onsets >= start) & (onsets < start + WINDOW_STEPS)]
    if not len(notes):
        raise MusegenError(f"{name}: no melody in its first {WINDOW_STEPS} sixteenths")
    shift = middle_shift(melody.replace(notes=notes), -best_scale(melody, piece.key))
    tokens = np.full(start + max(WINDOW_STEPS, melody.n_steps), REST, dtype=np.int64)
    for onset, duration, pitch, *_ in notes.tolist():
        tokens[onset : onset + duration] = HOLD
        tokens[onset] = pitch + shift - MELODY_LOW + FIRST_PITCH
    return tokens[start : start + WINDOW_STEPS], _left_out(piece, len(notes), shift)


def _left_out(piece: Piece, n_kept: int, shift: int) -> list[str]:
    told = [f"{n_kept} of {len(piece)} notes kept: the melody of the first {WINDOW_STEPS} sixteenths"]
    if piece.pickup_steps:
        told.append(f"a pickup of {piece.pickup_steps} sixteenths is left out")
    if shift:
        told.append(f"moved by {shift:+d} semitones to the scale of C major, in which the net reads and writes")
    if piece.metre not in WINDOW_METRES:
        told.append(f"metre {piece.metre}: read as 4/4, which the net was trained on")
    return told
