"""The twelve diatonic scales: which one holds a melody, and what it is called."""

import pytest

from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.core.scales import best_scale, name_key, scale_of_key


def tune(*pitches, **labels):
    return Piece.from_notes([(2 * i, 2, pitch) for i, pitch in enumerate(pitches)], **labels)


@pytest.mark.parametrize(
    ("key", "scale"),
    [
        ("Eb major", 3),
        ("C minor", 3),
        ("A dorian", 7),
        ("D mixolydian", 7),
        ("B phrygian", 7),
        ("E yu", 7),
        ("D zhi", 7),
    ],
)
def test_keys_with_the_same_notes_have_one_scale(key, scale):
    assert scale_of_key(key) == scale


def test_an_unknown_key_has_no_scale():
    assert scale_of_key("H major") is None
    assert scale_of_key("") is None


def test_the_notes_decide_then_the_key_then_the_last_note():
    assert best_scale(tune(60, 62, 64, 66, 67, 71), "C major") == 7
    assert [best_scale(tune(60, 62, 64, 67, 69, 60), key) for key in ("C major", "F major", "G major")] == [0, 5, 7]
    assert best_scale(tune(60, 62, 64, 67, 69, 60), "E major") == 0
    assert best_scale(tune(60, 62, 64, 67, 69, 67)) == 7


def test_percussion_has_no_scale():
    with_drums = Piece.from_notes([(0, 1, 60), (0, 90, 61, 80, 1), (1, 1, 62), (2, 1, 64)], programs=(0, DRUMS))
    assert best_scale(with_drums) == best_scale(tune(60, 62, 64))


def test_the_last_note_names_the_mode_on_a_scale():
    assert [name_key(2, final) for final in (62, 71, 64, 69, 66)] == [
        "D major", "B minor", "E dorian", "A mixolydian", "D major"
    ]  # fmt: skip
