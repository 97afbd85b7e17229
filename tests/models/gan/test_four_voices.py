"""Four voices on eighths: what goes in comes back, and each measure finds what it is to find."""

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.models.gan import four_voices as four

CHORD = np.tile([72, 67, 64, 48], (1, 8, 1))


@pytest.fixture(scope="module")
def held_out():
    return four.four_voices("valid")


def test_bars_sing_in_all_voices_and_one_hot_rows_read_back(held_out):
    bars, works = held_out
    assert bars.shape == (len(works), 8, 4)
    assert bars.min() > 0
    rows = four.to_one_hot(bars[:50])
    assert rows.shape == (50, 8, 4, 52)
    assert (rows.sum(dim=-1) == 1).all()
    assert (four.from_one_hot(rows) == bars[:50]).all()


def test_a_bar_is_played_with_a_note_on_each_beat_and_where_the_pitch_changes():
    bar = CHORD.copy()
    bar[0, 3, 0] = 74
    (piece,) = four.eighths_to_pieces(bar)
    assert len(piece) == 17
    assert (6, 2, 74, 80, 0) in [tuple(note) for note in piece.notes.tolist()]


def test_the_measures_on_a_chord_and_on_a_cluster():
    assert four.consonant_share(CHORD) == pytest.approx(5 / 6)  # soprano and alto are a fourth apart
    cluster = np.tile([62, 61, 60, 59], (1, 8, 1))
    assert four.consonant_share(cluster) == pytest.approx(1 / 6)  # the outer voices are a third apart
    assert four.small_moves(CHORD) == 1
    jump = CHORD.copy()
    jump[0, 4:, 3] -= 12
    assert four.small_moves(jump) == pytest.approx(27 / 28)


def test_one_moved_note_is_close_to_the_copy_and_no_copy():
    pieces = four.eighths_to_pieces(np.concatenate([CHORD, CHORD - 3]))
    moved = four.move_one_note(pieces, np.random.default_rng(0))
    assert [len(piece) for piece in moved] == [16, 16]
    changed = [np.flatnonzero(a.notes["pitch"] != b.notes["pitch"]) for a, b in zip(pieces, moved)]
    assert [len(places) for places in changed] == [1, 1]
    assert four.closest_share(pieces, pieces) == 1
    assert four.closest_share(moved, pieces) == pytest.approx(60 / 64)
    assert isinstance(moved[0], Piece)
