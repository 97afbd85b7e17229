"""Where the course keeps its data: the clone's `data/` folder, or a folder of the user's choice."""

from __future__ import annotations

import errno
import glob
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from musegen_lib.core.errors import MusegenError

COURSE = Path(__file__).resolve().parents[2]  # the clone: the package is installed editable only
STALE_SECONDS = 3600  # a temporary file that was not touched for so long belongs to a process that was killed


def data_dir() -> Path:
    """Return $MUSEGEN_DATA if set, else the clone's `data` folder."""
    chosen = os.environ.get("MUSEGEN_DATA")
    return Path(chosen) if chosen else COURSE / "data"


def committed(name: str) -> Path:
    """Return a file that comes with the course, such as "splits/folk_split.json".

    A folder of that kind in `data_dir()` (for a name without a folder: the file itself) goes before the clone's.

    Raises:
        MusegenError: the package was installed without the clone that holds its data.
    """
    chosen = data_dir() / name
    if (chosen.parent if "/" in name else chosen).exists():
        return chosen
    if not (COURSE / "data" / "splits").is_dir():
        raise MusegenError(
            f"data/{name} is missing: musegen_lib runs from a clone of the course; there, `pip install -e .`"
        )
    return COURSE / "data" / name


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
    except OSError as fault:  # of the file that the user named, not of the one beside it
        if fault.filename == str(temporary):
            fault.filename = str(path)
        raise
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


def check_place(path: Path) -> None:
    """Find out before the work, without a trace, whether a file at `path` can be: its folder, or one that can hold it.

    Raises:
        OSError: a file stands where a folder is wanted, or nothing may be written there.
    """
    there = next((folder for folder in path.parents if folder.exists()), path.parent)
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there))


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
