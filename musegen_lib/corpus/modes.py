"""Tonic and mode of the folk tunes, from their notes: Essen's files name a tonic but hardly ever a mode.

The printed tonic is trusted, as is a mode that is not major. Else the third says major or minor, the second, sixth and
seventh which of the church modes. Chinese songs print the degree called gong ("1 = G"); their mode is that of the
degree on which they end: gong, shang, jue, zhi, yu (宫商角徵羽), degrees 1, 2, 3, 5 and 6 of the pentatonic scale.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Real

from musegen_lib.core.keys import TONIC_PITCH_CLASS, spell_key

PENTATONIC_MODES = {0: "gong", 2: "shang", 4: "jue", 7: "zhi", 9: "yu"}  # semitones of the final above gong


def with_modes(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays that `Corpus` reads with the key of every tune named anew, such as "A dorian" or "E yu"."""
    n_tunes = len(arrays["offsets"]) - 1
    tune = np.repeat(np.arange(n_tunes), np.diff(arrays["offsets"]))
    classes = tune * 12 + arrays["pitch"] % 12
    weights = np.bincount(classes, arrays["duration"], 12 * n_tunes).reshape(n_tunes, 12)
    finals = (arrays["pitch"][arrays["offsets"][1:] - 1] % 12).tolist()
    printed, styles = (arrays[name].tobytes().decode().split("\n") for name in ("key", "style"))
    keys = "\n".join(_key(*row) for row in zip(printed, styles, weights, finals))
    return arrays | {"key": np.frombuffer(keys.encode(), dtype=np.uint8)}


def western_mode(degrees: Real[np.ndarray, "12"]) -> str:
    """Name the mode from the sounding time of each degree, in semitones above the tonic.

    >>> western_mode(np.array([4, 0, 2, 0, 3, 1, 0, 3, 0, 1, 0, 1])), western_mode(np.eye(12)[[0, 3, 7, 9, 10]].sum(0))
    ('major', 'dorian')
    """
    flat_second, second, minor_third, major_third = degrees[1:5]
    flat_sixth, sixth, flat_seventh, seventh = degrees[8:]
    if minor_third <= major_third:
        return "mixolydian" if flat_seventh > seventh else "major"
    if flat_second > second and flat_seventh >= seventh:
        return "phrygian"
    return "dorian" if sixth > flat_sixth and flat_seventh > seventh else "minor"


def _key(printed: str, style: str, weights: Real[np.ndarray, "12"], final: int) -> str:
    name, _, mode = printed.partition(" ")
    if name not in TONIC_PITCH_CLASS:
        return printed
    tonic = TONIC_PITCH_CLASS[name]
    if style == "chinese":
        mode = PENTATONIC_MODES.get((final - tonic) % 12)
        return spell_key(final, mode) if mode else printed
    return printed if mode != "major" else f"{name} {western_mode(np.roll(weights, -tonic))}"
