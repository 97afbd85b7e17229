"""Reads the tables of a SoundFont 2 file as arrays, and refuses one that is damaged.

Source: SoundFont Technical Specification 2.04 (Creative, 2006), chapters 4 to 7; `soundfont` plays what is read.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from musegen_lib.core.errors import MusegenError

_PRESET = np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "V12")])
_INSTRUMENT = np.dtype([("name", "S20"), ("bag", "<u2")])
_BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
_GENERATOR = np.dtype([("kind", "<u2"), ("amount", "<i2")])
_SAMPLE = np.dtype(
    [
        *[
            ("name", "S20"),
            ("start", "<u4"),
            ("end", "<u4"),
            ("loop_start", "<u4"),
            ("loop_end", "<u4"),
            ("rate", "<u4"),
        ],
        *[("root", "u1"), ("cents", "i1"), ("link", "<u2"), ("kind", "<u2")],
    ]
)
_RECORDS = {"phdr": _PRESET, "pbag": _BAG, "pgen": _GENERATOR, "inst": _INSTRUMENT, "ibag": _BAG, "igen": _GENERATOR}
_RECORDS |= {"shdr": _SAMPLE, "smpl": np.dtype("<i2")}
_VERSION = {"ifil": np.dtype("<u2")}
MAX_BYTES = 500_000_000  # of a file
MAX_CHUNKS = 1000  # of a file; a font has some 25
MAX_GENERATORS = 64  # of a zone, which holds each of some 60 kinds once
LOWEST_RATE = 400  # samples a second, specification 7.10
DRUM_BANK = 128


def read_tables(path: Path) -> dict[str, np.ndarray]:
    """Return the records of a .sf2 file by the four-letter names of their chunks, and `smpl`, (samples,) int16.

    Raises:
        MusegenError: the file is no sound font, damaged, or larger than MAX_BYTES.
    """
    if Path(path).stat().st_size > MAX_BYTES:
        raise MusegenError(f"{path}: larger than {MAX_BYTES // 10**6} MB; give a smaller sound font")
    data = Path(path).read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise MusegenError(f"{path}: not a SoundFont 2 file, as its first bytes show; give another")
    try:
        tables = _chunks(data)
    except ValueError:
        raise MusegenError(f"{path}: the sound font is cut off; fetch it again") from None
    if missing := _RECORDS.keys() - tables.keys():
        raise MusegenError(f"{path}: the sound font lacks {', '.join(sorted(missing))}")
    if tables.get("ifil", np.array([2])).max(initial=0) > 2:
        raise MusegenError(f"{path}: the recordings are compressed; give the font as SoundFont 2")
    if not _is_sound(tables):
        raise MusegenError(f"{path}: the sound font is damaged; fetch it again")
    return tables


def _is_sound(tables: dict[str, np.ndarray]) -> bool:
    """True if the tables begin and go on as the specification demands: places rise, rates and versions are there."""
    samples, bounded = tables["shdr"][:-1], [(tables[name]["bag"], 2**16) for name in ("phdr", "inst")]
    bounded += [(tables[name]["generator"], MAX_GENERATORS) for name in ("pbag", "ibag")]
    steps = [(np.diff(places.astype(int)), most) for places, most in bounded]
    return (
        len(tables["phdr"]) > 1
        and ("ifil" not in tables or len(tables["ifil"]) > 0)
        and samples["end"].max(initial=0) <= len(tables["smpl"])
        and samples["rate"].min(initial=LOWEST_RATE) >= LOWEST_RATE
        and all(step.min(initial=0) >= 0 and step.max(initial=0) <= most for step, most in steps)
    )


def _chunks(data: bytes) -> dict[str, np.ndarray]:
    tables, at, records = {}, 12, _RECORDS | _VERSION
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(data):
            break
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"LIST":  # go inside
            at += 4
            continue
        if (key := name.decode("latin-1")) in records:
            tables[key] = np.frombuffer(data, records[key], count=size // records[key].itemsize, offset=at)
        at += size + size % 2
    return tables
