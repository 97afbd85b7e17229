"""The command `musegen recommend similar`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer


def similar(
    source: Annotated[Path, typer.Argument(help="A melody: .mid, .abc, .xml, .musicxml or .mxl.")],
    n: Annotated[int, typer.Option(help="How many tunes to name.")] = 10,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Name the folk tunes whose notes are most like a melody's, in any key and at any tempo."""
    from musegen_lib.recommending import similar_file

    found = similar_file(source, n)
    if json:
        print(json_module.dumps(found, indent=2, ensure_ascii=False))
        return
    for line in found["read"]:
        print(line)
    for row in found["similar"]:
        print(
            f"{row['rank']:4}  {row['cosine']:.3f}  {row['id']:28}  {row['style']:10}  {row['metre']:5}  {row['title']}"
        )
