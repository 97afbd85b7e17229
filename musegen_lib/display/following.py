"""A piano roll or a score that can be followed: each note knows in which seconds of its player it sounds.

In the book a script (book/_static/js/page.js) marks the note that sounds. Elsewhere, where no script runs, the numbers
below the notes help to follow by eye.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np

from musegen_lib.core.expression import expressive, note_delays
from musegen_lib.core.piano_roll_svg import VOICE_COLOURS
from musegen_lib.core.piece import Piece
from musegen_lib.display.figures import pitch_name
from musegen_lib.display.score import engrave
from musegen_lib.display.sound import Player, player

# pixels: the picture, names of pitches, a semitone, a title
WIDTH, LEFT, ROW, ABOVE = 720, 70, 21, 26
HEAT = mpl.colors.LinearSegmentedColormap.from_list("heat", ("#0b4f9e", "#d95f02"))  # no surprise, much
FONT = 'font-family="sans-serif" font-size="14" style="paint-order:stroke" stroke="#fff" stroke-width="2"'


@dataclass(frozen=True)
class Following:
    """A picture of a tune and its player in one output."""

    svg: str
    sound: Player

    def __repr__(self) -> str:
        return f"Notes to follow, with {self.sound!r}"

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
        surprise: from the name of a model to nats, one a note; the melody is engraved once a model, the notes in the
            colour of their surprise and with the number below. None draws a piano roll, in one colour.
        highest: nats of the colour at the far end.
    Raises:
        ValueError: a model does not have one number a note.
    """
    for name, nats in (surprise or {}).items():
        if len(nats) != len(piece):
            raise ValueError(f"{name}: {len(nats)} numbers for {len(piece)} notes")
    played = expressive(piece)
    times = (played.note_seconds() + np.asarray(note_delays(played))[:, None]).round(2).tolist()
    scores = [_coloured_score(piece, times, name, nats, highest) for name, nats in (surprise or {}).items()]
    return Following("".join(scores) or _roll(piece, times, label), player(piece, label))


def _coloured_score(piece: Piece, times: Sequence, name: str, nats: Sequence[float], highest: float) -> str:
    """The melody engraved: colour and number of each note are its surprise, and its head carries its seconds."""

    def on_note(element: ET.Element, number: int) -> None:
        element.set("color", mpl.colors.to_hex(HEAT(min(1.0, nats[number] / highest))))
        element.set("id", f"note-{number}")
        if element.find("tie[@type='stop']") is None:
            ET.SubElement(ET.SubElement(element, "lyric"), "text").text = f"{nats[number]:.1f}"

    svg = engrave(piece, label=f"Score with the surprise of {name}, in nats, below each note", on_note=on_note)
    svg = re.sub(r'id="note-(\d+)" ', lambda found: _seconds(times[int(found[1])]), svg)
    return f"<p>Surprise of {html.escape(name)}, in nats</p>{svg}"


def _roll(piece: Piece, times: Sequence, label: str) -> str:
    """A piano roll with numbered notes."""
    pitches = piece.notes["pitch"].astype(int)
    height = ABOVE + ROW * (int(np.ptp(pitches)) + 1) + 26
    x = (WIDTH - LEFT - 8) / max(1, piece.n_steps)
    lines = [LEFT + line * x for line in piece.bar_onsets.tolist()]
    parts = [f'<path d="M{at:.1f} {ABOVE - 22}V{height - 22}" stroke="#ccc"/>' for at in lines]
    for pitch in np.unique(pitches).tolist():
        middle = ABOVE + ROW * (pitches.max() - pitch + 0.5)
        parts.append(_text(LEFT - 6, middle + 5, f"{pitch_name(pitch)} {pitch}", "#444", "end"))
    parts.append(_text(LEFT - 6, height - 6, "note", "#555", "end"))
    last = 0.0
    for number, (note, time) in enumerate(zip(piece.notes.tolist(), times, strict=True), start=1):
        at, width, top = LEFT + note[0] * x, note[1] * x, ABOVE + ROW * (int(pitches.max()) - note[2])
        parts.append(
            f'<rect x="{at + 0.5:.1f}" y="{top + 1}" width="{max(2.0, width - 1.5):.1f}" height="{ROW - 2}" '
            f'fill="{VOICE_COLOURS[0]}" stroke="#333" stroke-width="0.7" {_seconds(time)}/>'
        )
        if at + width / 2 - last >= 10 * len(str(number)):  # where there is no room, the number is left out
            last = at + width / 2
            parts.append(_text(last, height - 6, str(number), "#555"))
    alt = html.escape(f"Piano roll of {label}, its notes numbered from left to right", quote=True)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img" '
    return f'{head}aria-label="{alt}" style="background:#fff;max-width:100%;height:auto">{"".join(parts)}</svg>'


def _seconds(time: Sequence[float]) -> str:
    return f'data-start="{time[0]:.2f}" data-stop="{time[1]:.2f}" '


def _text(x: float, y: float, words: str, colour: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" {FONT}>{html.escape(words)}</text>'
