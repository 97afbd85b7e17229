"""Overlap and divergence of distributions, and the comparison of sets of Yang and Lerch."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from musegen_lib.corpus import load_folk_tunes
from musegen_lib.metrics.histograms import pitch_class_histogram
from musegen_lib.metrics.overlap import (
    compare_sets,
    histogram_overlap,
    inter_set_distances,
    intra_set_distances,
    kde_kl,
    kl_divergence,
    overlapping_area,
)
from musegen_lib.metrics.reference import noise_like

NOTHING = np.zeros(0)


def test_histograms_overlap_from_none_to_all():
    assert histogram_overlap(np.array([1, 0]), np.array([0, 5])) == 0
    assert histogram_overlap(np.array([1, 3]), np.array([2, 6])) == 1
    assert math.isnan(histogram_overlap(np.zeros(2), np.ones(2)))


def test_a_negative_histogram_is_refused():
    with pytest.raises(ValueError, match="no negative cells, this one has -1"):
        histogram_overlap(np.array([-1, 2]), np.array([1, 1]))


def test_kl_by_hand():
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    assert kl_divergence(p, q) == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    assert kl_divergence(p, p) == 0
    assert kl_divergence(p, np.array([1.0, 0.0])) == math.inf
    assert kl_divergence(np.array([1, 0]), np.array([0, 1]), pseudo_count=1.0) == pytest.approx(math.log(2) / 3)
    assert math.isnan(kl_divergence(np.zeros(2), q))


def test_densities_agree_with_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=80), rng.normal(1.0, 2.0, size=60)
    f, g = stats.gaussian_kde(a), stats.gaussian_kde(b)
    area = integrate.quad(lambda x: min(f(x)[0], g(x)[0]), -12, 14, limit=200)[0]
    kl = integrate.quad(lambda x: f(x)[0] * np.log(f(x)[0] / g(x)[0]), -5, 5, limit=200)[0]
    assert overlapping_area(a, b) == pytest.approx(area, abs=0.002)
    assert kde_kl(a, b) == pytest.approx(kl, abs=0.01)


def test_area_of_equal_apart_constant_and_empty_samples():
    a = np.array([1.0, 2.0, 4.0])
    assert overlapping_area(a, a) == pytest.approx(1)
    assert overlapping_area(a, a + 1000) < 1e-6
    assert overlapping_area(np.ones(3), np.ones(5)) == 1
    assert overlapping_area(np.ones(3), np.full(5, 2.0)) < 1e-6
    assert 0 < overlapping_area(np.array([2.0]), a) < 0.1  # a spike under a hill
    assert math.isnan(overlapping_area(NOTHING, a))
    assert math.isnan(kde_kl(a, NOTHING))
    assert kde_kl(a, a) == pytest.approx(0)


def test_area_is_symmetric_and_has_no_unit():
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=30), rng.gamma(2.0, size=40)
    assert overlapping_area(a, b) == pytest.approx(overlapping_area(b, a))
    assert overlapping_area(a, b) == pytest.approx(overlapping_area(60 * a + 5, 60 * b + 5), abs=1e-6)


def test_distances_inside_and_between_sets():
    a, b = np.array([0.0, 1.0, 3.0]), np.array([1.0, 5.0])
    assert sorted(intra_set_distances(a)) == [1, 2, 3]
    assert sorted(inter_set_distances(a, b)) == [0, 1, 2, 2, 4, 5]
    assert intra_set_distances(np.array([[0, 0], [3, 4]])).tolist() == [5]


def test_real_tunes_lie_nearer_to_real_tunes_than_noise_does():
    tunes, rng = list(load_folk_tunes(region="german", part="test"))[:160], np.random.default_rng(0)
    real = np.stack([pitch_class_histogram(tune) for tune in tunes])
    noise = np.stack([pitch_class_histogram(noise_like(tune, rng)) for tune in tunes[1::2]])
    same, other = compare_sets(real[::2], real[1::2]), compare_sets(real[::2], noise)
    assert same.overlap > 0.9 > other.overlap
    assert same.kl < 0.05 < other.kl


def test_pieces_without_the_feature_are_left_out():
    a, b = np.array([1.0, 2.0, 4.0, np.nan]), np.array([1.0, np.nan])
    assert compare_sets(a, b) == compare_sets(a[:3], b[:1])
