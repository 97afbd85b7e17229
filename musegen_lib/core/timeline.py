"""What changes in the course of a piece: metre, key and tempo, and the bar lines and seconds that follow from them.

A timeline is the value at the start and a table of changes, (onset in steps, value), in time order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from musegen_lib.core.keys import metre_to_beats

if TYPE_CHECKING:
    from musegen_lib.core.piece import Piece

Value = TypeVar("Value")
Changes = tuple[tuple[int, Value], ...]


def tidy_changes(name: str, first: Value, changes: Iterable[Sequence[Any]]) -> Changes[Value]:
    """Leave out changes that change nothing; ValueError, which calls the table `name`, for onsets out of order.

    >>> tidy_changes("metre_changes", "4/4", [(16, "3/4"), (28, "3/4"), (40, "4/4")])
    ((16, '3/4'), (40, '4/4'))
    """
    kept, last = [(0, first)], 0
    for onset, value in changes:
        if not last < onset:
            raise ValueError(f"{name}: onset {onset} must lie behind {last}; give (step, value) in time order")
        last = int(onset)
        if value != kept[-1][1]:
            kept.append((last, value))
    return tuple(kept[1:])


def check_times(piece: Piece) -> None:
    """ValueError for a grid, pickup, tempo, metre or fermata that no piece can have."""
    tempi = [tempo for _, tempo in piece.timeline("tempo_qpm")]
    if piece.steps_per_beat < 1 or piece.pickup_steps < 0 or not all(0 < tempo < 10_000 for tempo in tempi):
        raise ValueError(
            f"steps_per_beat {piece.steps_per_beat}, pickup_steps {piece.pickup_steps} and tempo_qpm "
            f"{', '.join(map(str, tempi))} must be at least 1, at least 0 and between 0 and 10,000"
        )
    for _, metre in piece.timeline("metre"):
        if metre is not None:
            metre_to_beats(metre)
    if min(piece.fermatas, default=0) < 0:
        raise ValueError(f"fermatas: step {piece.fermatas[0]} lies before the start")


def to_timeline(found: Iterable[tuple[int, Value]], default: Value) -> tuple[Value, Changes[Value]]:
    """The value at step 0, else the default, and the changes after it; of several at one step the last.

    >>> to_timeline([(12, "3/4"), (0, "4/4")], None)
    ('4/4', ((12, '3/4'),))
    """
    at = dict(sorted(found, key=itemgetter(0)))
    return at.pop(0, default), tuple(at.items())


def value_at(first: Value, changes: Changes[Value], step: int) -> Value:
    """The value in force at a step."""
    return next((value for onset, value in reversed(changes) if onset <= step), first)


def cut_changes(first: Value, changes: Changes[Value], start: int, stop: int) -> tuple[Value, Changes[Value]]:
    """The timeline of the steps from `start` to `stop`, counted from `start`."""
    inside = tuple((onset - start, value) for onset, value in changes if start < onset < stop)
    return value_at(first, changes, start), inside


def pauses(marked: Iterable[tuple[int, int]]) -> list[int]:
    """The times at which music pauses, from (onset, offset) of the notes that have a fermata.

    Of marked notes that sound together the last one to begin says when: a voice may still move to the chord.

    >>> pauses([(0, 8), (4, 8), (0, 8), (16, 20)])
    [4, 16]
    """
    found: list[int] = []
    end = -1
    for onset, offset in sorted(marked):
        if found and onset < end:
            found[-1], end = onset, min(end, offset)
        else:
            found.append(onset)
            end = offset
    return found


def steps_to_seconds(steps: Any, tempo_qpm: float, changes: Changes[float], steps_per_beat: int) -> np.ndarray:
    """Playing time from the start to each step, through all changes of tempo (quarter notes a minute)."""
    onsets = np.array([0, *(onset for onset, _ in changes)], dtype=np.float64)
    lengths = 60 / steps_per_beat / np.array([tempo_qpm, *(tempo for _, tempo in changes)])  # seconds a step
    begins = np.concatenate([[0.0], np.cumsum(np.diff(onsets) * lengths[:-1])])
    span = np.searchsorted(onsets, steps, side="right") - 1
    return begins[span] + (np.asarray(steps, dtype=np.float64) - onsets[span]) * lengths[span]


def bar_spans(
    metre: str | None, changes: Changes[str | None], pickup_steps: int, n_steps: int, steps_per_beat: int
) -> Iterator[tuple[int, int, int | None]]:
    """Yield (start, stop, steps a bar) of each stretch in one metre; None where there are no bars on this grid.

    The pickup is a stretch of one bar; so is a bar that a change of metre cuts short, and what has no metre.
    """
    edges = [0, *(onset for onset, _ in changes if onset < n_steps), n_steps]
    for (start, stop), value in zip(pairwise(edges), (metre, *(value for _, value in changes))):
        bar = steps_per_bar(value, steps_per_beat)
        lead = min(pickup_steps, stop) if start == 0 and bar else 0
        if lead:
            yield 0, lead, lead
        if start + lead < stop:
            yield start + lead, stop, bar


def steps_per_bar(metre: str | None, steps_per_beat: int) -> int | None:
    """Length of a bar; None without a metre or where the grid cannot hold the bar.

    >>> steps_per_bar("6/8", 4), steps_per_bar("5/32", 4)
    (12, None)
    """
    steps = metre_to_beats(metre) * steps_per_beat if metre else None
    return int(steps) if steps and steps.denominator == 1 else None
