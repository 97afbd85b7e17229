"""What every config of a net must be before a net is made of it."""

from __future__ import annotations

from typing import Any


def require_sizes(config: Any, may_be_zero: tuple[str, ...] = ()) -> None:
    """Refuse the config of a net, a dataclass, that has a size below 1 or a dropout that leaves nothing.

    Every whole number but a seed is a size.

    Raises:
        ValueError: the message shows the config.
    """
    values = vars(config).items()
    sizes = [value for name, value in values if type(value) is int and name not in ("seed", *may_be_zero)]
    if min(sizes, default=1) < 1 or not 0 <= getattr(config, "dropout", 0.0) < 1:
        raise ValueError(f"{config}: needs sizes of at least 1 and a dropout in [0, 1)")
