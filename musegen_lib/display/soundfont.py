"""A sampler in numpy: reads a SoundFont 2 file and plays one note of one instrument.

A sound font holds recordings and, for each program, zones: which recording serves which keys and velocities, at which
tuning, loop and loudness. A note is its zones' recordings read at another speed and shaped by an envelope.

Source: SoundFont Technical Specification 2.04 (Creative, 2006), chapters 7 to 9. We leave out pan, vibrato, modulators
and the modulation envelope (the filter stays where that envelope opens it). It is our own because symusic 0.5.9 plays
the piano of TimGM6mb.sf2 out of tune (A4 sounds at 1649 Hz, Yikai-Liao/symusic issue 55), and of the other players in
Python tinysoundfont needs a system library and midirenderer has no wheel for Linux on ARM. Ours peaks where they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.signal import butter, lfilter

from musegen_lib.core.errors import MusegenError
from musegen_lib.display.soundfont_tables import DRUM_BANK, read_tables

# generator numbers, specification 8.1.2
START, END, LOOP_START, LOOP_END, CUTOFF, CUTOFF_RISE = 0, 1, 2, 3, 8, 11
DELAY, ATTACK, HOLD, DECAY, SUSTAIN, RELEASE, KEY_TO_DECAY = 33, 34, 35, 36, 37, 38, 40
INSTRUMENT, KEYS, VELOCITIES, ATTENUATION, SEMITONES, CENTS, SAMPLE = 41, 43, 44, 48, 51, 52, 53
LOOP_MODE, CENTS_PER_KEY, ROOT = 54, 56, 58
_DEFAULTS = {CUTOFF: 13500, DELAY: -12000, ATTACK: -12000, HOLD: -12000, DECAY: -12000, RELEASE: -12000}
_DEFAULTS |= {CENTS_PER_KEY: 100, ROOT: -1}
_NOT_ADDED = {INSTRUMENT, KEYS, VELOCITIES, SAMPLE, LOOP_MODE, ROOT}  # a preset cannot shift these
_COARSE = {4: START, 12: END, 45: LOOP_START, 50: LOOP_END}  # the same offsets, in units of 32768 samples
SILENCE_DB = 80.0  # below its peak by this much a note counts as over
LONGEST_RELEASE = 20.0  # seconds
SOFT_OCTAVES, HARD_OCTAVES = 1.0, 5.0  # above A4, where the low-pass of its softest and hardest stroke begins
OUT_OF_TUNE = 20.0  # cents; a recording that is further off is meant so
MOST_PERIODS = 30  # of a loop, so that one more or less is further off than that
MAX_ZONES, MAX_SEARCHED = 64, 4096  # that a note plays, and that are looked at for it
FAINTEST = 1440  # tenths of a decibel, of attenuation and sustain, specification 8.1.3


@dataclass(frozen=True, eq=False)
class SoundFont:
    """The tables of a sound font by their four-letter names, and `smpl`, the recordings as 16-bit numbers."""

    tables: dict[str, np.ndarray]

    @classmethod
    def read(cls, path: Path) -> SoundFont:
        """Read a .sf2 file; MusegenError if it is none, damaged, or larger than MAX_BYTES."""
        font = cls(read_tables(path))
        if not (font.has_bank(0) or font.has_bank(DRUM_BANK)):
            raise MusegenError(f"{path}: no instruments in bank 0 and no drums in bank {DRUM_BANK}; give another font")
        return font

    def has_bank(self, bank: int) -> bool:
        """True if the font has a preset in this bank: 0 holds the usual instruments, DRUM_BANK the drums."""
        return bool((self.tables["phdr"]["bank"][:-1] == bank).any())

    def zones(self, bank: int, program: int, pitch: int, velocity: int) -> list[dict[int, int]]:
        """Return the generators of every recording a note plays; an absent program plays the lowest of its bank.

        Raises:
            MusegenError: there are more than MAX_ZONES, or they are sought among more than MAX_SEARCHED.
        """
        presets = self.tables["phdr"][:-1]  # the last record of each table only marks the end
        found = np.flatnonzero(presets["bank"] == bank)
        if not len(found):
            return []
        preset = int(found[np.lexsort((presets["program"][found], presets["program"][found] != program))[0]])
        shifts = self._zones("p", preset, INSTRUMENT, pitch, velocity)
        searched = self._n_zones("phdr", preset) + sum(self._n_zones("inst", shift[INSTRUMENT]) for shift in shifts)
        zones = []
        for shift in shifts if searched <= MAX_SEARCHED else []:
            added = {kind: amount for kind, amount in shift.items() if kind not in _NOT_ADDED}
            for zone in self._zones("i", shift[INSTRUMENT], SAMPLE, pitch, velocity):
                zone = _DEFAULTS | zone
                zones.append(zone | {kind: zone.get(kind, 0) + amount for kind, amount in added.items()})
        if searched > MAX_SEARCHED or len(zones) > MAX_ZONES:
            limits = f"more than {MAX_ZONES} recordings, or looks through more than {MAX_SEARCHED}"
            raise MusegenError(f"a note plays {limits}; give a simpler sound font")
        return zones

    def _n_zones(self, table: str, index: int) -> int:
        first, end = self.tables[table]["bag"][index : index + 2].tolist()
        return end - first

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
        return self.play(self.zones(bank, program, pitch, velocity), pitch, velocity, seconds, rate)

    def play(self, zones: list[dict[int, int]], pitch: int, velocity: int, seconds: float, rate: int) -> np.ndarray:
        """Play the recordings of one note, as `zones` returns them; the result is that of `note`."""
        readings = [self._reading(zone, pitch, rate) for zone in zones]
        cents = [found for speed, places in readings if (found := _cents_off(speed * rate, places, pitch)) is not None]
        tuning = 2 ** (-np.mean(cents) / 1200) if cents else 1.0  # of all alike, so that a chorus stays one
        sound = np.zeros(0, dtype=np.float32)
        for zone, (speed, places) in zip(zones, readings):
            part = self._play(zone, speed * tuning, places, envelope(zone, pitch, seconds, rate), rate)
            short, sound = sorted((part, sound), key=len)
            sound[: len(short)] += short
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
        return float(sample["rate"]) / rate * _ratio(cents + int(sample["cents"])), places

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
        hertz = 8.176 * _ratio(zone[CUTOFF] + max(0, zone.get(CUTOFF_RISE, 0)))
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
    delay, attack, hold, decay, release = (_ratio(zone[kind]) for kind in (DELAY, ATTACK, HOLD, DECAY, RELEASE))
    decay *= _ratio(zone.get(KEY_TO_DECAY, 0) * (60 - pitch))
    sustain, attenuation = (min(max(zone.get(kind, 0), 0), FAINTEST) for kind in (SUSTAIN, ATTENUATION))
    release = min(max(release, 0.05), LONGEST_RELEASE)  # a cut string of this font would click
    time = np.arange(int((seconds + release) * rate), dtype=np.float32) / rate
    level_db = np.clip((time - delay - attack - hold) * (100 / decay), 0, min(100.0, sustain / 10))
    level_db += np.maximum(0, time - seconds) * (100 / release)
    rise = np.clip((time - delay) / attack, 0, 1)
    gain = rise * 10 ** (-(level_db + 0.04 * attenuation) / 20)  # 0.4 of a decibel as in practice
    heard = np.flatnonzero(level_db < SILENCE_DB)
    return gain[: heard[-1] + 1 if len(heard) else 0].astype(np.float32)


def _ratio(cents: int) -> float:
    """A ratio of frequencies or, of 'timecents', the seconds; a damaged font asks for no more than 27 octaves."""
    return 2 ** (min(max(cents, -(2**15)), 2**15) / 1200)


@lru_cache(maxsize=2)
def load_soundfont(path: Path) -> SoundFont:
    """Read a sound font once and keep it."""
    return SoundFont.read(path)


def _holds(bounds: int | None, value: int) -> bool:
    if bounds is None:
        return True
    low, high = bounds & 0xFF, bounds >> 8 & 0xFF
    return low <= value <= high
