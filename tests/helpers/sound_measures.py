"""Sounds in numbers, to test what is played."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter1d

from musegen_lib.display.sound import SAMPLE_RATE


def measure(audio: np.ndarray) -> dict[str, float]:
    """Describe a sound in numbers.

    Returns:
        seconds; peak and rms of full scale; silent_share, the share of 50 ms frames below -60 dB of full scale;
        centroid_hz, the mean frequency weighted by magnitude (0 for silence).
    """
    audio = np.asarray(audio, dtype=np.float64)
    frame = SAMPLE_RATE // 20
    frames = np.pad(audio, (0, -len(audio) % frame)).reshape(-1, frame)
    loudness = np.sqrt((frames**2).mean(axis=1))  # (frames,)
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(frame), axis=1)).mean(axis=0)  # (frequencies,)
    hertz = np.fft.rfftfreq(frame, 1 / SAMPLE_RATE)
    return {
        "seconds": len(audio) / SAMPLE_RATE,
        "peak": float(np.abs(audio).max(initial=0)),
        "rms": float(np.sqrt((audio**2).mean())) if len(audio) else 0.0,
        "silent_share": float((loudness < 1e-3).mean()) if len(audio) else 1.0,
        "centroid_hz": float((hertz * magnitude).sum() / magnitude.sum()) if magnitude.any() else 0.0,
    }


def cents_off(sound: np.ndarray, pitch: int, rate: int) -> float:
    """How far the fundamental of a note of at least 1.6 seconds lies above its pitch, by the peak of its spectrum."""
    part = np.asarray(sound[rate // 10 : rate * 8 // 5], dtype=np.float64)
    hertz, wanted = np.fft.rfftfreq(1 << 19, 1 / rate), 440 * 2 ** ((pitch - 69) / 12)
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 19)) * (np.abs(hertz / wanted - 1) < 0.03)
    return float(1200 * np.log2(hertz[spectrum.argmax()] / wanted))


def click(sound: np.ndarray) -> float:
    """The largest jump from sample to sample, beside the usual ones of the 20 ms around it (root mean square)."""
    jumps = np.abs(np.diff(np.asarray(sound, dtype=np.float64)))
    window = SAMPLE_RATE // 50
    usual = np.sqrt(np.maximum(uniform_filter1d(jumps**2, window), 0))
    return float((jumps / np.maximum(usual, 1e-4)).max())
