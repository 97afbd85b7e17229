"""MusicXML, the exchange format of notation programs: `read_musicxml`, and by way of music21 `piece_to_musicxml`.

`ParsedScore` is the score as it is written, ties merged; `musicxml_to_piece` plays its repeats and jumps. What is left
out, such as grace notes and cue notes, is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.limits import MAX_BEATS, refuse_endless
from musegen_lib.core.piece import CHANGES, DRUMS, Piece
from musegen_lib.formats.changes import changes_to_steps
from musegen_lib.formats.grid import coarsest_grid, table_to_notes, to_steps
from musegen_lib.formats.musicxml.measures import Events, bar_units, bars_to_metres, play_bars
from musegen_lib.formats.musicxml.notes import Fragment, drop_unisons, merge_ties
from musegen_lib.formats.musicxml.score import ParsedScore, Part, parse_score
from musegen_lib.formats.musicxml.writer import piece_to_music21, piece_to_musicxml
from musegen_lib.formats.musicxml.zipped import MAX_BYTES, read_root
from musegen_lib.formats.repeats import Span, play_changes, play_notes, playing_order
from musegen_lib.formats.report import NotationReport

__all__ = [
    "MAX_BYTES",
    "ParsedScore",
    "Part",
    "musicxml_to_piece",
    "piece_to_music21",
    "piece_to_musicxml",
    "read_musicxml",
]

DEFAULT_TEMPO, VELOCITY = 100.0, 80


def read_musicxml(path: str | Path) -> ParsedScore:
    """Read an .mxl, .musicxml or .xml file.

    Raises:
        MusegenError: no such file, too large, broken, or not MusicXML; the message names the file and the place.
    """
    path = Path(path)
    root = read_root(path)
    try:
        return parse_score(root, path.name)
    except MusegenError:
        raise
    except ValueError as error:
        raise MusegenError(f"{path.name}: {error}") from None


def musicxml_to_piece(
    score: ParsedScore | str | Path, steps_per_beat: int | None = None, as_written: bool = False, **labels: Any
) -> tuple[Piece, NotationReport]:
    """Play a score on a grid: one voice a part, and one more for the drums of a part that has pitched notes too.

    Args:
        steps_per_beat: None takes the coarsest grid that holds every note exactly.
        as_written: leave out repeats and jumps instead of playing them.
        labels: fields of `Piece` that shall have other values.
    Returns:
        the piece, and what was lost or taken for granted on the way.
    Raises:
        MusegenError: see `read_musicxml`; or the repeats make more music than a piece may hold.
    """
    score = score if isinstance(score, ParsedScore) else read_musicxml(score)
    try:
        piece, report = _play(score, steps_per_beat, as_written, labels)
        refuse_endless(piece)
    except ValueError as error:
        raise MusegenError(f"{score.source}: {error}") from None
    return piece, report


def _play(
    score: ParsedScore, steps_per_beat: int | None, as_written: bool, labels: dict[str, Any]
) -> tuple[Piece, NotationReport]:
    units, layout, counts = score.units_per_beat, score.layout, Counter(score.counts)
    spans = [(0, layout.starts[-1])] if as_written else playing_order(layout.measures)
    if sum(stop - start for start, stop in spans) > MAX_BEATS * units:
        raise ValueError(f"repeats make more than {MAX_BEATS:,} quarter notes; read it --as-written")
    counts["repeats"] = layout.n_repeats if as_written else 0
    table, programs, counts["unisons"] = _play_parts(score.parts, spans)
    metres, pickup, counts["odd_bars"] = bars_to_metres(play_bars(layout, spans), units)
    grid = steps_per_beat or _coarsest(table, metres, pickup, units)
    notes, moves = table_to_notes(table, grid, units)
    fields: dict[str, Any] = {"title": score.title, "source": score.source, "programs": programs}
    fields |= {"steps_per_beat": grid, "pickup_steps": to_steps(pickup, grid, units)}
    keys = [(time, sounding) for time, (sounding, _) in play_changes(layout.keys, spans)]
    tempi = play_changes(layout.tempi, spans)
    early = [(0, tempi[0][1])] if tempi and tempi[0][0] <= pickup else []  # above the first full bar
    for name, changes, default in (
        ("metre", metres, None),
        ("key", keys, None),
        ("tempo_qpm", early + tempi, DEFAULT_TEMPO),
    ):
        fields[name], fields[CHANGES[name]] = changes_to_steps(changes, default, grid, units)
    n_drums = int(np.isin(table[:, 4], np.flatnonzero(np.array(programs) == DRUMS)).sum())
    report = NotationReport(**moves, **+counts, remarks=score.remarks)
    return Piece(notes, **fields | labels), report


def _play_parts(parts: Sequence[Part], spans: Sequence[Span]) -> tuple[np.ndarray, tuple[int, ...], int]:
    """Return (N, 5): onset, offset, pitch, velocity, voice; the program of each voice; how many unisons were left out.

    Drums of a part that also has pitched notes get a voice behind it.
    """
    rows: list[list[int]] = []
    programs: list[int] = []
    n_unisons = 0
    for part in parts:
        is_whole = len(spans) < 2
        played = part.fragments if is_whole else map(Fragment._make, play_notes(part.fragments, spans))
        notes, dropped = drop_unisons(merge_ties(played))
        n_unisons += dropped
        kinds = sorted({is_drum for *_, is_drum, _ in notes}) or [False]
        voices = {kind: len(programs) + number for number, kind in enumerate(kinds)}
        programs += [DRUMS if kind else part.program for kind in kinds]
        rows += [[*note[:3], VELOCITY, voices[note[3]]] for note in notes]
    if len(programs) > 256:
        raise MusegenError("a piece holds at most 256 parts; export fewer")
    return np.array(rows, dtype=np.int64).reshape(-1, 5), tuple(programs), n_unisons


def _coarsest(table: np.ndarray, metres: Events, pickup: int, units: int) -> int:
    """The coarsest grid that holds every note and bar line."""
    lines = [pickup, *(time for time, _ in metres), *(bar_units(metre, units) for _, metre in metres)]
    return coarsest_grid(np.concatenate([table[:, :2].ravel(), np.array(lines, dtype=np.int64)]), units)
