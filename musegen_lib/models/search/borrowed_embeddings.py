"""What lessons 3 and 4 learnt by the way: the VAE's mean and the RNN's state as points of a window.

Neither net was asked to ignore the key or the tempo. Both get all the help that costs nothing: each window is moved so
that its middle pitch is G4, and its middle length is an eighth; for the VAE, which knows one scale only, to that scale.
Axes: N windows, L notes.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int

from musegen_lib.core.ranking import first_best
from musegen_lib.core.scales import weight_on_scales
from musegen_lib.encodings.arrays import FIRST_PITCH, HOLD, MELODY_HIGH, MELODY_LOW, REST
from musegen_lib.encodings.melody_events import END_ID, FIRST_PITCH_ID, MAX_DURATION, METRES, STYLES, MelodyEvents
from musegen_lib.encodings.melody_windows import MIDDLE, WINDOW_STEPS
from musegen_lib.models.melody.batches import collate
from musegen_lib.models.melody.recipe import RNN
from musegen_lib.models.melody.rnn import Plan
from musegen_lib.models.vae.recipe import VAE

MIDDLE_PITCH, MIDDLE_STEPS = 67, 2
N_AT_ONCE = 512


def to_usual_place(
    pitches: Int[np.ndarray, "N L"], durations: Float[np.ndarray, "N L"]
) -> tuple[Int[np.ndarray, "N L"], Int[np.ndarray, "N L"]]:
    """Pitches around G4 in the range of the nets, and lengths in sixteenths of which the middle one is 2."""
    middle = np.median(pitches, axis=1, keepdims=True).astype(np.int64)
    steps = np.rint(durations / np.median(durations, axis=1, keepdims=True) * MIDDLE_STEPS).astype(np.int64)
    return np.clip(pitches - middle + MIDDLE_PITCH, MELODY_LOW, MELODY_HIGH), np.clip(steps, 1, MAX_DURATION)


def vae_points(pitches: Int[np.ndarray, "N L"], durations: Float[np.ndarray, "N L"]) -> Float[np.ndarray, "N Z"]:
    """Means of the VAE's codes of the first two bars of each window, of length 1."""
    pitches, steps = to_usual_place(pitches, durations)
    pitches = np.clip(pitches + shifts_home(pitches, steps)[:, None], MELODY_LOW, MELODY_HIGH)
    onsets = np.cumsum(steps, axis=1) - steps
    tokens = np.full((len(pitches), WINDOW_STEPS), HOLD, dtype=np.int64)
    row, note = np.nonzero(onsets < WINDOW_STEPS)
    tokens[row, onsets[row, note]] = pitches[row, note] - MELODY_LOW + FIRST_PITCH
    tokens[np.arange(WINDOW_STEPS) >= steps.sum(axis=1)[:, None]] = REST
    net = VAE.load_once().eval()
    with torch.no_grad():
        parts = [net.encode(part)[0].numpy() for part in torch.from_numpy(tokens).split(N_AT_ONCE)]
    return _unit(np.concatenate(parts))


def shifts_home(pitches: Int[np.ndarray, "N L"], steps: Int[np.ndarray, "N L"]) -> Int[np.ndarray, "N"]:
    """Semitones that bring each melody around G4 from its best-fitting scale to that of C major, nearest to MIDDLE."""
    weights = np.stack([np.bincount(row % 12, length, 12) for row, length in zip(pitches, steps)])  # (N, 12)
    scales, lowest = first_best(np.stack([weight_on_scales(row) for row in weights]), axis=1), MIDDLE - MIDDLE_PITCH - 6
    return (-scales - lowest) % 12 + lowest


def rnn_points(pitches: Int[np.ndarray, "N L"], durations: Float[np.ndarray, "N L"]) -> Float[np.ndarray, "N D"]:
    """States of the RNN after the last note of each window, of length 1; it is told 4/4 and no key."""
    pitches, steps = to_usual_place(pitches, durations)
    ids = np.concatenate([pitches - MELODY_LOW + FIRST_PITCH_ID, np.full((len(pitches), 1), END_ID)], axis=1)
    lengths = np.concatenate([steps, np.zeros((len(pitches), 1), dtype=np.int64)], axis=1)
    found = []
    for start in range(0, len(ids), N_AT_ONCE):
        rows = zip(ids[start : start + N_AT_ONCE], lengths[start : start + N_AT_ONCE])
        found.append(_states([MelodyEvents(*row, STYLES.index("irish"), METRES.index("4/4"), 0) for row in rows]))
    return _unit(np.concatenate(found))


@torch.no_grad()
def _states(tunes: list[MelodyEvents]) -> Float[np.ndarray, "N D"]:
    """The state that would write the next event."""
    net, batch = RNN.load_once().eval(), collate(tunes)
    plan = Plan(batch.styles, batch.metres, batch.tonics, batch.modes, batch.finals)
    place = net.places(batch.onsets, batch.looked_up(batch.back), batch.time_left, plan)
    return net.cell(net.read(*batch.before(), place, plan))[0][:, -1].numpy()


def _unit(points: np.ndarray) -> np.ndarray:
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
