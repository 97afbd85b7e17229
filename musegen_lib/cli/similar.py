"""`musegen recommend similar`: the folk tunes most like a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.ranking import best_first
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.formats.files import read_for_model
from musegen_lib.models.search.hum_benchmark import Notes
from musegen_lib.models.search.recipe import melody_notes
from musegen_lib.models.search.similar import MOST_NEIGHBOURS, MOST_NOTES, similar_tunes


def similar_lines(found: dict[str, Any]) -> list[str]:
    """What `similar_file` found, a line a tune."""
    rows = (
        f"{row['rank']:4}  {row['cosine']:.3f}  {row['id']:28}  {row['style']:10}  {row['metre']:5}  {row['title']}"
        for row in found["similar"]
    )
    return [*found["read"], *rows]


def similar_file(source: Path, n: int = 10, as_written: bool = False) -> dict[str, Any]:
    """The n folk tunes most like the melody of a file, best first, and what of the file was read."""
    if not 1 <= n <= MOST_NEIGHBOURS:
        raise MusegenError(f"n {n} must lie in 1 to {MOST_NEIGHBOURS}")
    started = time.perf_counter()
    piece, told = read_for_model(source, as_written, steps_per_beat=None)
    melody = melody_notes(piece if piece.title else piece.replace(title=source.name))
    if len(melody.pitches) < len(piece):
        told = [*told, f"the highest line is read: {len(melody.pitches)} of {len(piece)} notes"]
    if len(melody.pitches) > MOST_NOTES:
        told = [*told, f"the first {MOST_NOTES} notes of the melody are read, of {len(melody.pitches)}"]
        melody = Notes(melody.pitches[:MOST_NOTES], melody.durations[:MOST_NOTES])
    scores, corpus = similar_tunes(melody), load_folk_tunes()
    order = best_first(scores, n)
    columns = {name: corpus.column(name) for name in ("id", "title", "style", "metre")}
    rows = [
        {"rank": rank, "cosine": round(float(scores[row]), 4)} | {k: str(v[row]) for k, v in columns.items()}
        for rank, row in enumerate(order.tolist(), start=1)
    ]
    seconds = round(time.perf_counter() - started, 2)
    return {"file": str(source), "notes": len(melody.pitches), "read": told, "similar": rows, "seconds": seconds}
