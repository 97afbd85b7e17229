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
from musegen_lib.core.limits import refuse_endless
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.core.timeline import pauses
from musegen_lib.formats.bars import BarLines, bar_ticks, bars_to_metres, play_bars
from musegen_lib.formats.changes import changes_to_labels
from musegen_lib.formats.grid import coarsest_grid, drop_unisons, table_to_notes, to_steps
from musegen_lib.formats.musicxml.modes import choose_modes, last_low_note
from musegen_lib.formats.musicxml.notes import Fragment, merge_ties
from musegen_lib.formats.musicxml.score import ParsedScore, Part, parse_score
from musegen_lib.formats.musicxml.writer import piece_to_music21, piece_to_musicxml
from musegen_lib.formats.musicxml.zipped import MAX_BYTES, read_root
from musegen_lib.formats.repeats import Span, play_changes, play_notes, playing_order, refuse_long
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

VELOCITY = 80


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
    """Play a score on a grid: one voice a staff of each part, and one more for its drums if it has pitched notes too.

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
    refuse_long(spans, units)
    counts["instruments_unknown"] = sum(part.is_unknown for part in score.parts)
    counts["repeats"] = layout.n_repeats if as_written else 0
    table, programs, paused, counts["unisons"] = _play_parts(score.parts, spans)
    bars = bars_to_metres(play_bars(layout.starts, layout.metres, spans), units)
    counts["odd_bars"], counts["irregular_bars"] = bars.n_odd, bars.n_irregular
    grid = steps_per_beat or _coarsest(table, bars, units)
    notes, moves = table_to_notes(table, grid, units)
    is_drum = np.array(programs) == DRUMS
    keys, guesses = choose_modes(play_changes(layout.keys, spans), last_low_note(table[~is_drum[table[:, 4]]]))
    tempi = play_changes(layout.tempi, spans)
    early = [(0, tempi[0][1])] if tempi and tempi[0][0] <= bars.pickup else []  # above the first full bar
    fields = {
        "title": score.title,
        "source": score.source,
        "programs": programs,
        "steps_per_beat": grid,
        "pickup_steps": to_steps(bars.pickup, grid, units),
        "fermatas": [to_steps(time, grid, units) for time in pauses(paused)],
        **changes_to_labels({"metre": bars.metres, "key": keys, "tempo_qpm": early + tempi}, notes, grid, units),
    }
    report = NotationReport(**moves, **+counts, remarks=(*score.remarks, *guesses))
    return Piece(notes, **fields | labels), report


def _play_parts(
    parts: Sequence[Part], spans: Sequence[Span]
) -> tuple[np.ndarray, tuple[int, ...], list[tuple[int, int]], int]:
    """Return (N, 5): onset, offset, pitch, velocity, voice; the program of each voice; onset and offset of notes under
    a fermata; how many unisons were left out.

    A part has a voice for each of its staves, from the top down, and one more where a staff has drums beside notes.
    """
    rows: list[list[int]] = []
    programs: list[int] = []
    paused: list[tuple[int, int]] = []
    n_unisons = 0
    for part in parts:
        is_whole = len(spans) < 2
        played = part.fragments if is_whole else map(Fragment._make, play_notes(part.fragments, spans))
        voices: dict[tuple[int, bool], list[list[int]]] = {}
        for *note, is_drum, has_fermata, staff in merge_ties(played):
            voices.setdefault((staff, is_drum), []).append(note)
            paused += [(note[0], note[1])] if has_fermata else []
        for (_, is_drum), notes in sorted(voices.items()) or [((1, False), [])]:
            kept, dropped = drop_unisons(notes)
            rows += [[*note, VELOCITY, len(programs)] for note in kept]
            programs.append(DRUMS if is_drum else part.program or 0)
            n_unisons += dropped
    if len(programs) > 256:
        raise MusegenError("a piece holds at most 256 parts; export fewer")
    return np.array(rows, dtype=np.int64).reshape(-1, 5), tuple(programs), paused, n_unisons


def _coarsest(table: np.ndarray, bars: BarLines, units: int) -> int:
    """The coarsest grid that holds every note and bar line."""
    lines = [bars.pickup, *(time for time, _ in bars.metres), *(bar_ticks(metre, units) for _, metre in bars.metres)]
    return coarsest_grid(np.concatenate([table[:, :2].ravel(), np.array(lines, dtype=np.int64)]), units)
