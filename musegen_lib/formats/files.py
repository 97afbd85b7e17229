"""Read one piece from a file of any known kind, by its ending: for everyone, for notation, for models.

Percussion is read and kept; models, which know melodies and chords only, get the piece without it. Models and notation
get a piece of ours without the expression with which it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import plain
from musegen_lib.core.piece import DRUMS, Piece, pitched_notes
from musegen_lib.formats.abc.reader import read_abc, tune_to_piece
from musegen_lib.formats.grid import nearest_grid
from musegen_lib.formats.midi.reader import read_midi
from musegen_lib.formats.musicxml.reader import musicxml_to_piece
from musegen_lib.formats.report import COMPLETE, Report, total

SIXTEENTHS = 4  # steps a beat, of models
FINE, FINEST_WRITTEN = 24, 48  # grids from which MIDI may be played music; beyond which no score is written
NEAR = 0.01  # beats that a note may be moved to be written on a grid of scores
GAP = 0.15  # of the time from note to note, which no rest is written for in played music
MIDI_ENDINGS, ABC_ENDINGS, XML_ENDINGS = (".mid", ".midi"), (".abc",), (".xml", ".musicxml", ".mxl")
ENDINGS = (*MIDI_ENDINGS, *ABC_ENDINGS, *XML_ENDINGS)
CONTENTS = {  # first bytes of each kind, and its endings
    "MIDI": (rb"MThd", MIDI_ENDINGS),
    "ABC": (rb"(?s)(\xef\xbb\xbf)?(%[^\n]*\n)*\s*X: *\d", ABC_ENDINGS),
    "packed MusicXML": (rb"PK\x03\x04", (".mxl",)),
    "MusicXML": (rb"(?s)(\xef\xbb\xbf)?\s*<.*<?score-(part|time)wise", XML_ENDINGS),
}


def read_piece(path: Path, steps_per_beat: int | None = None, as_written: bool = False) -> tuple[Piece, list[str]]:
    """Read one piece from a file by its ending, with lines on what was lost or decided; of many ABC tunes the first.

    Args:
        steps_per_beat: the grid to move the notes onto; None takes the coarsest that holds them exactly.
        as_written: play no repeat of ABC and MusicXML.
    Raises:
        MusegenError: the file cannot be read, or its ending is unknown.
    """
    piece, report, more = _read(path, steps_per_beat, as_written)
    told = [f"{path.name}: {report}"] if str(report) != COMPLETE else []
    return piece, [*told, *more]


def _read(path: Path, steps_per_beat: int | None, as_written: bool) -> tuple[Piece, Report, list[str]]:
    """A piece, its report, and a line on which tune of several it is."""
    ending = path.suffix.lower()
    _refuse_other_content(path, ending)
    if ending in MIDI_ENDINGS:
        return *read_midi(path, steps_per_beat), []
    if ending in ABC_ENDINGS:
        tunes = read_abc(path)
        number = next((n for n, tune in enumerate(tunes, start=1) if any(tune.voices)), 1)
        more = [f"{path.name}: tune {number} of {len(tunes)} is taken"] if len(tunes) > 1 else []
        return *tune_to_piece(tunes[number - 1], steps_per_beat, as_written), more
    if ending in XML_ENDINGS:
        return *musicxml_to_piece(path, steps_per_beat, as_written), []
    what = "a folder" if path.is_dir() else f"the ending {ending or '(none)'} is unknown"
    raise MusegenError(f"{path.name}: {what}; give a file that ends in one of {', '.join(ENDINGS)}")


def _refuse_other_content(path: Path, ending: str) -> None:
    """MusegenError for a file whose first bytes are those of another kind of music than its ending says."""
    try:
        if not path.is_file():
            return
        with path.open("rb") as file:
            begin = file.read(2000)
    except (OSError, ValueError):
        return  # the readers say what is wrong
    for kind, (pattern, endings) in CONTENTS.items():
        if ending in ENDINGS and ending not in endings and re.match(pattern, begin):
            raise MusegenError(f"{path.name}: holds {kind}; rename it to end in {endings[0]}")


def read_for_notation(path: Path, as_written: bool = False) -> tuple[Piece, list[str]]:
    """Read a piece to write it down; of played MIDI the beginnings of the notes say the grid, not their ends.

    Players and notation programs let go of a note a little before the next: such a gap is no rest. Nor is a tempo that
    changes again within a bar written, as in a ritardando.
    """
    piece, lines = read_piece(path, None, as_written)
    is_midi, grid = path.suffix.lower() in MIDI_ENDINGS, piece.steps_per_beat
    piece = _written(piece) if is_midi else piece
    if grid <= FINEST_WRITTEN and (not is_midi or grid < FINE):
        return piece, lines
    edges = piece.notes["onset_steps"].astype(np.int64)
    edges = edges if is_midi else np.concatenate([edges, edges + piece.notes["duration_steps"]])
    written = nearest_grid(edges, grid, NEAR)
    if written == grid or (written is None and not is_midi):
        return piece, lines
    piece, lines = read_piece(path, written or SIXTEENTHS, as_written)
    piece, n_filled = fill_gaps(_written(piece)) if is_midi else (piece, 0)
    return piece, [*lines, f"{path.name}: notes drawn out to the next: {n_filled}"] if n_filled else lines


def _written(piece: Piece) -> Piece:
    """Without expression, and without the tempos that last less than a bar."""
    piece = plain(piece)
    bar, changes = piece.steps_per_bar or 4 * piece.steps_per_beat, [*piece.tempo_changes, (piece.n_steps, 0.0)]
    return piece.replace(tempo_changes=[this for this, later in pairwise(changes) if later[0] - this[0] >= bar])


def fill_gaps(piece: Piece) -> tuple[Piece, int]:
    """Draw notes out to the next of their voice over a gap of at most GAP of the time between, and all percussion
    up to a beat; how many.

    >>> fill_gaps(Piece.from_notes([(0, 11, 60), (12, 6, 62), (24, 12, 64)], steps_per_beat=12))[0].notes.tolist()[:2]
    [(0, 12, 60, 80, 0), (12, 6, 62, 80, 0)]
    """
    notes = piece.notes.copy()
    for voice in range(piece.n_voices):
        rows = np.flatnonzero(notes["voice"] == voice)
        onsets = notes["onset_steps"][rows]
        later = np.searchsorted(np.unique(onsets), onsets, side="right")
        until = np.append(np.unique(onsets), piece.n_steps)[later] - onsets
        gap = until - notes["duration_steps"][rows]
        small = gap <= GAP * until if piece.program(voice) != DRUMS else until <= piece.steps_per_beat
        notes["duration_steps"][rows] += np.where((gap > 0) & small, gap, 0).astype(np.int32)
    return piece.replace(notes=notes), int((notes["duration_steps"] != piece.notes["duration_steps"]).sum())


def read_for_model(
    path: Path, as_written: bool = False, steps_per_beat: int | None = SIXTEENTHS
) -> tuple[Piece, list[str]]:
    """Read a piece for models, which think in pitches and in one metre, and most in sixteenths: without percussion.

    Raises:
        MusegenError: nothing is left but percussion, or nothing was there.
    """
    piece, lines = read_piece(path, steps_per_beat, as_written)
    piece = plain(piece)
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
    if path.suffix.lower() not in ABC_ENDINGS:
        piece, report, _ = _read(path, None, as_written=False)
        return f"{piece.summary}; {report}"
    _refuse_other_content(path, path.suffix.lower())
    faults: list[str] = []
    pieces, reports = zip(*map(tune_to_piece, read_abc(path, faults)), strict=True)
    several = len(pieces) + len(faults) > 1
    held = f"{len(pieces):,} tunes, {sum(map(len, pieces)):,} notes" if several else pieces[0].summary
    told = [f"{len(faults)} more cannot be read, the first: {faults[0]}"] if faults else []
    return "; ".join([held, *told, str(total(reports))])
