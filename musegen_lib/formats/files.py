"""Read one piece from a file of any known kind, by its ending: for everyone, for notation, for models.

Percussion is read and kept; models, which know melodies and chords only, get the piece without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece, pitched_notes
from musegen_lib.formats.abc.reader import read_abc, tune_to_piece
from musegen_lib.formats.midi.reader import read_midi
from musegen_lib.formats.musicxml.reader import musicxml_to_piece
from musegen_lib.formats.report import total

SIXTEENTHS, FINEST_WRITTEN = 4, 48  # steps a beat: of models and of played music on paper; the finest that is written
MIDI_ENDINGS, ABC_ENDINGS, XML_ENDINGS = (".mid", ".midi"), (".abc",), (".xml", ".musicxml", ".mxl")


def read_piece(path: Path, steps_per_beat: int | None = None, as_written: bool = False) -> tuple[Piece, list[str]]:
    """Read one piece from a file by its ending, with lines on what was lost or decided; of many ABC tunes the first.

    Args:
        steps_per_beat: the grid to move the notes onto; None takes the coarsest that holds them exactly.
        as_written: play no repeat of ABC and MusicXML.
    Raises:
        MusegenError: the file cannot be read, or its ending is unknown.
    """
    ending, more = path.suffix.lower(), []
    if ending in MIDI_ENDINGS:
        piece, report = read_midi(path, steps_per_beat)
    elif ending in ABC_ENDINGS:
        tunes = read_abc(path)
        piece, report = tune_to_piece(tunes[0], steps_per_beat, as_written)
        more = [f"{path.name}: the first of {len(tunes)} tunes is taken"] if len(tunes) > 1 else []
    elif ending in XML_ENDINGS:
        piece, report = musicxml_to_piece(path, steps_per_beat, as_written)
    else:
        known = ", ".join((*MIDI_ENDINGS, *ABC_ENDINGS, *XML_ENDINGS))
        what = "a folder" if path.is_dir() else f"the ending {ending or '(none)'} is unknown"
        raise MusegenError(f"{path.name}: {what}; give a file that ends in one of {known}")
    return piece, [f"{path.name}: {report}", *more]


def read_for_notation(path: Path, as_written: bool = False) -> tuple[Piece, list[str]]:
    """Read a piece to write it down: played music, which keeps to no grid of a score, is moved to sixteenths."""
    piece, lines = read_piece(path, None, as_written)
    if piece.steps_per_beat > FINEST_WRITTEN and path.suffix.lower() in MIDI_ENDINGS:
        return read_piece(path, SIXTEENTHS)
    return piece, lines


def read_for_model(
    path: Path, as_written: bool = False, steps_per_beat: int | None = SIXTEENTHS
) -> tuple[Piece, list[str]]:
    """Read a piece for models, which think in pitches and in one metre, and most in sixteenths: without percussion.

    Raises:
        MusegenError: nothing is left but percussion, or nothing was there.
    """
    piece, lines = read_piece(path, steps_per_beat, as_written)
    sung = pitched_notes(piece)
    if not len(sung):
        holds = f"holds percussion only ({len(piece)} notes)" if len(piece) else "holds no notes"
        raise MusegenError(f"{path.name}: {holds}; give a file with a melody")
    if len(sung) < len(piece):
        lines.append(f"{path.name}: notes of percussion left out: {len(piece) - len(sung)}")
    if piece.metre_changes and steps_per_beat:
        lines.append(f"{path.name}: the metre changes; models count bars of {piece.metre}, the first, throughout")
    return piece.replace(notes=sung), lines


def check_files(paths: Iterable[Path]) -> list[tuple[str, bool, str]]:
    """Read each file and return (path, ok, one line): what is in it and its report, or the fault. No file stops it."""
    verdicts = []
    for path in paths:
        try:
            verdicts.append((str(path), True, _describe(path)))
        except MusegenError as fault:
            verdicts.append((str(path), False, str(fault).removeprefix(f"{path}: ").removeprefix(f"{path.name}: ")))
    return verdicts


def _describe(path: Path) -> str:
    if path.suffix.lower() in ABC_ENDINGS and len(tunes := read_abc(path)) > 1:
        pieces, reports = zip(*map(tune_to_piece, tunes), strict=True)
        return f"{len(pieces):,} tunes, {sum(map(len, pieces)):,} notes; {total(reports)}"
    piece, lines = read_piece(path)
    return f"{piece!r}; {lines[0].removeprefix(f'{path.name}: ')}"
