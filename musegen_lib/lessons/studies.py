"""The recorded results of data/studies, for the lessons that show them."""

from __future__ import annotations

import json
from typing import Any

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import committed


def read_study(name: str) -> list[dict[str, Any]]:
    """The rows of a study as it was last run."""
    path = committed(f"studies/{name}.json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))["rows"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as fault:
        raise MusegenError(f"{path.name}: no readable study; run make study NAME={name}") from fault


def study_values(name: str, column: str, **settings: Any) -> list[Any]:
    """One column of the rows of a study that have it and these settings, in the order of the file."""
    return [row[column] for row in read_study(name) if column in row and settings.items() <= row.items()]
