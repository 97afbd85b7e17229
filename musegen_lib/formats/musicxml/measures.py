"""Measures of all parts together: how long each is, and the signs and changes that stand in them.

Used by `reader` only. Times are units, see `notes`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from musegen_lib.core.limits import MAX_BEATS
from musegen_lib.formats.bars import bar_ticks
from musegen_lib.formats.musicxml.parts import PartReader, WrittenMeasure
from musegen_lib.formats.repeats import Measure

DEFAULT_BEATS = 4  # of a measure without notes in music without metre
Events = list[tuple[int, Any]]  # (time, value), sorted


@dataclass(frozen=True)
class Layout:
    """Where the measures of a score begin, and what happens in them.

    Args:
        starts: of each measure, and the end of the last.
        measures: the same with the signs that order them; a repeat sign inside a measure cuts it in two.
        metres, tempi: (time, value) in time order; metres of the first part that has any.
        keys: (time, (name as it sounds, `Key` as written)), of a part that sounds as written if there is one.
        n_repeats: repeat signs and jumps.
        n_other_metres: other parts' metres that differ from the first one's.
    """

    starts: list[int]
    measures: list[Measure]
    metres: Events
    keys: Events
    tempi: Events
    n_repeats: int
    n_other_metres: int


def lay_out(readers: Sequence[PartReader], units_per_beat: int) -> Layout:
    """Align the parts, measure by measure; one that is empty in all lasts a full bar."""
    lengths = []
    bar = DEFAULT_BEATS * units_per_beat
    for number in range(max((len(reader.measures) for reader in readers), default=0)):
        written = [reader.measures[number] for reader in readers if number < len(reader.measures)]
        metre = next((value for each in written for _, kind, value in each.events if kind == "metre"), None)
        bar = bar_ticks(metre, units_per_beat) or bar
        lengths.append(_measure_length(written, bar, may_be_short=number == 0))
    starts = [0, *accumulate(lengths)]
    if starts[-1] > MAX_BEATS * units_per_beat:
        raise ValueError(f"a part may last {MAX_BEATS:,} quarter notes; export a shorter score")
    found = [_timed_events(reader, starts) for reader in readers]
    by_trust = sorted(range(len(readers)), key=lambda part: readers[part].distrust)
    metres, keys = _first(found, "metre"), _first([found[part] for part in by_trust], "key")
    return Layout(
        starts=starts,
        measures=_order_signs(starts, found),
        metres=metres,
        keys=keys,
        tempi=_tempi(found),
        n_repeats=len({(time, kind) for events in found for time, kind, _ in events if kind in ("times", "jump")}),
        n_other_metres=len({(t, v) for events in found for t, kind, v in events if kind == "metre"} - set(metres)),
    )


def _measure_length(written: Sequence[WrittenMeasure], bar: int, may_be_short: bool) -> int:
    """Of the lengths of the parts that hold every note a full bar or what most have: real files have rests too many."""
    lengths = Counter(each.length for each in written if each.length)
    if len(lengths) < 2:
        return next(iter(lengths), bar)
    end = max((fragment.offset for each in written for fragment in each.fragments), default=0)
    return max(
        (length for length in lengths if length >= end),
        key=lambda length: (length == bar and not may_be_short, lengths[length], length == bar, length),
    )


def _timed_events(reader: PartReader, starts: list[int]) -> list[tuple[int, str, Any]]:
    """Events of a part as (time, kind, value)."""
    return [
        (starts[number + 1] if time is None else starts[number] + time, kind, value)
        for number, measure in enumerate(reader.measures)
        for time, kind, value in measure.events
    ]


def _first(found: list[list[tuple[int, str, Any]]], kind: str) -> Events:
    """Events of one kind from the first part that has any; of several at a time the last."""
    for events in found:
        if any(each == kind for _, each, _ in events):
            return sorted({time: value for time, each, value in events if each == kind}.items())
    return []


def _tempi(found: list[list[tuple[int, str, Any]]]) -> Events:
    """Quarter notes a minute by time, from all parts; at one time the first part's counts."""
    marks: dict[int, tuple[str, float]] = {}
    for events in found:
        own = {time: (kind, value) for time, kind, value in events if kind.startswith("tempo")}
        marks = own | marks
    tempi: Events = []
    for time, (kind, value) in sorted(marks.items()):
        if kind == "tempo_ratio":
            value = round(value * tempi[-1][1], 6) if tempi else None
        if value and value < 10_000:
            tempi.append((time, value))
    return tempi


def _order_signs(starts: list[int], found: list[list[tuple[int, str, Any]]]) -> list[Measure]:
    """Measures with their signs; what one part has holds for all."""
    signs = sorted({event for events in found for event in events if event[1] in SIGNS}, key=lambda event: event[0])
    cuts = sorted({*starts, *(time for time, kind, _ in signs if kind in ("repeat_begins", "times", "ending"))})
    fields: list[dict[str, Any]] = [{} for _ in cuts[1:]]
    for time, kind, value in signs:
        place = bisect_right(cuts, time) - 1 if kind in BEGINNINGS else max(0, bisect_left(cuts, time) - 1)
        if kind not in ("ending", "coda sign") and place < len(fields):
            fields[place][kind] = max(value, fields[place].get(kind, value))
    for place, numbers in _brackets(cuts, signs):
        fields[place].setdefault("endings", numbers)
    _place_coda_signs(fields, cuts, [(time, value) for time, kind, value in signs if kind == "coda sign"])
    return [Measure(start, stop, **signs) for start, stop, signs in zip(cuts, cuts[1:], fields)]


BEGINNINGS = ("repeat_begins", "is_segno", "is_coda", "coda sign")
SIGNS = (*BEGINNINGS, "times", "ending", "jump", "is_fine", "to_coda")


def _brackets(cuts: list[int], signs: list[tuple[int, str, Any]]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield (measure, numbers) for each measure under a bracket; one that never stops covers one measure.

    A bracket drawn over its first measures only lasts until the repeat sign at the next bracket.
    """
    endings = [(bisect_right(cuts, time) - 1, time, *value) for time, kind, value in signs if kind == "ending"]
    begins = sorted({first for first, _, kind, _ in endings if kind == "start"})
    repeats = [bisect_left(cuts, time) for time, kind, _ in signs if kind == "times"]
    for first, begin, kind, numbers in endings:
        if kind != "start":
            continue
        stops = [bisect_left(cuts, time) for _, time, other, _ in endings if other != "start" and time > begin]
        stop = min([*stops, len(cuts) - 1]) if stops else first + 1
        following = next((place for place in begins if place > first), len(cuts) - 1)
        sign = next((place for place in sorted(repeats) if place > first), 0)
        if stop < sign == following and following in begins:
            stop = following
        for place in range(first, min(stop, following)):
            yield place, numbers


def _place_coda_signs(fields: list[dict[str, Any]], cuts: list[int], signs: Events) -> None:
    """A coda sign without words is the coda if it is the last one, else it leads there from the end of its measure.

    Each sign is (time, whether its measure begins there).
    """
    has_coda, has_lead = (any(kind in each for each in fields) for kind in ("is_coda", "to_coda"))
    for number, (time, begins) in enumerate(signs, start=1):
        if number == len(signs) and not has_coda and bisect_right(cuts, time) - 1 < len(fields):
            fields[bisect_right(cuts, time) - 1]["is_coda"] = True
        elif not has_lead and "is_coda" not in fields[place := bisect_left(cuts, time + begins) - 1]:
            fields[place]["to_coda"] = True
