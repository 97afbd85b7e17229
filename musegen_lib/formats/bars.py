"""Bars of a score in playing order, and the metres that make a `Piece` draw its bar lines there; for ABC and MusicXML.

Times are a file's own ticks.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from musegen_lib.core.keys import metre_to_beats
from musegen_lib.formats.changes import tidy
from musegen_lib.formats.repeats import Span

Metres = list[tuple[int, str | None]]  # (time, metre), in time order
Bar = tuple[int, str | None]  # length, and the metre in force


@dataclass(frozen=True)
class BarLines:
    """What a `Piece` needs to draw the bar lines of a score.

    Args:
        metres: from time 0 on.
        pickup: length of the incomplete first bar.
        n_irregular: bars of another length than the metre in force, which get a metre of their own.
        n_odd: bars of a length that no metre has, after which bar lines are off.
    """

    metres: Metres
    pickup: int
    n_irregular: int
    n_odd: int


@lru_cache(256)
def bar_ticks(metre: str | None, ticks_per_beat: int) -> int:
    """Length of a full bar, 0 without metre."""
    return int(metre_to_beats(metre) * ticks_per_beat) if metre else 0


def play_bars(lines: Sequence[int], metres: Metres, spans: Sequence[Span]) -> list[Bar]:
    """The bars between the lines in playing order; one that a span cuts is as long as what is played of it.

    >>> play_bars([0, 4, 8], [(0, "4/4"), (4, "3/4")], [(0, 8), (2, 6)])
    [(4, '4/4'), (4, '3/4'), (2, '4/4'), (2, '3/4')]
    """
    times = [time for time, _ in metres]
    bars = []
    for start, stop in spans:
        first, last = bisect_right(lines, start) - 1, bisect_left(lines, stop)
        for begin, end in zip(lines[first:last], lines[first + 1 : last + 1]):
            left, place = max(start, begin), bisect_right(times, max(start, begin)) - 1
            bars.append((min(stop, end) - left, metres[place][1] if place >= 0 else None))
    return bars


def bars_to_metres(bars: Sequence[Bar], ticks_per_beat: int) -> BarLines:
    """Metres that put a bar line where each bar begins, with those that make a full bar together joined.

    A bar that a change of metre or the end cuts short needs no metre of its own, nor do several without lines there.

    >>> bars_to_metres([(2, "4/4"), (8, "4/4"), (6, "4/4"), (8, "4/4")], 2).metres
    [(0, '4/4'), (10, '3/4'), (16, '4/4')]
    """
    pickup, metre = _pickup(bars, ticks_per_beat)
    metres: Metres = [(0, metre)] if pickup else []
    now, place, n_irregular, n_odd = pickup, int(pickup > 0), 0, 0
    while place < len(bars):
        metre = bars[place][1]
        bar = bar_ticks(metre, ticks_per_beat)
        length, stop = _joined(bars, place, bar)
        is_last = stop == len(bars) or bars[stop][1] != metre
        if bar and length % bar and not (is_last and not bar < length < 2 * bar):
            own = _metre_of(Fraction(length, ticks_per_beat), metre)
            n_irregular, n_odd = n_irregular + bool(own), n_odd + (own is None and not is_last)
            metre = own or metre
        metres.append((now, metre))
        now, place = now + length, stop
    return BarLines(tidy(metres), pickup, n_irregular, n_odd)


def _pickup(bars: Sequence[Bar], ticks_per_beat: int) -> Bar:
    """Length of the incomplete first bar, 0 for none, and its metre.

    It may have a short metre of its own, at most half of the one behind it: 1/4 before 3/4, but not 3/4 before 4/4.
    """
    if not bars:
        return 0, None
    length, metre = bars[0]
    if length < bar_ticks(metre, ticks_per_beat):
        return length, metre
    following = bars[1][1] if len(bars) > 1 else metre
    is_short = length == bar_ticks(metre, ticks_per_beat) and 2 * length <= bar_ticks(following, ticks_per_beat)
    return (length, following) if is_short else (0, metre)


def _joined(bars: Sequence[Bar], place: int, bar: int) -> tuple[int, int]:
    """Length of a bar, with those that follow if together they fill the metre (or end the music), and the next."""
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
