"""Content measures by hand: unchanged is 1, one changed note counts once, other rhythm loses its notes."""

import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.metrics.content import chroma_similarity, content_report, contour_kept, notes_kept, rhythm_kept

TUNE = Piece.from_notes([(0, 4, 60), (4, 4, 62), (8, 4, 64), (12, 4, 60)])


def changed(*pitches):
    return Piece.from_notes([(4 * k, 4, pitch) for k, pitch in enumerate(pitches)])


@pytest.mark.parametrize("piece", [TUNE, Piece.from_notes([]), Piece.from_notes([(0, 4, 60)])])
def test_an_unchanged_piece_keeps_everything(piece):
    assert list(content_report(piece, piece).values()) == pytest.approx([1.0] * 4)


def test_one_changed_note_of_four():
    other = changed(60, 62, 65, 60)
    assert (notes_kept(TUNE, other), contour_kept(TUNE, other), rhythm_kept(TUNE, other)) == (0.75, 1.0, 1.0)
    assert contour_kept(TUNE, changed(60, 62, 61, 60)) == pytest.approx(2 / 3)


def test_transposed_keeps_contour_and_rhythm_but_no_note():
    up = TUNE.transpose(1)
    assert (notes_kept(TUNE, up), contour_kept(TUNE, up), rhythm_kept(TUNE, up)) == (0, 1, 1)
    assert chroma_similarity(TUNE, up) == 0


def test_octaves_are_the_same_chroma_and_the_grid_does_not_matter():
    assert chroma_similarity(TUNE, TUNE.transpose(12)) == pytest.approx(1)
    fine = Piece.from_notes([(8 * k, 8, p) for k, p in enumerate([60, 62, 64, 60])], steps_per_beat=8)
    assert list(content_report(TUNE, fine).values()) == pytest.approx([1.0] * 4)


def test_a_piece_that_falls_silent_loses_its_second_half():
    half = Piece.from_notes([(0, 4, 60), (4, 4, 62)])
    assert notes_kept(TUNE, half) == rhythm_kept(TUNE, half) == 0.5
    assert chroma_similarity(TUNE, half) < 0.7
