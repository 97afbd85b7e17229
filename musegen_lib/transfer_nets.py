"""Style transfer by the nets of lesson 5, in the form of `transfer_baselines`."""

from __future__ import annotations

from musegen_lib.models.style_lines import line_to_piece, piece_to_line
from musegen_lib.models.style_search import contrast_per_note, rewrite_line
from musegen_lib.piece import Piece
from musegen_lib.recipes.style_nets import STYLE_RNN
from musegen_lib.style_pair import STYLES, other_style

ENOUGH = 0.3  # nats an interval that the target must lead by; chosen on validation tunes


def by_rnn(piece: Piece, to: str, amount: float, seed: int) -> Piece:
    """Beam search under the recurrent net: the fewest moved notes that make the target clearly likelier."""
    if len(piece) < 2:
        return piece
    model, target, source = STYLE_RNN.load_once(), STYLES.index(to), STYLES.index(other_style(to))
    lines = rewrite_line(model, piece_to_line(piece), target, source, amount)
    leads = contrast_per_note(model, lines, target, source)
    enough = [line for line, lead in zip(lines, leads, strict=True) if lead >= ENOUGH]
    return line_to_piece((enough or lines[-1:])[0], piece)
