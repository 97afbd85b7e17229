"""Counting with back-off, by hand on five notes."""

import numpy as np

from data.studies import first_network as study
from musegen_lib.lessons.studies import study_values

ROWS = np.array([[0, 5], [5, 6], [6, 5], [5, 6], [5, 7]])


def test_counts_are_those_of_a_hand():
    (total, together, types) = study.Counts(ROWS).of(np.array([[5, 6], [5, 8], [9, 9]]))[1]
    assert total.tolist() == [3, 3, 0]
    assert together.tolist() == [2, 0, 0]
    assert types.tolist() == [2, 2, 0]


def test_back_off_adds_imagined_notes_from_the_shorter_context():
    levels = study.Counts(ROWS).of(np.array([[5, 6]]))
    no_context = (2 + 2 / 42) / (5 + 2)
    assert np.allclose(study.backed_off(levels, 2), (2 + 2 * no_context) / (3 + 2))


def test_probabilities_of_all_pitches_add_up_to_one():
    counts = study.Counts(ROWS)
    for by_types in (False, True):
        everything = counts.of(np.array([[5, pitch] for pitch in range(42)]))
        assert np.isclose(study.backed_off(everything, 3, by_types).sum(), 1)


def test_adding_one_spreads_over_the_same_pitches_as_back_off():
    levels = study.Counts(ROWS).of(np.array([[5, pitch] for pitch in range(42)]))
    assert np.isclose(study.plus_one(levels).sum(), 1)
    assert np.isclose(study.plus_one(levels)[6], (2 + 1) / (3 + 42))


def test_the_error_of_a_gap_is_that_of_whole_tunes():
    gap, tune = np.array([1.0, 1, 0, 0]), np.array([0, 0, 1, 1])
    assert np.isclose(study.standard_error(gap, tune), np.std([1, 0], ddof=1) / np.sqrt(2))


def test_the_file_has_three_seeds_and_their_mean_for_each_model():
    for model in ({"cell": "back-off by variety"}, {"cell": "network", "steps": 8000}):
        for context in (4, 8):
            gaps = study_values("first-network", "gap", context=context, **model)
            mean = study_values("first-network", "mean_gap", context=context, **model)
            assert np.allclose(np.mean(gaps), mean, atol=2e-4)
            assert len(gaps) == len(study.SEEDS)
