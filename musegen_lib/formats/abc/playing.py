"""From a tune as written to a `Piece` as played: repeats and jumps taken, all notes at the pitch they sound."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.keys import metre_to_beats, transpose_key
from musegen_lib.core.limits import MAX_BEATS, refuse_endless
from musegen_lib.core.piece import CHANGES, DRUMS, Piece
from musegen_lib.formats.abc.bars import Bar, expand_parts, play, to_measures
from musegen_lib.formats.abc.fields import parse_key
from musegen_lib.formats.abc.text import plain_text
from musegen_lib.formats.abc.tunes import UNREAD
from musegen_lib.formats.abc.voices import FINE_PER_BEAT, VoiceReader
from musegen_lib.formats.changes import changes_to_steps, fold_pickup, tidy
from musegen_lib.formats.grid import coarsest_grid, table_to_notes, to_steps
from musegen_lib.formats.repeats import Span, play_changes, play_notes
from musegen_lib.formats.report import NotationReport

if TYPE_CHECKING:
    from musegen_lib.formats.abc.reader import Tune

VELOCITY = 80
DEFAULT_TEMPO = 100.0
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
    >>> [tune] = parse_abc("X:1\\nT:Scale\\nM:2/4\\nL:1/8\\nK:G\\n|:D|G2 A2|B2 c>d:|")
    >>> tune_to_piece(tune)[0], tune_to_piece(tune, as_written=True)[0]
    (Piece('Scale': 12 notes, 6 bars of 2/4, G major, 5.4 s), Piece('Scale': 6 notes, 3 bars of 2/4, G major, 2.7 s))
    """
    spans, layers, voices = _play(tune, as_written)
    times = _timelines(tune.parts, spans)
    pickup = _pickup(tune.parts[0], times["metre"])
    _refuse_long(tune, spans)
    table = np.array([(*row[:3], VELOCITY, n) for n, rows in enumerate(voices) for row in rows], dtype=np.int64)
    table = table.reshape(-1, 5)
    grid = steps_per_beat or _exact_grid(table, times, pickup)
    notes, moved = table_to_notes(table, grid, FINE_PER_BEAT)
    found = {
        "title": plain_text(tune.titles[0]) if tune.titles else "",
        "source": f"{tune.source} X:{tune.number}",
        "pickup_steps": to_steps(pickup, grid, FINE_PER_BEAT),
        "programs": _programs(tune.parts),
        **_to_labels(times, int((notes["onset_steps"] + notes["duration_steps"]).max(initial=0)), grid),
    }
    piece = Piece(notes, steps_per_beat=grid, **found | labels)
    try:
        refuse_endless(piece)
    except MusegenError as fault:
        raise MusegenError(f"{_name(tune)} {fault}") from None
    drums = sum(len(rows) for part, rows in zip(tune.parts, voices) if part.is_drums)
    counts = {"grace_notes": tune.n_grace, "unisons": sum(n for _, n in layers), "unread": tune.counts[UNREAD]}
    return piece, NotationReport(**moved, **counts, remarks=_remarks(tune, spans))


def _play(tune: Tune, as_written: bool) -> tuple[list[Span], list[tuple[list[Row], int]], list[list[Row]]]:
    """The spans in playing order; the notes of each voice as written with the count of unisons; and as played."""
    try:
        end = max(part.now for part in tune.parts)
        spans = [(0, end)] if as_written else _spans(tune, end)
        layers = [_without_unisons(part) for part in tune.parts]
        return spans, layers, [play_notes(rows, spans) for rows, _ in layers]
    except ValueError as fault:
        raise MusegenError(f"{_name(tune)}: {fault}") from None


def _name(tune: Tune) -> str:
    return f"{tune.source}, line {tune.line}: tune X:{tune.number}"


def _refuse_long(tune: Tune, spans: Sequence[Span]) -> None:
    beats = sum(stop - start for start, stop in spans) / FINE_PER_BEAT
    if beats > MAX_BEATS:
        raise MusegenError(
            f"{_name(tune)} plays {beats:,.0f} quarter notes, more than {MAX_BEATS:,}; read it --as-written"
        )


def _to_labels(times: dict[str, Timeline], n_steps: int, grid: int) -> dict[str, Any]:
    """Metre, key and tempo of a Piece with their changes, those behind the last note left out."""
    found: dict[str, Any] = {}
    for label, changes in CHANGES.items():
        default = DEFAULT_TEMPO if label == "tempo_qpm" else None
        found[label], later = changes_to_steps(times[label], default, grid, FINE_PER_BEAT)
        found[changes] = tuple(change for change in later if change[0] < n_steps)
    return found


def _spans(tune: Tune, end: int) -> list[Span]:
    """What to play in order, by the signs of the first voice that has any."""
    order = tune.fields.get("P", ("",))[-1]
    part = next((part for part in tune.parts if part.has_signs), None)
    if part is None and not expand_parts(order):
        return [(0, end)]
    part = part or tune.parts[0]
    labels = sorted({label for part in tune.parts for label in part.part_labels})
    edges = [Bar(onset, "", "") for onset, _ in labels]
    measures = to_measures([*part.bar_lines, *edges], part.marks, end)
    return play(measures, labels, order)


def _without_unisons(part: VoiceReader) -> tuple[list[Row], int]:
    """The notes of a voice without those that end before or with an earlier one of their pitch; and how many went."""
    rows = sorted(part.sounding, key=lambda row: (row[2], row[0], -row[1]))
    kept: list[Row] = []
    for row in rows:
        if not (kept and kept[-1][2] == row[2] and row[1] <= kept[-1][1]):
            kept.append(row)
    return kept, len(rows) - len(kept)


def _timelines(parts: Sequence[VoiceReader], spans: Sequence[Span]) -> dict[str, Timeline]:
    """Metre and key of the first voice and the tempi of all, in playing order; the key as it sounds."""
    tempi = {onset: tempo for part in reversed(parts) for onset, tempo in part.changes["tempo"]}
    pitched = next((part for part in parts if not part.is_drums), parts[0])
    played = {
        "metre": play_changes(sorted(parts[0].changes["metre"], key=itemgetter(0)), spans),
        "key": play_changes(sorted(pitched.changes["key"], key=itemgetter(0)), spans),
        "tempo_qpm": play_changes(sorted(tempi.items()), spans),
    }
    played["key"] = [(onset, transpose_key(*value)) for onset, value in played["key"]]
    return played


def _pickup(part: VoiceReader, metres: Timeline) -> int:
    """Length of the incomplete first bar: where most written bar lines fall, counted in whole bars of the first metre.

    A first bar with a short metre of its own becomes a pickup of the metre behind it.
    """
    metres[:], pickup = fold_pickup(tidy(metres), FINE_PER_BEAT, part.now)
    if pickup or not metres or metres[0][1] is None or len(part.bars) < 2:
        return pickup
    bar = int(metre_to_beats(metres[0][1]) * FINE_PER_BEAT)
    change = metres[1][0] if len(metres) > 1 else part.now
    phases = [onset % bar for onset, _ in part.bars[1:] if onset <= change]
    return max(phases, key=phases.count, default=0)


def _exact_grid(table: np.ndarray, times: dict[str, Timeline], pickup: int) -> int:
    changes = [onset for label in ("metre", "key") for onset, _ in times[label]]
    return coarsest_grid(np.concatenate([table[:, :2].ravel(), changes, [pickup]]).astype(np.int64), FINE_PER_BEAT)


def _programs(parts: Sequence[VoiceReader]) -> tuple[int, ...]:
    programs = tuple(DRUMS if part.is_drums else part.program for part in parts)
    return programs if any(programs) else ()


def _remarks(tune: Tune, spans: Sequence[Span]) -> tuple[str, ...]:
    """What was left out, each with its number, and what was taken for granted."""
    said = [f"{phrase}: {number}" for phrase, number in tune.counts.items() if number and phrase != UNREAD]
    said += [f"the first signs not understood: {', '.join(tune.signs)}"] if tune.signs else []
    unread = {parse_key(value).unread for value in tune.fields["K"]} - {""}
    said += [f"{sign} right behind the tonic of K: is not read; put a space before it" for sign in sorted(unread)]
    if "X" not in tune.fields:
        said.append("the line X: with the number of the tune is missing; read as a tune")
    order = tune.fields.get("P", ("",))[-1]
    labelled = any(part.part_labels for part in tune.parts)
    if len(expand_parts(order)) > 1 and not labelled:
        said.append(f"the order of parts P:{order} is ignored, for no part is marked")
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
