"""Style transfer by the nets of lesson 5: rewriters as in `baselines`, with the net that rewrites before all else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool

from musegen_lib.core.piece import Piece
from musegen_lib.core.ranking import first_best
from musegen_lib.core.scales import DIATONIC, weight_on_scales
from musegen_lib.corpus.chinese_german import STYLES, other_style
from musegen_lib.encodings.melody_lines import MelodyLine, line_to_piece, piece_to_line
from musegen_lib.models.style.batches import lines_to_batch
from musegen_lib.models.style.beam_search import CONTRAST, rewrite_line
from musegen_lib.models.style.gan import StyleGAN, rewrite_by_critic
from musegen_lib.models.style.rnn import StyleRNN
from musegen_lib.models.style.vae import StyleVAE, StyleVAEEnsemble

CONTRASTS = {"chinese": 0.5, "german": 0.6}  # of the ensemble; met all targets on validation tunes with most to spare


def by_rnn(model: StyleRNN, piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Beam search under the recurrent net; nothing is drawn."""
    return search(model, piece, to, amount)


def by_vae(model: StyleVAE, piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Beam search under the VAE's decoder, told the content of the piece; nothing is drawn."""
    return by_content(model, piece, to, amount)


def by_ensemble(model: StyleVAEEnsemble, piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """As by_vae, with three VAEs and a contrast of its own for each direction; nothing is drawn."""
    return by_content(model, piece, to, amount, CONTRASTS[to])


def by_gan(model: StyleGAN, piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """One note at a time: the generator proposes, its own critic chooses; nothing is drawn."""
    target = STYLES.index(to)
    return in_its_key(piece, lambda line, scale: rewrite_by_critic(model, line, target, amount, scale))


@torch.no_grad()
def by_content(
    model: StyleVAE | StyleVAEEnsemble,
    piece: Piece,
    to: str,
    amount: float,
    contrast: float = CONTRAST,
    hold_ends: bool = False,
) -> Piece:
    """As `search`, under the model's decoder, told the latents of the piece; a single note stays."""
    if len(piece) < 2:  # no interval to encode
        return piece
    told = model.given(lines_to_batch([piece_to_line(piece)], [0]))  # the encoder does not read the style
    return search(told, piece, to, amount, contrast, hold_ends)


def search(
    model: Any, piece: Piece, to: str, amount: float, contrast: float = CONTRAST, hold_ends: bool = False
) -> Piece:
    """The best-scored melody that moves at most the share `amount` of the notes, in the key it was in.

    Args:
        hold_ends: whether the last note of each phrase stays where it is.
    """
    target, source = STYLES.index(to), STYLES.index(other_style(to))

    def best(line: MelodyLine, scale: np.ndarray) -> tuple[MelodyLine, float]:
        lines, scores = rewrite_line(model, line, target, source, amount, scale, contrast, hold_ends)
        chosen = int(first_best(scores.astype(np.float32)))
        return lines[chosen], float(scores[chosen])

    return in_its_key(piece, best)


def in_its_key(piece: Piece, rewrite: Callable[[MelodyLine, np.ndarray], tuple[MelodyLine, float]]) -> Piece:
    """Rewrite a melody on each scale that fits it and take the one that scores best; a single note stays."""
    if len(piece) < 2:
        return piece
    line = piece_to_line(piece)
    found = [rewrite(line, scale) for scale in diatonic_scales(piece)]
    best, _ = found[first_best(np.float32([score for _, score in found]))]
    return line_to_piece(best, piece)


def diatonic_scales(piece: Piece) -> list[Bool[np.ndarray, "12"]]:
    """The diatonic scales on which most sounding time of a piece lies: one, or several if they fit alike.

    >>> tune = Piece.from_notes([(4 * i, 4, p) for i, p in enumerate((60, 62, 64, 67, 69))])
    >>> [np.flatnonzero(scale).tolist() for scale in diatonic_scales(tune)]
    [[0, 2, 4, 5, 7, 9, 11], [0, 2, 4, 5, 7, 9, 10], [0, 2, 4, 6, 7, 9, 11]]
    """
    weight = np.bincount(piece.notes["pitch"] % 12, weights=piece.notes["duration_steps"], minlength=12)
    scales = [np.isin((np.arange(12) - tonic) % 12, DIATONIC) for tonic in range(12)]
    time = weight_on_scales(weight)
    return [scale for scale, own in zip(scales, time, strict=True) if own == time.max()]
