"""Notes of one voice as they are printed: in bars, in layers without overlaps, in note values and tuplets.

Used by `writer` only. Times are quarter notes, as fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.piece import Piece
from musegen_lib.core.timeline import value_at
from musegen_lib.formats.musicxml.beats import VALUES, note_cuts, rest_cuts

NO_METRE_BEATS = Fraction(4)  # of a bar in music without metre
SHORTEST = Fraction(1, 256)  # the 1024th, MusicXML's shortest note value
Bar = dict[tuple[Fraction, Fraction, bool, bool], list[int]]  # (start, stop, tied back, tied on) -> pitches
BRACKETS = {(True, False): "start", (False, True): "stop", (True, True): "startStop"}
WINDOWS = [Fraction(2) ** power for power in range(-4, 3)]  # spans that a tuplet may fill


@dataclass(frozen=True)
class Sound:
    """A chord, a note or (without pitches) a rest, inside one bar; tied to what sounds before or after it."""

    start: Fraction
    stop: Fraction
    pitches: tuple[int, ...] = ()
    tied_back: bool = False
    tied_on: bool = False


@dataclass(frozen=True)
class Printed:
    """A sound with one note value: `value` is what it would last without its tuplet, of `actual` notes for `normal`.

    Args:
        bracket: "start" or "stop" where a tuplet begins or ends, "startStop" for both.
    """

    sound: Sound
    value: Fraction
    actual: int = 1
    normal: int = 1
    bracket: str | None = None


def bar_edges(piece: Piece) -> list[Fraction]:
    """Bar lines, from 0 to the end of the last bar, at least one bar.

    The last bar is full, or as much shorter as the pickup is long where the piece ends and the music needs no more.
    """
    grid = piece.steps_per_beat
    changes = [(Fraction(onset, grid), metre) for onset, metre in piece.timeline("metre")]
    end = Fraction(piece.n_steps, grid)
    edges = [Fraction(0)]
    if piece.pickup_steps and piece.metre:
        edges.append(Fraction(piece.pickup_steps, grid))
    for (_, metre), stop in zip(changes, [*(onset for onset, _ in changes[1:]), None]):
        bar = metre_to_beats(metre) if metre else NO_METRE_BEATS
        while edges[-1] < end and (stop is None or edges[-1] < stop):
            edges.append(edges[-1] + bar if stop is None else min(edges[-1] + bar, stop))
    if len(edges) < 2:
        return [Fraction(0), metre_to_beats(piece.metre) if piece.metre else NO_METRE_BEATS]
    short = edges[-1] - Fraction(piece.pickup_steps, grid)
    if piece.metre and changes[-1][1] == piece.metre and not piece.is_cut and edges[-2] < short and end <= short:
        edges[-1] = short
    return edges


def bar_layers(piece: Piece, voice: int, edges: list[Fraction]) -> Iterator[list[list[Sound]]]:
    """Yield the layers of each bar, high notes first: as few as hold its sounds without overlaps, filled with rests."""
    for number, bar in enumerate(_bars(piece, voice, edges)):
        start, stop = edges[number : number + 2]
        layers: list[list[Sound]] = []
        for left, right, *ties in sorted(bar, key=lambda sound: (sound[0], -max(bar[sound]))):
            sound = Sound(left, right, tuple(bar[left, right, *ties]), *ties)
            free = next((layer for layer in layers if layer[-1].stop <= left), None)
            if free is None:
                layers.append([sound])
            else:
                free.append(sound)
        metre = value_at(piece.metre, piece.metre_changes, int(start * piece.steps_per_beat))
        is_pickup = bool(metre and number == 0 and piece.pickup_steps)
        begin = stop - metre_to_beats(metre) if is_pickup else start
        filled = [_with_rests(layer, start, stop) for layer in layers or [[]]]
        yield [[part for sound in layer for part in _show_beats(sound, begin, metre)] for layer in filled]


def _bars(piece: Piece, voice: int, edges: list[Fraction]) -> list[Bar]:
    bars: list[Bar] = [{} for _ in edges[1:]]
    for onset, duration, pitch, *_ in piece.notes[piece.notes["voice"] == voice].tolist():
        start, stop = (Fraction(steps, piece.steps_per_beat) for steps in (onset, onset + duration))
        first = int(np.searchsorted(edges, start, side="right")) - 1
        for bar in range(first, len(bars)):
            if edges[bar] >= stop:
                break
            left, right = max(start, edges[bar]), min(stop, edges[bar + 1])
            bars[bar].setdefault((left, right, left > start, right < stop), []).append(pitch)
    return bars


def _show_beats(sound: Sound, begin: Fraction, metre: str | None) -> Iterator[Sound]:
    """Cut a sound of the bar that begins at `begin`; what lies off the grid of halved beats is left to the tuplets."""
    start, stop = sound.start - begin, sound.stop - begin
    cuts: list[Fraction] = []
    if metre and _is_plain(start) and _is_plain(stop):
        cuts = (note_cuts if sound.pitches else rest_cuts)(start, stop, metre)
    for left, right in pairwise([start, *cuts, stop]):
        yield _cut(sound, begin + left, begin + right)


def _with_rests(layer: list[Sound], start: Fraction, stop: Fraction) -> list[Sound]:
    filled, now = [], start
    for sound in [*layer, Sound(stop, stop)]:
        if sound.start > now:
            filled.append(Sound(now, sound.start))
        if sound.pitches:
            filled.append(sound)
        now = sound.stop
    return filled


def print_layer(layer: Sequence[Sound]) -> Iterator[Printed]:
    """Yield a layer of a bar in note values; what has no value of its own is tied together of several.

    Raises:
        MusegenError: a note is shorter than the shortest value.
    """
    zero = layer[0].start
    windows = _tuplet_windows([sound.start - zero for sound in layer], [sound.stop - zero for sound in layer])
    for sound in layer:
        cuts = [sound.start, *sorted(zero + edge for window in windows for edge in window), sound.stop]
        cuts = [cut for cut in dict.fromkeys(cuts) if sound.start <= cut <= sound.stop]
        for start, stop in pairwise(cuts):
            window = next(((a, b) for a, b in windows if a <= start - zero and stop - zero <= b), None)
            actual = windows[window] if window else 1
            normal = 2 ** (actual.bit_length() - 1)
            ends = (start - zero == window[0], stop - zero == window[1]) if window else (False, False)
            yield from _print_stretch(_cut(sound, start, stop), actual, normal, ends)


def _print_stretch(sound: Sound, actual: int, normal: int, ends: tuple[bool, bool]) -> Iterator[Printed]:
    """Yield one sound in as few values as add up to it; `ends` says whether a tuplet begins and ends with it."""
    now, scale = sound.start, Fraction(normal, actual)
    values = list(_values((sound.stop - sound.start) / scale))
    for number, value in enumerate(values):
        then = now + value * scale
        marks = (number == 0 and ends[0], number == len(values) - 1 and ends[1])
        yield Printed(_cut(sound, now, then), value, actual, normal, BRACKETS.get(marks))
        now = then


def _cut(sound: Sound, start: Fraction, stop: Fraction) -> Sound:
    tied_back, tied_on = sound.tied_back or start > sound.start, sound.tied_on or stop < sound.stop
    return Sound(start, stop, sound.pitches, tied_back and bool(sound.pitches), tied_on and bool(sound.pitches))


def _values(length: Fraction) -> Iterator[Fraction]:
    if not _is_plain(length) or length < SHORTEST or length.denominator > SHORTEST.denominator:
        raise MusegenError(
            f"a length of {length} beats is no note value; move the piece to a grid of 4, 12 or 48 steps"
        )
    while length:
        value = next(value for value in VALUES if value <= length)
        yield value
        length -= value


def _tuplet_windows(starts: list[Fraction], stops: list[Fraction]) -> dict[tuple[Fraction, Fraction], int]:
    """Spans of the bar, from its beginning, that need a tuplet, each with the number of notes that fill it.

    A span grows from a 64th until no note leaves it, or to a beat until no note leaves it that has no plain end at all.
    """
    end, windows = stops[-1], {}
    last = Fraction(0)
    for edge in sorted({*starts, end}):
        if _is_plain(edge) or edge < last or edge == last > 0:
            continue
        for size in WINDOWS:
            left = edge // min(size, 1) * min(size, 1)
            left, right = max(last, left), min(end, left + size)
            if not any(
                a < x < b and not (_is_plain(a) and _is_plain(b)) and (size < 1 or not (_is_plain(a) or _is_plain(b)))
                for a, b in zip(starts, stops)
                for x in (left, right)
            ):
                break
        inside = [x.denominator for x in (*starts, *stops) if left <= x <= right]
        windows[left, right] = math.lcm(*(n // (n & -n) for n in inside))
        last = right
    return windows


def _is_plain(time: Fraction) -> bool:
    """Whether halving a quarter note leads there."""
    return not time.denominator & (time.denominator - 1)
