"""`musegen transfer`: rewrite the melody of a file, and say what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from musegen_lib.cli.output import Expression, check_output, played
from musegen_lib.core.piece import Piece
from musegen_lib.formats.files import read_for_model
from musegen_lib.formats.midi.reader import write_midi
from musegen_lib.metrics.content import content_report
from musegen_lib.models.style.evaluation.classifier_recipes import ROLL_CLASSIFIER
from musegen_lib.models.style.evaluation.measures import nats_a_note, ngram_classifier
from musegen_lib.models.style.evaluation.ngram_classifier import VIEWS
from musegen_lib.models.style.transfer import melody_of, rewrite


def opinions(piece: Piece, style: str) -> dict[str, float]:
    """How sure each judge is that a melody is of the style: the counting judge in three views, the net on rolls."""
    found = {view: float(ngram_classifier().probability([piece], style, view)[0]) for view in VIEWS}
    return {name: round(p, 4) for name, p in found.items()} | {
        "rolls": round(float(ROLL_CLASSIFIER.load_once().probability([piece], style)[0]), 4)
    }


def transfer_file(
    source: Path,
    out: Path,
    to: str,
    method: str,
    amount: float,
    seed: int,
    as_written: bool = False,
    expression: Expression = Expression.LIGHT,
) -> dict[str, Any]:
    """Rewrite the melody of a file into a .mid file; returns facts to tell the user."""
    check_output(out, source)
    piece, lines = read_for_model(source, as_written)
    melody, told = melody_of(piece)
    made = rewrite(melody, to, method, amount, seed)
    write_midi(played(made, expression, seed), out)
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
