"""Engraved sheet music as SVG, by music21 and verovio, without any notation program."""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree as ET

from musegen_lib.core.keys import LETTER_SEMITONES
from musegen_lib.core.limits import PAGE_BARS, refuse_long_page
from musegen_lib.core.piece import Piece
from musegen_lib.formats.musicxml.reader import piece_to_musicxml

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
    "staffLineWidth": 0.2,  # at verovio's 0.15 and 0.25 screens show lines as grey or not at all
    "ledgerLineThickness": 0.3,
    "svgViewBox": True,
    "svgFormatRaw": True,
    "svgRemoveXlink": True,
    "pageMarginLeft": 60,  # room for the bracket
    **dict.fromkeys(("pageMarginRight", "pageMarginTop", "pageMarginBottom"), 20),
}
MARK_COLOUR = "#c1440e"
_NAMES, _TEMPO = {"part-name", "part-abbreviation"}, {"direction"}  # clutter: "Voice 1", a tempo that nobody asked for
_BRACKET = (
    '<part-group type="start" number="1"><group-symbol>bracket</group-symbol>'
    "<group-barline>yes</group-barline></part-group>"
)


def engrave(
    piece: Piece,
    marked: Sequence[int] = (),
    new_lines: Sequence[int] = (),
    names: Sequence[str] = (),
    label: str = "",
    on_note: Callable[[ET.Element, int], None] | None = None,
    headed: bool = False,
) -> str:
    """Engrave a piece on one page; the same piece gives the same SVG.

    Args:
        marked: numbers of notes (rows of `piece.notes`) to draw in colour, with all that is tied to them.
        new_lines: bars, counted from 0, before which a line ends; none: lines end where they are full.
        names: what to print before the staff of each voice.
        label: what the picture is called for readers who do not see it, instead of title and counts.
        headed: with title and tempo above, as a page by itself needs them.
        on_note: changes a written note of the MusicXML, given the number of the note that it is or is tied to.
    Returns:
        An SVG document that names nothing outside itself, labelled for readers who do not see it.
    """
    import verovio

    cut = piece.n_bars > PAGE_BARS
    page = piece.excerpt(PAGE_BARS) if cut else piece
    refuse_long_page(page, "a score")
    xml = _sheet(page, set(marked), on_note, _NAMES if headed else _NAMES | _TEMPO)
    xml = _laid_out(xml, new_lines, names) if new_lines or names else xml
    toolkit = verovio.toolkit()
    # a seed, else the ids differ from run to run; of the music, else two scores on one page share their ids
    breaks = {"breaks": "encoded", "minLastJustification": 0.4} if new_lines else {}
    head = {"header": "auto"} if headed else {}
    toolkit.setOptions(OPTIONS | breaks | head | {"xmlIdSeed": 1 + zlib.crc32(xml.encode()) % 2**30})
    if not toolkit.loadData(xml):
        raise ValueError(f"{piece!r} cannot be engraved: verovio refuses its MusicXML")
    svg = toolkit.renderToSVG(1)
    label = label or (
        f"Score of {piece!r}" + f", its first {PAGE_BARS} bars" * cut + f", {len(marked)} notes marked" * bool(marked)
    )
    width, height = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups()
    size = f'aria-label="{html.escape(label, quote=True)}" width="{width}" height="{height}"'
    return re.sub(r"<svg\b", lambda _: f'<svg role="img" {size} style="background:#fff"', svg, count=1)


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


def _sheet(piece: Piece, marked: Set[int], on_note: Callable[[ET.Element, int], None] | None, clutter: Set[str]) -> str:
    """MusicXML as a reader wants it: no clutter, staves joined by a bracket, colours."""
    root = ET.fromstring(piece_to_musicxml(piece))
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in clutter]:
            parent.remove(child)
    if piece.n_voices > 1:
        staves = root.find("part-list")
        staves.insert(0, ET.fromstring(_BRACKET))
        staves.append(ET.fromstring('<part-group type="stop" number="1"/>'))
    if marked or on_note:
        for element, number in _written_notes(root, piece):
            if number in marked:
                element.set("color", MARK_COLOUR)
            if on_note:
                on_note(element, number)
    return ET.tostring(root, encoding="unicode")


def _laid_out(xml: str, new_lines: Sequence[int], names: Sequence[str]) -> str:
    """The same MusicXML with lines that end where they are to end, and names before the staves."""
    root = ET.fromstring(xml)
    for part in root.iter("part"):
        for bar, measure in enumerate(part.findall("measure")):
            if bar in new_lines:
                measure.insert(0, ET.fromstring('<print new-system="yes"/>'))
    for staff, name in zip(root.iter("score-part"), names, strict=False):
        element = ET.Element("part-name")
        element.text = name
        staff.insert(0, element)
    return ET.tostring(root, encoding="unicode")


def _written_notes(root: ET.Element, piece: Piece) -> Iterator[tuple[ET.Element, int]]:
    """Yield each written note, and the number of the note of the piece that it is, or that it is tied to."""
    for voice, part in enumerate(root.iter("part")):
        notes = [(number, *note) for number, note in enumerate(piece.notes.tolist()) if note[4] == voice]
        now, divisions, start = 0, 1, 0  # in divisions of a beat; a chord's further notes begin where its first does
        for element in (element for measure in part.iter("measure") for element in measure):
            divisions = int(element.findtext("divisions", str(divisions)))
            length = int(element.findtext("duration", "0"))
            if element.tag == "note":
                start = start if element.find("chord") is not None else now
                step, pitch = Fraction(start * piece.steps_per_beat, divisions), _pitch(element)
                owner = [n for n, onset, duration, p, *_ in notes if pitch == p and onset <= step < onset + duration]
                if owner:
                    yield element, owner[0]
                now = start + length
            elif element.tag in ("backup", "forward"):
                now += length if element.tag == "forward" else -length


def _pitch(note: ET.Element) -> int | None:
    """The pitch of a note, or the drum that it strikes; None for a rest."""
    written, instrument = note.find("pitch"), note.find("instrument")
    if written is None:
        return int(instrument.get("id").rpartition("-")[2]) if instrument is not None else None
    octave, alter = int(written.findtext("octave")), round(float(written.findtext("alter", "0")))
    return 12 * (octave + 1) + LETTER_SEMITONES[written.findtext("step")] + alter
