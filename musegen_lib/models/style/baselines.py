"""Style transfer without a network: what every net of lesson 5 stands beside.

A rewriter takes a melody, the style it is to become, the largest share of notes to change, and a seed. Those here that
change other things say so. Rhythm and number of notes stay, except where durations are pasted or a tune is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from musegen_lib.core.piece import Piece
from musegen_lib.core.progress import progress
from musegen_lib.core.ranking import first_best
from musegen_lib.corpus.chinese_german import load_side, marked_ends, other_style
from musegen_lib.metrics.content import content_report
from musegen_lib.models.style.budget import allowed_changes
from musegen_lib.models.style.trigram import N_STEPS, WIDEST_SYMBOL, IntervalTrigram

Rewriter = Callable[[Piece, str, float, int], Piece]
SCALES = {"chinese": (0, 2, 4, 7, 9), "german": (0, 2, 4, 5, 7, 9, 11)}
FARTHEST = 3  # semitones a note may move
AWAY_WEIGHT = 0.1  # of the source's log probability; .1 to 1 were tried on validation tunes, see lesson 5
MOVES = tuple(move for move in range(-FARTHEST, FARTHEST + 1) if move)


def with_pitches(piece: Piece, pitches: Int[np.ndarray, "N"]) -> Piece:
    """The same rhythm with other pitches; a pitch may be struck again, never twice at once."""
    notes = piece.notes.copy()
    notes["pitch"] = pitches
    return piece.replace(notes=notes, key=None)


@lru_cache(maxsize=2)
def transfer_trigram(style: str) -> IntervalTrigram:
    """Trigram of intervals of the tunes that transfer methods may learn from."""
    return IntervalTrigram().fit(load_side(style, "transfer", "train"))


def unchanged(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """The ceiling of content: nothing is changed."""
    return piece


def transposed(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Two semitones higher (lower at the top of the range): another key is no other style."""
    return piece.transpose(2 if piece.notes["pitch"].max(initial=0) <= 125 else -2)


def snapped(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Move notes to the nearest of the best scale: pentatonic for Chinese, major for German; longest notes first."""
    pitch = piece.notes["pitch"].astype(np.int64)
    outside = best_scale(piece, to)[pitch % 12] == 0
    longest = np.argsort(-piece.notes["duration_steps"].astype(np.int64) * outside, kind="stable")
    chosen = longest[: min(int(outside.sum()), allowed_changes(len(piece), amount))]
    scale = best_scale(piece, to)
    for k in chosen:
        steps = sorted(range(-6, 7), key=lambda step: (abs(step), -step))
        pitch[k] += next(step for step in steps if scale[(pitch[k] + step) % 12] and 0 <= pitch[k] + step <= 127)
    return with_pitches(piece, pitch)


def best_scale(piece: Piece, style: str) -> Bool[np.ndarray, "12"]:
    """The style's scale on the tonic where it covers most sounding time of the piece."""
    weight = np.bincount(piece.notes["pitch"] % 12, weights=piece.notes["duration_steps"], minlength=12)
    scale = np.isin(np.arange(12), SCALES[style])
    return np.roll(scale, max(range(12), key=lambda tonic: weight[np.roll(scale, tonic)].sum()))


def random_target(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """The floor of content: a training tune of the wanted style, drawn by the seed and the piece."""
    corpus = load_side(to, "transfer", "train")
    return corpus[int(_rng(piece, seed).integers(len(corpus)))]


def pasted_durations(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Snap the pitches and take the durations of a random tune of the style, repeated as needed; rests close up."""
    snap = snapped(piece, to, 1.0, seed)
    donor = random_target(piece, to, amount, seed)
    beats = np.resize(donor.notes["duration_steps"] / donor.steps_per_beat, len(piece))
    grid = max(piece.steps_per_beat, donor.steps_per_beat)
    steps = np.maximum(1, np.round(beats * grid)).astype(np.int64)
    notes = snap.notes.copy()
    notes["onset_steps"], notes["duration_steps"] = np.cumsum(steps) - steps, steps
    return snap.replace(notes=notes, steps_per_beat=grid, pickup_steps=0, metre=donor.metre, fermatas=())


def nearest_target(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """The training tune of the style whose beginning keeps most of the piece, moved to its first pitch."""
    found = [_on_first_pitch(tune, piece) for tune in load_side(to, "transfer", "train")[:400]]
    return max(found, key=lambda tune: sum(content_report(piece, tune).values()))


def counted(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Greedy rewriting by trigrams, free to move any note."""
    return greedy_trigrams(piece, to, amount, np.ones(len(piece), dtype=bool))


def counted_between_ends(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Greedy rewriting by trigrams that leaves the last note of each phrase alone."""
    return greedy_trigrams(piece, to, amount, ~marked_ends(piece))


def greedy_trigrams(
    piece: Piece, to: str, amount: float, free: Bool[np.ndarray, "N"], weight: float = AWAY_WEIGHT
) -> Piece:
    """Change the note that most raises log p(wanted) - weight log p(source), one at a time, by up to 3 semitones."""
    source = transfer_trigram(other_style(to)).log_prob
    score = transfer_trigram(to).log_prob - weight * source
    pitch, free = piece.notes["pitch"].astype(np.int64), free.copy()
    for _ in progress(range(allowed_changes(len(piece), amount)), "rewriting"):
        gains = _gains(pitch, score)
        gains[~free] = -np.inf
        note, move = np.unravel_index(first_best(gains), gains.shape) if gains.size else (0, 0)
        if not gains.size or gains[note, move] <= 0:
            break
        pitch[note] += MOVES[move]
        free[note] = False
    return with_pitches(piece, pitch)


def _gains(pitch: Int[np.ndarray, "N"], score: Float[np.ndarray, "26 26 25"]) -> Float[np.ndarray, "N moves"]:
    """What each move of each note adds to the score of the melody: only the four intervals around it count."""
    n = len(pitch)
    moved = pitch[:, None] + np.array(MOVES)  # (N, M)
    around = np.arange(n)[:, None] + np.arange(-4, 4)  # (N, 8) four notes before, itself, three after
    inside = (around >= 0) & (around < n)
    near = pitch[np.clip(around, 0, max(0, n - 1))]  # (N, 8)
    options = np.repeat(near[:, None], len(MOVES), axis=1)  # (N, M, 8)
    options[:, :, 4] = moved
    gained = _local(options, inside, score) - _local(near[:, None], inside, score)
    return np.where((moved >= 0) & (moved <= 127), gained, -np.inf)


def _local(pitches: np.ndarray, inside: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Sum of the scores of the last five of seven intervals; those that reach outside the melody count nothing."""
    symbols = np.clip(np.diff(pitches), -WIDEST_SYMBOL, WIDEST_SYMBOL) + WIDEST_SYMBOL  # (N, M, 7)
    real = (inside[:, 1:] & inside[:, :-1])[:, None]  # (N, 1, 7)
    symbols = np.where(real, symbols, N_STEPS)
    terms = score[symbols[..., :-2], symbols[..., 1:-1], np.minimum(symbols[..., 2:], N_STEPS - 1)]
    return np.where(real[..., 2:], terms, 0).sum(axis=-1)


def _on_first_pitch(tune: Piece, piece: Piece) -> Piece:
    shift = int(piece.notes["pitch"][0]) - int(tune.notes["pitch"][0]) if len(piece) else 0
    low, high = int(tune.notes["pitch"].min()), int(tune.notes["pitch"].max())
    return tune.transpose(int(np.clip(shift, -low, 127 - high)))


def _rng(piece: Piece, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, len(piece), *piece.notes["pitch"].tolist()])
