"""Clefs: each voice in that of its place, and no staff far from its notes."""

import numpy as np

from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.musicxml.clefs import choose_clefs
from musegen_lib.formats.musicxml.reader import piece_to_music21


def test_voices_get_the_clef_of_their_range():
    rows = [(0, 4, 72), (0, 4, 62, 80, 1), (0, 4, 55, 80, 2), (4, 4, 52, 80, 2), (8, 4, 60, 80, 2), (0, 4, 45, 80, 3)]
    parts = piece_to_music21(Piece.from_notes(rows)).parts
    assert [part.recurse().getElementsByClass("Clef").first().name for part in parts] == [
        "treble",
        "treble",
        "treble8vb",
        "bass",
    ]


def test_hands_of_a_pianist_get_treble_and_bass():
    hands = [(0, 4, 55), (0, 4, 67), (0, 4, 53, 80, 1), (0, 4, 60, 80, 1)]
    parts = piece_to_music21(Piece.from_notes([(0, 4, 50), *hands])).parts
    assert [part.recurse().getElementsByClass("Clef").first().name for part in parts] == ["bass", "bass"]
    parts = piece_to_music21(Piece.from_notes(hands)).parts
    assert [part.recurse().getElementsByClass("Clef").first().name for part in parts] == ["treble", "bass"]


def clefs(*pitches, **labels):
    """The clef of each of several voices, of which each sings one long note or several, one after the other."""
    rows = [
        (16 * at, 16, pitch, 80, voice) for voice, line in enumerate(pitches) for at, pitch in enumerate(np.ravel(line))
    ]
    return choose_clefs(Piece.from_notes(rows, **labels))


def test_four_voices_stand_in_the_clefs_of_a_choir_high_or_low_as_they_lie():
    choir = ["treble", "treble", "treble8vb", "bass"]
    assert clefs(72, 65, 57, 45) == choir
    assert clefs(60, 59, 66, 62) == choir
    assert clefs(76, 71, 69, 67) == ["treble"] * 4  # four violins
    assert clefs(45, 65, 57, 48)[0] == "bass"  # below the second ledger line of its place
    assert clefs(72, 65, 57, 45, 38, programs=(0, 0, 0, 0, DRUMS)) == [*choir, "percussion"]


def test_the_lower_of_two_voices_has_a_bass_clef_unless_it_lies_high_or_both_are_equal():
    assert clefs(64, [57, 52]) == ["treble", "bass"]
    assert clefs(74, [57, 52, 60]) == ["treble", "bass"]
    assert clefs(76, 64) == ["treble", "treble"]
    assert clefs([60, 54], [60, 52]) == ["treble8vb", "treble8vb"]
    assert clefs([58, 54], [57, 52]) == ["treble8vb", "treble8vb"]  # alone the lower would have a bass clef
