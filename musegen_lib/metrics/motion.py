"""How voices move against each other, as numbers for a classifier: every pair of voices, every kind of motion.

Nothing here depends on the key: only directions, and intervals modulo an octave, are read.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from jaxtyping import Float, Int

VOICE_NAMES = ("soprano", "alto", "tenor", "bass")
PAIRS = tuple(combinations(range(len(VOICE_NAMES)), 2))
DIRECTIONS = ("down", "stays", "up")
_KINDS = tuple((upper, lower) for upper in DIRECTIONS for lower in DIRECTIONS if (upper, lower) != ("stays", "stays"))
_BOTH_STAY = 4  # place of that kind among the nine

MOTION_FEATURES = (
    *(f"{VOICE_NAMES[upper]} {a}, {VOICE_NAMES[lower]} {b}" for upper, lower in PAIRS for a, b in _KINDS),
    *(f"parallel at {k}" for k in range(12)),
    *(f"similar to {k}" for k in range(12)),
)


def motion_features(pitch: Int[np.ndarray, "T 4"]) -> Float[np.ndarray, "72"]:
    """One row for the pitches of four voices (0 in a rest), columns MOTION_FEATURES.

    For each of the six pairs, the share of each of the eight ways to move among the steps into which one of the two
    moves and both sound (48 columns); then, per chord change and over all pairs, how often two voices move in the same
    direction and keep an interval of k semitones modulo 12 (parallel, 12), and how often they move in the same
    direction to one that they had not before (similar, 12).
    """
    sounds, moves = pitch > 0, np.sign(np.diff(pitch, axis=0))
    n_changes = max(1, int(moves.any(axis=1).sum()))
    kinds, arrivals = [], np.zeros((2, 12))
    for upper, lower in PAIRS:
        both = (sounds[1:] & sounds[:-1])[:, [upper, lower]].all(axis=1)
        up, low = moves[both, upper], moves[both, lower]
        counts = np.delete(np.bincount(3 * (up + 1) + low + 1, minlength=9), _BOTH_STAY)
        kinds.append(counts / max(1, counts.sum()))
        apart = (pitch[:, upper] - pitch[:, lower]) % 12
        together, kept = (up == low) & (up != 0), apart[1:][both] == apart[:-1][both]
        for row, chosen in enumerate((together & kept, together & ~kept)):
            arrivals[row] += np.bincount(apart[1:][both][chosen], minlength=12)
    return np.concatenate([*kinds, arrivals.ravel() / n_changes])
