"""Motion between voices as numbers: each kind by hand, in every key the same."""

import numpy as np
import pytest

from musegen_lib.metrics.motion import MOTION_FEATURES, motion_features

FIFTHS = np.array([[72, 67, 60, 53], [72, 67, 60, 53], [74, 69, 60, 53], [72, 69, 60, 57]])


def named(pitch):
    return dict(zip(MOTION_FEATURES, motion_features(np.array(pitch))))


def test_each_pair_moves_in_shares_of_the_steps_into_which_it_moves():
    row = named(FIFTHS)
    assert row["soprano up, alto up"] == row["soprano down, alto stays"] == 0.5
    assert row["soprano down, bass up"] == row["soprano up, bass stays"] == 0.5
    assert row["tenor stays, bass up"] == 1
    assert sum(row[name] for name in MOTION_FEATURES if "soprano" in name and "alto" in name) == pytest.approx(1)


def test_parallels_and_similar_motion_are_counted_per_chord_change():
    row = named(FIFTHS)
    assert row["parallel at 5"] == 0.5  # C over G to D over A: a fourth, kept; two changes
    assert sum(row[f"parallel at {k}"] for k in range(12)) == 0.5
    row = named([[72, 60, 55, 48], [79, 62, 55, 48]])
    assert row["similar to 5"] == 1  # an octave, then a fourth and an octave
    assert row["parallel at 0"] == 0


def test_rests_move_nowhere_and_a_transposed_window_is_the_same():
    assert not motion_features(np.array([[72, 0, 60, 0], [0, 65, 0, 48]])).any()
    assert motion_features(FIFTHS + 3) == pytest.approx(motion_features(FIFTHS))
    assert len(motion_features(FIFTHS)) == len(MOTION_FEATURES) == 72
