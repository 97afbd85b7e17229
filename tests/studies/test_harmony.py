"""The study of harmonised songs: its pieces are what it says, and its floor keeps the voices but not their fit."""

import numpy as np

from data.studies.harmony import N_BARS, N_TUNES, chorales, late, songs
from musegen_lib.encodings.arrays import piece_to_grid
from musegen_lib.metrics.voices import voice_rules


def test_songs_and_chorales_are_twelve_of_eight_bars_at_most():
    for pieces in (songs("chinese"), songs("german"), chorales()):
        assert len(pieces) == N_TUNES
        assert all(piece.metre == "4/4" and piece.n_bars <= N_BARS + 1 for piece in pieces)


def test_late_voices_keep_the_soprano_and_lose_the_chords():
    pieces = chorales()
    moved = [late(piece) for piece in pieces]
    for before, after in zip(pieces, moved, strict=True):
        a, b = np.abs(piece_to_grid(before)), np.abs(piece_to_grid(after, n_steps=before.n_steps))
        assert np.array_equal(a[:, 0], b[:, 0])
        assert np.array_equal(a[:-16, 1:], b[16:, 1:])
    chords = [voice_rules(group)["triads and sevenths"].mean for group in (pieces, moved)]
    assert chords[1] < chords[0] - 20
