"""Songs as rows of eighths come back as they were, in C."""

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.song_tokens import song_to_tokens, song_windows, tokens_to_song

TUNE = [(0, 4, 62), (4, 2, 66), (6, 2, 69), (12, 4, 74)]  # D, F sharp, A, a rest, D


@pytest.mark.parametrize(("key", "shift"), [("D major", -2), ("C major", 0), ("A minor", 3)])
def test_a_song_comes_back_in_c(key, shift):
    row = song_to_tokens(Piece.from_notes(TUNE, metre="4/4", key=key))
    assert len(row) == 8
    back = tokens_to_song(row)
    assert [note[:3] for note in back.notes.tolist()] == [(on, length, pitch + shift) for on, length, pitch in TUNE]


def test_a_pickup_is_left_out_and_the_last_bar_filled_with_rests():
    piece = Piece.from_notes([(0, 4, 60), (4, 16, 62), (20, 4, 64)], metre="4/4", key="C major", pickup_steps=4)
    assert song_to_tokens(piece).tolist() == [22, *[0] * 7, 24, 0, *[1] * 6]


def test_a_hold_without_a_note_is_a_rest():
    assert len(tokens_to_song([0, 0, 22, 0, 1, 0, 1, 1])) == 1


def test_windows_begin_every_four_bars_and_leave_out_what_does_not_fit():
    long = Piece.from_notes([(2 * i, 2, 60 + i % 5) for i in range(8 * 12)], metre="4/4", key="C major")
    odd = [long.replace(metre="3/4"), Piece.from_notes([(1, 2, 60)] * 1, metre="4/4", key="C major")]
    rows = song_windows([long, *odd])
    assert rows.shape == (2, 64)
    assert np.array_equal(rows[0][32:], rows[1][:32])
    assert song_windows(odd).shape == (0, 64)
