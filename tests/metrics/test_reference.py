"""Shuffled and noise: what they keep, what they lose."""

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.encodings.arrays import grid_to_piece, piece_to_grid
from musegen_lib.metrics.histograms import duration_histogram, melodic_intervals, pitch_class_histogram
from musegen_lib.metrics.reference import noise_like, shuffle_frames, shuffle_notes

PIECES = [*load_folk_tunes(part="test")[:20], *load_chorales(part="test")[:5]]
EMPTY = Piece.from_notes([])


@pytest.mark.parametrize("make", [shuffle_notes, noise_like])
def test_the_size_stays_and_the_seed_decides(make):
    for piece in PIECES:
        a, b = (make(piece, np.random.default_rng(3)) for _ in range(2))
        assert a == b
        assert a != piece
        assert (len(a), a.n_voices) == (len(piece), piece.n_voices)
        assert a.n_steps == piece.n_steps or (make is shuffle_notes and a.n_steps < piece.n_steps)  # a rest at the end
        assert a.labels == piece.labels
        for voice in range(piece.n_voices):
            assert len(a.voice(voice)) == len(piece.voice(voice))
    assert make(EMPTY, np.random.default_rng(0)) == EMPTY


def test_shuffled_notes_keep_every_histogram_but_not_the_melody():
    for piece in PIECES:
        shuffled = shuffle_notes(piece, np.random.default_rng(0))
        assert pitch_class_histogram(shuffled) == pytest.approx(pitch_class_histogram(piece))
        assert duration_histogram(shuffled) == pytest.approx(duration_histogram(piece))
        assert np.abs(melodic_intervals(shuffled)).sum() > np.abs(melodic_intervals(piece)).sum()


def test_a_voice_with_chords_can_be_shuffled_and_replaced_by_noise():
    piece = Piece.from_notes([(0, 4, 60), (0, 4, 64), (0, 4, 67), (2, 4, 72), (6, 1, 60)])
    for seed in range(20):
        shuffled = shuffle_notes(piece, np.random.default_rng(seed))
        assert sorted(set(shuffled.notes["pitch"].tolist())) == [60, 64, 67, 72]  # the two C may fall together
        assert len(noise_like(piece, np.random.default_rng(seed))) == 5


def test_shuffled_frames_keep_the_chords_and_read_back():
    for piece in PIECES[-5:]:
        grid = piece_to_grid(piece)
        shuffled = shuffle_frames(grid, np.random.default_rng(0))
        rows = [sorted(map(tuple, np.abs(g).tolist())) for g in (grid, shuffled)]
        assert rows[0] == rows[1]
        assert (np.abs(piece_to_grid(grid_to_piece(shuffled), len(grid))) == np.abs(shuffled)).all()
        assert (piece_to_grid(grid_to_piece(shuffled), len(grid)) == shuffled).all()


def test_noise_stays_inside_the_range_and_the_span_of_its_voice():
    for piece in PIECES:
        noise = noise_like(piece, np.random.default_rng(0))
        for voice in range(piece.n_voices):
            real, fake = piece.voice(voice).notes, noise.voice(voice).notes
            assert real["pitch"].min() <= fake["pitch"].min() <= fake["pitch"].max() <= real["pitch"].max()
            assert fake["onset_steps"][0] == real["onset_steps"][0]
            assert fake["duration_steps"].sum() == piece.voice(voice).n_steps - real["onset_steps"][0]


def test_noise_in_more_notes_than_steps_fills_every_step():
    cluster = Piece.from_notes([(0, 2, pitch) for pitch in range(60, 66)])
    assert noise_like(cluster, np.random.default_rng(0)).notes["onset_steps"].tolist() == [0, 1]
