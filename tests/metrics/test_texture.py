"""Tonality and texture of pieces, by hand; empty pieces; what transposing and a finer grid leave alone."""

import math

import numpy as np
import pytest

from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.metrics.texture import (
    empty_bars_rate,
    empty_beats_rate,
    groove_consistency,
    groove_similarity,
    onset_pattern,
    polyphony,
    polyphony_rate,
    qualified_note_rate,
)
from musegen_lib.metrics.tonality import (
    key_fit,
    pitch_class_entropy,
    pitch_entropy,
    scale_consistency,
    tonal_centroid,
    tonal_distance,
)

EMPTY = Piece.from_notes([])
TUNE = Piece.from_notes([(0, 4, 60), (4, 2, 64), (6, 2, 67), (8, 8, 72), (16, 8, 59), (26, 2, 66)])
MEASURES = [
    *(key_fit, scale_consistency, pitch_class_entropy, pitch_entropy),
    *(groove_consistency, groove_similarity, polyphony, polyphony_rate),
    *(empty_bars_rate, empty_beats_rate, qualified_note_rate),
]


def finer(piece, times=2):
    notes = piece.notes.copy()
    notes["onset_steps"] *= times
    notes["duration_steps"] *= times
    return piece.replace(notes=notes, steps_per_beat=times * piece.steps_per_beat)


@pytest.mark.parametrize("measure", MEASURES)
def test_an_empty_piece_has_no_value(measure):
    assert math.isnan(measure(EMPTY))


@pytest.mark.parametrize("measure", MEASURES)
def test_transposing_changes_nothing(measure):
    assert measure(TUNE.transpose(5)) == pytest.approx(measure(TUNE))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_finer_grid_changes_groove_only(measure):
    if measure in (groove_consistency, groove_similarity):
        assert measure(finer(TUNE)) > measure(TUNE)
    else:
        assert measure(finer(TUNE)) == pytest.approx(measure(TUNE))


def test_scale_is_by_note_and_key_fit_by_time():
    piece = Piece.from_notes([(0, 4, 60), (4, 4, 62), (8, 4, 64), (12, 20, 61)])
    assert scale_consistency(piece) == 0.75
    assert key_fit(piece) == 28 / 32  # A major holds C#, D and E


def test_all_keys_fit_their_own_scale_and_the_chromatic_scale_fits_seven_twelfths():
    for steps in ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9)):
        assert scale_consistency(Piece.from_notes([(i, 1, 65 + s) for i, s in enumerate(steps)])) == 1
    assert scale_consistency(Piece.from_notes([(i, 1, 60 + i) for i in range(12)])) == pytest.approx(7 / 12)


def test_entropy_counts_evenness_in_bits():
    assert pitch_class_entropy(Piece.from_notes([(i, 1, 60 + i) for i in range(12)])) == pytest.approx(math.log2(12))
    octaves = Piece.from_notes([(0, 1, 48), (1, 1, 60), (2, 1, 72), (3, 1, 84)])
    assert (pitch_class_entropy(octaves), pitch_entropy(octaves)) == (0, 2)


def test_tonal_distance_of_one_note_to_another():
    def apart(semitones):
        return tonal_distance(Piece.from_notes([(0, 4, 60)]), Piece.from_notes([(0, 4, 60 + semitones)]))

    assert [round(apart(k), 2) for k in (0, 1, 4, 6, 7, 12)] == [0, 2.55, 1.94, 2.83, 1.74, 0]
    assert apart(6) == pytest.approx(2 * math.sqrt(2))
    assert apart(5) == pytest.approx(apart(7))


def test_tonal_distance_compares_beats_in_which_both_sound():
    part = Piece.from_notes([(0, 4, 60), (8, 4, 60)])
    other = Piece.from_notes([(0, 4, 67), (4, 4, 66)])
    assert tonal_distance(part, other) == pytest.approx(1.737, abs=1e-3)
    assert math.isnan(tonal_distance(part, EMPTY))
    assert tonal_distance(part.transpose(1), other.transpose(1)) == pytest.approx(tonal_distance(part, other))
    with pytest.raises(ValueError, match=r"has 4 steps a beat, .* has 8"):
        tonal_distance(part, finer(other))


def test_tonal_distance_counts_beats_from_the_bar_lines():
    part, other = [(0, 2, 60), (2, 4, 62)], [(0, 2, 60), (2, 4, 62)]
    shifted = [Piece.from_notes(rows, pickup_steps=2) for rows in (part, [(0, 2, 67), *other[1:]])]
    assert tonal_distance(*shifted) == pytest.approx(1.737 / 2, abs=1e-3)  # beat one a fifth apart, beat two alike


def test_silence_has_no_place_in_tonal_space():
    assert np.isnan(tonal_centroid(np.zeros(12))).all()
    assert tonal_centroid(np.ones(12)) == pytest.approx(np.zeros(6))


def test_groove_of_like_and_unlike_bars():
    march = [(bar * 16 + beat * 4, 4, 60) for bar in range(3) for beat in range(4)]
    assert groove_consistency(Piece.from_notes(march)) == groove_similarity(Piece.from_notes(march)) == 1
    odd = Piece.from_notes([*march[:8], (32, 2, 60), (34, 14, 60)])  # bar 3 lacks three strikes and has one more
    assert groove_consistency(odd) == pytest.approx(1 - 4 / (2 * 16))
    assert groove_similarity(odd) == pytest.approx(1 - (0 + 4 + 4) / (3 * 16))
    assert math.isnan(groove_consistency(Piece.from_notes(march[:4])))


def test_groove_similarity_hears_distant_bars_where_consistency_does_not():
    bars = [[0], [0, 8], [0, 8], [0]]
    piece = Piece.from_notes([(16 * i + step, 1, 60) for i, bar in enumerate(bars) for step in bar])
    pattern = onset_pattern(piece)
    pairs = [(pattern[i] != pattern[j]).mean() for i in range(4) for j in range(i)]
    assert groove_similarity(piece) == pytest.approx(1 - np.mean(pairs))


def test_a_pickup_is_no_bar():
    piece = Piece.from_notes([(0, 4, 67), (4, 16, 60), (20, 16, 60)], pickup_steps=4)
    assert onset_pattern(piece).sum(axis=1).tolist() == [1, 1]
    assert groove_consistency(piece) == 1


def test_polyphony_counts_pitches_not_voices():
    unison = Piece.from_notes([(0, 4, 60), (0, 4, 60, 80, 1), (4, 4, 64)])
    assert (polyphony(unison), polyphony_rate(unison)) == (1, 0)
    triad = Piece.from_notes([(0, 2, 60), (0, 2, 64), (0, 1, 67), (3, 1, 60)])
    assert polyphony(triad) == pytest.approx(6 / 3)
    assert [polyphony_rate(triad, n) for n in (1, 2, 3, 4)] == [0.75, 0.5, 0.25, 0]


def test_silence_in_bars_and_beats():
    piece = Piece.from_notes([(0, 4, 60), (36, 4, 60)])
    assert empty_bars_rate(piece) == pytest.approx(1 / 3)
    assert empty_beats_rate(piece) == pytest.approx(8 / 10)
    drummed = Piece.from_notes([(0, 4, 60), (16, 1, 36, 80, 1), (36, 4, 60)], programs=(0, DRUMS))
    assert empty_bars_rate(drummed) == 0
    assert polyphony(drummed) == 1


def test_qualified_notes_are_a_32nd_or_longer_on_any_grid():
    fine = Piece.from_notes([(0, 2, 60), (2, 3, 60), (5, 24, 60)], steps_per_beat=24)
    assert qualified_note_rate(fine) == pytest.approx(2 / 3)
    assert qualified_note_rate(TUNE) == 1  # a sixteenth is long enough
    assert qualified_note_rate(TUNE, shortest_beats=1.0) == pytest.approx(3 / 6)
