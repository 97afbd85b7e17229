"""Style transfer by an attribute vector of lesson 3's melody VAE, which never heard of styles. 05_style_transfer.ipynb.

The code of each two bars moves along the difference of the styles' mean codes; the decoder then says of every note
what it would rather write, and the notes it most wants to change are changed. Axes: W windows of T = 32 sixteenths.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int

from musegen_lib.core.piece import Piece
from musegen_lib.core.ranking import best_first, first_best
from musegen_lib.core.scales import best_scale
from musegen_lib.corpus.chinese_german import load_side, other_style
from musegen_lib.encodings.arrays import FIRST_PITCH, HOLD, MELODY_HIGH, MELODY_LOW, REST
from musegen_lib.encodings.melody_windows import MIDDLE, STEPS_PER_BEAT, WINDOW_METRES, WINDOW_STEPS, cut_windows
from musegen_lib.models.style.baselines import MOVES, with_pitches
from musegen_lib.models.style.budget import allowed_changes
from musegen_lib.models.vae.vae import MelodyVAE

STRENGTH = 10.0  # differences of mean codes to move, times the amount; chosen on validation tunes


@lru_cache(maxsize=4)  # two ways of two nets
def style_direction(model: MelodyVAE, to: str) -> Float[torch.Tensor, "Z"]:
    """Mean code of windows of the wanted style less that of the other, over the transfer side's training tunes.

    Args:
        model: a trained net; what was found for it is kept, and does not change if the net learns on.
    """
    means = []
    for style in (to, other_style(to)):
        windows = cut_windows(load_side(style, "transfer", "train"), tuple(WINDOW_METRES))
        with torch.no_grad():
            means.append(model.encode(torch.from_numpy(windows.tokens))[0].mean(dim=0))
    return means[0] - means[1]


def by_attribute(model: MelodyVAE, piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Move the codes and let the decoder change the notes it finds most out of place; nothing is drawn."""
    budget = allowed_changes(len(piece), amount)
    if not budget:
        return piece
    scores = _wishes(model, piece, style_direction(model, to) * STRENGTH * amount)  # (N, moves), of staying put 0
    moves, gains = first_best(scores, axis=1), scores.max(axis=1)
    pitch = piece.notes["pitch"].astype(np.int64)
    for note in best_first(gains, budget):
        if gains[note] > 0:
            pitch[note] += MOVES[moves[note]]
    return with_pitches(piece, pitch)


@torch.no_grad()
def _wishes(model: MelodyVAE, piece: Piece, step: torch.Tensor) -> Float[np.ndarray, "N moves"]:
    """How much rather the decoder writes each note moved by each of MOVES, in nats, after the notes as they were."""
    tokens, onsets, ids = piece_to_steps(piece)
    windows = torch.from_numpy(tokens.reshape(-1, WINDOW_STEPS))  # (W, T)
    logits = model.decode(model.encode(windows)[0] + step, windows).flatten(0, 1).numpy()[onsets]  # (N, V)
    moved = ids[:, None] + np.array(MOVES)
    real = piece.notes["pitch"].astype(np.int64)[:, None] + np.array(MOVES)
    inside = (moved >= FIRST_PITCH) & (moved < logits.shape[1]) & (real >= 0) & (real <= 127)
    found = np.take_along_axis(logits, np.clip(moved, 0, logits.shape[1] - 1), axis=1) - np.take_along_axis(
        logits, ids[:, None], axis=1
    )
    return np.where(inside, found, -np.inf)


def piece_to_steps(piece: Piece) -> tuple[Int[np.ndarray, "steps"], Int[np.ndarray, "N"], Int[np.ndarray, "N"]]:
    """Tokens of a melody at home, in whole windows from its first full bar on (a pickup ends the window before).

    Returns:
        the tokens, the step of each note, and the token of each note; pitches out of range move by octaves.
    """
    scale = STEPS_PER_BEAT / piece.steps_per_beat
    onset = np.round(piece.notes["onset_steps"] * scale).astype(np.int64)
    end = np.round((piece.notes["onset_steps"] + piece.notes["duration_steps"]) * scale).astype(np.int64)
    lead = -round(piece.pickup_steps * scale) % WINDOW_STEPS
    onset, end = onset + lead, end + lead
    pitch = piece.notes["pitch"].astype(np.int64) - best_scale(piece, piece.key)
    pitch = pitch + 12 * ((int((MIDDLE - pitch).sum()) + 6 * len(pitch)) // (12 * len(pitch)))  # octaves to the middle
    pitch = pitch + 12 * np.ceil(np.clip(MELODY_LOW - pitch, 0, None) / 12).astype(np.int64)
    pitch = pitch - 12 * np.ceil(np.clip(pitch - MELODY_HIGH, 0, None) / 12).astype(np.int64)
    ids = pitch - MELODY_LOW + FIRST_PITCH
    tokens = np.full(-(-int(end.max()) // WINDOW_STEPS) * WINDOW_STEPS, REST, dtype=np.int64)
    for first, last, token in zip(onset, end, ids, strict=True):
        tokens[first:last] = HOLD
        tokens[first] = token
    return tokens, onset, ids
