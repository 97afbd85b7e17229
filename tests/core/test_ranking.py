"""Choices among scores: highest first, equals by the lowest index, and what counts as equal."""

import numpy as np
import pytest

from musegen_lib.core.ranking import among_best, best_first, first_best, settled


def plain_sort(scores, k):
    return np.argsort(-scores, axis=-1, kind="stable")[..., :k]


def sums_in_two_orders(dtype):
    """The same sums added forwards and backwards: equal by arithmetic, not in their last digits."""
    parts = np.random.default_rng(0).random((300, 20)).astype(dtype)
    forwards, backwards = (np.add.accumulate(part, axis=1)[:, -1] for part in (parts, parts[:, ::-1]))
    assert (forwards != backwards).any()
    return forwards, backwards


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("shape", [(50, 40), (3, 4, 9), (1, 20), (20,), (0, 5)])
def test_the_quick_choice_is_a_stable_sort_ties_and_all(shape, dtype):
    rng = np.random.default_rng(0)
    scores = (rng.integers(-3, 6, size=shape) / (1 if dtype == np.int64 else 7)).astype(dtype)
    if dtype != np.int64:
        scores[rng.random(shape) < 0.3] = -np.inf
    for k in (0, 1, 5, 20, 99):
        assert np.array_equal(best_first(scores, k), plain_sort(scores, k))
        marked = np.zeros(shape, dtype=bool)
        np.put_along_axis(marked, best_first(scores, k), True, axis=-1)
        assert np.array_equal(among_best(scores, k), marked)
    assert np.array_equal(best_first(scores), plain_sort(scores, None))


def test_an_axis_is_an_axis():
    scores = np.random.default_rng(0).integers(0, 4, size=(6, 5))
    assert np.array_equal(best_first(scores, 2, axis=0), best_first(scores.T, 2).T)
    assert np.array_equal(among_best(scores, 2, axis=0), among_best(scores.T, 2).T)
    assert np.array_equal(first_best(scores, axis=0), best_first(scores, 1, axis=0)[0])


def test_a_table_in_parts_is_ranked_as_a_whole(monkeypatch):
    scores = np.random.default_rng(0).integers(0, 9, size=(13, 30))
    whole = best_first(scores, 4), among_best(scores, 4)
    monkeypatch.setattr("musegen_lib.core.ranking.ENTRIES_AT_ONCE", 60)
    assert np.array_equal(best_first(scores, 4), whole[0])
    assert np.array_equal(among_best(scores, 4), whole[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_order_of_adding_does_not_choose(dtype):
    forwards, backwards = sums_in_two_orders(dtype)
    twice = np.stack([np.concatenate([a, b]) for a, b in ((forwards, backwards), (backwards, forwards))])
    first, second = best_first(twice, 40)
    assert np.array_equal(first, second)


@pytest.mark.parametrize(("dtype", "digits"), [(np.float32, 5), (np.float64, 12)])
def test_the_digits_stated_are_kept(dtype, digits):
    scores = np.random.default_rng(0).standard_normal(10_000).astype(dtype)
    error = np.abs(settled(scores) / scores - 1).max()
    assert 10.0 ** -(digits + 1) < error < 10.0**-digits
    assert np.array_equal(settled(-scores), -settled(scores))


def test_infinities_and_zeros_stay():
    assert settled([np.inf, -np.inf, 0.0, -0.0]).tolist() == [np.inf, -np.inf, 0, 0]
    assert best_first([0.0, -0.0, -np.inf, 0.0]).tolist() == [0, 1, 3, 2]


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="1 of 3 scores are NaN"):
        best_first([0.0, np.nan, 1.0])
