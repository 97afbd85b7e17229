"""The text of a file of interactions: its bytes, lines and fields, and the names, numbers and times in these."""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from unicodedata import category

from musegen_lib.core.errors import MusegenError, shorten

MAX_LINES = 5_000_000
MAX_LINE = 1_000_000  # characters; a list of 100,000 items fits
MAX_NAME = 200  # characters
MAX_COUNT = 1e9
MAX_TIME = 1e19  # nanoseconds since 1970 fit
MOST = 0.9  # share of a column's numbers that must look like times
MARKS = ("\t", "::", ";", "|", ",")  # what separates fields, besides spaces
SPACE = " "
OTHER = "cp1252"  # read so where the bytes are no UTF-8: other bytes stay other names
EPOCHS = (  # numbers that are times from 1982 to 2099: s, ms, us, ns since 1970, or year, month and day as 20090504
    *((4e8 * unit, 4.1e9 * unit) for unit in (1, 1e3, 1e6, 1e9)),
    (19_820_101, 21_000_000),
)
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})")  # three digits may be thousands
_DOTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,? +(\d{1,2}:\d\d(?::\d\d)?))?")  # 4.5.2009 23:08
_MARKUP = re.compile(rb'\s*(\{\s*["}]|\[\s*[\[{"\]]|<\?xml|<!doctype|<html|%%|%pdf|@relation)', re.IGNORECASE)


def refuse_foreign(head: bytes) -> None:
    """MusegenError for the first bytes of what is no table of text."""
    is_utf16 = head.startswith(UTF_16) and head[2:4] != b"\0\0"
    if any(byte < 9 for byte in head) and not is_utf16:  # what is packed has such bytes in its first ones
        raise MusegenError(
            "is no text: if it is packed (gzip, zip), unpack it first; if it is a workbook or another program's file, "
            "save it there as CSV, or as text with tabs, in UTF-8"
        )
    if _MARKUP.match(head.removeprefix(codecs.BOM_UTF8)):
        raise MusegenError("is JSON, XML, HTML or a matrix; save it as a text of lines user,item,count,time")


def find_encoding(path: Path) -> str:
    """The name of the encoding: by its mark, else UTF-8, else OTHER; MusegenError for a file that is no table."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        head = file.read(4096)
        refuse_foreign(head)
        if head.startswith(UTF_16):
            return "utf-16"
        file.seek(0)
        try:
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return OTHER
    return "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"


def text_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Each line with its number, without its end, which may be of any system; MusegenError for too much."""
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    with path.open(encoding=encoding, errors=errors) as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), ""), start=1):
            if number > MAX_LINES:
                raise MusegenError(f"has more than {MAX_LINES:,} lines; take a part of them")
            if len(line) > MAX_LINE:
                raise MusegenError(f"line {number} has more than {MAX_LINE:,} characters; write one interaction a line")
            yield number, line.rstrip("\r\n")


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
    try:
        fields = next(csv.reader([line], delimiter=mark, strict=True, skipinitialspace=mark != "\t"))
    except csv.Error:
        if line.count('"') % 2 and mark not in ("\t", SPACE):  # an even number may surround a part of a name
            raise ValueError("a quotation mark out of place") from None
        fields = line.split(mark)
    return [text for text in fields if text or mark != SPACE]


def check_name(text: str, what: str) -> None:
    """ValueError for what is no name: nothing, too long, with control characters or bytes that are no letters."""
    if not text or len(text) > MAX_NAME:
        raise ValueError(f"{what} {shorten(text, 20)!r} is not a name of 1 to {MAX_NAME} characters")
    if not text.isprintable() and {category(letter) for letter in text} & {"Cc", "Cs", "Zl", "Zp"}:
        raise ValueError(f"{what} {shorten(text, 20)!r} is not a name of printable characters")


def to_number(text: str, what: str = "number", most: float = MAX_TIME) -> float:
    """A number, where a comma may stand for the decimal point; else ValueError, which begins with `what`.

    >>> to_number("4,5"), to_number("8.8E+08")
    (4.5, 880000000.0)
    """
    try:
        number = float(text)
    except ValueError:
        number = float(text.replace(",", ".")) if _DECIMAL_COMMA.fullmatch(text) else math.nan
    if not abs(number) <= most:  # neither is one that is no number
        raise ValueError(f"{what} {shorten(text, 20)!r} is not a number of at most {most:.0e}")
    return number


def to_time(text: str) -> float:
    """A number as it is, or a date in seconds since 1970, in UTC where it has no zone; else ValueError.

    >>> to_time("881250949"), to_time("2009-05-04T23:08:16Z"), to_time("04.05.2009 23:08")
    (881250949.0, 1241478496.0, 1241478480.0)
    """
    try:
        return to_number(text, "time")
    except ValueError:
        return _date(text)


def _date(text: str) -> float:
    """Seconds since 1970 of a date with the year first, or with dots and the day first."""
    short = text.removesuffix(" UTC").removesuffix(" GMT").replace(" +", "+").replace("/", "-", 2)
    if dots := _DOTS.fullmatch(text):
        day, month, year, clock = dots.groups("0:00")
        short = f"{year}-{month:0>2}-{day:0>2} {clock.zfill(5 if len(clock) < 6 else 8)}"
    try:
        if short[4:5] != "-":
            raise ValueError
        date = datetime.fromisoformat(short)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        fault = f"time {shorten(text, 25)!r} is not understood; write 2009-05-04 23:08:16 or a number"
        raise ValueError(fault) from None


def kind_of(values: Sequence[str]) -> str:
    """What most values of a column are: "number", "time", "text", or "empty".

    >>> kind_of(["5", "3", "x"]), kind_of(["881250949", "881250950"]), kind_of(["20090504"]), kind_of(["", ""])
    ('number', 'time', 'time', 'empty')
    """
    filled = [value[:MAX_NAME] for value in values if value]
    numbers = [n for value in filled if (n := _try(to_number, value.replace(",", ""))) is not None]
    if 2 * len(numbers) > len(filled):
        near = max(sum(low <= number < high for number in numbers) for low, high in EPOCHS)
        return "time" if near > MOST * len(numbers) else "number"
    dates = sum(_try(_date, value) is not None for value in filled)
    return "time" if 2 * dates > len(filled) else "text" if filled else "empty"


def _try(read: Callable[[str], float], text: str) -> float | None:
    """What is read, or None where it cannot be."""
    try:
        return read(text)
    except ValueError:
        return None
