"""A piano roll that can be followed: each note knows in which seconds of its player it sounds.

In the book a script (book/_static/js/page.js) marks the note that sounds. Elsewhere, where no script runs, the numbers
below the notes help to follow by eye.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np

from musegen_lib.core.expression import expressive, note_delays
from musegen_lib.core.piano_roll_svg import VOICE_COLOURS
from musegen_lib.core.piece import Piece
from musegen_lib.display.figures import pitch_name
from musegen_lib.display.sound import Player, player

# pixels: the picture, names of pitches, a semitone, a title
WIDTH, LEFT, ROW, ABOVE = 720, 70, 21, 52
FONT = 'font-family="sans-serif" font-size="14" style="paint-order:stroke" stroke="#fff" stroke-width="2"'


@dataclass(frozen=True)
class Following:
    """A picture of a tune and its player in one output."""

    svg: str
    sound: Player

    def __repr__(self) -> str:
        return f"Piano roll to follow, with {self.sound!r}"

    def _repr_html_(self) -> str:
        return f'<div class="follow">{self.svg}{self.sound._repr_html_()}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def follow(
    piece: Piece, label: str, surprise: Mapping[str, Sequence[float]] | None = None, highest: float = 3.0
) -> Following:
    """Draw a melody above its player, so that ear and eye go together.

    Args:
        label: what one hears.
        surprise: from the name of a model to nats, one a note; the roll is drawn once a model, the notes in the colour
            of their surprise and with the number above. None draws it once, in one colour.
        highest: nats of the darkest colour.
    Raises:
        ValueError: a model does not have one number a note.
    """
    for name, nats in (surprise or {}).items():
        if len(nats) != len(piece):
            raise ValueError(f"{name}: {len(nats)} numbers for {len(piece)} notes")
    sound = player(piece, label)
    played = expressive(piece)
    times = played.note_seconds() + np.asarray(note_delays(played))[:, None]
    parts, top = [], 0.0
    for name, nats in (surprise or {"": [None] * len(piece)}).items():
        drawn, height = _roll(piece, times, name, nats, highest, top)
        parts += drawn
        top += height
    alt = html.escape(f"Piano roll of {label}, its notes numbered from left to right", quote=True)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:.0f}" width="{WIDTH}" role="img" '
    look = 'style="background:#fff;max-width:100%;height:auto"'
    return Following(f'{head}aria-label="{alt}" {look}>{"".join(parts)}</svg>', sound)


def _roll(
    piece: Piece, times: np.ndarray, name: str, nats: Sequence[float | None], highest: float, top: float
) -> tuple[list[str], float]:
    """One roll from `top` downwards, and its height."""
    pitches = piece.notes["pitch"].astype(int)
    above = ABOVE if name else 26
    height = above + ROW * (int(np.ptp(pitches)) + 1) + 26
    x = (WIDTH - LEFT - 8) / max(1, piece.n_steps)
    parts = [_text(LEFT, top + 16, f"Surprise of {name}, in nats", "#222", "start")] if name else []
    for line in piece.bar_onsets.tolist():
        at = LEFT + line * x
        parts.append(f'<path d="M{at:.1f} {top + above - 22:.0f}V{top + height - 22:.0f}" stroke="#ccc"/>')
    for pitch in np.unique(pitches).tolist():
        middle = top + above + ROW * (pitches.max() - pitch + 0.5)
        parts.append(_text(LEFT - 6, middle + 5, f"{pitch_name(pitch)} {pitch}", "#444", "end"))
    parts.append(_text(LEFT - 6, top + height - 6, "note", "#555", "end"))
    last = 0.0
    for number, (note, time, value) in enumerate(zip(piece.notes.tolist(), times.tolist(), nats, strict=True), start=1):
        middle = LEFT + note[0] * x + note[1] * x / 2
        parts += _note(note, time, value, x, top + above + ROW * (int(pitches.max()) - note[2]), highest)
        if middle - last >= 10 * len(str(number)):  # where there is no room, the number is left out
            parts.append(_text(middle, top + height - 6, str(number), "#555"))
            last = middle
    return parts, height


def _note(
    note: Sequence[int], time: Sequence[float], value: float | None, x: float, y: float, highest: float
) -> list[str]:
    """The box of a note (onset, duration, ...) that sounds in `time`, x pixels a step, and its surprise above."""
    at, width = LEFT + note[0] * x, note[1] * x
    colour = VOICE_COLOURS[0]
    if value is not None:
        colour = mpl.colors.to_hex(mpl.colormaps["plasma_r"](mpl.colors.Normalize(0, highest)(value)))
    box = (
        f'<rect x="{at + 0.5:.1f}" y="{y + 1}" width="{max(2.0, width - 1.5):.1f}" height="{ROW - 2}" '
        f'fill="{colour}" stroke="#333" stroke-width="0.7" data-start="{time[0]:.2f}" data-stop="{time[1]:.2f}"/>'
    )
    return [box] if value is None else [box, _text(at + width / 2, y - 3, f"{value:.1f}", "#222")]


def _text(x: float, y: float, words: str, colour: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" {FONT}>{html.escape(words)}</text>'
