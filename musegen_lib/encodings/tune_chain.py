"""A whole tune as a chain of two-bar windows: what `musegen vary` and `musegen interpolate` change.

All windows of a tune lie at home, in one key (`melody_windows.home_shift`). Two things that a window cannot hold stand
beside them: which windows begin in the middle of a note, and the pickup. The way back joins the windows again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import (
    FIRST_PITCH,
    HOLD,
    REST,
    STEPS_PER_BEAT,
    piece_to_tokens,
    skyline,
    tokens_to_piece,
)
from musegen_lib.encodings.melody_windows import WINDOW_METRES, WINDOW_STEPS, home_shift, make_playable

MAX_WINDOWS = 32  # 64 bars of 4/4


@dataclass(frozen=True)
class TuneChain:
    """One melody in windows side by side, W of them, each of T = 32 tokens.

    Args:
        windows: (W, T) token ids at home; a note that lasts into a window is struck again at its start.
        tied: (W,) True where a window begins with a note that was struck before it.
        pickup: (k,) token ids at home of the bar before the first full one.
        n_steps: length without the pickup; the last window goes on holding its last note.
        shift: semitones by which the tune was moved.
    """

    windows: np.ndarray
    tied: np.ndarray
    pickup: np.ndarray
    n_steps: int
    shift: int

    @property
    def tokens(self) -> Int[np.ndarray, "T"]:
        """The whole melody at home, joined: a tied note goes on where the window before ends on its pitch."""
        found = np.concatenate([self.pickup, self.windows.ravel()[: self.n_steps]])
        for start in (len(self.pickup) + WINDOW_STEPS * np.flatnonzero(self.tied)).tolist():
            if sounding_at(found, start - 1) == found[start]:
                found[start] = HOLD
        return make_playable(found)

    @property
    def last_onset(self) -> int:
        """Step of the windows at which the last note is struck; of a tied note, where its last window begins."""
        return int(np.flatnonzero(self.windows.ravel()[: self.n_steps] >= FIRST_PITCH)[-1])

    def written(self, windows: Int[np.ndarray, "W 32"]) -> TuneChain:
        """The same tune with other windows, up to its last note, which stays: it ends as it ended, and as long."""
        changed, own = windows.ravel().copy(), self.windows.ravel()
        changed[self.last_onset :] = own[self.last_onset :]
        return replace(self, windows=changed.reshape(self.windows.shape))

    def shortened(self, n_windows: int) -> TuneChain:
        """The first windows and the last one, n_windows in all."""
        kept = [*range(n_windows - 1), len(self.windows) - 1]
        n_steps = self.n_steps - WINDOW_STEPS * (len(self.windows) - n_windows)
        tied = self.tied[kept] & (np.diff(kept, prepend=-1) == 1)
        return replace(self, windows=self.windows[kept], tied=tied, n_steps=n_steps)


def sounding_at(tokens: Int[np.ndarray, "T"], step: int) -> int:
    """The token that was last written at or before a step: a pitch, or REST.

    >>> sounding_at(np.array([14, 0, 0, 1, 0]), 2), sounding_at(np.array([14, 0, 0, 1, 0]), 4)
    (14, 1)
    """
    written = np.flatnonzero(tokens[: step + 1] != HOLD)
    return int(tokens[written[-1]]) if len(written) else REST


def piece_to_chain(piece: Piece) -> tuple[TuneChain, list[str]]:
    """The melody of any piece on sixteenths as a chain of windows, and lines on what was left out or will be different.

    Of several notes at once the highest is taken. The last bar is filled by its last note.

    Raises:
        MusegenError: there is no melody after the pickup, it is not on sixteenths, or it is too wide for the net.
    """
    name, melody = piece.title or "the piece", skyline(piece)
    if piece.steps_per_beat != STEPS_PER_BEAT:
        raise MusegenError(f"{name}: has {piece.steps_per_beat} steps a beat; wanted sixteenths, {STEPS_PER_BEAT}")
    lead, end = piece.pickup_steps, piece.pickup_steps + MAX_WINDOWS * WINDOW_STEPS
    melody = melody.replace(notes=melody.notes[melody.notes["onset_steps"] < end])
    if not (melody.notes["onset_steps"] >= lead).any():
        raise MusegenError(
            f"{name}: no melody in its first {MAX_WINDOWS * WINDOW_STEPS // 16} bars; cut off what is before it"
        )
    shift = home_shift(melody)
    tokens = piece_to_tokens(melody.transpose(shift))[:end]
    n_steps = min(_whole_bars(len(tokens) - lead, lead, piece.steps_per_bar or WINDOW_STEPS // 2), end - lead)
    windows, tied = _cut(tokens, lead, -(-n_steps // WINDOW_STEPS))
    return TuneChain(windows, tied, tokens[:lead], n_steps, shift), _told(piece, melody)


def chain_to_piece(chain: TuneChain, **labels: Any) -> Piece:
    """The melody in the key that the tune came in; labels such as title, metre and tempo are added."""
    home = tokens_to_piece(chain.tokens, pickup_steps=len(chain.pickup), metre=labels.get("metre", "4/4"))
    return home.transpose(-chain.shift).replace(**labels)


def _whole_bars(n_steps: int, lead: int, bar: int) -> int:
    """Up to the next bar line, or as much before it as the pickup takes.

    >>> _whole_bars(24, 4, 16), _whole_bars(30, 4, 16)
    (28, 32)
    """
    return min(-(-n_steps // bar) * bar, -(-(n_steps + lead) // bar) * bar - lead)


def _cut(tokens: Int[np.ndarray, "T"], lead: int, n: int) -> tuple[Int[np.ndarray, "W 32"], Bool[np.ndarray, "W"]]:
    """Windows from the first full bar on, each struck anew at its start, and whether that cut a note in two."""
    filled = np.append(tokens, np.full(lead + n * WINDOW_STEPS - len(tokens), HOLD))
    windows = filled[lead:].reshape(n, WINDOW_STEPS).copy()
    starts = lead + WINDOW_STEPS * np.arange(n)
    before = np.array([sounding_at(filled, start) for start in starts.tolist()])
    tied = (windows[:, 0] == HOLD) & (before >= FIRST_PITCH)
    windows[:, 0] = before
    return windows, tied


def _told(piece: Piece, melody: Piece) -> list[str]:
    told = []
    if len(melody) < len(piece):
        told.append(f"{len(melody)} of {len(piece)} notes kept: the melody of at most {MAX_WINDOWS * 2} bars of 4/4")
    if piece.pickup_steps:
        told.append(f"a pickup of {piece.pickup_steps} sixteenths stays as it is")
    if piece.metre not in WINDOW_METRES:
        told.append(f"metre {piece.metre}: the net knows bars of four beats; it reads 32 sixteenths at a time")
    return told
