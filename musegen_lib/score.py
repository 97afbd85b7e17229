"""Engraved sheet music as SVG, by music21 and verovio, without any notation program."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from musegen_lib.musicxml import piece_to_musicxml
from musegen_lib.piece import Piece

MAX_BARS = 64  # of a page; a longer piece is cut, and its label says so
PAGE_WIDTH = 1900  # verovio units; at SCALE percent the page is 760 pixels wide
SCALE = 40
OPTIONS = {
    "pageWidth": PAGE_WIDTH,
    "pageHeight": 60_000,
    "adjustPageHeight": True,
    "scale": SCALE,
    "header": "none",
    "footer": "none",
    "breaks": "auto",
    "font": "Leipzig",
    "svgViewBox": True,
    "svgFormatRaw": True,
    "svgRemoveXlink": True,
    "xmlIdSeed": 1,  # without a seed the ids differ from run to run
    **dict.fromkeys(("pageMarginLeft", "pageMarginRight", "pageMarginTop", "pageMarginBottom"), 20),
}
_CLUTTER = re.compile(
    r"<part-name>.*?</part-name>|<part-abbreviation>.*?</part-abbreviation>|<direction\b.*?</direction>", re.S
)
MARK_COLOUR = "#c1440e"


def engrave(piece: Piece, marked: Sequence[int] = ()) -> str:
    """Engrave a piece on one page; the same piece gives the same SVG.

    Args:
        marked: numbers of notes (rows of `piece.notes`) to draw in colour.
    Returns:
        An SVG document that names nothing outside itself, labelled for readers who do not see it.
    """
    import verovio

    shown = piece.excerpt(MAX_BARS) if len(piece.bar_onsets) > MAX_BARS else piece
    toolkit = verovio.toolkit()
    toolkit.setOptions(OPTIONS)
    if not toolkit.loadData(_CLUTTER.sub("", piece_to_musicxml(shown).decode())):
        raise ValueError(f"{piece!r} cannot be engraved: verovio refuses its MusicXML")
    svg = toolkit.renderToSVG(1)
    if marked:
        svg = _colour(svg, toolkit, shown, marked)
    label = html.escape(f"Score of {piece!r}", quote=True)
    width, height = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups()
    size = f'width="{width}" height="{height}"'
    return re.sub(r"<svg\b", f'<svg role="img" aria-label="{label}" {size} style="background:#fff"', svg, count=1)


@dataclass(frozen=True)
class Score:
    """An engraved piece; shows itself in a notebook."""

    piece: Piece
    svg: str

    def __repr__(self) -> str:
        return f"Score of {self.piece!r}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": self.svg}


def score(piece: Piece, marked: Sequence[int] = ()) -> Score:
    """Return the engraved piece for a notebook; `marked` as in `engrave`."""
    return Score(piece, engrave(piece, marked))


def _colour(svg: str, toolkit: Any, piece: Piece, marked: Sequence[int]) -> str:
    """Colour each engraved note whose sounding pitch and onset are those of a marked note."""
    wanted = {(int(piece.notes[i]["onset_steps"]), int(piece.notes[i]["pitch"])) for i in marked}
    for moment in toolkit.renderToTimemap():
        for element in moment.get("on", ()):
            onset = round(moment["qstamp"] * piece.steps_per_beat)
            if (onset, toolkit.getMIDIValuesForElement(element)["pitch"]) in wanted:
                svg = svg.replace(f'<g id="{element}"', f'<g id="{element}" fill="{MARK_COLOUR}" color="{MARK_COLOUR}"')
    return svg
