"""`Corpus`: many pieces in flat arrays, each made into a `Piece` when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from musegen_lib.core.limits import TICKS_PER_BEAT
from musegen_lib.core.note_table import NOTE_DTYPE
from musegen_lib.core.piece import Piece
from musegen_lib.core.timeline import pauses

GRIDS = (4, 8, 12, 24, 48)  # steps per beat to choose from, coarsest first
DIVISORS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 48)  # the grids that 48 ticks hold
NOTE_COLUMNS = {"onset": np.int32, "duration": np.uint16, "pitch": np.uint8, "voice": np.uint8, "mark": np.bool_}

TEXT_COLUMNS = ("id", "title", "metre", "key", "style", "kind", "collection")


@dataclass(frozen=True)
class Corpus(Sequence[Piece]):
    """A selection of pieces.

    Args:
        arrays: flat note columns in ticks (48 a beat), `offsets` of each piece in them, and piece columns.
        rows: (N,) numbers of the selected pieces.
        licence: the terms of the collection, as stated by its source.
        steps_per_beat: the grid to round notes to, a divisor of 48; a note that rounds to no length is left out.
            None picks for each piece the coarsest grid that is exact.
    """

    arrays: dict[str, np.ndarray]
    rows: np.ndarray
    licence: str
    steps_per_beat: int | None = None
    _texts: dict[str, list[str]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.steps_per_beat is not None and self.steps_per_beat not in DIVISORS:
            raise ValueError(f"steps_per_beat {self.steps_per_beat} must divide {TICKS_PER_BEAT}: one of {DIVISORS}")

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return replace(self, rows=self.rows[index])
        row = int(self.rows[index])
        notes, mark = self._notes(row)
        return Piece(
            notes,
            steps_per_beat=TICKS_PER_BEAT // self._ticks(row),
            tempo_qpm=float(self.arrays["tempo"][row]),
            metre=self.text("metre")[row] or None,
            key=self.text("key")[row] or None,
            title=self.text("title")[row],
            style=self.text("style")[row],
            source=self.text("id")[row],
            licence=self.licence,
            pickup_steps=int(_round(self.arrays["pickup"][row : row + 1], self._ticks(row))[0]),
            fermatas=_fermatas(notes[mark]) if self.text("style")[row] == "chorale" else (),
        )

    def __repr__(self) -> str:
        return f"Corpus({len(self)} pieces, {int(self.n_notes.sum()):,} notes)"

    @property
    def n_notes(self) -> np.ndarray:
        """Number of notes of each selected piece."""
        return np.diff(self.arrays["offsets"])[self.rows]

    def column(self, name: str) -> np.ndarray:
        """One value a selected piece: a text column (as an array of strings) or a number column."""
        values = np.array(self.text(name)) if name in TEXT_COLUMNS else self.arrays[name]
        return values[self.rows]

    def select(self, mask: np.ndarray) -> Corpus:
        """Keep the selected pieces where mask is True."""
        return replace(self, rows=self.rows[np.asarray(mask)])

    def where(self, **wanted: str) -> Corpus:
        """Keep pieces by text columns: `where(style="chinese", metre="2/4")`."""
        mask = np.ones(len(self), dtype=bool)
        for name, value in wanted.items():
            mask &= self.column(name) == value
        return self.select(mask)

    def marks(self, index: int) -> np.ndarray:
        """One bool a note of piece `index`, in its order: the note ends a phrase (folk) or has a fermata (chorales)."""
        notes, mark = self._notes(int(self.rows[index]))
        return mark[np.lexsort((notes["pitch"], notes["voice"], notes["onset_steps"]))]

    def text(self, name: str) -> list[str]:
        """A text column of the whole table, unpacked once."""
        if name not in self._texts:
            self._texts[name] = self.arrays[name].tobytes().decode().split("\n")
        return self._texts[name]

    def _ticks(self, row: int) -> int:
        return TICKS_PER_BEAT // (self.steps_per_beat or int(self.arrays["grid"][row]))

    def _notes(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Notes on the grid and their marks, in the order of the table."""
        part = slice(self.arrays["offsets"][row], self.arrays["offsets"][row + 1])
        onset, duration, pitch, voice, mark = (self.arrays[name][part] for name in NOTE_COLUMNS)
        start, stop = _round(onset, self._ticks(row)), _round(onset + duration, self._ticks(row))
        notes = np.zeros(len(pitch), dtype=NOTE_DTYPE)
        notes["onset_steps"], notes["duration_steps"] = start, stop - start
        notes["pitch"], notes["voice"], notes["velocity"] = pitch, voice, 80
        return notes[stop > start], mark[stop > start]


@dataclass(frozen=True)
class Entry:
    """One piece on its way into a table: notes as (onset, duration, pitch, voice, mark) in ticks."""

    notes: list[tuple[int, int, int, int, bool]]
    texts: dict[str, str]
    pickup: int = 0
    tempo: int = 100


def entries_to_arrays(entries: Sequence[Entry]) -> dict[str, np.ndarray]:
    """Pack entries into the flat arrays that `Corpus` reads."""
    columns = list(zip(*(note for entry in entries for note in entry.notes)))
    arrays = {name: np.array(values, dtype) for (name, dtype), values in zip(NOTE_COLUMNS.items(), columns)}
    arrays["offsets"] = np.cumsum([0, *(len(entry.notes) for entry in entries)], dtype=np.int64)
    arrays["pickup"] = np.array([entry.pickup for entry in entries], dtype=np.uint16)
    arrays["tempo"] = np.array([entry.tempo for entry in entries], dtype=np.uint16)
    arrays["grid"] = np.array([coarsest_grid(entry) for entry in entries], dtype=np.uint8)
    for name in TEXT_COLUMNS:
        lines = [" ".join(entry.texts.get(name, "").split()) for entry in entries]
        arrays[name] = np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)
    return arrays


def coarsest_grid(entry: Entry) -> int:
    """Steps per beat of the coarsest grid on which every note starts and ends."""
    edges = np.array([(onset, onset + duration) for onset, duration, *_ in entry.notes] or [(0, 0)])
    exact = (g for g in GRIDS if not (edges % (TICKS_PER_BEAT // g)).any() and not entry.pickup % (TICKS_PER_BEAT // g))
    return next(exact, TICKS_PER_BEAT)


def _fermatas(marked: np.ndarray) -> list[int]:
    onsets = marked["onset_steps"].astype(np.int64)
    return pauses(zip(onsets.tolist(), (onsets + marked["duration_steps"]).tolist()))


def _round(ticks: np.ndarray, ticks_per_step: int) -> np.ndarray:
    return (ticks.astype(np.int64) + ticks_per_step // 2) // ticks_per_step
