"""A sampler in numpy: reads a SoundFont 2 file and plays one note of one instrument.

A sound font holds recordings and, for each program, zones: which recording serves which keys and velocities, at which
tuning, loop and loudness. A note is its zones' recordings read at another speed and shaped by an envelope.

Source: SoundFont Technical Specification 2.04 (Creative, 2006), chapters 7 to 9. We leave out pan, vibrato, modulators
and the modulation envelope (the filter stays where that envelope opens it). It is our own because symusic 0.5.9 plays
the piano of TimGM6mb.sf2 out of tune (A4 sounds at 1649 Hz, Yikai-Liao/symusic issue 55), and of the other players in
Python tinysoundfont needs a system library and midirenderer has no wheel for Linux on ARM. Ours peaks where they do.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.signal import butter, lfilter

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

# generator numbers, specification 8.1.2
START, END, LOOP_START, LOOP_END, CUTOFF, CUTOFF_RISE = 0, 1, 2, 3, 8, 11
DELAY, ATTACK, HOLD, DECAY, SUSTAIN, RELEASE, KEY_TO_DECAY = 33, 34, 35, 36, 37, 38, 40
INSTRUMENT, KEYS, VELOCITIES, ATTENUATION, SEMITONES, CENTS, SAMPLE = 41, 43, 44, 48, 51, 52, 53
LOOP_MODE, CENTS_PER_KEY, ROOT = 54, 56, 58
_DEFAULTS = {CUTOFF: 13500, DELAY: -12000, ATTACK: -12000, HOLD: -12000, DECAY: -12000, RELEASE: -12000}
_DEFAULTS |= {CENTS_PER_KEY: 100, ROOT: -1}
_NOT_ADDED = {INSTRUMENT, KEYS, VELOCITIES, SAMPLE, LOOP_MODE, ROOT}  # a preset cannot shift these
_COARSE = {4: START, 12: END, 45: LOOP_START, 50: LOOP_END}  # the same offsets, in units of 32768 samples
DRUM_BANK = 128
SILENCE_DB = 80.0  # below its peak by this much a note counts as over
LONGEST_RELEASE = 20.0  # seconds
SOFT_OCTAVES, HARD_OCTAVES = 1.0, 5.0  # above A4, where the low-pass of its softest and hardest stroke begins
OUT_OF_TUNE = 20.0  # cents; a recording that is further off is meant so
MOST_PERIODS = 30  # of a loop, so that one more or less is further off than that


@dataclass(frozen=True, eq=False)
class SoundFont:
    """The tables of a sound font by their four-letter names, and `smpl`, the recordings as 16-bit numbers."""

    tables: dict[str, np.ndarray]

    @classmethod
    def read(cls, path: Path) -> SoundFont:
        """Read a .sf2 file; MusegenError if it is none, or damaged."""
        data = Path(path).read_bytes()
        if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
            raise MusegenError(f"{path}: not a SoundFont 2 file; give one that ends in .sf2")
        try:
            tables = _read_tables(data)
        except ValueError:
            raise MusegenError(f"{path}: the sound font is cut off; fetch it again") from None
        if missing := _RECORDS.keys() - tables.keys():
            raise MusegenError(f"{path}: the sound font lacks {', '.join(sorted(missing))}")
        if tables.get("ifil", [2])[0] > 2:
            raise MusegenError(f"{path}: the recordings are compressed; give the font as SoundFont 2")
        if len(tables["phdr"]) < 2 or tables["shdr"]["end"][:-1].max(initial=0) > len(tables["smpl"]):
            raise MusegenError(f"{path}: the sound font is damaged; fetch it again")
        return cls(tables)

    def zones(self, bank: int, program: int, pitch: int, velocity: int) -> list[dict[int, int]]:
        """Return the generators of every recording a note plays; an absent program plays the lowest of its bank."""
        presets = self.tables["phdr"][:-1]  # the last record of each table only marks the end
        found = np.flatnonzero(presets["bank"] == bank)
        found = found[np.lexsort((presets["program"][found], presets["program"][found] != program))]
        zones = []
        for shift in self._zones("p", int(found[0]), INSTRUMENT, pitch, velocity) if len(found) else []:
            for zone in self._zones("i", shift[INSTRUMENT], SAMPLE, pitch, velocity):
                added = {kind: amount for kind, amount in shift.items() if kind not in _NOT_ADDED}
                zone = _DEFAULTS | zone
                zones.append(zone | {kind: zone.get(kind, 0) + amount for kind, amount in added.items()})
        return zones

    def _zones(self, level: str, index: int, target: int, pitch: int, velocity: int) -> list[dict[int, int]]:
        """Zones of a preset (level p) or instrument (i) that hold a note; a first zone without target is global."""
        heads = self.tables["phdr" if level == "p" else "inst"]["bag"]
        bags, generators = self.tables[level + "bag"]["generator"], self.tables[level + "gen"]
        common: dict[int, int] = {}
        zones = []
        for bag in range(heads[index], heads[index + 1]):
            own = dict(generators[bags[bag] : bags[bag + 1]].tolist())
            if target not in own:
                common = own if bag == heads[index] else common
                continue
            zone = common | own
            if _holds(zone.get(KEYS), pitch) and _holds(zone.get(VELOCITIES), velocity):
                zones.append(zone)
        return zones

    def note(self, bank: int, program: int, pitch: int, velocity: int, seconds: float, rate: int) -> np.ndarray:
        """Play one note held for `seconds`; returns (samples,) float32 with its release, or less if it dies earlier."""
        zones = [(zone, *self._reading(zone, pitch, rate)) for zone in self.zones(bank, program, pitch, velocity)]
        cents = [found for _, speed, places in zones if (found := _cents_off(speed * rate, places, pitch)) is not None]
        tuning = 2 ** (-np.mean(cents) / 1200) if cents else 1.0  # of all alike, so that a chorus stays one
        parts = [
            self._play(zone, speed * tuning, places, envelope(zone, pitch, seconds, rate), rate)
            for zone, speed, places in zones
        ]
        sound = np.zeros(max((len(part) for part in parts), default=0), dtype=np.float32)
        for part in parts:
            sound[: len(part)] += part
        return _soften(sound, pitch, velocity, rate) * np.float32((velocity / 127) ** 2)

    def _reading(self, zone: dict[int, int], pitch: int, rate: int) -> tuple[float, list[int]]:
        """How fast to read a recording, and its start, end, start and end of the loop (equal without one)."""
        sample = self.tables["shdr"][zone[SAMPLE]]
        places = [
            int(sample[name]) + zone.get(fine, 0) + 32768 * zone.get(coarse, 0)
            for name, (coarse, fine) in zip(("start", "end", "loop_start", "loop_end"), _COARSE.items())
        ]
        if not zone.get(LOOP_MODE, 0) & 1 or places[3] < places[2]:
            places[3] = places[2]
        root = zone[ROOT] if zone[ROOT] >= 0 else int(sample["root"])
        cents = (pitch - root) * zone[CENTS_PER_KEY] + 100 * zone.get(SEMITONES, 0) + zone.get(CENTS, 0)
        return float(sample["rate"]) / rate * 2 ** ((cents + int(sample["cents"])) / 1200), places

    def _play(self, zone: dict[int, int], speed: float, places: list[int], gain: np.ndarray, rate: int) -> np.ndarray:
        start, end, loop_start, loop_end = places
        loops = loop_end > loop_start
        if not loops:
            gain = gain[: max(0, int((end - start - 1) / speed))]
        position = start + speed * np.arange(len(gain))
        if loops:
            late = position[np.searchsorted(position, loop_end) :]
            late[:] = loop_start + (late - loop_start) % (loop_end - loop_start)
        left = position.astype(np.int64)
        wave = self.tables["smpl"]
        part = (position - left).astype(np.float32)
        sound = (wave[left] * (1 - part) + wave[np.minimum(left + 1, len(wave) - 1)] * part) * gain / 32768
        hertz = 8.176 * 2 ** ((zone[CUTOFF] + max(0, zone.get(CUTOFF_RISE, 0))) / 1200)
        return lfilter(*_low_pass(max(hertz, 20), rate), sound).astype(np.float32) if hertz < 0.4 * rate else sound


@lru_cache(maxsize=256)
def _low_pass(hertz: float, rate: int) -> tuple[np.ndarray, np.ndarray]:
    return butter(2, hertz, fs=rate)


def _cents_off(samples_a_second: float, places: list[int], pitch: int) -> float | None:
    """How far above its pitch a recording sounds, since a loop holds whole periods; None for one that is not near it.

    >>> round(_cents_off(43_800, [0, 300, 100, 300], 69), 2)  # two periods in 200 samples: 438 Hz
    -7.89
    """
    periods = (places[3] - places[2]) * 440 * 2 ** ((pitch - 69) / 12) / samples_a_second
    if not 0.9 < periods < MOST_PERIODS:
        return None
    cents = 1200 * float(np.log2(round(periods) / periods))
    return cents if abs(cents) < OUT_OF_TUNE else None


def _soften(sound: np.ndarray, pitch: int, velocity: int, rate: int) -> np.ndarray:
    """A softer stroke is duller: a low-pass of first order, half an octave higher for each octave of the keyboard.

    Fonts with several recordings a key have this in them; as a modulator it is in the specification, 8.4.2.
    """
    octaves = SOFT_OCTAVES + (HARD_OCTAVES - SOFT_OCTAVES) * velocity / 127 + (pitch - 69) / 24
    kept = np.exp(-2 * np.pi * 440 * 2**octaves / rate)
    return lfilter(np.array([1 - kept], np.float32), np.array([1, -kept], np.float32), sound)


def envelope(zone: dict[int, int], pitch: int, seconds: float, rate: int) -> np.ndarray:
    """Loudness over time, (samples,) float32: rise, hold, decay to the sustain level, release after `seconds`."""
    delay, attack, hold, decay, release = (2 ** (zone[kind] / 1200) for kind in (DELAY, ATTACK, HOLD, DECAY, RELEASE))
    decay *= 2 ** (zone.get(KEY_TO_DECAY, 0) * (60 - pitch) / 1200)
    sustain_db = min(100.0, zone.get(SUSTAIN, 0) / 10)
    release = min(max(release, 0.05), LONGEST_RELEASE)  # a cut string of this font would click
    time = np.arange(int((seconds + release) * rate), dtype=np.float32) / rate
    level_db = np.clip((time - delay - attack - hold) * (100 / decay), 0, sustain_db)
    level_db += np.maximum(0, time - seconds) * (100 / release)
    rise = np.clip((time - delay) / attack, 0, 1)
    gain = rise * 10 ** (-(level_db + 0.04 * zone.get(ATTENUATION, 0)) / 20)  # 0.4 of a decibel as in practice
    heard = np.flatnonzero(level_db < SILENCE_DB)
    return gain[: heard[-1] + 1 if len(heard) else 0].astype(np.float32)


def _read_tables(data: bytes) -> dict[str, np.ndarray]:
    tables, at, records = {}, 12, _RECORDS | _VERSION
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8
        if name == b"LIST":  # go inside
            at += 4
            continue
        if (key := name.decode("latin-1")) in records:
            tables[key] = np.frombuffer(data, records[key], count=size // records[key].itemsize, offset=at)
        at += size + size % 2
    return tables


@lru_cache(maxsize=2)
def load_soundfont(path: Path) -> SoundFont:
    """Read a sound font once and keep it."""
    return SoundFont.read(path)


def _holds(bounds: int | None, value: int) -> bool:
    if bounds is None:
        return True
    low, high = bounds & 0xFF, bounds >> 8 & 0xFF
    return low <= value <= high
