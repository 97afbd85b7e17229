"""Style transfer by the nets of lesson 5, in the form of `transfer_baselines`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool

from musegen_lib.metrics.tonality import DIATONIC
from musegen_lib.models.style_gan import rewrite_by_critic
from musegen_lib.models.style_lines import MelodyLine, line_to_piece, lines_to_batch, piece_to_line
from musegen_lib.models.style_search import rewrite_line
from musegen_lib.models.style_vae import StyleVAE
from musegen_lib.piece import Piece
from musegen_lib.recipes.style_gan import STYLE_GAN
from musegen_lib.recipes.style_nets import STYLE_RNN, STYLE_VAE
from musegen_lib.style_pair import STYLES, other_style


def by_rnn(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Beam search under the recurrent net; nothing is drawn."""
    return search(STYLE_RNN.load_once(), piece, to, amount)


def by_vae(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Beam search under the VAE's decoder, told the content of the piece; nothing is drawn."""
    return (
        piece if len(piece) < 2 else search(content_of(STYLE_VAE.load_once(), piece_to_line(piece)), piece, to, amount)
    )


def by_gan(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """One note at a time: the generator proposes, its own critic chooses; nothing is drawn."""
    if len(piece) < 2:
        return piece
    model, line, target = STYLE_GAN.load_once(), piece_to_line(piece), STYLES.index(to)
    found = [rewrite_by_critic(model, line, target, amount, scale) for scale in diatonic_scales(piece)]
    return line_to_piece(max(found, key=lambda one: one[1])[0], piece)


@torch.no_grad()
def content_of(model: StyleVAE, line: MelodyLine) -> Any:
    """The decoder, told the latents of a line."""
    return model.given(lines_to_batch([line], [0]))  # the encoder does not read the style


def search(model: Any, piece: Piece, to: str, amount: float) -> Piece:
    """The best-scored melody that moves at most the share `amount` of the notes, in the key it was in."""
    if len(piece) < 2:
        return piece
    target, source, line = STYLES.index(to), STYLES.index(other_style(to)), piece_to_line(piece)
    found = [rewrite_line(model, line, target, source, amount, scale) for scale in diatonic_scales(piece)]
    lines, scores = max(found, key=lambda one: one[1].max())
    return line_to_piece(lines[int(scores.argmax())], piece)


def diatonic_scales(piece: Piece) -> list[Bool[np.ndarray, "12"]]:
    """The diatonic scales on which most sounding time of a piece lies: one, or several if they fit alike.

    >>> tune = Piece.from_notes([(4 * i, 4, p) for i, p in enumerate((60, 62, 64, 67, 69))])
    >>> [np.flatnonzero(scale).tolist() for scale in diatonic_scales(tune)]
    [[0, 2, 4, 5, 7, 9, 11], [0, 2, 4, 5, 7, 9, 10], [0, 2, 4, 6, 7, 9, 11]]
    """
    weight = np.bincount(piece.notes["pitch"] % 12, weights=piece.notes["duration_steps"], minlength=12)
    scales = [np.isin((np.arange(12) - tonic) % 12, DIATONIC) for tonic in range(12)]
    time = [weight[scale].sum() for scale in scales]
    return [scale for scale, own in zip(scales, time, strict=True) if own == max(time)]
