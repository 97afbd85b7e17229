"""From dry notes to a finished sound: a room, a loudness that is the same for all pieces, no peak above the limit."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import butter, lfilter, oaconvolve

LOUDNESS = -19.0  # LUFS
CEILING = 0.8  # of full scale: room for what MP3 adds
LOOK_AHEAD_SECONDS = 0.005
ROOM_SECONDS, ROOM_SHARE, ROOM_SEED = 1.2, 0.18, 7  # until it is 60 dB down; of the notes' energy
ROOM_DELAY_SECONDS, ROOM_HERTZ = 0.012, 3000.0
BLOCK = 1 << 19  # samples reverberated at once: bounds the memory


@lru_cache(maxsize=2)
def room(rate: int) -> np.ndarray:
    """(samples,) float32: what a small hall answers to a clap, as noise that dies away exponentially, of energy 1.

    Source: Moorer 1979, "About this reverberation business" (Computer Music Journal 3).
    """
    n = int(ROOM_SECONDS * rate)
    noise = np.random.default_rng(ROOM_SEED).random(n) - 0.5
    dying = lfilter(*butter(1, ROOM_HERTZ, fs=rate), noise) * 10 ** (-3 * np.arange(n) / n)
    answer = np.concatenate([np.zeros(int(ROOM_DELAY_SECONDS * rate)), dying])
    return (answer / np.sqrt((answer**2).sum())).astype(np.float32)


def add_room(audio: np.ndarray, rate: int) -> np.ndarray:
    """Return the sound in `room`, as long as before."""
    answer, wet = room(rate), audio.copy()
    for start in range(0, len(audio), BLOCK):
        part = oaconvolve(audio[start : start + BLOCK], answer * np.float32(np.sqrt(ROOM_SHARE)))
        part = part[: len(audio) - start]
        wet[start : start + len(part)] += part
    return wet


def loudness(audio: np.ndarray, rate: int) -> float:
    """Integrated loudness in LUFS of a sound on one channel; minus infinity for silence.

    Blocks of 400 ms count above -70 LUFS, and of these those above 10 LU below their mean. Source: ITU-R BS.1770-4;
    its filters, given for 48 kHz, are designed anew for `rate`.
    """
    for b, a in _k_weighting(rate):
        audio = lfilter(b, a, audio).astype(np.float32)
    block, hop = int(0.4 * rate), int(0.1 * rate)
    audio = np.pad(audio, (0, max(0, block - len(audio))))
    energy = np.concatenate([[0.0], np.cumsum(np.square(audio), dtype=np.float64)])
    power = (energy[block::hop] - energy[: len(energy) - block : hop]) / block
    power = power[power > 10 ** ((-70 + 0.691) / 10)]
    if not len(power):
        return -np.inf
    return -0.691 + 10 * float(np.log10(power[power > 0.1 * power.mean()].mean()))


def _k_weighting(rate: int) -> list[tuple[list[float], list[float]]]:
    """A shelf that lifts what the head lifts, and a high-pass: (b, a) of two biquads."""
    k, q, high = np.tan(np.pi * 1681.97 / rate), 0.70718, 10 ** (3.99984 / 20)
    band = high**0.4996668
    shelf = [high + band * k / q + k * k, 2 * (k * k - high), high - band * k / q + k * k]
    below = [1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k]
    k, q = np.tan(np.pi * 38.13547 / rate), 0.5003270
    first = 1 + k / q + k * k
    return [(shelf, below), ([1, -2, 1], [1, 2 * (k * k - 1) / first, (1 - k / q + k * k) / first])]


def master(audio: np.ndarray, rate: int) -> np.ndarray:
    """Bring a sound to LOUDNESS, with a limiter that looks ahead for what would rise above CEILING."""
    found = loudness(audio, rate)
    if not np.isfinite(found):
        return audio
    audio = audio * np.float32(10 ** ((LOUDNESS - found) / 20))
    gain, window = CEILING / np.maximum(np.abs(audio), CEILING), 2 * int(LOOK_AHEAD_SECONDS * rate) + 1
    # the mean over a window of the least gains over a window is nowhere above the gain needed
    return audio * uniform_filter1d(minimum_filter1d(gain, window), window) if gain.min() < 1 else audio
