"""Melodies in the making: what each has written, and what its form says of the place it has reached."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Int
from torch import Tensor

from musegen_lib.encodings.melody_form import NOT_TOLD, SAME, Form
from musegen_lib.models.melody.batches import START_ID

if TYPE_CHECKING:
    from musegen_lib.models.melody.sampling import MelodyRequest

RELATIONS, LAGS, CLOSING_BARS = range(3)  # columns of what a form says


class Written:
    """n melodies that are being written, each at its own step, in its own form if there are forms."""

    def __init__(self, requests: Sequence[MelodyRequest], forms: Sequence[Form] | None = None):
        self.now = torch.tensor([request.first_step for request in requests])  # step of the next event
        self.widths = [request.bar_steps for request in requests]
        self.starts = [request.bar_steps if request.pickup else 0 for request in requests]  # the first bar line
        self.forms = [form.with_free_end() if start else form for form, start in zip(forms or (), self.starts)]
        self.lines = [self._lines(row, form) for row, form in enumerate(self.forms)] or [[]] * len(requests)
        self.said = [(form.relations.tolist(), form.lags.tolist(), form.closing_bars) for form in self.forms]
        self.events: list[dict[int, tuple[int, int]]] = [{} for _ in requests]  # onset -> pitch id, duration

    def push(self, pitch_ids: Int[Tensor, "n"], durations: Int[Tensor, "n"]) -> None:
        """Append one event to each melody."""
        for row, event in enumerate(zip(self.now.tolist(), pitch_ids.tolist(), durations.tolist())):
            self.events[row].setdefault(event[0], event[1:])
        self.now = self.now + durations

    def at(self, bars_back: Int[Tensor, "n K"]) -> tuple[Int[Tensor, "n K"], Int[Tensor, "n K"]]:
        """Pitch id and duration of what began exactly so many bars before now; START_ID and 0 where nothing did."""
        rows = zip(self.events, self.now.tolist(), (bars_back * torch.tensor(self.widths).unsqueeze(1)).tolist())
        found = torch.tensor([[events.get(now - lag, (START_ID, 0)) for lag in lags] for events, now, lags in rows])
        return found[..., 0], found[..., 1]

    def relations(self) -> Int[Tensor, "n 2"]:
        """What the bar reached and the one after it are to earlier bars; NOT_TOLD without a form and after its end."""
        return torch.tensor(
            [[self._said(row, RELATIONS, bar + k, NOT_TOLD) for k in (0, 1)] for row, bar in self._bars()]
        )

    def to_close(self) -> Int[Tensor, "n"]:
        """Steps from now to the same place in the last bar where that bar repeats the one reached; else 0."""
        return torch.tensor([self._to_close(row, bar) for row, bar in self._bars()])

    def lags(self) -> Int[Tensor, "n"]:
        """How many bars before stands the bar that returns in the one reached; 0 where none does."""
        return torch.tensor([self._said(row, LAGS, bar, 0) for row, bar in self._bars()])

    def returning(self) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"]]:
        """The event that must come next because its bar returns note for note; START_ID and 0 where it is free."""
        pitch_ids, durations = (column[:, 0] for column in self.at(self.lags().unsqueeze(1)))
        free = self.relations()[:, 0] != SAME
        return pitch_ids.masked_fill(free, START_ID), durations.masked_fill(free, 0)

    def room(self) -> Int[Tensor, "n"]:
        """Steps to the next line that no note may cross, since a bar there returns; a large number where none is."""
        return torch.tensor([self._room(row, now) for row, now in enumerate(self.now.tolist())])

    def _room(self, row: int, now: int) -> int:
        lines = self.lines[row]
        ahead = bisect_right(lines, now)
        return lines[ahead] - now if ahead < len(lines) else 10**6

    def _lines(self, row: int, form: Form) -> list[int]:
        """Steps of the bar lines that no note may cross."""
        return sorted(self.starts[row] + bar * self.widths[row] for bar in form.whole_bars)

    def _to_close(self, row: int, bar: int) -> int:
        closes = self.forms and bar in self.said[row][CLOSING_BARS]
        return (len(self.said[row][LAGS]) - 1 - bar) * self.widths[row] if closes else 0

    def _bars(self) -> list[tuple[int, int]]:
        places = zip(self.now.tolist(), self.starts, self.widths)
        return [(row, (now - start) // width) for row, (now, start, width) in enumerate(places)]

    def _said(self, row: int, column: int, bar: int, otherwise: int) -> int:
        values = self.said[row][column] if self.forms else ()
        return values[bar] if 0 <= bar < len(values) else otherwise
