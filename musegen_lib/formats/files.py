"""Read one piece from a file of any known kind, by its ending."""

from __future__ import annotations

from pathlib import Path

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.formats.abc.reader import read_abc, tune_to_piece
from musegen_lib.formats.midi.reader import read_midi
from musegen_lib.formats.musicxml.reader import musicxml_to_piece

NOTATION_GRID, FINEST_GRID = 4, 48  # steps a beat: of what is moved, and of what can be written as it is
MIDI_ENDINGS, ABC_ENDINGS, XML_ENDINGS = (".mid", ".midi"), (".abc",), (".xml", ".musicxml", ".mxl")


def read_piece(path: Path) -> tuple[Piece, list[str]]:
    """Read one piece from a file by its ending, with lines on what was left out; of many ABC tunes the first."""
    ending = path.suffix.lower()
    if ending in MIDI_ENDINGS:
        piece, report = read_midi(path)
        return piece, [f"{path.name}: {report}"]
    if ending in ABC_ENDINGS:
        tunes = read_abc(path)
        more = [f"{path.name}: the first of {len(tunes)} tunes is taken"] if len(tunes) > 1 else []
        return tune_to_piece(tunes[0]), more
    if ending in XML_ENDINGS:
        return musicxml_to_piece(path), []
    known = ", ".join((*MIDI_ENDINGS, *ABC_ENDINGS, *XML_ENDINGS))
    raise MusegenError(f"{path.name}: the ending {ending or '(none)'} is unknown; give one of {known}")


def read_for_notation(path: Path) -> tuple[Piece, list[str]]:
    """Read a piece to write it down: played MIDI, which keeps to no grid of a score, is moved to sixteenths."""
    piece, lines = read_piece(path)
    if path.suffix.lower() in MIDI_ENDINGS and FINEST_GRID % piece.steps_per_beat:
        piece, report = read_midi(path, steps_per_beat=NOTATION_GRID)
        lines = [f"{path.name}: {report}"]
    return piece, lines


def read_on_sixteenths(path: Path) -> tuple[Piece, list[str]]:
    """Read a piece for models that think in sixteenths; MIDI is moved to them, other files must lie on them."""
    if path.suffix.lower() in MIDI_ENDINGS:
        piece, report = read_midi(path, steps_per_beat=NOTATION_GRID)
        return piece, [f"{path.name}: {report}"]
    piece, lines = read_piece(path)
    notes = piece.notes.copy()
    for column in ("onset_steps", "duration_steps"):
        sixteenths = piece.notes[column] * NOTATION_GRID
        if (sixteenths % piece.steps_per_beat).any():
            raise MusegenError(f"{path.name}: has notes off the grid of sixteenths; save it as MIDI to have them moved")
        notes[column] = sixteenths // piece.steps_per_beat
    pickup = piece.pickup_steps * NOTATION_GRID // piece.steps_per_beat
    return piece.replace(notes=notes, steps_per_beat=NOTATION_GRID, pickup_steps=pickup), lines
