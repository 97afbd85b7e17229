"""The commands `musegen transfer` and `musegen evaluate transfer`."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated, Any

import typer

from musegen_lib.cli.convert import read_on_sixteenths
from musegen_lib.core.piece import Piece
from musegen_lib.formats.midi.reader import write_midi
from musegen_lib.metrics.content import content_report
from musegen_lib.models.style.evaluation.classifier_recipes import ROLL_CLASSIFIER
from musegen_lib.models.style.evaluation.measures import nats_a_note, ngram_classifier
from musegen_lib.models.style.evaluation.ngram_classifier import VIEWS
from musegen_lib.models.style.transfer import melody_of, rewrite


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

    found = transfer_file(source, out, to, method, amount, seed)
    if json:
        print(json_module.dumps(found, indent=2, ensure_ascii=False))
        return
    for name, value in found.items():
        cells = value.items() if isinstance(value, dict) else ()
        print(f"{name}: {', '.join(f'{key} {cell}' for key, cell in cells) if cells else value}")


def say_table(part: str, n_tunes: int | None, amount: float, json: bool) -> None:
    """Print the table of every baseline and every method, both directions."""
    from musegen_lib.models.style.evaluation.table import table_lines, transfer_report

    report = transfer_report(part, n_tunes, amount)
    if json:
        print(json_module.dumps(report, indent=2, ensure_ascii=False))
        return
    print(f"{part} tunes, amount {amount:g}", *table_lines(report["rows"]), sep="\n")


def opinions(piece: Piece, style: str) -> dict[str, float]:
    """How sure each judge is that a melody is of the style: the counting judge in three views, the net on rolls."""
    found = {view: float(ngram_classifier().probability([piece], style, view)[0]) for view in VIEWS}
    return {name: round(p, 4) for name, p in found.items()} | {
        "rolls": round(float(ROLL_CLASSIFIER.load_once().probability([piece], style)[0]), 4)
    }


def transfer_file(source: Path, out: Path, to: str, method: str, amount: float, seed: int) -> dict[str, Any]:
    """Rewrite the melody of a file into a .mid file; returns facts to tell the user."""
    piece, lines = read_on_sixteenths(source)
    melody, told = melody_of(piece)
    made = rewrite(melody, to, method, amount, seed)
    write_midi(made, out)
    content = {name: round(value, 4) for name, value in content_report(melody, made).items()}
    return {
        "file": str(out),
        "to": to,
        "method": method,
        "amount": amount,
        "seed": seed,
        "notes": len(made),
        "judged before": opinions(melody, to),
        "judged after": opinions(made, to),
        "nats a note": {"before": _nats(melody, to), "after": _nats(made, to)},
        **content,
        "read": [*lines, *told],
    }


def _nats(piece: Piece, to: str) -> float | None:
    return round(nats_a_note([piece], to), 4) if len(piece) > 1 else None
