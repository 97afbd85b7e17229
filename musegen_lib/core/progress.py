"""Progress of long loops, on standard error: shown by the commands, silent in lessons and tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

SECONDS = 2.0  # what ends sooner shows nothing
Item = TypeVar("Item")
_SHOWN: ContextVar[bool] = ContextVar("progress is shown", default=False)


@contextmanager
def shown() -> Iterator[None]:
    """Show the progress of what runs inside."""
    token = _SHOWN.set(True)
    try:
        yield
    finally:
        _SHOWN.reset(token)


def progress(items: Iterable[Item], what: str) -> Iterable[Item]:
    """The items, one by one; where progress is shown, a bar with this name that goes away at the end."""
    if not _SHOWN.get():
        return items
    from tqdm import tqdm  # every command imports this module, and few have a bar to show

    return tqdm(items, desc=what, delay=SECONDS, mininterval=1.0, leave=False)
