"""Changes of metre, key and tempo on the way from a file's own times to a `Piece`; for every format."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.piece import CHANGES
from musegen_lib.core.timeline import to_timeline
from musegen_lib.formats.grid import to_steps

Timed = Sequence[tuple[int, Any]]  # (onset in ticks, value), in time order
DEFAULT_TEMPO = 100.0  # quarter notes a minute, where the score names none


def tidy(changes: Timed, last_tick: int | None = None) -> list[tuple[int, Any]]:
    """Keep of several at one tick the last, of equal ones in a row the first, and none after the music.

    >>> tidy([(0, "4/4"), (0, "3/4"), (480, "3/4"), (960, "2/4")])
    [(0, '3/4'), (960, '2/4')]
    """
    kept: list[tuple[int, Any]] = []
    for tick, value in dict(changes).items():
        if (last_tick is None or tick < last_tick or not tick) and (not kept or kept[-1][1] != value):
            kept.append((tick, value))
    return kept


def fold_pickup(metres: Timed, ticks_per_beat: int, last_tick: int) -> tuple[list[tuple[int, Any]], int]:
    """Read one first bar of a shorter metre, before two bars or more of a longer, as what it is, a pickup.

    Returns:
        the metres, and the length of the pickup in ticks.

    >>> fold_pickup([(0, "1/4"), (480, "3/4"), (4800, "2/4")], 480, 6000)
    ([(0, '3/4'), (4800, '2/4')], 480)
    """
    if len(metres) > 1 and metres[0][0] == 0 and metres[0][1] and metres[1][1]:
        (_, short), (tick, metre), *later = metres
        first, bar = (metre_to_beats(each) * ticks_per_beat for each in (short, metre))
        lasts = (later[0][0] if later else last_tick) - tick
        if first == tick and first < bar and lasts > bar:
            return [(0, metre), *later], tick
    return list(metres), 0


def changes_to_steps(
    changes: Timed, default: Any, grid: int, ticks_per_beat: int
) -> tuple[Any, tuple[tuple[int, Any], ...]]:
    """The value at the start, else the default, and the (step, value) after it; of several at one step the last.

    >>> changes_to_steps([(0, "4/4"), (960, "3/4")], None, 4, 480)
    ('4/4', ((8, '3/4'),))
    """
    in_order = sorted(changes, key=itemgetter(0))
    return to_timeline([(to_steps(tick, grid, ticks_per_beat), value) for tick, value in in_order], default)


def changes_to_labels(timelines: dict[str, Timed], notes: np.ndarray, grid: int, ticks_per_beat: int) -> dict[str, Any]:
    """Metre, key and tempo of a `Piece` with their changes, those behind the last note left out.

    Args:
        timelines: of each label, in ticks.
        notes: (N,) of NOTE_DTYPE, on the grid.
    """
    end = int((notes["onset_steps"].astype(np.int64) + notes["duration_steps"]).max(initial=0))
    found: dict[str, Any] = {}
    for label, changes in CHANGES.items():
        default = DEFAULT_TEMPO if label == "tempo_qpm" else None
        found[label], later = changes_to_steps(timelines[label], default, grid, ticks_per_beat)
        found[changes] = tuple(change for change in later if change[0] < end)
    return found
