"""What the commands share: two options, and how a result is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import check_place, refuse_special

if TYPE_CHECKING:
    from musegen_lib.core.piece import Piece


class Expression(StrEnum):
    """How music is played: by the bare notes, or as a musician would (`core.expression`)."""

    NONE = "none"
    LIGHT = "light"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same bytes.")]

Expressed = Annotated[Expression, typer.Option("--expression", help="light: phrased as by a musician; none: bare.")]
SoundFontFile = Annotated[Path | None, typer.Option("--soundfont", help="A SoundFont 2 file to play with.")]

AsWritten = Annotated[bool, typer.Option("--as-written", help="Play no repeats of ABC and MusicXML files.")]

MIDI = (".mid", ".midi")


def check_output(out: Path, source: Path | None, endings: tuple[str, ...] = MIDI) -> None:
    """Before any work: a name that fits another kind of file, or that of the file that is read; a place that cannot be.

    Raises:
        MusegenError, OSError: such a name, a folder, or nothing can be written there.
    """
    if out.suffix and out.suffix.lower() not in endings and not is_port(out):
        raise MusegenError(f"{out.name}: what is written here ends in {' or '.join(endings)}; name it so")
    if source is not None and out.exists() and source.exists() and out.samefile(source):
        raise MusegenError(f"{out.name}: is the file that is read; name another to write")
    if not is_port(out):
        refuse_special(out)
        check_place(out)


def check_folder(out: Path) -> None:
    """Before any work: OSError for a folder that cannot be, or in which nothing may be written."""
    check_place(out / "a file")


@contextmanager
def named(source: Path | None, piece: Piece) -> Iterator[None]:
    """Faults of a piece, which the library calls by its title, name the file that the user gave."""
    try:
        yield
    except MusegenError as fault:
        about, colon, what = str(fault).partition(": ")
        if source and colon and about in (piece.title, "the melody", "the piece", "the phrase"):
            raise MusegenError(f"{source.name}: {what}") from fault
        raise


def played(piece: Piece, expression: Expression, seed: int = 0) -> Piece:
    """The piece as it is to be played; what someone played already stays as it is."""
    from musegen_lib.core.expression import expressive, plain

    return expressive(piece, seed) if expression == Expression.LIGHT else plain(piece)


def is_port(path: Path) -> bool:
    """Whether a FIFO or a device stands there."""
    return path.exists() and not path.is_file() and not path.is_dir()


def print_result(result: dict[str, Any], as_json: bool, *lines: str) -> None:
    """Print a result as one JSON object or for people: the lines given, or else a line for each entry and each row."""
    if as_json:
        print(json.dumps(result, indent=2, ensure_ascii=False))
        return
    for line in lines or _lines_of(result):
        print(line)


def _lines_of(result: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in result.items():
        if isinstance(value, list):
            lines += [_row(row) if isinstance(row, dict) else str(row) for row in value]
        else:
            lines.append(f"{name}: {_text(value)}")
    return lines


def _row(row: dict[str, Any]) -> str:
    """The first cell, which says what the row is about, and the others with their names."""
    (_, about), *cells = row.items()
    return "  ".join([_text(about), *(f"{name} {_text(cell)}" for name, cell in cells if cell != "")])


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(cell)}" for name, cell in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
