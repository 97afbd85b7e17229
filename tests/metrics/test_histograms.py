"""Counts of pitches, intervals, durations and bars, by hand."""

import numpy as np
import pytest

from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.metrics.histograms import (
    bar_starts,
    duration_histogram,
    inter_onset_intervals,
    interval_histogram,
    mean_inter_onset_interval,
    melodic_intervals,
    n_pitch_classes_used,
    n_pitches_used,
    notes_per_bar,
    pitch_class_histogram,
    pitch_classes_per_bar,
    pitch_range,
)

EMPTY = Piece.from_notes([])
TUNE = Piece.from_notes([(0, 4, 60), (4, 2, 64), (6, 2, 67), (8, 8, 72), (16, 16, 59)])
CHORDS = Piece.from_notes([(0, 4, 60), (0, 4, 64), (0, 4, 67), (4, 4, 62), (4, 4, 65)])
DRUMMED = Piece.from_notes([(0, 4, 60), (4, 4, 62), (0, 1, 36, 80, 1), (8, 1, 36, 80, 1)], programs=(0, DRUMS))
HISTOGRAMS = [pitch_class_histogram, duration_histogram, interval_histogram]


def test_pitch_classes_are_counted_by_note():
    assert pitch_class_histogram(TUNE)[[0, 4, 7, 11]] == pytest.approx([0.4, 0.2, 0.2, 0.2])


def test_durations_fall_in_the_nearest_class_by_ratio():
    assert duration_histogram(TUNE)[[0, 2, 5, 8]] == pytest.approx([0.2, 0.2, 0.2, 0.4])
    triplet = Piece.from_notes([(0, 4, 60), (4, 4, 62), (8, 4, 64)], steps_per_beat=12)
    assert duration_histogram(triplet)[10] == 1
    assert duration_histogram(Piece.from_notes([(0, 64, 60)]))[0] == 1  # four whole notes long: still "whole"


def test_intervals_run_inside_a_voice_over_rests_and_along_the_top_of_chords():
    assert melodic_intervals(TUNE).tolist() == [4, 3, 5, -13]
    assert melodic_intervals(CHORDS).tolist() == [-2]
    voices = Piece.from_notes([(0, 4, 72), (8, 4, 74), (0, 4, 48, 80, 1), (4, 4, 43, 80, 1)])
    assert melodic_intervals(voices).tolist() == [2, -5]


def test_wide_intervals_count_as_an_octave():
    assert interval_histogram(TUNE)[[0, 12 + 3, 12 + 4, 12 + 5]].tolist() == [0.25] * 4


def test_onsets_of_a_chord_are_one_moment():
    assert inter_onset_intervals(CHORDS).tolist() == [1.0]
    assert mean_inter_onset_interval(TUNE) == pytest.approx((1 + 0.5 + 0.5 + 2) / 4)


def test_ranges_and_used_pitches():
    assert (pitch_range(TUNE), n_pitches_used(TUNE), n_pitch_classes_used(TUNE)) == (13, 5, 4)


def test_bars_leave_out_a_pickup_and_count_the_last_as_full():
    piece = Piece.from_notes([(0, 4, 67), (4, 4, 60), (8, 4, 64), (20, 8, 60)], pickup_steps=4)
    assert bar_starts(piece).tolist() == [4, 20]
    assert notes_per_bar(piece).tolist() == [2, 1]
    assert pitch_classes_per_bar(piece).tolist() == [2, 1]
    assert notes_per_bar(piece.replace(metre=None)).tolist() == []


def test_a_held_note_sounds_in_every_bar_it_reaches_but_is_struck_once():
    piece = Piece.from_notes([(0, 33, 60), (16, 4, 64)])
    assert notes_per_bar(piece).tolist() == [1, 1, 0]
    assert pitch_classes_per_bar(piece).tolist() == [1, 2, 1]


def test_percussion_has_no_pitch_but_strikes():
    assert pitch_range(DRUMMED) == 2
    assert n_pitches_used(DRUMMED) == 2
    assert melodic_intervals(DRUMMED).tolist() == [2]
    assert notes_per_bar(DRUMMED).tolist() == [4]
    assert inter_onset_intervals(DRUMMED).tolist() == [1, 1]


@pytest.mark.parametrize("histogram", HISTOGRAMS)
def test_histograms_sum_to_one_and_are_nan_when_empty(histogram):
    assert histogram(TUNE).sum() == pytest.approx(1)
    assert np.isnan(histogram(EMPTY)).all()


def test_empty_pieces_count_nothing():
    assert np.isnan(pitch_range(EMPTY))
    assert np.isnan(mean_inter_onset_interval(EMPTY))
    assert (n_pitches_used(EMPTY), n_pitch_classes_used(EMPTY)) == (0, 0)
    for values in (melodic_intervals, inter_onset_intervals, notes_per_bar, pitch_classes_per_bar):
        assert values(EMPTY).tolist() == []


def test_transposition_rolls_the_pitch_classes_and_leaves_the_rest_alone():
    up = TUNE.transpose(3)
    assert pitch_class_histogram(up) == pytest.approx(np.roll(pitch_class_histogram(TUNE), 3))
    for measure in (
        duration_histogram,
        interval_histogram,
        notes_per_bar,
        pitch_classes_per_bar,
        inter_onset_intervals,
    ):
        assert measure(up).tolist() == measure(TUNE).tolist()
    assert (pitch_range(up), n_pitches_used(up)) == (pitch_range(TUNE), n_pitches_used(TUNE))
