"""From one kind of file to another, through `Piece`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.limits import refuse_long_page
from musegen_lib.core.paths import replacing
from musegen_lib.core.piece import Piece
from musegen_lib.display.figures import write_piano_roll
from musegen_lib.display.score import engrave
from musegen_lib.display.sound import write_mp3
from musegen_lib.formats.abc.reader import piece_to_abc, read_abc, tune_to_piece
from musegen_lib.formats.midi.reader import read_midi, write_midi
from musegen_lib.formats.musicxml.reader import musicxml_to_piece, piece_to_musicxml

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


def separate_voices(piece: Piece) -> Piece:
    """Give notes that overlap in one voice voices of their own, so that each voice sings one note at a time.

    >>> chord = Piece.from_notes([(0, 4, 60), (0, 2, 64), (2, 2, 65)])
    >>> separate_voices(chord).notes["voice"].tolist()
    [0, 1, 1]
    """
    notes, programs, ends = piece.notes.copy(), [], []
    for voice in range(piece.n_voices):
        first = len(ends)
        for row in np.flatnonzero(piece.notes["voice"] == voice):
            onset, duration = notes["onset_steps"][row], notes["duration_steps"][row]
            free = next((n for n in range(first, len(ends)) if ends[n] <= onset), len(ends))
            ends[free : free + 1] = [onset + duration]
            programs[free : free + 1] = [piece.program(voice)]
            notes["voice"][row] = free
    return piece.replace(notes=notes, programs=tuple(programs))


def convert_file(source: Path, to: str, out: Path) -> list[str]:
    """Write `source` as mp3, svg (score), png (piano roll), abc, musicxml or mid; returns lines to tell the user."""
    piece, lines = (read_for_notation if to in ("svg", "abc", "musicxml") else read_piece)(source)
    if not len(piece):
        raise MusegenError(f"{source.name}: holds no notes; nothing to write")
    if to in ("abc", "musicxml", "png"):  # a page of svg holds the first bars only
        refuse_long_page(piece, to, source.name)
    if to == "mp3":
        write_mp3(piece, out)
    elif to == "mid":
        write_midi(piece, out)
    elif to == "png":
        write_piano_roll(piece, out)
    else:
        _write_text(piece, to, source, out)
    return [*lines, f"{out}: {out.stat().st_size:,} bytes"]


def _write_text(piece: Piece, to: str, source: Path, out: Path) -> None:
    writers = {
        "svg": engrave,
        "abc": lambda p: piece_to_abc(separate_voices(p)),
        "musicxml": lambda p: piece_to_musicxml(p).decode(),
    }
    try:
        text = writers[to](piece)
    except ValueError as fault:
        raise MusegenError(f"{source.name}: cannot be written as {to}: {fault}") from fault
    with replacing(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
