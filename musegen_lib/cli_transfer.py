"""The commands `musegen transfer` and `musegen evaluate transfer`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer


def transfer(
    source: Annotated[Path, typer.Argument(help="A melody: .mid, .abc, .xml, .musicxml or .mxl.")],
    to: Annotated[str, typer.Option(help="chinese or german.")],
    out: Annotated[Path, typer.Option(help="The .mid file to write.")],
    method: Annotated[
        str, typer.Option(help="Who rewrites: gan, vae, rnn, vae-attribute, counts, counts-ends or snap.")
    ] = "vae",
    amount: Annotated[float, typer.Option(help="Largest share of notes to change, 0 to 1.")] = 0.2,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Rewrite a melody towards Chinese or German folk song, and say what two judges hear and what was kept."""
    from musegen_lib.transfer import transfer_file

    found = transfer_file(source, out, to, method, amount, seed)
    if json:
        print(json_module.dumps(found, indent=2, ensure_ascii=False))
        return
    for name, value in found.items():
        cells = value.items() if isinstance(value, dict) else ()
        print(f"{name}: {', '.join(f'{key} {cell}' for key, cell in cells) if cells else value}")


def say_table(part: str, n_tunes: int | None, amount: float, json: bool) -> None:
    """Print the table of every baseline and every method, both directions."""
    from musegen_lib.transfer_table import table_lines, transfer_report

    report = transfer_report(part, n_tunes, amount)
    if json:
        print(json_module.dumps(report, indent=2, ensure_ascii=False))
        return
    print(f"{part} tunes, amount {amount:g}", *table_lines(report["rows"]), sep="\n")
