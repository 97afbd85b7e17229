"""Who heard what: the reader of interactions files. Users and items become numbers, and damaged lines are named.

Two forms are read. A table has one interaction a line, separated by tabs or commas: user, item, then a count or rating,
then a time, the last two optional (MovieLens `u.data`, Last.fm HetRec `user_artists.dat`). A file of lists has one user
a line, separated by spaces: the user, then items in the order of hearing. The first line decides: a tab or a comma in
it makes a table. It may be a header, which is known by its first two words (see USER_HEADS and ITEM_HEADS).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from musegen_lib.core.errors import MusegenError, shorten

MAX_LINES = 5_000_000
MAX_LINE = 1_000_000  # bytes; a list of 100,000 items fits
MAX_INTERACTIONS = 2_000_000
MAX_NAME = 200  # characters
MAX_COUNT = 1e9
MAX_TIME = 1e19  # nanoseconds since 1970 fit
USER_HEADS = ("user", "userid", "uid", "listener")  # lower case, without spaces and underscores
ITEM_HEADS = ("item", "itemid", "artist", "artistid", "track", "trackid", "song", "songid", "tune", "movieid")
_SHOWN = 5  # bad lines that a message describes


@dataclass(frozen=True)
class Interactions:
    """N interactions between U users and I items; both are numbered in the order of their first appearance."""

    users: tuple[str, ...]  # U names
    items: tuple[str, ...]  # I names
    user: Int[np.ndarray, "N"]
    item: Int[np.ndarray, "N"]
    weight: Float[np.ndarray, "N"]  # count or rating, above 0; 1 where the file has none
    time: Float[np.ndarray, "N"] | None  # the file's own unit; place in the list; None where there is no order
    skipped: tuple[tuple[int, str], ...] = ()  # number from 1 and fault of each line left out

    def __len__(self) -> int:
        return len(self.user)


@dataclass
class _Rows:
    """What has been read so far."""

    users: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    rows: list[tuple[int, int, float, float]] = field(default_factory=list)  # user, item, weight, time

    def add(self, rows: list[tuple[str, str, float, float]], place: str) -> None:
        """Number the names and keep the rows; MusegenError, which begins with `place`, for too many."""
        if len(self.rows) + len(rows) > MAX_INTERACTIONS:
            raise MusegenError(f"{place}: more than {MAX_INTERACTIONS:,} interactions; take a part of them")
        for user, item, *numbers in rows:
            names = self.users.setdefault(user, len(self.users)), self.items.setdefault(item, len(self.items))
            self.rows.append((*names, *numbers))


def read_interactions(path: Path | str, skip_bad: bool = False) -> Interactions:
    """Read an interactions file; a user may meet an item more than once, and every meeting is kept.

    Args:
        skip_bad: leave malformed lines out and name them in `skipped`, where otherwise they end the reading.
    Raises:
        MusegenError: the file cannot be opened, is too large or holds no interaction, or lines are malformed; the
            message has the numbers of the first of them.
    """
    path = Path(path)
    name = shorten(path.name)
    if not path.is_file():  # a pipe or a device could block for ever
        raise MusegenError(f"{name}: no such file; check the path")
    found, bad = _Rows(), []
    try:
        with path.open("rb") as file:
            order = _read_lines(file, name, found, bad)
    except OSError as error:
        raise MusegenError(f"{name}: cannot be read ({shorten(error.strerror)})") from None
    if bad and not skip_bad:
        raise MusegenError(f"{name}: {_describe(bad)}; correct them or skip them with --skip-bad")
    if not found.rows:
        raise MusegenError(f"{name}: holds no interaction; each line needs a user and an item")
    return _as_arrays(found, order, tuple(bad))


def _read_lines(file: Iterator[bytes], name: str, found: _Rows, bad: list[tuple[int, str]]) -> bool:
    """Read every line into `found` or `bad`; True where the file says in which order a user met the items."""
    separator, columns = "", 0
    for number, raw in _lines(file, name):
        try:
            line = _decode(raw)
            if not line.strip():
                continue
            first = not separator
            separator = separator or next((mark for mark in "\t," if mark in line), " ")
            fields = _split(line, separator)
            if first and _is_header(fields):
                continue
            rows = _list_rows(fields) if separator == " " else _table_row(fields, columns)
            columns = columns or len(fields)
        except ValueError as fault:
            bad.append((number, str(fault)))
            continue
        found.add(rows, f"{name}, line {number}")
    return separator == " " or columns == 4


def _lines(file: Iterator[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Each line with its number; MusegenError for more than MAX_LINES."""
    for number, raw in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), start=1):
        if number > MAX_LINES:
            raise MusegenError(f"{name}: has more than {MAX_LINES:,} lines; take a part of them")
        if len(raw) > MAX_LINE:
            raise MusegenError(f"{name}, line {number}: has more than {MAX_LINE:,} bytes; one user or item a field")
        yield number, raw


def _decode(raw: bytes) -> str:
    """The text of a line without its end; ValueError says what is wrong with it."""
    try:
        return raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None


def _split(line: str, separator: str) -> list[str]:
    """The fields of a line; a comma inside double quotes separates nothing."""
    try:
        fields = next(csv.reader([line], strict=True)) if separator == "," else line.split(separator)
    except csv.Error:
        raise ValueError("a quotation mark out of place") from None
    fields = [text.strip() for text in fields]
    return [text for text in fields if text] if separator == " " else fields


def _is_header(fields: list[str]) -> bool:
    """Whether one of the first two fields of the first line names a column.

    >>> _is_header(["User_ID", "what"]), _is_header(["who", "Track ID", "plays"]), _is_header(["ann", "song2"])
    (True, True, False)
    """
    words = [word.lower().replace("_", "").replace(" ", "") for word in fields[:2]]
    return words[0] in USER_HEADS or words[-1] in ITEM_HEADS


def _table_row(fields: list[str], columns: int) -> list[tuple[str, str, float, float]]:
    """One interaction: user, item, weight, time."""
    if not 2 <= len(fields) <= 4 or len(fields) != (columns or len(fields)):
        raise ValueError(f"{len(fields)} fields, not {columns or '2 to 4'}")
    user, item = _name(fields[0], "user"), _name(fields[1], "item")
    weight = _number(fields[2], "count or rating") if len(fields) > 2 else 1.0
    time = _number(fields[3], "time") if len(fields) > 3 else 0.0
    if not 0 < weight <= MAX_COUNT:
        raise ValueError(f"count or rating {shorten(fields[2], 20)!r} is not above 0 and at most {MAX_COUNT:.0e}")
    if abs(time) > MAX_TIME:
        raise ValueError(f"time {shorten(fields[3], 20)!r} is beyond {MAX_TIME:.0e}")
    return [(user, item, weight, time)]


def _list_rows(fields: list[str]) -> list[tuple[str, str, float, float]]:
    """The interactions of one user, in order."""
    if len(fields) < 2:
        raise ValueError("a user without items")
    user = _name(fields[0], "user")
    return [(user, _name(item, "item"), 1.0, float(place)) for place, item in enumerate(fields[1:])]


def _name(text: str, what: str) -> str:
    """A name that can be printed."""
    if not text or len(text) > MAX_NAME or not text.isprintable():
        raise ValueError(f"{what} {shorten(text, 20)!r} is not a name of 1 to {MAX_NAME} printable characters")
    return text


def _number(text: str, what: str) -> float:
    """A finite number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{what} {shorten(text, 20)!r} is not a number")
    return number


def _describe(bad: list[tuple[int, str]]) -> str:
    """The first bad lines by number, and how many there are."""
    shown = "; ".join(f"line {number}: {fault}" for number, fault in bad[:_SHOWN])
    more = f"; and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
    return f"{len(bad):,} malformed lines: {shown}{more}"


def _as_arrays(found: _Rows, order: bool, bad: tuple[tuple[int, str], ...]) -> Interactions:
    """Freeze what was read."""
    user, item, weight, time = zip(*found.rows, strict=True)
    times = np.array(time, dtype=np.float64) if order else None
    numbers = np.array(user, dtype=np.int64), np.array(item, dtype=np.int64)
    return Interactions(tuple(found.users), tuple(found.items), *numbers, np.array(weight), times, bad)
