"""How a file of interactions is written: its separator, whether it has a header, and a table told from lists.

A table has one interaction a line; a file of lists has one user a line, then the items in the order of hearing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.models.recommend.interaction_columns import (
    ROLES,
    SKIP,
    WANTED,
    is_header,
    names_table,
    rank,
    roles_of_kinds,
    roles_of_names,
    roles_of_values,
)
from musegen_lib.models.recommend.interaction_layout import (
    MARKS,
    MAX_COLUMNS,
    SPACE,
    Layout,
    choose,
    header_at,
    lay_out,
    refuse_wide,
    say_mark,
)
from musegen_lib.models.recommend.interaction_values import kind_of

LISTS = ("user", "items")  # one user a line, then any number of items
COMMENT = ("#", "%")
_SAME = 0.9  # share of lines with one number of words, in a table separated by spaces
_BACK = 0.1  # share of lines whose user was there before, from which they are no lists
_CHOOSE = "say --columns user,items for lists; for a table, put tabs between its fields, as many in each line"


@dataclass(frozen=True)
class Form:
    """What was understood of a file."""

    separator: str  # one of MARKS, or a space
    roles: tuple[str, ...]  # of each column: user, item, count, time or "-"; or user, items for lists
    names: tuple[str, ...] = ()  # of the columns, where there is a header
    first: int = 1  # number of the first line with data; those before it are the header and what stands above
    encoding: str = "utf-8"
    n_zero: int = 0  # lines left out, since their count or rating is 0 or less

    @property
    def is_lists(self) -> bool:
        """Whether each line is a user and a list of items."""
        return self.roles == LISTS


def parse_columns(text: str) -> tuple[str, ...]:
    """The roles that the user names in order, as in `user,time,-,item`, or `user,items` for lists.

    Raises:
        MusegenError: a word is unknown, comes twice, or user or item is missing.
    """
    words = tuple(word.strip() for word in text.split(","))
    if words == LISTS:
        return LISTS
    roles = tuple(SKIP if word == SKIP else next((r for r in ROLES if rank(word, r)), word) for word in words)
    for role in roles:
        if role not in (*ROLES, SKIP):
            raise MusegenError(f"--columns: {shorten(role, 20)!r} is unknown; use {', '.join(ROLES)} or {SKIP}")
        if role != SKIP and roles.count(role) > 1:
            raise MusegenError(f"--columns: {role} comes twice; leave one column out with {SKIP}")
    if not {"user", "item"} <= set(roles):
        raise MusegenError("--columns: user and item are needed, as in --columns user,item,count or user,items")
    return roles


def understand(lines: Sequence[tuple[int, str]], columns: tuple[str, ...] = ()) -> Form:
    """The form of a file.

    Args:
        lines: number and text of its first lines, at least one and none of them blank.
        columns: what the user says that the columns are; empty where the file must tell.
    Raises:
        MusegenError: the form is not understood; the message says what was seen and what to do.
    """
    mark, above, body = _set_aside(lines)
    texts = [text for _, text in body]
    if any(re.fullmatch(r"\d+:", text.strip()) for text in texts):
        raise MusegenError("lines such as '1:' name the item of those below; write it into each line: user,item,rating")
    if columns == LISTS:
        return _lists(texts, body[0][0])
    layout = choose([lay_out(texts, known) for known in ((mark,) if mark else MARKS)], len(columns))
    if layout is None:
        layout = lay_out(texts, SPACE)
        if not columns and _are_lists(layout):
            headed = names_table(layout.rows[0][:2])
            return Form(SPACE, LISTS, layout.rows[0] if headed else (), body[0][0] + headed)
    comments = lay_out([text.lstrip(" #%") for text in above], layout.mark).rows
    header = comments[-1] if comments and len(comments[-1]) == layout.n_columns and names_table(comments[-1]) else ()
    if not header and any(len(row) == layout.n_columns for row in comments):  # names that begin as comments do
        layout, body = lay_out([*above, *texts], layout.mark), lines[-len(above) - len(body) :]
    return _table(layout, body, header, columns)


def _set_aside(lines: Sequence[tuple[int, str]]) -> tuple[str, list[str], Sequence[tuple[int, str]]]:
    """The separator that a first line of Excel names, or ""; comments at the top; the numbered lines below."""
    mark, start = "", 0
    if said := re.fullmatch(r'"?sep=(.)"?[\s;,]*', lines[0][1], re.IGNORECASE | re.DOTALL):
        mark, start = said.group(1), 1
    end = start
    while end < len(lines) and lines[end][1].lstrip().startswith(COMMENT):
        end += 1
    if end == len(lines):  # nothing else is there
        return mark, [], lines[min(start, end - 1) :]
    return mark, [text for _, text in lines[start:end]], lines[end:]


def _are_lists(layout: Layout) -> bool:
    """Whether lines separated by spaces are lists, and not a table.

    Raises:
        MusegenError: they may be either, or are neither.
    """
    rows = layout.rows
    if header_at(layout) == 0:
        headed, rows = rows[0], rows[1:]
        return len(headed) == 2 and any(len(row) != 2 for row in rows)
    _refuse_neither(rows)
    back = 1 - len({row[0] for row in rows if row}) / len(rows)
    lengths = sorted({len(row) for row in rows})
    if layout.share < _SAME:
        if back > _BACK:
            raise MusegenError(f"users come back, and lines have {lengths[0]} to {lengths[-1]} words; {_CHOOSE}")
        return True
    few = 2 <= layout.n_columns <= 4
    may_be_table = few and (layout.n_columns == 2 or roles_of_kinds(layout.columns()) is not None)
    if may_be_table and (back or layout.n_columns == 2):
        return False
    if back and layout.n_columns > MAX_COLUMNS:
        refuse_wide(layout)
    if may_be_table or back:
        raise MusegenError(
            f"each line has {layout.n_columns} words and {'users come back' if back else 'another user'}: it may be a "
            f"list of items or a row of a table; say --columns user,items, or {_row_of(layout)}"
        )
    return True


def _refuse_neither(rows: Sequence[tuple[str, ...]]) -> None:
    """MusegenError for rows that are cut nowhere, or hold two things in a field."""
    if all(len(row) < 2 for row in rows):
        mark = _most_used([row[0] for row in rows if row])
        if mark != SPACE:
            raise MusegenError(f"{say_mark(mark)} separates, but the lines have unlike numbers of fields; {_CHOOSE}")
        raise MusegenError(f"one column; {WANTED}, separated by tab, ',', ';', '|', '::' or spaces")
    if all(re.fullmatch(r"\S+:[\d.]+", text) for row in rows for text in row[1:]):
        raise MusegenError("fields such as '7:5' hold two things; write one interaction a line: user,item,count")


def _row_of(layout: Layout) -> str:
    """The option that makes a table of these columns."""
    roles = roles_of_kinds(layout.columns()) or ("user", "item", *[SKIP] * (layout.n_columns - 2))
    return f"--columns {','.join(roles)}"


def _lists(texts: Sequence[str], first: int) -> Form:
    """Lists, since the user says so; the separator is the first that most lines have."""
    mark = _most_used(texts)
    layout = lay_out(texts, mark)
    if mark != SPACE and all(len(row) <= 2 for row in layout.rows):
        raise MusegenError(
            f"most lines have one {say_mark(mark)}; in lists it stands between items too, or put spaces everywhere"
        )
    headed = names_table(layout.rows[0][:2])
    return Form(mark, LISTS, layout.rows[0] if headed else (), first + headed)


def _most_used(texts: Sequence[str]) -> str:
    """The first separator that more than half of the lines have, else a space."""
    return next((mark for mark in MARKS if 2 * sum(mark in text for text in texts) > len(texts)), SPACE)


def _table(layout: Layout, body: Sequence[tuple[int, str]], header: tuple[str, ...], columns: tuple[str, ...]) -> Form:
    """A table, by its header, which may stand above it in a comment, by what the user says, or by its values."""
    if layout.n_columns > MAX_COLUMNS:
        refuse_wide(layout)
    at, first = header_at(layout), body[0][0]
    if at is None and len(layout.rows[0]) == layout.n_columns and is_header(layout.rows[0], layout.columns(1)):
        at = 0
    values = layout.columns(0 if at is None else at + 1)
    if at is not None:
        header, first = layout.rows[at], body[at][0] + 1
    names = _fit_names(header, values) if header else ()
    if columns:
        roles = _fit_roles(columns, values)
    else:
        roles = roles_of_names(names, values) if names else _by_values(values, layout)
    return Form(layout.mark, roles, names, first)


def _fit_names(names: Sequence[str], values: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """As many names as columns, where the lines or the header end in separators; MusegenError where they differ."""
    width = len(values)
    while len(names) > width and not names[-1]:
        names = names[:-1]
    extra = values[len(names) :]
    if len(names) > width or not all(kind_of(column) == "empty" for column in extra):
        raise MusegenError(
            f"the first line names {len(names)} columns, the others have {width}; name each column there, "
            "or put names that hold a separator in double quotes"
        )
    return (*names, *[""] * len(extra))


def _fit_roles(columns: tuple[str, ...], values: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """A role a column, empty ones at the end left out; MusegenError where the user names more or fewer."""
    extra = values[len(columns) :]
    if len(columns) > len(values) or not all(kind_of(column) == "empty" for column in extra):
        raise MusegenError(
            f"{len(values)} columns, and --columns names {len(columns)}; name all, with {SKIP} for one to leave out"
        )
    return (*columns, *[SKIP] * len(extra))


def _by_values(values: Sequence[Sequence[str]], layout: Layout) -> tuple[str, ...]:
    """Roles by values; MusegenError where they do not say it, or each user has a line and its second field a list."""
    mark = say_mark(layout.mark)
    try:
        roles = roles_of_values(values)
    except MusegenError:
        if layout.share < _SAME and layout.mark not in ("\t", SPACE):
            raise MusegenError(f"lines have unlike numbers of fields separated by {mark}; {_quote(mark)}") from None
        raise
    users, items = values[0], values[1]
    several = sum(any(mark in item for mark in (SPACE, *MARKS)) for item in items)
    if len(values) == 2 and len(users) == len(set(users)) and 2 * several > len(items) >= 5:
        raise MusegenError(
            f"each user has one line, and the second field several words; if these are items, put {mark} between "
            f"them and say --columns user,items; if they are one name, say --columns {','.join(roles)}"
        )
    return roles


def _quote(mark: str) -> str:
    """What to do with names that hold the separator."""
    return f"put names that hold {mark} in double quotes, or separate by tabs"
