"""The budget of every transfer method: how many notes a promise of "at most this share" lets it change."""

from __future__ import annotations

from math import floor

ROUNDING_ERROR = 1e-9  # of a product of floats: 0.29 * 100 is 28.999999999999996


def allowed_changes(n_notes: int, amount: float) -> int:
    """How many of `n_notes` notes may change: the share, rounded down (a billionth of a note is forgiven).

    Raises:
        ValueError: the share lies outside 0 to 1.

    >>> allowed_changes(15, 0.2), allowed_changes(19, 0.2), allowed_changes(10, 0.3), allowed_changes(100, 0.29)
    (3, 3, 3, 29)
    """
    if not 0 <= amount <= 1:
        raise ValueError(f"amount {amount} must lie in 0 to 1: it is the largest share of notes to change")
    return floor(amount * n_notes + ROUNDING_ERROR)
