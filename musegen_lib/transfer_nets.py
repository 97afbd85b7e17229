"""Style transfer by the nets of lesson 5, in the form of `transfer_baselines`."""

from __future__ import annotations

from typing import Any

import torch

from musegen_lib.models.style_lines import MelodyLine, line_to_piece, lines_to_batch, piece_to_line
from musegen_lib.models.style_search import rewrite_line
from musegen_lib.models.style_vae import StyleVAE
from musegen_lib.piece import Piece
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


@torch.no_grad()
def content_of(model: StyleVAE, line: MelodyLine) -> Any:
    """The decoder, told the latents of a line."""
    return model.given(lines_to_batch([line], [0]))  # the encoder does not read the style


def search(model: Any, piece: Piece, to: str, amount: float) -> Piece:
    """The best-scored melody that moves at most the share `amount` of the notes."""
    if len(piece) < 2:
        return piece
    target, source = STYLES.index(to), STYLES.index(other_style(to))
    lines, scores = rewrite_line(model, piece_to_line(piece), target, source, amount)
    return line_to_piece(lines[int(scores.argmax())], piece)
