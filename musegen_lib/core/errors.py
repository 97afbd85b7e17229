"""The one error that the library raises about files, data and requests of the user."""

from __future__ import annotations


class MusegenError(ValueError):
    """Something the user gave cannot be used. The message is one line: which file, what, what to do."""


def shorten(text: object, longest: int = 160) -> str:
    """One printable line of at most `longest` characters, for messages that quote a stranger's file.

    >>> shorten("a\\nb" + "c" * 300, longest=8)
    'a bcc...'
    """
    line = "".join(c if c.isprintable() else "?" for c in " ".join(str(text).split()))
    return line if len(line) <= longest else line[: longest - 3] + "..."
