"""Lines cut into fields: which separator a file of interactions has, and how quotation marks hold a field together."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from musegen_lib.core.errors import MusegenError
from musegen_lib.models.recommend.interaction_columns import named, names_table
from musegen_lib.models.recommend.interaction_values import kind_of

MARKS = ("\t", "::", ";", "|", ",")  # what separates fields, besides spaces
RARE = ("\t", "::")  # of these, what hardly stands in a name
SPACE = " "
MAX_COLUMNS = 50
LINES_ABOVE = 5  # a header may stand so far down, below a title


@dataclass(frozen=True)
class Layout:
    """Lines cut at one separator."""

    mark: str
    rows: tuple[tuple[str, ...], ...]

    @property
    def n_columns(self) -> int:
        """The number of fields, two or more, that most lines have; 1 where none has two."""
        wide = Counter(len(row) for row in self.rows if len(row) > 1)
        return wide.most_common(1)[0][0] if wide else 1

    @property
    def share(self) -> float:
        """Of the lines that have so many."""
        n_columns = self.n_columns
        return sum(len(row) == n_columns for row in self.rows) / len(self.rows)

    @property
    def worth(self) -> tuple[int, int]:
        """The number of columns that hold numbers or times, and the number of columns."""
        return sum(kind_of(column) in ("number", "time") for column in self.columns()), self.n_columns

    def columns(self, start: int = 0) -> list[tuple[str, ...]]:
        """The values of each column in the rows from `start` on that have as many fields as most."""
        n_columns = self.n_columns
        full = [row for row in self.rows[start:] if len(row) == n_columns]
        return list(zip(*full)) if full else [()] * n_columns


def say_mark(mark: str) -> str:
    """The name of a separator for people."""
    return {"\t": "tab", SPACE: "space"}.get(mark, repr(mark))


def splitter(mark: str) -> Callable[[str], list[str]]:
    """A function from a line to its fields; a separator inside double quotes separates nothing, where these pair."""

    def split(line: str) -> list[str]:
        if '"' in line and len(mark) == 1:
            return [text.strip() for text in _unquote(line, mark)]
        fields = [text.strip() for text in line.split(mark)]
        return [text for text in fields if text] if mark == SPACE else fields

    return split


def _unquote(line: str, mark: str) -> list[str]:
    """Fields with quotation marks; ValueError where these do not pair, but tabs and spaces separate all the same."""
    options = {"delimiter": mark, "strict": True, "skipinitialspace": mark != "\t"}
    for escape in (None, "\\"):
        try:
            fields = next(csv.reader([line], escapechar=escape, **options))
        except csv.Error:
            continue
        return [text for text in fields if text] if mark == SPACE else fields
    if line.count('"') % 2 and mark not in ("\t", SPACE):  # an even number may surround a part of a name
        raise ValueError("a quotation mark out of place")
    return [text for text in line.split(mark) if text or mark != SPACE]


def lay_out(texts: Sequence[str], mark: str) -> Layout:
    """The lines cut at a separator; a line that cannot be cut is empty."""
    split, rows = splitter(mark), []
    for text in texts:
        try:
            rows.append(tuple(split(text)))
        except ValueError:
            rows.append(())
    return Layout(mark, tuple(rows))


def choose(layouts: Sequence[Layout], n_wanted: int) -> Layout | None:
    """The layout that makes a table of most lines; None where no separator does.

    Raises:
        MusegenError: two do it equally well.
    """
    able = [layout for layout in layouts if layout.n_columns > 1 and layout.share > 0.5]
    able = [layout for layout in able if layout.n_columns == n_wanted] or able
    if able and all(layout.n_columns > MAX_COLUMNS for layout in able):
        refuse_wide(able[0])
    able = [layout for layout in able if layout.n_columns <= MAX_COLUMNS]
    headed = [layout for layout in able if header_at(layout) is not None]
    if headed:
        return max(headed, key=lambda layout: len(named(layout.rows[header_at(layout)])))
    best = max((layout.share for layout in able), default=0)
    able = [layout for layout in able if layout.share > best - 0.1]
    able = [layout for layout in able if layout.mark in RARE] or able
    most = max((layout.worth for layout in able), default=(0, 0))
    left = [layout for layout in able if layout.worth == most]
    if len(left) > 1:
        marks = " or by ".join(say_mark(layout.mark) for layout in left)
        raise MusegenError(
            f"fields may be separated by {marks}; put a first line above them that names the columns with "
            f"the right one between, such as user{left[-1].mark}item"
        )
    return left[0] if left else None


def refuse_wide(layout: Layout) -> None:
    """MusegenError for more columns than a table of interactions has."""
    raise MusegenError(
        f"{layout.n_columns:,} columns, separated by {say_mark(layout.mark)}, where a table has at most {MAX_COLUMNS}; "
        "keep user, item, count, time; for lists, say --columns user,items"
    )


def header_at(layout: Layout) -> int | None:
    """The row, one of the first, that names a user and an item; None where none does."""
    rows = enumerate(layout.rows[:LINES_ABOVE])
    return next((at for at, row in rows if len(row) <= MAX_COLUMNS and names_table(row)), None)
