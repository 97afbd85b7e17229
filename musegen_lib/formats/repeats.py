"""Repeats, endings and jumps: in which order the measures of a score are played, and the notes in that order.

The rules of musicians: a repeated section is played as often as its sign says (twice without a number), each time with
its own ending; after a jump (da capo, dal segno) repeats are not taken again and the last ending is played; "fine" and
"to coda" hold after a jump only.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from musegen_lib.core.limits import MAX_BEATS, MAX_NOTES

Span = tuple[int, int]  # (start, stop) of music played in one go, in a file's own ticks
MAX_PLAYED = 100_000  # measures
MAX_SPANS = 5_000
MAX_RINGING = 256  # of the last notes, in which those that still sound are looked for


@dataclass(frozen=True)
class Measure:
    """What lies between two bar lines, with the signs that stand at its ends.

    Args:
        times: how often the section that ends here is played; 1 without a repeat sign at the end.
        endings: numbers of the bracket above it; none outside of brackets.
        jump: "da capo" or "dal segno" at its end.
        to_coda: "to coda" at its end.
        is_segno, is_coda: the sign stands at its beginning.
    """

    start: int
    stop: int
    repeat_begins: bool = False
    times: int = 1
    endings: tuple[int, ...] = ()
    is_segno: bool = False
    is_coda: bool = False
    to_coda: bool = False
    is_fine: bool = False
    jump: str = ""


def playing_order(measures: Sequence[Measure]) -> list[Span]:
    """The spans to play, one after the other; neighbours are one span. ValueError for more than can be played."""
    spans: list[Span] = []
    last_endings = _last_endings(measures)
    section, turn, here, jumped, taken, n_played = 0, 1, 0, False, set(), 0
    while here < len(measures):
        measure, last = measures[here], last_endings[here]
        if measure.repeat_begins and here != section:
            section, turn = here, 1
        is_played = not last or (last if jumped else turn) in measure.endings
        n_played += is_played
        if is_played:
            _extend(spans, measure)
        if n_played > MAX_PLAYED or len(spans) > MAX_SPANS:
            raise ValueError(f"repeats make more than {MAX_PLAYED:,} bars or {MAX_SPANS:,} jumps; read it --as-written")
        if is_played and jumped and measure.is_fine:
            break
        if is_played and jumped and measure.to_coda:
            here = section = _find(measures, "is_coda", here + 1)
            turn, jumped = 1, False
        elif is_played and not jumped and _goes_back(measures, here, last, turn):
            here, turn = section, turn + 1
        elif is_played and measure.jump and here not in taken:
            taken.add(here)
            here = section = 0 if measure.jump == "da capo" else _find(measures, "is_segno", 0)
            turn, jumped = 1, True
        else:
            if _section_ends(measures, here, last):
                section, turn = here + 1, 1
            here += 1
    return spans


def _last_endings(measures: Sequence[Measure]) -> list[int]:
    """Of each measure under a bracket the highest number of the brackets beside it, else 0."""
    found: list[int] = []
    for is_under, group in groupby(measures, key=lambda measure: bool(measure.endings)):
        members = list(group)
        found += [max(n for m in members for n in m.endings) if is_under else 0] * len(members)
    return found


def _goes_back(measures: Sequence[Measure], here: int, last: int, turn: int) -> bool:
    """Whether the section is played again: by its sign, or because another ending stands beside this one."""
    measure = measures[here]
    if not last:
        return turn < measure.times
    ends = here + 1 == len(measures) or measures[here + 1].endings != measure.endings
    return ends and turn < (max(last, measure.times) if measure.times > 1 else last)


def _section_ends(measures: Sequence[Measure], here: int, last: int) -> bool:
    """Whether a repeat sign without a partner would go back to the next measure only."""
    follows = measures[here + 1].endings if here + 1 < len(measures) else ()
    return not follows and (last > 0 or measures[here].times > 1)


def _find(measures: Sequence[Measure], sign: str, otherwise: int) -> int:
    return next((number for number, measure in enumerate(measures) if getattr(measure, sign)), otherwise)


def _extend(spans: list[Span], measure: Measure) -> None:
    if spans and spans[-1][1] == measure.start:
        spans[-1] = (spans[-1][0], measure.stop)
    else:
        spans.append((measure.start, measure.stop))


def refuse_long(spans: Sequence[Span], ticks_per_beat: int) -> None:
    """ValueError for more quarter notes than a piece may last."""
    if sum(stop - start for start, stop in spans) > MAX_BEATS * ticks_per_beat:
        raise ValueError(f"repeats make more than {MAX_BEATS:,} quarter notes; read it --as-written")


def play_notes(notes: Iterable[Sequence[Any]], spans: Sequence[Span]) -> list[list[Any]]:
    """Notes (onset, offset, pitch, anything) in playing order.

    A note ends with its span. One that reaches into a span from before goes on where its pitch sounds until then, and
    is struck anew where another ending came before.
    """
    rows = sorted(notes)
    onsets = [row[0] for row in rows]
    times = np.array([row[:2] for row in rows], dtype=np.int64).reshape(-1, 2)
    played: list[list[Any]] = []
    now = 0
    for start, stop in spans:
        entering = np.flatnonzero((times[:, 0] < start) & (times[:, 1] > start)).tolist()
        ringing = {note[2]: note for note in played[-MAX_RINGING:] if note[1] == now} if entering else {}
        for row in (*entering, *range(bisect_left(onsets, start), bisect_left(onsets, stop))):
            onset, offset, pitch, *more = rows[row]
            begin, end = now + max(onset, start) - start, now + min(offset, stop) - start
            if onset < start and pitch in ringing:
                ringing[pitch][1] = end
            else:
                played.append([begin, end, pitch, *more])
        now += stop - start
        if len(played) > MAX_NOTES:
            raise ValueError(f"repeats make more than {MAX_NOTES:,} notes; read it --as-written")
    return played


def play_changes(changes: Sequence[tuple[int, Any]], spans: Sequence[Span]) -> list[tuple[int, Any]]:
    """Changes (onset, value), sorted, in playing order: each span begins with the value in force there in the file."""
    onsets = [onset for onset, _ in changes]
    played: list[tuple[int, Any]] = []
    now = 0
    for start, stop in spans:
        first = bisect_right(onsets, start)
        played += [(now, changes[first - 1][1])] if first else []
        played += [(now + onset - start, value) for onset, value in changes[first : bisect_left(onsets, stop)]]
        now += stop - start
    return played
