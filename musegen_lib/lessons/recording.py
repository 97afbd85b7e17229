"""What a lesson measured, written down so that the book can quote it and no number in prose is typed by hand.

A lesson calls `record` for a value and `verdict` for a row of the claims ledger. Each shows one line, which the stored
notebook keeps with its parts in the metadata of the output; `make ledger` (ledger_pages.py) reads it there. Only
digits that are shown are stored, so a run on another machine gives the same line as long as the shown digits agree.
The parts are no mimetype of their own: the book builder warns about each one that it cannot draw.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

KEY = "musegen_record"  # in the metadata of an output
NAME = re.compile(r"[a-z][a-z0-9_]*")
ROW = re.compile(r"[CE][1-9][0-9]?")
VERDICTS = {"C": ("holds", "holds partly", "fails"), "E": ("shown",)}  # claims and errata


@dataclass(frozen=True)
class Value:
    """A recorded value, in the digits that are shown.

    >>> Value("nats_markov", "2.86", "0.02", "standard error over 1,153 tunes", "nats a note")
    Recorded nats_markov: 2.86 ± 0.02 nats a note (standard error over 1,153 tunes)
    """

    name: str
    value: str
    spread: str = ""
    over: str = ""
    unit: str = ""

    @property
    def text(self) -> str:
        """Value and spread: 2.86 ± 0.02."""
        return f"{self.value} ± {self.spread}" if self.spread else self.value

    @property
    def full(self) -> str:
        """Value, spread, unit and what the spread is taken over."""
        words = " ".join(filter(None, (self.text, self.unit)))
        return f"{words} ({self.over})" if self.over else words

    def __repr__(self) -> str:
        return f"Recorded {self.name}: {self.full}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        return {"text/plain": repr(self)}, {KEY: {"kind": "value", **asdict(self)}}


@dataclass(frozen=True)
class Verdict:
    """What a lesson found about one row, such as C3, and the names of the recorded values that bear it out.

    >>> Verdict("C3", "holds partly", ("gan_seeds_collapsed",), "The better loss cures it.")
    C3: holds partly. The better loss cures it. (gan_seeds_collapsed)
    """

    row: str
    result: str
    values: tuple[str, ...] = ()
    because: str = ""

    def __repr__(self) -> str:
        words = " ".join(filter(None, (f"{self.row}: {self.result}.", self.because)))
        return f"{words} ({', '.join(self.values)})" if self.values else words

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        fields = asdict(self) | {"values": list(self.values)}
        return {"text/plain": repr(self)}, {KEY: {"kind": "verdict", **fields}}


def record(
    name: str, value: float, spread: float | None = None, *, over: str = "", unit: str = "", decimals: int = 2
) -> None:
    """Show a measured value and keep it for the book.

    Args:
        name: small letters, digits and underscores; one value a name and a notebook.
        spread: half the width that belongs behind a ±; `over` then says what it is, "standard error over 40 tunes".
        unit: such as "nats a note".
        decimals: digits behind the point, for value and spread.
    Raises:
        ValueError: a name of another form, a value that is no finite number, a spread that nobody explains, or one
            that these decimals would show as 0.
    """
    from IPython.display import display

    if not NAME.fullmatch(name):
        raise ValueError(f"name {name!r}: wanted small letters, digits and underscores, such as nats_markov")
    if spread is not None and not over:
        raise ValueError(f"{name}: say what the spread is taken over, such as over='3 seeds'")
    shown = _digits(name, value, decimals)
    spread_shown = "" if spread is None else _digits(name, spread, decimals)
    if spread and float(spread_shown.replace(",", "")) == 0:
        raise ValueError(f"{name}: a spread of {spread:.2g} is shown as {spread_shown}, give more decimals")
    display(Value(name, shown, spread_shown, over, unit))


def verdict(row: str, result: str, values: Sequence[str] = (), because: str = "") -> None:
    """Show what a lesson found about a row of the ledger and keep it for the book.

    Args:
        row: C1 to C15, a claim, or E1 to E17, an erratum.
        result: "holds", "holds partly" or "fails" for a claim; "shown" for an erratum.
        values: names of values that this notebook records; a claim needs one at least, and one with a spread.
        because: one sentence without digits, since digits are recorded and not typed.
    Raises:
        ValueError: a row or a result that the ledger does not know, a claim without values, digits in `because`.
    """
    from IPython.display import display

    if not ROW.fullmatch(row):
        raise ValueError(f"row {row!r}: wanted a claim such as C3 or an erratum such as E3")
    if result not in VERDICTS[row[0]]:
        raise ValueError(f"{row}: result {result!r} is unknown; use {' or '.join(VERDICTS[row[0]])}")
    if isinstance(values, str) or (row[0] == "C" and not values):
        raise ValueError(f"{row}: name the recorded values that bear it out, such as values=['nats_markov']")
    if re.search(r"\d", because):
        raise ValueError(f"{row}: digits in because={because!r}; record the number and name it in values")
    display(Verdict(row, result, tuple(values), because))


def _digits(name: str, number: float, decimals: int) -> str:
    """A finite number in the digits to show; a zero has no sign."""
    if not math.isfinite(number):
        raise ValueError(f"{name}: {number} is no finite number")
    return f"{round(float(number), decimals) + 0.0:,.{decimals}f}"
