"""The form of a melody, bar by bar: which bar is new, which repeats the rhythm of an earlier bar, which repeats all.

Bars are counted from the first bar line; a pickup before it belongs to none, and the bar that completes it counts as a
bar. A form is a relation and a lag for each bar; `letters` writes it for readers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from musegen_lib.core.errors import MusegenError
from musegen_lib.encodings.arrays import MELODY_LOW
from musegen_lib.encodings.melody_events import END_ID, FIRST_PITCH_ID, METRE_STEPS, NO_TONIC, REST_ID, MelodyEvents

NOT_TOLD, NEW, SAME_RHYTHM, SAME = range(4)  # what a bar is to the bar `lag` bars before it
NO_FINAL = 12
MAX_LAG = 16  # bars; what returns later counts as new

Bar = tuple[tuple[int, int, int], ...]  # offset in the bar, pitch id, duration of each event that begins there


@dataclass(frozen=True)
class Form:
    """What each bar of a tune is to an earlier one.

    Args:
        relations: (bars,) NEW, SAME_RHYTHM or SAME.
        lags: (bars,) how many bars before stands the bar that returns; 0 where the bar is new.
        final: semitones of the last note above the tonic, 0 to 11; NO_FINAL = not told.
        part_ends: bars whose last note is to be the tonic or the fifth above it, as `closing_degree` counts.
    """

    relations: Int[np.ndarray, "bars"]
    lags: Int[np.ndarray, "bars"]
    final: int = NO_FINAL
    part_ends: tuple[int, ...] = ()

    def __str__(self) -> str:
        return letters(self)

    def with_free_end(self) -> Form:
        """The same form whose last bar is new, as one that only completes a pickup always is."""
        return self.with_new([len(self.lags) - 1])

    def with_new(self, bars: Sequence[int]) -> Form:
        """The same form with other bars new."""
        keep = ~np.isin(np.arange(len(self.lags)), bars)
        return replace(self, relations=np.where(keep, self.relations, NEW), lags=np.where(keep, self.lags, 0))

    @property
    def closing_bars(self) -> set[int]:
        """The last bar and what it repeats note for note, so that the tune ends as they do."""
        bars = [len(self.lags) - 1]
        while self.relations[bars[-1]] == SAME:
            bars.append(bars[-1] - int(self.lags[bars[-1]]))
        return set(bars)

    @property
    def whole_bars(self) -> set[int]:
        """Bars that no note may run into or out of: those that return, and what they return to."""
        returning = np.flatnonzero(self.relations == SAME)
        sources = returning - self.lags[returning]
        return {int(bar) for first in (returning, sources) for start in first for bar in (start, start + 1)}


def events_to_bars(events: MelodyEvents) -> list[Bar | None]:
    """The events of each bar; None where a note runs into the bar."""
    onsets, width = bar_onsets(events), METRE_STEPS[events.metre]
    bars: list[list[tuple[int, int, int]]] = [[] for _ in range(-(-int(onsets[-1]) // width))]
    for onset, pitch, duration in zip(onsets.tolist(), events.pitch_ids.tolist(), events.durations.tolist()):
        if pitch != END_ID and onset >= 0:
            bars[onset // width].append((onset % width, pitch, duration))
    return [tuple(bar) if bar and bar[0][0] == 0 else None for bar in bars]


def bar_onsets(events: MelodyEvents) -> Int[np.ndarray, "N"]:
    """Step at which each event starts, counted from the first bar line; below 0 in a pickup."""
    return events.onsets - (METRE_STEPS[events.metre] if events.pickup else 0)


def events_to_form(events: MelodyEvents) -> Form:
    """Find for each bar an earlier one with the same notes, else with the same rhythm, at most MAX_LAG bars before.

    Of several, that one counts which continues the repetition of the bar before, else the one from which most bars go
    on alike, else the nearest.
    """
    bars = events_to_bars(events)
    rhythms = [bar and tuple((offset, pitch == REST_ID, duration) for offset, pitch, duration in bar) for bar in bars]
    relations, lags = [], []
    for here in range(len(bars)):
        relation, lag = NEW, 0
        for returns, columns in ((SAME_RHYTHM, rhythms), (SAME, bars)):
            runs = {back: _run(columns, here, back) for back in range(1, min(here, MAX_LAG) + 1)}
            if any(runs.values()):
                relation = returns
                lag = lags[-1] if runs.get(here and lags[-1]) else max(runs, key=runs.__getitem__)
        relations.append(relation)
        lags.append(lag)
    return Form(np.array(relations, dtype=np.int64), np.array(lags, dtype=np.int64), final_degree(events))


def final_degree(events: MelodyEvents) -> int:
    """Semitones of the last note above the tonic, 0 to 11; NO_FINAL where the tonic is unknown."""
    return _last_degree(events, events.pitch_ids)


def closing_degree(events: MelodyEvents, bar: int) -> int:
    """The same of the last note that begins before the end of a bar, without the pickup of what follows."""
    end = (bar + 1) * METRE_STEPS[events.metre] - events.pickup
    return _last_degree(events, events.pitch_ids[bar_onsets(events) < end])


def form_of_events(events: MelodyEvents) -> tuple[Int[np.ndarray, "N 2"], Int[np.ndarray, "N"]]:
    """What the form says at each event: relations of its bar and of the next, number of the event that returns there.

    The number is -1 where nothing returns or began at that place; relations of a pickup and after the end are NOT_TOLD.
    """
    form, width, onsets = events_to_form(events), METRE_STEPS[events.metre], bar_onsets(events)
    bars = onsets // width + 1  # 0 is the pickup
    relations = np.concatenate([[NOT_TOLD], form.relations, [NOT_TOLD, NOT_TOLD]])
    wanted = np.concatenate([[0], form.lags, [0]])[bars] * width
    place = {onset: number for number, onset in reversed(list(enumerate(onsets.tolist())))}
    found = [place.get(o - lag, -1) if lag else -1 for o, lag in zip(onsets.tolist(), wanted.tolist())]
    return relations[np.stack([bars, bars + 1], axis=1)], np.array(found, dtype=np.int64)


def letters(form: Form) -> str:
    """Write a form with a letter for each bar, a prime where only the rhythm returns, four bars to a group.

    >>> letters(Form(np.array([1, 1, 3, 2]), np.array([0, 0, 2, 2])))
    "a b a b'"
    """
    names: list[str] = []
    fresh = 0
    for bar, (relation, lag) in enumerate(zip(form.relations.tolist(), form.lags.tolist())):
        if relation == NEW:
            names.append(_letter(fresh))
            fresh += 1
        else:
            source = names[bar - lag]
            names.append(source if relation == SAME else source.rstrip("'") + "'")
    return " ".join(names)


def parse_form(text: str, bars: int) -> Form:
    """Lay out a form such as "AABB" or "AABA'" over bars: equal sections, a letter a section.

    A letter that returns repeats its section note for note; with a prime, the second half keeps only the rhythm.
    Raises:
        MusegenError: bars that do not divide into the sections, or as of `sections_of`.

    >>> parse_form("AB", 4).relations.tolist(), parse_form("AA'", 4).lags.tolist()
    ([1, 1, 1, 1], [0, 0, 2, 2])
    """
    sections = sections_of(text)
    size, left = divmod(bars, len(sections))
    if left or not size:
        raise MusegenError(f"form {text}: {bars} bars are not {len(sections)} equal sections; ask for other --bars")
    first: dict[str, int] = {}
    relations, lags = [], []
    for number, section in enumerate(sections):
        lag = size * (number - first.setdefault(section[0], number))
        varied = size // 2 if section.endswith("'") else size  # bars that return note for note
        relations += [SAME if bar < varied else SAME_RHYTHM for bar in range(size)] if lag else [NEW] * size
        lags += [lag] * size
    return Form(np.array(relations), np.array(lags))


def sections_of(text: str) -> list[str]:
    """The letters of a form, each with its prime.

    Raises:
        MusegenError: another sign than letters and primes.
    """
    sections = re.findall(r"[A-Za-z]'?", text)
    if not sections or "".join(sections) != text:
        raise MusegenError(f"form {text!r}: write a letter for each section, such as AABB or AABA'")
    return sections


def _last_degree(events: MelodyEvents, pitch_ids: Int[np.ndarray, "N"]) -> int:
    last = int(pitch_ids[pitch_ids >= FIRST_PITCH_ID][-1]) - FIRST_PITCH_ID + MELODY_LOW
    return NO_FINAL if events.tonic == NO_TONIC else (last - events.tonic) % 12


def _run(columns: Sequence, here: int, back: int) -> int:
    """How many columns from `here` on equal those `back` before them, one after another."""
    length = 0
    while here + length < len(columns) and columns[here + length] == columns[here + length - back] is not None:
        length += 1
    return length


def _letter(number: int) -> str:
    """a to z, then a1 to z1, a2 and on."""
    return chr(ord("a") + number % 26) + (str(number // 26) if number >= 26 else "")
