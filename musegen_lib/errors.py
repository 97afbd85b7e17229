"""The one error that the library raises about files, data and requests of the user."""

from __future__ import annotations


class MusegenError(ValueError):
    """Something the user gave cannot be used. The message is one line: which file, what, what to do."""
