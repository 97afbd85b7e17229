"""Array files that check themselves: written whole or not at all, read only if every byte is right."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.core.paths import replacing


def fingerprint(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over names, types, shapes and bytes of the arrays, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write the arrays with their fingerprint; the same arrays give the same bytes."""
    seal = np.frombuffer(bytes.fromhex(fingerprint(arrays)), dtype=np.uint8)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, seal=seal, **dict(sorted(arrays.items())))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays and check their fingerprint.

    Raises:
        MusegenError: the file is missing, cut short or altered.
    """
    if not path.exists():
        raise MusegenError(f"{path.name}: not built yet; run `musegen data build`")
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as zipped:
            arrays = {name: zipped[name] for name in zipped.files}
    except Exception as fault:  # a wrong byte in a zip file can raise almost anything
        raise MusegenError(f"{path.name}: damaged cache ({shorten(fault)}); run `musegen data build`") from fault
    seal = arrays.pop("seal", np.zeros(0, np.uint8))
    if seal.tobytes().hex() != fingerprint(arrays):
        raise MusegenError(f"{path.name}: damaged cache (its fingerprint is wrong); run `musegen data build`")
    return arrays


def read_or_build(
    path: Path, build: Callable[[], dict[str, np.ndarray]], say: Callable[[str], None]
) -> dict[str, np.ndarray]:
    """Read the arrays; build and write them first if they are missing or damaged, and say so."""
    try:
        return read_arrays(path)
    except MusegenError as fault:
        say(str(fault).replace("run `musegen data build`", "building it now"))
    arrays = build()
    write_arrays(path, arrays)
    return arrays
