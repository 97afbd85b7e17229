"""Rewrite a melody in another style with few changes: a beam search with a budget. Taught in 05_style_transfer.ipynb.

The score of a melody is log p(melody | target) - CONTRAST * log p(melody | source): likely in the target style, and
less so in its own. From left to right, each note stays or moves by up to WIDEST_MOVE semitones; of the beginnings with
equally many moved notes the best few live on. So one search finds the best melodies with 0, 1, 2, ... moved notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from musegen_lib.core.progress import progress
from musegen_lib.core.ranking import best_first, first_best
from musegen_lib.encodings.melody_lines import REGISTER, START, WIDEST_INTERVAL, MelodyLine
from musegen_lib.models.style.batches import LineBatch, lines_to_batch
from musegen_lib.models.style.budget import allowed_changes

WIDEST_MOVE = 7  # semitones a note may move; this, BEAM and CONTRAST were chosen on validation tunes
BEAM = 6  # beginnings kept for each number of moved notes
CONTRAST = 0.5
ANY_PITCH = np.ones(12, dtype=bool)
BEAM_MOVES = np.array([0, *(sign * d for d in range(1, WIDEST_MOVE + 1) for sign in (1, -1))])


@dataclass(frozen=True)
class Beam:
    """Beginnings of equal length: their pitches, how many notes moved, their scores, and the net's memory of them."""

    pitches: Int[np.ndarray, "K n"]
    moved: Int[np.ndarray, "K"]
    scores: Float[np.ndarray, "K"]
    states: tuple[tuple[Tensor, ...] | None, tuple[Tensor, ...] | None] = (None, None)


@dataclass(frozen=True)
class _Search:
    """What stays the same from note to note."""

    model: Any
    line: MelodyLine
    styles: tuple[int, int]  # the target, the source
    contrast: float
    budget: int
    penalty: Float[np.ndarray, "N moves"]  # 0, or minus infinity for a move that is not allowed


@torch.no_grad()
def rewrite_line(
    model: Any,
    line: MelodyLine,
    target: int,
    source: int,
    amount: float,
    scale: Bool[np.ndarray, "12"] = ANY_PITCH,
    contrast: float = CONTRAST,
    hold_ends: bool = False,
) -> tuple[list[MelodyLine], Float[np.ndarray, "few"]]:
    """Find the best melodies with 0, 1, 2, ... moved notes, at most a share `amount` of all.

    Args:
        model: a StyleRNN, or what can be asked like one.
        target, source: numbers of STYLES.
        scale: the pitch classes that a moved note may land on.
        hold_ends: whether the last note of each phrase stays where it is.
    Returns:
        one line for each number of moved notes that some melody has, fewest first, and the score of each in nats; the
        first is the line itself.
    """
    budget = allowed_changes(len(line), amount)
    search = _Search(model, line, (target, source), contrast, budget, _penalty(line, scale, hold_ends))
    beam = Beam((line.pitches[0] + BEAM_MOVES)[:, None], (BEAM_MOVES != 0).astype(np.int64), search.penalty[0])
    for note in progress(range(1, len(line)), "rewriting"):
        beam = _advance(search, beam, note)
    counts = [count for count in range(budget + 1) if np.isfinite(beam.scores[beam.moved == count]).any()]
    best = [_first(beam.moved == count, beam.scores) for count in counts]
    return [line.with_pitches(beam.pitches[row]) for row in best], beam.scores[best]


def contrast_per_note(model: Any, lines: list[MelodyLine], target: int, source: int) -> Float[np.ndarray, "B"]:
    """How much more likely the net finds each line in the target style than in the source, in nats an interval."""
    with torch.no_grad():
        log_probs = [model.log_prob(lines_to_batch(lines, [style] * len(lines))) for style in (target, source)]
    return (log_probs[0] - log_probs[1]).numpy() / np.array([len(line) - 1 for line in lines])


def _advance(search: _Search, beam: Beam, note: int) -> Beam:
    """Every beginning with every next note; the best BEAM for each number of moved notes."""
    gains, states = [], []
    for style, state in zip(search.styles, beam.states, strict=True):
        logits, state = search.model.steps(_next_step(search.line, beam, note, style), state)
        gains.append(torch.log_softmax(logits[:, 0], dim=-1).numpy())  # (K, V)
        states.append(state)
    gain = gains[0] - search.contrast * gains[1]
    pitches = search.line.pitches[note] + BEAM_MOVES  # (moves,)
    interval = (
        np.clip(pitches - beam.pitches[:, -1:], -WIDEST_INTERVAL, WIDEST_INTERVAL) + WIDEST_INTERVAL
    )  # (K, moves)
    scores = beam.scores[:, None] + np.take_along_axis(gain, interval, axis=1) + search.penalty[note]
    moved = beam.moved[:, None] + (BEAM_MOVES != 0)
    kept = np.concatenate([_best_few(scores, moved == count) for count in range(search.budget + 1)])
    rows, moves = np.unravel_index(kept, scores.shape)
    begun = np.concatenate([beam.pitches[rows], pitches[moves][:, None]], axis=1)
    kept_states = tuple(tuple(part[:, rows] for part in state) for state in states)
    return Beam(begun, moved[rows, moves], scores[rows, moves], kept_states)


def _next_step(line: MelodyLine, beam: Beam, note: int, style: int) -> LineBatch:
    """What the net reads to score note `note` after each beginning."""
    n = len(beam.pitches)
    near = {
        name: torch.from_numpy(getattr(line, name)[note - 1 : note + 1])[None].expand(n, -1)
        for name in ("durations", "places", "left")
    }
    last = beam.pitches[:, -1:]
    before = np.full((n, 1), START)
    if note > 1:
        before = np.clip(last - beam.pitches[:, -2:-1], -WIDEST_INTERVAL, WIDEST_INTERVAL) + WIDEST_INTERVAL
    register = np.clip(last - beam.pitches[:, :1], -REGISTER, REGISTER) + REGISTER
    empty = torch.zeros((n, 1), dtype=torch.int64)
    read = {"before": torch.from_numpy(before), "register": torch.from_numpy(register)}
    return LineBatch(**read, **near, styles=torch.full((n,), style), intervals=empty, mask=empty.bool())


def _penalty(line: MelodyLine, scale: Bool[np.ndarray, "12"], hold_ends: bool) -> Float[np.ndarray, "N moves"]:
    pitches = line.pitches[:, None] + BEAM_MOVES
    allowed = (pitches >= 0) & (pitches <= 127) & scale[pitches % 12]
    if hold_ends:
        allowed &= (line.left > 0)[:, None]
    return np.where(allowed | (BEAM_MOVES == 0), 0.0, -np.inf)


def _best_few(scores: Float[np.ndarray, "K moves"], allowed: np.ndarray) -> Int[np.ndarray, "few"]:
    """Flat positions of the BEAM best allowed scores, best first."""
    found = np.flatnonzero(allowed)
    single = scores.ravel()[found].astype(np.float32)  # the net adds in 32 bits: what differs less is equal
    return found[best_first(single, BEAM)]


def _first(rows: np.ndarray, scores: np.ndarray) -> int:
    found = np.flatnonzero(rows)
    return int(found[first_best(scores[found].astype(np.float32))])
