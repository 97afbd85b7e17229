"""Times of a voice as ABC writes them: slices between bar lines, tuplets, and lengths that notation has a sign for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import lcm

import numpy as np

MAX_TUPLET = 99
LONGEST_TUPLET = 9  # signs; music21 reads one digit
LONGEST = 16  # quarter notes of one sign


@dataclass(frozen=True)
class Slice:
    """What sounds from `start` to `stop` (steps), a rest without pitches; `held` are those that go on behind it."""

    start: int
    stop: int
    pitches: tuple[int, ...]
    held: frozenset[int]


def to_slices(notes: np.ndarray, edges: Iterable[int], n_steps: int) -> list[Slice]:
    """Cut a voice wherever a note begins or ends, and at `edges`, such as bar lines: every slice is a chord.

    Args:
        notes: of NOTE_DTYPE, one voice, no pitch struck while it sounds.
    """
    rows = [(o, o + d, p) for o, d, p in notes[["onset_steps", "duration_steps", "pitch"]].tolist()]
    cuts = sorted({0, n_steps, *(at for row in rows for at in row[:2]), *(e for e in edges if 0 < e < n_steps)})
    slices, sounding, next_row = [], [], 0
    for start, stop in pairwise(cuts):
        sounding = [row for row in sounding if row[1] > start]
        while next_row < len(rows) and rows[next_row][0] <= start:
            sounding.append(rows[next_row])
            next_row += 1
        held = frozenset(pitch for _, end, pitch in sounding if end > stop)
        slices.append(Slice(start, stop, tuple(sorted(row[2] for row in sounding)), held))
    return slices


@dataclass(frozen=True)
class Sign:
    """One note, chord or rest as written: `length` in beats before a tuplet shortens it, `tuplet` opens one here."""

    slice: Slice
    length: Fraction
    is_last: bool  # of the signs that are tied to make the slice
    tuplet: str = ""


def to_signs(slices: Sequence[Slice], steps_per_beat: int) -> Iterator[Sign]:
    """Write the slices of one bar in signs; a length that has no sign of its own becomes several that are tied.

    A tuplet ends where its odd lengths, such as thirds, add up to a simple one.

    >>> thirds = [Slice(0, 4, (60,), frozenset()), Slice(4, 12, (62,), frozenset())]
    >>> [(sign.tuplet, str(sign.length)) for sign in to_signs(thirds, 12)]
    [('(3:2:2', '1/2'), ('', '1')]
    """
    group: list[Slice] = []
    for n, each in enumerate(slices, start=1):
        group.append(each)
        if n == len(slices) or _odd(Fraction(each.stop - group[0].start, steps_per_beat)) == 1:
            yield from _group_to_signs(group, steps_per_beat)
            group = []


def _group_to_signs(group: list[Slice], steps_per_beat: int) -> Iterator[Sign]:
    lengths = [Fraction(each.stop - each.start, steps_per_beat) for each in group]
    p = lcm(*map(_odd, lengths))
    if p > MAX_TUPLET:
        raise ValueError(f"step {group[0].start}: ABC has no tuplet of {p}, only up to {MAX_TUPLET}; use another grid")
    q = 1 << (p.bit_length() - 1)  # the largest power of two up to p
    split = [(each, _split(length * p / q)) for each, length in zip(group, lengths)]
    signs = [Sign(each, part, n == len(parts)) for each, parts in split for n, part in enumerate(parts, start=1)]
    for first in range(0, len(signs), LONGEST_TUPLET):
        row = signs[first : first + LONGEST_TUPLET]
        tuplet = "" if p == 1 else "(3" if (p, len(row)) == (3, 3) else f"({p}:{q}:{len(row)}"
        yield from (replace(row[0], tuplet=tuplet), *row[1:])


def _odd(length: Fraction) -> int:
    """The odd part of the denominator: 3 for thirds, sixths and twelfths."""
    return length.denominator // (length.denominator & -length.denominator)


def _split(length: Fraction) -> list[Fraction]:
    """A length as few signs, longest first; a sign is 1, 3/2 or 7/4 of a power of two."""
    parts = []
    while length:
        whole = Fraction(LONGEST)
        while whole > length:
            whole /= 2
        part = next(part for dots in (7, 6, 4) if (part := whole * dots / 4) <= length)
        parts.append(min(part, Fraction(LONGEST)))
        length -= parts[-1]
    return parts
