"""Where notes and rests are cut so that the beats of their bar can be seen. Used by `layers` only.

Times are quarter notes, as fractions, from the bar line on. The customs are those of engravers, as in E. Gould, Behind
Bars (Faber, 2011), on metre.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

from musegen_lib.core.keys import metre_to_beats

VALUES = sorted((Fraction(2) ** power * size for power in range(-8, 4) for size in (1, Fraction(3, 2))), reverse=True)


def _beat(metre: str) -> Fraction:
    """Length of a beat, three units in 6/8 and its like; 3/8 is one beat."""
    bar, n_units = metre_to_beats(metre), int(metre.partition("/")[0])
    return bar / n_units * (3 if n_units % 3 == 0 and (n_units > 3 or bar < 3) else 1)


def rest_cuts(start: Fraction, stop: Fraction, metre: str) -> list[Fraction]:
    """Cut a rest at every beat, unless it fills the bar or half a bar of four beats; times count from the bar line."""
    bar, beat = metre_to_beats(metre), _beat(metre)
    if (start, stop) == (0, bar) or (bar / beat > 4 and beat < 1):
        return []
    halves = [half for half in (0, bar / 2) if bar / beat == 4 and start <= half and stop >= half + bar / 2]
    return [at for at in _multiples(beat, start, stop) if at - beat not in halves]


def note_cuts(start: Fraction, stop: Fraction, metre: str) -> list[Fraction]:
    """Cut a note at every beat of three units, and in the middle of other even bars; times count from the bar line.

    Notes that begin and end on such beats stay whole, and on quarters of the other bars: 4-2-4 in 4/4, 8-4-8 in 2/4.

    >>> [str(cut) for cut in note_cuts(Fraction(1), Fraction(3), "6/8")], note_cuts(Fraction(1), Fraction(3), "4/4")
    (['3/2'], [])
    """
    bar, beat = metre_to_beats(metre), _beat(metre)
    is_compound = bar != beat * int(metre.partition("/")[0])
    step, unit = (beat, beat) if is_compound else (bar / 2, bar / 4)
    cuts: list[Fraction] = []
    if is_compound or bar / beat % 2 == 0:
        is_free = start % unit == stop % unit == 0
        cuts = _multiples(2 * unit if is_free else step, start, stop)
        cuts = [] if is_free and stop - start in VALUES else cuts
    pairs = pairwise([start, *cuts, stop])  # a length without a value of its own first reaches the next beat
    more = [_multiples(beat, left, right)[:1] for left, right in pairs if left % beat and right - left not in VALUES]
    return sorted([*cuts, *(at for found in more for at in found)])


def _multiples(step: Fraction, start: Fraction, stop: Fraction) -> list[Fraction]:
    """Multiples of `step` inside a span."""
    return [step * number for number in range(math.floor(start / step) + 1, math.ceil(stop / step))]
