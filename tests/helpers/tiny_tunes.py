"""Small random melodies of unlike lengths, styles, metres and pickups, for the tests of models and training."""

import numpy as np

from musegen_lib.encodings.melody_events import (
    END_ID,
    FIRST_PITCH_ID,
    METRE_STEPS,
    METRES,
    N_PITCH_IDS,
    REST_ID,
    STYLES,
    MelodyEvents,
    key_to_ids,
)


def make_tune(rows, style="german", metre="3/4", pickup=0, key="D minor"):
    """Build a tune from (pitch id, duration) rows; END is added."""
    ids, durations = zip(*rows, (END_ID, 0))
    return MelodyEvents(
        np.array(ids), np.array(durations), STYLES.index(style), METRES.index(metre), pickup, *key_to_ids(key)
    )


def make_tunes(n, seed=0, low=FIRST_PITCH_ID, high=N_PITCH_IDS - 1):
    """Draw n tunes of 2 to 8 events that fill whole bars, on pitches low to high; some hold a rest."""
    rng = np.random.default_rng(seed)
    tunes = []
    for _ in range(n):
        length, metre = int(rng.integers(2, 9)), int(rng.integers(len(METRES)))
        ids, durations = rng.integers(low, high + 1, length), rng.integers(1, 7, length)
        if length > 4:
            ids[2] = REST_ID
        durations[-1] += -durations.sum() % METRE_STEPS[metre]  # a pickup and the last bar make one bar
        pickup = int(rng.integers(METRE_STEPS[metre]))
        style = STYLES[int(rng.integers(len(STYLES)))]
        tunes.append(make_tune(zip(ids.tolist(), durations.tolist()), style, METRES[metre], pickup))
    return tunes
