"""Two voices on eight eighths: the way to rows and back, playing, baselines, features; on bars written by hand."""

import numpy as np
import pytest

from musegen_lib.models.gan import outer_voices as tv

BAR = np.array([[[72, 48], [72, 48], [74, 50], [76, 50], [77, 53], [77, 53], [76, 48], [76, 48]]])
OTHER = BAR + 2


def test_rows_and_back():
    rows = tv.bars_to_rows(BAR)
    assert rows.shape == (1, 8, 65)
    assert rows.sum() == 16
    assert (tv.rows_to_bars(rows) == BAR).all()


def test_notes_are_struck_on_beats_and_where_the_pitch_changes():
    notes = tv.bars_to_piece(BAR).notes
    soprano = notes[notes["voice"] == 0]
    assert soprano["onset_steps"].tolist() == [0, 4, 6, 8, 12]
    assert soprano["duration_steps"].tolist() == [4, 2, 2, 4, 4]
    assert soprano["pitch"].tolist() == [72, 74, 76, 77, 76]


def test_shuffled_bars_keep_their_pitches_and_lose_their_order():
    mixed = tv.shuffle_bars(np.repeat(BAR, 20, axis=0), np.random.default_rng(0))
    assert (np.sort(mixed, axis=1) == np.sort(BAR, axis=1)).all()
    assert (mixed != BAR).any(axis=(1, 2)).all()


def test_a_chain_that_has_seen_one_bar_recites_it():
    drawn = tv.chain_of_pairs(BAR, 3, np.random.default_rng(0))
    assert (drawn == BAR).all()
    assert tv.copied_bars(drawn, BAR) == 1


def test_a_chain_only_takes_steps_that_it_has_seen():
    both = np.concatenate([BAR, OTHER])
    seen = {(a, b) for bar in both.tolist() for a, b in zip(map(tuple, bar), map(tuple, bar[1:]))}
    drawn = tv.chain_of_pairs(both, 20, np.random.default_rng(1)).tolist()
    assert {(a, b) for bar in drawn for a, b in zip(map(tuple, bar), map(tuple, bar[1:]))} <= seen


def test_features_can_be_counted_by_hand():
    (row,) = tv.two_voice_features(BAR)
    assert len(row) == 25
    assert row[:12].sum() == pytest.approx(1)
    assert row[12:16].tolist() == pytest.approx([3 / 7, 4 / 7, 0, 0])  # soprano: stays 3 times, four seconds
    assert row[20:22].tolist() == [5, 5]  # ranges
    assert row[22:24].tolist() == [1 / 4, 0]  # one move off the beat, in the soprano
    assert row[24] == pytest.approx(1 / 7)  # C-C to D-D: octaves in parallel


def test_copies_are_exact():
    assert tv.copied_bars(np.concatenate([BAR, OTHER]), BAR) == 0.5


def test_mixed_bars_take_each_line_whole_from_some_bar():
    both = np.concatenate([BAR, OTHER])
    mixed = tv.mix_bars(both, 2, np.random.default_rng(0))
    for voice in (0, 1):
        lines = {tuple(line) for line in both[..., voice].tolist()}
        assert {tuple(line) for line in mixed[..., voice].tolist()} == lines


def test_the_cheat_changes_one_place_at_most_and_leaves_the_training_bars_alone():
    both = np.concatenate([BAR, OTHER])
    kept = both.copy()
    changed = tv.change_one_note(both, 2, np.random.default_rng(3))
    assert (both == kept).all()
    assert all(min((bar != other).sum() for other in both) <= 1 for bar in changed)
