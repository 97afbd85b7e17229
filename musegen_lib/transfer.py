"""`musegen transfer`: rewrite any melody towards Chinese or German folk song, and say what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from musegen_lib.convert import read_on_sixteenths
from musegen_lib.encodings import skyline
from musegen_lib.errors import MusegenError
from musegen_lib.metrics.histograms import pitched_notes
from musegen_lib.metrics.transfer import content_report
from musegen_lib.midi import write_midi
from musegen_lib.models.style_counts import VIEWS
from musegen_lib.piece import Piece
from musegen_lib.recipes.style import ROLL_JUDGE
from musegen_lib.style_pair import FEWEST_NOTES, STYLES
from musegen_lib.transfer_attribute import by_attribute
from musegen_lib.transfer_baselines import Rewriter, counted, counted_between_ends, snapped
from musegen_lib.transfer_measures import gram_judge, nats_a_note
from musegen_lib.transfer_nets import by_ensemble, by_gan, by_rnn, by_vae

METHODS: dict[str, Rewriter] = {  # name: what rewrites; the nets of lesson 5 join here
    "counts": counted,
    "counts-ends": counted_between_ends,
    "snap": snapped,
    "gan": by_gan,
    "rnn": by_rnn,
    "vae": by_vae,
    "vae-ensemble": by_ensemble,
    "vae-attribute": by_attribute,
}


def rewrite(piece: Piece, to: str, method: str = "counts", amount: float = 0.2, seed: int = 0) -> Piece:
    """Rewrite a melody towards a style; at most the share `amount` of its notes changes.

    Raises:
        MusegenError: the style or the method is unknown, or the amount lies outside 0 to 1.
    """
    for what, name, known in (("style", to, STYLES), ("method", method, METHODS)):
        if name not in known:
            raise MusegenError(f"{what} {name!r} is unknown; choose one of {', '.join(known)}")
    if not 0 <= amount <= 1:
        raise MusegenError(f"amount {amount:g} must lie in 0 to 1: it is the largest share of notes to change")
    return METHODS[method](piece, to, amount, seed)


def melody_of(piece: Piece) -> tuple[Piece, list[str]]:
    """The top voice of any piece, drums left out, and lines that tell what was left out or guessed.

    Raises:
        MusegenError: nothing is left but drums, or nothing was there.
    """
    name = piece.title or "the piece"
    sung = pitched_notes(piece)
    n_drums = len(piece) - len(sung)
    if not len(sung):
        raise MusegenError(f"{name}: no melody in it ({len(piece)} notes, all of them drums)")
    melody = skyline(piece.replace(notes=sung))
    told = []
    if n_drums:
        told.append(f"{n_drums} drum notes left out")
    if len(melody) < len(sung):
        told.append(f"several notes at once: the highest is taken, {len(melody)} of {len(piece)} notes")
    if piece.metre is None:
        told.append("no metre: only pitches and durations are read")
    if len(melody) < FEWEST_NOTES:
        told.append(f"{len(melody)} notes are few: the judges were trained on tunes of {FEWEST_NOTES} or more")
    return melody, told


def opinions(piece: Piece, style: str) -> dict[str, float]:
    """How sure each judge is that a melody is of the style: the counting judge in three views, the net on rolls."""
    found = {view: float(gram_judge().probability([piece], style, view)[0]) for view in VIEWS}
    return {name: round(p, 4) for name, p in found.items()} | {
        "rolls": round(float(ROLL_JUDGE.load_once().probability([piece], style)[0]), 4)
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
