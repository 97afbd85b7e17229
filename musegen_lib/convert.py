"""From one kind of file to another, through `Piece`."""

from __future__ import annotations

from pathlib import Path

from musegen_lib.abc import piece_to_abc, read_abc, tune_to_piece
from musegen_lib.errors import MusegenError
from musegen_lib.listen import write_mp3
from musegen_lib.midi import read_midi, write_midi
from musegen_lib.musicxml import musicxml_to_piece, piece_to_musicxml
from musegen_lib.paths import replacing
from musegen_lib.piece import Piece
from musegen_lib.score import engrave
from musegen_lib.show import write_piano_roll

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


def convert_file(source: Path, to: str, out: Path) -> list[str]:
    """Write `source` as mp3, svg (score), png (piano roll), abc, musicxml or mid; returns lines to tell the user."""
    piece, lines = read_piece(source)
    if not len(piece):
        raise MusegenError(f"{source.name}: holds no notes; nothing to write")
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
    writers = {"svg": engrave, "abc": piece_to_abc, "musicxml": lambda p: piece_to_musicxml(p).decode()}
    try:
        text = writers[to](piece)
    except ValueError as fault:
        raise MusegenError(f"{source.name}: cannot be written as {to}: {fault}") from fault
    with replacing(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
