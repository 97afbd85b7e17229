"""Where the course keeps its data: the clone's `data/` folder, or a folder of the user's choice."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from musegen_lib.core.errors import MusegenError

STALE_SECONDS = 3600  # a temporary file that was not touched for so long belongs to a process that was killed


def data_dir() -> Path:
    """Return $MUSEGEN_DATA if set, else the `data` folder beside the package."""
    chosen = os.environ.get("MUSEGEN_DATA")
    return Path(chosen) if chosen else Path(__file__).parents[2] / "data"


def committed(name: str) -> Path:
    """Return a file that comes with the course, such as "splits/folk_split.json".

    A folder of that kind in `data_dir()` (for a name without a folder: the file itself) goes before the clone's.
    """
    chosen = data_dir() / name
    here = (chosen.parent if "/" in name else chosen).exists()
    return chosen if here else Path(__file__).parents[2] / "data" / name


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path` to write; it takes the place of `path` only if all went well.

    A failure, a Ctrl-C or a kill leaves whatever stood at `path` before, whole. What a kill leaves half-written beside
    it is swept away by the first write an hour later.

    Raises:
        MusegenError: `path` is a folder, a device or a pipe, which must not be replaced.
    """
    refuse_special(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    _sweep(path)
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


def refuse_special(path: Path) -> None:
    """MusegenError where something stands that is no file: an administrator's rename would put a file in its place."""
    if path.exists() and not path.is_file():
        raise MusegenError(f"{path}: is a folder, a device or a pipe, not a file; name a file to write")


def check_writable(path: Path) -> None:
    """Find out before long work whether a file can be written at `path` at its end: write an empty one beside it.

    Raises:
        MusegenError, OSError: it cannot; the error names the place.
    """
    refuse_special(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    probe = path.with_name(f".{path.name}.{os.getpid()}.probe")
    probe.touch()
    probe.unlink()


def _sweep(path: Path) -> None:
    """Remove temporary files that killed writers of `path` left behind."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):  # another process may be faster
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                left.unlink()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
