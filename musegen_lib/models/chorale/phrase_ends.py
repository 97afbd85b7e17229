"""Where the phrases of a melody end: logistic regression over its notes, and the likeliest chain of ends.

p(note ends a phrase | the melody, where the last phrase ended) = sigmoid(weights of what the note is like + weight of
the phrase's length). The likeliest chain of ends is found by dynamic programming.
Source: features after Cambouropoulos 2001, "The local boundary detection model" (rests, long notes, leaps), with the
length of the phrase as in Temperley 2001, "The Cognition of Basic Musical Structures", chapter 3; the weights are
learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musegen_lib.core.configs import require_sizes
from musegen_lib.core.piece import Piece
from musegen_lib.encodings.melody_events import NO_TONIC, key_to_ids

WIDTHS = {  # of the features, each a number from 0
    "length": 9,  # of the note, half octaves of the median length
    "longer": 9,  # than the note that follows, in half octaves
    "rest": 2,  # follows
    "onset": 9,  # eighths of the bar; the last: on none
    "next": 9,  # the onset that follows, as above
    "restart": 2,  # the onset that follows lies in the bar where the first note does
    "degree": 13,  # semitones above the tonic; the last: unknown
    "before": 5,  # interval from the last note: leap down, step down, none, step up, leap up
    "after": 5,  # interval to the next
    "halves": 18,  # length of the phrase in half bars; the last: on none
    "beats": 26,  # the same in beats
}
LEAP = 4  # semitones
LONGEST_BARS, TOO_LONG = 8, 20.0  # a phrase whose last note begins later costs as much as a chance of exp(-20)
BAR_BEATS = 4  # of a melody without metre


@dataclass(frozen=True)
class PhraseEndsConfig:
    """Sizes of a PhraseEnds."""

    n_values: int = sum(WIDTHS.values())  # a weight for each value of each feature

    def __post_init__(self) -> None:
        require_sizes(self)


@dataclass(frozen=True)
class PhraseEndsBatch:
    """Notes of many melodies in a row, each with its features by the true ends before it."""

    features: Int[Tensor, "N K"]
    ends: Bool[Tensor, "N"]


class PhraseEnds(nn.Module):
    """Logit of "a phrase ends on this note"."""

    def __init__(self, config: PhraseEndsConfig):
        super().__init__()
        self.config = config
        self.weights = nn.Parameter(torch.zeros(config.n_values))
        starts = torch.tensor([0, *WIDTHS.values()]).cumsum(0)[:-1]
        self.register_buffer("starts", starts, persistent=False)

    def forward(self, features: Int[Tensor, "... K"]) -> Float[Tensor, "..."]:
        """Sum the weights of the features' values."""
        return self.weights[features + self.starts].sum(dim=-1)

    def loss(self, batch: PhraseEndsBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats per note."""
        nll = F.binary_cross_entropy_with_logits(self(batch.features), batch.ends.float())
        return nll, {"weight": float(len(batch.ends))}


def note_features(melody: Piece) -> Int[np.ndarray, "N K"]:
    """All features of the notes but the last two, which depend on where the last phrase ended."""
    notes, bar = melody.notes, _bar_steps(melody)
    onset, length, pitch = (notes[name].astype(np.int64) for name in ("onset_steps", "duration_steps", "pitch"))
    following = np.append(onset[1:], onset[-1] + length[-1])
    space = following - onset  # the note and the rest after it
    tonic, _ = key_to_ids(melody.key)
    moves = np.diff(pitch, prepend=pitch[0], append=pitch[-1])
    columns = {
        "length": _half_octaves(space / np.median(space)),
        "longer": _half_octaves(space / np.append(space[1:], space[-1])),
        "rest": following > onset + length,
        "onset": _eighths(onset - melody.pickup_steps, bar),
        "next": _eighths(following - melody.pickup_steps, bar),
        "restart": (following - onset[0]) % bar == 0,
        "degree": np.full(len(pitch), 12) if tonic == NO_TONIC else (pitch - tonic) % 12,
        "before": _move(moves[:-1]),
        "after": _move(moves[1:]),
    }
    return np.stack(list(columns.values()), axis=1).astype(np.int64)


def phrase_features(melody: Piece, start: int | Int[np.ndarray, "N"]) -> Int[np.ndarray, "N 2"]:
    """The last two features of every note: the length of a phrase from step `start` to the next note's onset.

    Where `start` comes after a note, its features mean nothing.
    """
    onset, length = (melody.notes[name].astype(np.int64) for name in ("onset_steps", "duration_steps"))
    steps = np.append(onset[1:], onset[-1] + length[-1]) - start
    halves = _count(2 * steps, _bar_steps(melody), WIDTHS["halves"])
    return np.stack([halves, _count(steps, melody.steps_per_beat, WIDTHS["beats"])], axis=1)


def told_features(melody: Piece, ends: Bool[np.ndarray, "N"]) -> Int[np.ndarray, "N K"]:
    """All features, with the true ends before each note known."""
    onset = melody.notes["onset_steps"].astype(np.int64)
    first = np.zeros(len(onset), dtype=np.int64)  # of the phrase each note lies in
    first[1:] = np.maximum.accumulate(np.where(ends[:-1], np.arange(1, len(onset)), 0))
    return np.concatenate([note_features(melody), phrase_features(melody, onset[first])], axis=1)


@torch.no_grad()
def find_phrase_ends(model: PhraseEnds, melody: Piece) -> Bool[np.ndarray, "N"]:
    """The likeliest ends, one bool a note; the last note always ends a phrase.

    Raises:
        ValueError: the melody has no notes.
    """
    n = len(melody)
    if not n:
        raise ValueError(f"{melody!r} has no notes to find phrases in")
    own, onset = note_features(melody), melody.notes["onset_steps"].astype(np.int64)
    best, before = np.full(n + 1, -np.inf), np.zeros(n + 1, dtype=np.int64)  # of chains whose last end is note k - 1
    best[0] = 0.0
    for start in range(n):
        features = np.concatenate([own, phrase_features(melody, int(onset[start]))], axis=1)[start:]
        logits = model(torch.from_numpy(features)).double()
        ends, goes_on = F.logsigmoid(logits).numpy(), F.logsigmoid(-logits).numpy()
        ends[-1] = 0.0  # the last note is known to end one
        too_long = onset[start:] - onset[start] >= LONGEST_BARS * _bar_steps(melody)
        scores = best[start] + ends + np.append(0.0, np.cumsum(goes_on)[:-1]) - TOO_LONG * too_long
        better = scores > best[start + 1 :]
        best[start + 1 :][better], before[start + 1 :][better] = scores[better], start
    found, last = np.zeros(n, dtype=bool), n
    while last > 0:
        found[last - 1], last = True, before[last]
    return found


def _bar_steps(melody: Piece) -> int:
    return int(melody.steps_per_bar or BAR_BEATS * melody.steps_per_beat)


def _half_octaves(ratio: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(2 * np.log2(ratio)), -4, 4) + 4


def _eighths(steps: np.ndarray, bar: int) -> np.ndarray:
    eighths = 8 * (steps % bar)
    return np.where(eighths % bar == 0, eighths // bar, 8)


def _move(semitones: np.ndarray) -> np.ndarray:
    return np.sign(semitones) * (1 + (np.abs(semitones) > LEAP)) + 2


def _count(steps: np.ndarray, unit: int, width: int) -> np.ndarray:
    """Whole units, as many as the feature tells apart; its last value where there is a fraction left."""
    return np.where(steps % unit == 0, np.clip(steps // unit, 0, width - 2), width - 1).astype(np.int64)


def precision_recall_f1(found: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """Over the notes of all melodies, the last of each left out: that it ends a phrase is no finding.

    >>> precision_recall_f1([np.array([True, False, True, True])], [np.array([True, True, False, True])])
    (0.5, 0.5, 0.5)
    """
    guesses, truth = (np.concatenate([marks[:-1] for marks in many]) for many in (found, wanted))
    hits = int((guesses & truth).sum())
    precision, recall = hits / max(1, int(guesses.sum())), hits / max(1, int(truth.sum()))
    return precision, recall, 2 * hits / max(1, int(guesses.sum() + truth.sum()))
