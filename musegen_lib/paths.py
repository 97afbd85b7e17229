"""Where the course keeps its data: the clone's `data/` folder, or a folder of the user's choice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def data_dir() -> Path:
    """Return $MUSEGEN_DATA if set, else the `data` folder beside the package."""
    chosen = os.environ.get("MUSEGEN_DATA")
    return Path(chosen) if chosen else Path(__file__).parents[1] / "data"


def committed(name: str) -> Path:
    """Return a file that comes with the course, such as "splits/folk_split.json".

    A folder of that kind in `data_dir()` (for a name without a folder: the file itself) goes before the clone's.
    """
    chosen = data_dir() / name
    here = (chosen.parent if "/" in name else chosen).exists()
    return chosen if here else Path(__file__).parents[1] / "data" / name


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path` to write; it takes the place of `path` only if all went well.

    A failure, a Ctrl-C or a kill leaves whatever stood at `path` before, whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
