"""Who heard what: the reader of interactions files. Users and items become numbers, and damaged lines are named.

A table has one interaction a line: user, item, then a count or rating, then a time, the last two optional; a header may
put them in any order. Tabs, `::`, semicolons, bars, commas or spaces separate them (MovieLens `u.data`, Last.fm HetRec
`user_artists.dat`). A file of lists has one user a line: the user, then items in the order of hearing, with spaces.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.models.recommend.interaction_columns import SKIP
from musegen_lib.models.recommend.interaction_form import FileForm, quote, understand
from musegen_lib.models.recommend.interaction_text import (
    MAX_COUNT,
    OTHER,
    SPACE,
    check_name,
    find_encoding,
    say_mark,
    splitter,
    text_lines,
    to_number,
    to_time,
)

MAX_INTERACTIONS = 2_000_000
SAMPLE, SAMPLE_CHARACTERS = 2_000, 4_000_000  # lines from which the form is understood, and how long they may be
MAX_BAD = 0.1  # share of malformed lines from which the form is not understood
ENOUGH_BAD = 1_000  # lines after which the reading ends, where most are malformed
SAY_EVERY = 500_000  # lines
EMPTY = "holds no interaction; each line needs a user and an item"
_SHOWN = 3  # bad lines that a message describes


@dataclass(frozen=True)
class Interactions:
    """N interactions between U users and I items; both are numbered in the order of their first appearance."""

    users: tuple[str, ...]  # U names
    items: tuple[str, ...]  # I names
    user: Int[np.ndarray, "N"]
    item: Int[np.ndarray, "N"]
    weight: Float[np.ndarray, "N"]  # count or rating, above 0; 1 where the file has none
    time: Float[np.ndarray, "N"] | None  # the file's unit, seconds for dates; place in the list; None: no order
    skipped: tuple[tuple[int, str], ...] = ()  # number from 1 and fault of each line left out
    understood: FileForm | None = None  # how the file was read; None where there was no file

    def __len__(self) -> int:
        return len(self.user)


@dataclass
class _Rows:
    """What has been read so far."""

    users: dict[str, int] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    user: array = field(default_factory=lambda: array("q"))
    item: array = field(default_factory=lambda: array("q"))
    weight: array = field(default_factory=lambda: array("d"))
    time: array = field(default_factory=lambda: array("d"))
    bad: list[tuple[int, str]] = field(default_factory=list)  # number and fault of each malformed line
    n_lines: int = 0  # that are not blank
    n_zero: int = 0

    def add(self, user: str, item: str, weight: float, time: float) -> None:
        """Number the names and keep the interaction; ValueError, and nothing kept, where a name cannot be one."""
        users, items = self.users, self.items
        if user not in users:
            check_name(user, "user")
        if item not in items:
            check_name(item, "item")
        self.user.append(users.setdefault(user, len(users)))
        self.item.append(items.setdefault(item, len(items)))
        self.weight.append(weight)
        self.time.append(time)


def read_interactions(
    path: Path | str,
    skip_bad: bool = False,
    columns: tuple[str, ...] = (),
    say: Callable[[str], None] = lambda text: None,
) -> Interactions:
    """Read an interactions file; a user may meet an item more than once, and every meeting is kept.

    Args:
        skip_bad: leave malformed lines out and name them in `skipped`, where otherwise they end the reading. Where more
            than a tenth is malformed, the file has another form, and the reading ends all the same.
        columns: the role of each column, as `parse_columns` gives them; empty where the file tells.
        say: is told how far the reading is.
    Raises:
        MusegenError: the file is not read or not understood, or lines are malformed, of which the first are named.
    """
    path = Path(path)
    name = shorten(path.name)
    if not path.is_file():  # a pipe or a device could block for ever
        raise MusegenError(f"{name}: no such file; check the path")
    try:
        form = _find_form(path, columns)
        found = _Rows()
        _read_lines(text_lines(path, form.encoding), form, found, say)
        _check(form, found, skip_bad)
    except OSError as error:
        raise MusegenError(f"{name}: cannot be read ({shorten(error.strerror)})") from None
    except MusegenError as fault:
        raise MusegenError(f"{name}: {fault}") from None
    return _as_arrays(found, form)


def _as_arrays(found: _Rows, form: FileForm) -> Interactions:
    """Freeze what was read."""
    ordered = form.is_lists or "time" in form.roles
    user, item = np.array(found.user, dtype=np.int64), np.array(found.item, dtype=np.int64)
    weight, time = np.array(found.weight), np.array(found.time) if ordered else None
    form = replace(form, n_zero=found.n_zero)
    return Interactions(tuple(found.users), tuple(found.items), user, item, weight, time, tuple(found.bad), form)


def _find_form(path: Path, columns: tuple[str, ...]) -> FileForm:
    """The form by the first lines that are not blank; MusegenError where it is not understood."""
    encoding, lines, length = find_encoding(path), [], 0
    for number, line in text_lines(path, encoding):
        if line.strip():
            lines.append((number, line))
            length += len(line)
        if len(lines) == SAMPLE or length > SAMPLE_CHARACTERS:
            break
    if not lines:
        raise MusegenError(EMPTY)
    try:
        return replace(understand(lines, columns), encoding=encoding)
    except MusegenError as fault:
        other = "; or save it as UTF-8 first, which it is not" if encoding == OTHER else ""
        raise MusegenError(f"{fault}{other}") from None


def _read_lines(lines: Iterator[tuple[int, str]], form: FileForm, found: _Rows, say: Callable[[str], None]) -> None:
    """Read lines, until most are malformed; MusegenError for more than MAX_INTERACTIONS."""
    bad, split = found.bad, splitter(form.separator)
    read = _list_reader(found) if form.is_lists else _row_reader(form, found)
    for number, line in islice(lines, form.first - 1, None):
        if not line or line.isspace():
            continue
        try:
            read(split(line))
            found.n_lines += 1
        except ValueError as fault:
            if line.strip(f" {form.separator}"):  # spreadsheets end in lines of separators
                found.n_lines += 1
                bad.append((number, str(fault)))
        if len(bad) > ENOUGH_BAD and 2 * len(bad) > found.n_lines:
            return
        if len(found.user) > MAX_INTERACTIONS:
            raise MusegenError(f"line {number}: more than {MAX_INTERACTIONS:,} interactions; take a part of them")
        if number % SAY_EVERY == 0:
            say(f"{number:,} lines read")


def _row_reader(form: FileForm, found: _Rows) -> Callable[[list[str]], None]:
    """A function that adds a row of a table; ValueError, and nothing added, says what is wrong with it."""
    roles, at = form.roles, {role: place for place, role in enumerate(form.roles)}
    at_user, at_item, at_count, at_time = at["user"], at["item"], at.get("count", -1), at.get("time", -1)
    n_columns, n_used = len(roles), 1 + max(at_user, at_item, at_count, at_time)

    def read(fields: list[str]) -> None:
        if len(fields) != n_columns and (len(fields) < n_used or any(fields[n_columns:])):  # ends may be left out
            raise ValueError(f"{len(fields)} fields, not {n_columns}")
        weight = to_number(fields[at_count], "count or rating", MAX_COUNT) if at_count >= 0 else 1.0
        time = to_time(fields[at_time]) if at_time >= 0 else 0.0
        if weight <= 0:
            found.n_zero += 1
        else:
            found.add(fields[at_user], fields[at_item], weight, time)

    return read


def _list_reader(found: _Rows) -> Callable[[list[str]], None]:
    """A function that adds a list; where a user comes back, the places go on."""
    places: dict[str, int] = {}

    def read(fields: list[str]) -> None:
        user, *items = fields[0], *filter(None, fields[1:])
        if not items:
            raise ValueError("a user without items")
        for text in (user, *items):  # before any is added
            check_name(text, "user" if text is user else "item")
        for item in items:
            found.add(user, item, 1.0, float(places.setdefault(user, 0)))
            places[user] += 1

    return read


def _check(form: FileForm, found: _Rows, skip_bad: bool) -> None:
    """MusegenError where too much is malformed, or anything without `skip_bad`, or nothing is left."""
    bad = found.bad
    if len(bad) > max(1, MAX_BAD * found.n_lines):
        raise MusegenError(
            f"is not understood: read as {','.join(form.roles)}, separated by {say_mark(form.separator)}, {len(bad):,} "
            f"of {found.n_lines:,} lines do not fit: {_describe(bad, 2)}; {_advice(form, bad)}"
        )
    if bad and not skip_bad:
        raise MusegenError(f"{len(bad):,} malformed lines: {_describe(bad)}; correct them or skip them with --skip-bad")
    if not found.user:
        zero = f"every count or rating is 0 or less; read without it: --columns {without(form)}"
        raise MusegenError(zero if found.n_zero else EMPTY)


def _advice(form: FileForm, bad: list[tuple[int, str]]) -> str:
    """What to do where many lines do not fit: the first faults tell which column is to blame."""
    for role in ("count", "time"):
        if role in form.roles and all(fault.startswith(role) for _, fault in bad[:_SHOWN]):
            return f"correct that column, or read without it: --columns {without(form, role)}"
    if form.separator not in ("\t", SPACE) and all(" fields, not " in fault for _, fault in bad[:_SHOWN]):
        return quote(form.separator)
    return "correct them, or say what the columns are, in order, with --columns"


def without(form: FileForm, role: str = "count") -> str:
    """The value of --columns that leaves a role out."""
    return ",".join(SKIP if other == role else other for other in form.roles)


def _describe(bad: list[tuple[int, str]], n_shown: int = _SHOWN) -> str:
    """The first bad lines by number."""
    shown = "; ".join(f"line {number}: {fault}" for number, fault in bad[:n_shown])
    return shown + (f"; and {len(bad) - n_shown:,} more" if len(bad) > n_shown else "")
