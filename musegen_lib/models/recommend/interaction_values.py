"""Numbers, times and names in a table of interactions, as programs and spreadsheets write them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from unicodedata import category

from musegen_lib.core.errors import shorten

MAX_NAME = 200  # characters
MAX_COUNT = 1e9
MAX_TIME = 1e19  # nanoseconds since 1970 fit
EPOCHS = tuple((4e8 * unit, 4.1e9 * unit) for unit in (1, 1e3, 1e6, 1e9))  # 1982 to 2099 in s, ms, us, ns since 1970
MOST = 0.9  # share of a column's numbers that must look like times
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{6})?")  # 20090504, 20090504230816
_DOTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,? +(\d{1,2}:\d\d(?::\d\d)?))?")  # 4.5.2009 23:08


def check_name(text: str, what: str) -> None:
    """ValueError for what is no name: nothing, too long, with control characters or bytes that are no letters."""
    if not text or len(text) > MAX_NAME:
        raise ValueError(f"{what} {shorten(text, 20)!r} is not a name of 1 to {MAX_NAME} characters")
    if not text.isprintable():
        kinds = {category(letter) for letter in text}
        if "Cs" in kinds:
            raise ValueError(f"{what} {shorten(text, 20)!r} is not UTF-8 text")
        if kinds & {"Cc", "Zl", "Zp"}:
            raise ValueError(f"{what} {shorten(text, 20)!r} is not a name of printable characters")


def to_number(text: str, what: str = "number") -> float:
    """A finite number; a comma may stand for the decimal point.

    Raises:
        ValueError: it is none, or a comma may mean thousands; the message begins with `what`.

    >>> to_number("4,5"), to_number("8.8E+08")
    (4.5, 880000000.0)
    """
    try:
        number = float(text)
    except ValueError:
        if _THOUSANDS.fullmatch(text):
            raise ValueError(
                f"{what} {shorten(text, 20)!r} has a comma that may mean thousands; leave it out"
            ) from None
        number = float(text.replace(",", ".")) if _DECIMAL_COMMA.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"{what} {shorten(text, 20)!r} is not a number")
    return number


def to_count(text: str) -> float:
    """A count or rating, of at most MAX_COUNT; 0 and less are left to the caller."""
    count = to_number(text, "count or rating")
    if count > MAX_COUNT:
        raise ValueError(f"count or rating {shorten(text, 20)!r} is more than {MAX_COUNT:.0e}")
    return count


def to_time(text: str) -> float:
    """A number as it is, or a date in seconds since 1970; a date without a zone is in UTC.

    Raises:
        ValueError: it is neither; the message says what to write.

    >>> to_time("881250949"), to_time("2009-05-04T23:08:16Z"), to_time("04.05.2009 23:08")
    (881250949.0, 1241478496.0, 1241478480.0)
    """
    try:
        time = float(text)
    except ValueError:
        time = _date(text)
    if not math.isfinite(time) or abs(time) > MAX_TIME:
        raise ValueError(f"time {shorten(text, 20)!r} is not a number between -{MAX_TIME:.0e} and {MAX_TIME:.0e}")
    return time


def _date(text: str) -> float:
    """Seconds since 1970 of a date with the year first, or with dots and the day first."""
    if dots := _DOTS.fullmatch(text):
        day, month, year, clock = dots.groups()
        text = f"{year}-{month:0>2}-{day:0>2} {(clock or '0:00').zfill(5 if len(clock or '0:00') < 6 else 8)}"
    short = text.removesuffix(" UTC").removesuffix(" GMT").replace(" +", "+")
    if re.match(r"\d{4}/", short):
        short = short.replace("/", "-")
    try:
        date = datetime.fromisoformat(short)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(
            f"time {shorten(text, 25)!r} is not understood; write 2009-05-04 23:08:16 or a number"
        ) from None


def kind_of(values: Sequence[str]) -> str:
    """What most values of a column are: "number", "time", "text", or "empty".

    >>> kind_of(["5", "3", "x"]), kind_of(["881250949", "881250950"]), kind_of(["20090504"]), kind_of(["", ""])
    ('number', 'time', 'time', 'empty')
    """
    filled = [value[:MAX_NAME] for value in values if value]
    numbers = [number for value in filled if (number := _try(_any_number, value)) is not None]
    if not filled:
        return "empty"
    if 2 * len(numbers) > len(filled):
        near = max(sum(low <= number < high for number in numbers) for low, high in EPOCHS)
        days = sum(bool(_DAY.fullmatch(value)) for value in filled)
        return "time" if max(near, days) > MOST * len(numbers) else "number"
    dates = sum(_try(to_time, value) is not None for value in filled)
    return "time" if 2 * dates > len(filled) else "text"


def _any_number(text: str) -> float:
    """A number, with commas for thousands too, which a reader would ask about."""
    return float(text.replace(",", "")) if _THOUSANDS.fullmatch(text) else to_number(text)


def _try(read: Callable[[str], float], text: str) -> float | None:
    """What is read, or None where it cannot be."""
    try:
        return read(text)
    except ValueError:
        return None
