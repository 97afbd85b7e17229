"""Tables in plain text: one line a row, numbers set flush right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def table(rows: Sequence[Mapping[str, object]], decimals: int = 2) -> None:
    """Print rows that have the same columns.

    Args:
        rows: one dictionary a row, from the name of a column to a word or a number.
        decimals: digits behind the point of a float.
    Raises:
        ValueError: no row, or a row with other columns than the first.

    >>> table([{"model": "Markov chain", "nats": 2.861, "tunes": 1153}, {"model": "LSTM", "nats": 2.1, "tunes": 1153}])
    model         nats  tunes
    Markov chain  2.86   1153
    LSTM          2.10   1153
    """
    if not rows:
        raise ValueError("a table needs one row at least")
    columns = list(rows[0])
    for row in rows:
        if list(row) != columns:
            raise ValueError(f"a row has the columns {', '.join(row)}, the first has {', '.join(columns)}")
    cells = [[_cell(row[column], decimals) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    are_numbers = [not isinstance(rows[0][column], str) for column in columns]
    for line in [columns, *cells]:
        aligned = [
            text.rjust(width) if is_number else text.ljust(width)
            for text, width, is_number in zip(line, widths, are_numbers, strict=True)
        ]
        print("  ".join(aligned).rstrip())


def _cell(value: object, decimals: int) -> str:
    """A value as text; minus zero has no sign."""
    if isinstance(value, float):  # numpy's float64 is one
        return f"{round(value, decimals) + 0.0:.{decimals}f}"
    return str(value)
