"""Commands about files: convert one, check foreign ones, build and verify the corpus."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from musegen_lib.cli.output import AsWritten, Expression, Json, SoundFontFile, print_result


class Format(StrEnum):
    """What `convert` writes: sound, a score, a piano roll, notation, MIDI."""

    MP3 = "mp3"
    SVG = "svg"
    PNG = "png"
    ABC = "abc"
    MUSICXML = "musicxml"
    MID = "mid"


def convert(
    source: Annotated[Path, typer.Argument(help="A .mid, .abc, .xml, .musicxml or .mxl file.")],
    to: Annotated[Format, typer.Option(help="mp3 is sound, svg a score, png a piano roll.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    as_written: AsWritten = False,
    expression: Annotated[
        Expression | None, typer.Option(help="Of mp3 and mid; mp3 is light unless told, mid stays as it is.")
    ] = None,
    soundfont: SoundFontFile = None,
) -> None:
    """Turn a file into sound, picture, notation or MIDI; expression is for mp3 and mid, a sound font for mp3."""
    from musegen_lib.cli.convert import convert_file

    for line in convert_file(source, to.value, out, as_written, expression, soundfont):
        print(line)


def data_build() -> None:
    """Build the caches anew from the installed music21 (about 15 seconds)."""
    from musegen_lib.corpus import build_caches

    build_caches()


def data_verify() -> None:
    """Check the caches byte by byte; rebuild a damaged one."""
    from musegen_lib.corpus import verify_caches

    verify_caches()


def data_card(json: Json = False) -> None:
    """Print what the corpus holds: counts, splits, terms."""
    from musegen_lib.corpus.card import corpus_card

    print_result(corpus_card(), json)


def check(files: list[Path]) -> None:
    """Say of each file of music whether it can be read, and what was lost or repaired; status 1 if any cannot."""
    from musegen_lib.formats.files import check_files

    verdicts = check_files(files)
    for path, ok, message in verdicts:
        print(f"{'ok ' if ok else 'BAD'} {path}: {message}")
    if not all(ok for _, ok, _ in verdicts):
        raise typer.Exit(1)
