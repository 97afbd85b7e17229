"""Telling two sets apart: blind at chance, sighted at one, and never fooled by rows of one piece."""

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.corpus import windows as cut_windows
from musegen_lib.metrics.features import MELODY_FEATURES, WINDOW_FEATURES, melody_features, window_features
from musegen_lib.metrics.reference import noise_like, shuffle_notes
from musegen_lib.metrics.two_sample import classifier_two_sample, frechet_distance, frechet_floor

RNG = np.random.default_rng(0)
TUNES = list(load_folk_tunes(region="german", part="test"))[:120]
CHORALES = list(load_chorales(part="test"))[:24]


def one_bar_each(pieces):
    """Every bar of pieces, and the piece it comes from."""
    bars = [cut_windows([piece], 1, hop_bars=1) for piece in pieces]
    return [bar for found in bars for bar in found], np.repeat(np.arange(len(pieces)), [len(found) for found in bars])


@pytest.mark.parametrize("classifier", ["logistic", "trees"])
def test_two_draws_of_one_distribution_cannot_be_told_apart_and_a_shift_can(classifier):
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(150, 4)), rng.normal(size=(100, 4))
    blind = classifier_two_sample(a, b, classifier=classifier, n_seeds=2)
    assert blind.accuracy == pytest.approx(0.5, abs=0.09)
    assert 0.01 < blind.standard_error < 0.06
    sighted = classifier_two_sample(a, b + 3, classifier=classifier, n_seeds=2)
    assert sighted.accuracy > 0.97
    assert len(sighted.accuracies) == 2


def test_trees_see_a_combination_that_sums_of_features_cannot():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(400, 2))
    same_sign = x[:, 0] * x[:, 1] > 0
    assert classifier_two_sample(x[same_sign], x[~same_sign], n_seeds=1).accuracy < 0.6
    assert classifier_two_sample(x[same_sign], x[~same_sign], classifier="trees", n_seeds=1).accuracy > 0.9


def test_rows_of_one_piece_do_not_betray_its_other_rows():
    """Each piece has a place of its own that says nothing about its set: by row it is learnt, by piece it is not."""
    rng = np.random.default_rng(3)
    places = rng.normal(size=(40, 3)).repeat(20, axis=0)
    rows, pieces = places + rng.normal(scale=0.05, size=places.shape), np.arange(40).repeat(20)
    real = pieces < 20
    by_row = classifier_two_sample(rows[real], rows[~real], classifier="trees", n_seeds=1)
    by_piece = classifier_two_sample(
        rows[real], rows[~real], pieces[real], pieces[~real], classifier="trees", n_seeds=1
    )
    assert by_row.accuracy > 0.95
    assert by_piece.accuracy < 0.7
    assert by_piece.standard_error > 3 * by_row.standard_error


def test_the_accuracy_is_balanced():
    rng = np.random.default_rng(4)
    lopsided = classifier_two_sample(rng.normal(size=(300, 3)), rng.normal(size=(15, 3)), n_seeds=2)
    assert lopsided.accuracy == pytest.approx(0.5, abs=0.15)


def test_the_seed_spread_is_over_seeds_and_repeats():
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(30, 3)), rng.normal(0.7, size=(30, 3))
    first, second = (classifier_two_sample(a, b, n_seeds=3) for _ in range(2))
    assert first == second
    assert first.seed_spread == pytest.approx(np.std(first.accuracies, ddof=1))
    assert str(first).count("±") == 2


def test_too_few_pieces_and_unknown_classifiers_are_named():
    a = np.zeros((10, 2))
    with pytest.raises(ValueError, match="2 real and 10 fake pieces: 5 of each"):
        classifier_two_sample(a, a, np.arange(10) % 2)
    with pytest.raises(ValueError, match="classifier 'forest' is unknown"):
        classifier_two_sample(a, a, classifier="forest")


def test_real_tunes_are_told_from_shuffled_and_noise_but_not_from_real_tunes():
    real, ids = melody_features(TUNES), np.arange(len(TUNES))
    shuffled = melody_features([shuffle_notes(tune, RNG) for tune in TUNES])
    noise = melody_features([noise_like(tune, RNG) for tune in TUNES])
    half = classifier_two_sample(real[::2], real[1::2], n_seeds=2).accuracy
    scores = [half, *(classifier_two_sample(real, fake, ids, ids, n_seeds=2).accuracy for fake in (shuffled, noise))]
    assert scores[0] < 0.65
    assert 0.9 < scores[1] <= scores[2]
    assert scores[2] > 0.99
    distances = [frechet_distance(real[::2], real[1::2])]
    distances += [frechet_distance(real[::2], fake[::2]) for fake in (shuffled, noise)]
    assert distances[0] * 5 < distances[1] < distances[2]


def test_bars_of_bach_are_told_from_shuffled_notes_but_not_from_bach():
    bars, pieces = one_bar_each(CHORALES)
    real, fake = (window_features(found) for found in (bars, [shuffle_notes(bar, RNG) for bar in bars]))
    even = pieces % 2 == 0
    halves = classifier_two_sample(real[even], real[~even], pieces[even], pieces[~even], "trees", n_seeds=2)
    assert halves.accuracy < 0.62
    assert classifier_two_sample(real, fake, pieces, pieces, "trees", n_seeds=2).accuracy > 0.85


def test_frechet_by_hand_for_a_shift_and_for_a_scale():
    rng = np.random.default_rng(6)
    a = rng.normal(size=(500, 3)) * [1, 10, 100]
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, a + 2 * a.std(axis=0) * [1, 0, 0]) == pytest.approx(4)
    wide = a.mean(axis=0) + 3 * (a - a.mean(axis=0))
    assert frechet_distance(a, wide) == pytest.approx(3 * (3 - 1) ** 2, rel=0.01)  # (3 s - s)^2 in each of 3 columns


def test_frechet_has_no_unit_and_bears_a_constant_column():
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(40, 3)), rng.normal(0.3, size=(30, 3))
    a[:, 2], b[:, 2] = 5, 5
    assert frechet_distance(a * [2, 50, 1], b * [2, 50, 1]) == pytest.approx(frechet_distance(a, b))
    with pytest.raises(ValueError, match="40 and 1 rows"):
        frechet_distance(a, b[:1])


def test_the_floor_of_frechet_falls_with_more_rows():
    real = melody_features(TUNES)
    small, large = (frechet_floor(real, n, np.random.default_rng(0))[0] for n in (20, 60))
    assert small > large > 0
    with pytest.raises(ValueError, match="two sets of 70 need 140"):
        frechet_floor(real, 70, RNG)


def test_features_have_names_and_ignore_the_key():
    up = [tune.transpose(2) for tune in TUNES[:8]]
    rows = melody_features(TUNES[:8])
    assert rows.shape == (8, len(MELODY_FEATURES)) == (8, 44)
    assert melody_features(up) == pytest.approx(rows)
    windows = window_features(CHORALES[:3])
    assert windows.shape == (3, len(WINDOW_FEATURES)) == (3, 103)
    assert window_features([piece.transpose(-3) for piece in CHORALES[:3]]) == pytest.approx(windows)


def test_a_bar_by_hand():
    rows = [(0, 16, 72, 80, 0), (0, 8, 64, 80, 1), (8, 8, 65, 80, 1), (0, 16, 60, 80, 2), (0, 16, 48, 80, 3)]
    row = dict(zip(WINDOW_FEATURES, window_features([Piece.from_notes(rows)])[0].round(6).tolist()))
    assert [row[f"onsets {name}"] for name in ("soprano", "alto")] == [0.25, 0.5]
    assert row["range alto"] == pytest.approx(1 / 12, abs=1e-6)
    assert row["interval class 0"] == 0.5
    assert (row["interval class 4"], row["interval class 5"]) == (0.25, 0.25)
    assert (row["above bass 0"], row["above bass 4"]) == pytest.approx((2 / 3, 1 / 6), abs=1e-6)
    assert row["move second"] == 1


def test_a_melody_by_hand():
    row = dict(zip(MELODY_FEATURES, melody_features([Piece.from_notes([(0, 4, 60), (4, 2, 64), (6, 2, 62)])])[0]))
    assert (row["interval +4"], row["interval -2"], row["interval +0"]) == (0.5, 0.5, 0)
    assert (row["duration 1"], row["duration 0.5"]) == pytest.approx((1 / 3, 2 / 3))
    assert row["on the beat"] == pytest.approx(2 / 3)
    assert (row["notes a beat"], row["turns"], row["key fit"]) == (1.5, 1, 1)


def test_pieces_with_nothing_in_them_have_rows_of_zeros():
    assert not melody_features([Piece.from_notes([])]).any()
    assert melody_features([]).shape == (0, 44)
    assert not window_features([Piece.from_notes([])]).any()


def test_five_pieces_a_set_and_two_rows_a_table_are_enough():
    rows = np.arange(10.0)[:, None]
    assert classifier_two_sample(rows[:5], rows[5:], n_seeds=1).accuracy == 1
    with pytest.raises(ValueError, match="5 real and 4 fake pieces"):
        classifier_two_sample(rows[:5], rows[6:], n_seeds=1)
    assert frechet_distance(np.array([[0.0], [2.0]]), np.array([[1.0], [3.0]])) == pytest.approx(
        1
    )  # means one deviation apart
