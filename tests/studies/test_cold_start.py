"""Cold start and the loop: nothing hidden is seen, notes are read without key, and a planted bridge is found."""

import numpy as np
import pytest

from data.studies import cold_start as listener_cold
from data.studies import listeners as studies_listeners
from data.studies.cold_start import blend, cold_start, hide_tunes, hybrid, points_from_notes, tune_content
from musegen_lib.core.piece import Piece
from musegen_lib.models.recommend.models import Histories
from musegen_lib.models.recommend.simulator import simulate


@pytest.fixture(scope="module")
def world():
    return simulate(n_listeners=80, n_tunes=100, plays=40.0, seed=5)


def tune(pitches, shift=0):
    return Piece.from_notes([(i, 1, pitch + shift) for i, pitch in enumerate(pitches)])


def test_hidden_tunes_leave_every_history():
    heard = Histories(tuple(np.random.default_rng(u).permutation(20)[:8] for u in range(6)), 20)
    left, taken, cold = hide_tunes(heard, seed=0)
    assert len(cold) == 4
    for whole, rest, out in zip(heard.sequences, left.sequences, taken.sequences, strict=True):
        assert not set(rest) & set(cold)
        assert set(out) <= set(cold)
        assert sorted([*rest, *out]) == sorted(whole)


def test_content_does_not_hear_the_key():
    rng = np.random.default_rng(0)
    lines = [rng.integers(55, 75, size=30) for _ in range(12)]
    content = tune_content([tune(line) for line in lines] + [tune(line, shift=5) for line in lines])
    assert content[:12] == pytest.approx(content[12:], abs=1e-6)
    assert np.linalg.norm(content, axis=1) == pytest.approx(np.ones(24))


def test_a_linear_bridge_is_found_and_noise_is_not():
    rng = np.random.default_rng(0)
    content = rng.normal(size=(200, 5))
    points = content @ rng.normal(size=(5, 3))
    guessed, r2 = points_from_notes(points, content, np.arange(150))
    assert r2 > 0.99
    assert guessed[150:] == pytest.approx(points[150:], abs=0.1)
    assert points_from_notes(rng.normal(size=(200, 3)), content, np.arange(150))[1] < 0.1


def test_the_ceiling_is_above_the_shuffled_notes(world, monkeypatch):
    monkeypatch.setattr(listener_cold, "K", 5)  # of 20 unheard tunes
    content = np.random.default_rng(1).normal(size=(100, 8))
    found = {row["method"]: row["recall"] for row in cold_start(world, content, seed=0)}
    assert set(found) == {"random", "popularity (a peek)", "notes", "notes, shuffled", "traits (a ceiling)"}
    assert found["traits (a ceiling)"] > found["notes, shuffled"]


def test_a_hybrid_of_good_and_noise_keeps_to_the_good_half(world):
    content = np.random.default_rng(1).normal(size=(100, 8))
    rows = {row["method"]: row for row in hybrid(world, content, seed=0)}
    assert rows["listeners"]["recall"] > rows["notes alone"]["recall"]
    assert rows["hybrid"]["share"] <= 0.5


def test_a_blend_of_none_or_all_is_one_half():
    rng = np.random.default_rng(0)
    one, two = rng.random((3, 9)), 100 * rng.random((3, 9))
    assert np.array_equal(blend(one, two, 0.0).argsort(axis=1), one.argsort(axis=1))
    assert np.array_equal(blend(one, two, 1.0).argsort(axis=1), two.argsort(axis=1))


def test_the_loop_shows_only_what_the_policy_allows(world, monkeypatch):
    monkeypatch.setattr(studies_listeners, "ROUNDS", 3)
    rows = {policy: studies_listeners.loop(world, policy, 0) for policy in studies_listeners.POLICIES}
    assert {len(part) for part in rows.values()} == {3}
    assert all(row["simulated"] for part in rows.values() for row in part)
    assert rows["popularity"][-1]["coverage"] <= 0.2  # twenty of a hundred tunes
    assert rows["popularity"][-1]["gini"] > rows["nothing"][-1]["gini"]
    assert rows["nothing"][-1]["liked"] > rows["random"][-1]["liked"]


def test_plays_count_once_in_a_history():
    heard = Histories((np.array([3, 1]),), 5)
    assert studies_listeners._heard_more(heard, np.array([[1, 4, 4]])).sequences[0].tolist() == [3, 1, 4]
