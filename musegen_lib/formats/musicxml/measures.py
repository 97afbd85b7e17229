"""Measures of all parts together: how long each is, in which order they are played, and the bar lines that result.

Used by `reader` only. Times are units, see `notes`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Any

from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.limits import MAX_BEATS
from musegen_lib.formats.musicxml.parts import PartReader, WrittenMeasure
from musegen_lib.formats.repeats import Measure, Span

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
        bar = bar_units(metre, units_per_beat) or bar
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


@lru_cache(256)
def bar_units(metre: str | None, units_per_beat: int) -> int:
    """Length of a full bar, 0 without metre."""
    return int(metre_to_beats(metre) * units_per_beat) if metre else 0


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


def play_bars(layout: Layout, spans: Sequence[Span]) -> list[tuple[int, str | None]]:
    """(length, metre) of each measure in playing order."""
    times = [time for time, _ in layout.metres]
    bars = []
    for start, stop in spans:
        for number in range(bisect_right(layout.starts, start) - 1, bisect_left(layout.starts, stop)):
            left, right = max(start, layout.starts[number]), min(stop, layout.starts[number + 1])
            place = bisect_right(times, left) - 1
            if right > left:
                bars.append((right - left, layout.metres[place][1] if place >= 0 else None))
    return bars


def bars_to_metres(bars: list[tuple[int, str | None]], units: int) -> tuple[Events, int, int]:
    """Metres that put a bar line where each measure begins, with measures that make a bar together joined.

    A bar that a change of metre or the end cuts short needs no metre of its own.

    Args:
        bars: from `play_bars`.
        units: a quarter note.
    Returns:
        (time, metre) from time 0 on; the length of the pickup; how many measures have a length that no metre has.
    """
    full = [bar_units(metre, units) for _, metre in bars]
    pickup = 0
    if bars:
        following = bars[1][1] if len(bars) > 1 and full[0] == bars[0][0] else bars[0][1]
        pickup = bars[0][0] if 0 < bars[0][0] < bar_units(following, units) else 0
    metres: Events = [(0, following)] if pickup else []
    now, place, n_odd = pickup, int(pickup > 0), 0
    while place < len(bars):
        metre, bar = bars[place][1], full[place]
        length, stop = _joined(bars, place, bar)
        is_cut = length < bar and (stop == len(bars) or bars[stop][1] != metre)
        if bar and length % bar and not is_cut:
            metre = _metre_of(Fraction(length, units), metre) or metre
            n_odd += bar_units(metre, units) == bar
        metres.append((now, metre))
        now, place = now + length, stop
    return [next(group) for _, group in groupby(metres, key=lambda change: change[1])], pickup, n_odd


def _joined(bars: list[tuple[int, str | None]], place: int, bar: int) -> tuple[int, int]:
    """Length of the measure, with those that follow if together they make a bar (or end the music), and the next."""
    length, stop = bars[place][0], place + 1
    while length < bar and stop < len(bars) and bars[stop][1] == bars[place][1] and length + bars[stop][0] <= bar:
        length, stop = length + bars[stop][0], stop + 1
    return (length, stop) if length >= bar or stop == len(bars) else (bars[place][0], place + 1)


def _metre_of(beats: Fraction, metre: str | None) -> str | None:
    """The metre of an irregular bar, in the unit of `metre` or a smaller one.

    >>> _metre_of(Fraction(5), "4/4"), _metre_of(Fraction(1, 2), "3/4"), _metre_of(Fraction(1, 3), "3/4")
    ('5/4', '1/8', None)
    """
    unit = int((metre or "4/4").partition("/")[2])
    while unit <= 64:
        count = beats * unit / 4
        if count.denominator == 1:
            return f"{count}/{unit}" if count < 256 else None
        unit *= 2
    return None
