"""From one kind of file to another, through `Piece`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from musegen_lib.cli.output import MIDI, Expression, check_output, played
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.limits import PAGE_BARS, refuse_long_page
from musegen_lib.core.paths import replacing
from musegen_lib.core.piece import Piece
from musegen_lib.formats.abc.writer import piece_to_abc
from musegen_lib.formats.files import read_for_notation, read_piece
from musegen_lib.formats.midi.reader import write_midi

ENDINGS = {"mid": MIDI, "musicxml": (".musicxml", ".xml")}  # beside that of the form's own name


def convert_file(
    source: Path,
    to: str,
    out: Path,
    as_written: bool = False,
    expression: Expression | None = None,
    soundfont: Path | None = None,
) -> list[str]:
    """Write `source` as mp3, svg (score), png (piano roll), abc, musicxml or mid; returns lines to tell the user.

    Without `expression` mp3 is played lightly and mid stays as it is. MusegenError for an option that is not for `to`.
    """
    if (expression and to not in ("mp3", "mid")) or (soundfont and to != "mp3"):
        name, forms = ("--soundfont", "mp3") if soundfont else ("--expression", "mp3 and mid")
        raise MusegenError(f"{name} is for {forms}, not for {to}; leave it out")
    check_output(out, source, ENDINGS.get(to, (f".{to}",)))
    read = read_for_notation if to in ("svg", "abc", "musicxml") else read_piece
    piece, lines = read(source, as_written=as_written)
    if not len(piece):
        raise MusegenError(f"{source.name}: holds no notes; nothing to write")
    if to in ("abc", "musicxml", "png"):  # a page of svg holds the first bars only
        refuse_long_page(piece, to, source.name)
    if expression or to == "mp3":
        piece = played(piece, expression or Expression.LIGHT)
    if to == "mp3":
        _write_mp3(piece, out, soundfont)
    elif to in WRITERS:
        WRITERS[to](piece, out)
    else:
        _write_text(piece, to, source, out)
    return [*lines, *_unwritten(piece, to, out), f"{out}: {out.stat().st_size:,} bytes"]


def _unwritten(piece: Piece, to: str, out: Path) -> list[str]:
    """Lines on what of a piece its new form cannot hold."""
    if to == "svg" and piece.n_bars > PAGE_BARS:
        return [f"{out.name}: the first {PAGE_BARS} of {piece.n_bars} bars are drawn"]
    if to == "mp3":
        return _unheard(piece, out)
    lines = []
    if to in ("abc", "musicxml") and len(np.unique(piece.notes["velocity"])) > 1:
        lines.append(f"{out.name}: the loudness of the notes is not written")
    stops = piece.notes["onset_steps"] + piece.notes["duration_steps"]
    silent = [step for step in piece.fermatas if not ((piece.notes["onset_steps"] <= step) & (stops > step)).any()]
    if to in ("abc", "musicxml") and silent:
        lines.append(f"{out.name}: fermatas over rests not written: {len(silent)}")
    return lines


def _write_text(piece: Piece, to: str, source: Path, out: Path) -> None:
    try:
        text = TEXTS[to](piece)
    except ValueError as fault:
        raise MusegenError(f"{source.name}: cannot be written as {to}: {fault}") from fault
    with replacing(out) as temporary:
        temporary.write_text(text, encoding="utf-8")


# One kind of output imports one library: `--to svg` wants no sound, `--to mp3` no score.


def _write_mp3(piece: Piece, out: Path, soundfont: Path | None) -> None:
    from musegen_lib.display.sound import write_mp3

    write_mp3(piece, out, soundfont)


def _unheard(piece: Piece, out: Path) -> list[str]:
    from musegen_lib.display.sound import MAX_FILE_SECONDS

    if piece.seconds <= MAX_FILE_SECONDS:
        return []
    return [f"{out.name}: the first {MAX_FILE_SECONDS:.0f} of {piece.seconds:.0f} seconds are played"]


def _write_png(piece: Piece, out: Path) -> None:
    from musegen_lib.display.figures import write_piano_roll

    write_piano_roll(piece, out)


def _svg(piece: Piece) -> str:
    from musegen_lib.display.score import engrave

    return engrave(piece, headed=True)


def _musicxml(piece: Piece) -> str:
    from musegen_lib.formats.musicxml.writer import piece_to_musicxml

    return piece_to_musicxml(piece).decode()


WRITERS = {"mid": write_midi, "png": _write_png}
TEXTS = {"svg": _svg, "abc": piece_to_abc, "musicxml": _musicxml}
