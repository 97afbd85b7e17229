"""Sounds in numbers, to test what is played."""

from __future__ import annotations

import numpy as np

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
