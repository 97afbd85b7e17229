"""A sound font of a kilobyte whose only recording is a sine wave."""

from __future__ import annotations

import struct

import numpy as np

from musegen_lib.display.soundfont import INSTRUMENT, LOOP_MODE, RELEASE, SAMPLE

RATE, PERIOD, ROOT = 44_100, 100, 69  # 441 Hz, 4 cents sharp


def sine_font(
    instrument: int = 0,
    version: int = 2,
    release: int = -12_000,
    bank: int = 0,
    rate: int = RATE,
    n_zones: int = 1,
    more: tuple[tuple[int, int], ...] = (),
) -> bytes:
    """A SoundFont 2 file: one preset, one instrument of like zones, one sample that loops over four periods."""
    end = 4 * PERIOD
    wave = (20_000 * np.sin(2 * np.pi * np.arange(end) / PERIOD)).astype("<i2")
    sample = struct.pack("<20s5IBbHH", b"sine", 0, end, 0, end, rate, ROOT, 0, 0, 1)
    preset = struct.pack("<20sHHH12x", b"sine", 0, bank, 0) + struct.pack("<20sHHH12x", b"EOP", 0, 0, 1)
    zone = [(LOOP_MODE, 1), (RELEASE, release), *more, (SAMPLE, 0)]
    generators = b"".join(struct.pack("<Hh", *generator) for generator in zone) * n_zones
    chunks = {
        "ifil": struct.pack("<HH", version, 1),
        "smpl": wave.tobytes(),
        "phdr": preset,
        "pbag": struct.pack("<HHHH", 0, 0, 1, 0),
        "pgen": struct.pack("<HhHh", INSTRUMENT, instrument, 0, 0),
        "inst": struct.pack("<20sH", b"sine", 0) + struct.pack("<20sH", b"EOI", n_zones),
        "ibag": b"".join(struct.pack("<HH", i * len(zone), 0) for i in range(n_zones + 1)),
        "igen": generators + struct.pack("<Hh", 0, 0),
        "shdr": sample + struct.pack("<20s5IBbHH", b"EOS", *[0] * 9),
    }
    body = b"".join(
        name.encode() + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks.items()
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"sfbk" + body
