"""From a tune as written to a `Piece` as played: repeats and jumps taken, all notes at the pitch they sound."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.keys import transpose_key
from musegen_lib.core.limits import refuse_endless
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.core.timeline import pauses
from musegen_lib.formats.abc.bars import Bar, expand_parts, play, to_measures
from musegen_lib.formats.abc.fields import parse_key
from musegen_lib.formats.abc.notes import FINE_PER_BEAT
from musegen_lib.formats.abc.text import plain_text
from musegen_lib.formats.abc.tunes import UNREAD
from musegen_lib.formats.abc.voices import VoiceReader
from musegen_lib.formats.bars import BarLines, bars_to_metres, play_bars
from musegen_lib.formats.changes import changes_to_labels, tidy
from musegen_lib.formats.grid import coarsest_grid, drop_unisons, table_to_notes, to_steps
from musegen_lib.formats.repeats import Measure, Span, play_changes, play_notes, refuse_long
from musegen_lib.formats.report import NotationReport

if TYPE_CHECKING:
    from musegen_lib.formats.abc.reader import Tune

VELOCITY = 80
Row = list[int]  # onset, offset (fine ticks), pitch
Timeline = list[tuple[int, Any]]  # (onset in fine ticks, value), the one at the start first


def tune_to_piece(
    tune: Tune, steps_per_beat: int | None = None, as_written: bool = False, **labels: Any
) -> tuple[Piece, NotationReport]:
    """Play a tune: one voice a voice, repeats and jumps taken, transpositions sounding.

    Args:
        steps_per_beat: None for the coarsest grid that holds every note exactly; else notes are moved to this one.
        as_written: take no repeats and jumps.
        labels: fields of Piece, in place of what the tune says.
    Returns:
        the piece, and what was left out or moved.

    >>> from musegen_lib.formats.abc.reader import parse_abc
    >>> [tune] = parse_abc("X:1\\nT:Scale\\nM:2/4\\nL:1/8\\nK:G\\n|:D|G2 A2|B2 c:|")
    >>> tune_to_piece(tune)[0], tune_to_piece(tune, as_written=True)[0]
    (Piece('Scale': 10 notes, 5 bars of 2/4, G major, 4.8 s), Piece('Scale': 5 notes, 3 bars of 2/4, G major, 2.4 s))
    """
    try:
        piece, report = _play(tune, steps_per_beat, as_written, labels)
        refuse_endless(piece)
    except ValueError as fault:
        raise MusegenError(f"{tune.source}, line {tune.line}: tune X:{tune.number}: {fault}") from None
    return piece, report


def _play(
    tune: Tune, steps_per_beat: int | None, as_written: bool, labels: dict[str, Any]
) -> tuple[Piece, NotationReport]:
    end = max(part.now for part in tune.parts)
    measures = _measures(tune, end)
    spans = [(0, end)] if as_written else play(measures, _part_labels(tune), _part_order(tune))
    refuse_long(spans, FINE_PER_BEAT)
    table, n_unisons = _play_parts(tune.parts, spans)
    paused = [tuple(row[:2]) for part in tune.parts for row in play_notes(part.paused, spans)]
    bars = _bar_lines(tune.parts[0], spans)
    times = _timelines(tune.parts, spans) | {"metre": bars.metres}
    grid = steps_per_beat or _exact_grid(table, times, bars.pickup)
    notes, moved = table_to_notes(table, grid, FINE_PER_BEAT)
    found = {
        "title": plain_text(tune.titles[0]) if tune.titles else "",
        "source": f"{tune.source} X:{tune.number}",
        "pickup_steps": to_steps(bars.pickup, grid, FINE_PER_BEAT),
        "programs": _programs(tune.parts),
        "fermatas": [to_steps(time, grid, FINE_PER_BEAT) for time in pauses(paused)],
        **changes_to_labels(times, notes, grid, FINE_PER_BEAT),
    }
    counts = {"grace_notes": tune.n_grace, "unread": tune.counts[UNREAD], "unisons": n_unisons, "odd_bars": bars.n_odd}
    counts["irregular_bars"] = bars.n_irregular
    counts["repeats"] = _count_signs(tune, measures) if as_written else 0
    report = NotationReport(**moved, **counts, remarks=_remarks(tune, spans))
    return Piece(notes, steps_per_beat=grid, **found | labels), report


def _play_parts(parts: Sequence[VoiceReader], spans: Sequence[Span]) -> tuple[np.ndarray, int]:
    """Return (N, 5): onset, offset, pitch, velocity, voice; and how many unisons were left out."""
    rows: list[Row] = []
    n_unisons = 0
    for voice, part in enumerate(parts):
        notes, dropped = drop_unisons(part.sounding)
        n_unisons += dropped
        rows += [[*row[:3], VELOCITY, voice] for row in play_notes(notes, spans)]
    return np.array(rows, dtype=np.int64).reshape(-1, 5), n_unisons


def _measures(tune: Tune, end: int) -> list[Measure]:
    """The measures of the first voice that has signs of repeat, cut where parts begin."""
    part = next((part for part in tune.parts if part.has_signs), tune.parts[0])
    edges = [Bar(onset, "", "") for onset, _ in _part_labels(tune)]
    return to_measures([*part.bar_lines, *edges], part.marks, end)


def _part_labels(tune: Tune) -> list[tuple[int, str]]:
    return sorted({label for part in tune.parts for label in part.part_labels})


def _part_order(tune: Tune) -> str:
    return tune.fields.get("P", ("",))[-1]


def _count_signs(tune: Tune, measures: Sequence[Measure]) -> int:
    """Repeat signs and jumps, and one for an order of parts other than the one they are written in."""
    written, order = "".join(label[:1] for _, label in _part_labels(tune)), expand_parts(_part_order(tune))
    n_jumps = sum((measure.times > 1) + bool(measure.jump) for measure in measures)
    return n_jumps + bool(written and order and order != written)


def _timelines(parts: Sequence[VoiceReader], spans: Sequence[Span]) -> dict[str, Timeline]:
    """The key of the first pitched voice as it sounds, and the tempi of all, in playing order."""
    tempi = {onset: tempo for part in reversed(parts) for onset, tempo in part.changes["tempo"]}
    pitched = next((part for part in parts if not part.is_drums), parts[0])
    played = {
        "key": play_changes(sorted(pitched.changes["key"], key=itemgetter(0)), spans),
        "tempo_qpm": play_changes(sorted(tempi.items()), spans),
    }
    played["key"] = [(onset, transpose_key(*value)) for onset, value in played["key"]]
    return played


def _bar_lines(part: VoiceReader, spans: Sequence[Span]) -> BarLines:
    """The bars between written bar lines, for a line of music may end within a bar; a change of metre begins one."""
    metres = tidy(sorted(part.changes["metre"], key=itemgetter(0)))
    if not part.bar_lines:
        return BarLines(play_changes(metres, spans), 0, 0, 0)
    lines = sorted({0, part.now, *(onset for onset, _ in part.bars), *(onset for onset, _ in metres)})
    return bars_to_metres(play_bars(lines, metres, spans) or [(0, metres[0][1])], FINE_PER_BEAT)


def _exact_grid(table: np.ndarray, times: dict[str, Timeline], pickup: int) -> int:
    changes = [onset for label in ("metre", "key") for onset, _ in times[label]]
    return coarsest_grid(np.concatenate([table[:, :2].ravel(), changes, [pickup]]).astype(np.int64), FINE_PER_BEAT)


def _programs(parts: Sequence[VoiceReader]) -> tuple[int, ...]:
    programs = tuple(DRUMS if part.is_drums else part.program for part in parts)
    return programs if any(programs) else ()


def _remarks(tune: Tune, spans: Sequence[Span]) -> tuple[str, ...]:
    """What was left out, each with its number, and what was taken for granted."""
    said = [f"{phrase}: {number}" for phrase, number in tune.counts.items() if number and phrase != UNREAD]
    more = ", ..." * (tune.counts[UNREAD] > len(tune.signs))
    said += [f"signs not understood: {', '.join(tune.signs)}{more}"] if tune.signs else []
    unread = {parse_key(value).unread for value in tune.fields["K"]} - {""}
    said += [f"{sign} right behind the tonic of K: is not read; put a space before it" for sign in sorted(unread)]
    if "X" not in tune.fields:
        said.append("the line X: with the number of the tune is missing; read as a tune")
    if len(expand_parts(_part_order(tune))) > 1 and not _part_labels(tune):
        said.append(f"the order of parts P:{_part_order(tune)} is ignored, for no part is marked")
    unplayed = _count_unplayed(tune.parts, spans)
    if unplayed:
        said.append(f"chords and notes that the signs of repeat never reach: {unplayed}")
    return tuple(said)


def _count_unplayed(parts: Sequence[VoiceReader], spans: Sequence[Span]) -> int:
    onsets = np.unique([row[0] for part in parts for row in part.sounding])
    edges = np.searchsorted(onsets, np.array(spans, dtype=np.int64).reshape(-1, 2))
    reached = np.zeros(len(onsets) + 1, dtype=np.int64)
    np.add.at(reached, edges[:, 0], 1)
    np.add.at(reached, edges[:, 1], -1)
    return int((np.cumsum(reached)[:-1] == 0).sum())
