"""What is written between and at bar lines: repeats, endings, jumps, parts; as measures, and in playing order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from musegen_lib.formats.repeats import MAX_SPANS, Measure, Span, playing_order

MARKS = {  # decorations and texts, letters only -> what they say
    "segno": "segno",
    "coda": "coda",
    "fine": "fine",
    **dict.fromkeys(("dacoda", "tocoda", "alcoda"), "to coda"),
    **dict.fromkeys(("dc", "dacapo"), "da capo"),
    **dict.fromkeys(("ds", "dalsegno"), "dal segno"),
}
MARKS |= {f"{jump}{end}": MARKS[jump] for jump in ("dc", "dacapo", "ds", "dalsegno") for end in ("alfine", "alcoda")}
_PARTS = re.compile(r"[A-Z0-9().*\s]+")
_ENDS = re.compile(r"(?:\[\|\])?(:*)")  # behind an invisible bar line, as in "[|]:|", too
_BEGINS = re.compile(r"(?<=\|):*$|(?<=\]):*$|$")
_PART = re.compile(r"([A-Z])|(\()|(\))|(\d+)")


class Bar(NamedTuple):
    """A bar line as written: `line` such as ":|" (empty for a bracket within a bar), `ending` such as "1,3-4"."""

    onset: int
    line: str
    ending: str


def read_mark(text: str) -> str | None:
    """What a decoration or an annotation says of the order of play; None if nothing.

    >>> read_mark("!D.C.alfine!"), read_mark("^Fine"), read_mark("Am7")
    ('da capo', 'fine', None)
    """
    return MARKS.get("".join(filter(str.isalpha, text)).lower())


def expand_ending(text: str) -> tuple[int, ...]:
    """The numbers of a bracket.

    >>> expand_ending("1,3-5")
    (1, 3, 4, 5)
    """
    numbers: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first[:3]), min(int((last or first)[:3]), int(first[:3]) + 99) + 1)
    return tuple(numbers)


def to_measures(bar_lines: Sequence[Bar], marks: Sequence[tuple[int, str]], end: int) -> list[Measure]:
    """Cut [0, end) at bar lines and brackets, each measure with the signs at its two ends.

    A repeat that does not begin with a sign begins at the last double bar behind an earlier repeat (as in abc2midi).
    """
    signs: dict[int, list[Bar]] = {}
    for bar in bar_lines:
        signs.setdefault(bar.onset, []).append(bar)
    edges = sorted({0, *(onset for onset in signs if onset < end), end})
    flags = _place_marks(marks, edges[:-1])
    measures, endings, is_open = [], (), True  # open: what a ":|" would close began with a sign, or with the tune
    for start, stop in pairwise(edges):
        opening, closing = signs.get(start, []), signs.get(stop, [])
        endings = _endings_from(opening, endings)
        begins = _begins_section(opening, endings)
        is_double = any(bar.line in ("||", "|]") for bar in opening) and not endings
        is_open = begins or (is_open and not any(_colons(bar.line)[0] for bar in opening))
        measures.append(
            Measure(
                start,
                stop,
                repeat_begins=begins or (is_double and not is_open),
                times=1 + max((_colons(bar.line)[0] for bar in closing), default=0),
                endings=endings,
                **flags.get(start, {}),
            )
        )
    return measures


def _begins_section(opening: Sequence[Bar], endings: tuple[int, ...]) -> bool:
    """Whether a repeat begins; so does a first ending right behind a repeat sign, where none is left to repeat."""
    ends, begins = zip(*(_colons(bar.line) for bar in opening)) if opening else ((), ())
    return any(begins) or (any(ends) and endings[:1] == (1,))


def _colons(line: str) -> tuple[int, int]:
    """How many colons say that a section ends here, and how many that one begins."""
    if not line.strip(":"):
        return (len(line) + 1) // 2, len(line) // 2
    ends, begins = _ENDS.match(line), _BEGINS.search(line)
    return len(ends[1]), len(begins[0])


def _endings_from(opening: Sequence[Bar], before: tuple[int, ...]) -> tuple[int, ...]:
    """The brackets in force behind these signs: new ones, none behind a repeat or a double bar, else as before."""
    numbered = [bar.ending for bar in opening if bar.ending]
    if numbered:
        return expand_ending(numbered[-1])
    closes = any(":" in bar.line or "||" in bar.line or "]" in bar.line or "[" in bar.line for bar in opening)
    return () if closes else before


def _place_marks(marks: Sequence[tuple[int, str]], starts: Sequence[int]) -> dict[int, dict[str, bool | str]]:
    """The fields of `Measure` by its start; a mark behind the last bar line counts for what that line closes."""
    said = {mark for _, mark in marks}
    codas = [onset for onset, mark in marks if mark == "coda"]
    flags: dict[int, dict[str, bool | str]] = {}
    for onset, mark in marks:
        place = flags.setdefault(min(onset, starts[-1]) if starts else 0, {})
        if mark in ("da capo", "dal segno"):
            place["jump"] = mark
        elif mark == "coda":  # the first of two codas is where to leave
            leaves = len(codas) > 1 and "to coda" not in said and onset == codas[0]
            place["to_coda" if leaves else "is_coda"] = True
        else:
            place[{"segno": "is_segno", "fine": "is_fine", "to coda": "to_coda"}[mark]] = True
    return flags


def play(measures: Sequence[Measure], labels: Sequence[tuple[int, str]], order: str) -> list[Span]:
    """The spans in playing order: by the parts that a P: field orders, if the music is labelled, else from the start.

    Raises:
        ValueError: more than can be played.
    """
    parts = expand_parts(order)
    first_label = {label[:1]: onset for onset, label in reversed(labels)}
    if not parts or not set(parts) & set(first_label):
        return playing_order(measures)
    if len(parts) > MAX_SPANS:
        raise ValueError(f"the parts of P:{order[:20]} are more than {MAX_SPANS:,}; read it --as-written")
    edges = [*sorted({onset for onset, _ in labels}), measures[-1].stop if measures else 0]
    ends = dict(pairwise(edges))
    spans = playing_order([measure for measure in measures if measure.start < edges[0]])
    played = {
        part: playing_order([replace(m, jump="") for m in measures if onset <= m.start < ends[onset]])
        for part, onset in first_label.items()
    }
    for part in parts:
        spans += played.get(part, [])
        if len(spans) > MAX_SPANS:
            raise ValueError(f"the parts of P:{order[:20]} make more than {MAX_SPANS:,} jumps; read it --as-written")
    return spans


def expand_parts(order: str) -> str:
    """The parts in playing order, MAX_SPANS + 1 at most of each bracket; empty where the field holds other text.

    >>> expand_parts("A(AB)3C2"), expand_parts("Part A")
    ('AABABABCC', '')
    """
    order = order.partition("%")[0].strip()
    stack, last = [""], ""
    for letter, opens, closes, times in _PART.findall(order if _PARTS.fullmatch(order) else ""):
        if opens:
            stack.append("")
        elif times:
            stack[-1] += last * min(int(times[:4]) - 1, 1 + MAX_SPANS // max(1, len(last)))
        elif letter or (closes and len(stack) > 1):
            last = letter or stack.pop()
            stack[-1] += last
        stack[-1] = stack[-1][: MAX_SPANS + 1]
    return "".join(stack)
