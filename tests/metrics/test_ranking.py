"""Ranking measures against counts done by hand."""

import numpy as np
import pytest

from musegen_lib.metrics import ranking

SCORES = np.array([[0.9, 0.1, 0.5, 0.4], [0.1, 0.2, 0.3, 0.4]])
RELEVANT = np.array([[True, False, False, True], [True, False, False, False]])


def test_hits_and_reciprocals():
    rank = np.array([1, 2, 10, 11])
    assert ranking.hits_at(rank, 10).tolist() == [1, 1, 1, 0]
    assert ranking.reciprocal_ranks(rank).tolist() == pytest.approx([1, 0.5, 0.1, 1 / 11])


def test_recall_divides_by_what_could_be_there():
    assert ranking.recall_at(SCORES, RELEVANT, 1).tolist() == [1, 0]
    assert ranking.recall_at(SCORES, RELEVANT, 2).tolist() == [0.5, 0]
    assert ranking.recall_at(SCORES, RELEVANT, 4).tolist() == [1, 1]


def test_gain_of_a_late_hit_is_less():
    best = 1 + 1 / np.log2(3)
    assert ranking.ndcg_at(SCORES, RELEVANT, 3).tolist() == pytest.approx([(1 + 1 / np.log2(4)) / best, 0])
    assert ranking.ndcg_at(SCORES, RELEVANT, 4)[1] == pytest.approx(1 / np.log2(5))


def test_a_user_without_relevant_items_scores_nothing():
    nothing = np.zeros((1, 4), dtype=bool)
    assert ranking.ndcg_at(SCORES[:1], nothing, 3).tolist() == [0]
    assert ranking.recall_at(SCORES[:1], nothing, 3).tolist() == [0]


def test_more_queries_give_a_narrower_interval():
    few, many = (np.tile([0.0, 1.0], n) for n in (20, 500))
    widths = [high - low for low, high in map(ranking.bootstrap_interval, (few, many))]
    assert widths[1] < widths[0] / 3
    assert ranking.bootstrap_interval(many) == ranking.bootstrap_interval(many)
