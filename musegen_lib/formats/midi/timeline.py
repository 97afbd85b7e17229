"""Tempo, metre and key of a MIDI file on the grid of a piece."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

from musegen_lib.core.keys import FIFTHS_ABOVE_MAJOR, LINE_OF_FIFTHS, church_key
from musegen_lib.formats.changes import Timed, changes_to_steps, tidy
from musegen_lib.formats.midi.scan import DEFAULT_TEMPO

_C = LINE_OF_FIFTHS.index("C")


def two_at_once(name: str, changes: Timed) -> list[str]:
    """A remark for each tick at which a file sets two values; the last is in force."""
    found: dict[int, list[Any]] = {}
    for tick, value in changes:
        found.setdefault(tick, []).append(value)
    several = [list(dict.fromkeys(values)) for values in found.values() if len(set(values)) > 1]
    return [f"two {name}s at one tick, {' and '.join(values)}: the last is taken" for values in several[:3]]


def tempos_to_steps(
    tempos: Timed, grid: int, ticks_per_beat: int, last_tick: int
) -> tuple[float, tuple[tuple[int, float], ...]]:
    """Quarter notes a minute at the start, and (step, tempo) after it, such that every step keeps its second.

    A tempo that changes inside a step becomes the mean over that step.

    Args:
        tempos: (tick, microseconds a quarter note), tidy.
    """
    tempos = list(tempos) if tempos and tempos[0][0] == 0 else [(0, DEFAULT_TEMPO), *tempos]
    ticks, values = [tick for tick, _ in tempos], [value for _, value in tempos]
    spent = [0, *accumulate((b - a) * value for (a, value), (b, _) in pairwise(tempos))]  # microseconds x ticks a beat

    def at(step: int) -> Fraction:
        tick = Fraction(step * ticks_per_beat, grid)
        span = bisect_right(ticks, tick) - 1
        return spent[span] + (tick - ticks[span]) * values[span]

    end = -(-last_tick * grid // ticks_per_beat) + 1
    edges = {0, end} | {
        step for tick in ticks for step in (tick * grid // ticks_per_beat, -(-tick * grid // ticks_per_beat))
    }
    steps = sorted(step for step in edges if step <= end)
    found = [
        (a, float(60_000_000 * Fraction((b - a) * ticks_per_beat, grid) / (at(b) - at(a)))) for a, b in pairwise(steps)
    ]
    return changes_to_steps(tidy(found), 60e6 / DEFAULT_TEMPO, grid, grid)


def key_to_signature(key: str | None) -> tuple[int, int] | None:
    """Return (sharps, or flats below 0; 1 for minor), None where MIDI cannot say it. Modes keep their accidentals.

    >>> key_to_signature("C minor"), key_to_signature("D dorian"), key_to_signature("G# major")
    ((-3, 1), (0, 0), None)
    """
    tonic, _, mode = (church_key(key) or "").partition(" ")
    if tonic not in LINE_OF_FIFTHS or mode not in FIFTHS_ABOVE_MAJOR:
        return None
    sharps = LINE_OF_FIFTHS.index(tonic) - _C - FIFTHS_ABOVE_MAJOR[mode]
    return (sharps, int(mode == "minor")) if -7 <= sharps <= 7 else None


def signature_to_key(sharps: int, minor: int) -> str:
    """Name a key signature: (-3, 1) is "C minor"."""
    return f"{LINE_OF_FIFTHS[sharps + _C + 3 * minor]} {'minor' if minor else 'major'}"
