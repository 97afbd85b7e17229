"""A blind listening test: the order is drawn from a seed, and the answer stands below the players, folded away."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.display.sound import MAX_SECONDS, Players, players


@dataclass(frozen=True)
class BlindTest:
    """Players in a drawn order under numbers; shows itself in a notebook."""

    sounds: Players
    answers: tuple[str, ...]  # what each player plays

    def __repr__(self) -> str:
        return f"{self.sounds!r}\n(the answer is folded below the players)"

    def _repr_html_(self) -> str:
        names = [sound.label for sound in self.sounds.players]
        rows = [f"<li>{name}: {html.escape(answer)}</li>" for name, answer in zip(names, self.answers)]
        folded = f"<details><summary>Answer</summary><ul>{''.join(rows)}</ul></details>"
        return f"<div>{self.sounds._repr_html_()}{folded}</div>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def blind_test(pieces: Mapping[str, Piece], seed: int, seconds: float = MAX_SECONDS) -> BlindTest:
    """Return one player a piece, in an order that the code in sight does not tell.

    Args:
        pieces: from what a piece is ("by Bach") to the piece.
        seed: of the order.
    Raises:
        ValueError: fewer than two pieces.
    """
    if len(pieces) < 2:
        raise ValueError(f"a blind test needs two pieces at least, not {len(pieces)}")
    drawn = np.random.default_rng([seed, len(pieces)]).permutation(len(pieces))
    names = [list(pieces)[place] for place in drawn]
    labels = [f"Piece {number}" for number in range(1, len(names) + 1)]
    return BlindTest(players([pieces[name] for name in names], labels, seconds), tuple(names))
