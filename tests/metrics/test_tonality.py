import math

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.metrics.tonality import key_fit


def melody(pitches, durations=None):
    durations = durations or [1] * len(pitches)
    onsets = np.cumsum([0, *durations])[:-1].tolist()
    return Piece.from_notes(zip(onsets, durations, pitches))


@pytest.mark.parametrize(
    ("scale", "pitches"),
    [
        ("E major", [64, 66, 68, 69, 71, 73, 75]),
        ("A natural minor", [57, 59, 60, 62, 64, 65, 67]),
        ("D dorian", [62, 64, 65, 67, 69, 71, 72]),
        ("F# pentatonic", [66, 68, 70, 73, 75]),
        ("one note", [61]),
    ],
)
def test_a_piece_in_one_key_fits_it_wholly(scale, pitches):
    assert key_fit(melody(pitches)) == pytest.approx(1)


def test_twelve_even_pitch_classes_fit_seven_twelfths():
    assert key_fit(melody(list(range(60, 72)))) == pytest.approx(7 / 12)


def test_harmonic_minor_leaves_one_note_of_seven_outside():
    assert key_fit(melody([57, 59, 60, 62, 64, 65, 68])) == pytest.approx(6 / 7)


def test_notes_weigh_as_long_as_they_last():
    # no diatonic scale holds C, C# and D; the best one drops the shortest of them
    assert key_fit(melody([60, 61, 62], [6, 1, 3])) == pytest.approx(9 / 10)
    assert key_fit(melody([60, 61, 62], [1, 6, 3])) == pytest.approx(9 / 10)


def test_transposing_and_octaves_change_nothing():
    piece = melody([60, 61, 64, 66, 67, 71, 70], [3, 1, 4, 1, 5, 9, 2])
    fit = key_fit(piece)
    assert 7 / 12 < fit < 1
    assert [key_fit(piece.transpose(n)) for n in range(-12, 13)] == pytest.approx([fit] * 25)


def test_no_notes_have_no_key():
    assert math.isnan(key_fit(melody([])))


def test_real_music_fits_far_better_than_notes_drawn_evenly():
    noise = np.random.default_rng(0).integers(48, 90, (50, 60)).tolist()
    drawn = np.mean([key_fit(melody(pitches)) for pitches in noise])
    tunes = load_folk_tunes(region="chinese")[:100]
    assert np.mean([key_fit(piece) for piece in tunes]) > 0.97
    assert np.mean([key_fit(piece) for piece in load_chorales()[:50]]) > 0.85
    assert 7 / 12 < drawn < 0.75
