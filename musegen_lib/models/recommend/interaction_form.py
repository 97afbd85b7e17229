"""How a file of interactions is written: its separator, whether it has a header, and a table told from lists.

A table has one interaction a line; a file of lists has one user a line, then the items in the order of hearing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.models.recommend.interaction_columns import (
    CHOOSE,
    ROLES,
    SKIP,
    is_header,
    named,
    names_table,
    rank,
    roles_of_names,
    usual_roles,
)
from musegen_lib.models.recommend.interaction_text import MARKS, SPACE, kind_of, say_mark, splitter

LISTS = ("user", "items")  # one user a line, then any number of items
RARE = ("\t", "::")  # of the separators, what hardly stands in a name
MAX_COLUMNS = 50
LINES_ABOVE = 5  # a header may stand so far down, below a title
_SAME = 0.9  # share of lines with one number of fields, in a table
_BACK = 0.1  # share of lines whose user was there before, from which they are no lists


@dataclass(frozen=True)
class FileForm:
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


@dataclass(frozen=True)
class Layout:
    """Lines cut at one separator."""

    mark: str
    rows: tuple[tuple[str, ...], ...]
    n_columns: int  # fields, two or more, that most lines have; 1 where none has two
    share: float  # of the lines that have so many
    header: int | None  # the row, one of the first, that names a user and an item

    def columns(self, start: int = 0) -> list[tuple[str, ...]]:
        """The values of each column in the rows from `start` on that have as many fields as most."""
        full = [row for row in self.rows[start:] if len(row) == self.n_columns]
        return list(zip(*full)) if full else [()] * self.n_columns


def parse_columns(text: str) -> tuple[str, ...]:
    """The roles that the user names, as in `user,time,-,item`, or `user,items` for lists; else MusegenError."""
    words = tuple(word.strip() for word in text.split(","))
    if words == LISTS:
        return LISTS
    roles = tuple(SKIP if word == SKIP else next((r for r in ROLES if rank(word, r)), "") for word in words)
    if "" in roles or not {"user", "item"} <= set(roles) or any(roles.count(role) > 1 for role in ROLES):
        raise MusegenError(
            f"--columns {shorten(text, 40)!r}: name user and item, count and time where they are, each once, and "
            f"{SKIP} for a column to leave out, as in --columns user,item,count; or user,items for lists"
        )
    return roles


def understand(lines: Sequence[tuple[int, str]], columns: tuple[str, ...] = ()) -> FileForm:
    """The form of a file by its first lines, none of them blank, of which the numbers come along; else MusegenError."""
    marks: Sequence[str] = MARKS
    if (said := re.fullmatch(r'"?sep=(.)"?[\s;,]*', lines[0][1], re.IGNORECASE | re.DOTALL)) and len(lines) > 1:
        marks, lines = [said.group(1)], lines[1:]
    lines = lines[next((at for at, (_, text) in enumerate(lines) if not _is_comment(text)), 0) :]
    texts = [text for _, text in lines]
    spaced, layout = lay_out(texts, SPACE), None
    if columns != LISTS:
        layout = choose([lay_out(texts, mark) for mark in marks], len(columns))
    if columns == LISTS or (layout is None and not columns and _are_lists(spaced, texts)):
        layout = lay_out(texts, _most_used(texts))
        headed = names_table(layout.rows[0][:2])
        return FileForm(layout.mark, LISTS, layout.rows[0] if headed else (), lines[0][0] + headed)
    return _table(layout or spaced, lines, columns)


def _is_comment(text: str) -> bool:
    """Whether a line above the first row says nothing of the columns."""
    return bool(re.match(r"\s*[#%]+(\s|$)", text)) and not names_table(re.split(r"::|[\t ;|,]", text))


def lay_out(texts: Sequence[str], mark: str) -> Layout:
    """The lines cut at a separator; a line that cannot be cut is empty."""
    split, rows = splitter(mark), []
    for text in texts:
        try:
            rows.append(tuple(split(text)))
        except ValueError:
            rows.append(())
    wide = Counter(len(row) for row in rows if len(row) > 1)
    n_columns = wide.most_common(1)[0][0] if wide else 1
    header = next((at for at, row in enumerate(rows[:LINES_ABOVE]) if names_table(row[:MAX_COLUMNS])), None)
    return Layout(mark, tuple(rows), n_columns, wide[n_columns] / len(rows), header)


def choose(layouts: Sequence[Layout], n_wanted: int) -> Layout | None:
    """The layout that makes a table of most lines; None where none does; MusegenError where two do it equally well."""
    able = [layout for layout in layouts if 1 < layout.n_columns <= MAX_COLUMNS and layout.share > 0.5]
    able = [layout for layout in able if layout.n_columns == n_wanted] or able
    headed = [layout for layout in able if layout.header is not None]
    if headed:
        return max(headed, key=lambda layout: len(named(layout.rows[layout.header])))
    best = max((layout.share for layout in able), default=0)
    able = [layout for layout in able if layout.share > best - 0.1]
    able = [layout for layout in able if layout.mark in RARE] or able
    kinds = [list(map(kind_of, layout.columns())) for layout in able]
    worth = [(len(of) - of.count("text") - of.count("empty"), len(of)) for of in kinds]  # columns of values, columns
    left = [layout for layout, has in zip(able, worth) if has == max(worth)]
    if len(left) > 1:
        raise MusegenError(
            f"fields may be separated by {' or by '.join(say_mark(layout.mark) for layout in left)}; put a first line "
            f"above them that names the columns with the right one between, such as user{left[-1].mark}item"
        )
    return left[0] if left else None


def _are_lists(layout: Layout, texts: Sequence[str]) -> bool:
    """Whether lines that only spaces separate are lists, and not a table; MusegenError where it is open."""
    n_names = 0 if layout.header is None else len(layout.rows[layout.header])
    if n_names > 2 or n_names == layout.n_columns:
        return False
    is_even, back = layout.share >= _SAME, 1 - len({row[:1] for row in layout.rows}) / len(texts)
    are_pairs = all(re.fullmatch(r"\S+:[\d.]+", text) for row in layout.rows for text in row[1:])
    if _most_used(texts) != SPACE or are_pairs or (back > _BACK and not is_even):
        raise MusegenError(
            f"no table of 2 to {MAX_COLUMNS} columns, the same in each line; write one interaction a line, "
            "user,item,count,time, with tabs or commas between; or say --columns user,items, if these are lists"
        )
    if is_even and not (layout.n_columns == 2 or (back and usual_roles(layout.columns()))):
        raise MusegenError(
            f"each line has {layout.n_columns} words: a list of items, or a row of a table; say --columns user,items "
            f"for lists; for a table, choose the columns {CHOOSE}"
        )
    return not is_even


def _most_used(texts: Sequence[str]) -> str:
    """The first separator that more than half of the lines have, else a space."""
    return next((mark for mark in MARKS if 2 * sum(mark in text for text in texts) > len(texts)), SPACE)


def _table(layout: Layout, lines: Sequence[tuple[int, str]], columns: tuple[str, ...]) -> FileForm:
    """A table, by its header, by what the user says, or by its values."""
    at, wide = layout.header, layout.n_columns
    if at is None and len(layout.rows[0]) == wide and is_header(layout.rows[0], layout.columns(1)):
        at = 0
    values = layout.columns(0 if at is None else at + 1)
    names = () if at is None else _pad(layout.rows[at], values, "")
    roles = _pad(columns, values, SKIP) if columns else ()
    if names is None:
        said = f"the first line names {len(layout.rows[at])} columns, the others have {wide}; name each column there"
        raise MusegenError(f"{said}, or put names that hold a separator in double quotes")
    if roles is None:
        said = f"{wide} columns, and --columns names {len(columns)}"
        raise MusegenError(f"{said}; name all, with {SKIP} for one to leave out")
    if not columns:
        roles = roles_of_names(names, values) if names else _by_values(layout)
    return FileForm(layout.mark, roles, names, lines[0][0] if at is None else lines[at][0] + 1)


def _pad(given: Sequence[str], values: Sequence[Sequence[str]], fill: str) -> tuple[str, ...] | None:
    """As many as columns, where the lines or the header end in separators; None where they differ."""
    while len(given) > len(values) and not given[-1]:
        given = given[:-1]
    extra = values[len(given) :]
    fits = len(given) <= len(values) and all(kind_of(column) == "empty" for column in extra)
    return (*given, *[fill] * len(extra)) if fits else None


def _by_values(layout: Layout) -> tuple[str, ...]:
    """Roles by values; MusegenError where they do not say it."""
    if roles := usual_roles(layout.columns()):
        return roles
    if layout.share < _SAME and layout.mark not in ("\t", SPACE):
        raise MusegenError(f"lines have unlike numbers of fields; {quote(layout.mark)}")
    other = f"; or put tabs between, if {say_mark(layout.mark)} separates nothing" * (layout.mark != "\t")
    raise MusegenError(f"{layout.n_columns} columns; wanted user, item, count, time: choose them {CHOOSE}{other}")


def quote(mark: str) -> str:
    """What to do with names that hold the separator."""
    return f"put names that hold {say_mark(mark)} in double quotes, or separate by tabs"
