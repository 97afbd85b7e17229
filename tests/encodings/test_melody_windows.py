"""Two bars of melody as 32 tokens: cutting, keys, playability, foreign pieces."""

import numpy as np
import pytest

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.corpus import load_folk_tunes, windows
from musegen_lib.encodings.arrays import FIRST_PITCH, HOLD, MELODY_HIGH, MELODY_LOW, REST, piece_to_tokens
from musegen_lib.encodings.melody_events import is_playable
from musegen_lib.encodings.melody_windows import (
    WINDOW_STEPS,
    cut_windows,
    held_out_windows,
    home_shift,
    is_among,
    make_playable,
    piece_to_window,
    training_windows,
    tune_to_windows,
    window_to_piece,
    windows_to_piece,
)
from musegen_lib.models.vae.batches import WindowBatches, windows_in_batches

TUNE = [(0, 4, 60), (4, 4, 64), (8, 8, 67), (16, 12, 72), (28, 8, 71), (36, 28, 67)]


def window(*notes):
    return piece_to_tokens(Piece.from_notes(notes), WINDOW_STEPS)


def test_windows_are_those_that_excerpts_of_bars_give():
    tunes = load_folk_tunes(part="valid")
    chosen = tunes.select(np.isin(tunes.column("metre"), ("4/4", "2/2")) & (tunes.column("grid") == 4))[:40]
    found = cut_windows(chosen)
    expected = [piece_to_tokens(piece, WINDOW_STEPS) for piece in windows(chosen, 2)]
    expected = np.stack([tokens for tokens in expected if (tokens >= FIRST_PITCH).any()])
    shifts = np.array([home_shift(chosen[number]) for number in found.tunes.tolist()])
    assert np.array_equal(found.tokens, np.where(expected >= FIRST_PITCH, expected + shifts[:, None], expected))
    assert len(found) > 100
    assert found.titles[0] == chosen[int(found.tunes[0])].title


def test_a_note_that_began_before_a_window_is_struck_at_its_start_and_a_rest_stays_a_rest():
    held = tune_to_windows(Piece.from_notes([(0, 36, 60), (36, 28, 62)]))
    assert held[1, :5].tolist() == [14, HOLD, HOLD, HOLD, 16]
    silent = tune_to_windows(Piece.from_notes([(0, 30, 60), (36, 28, 62)]))
    assert silent[1, :5].tolist() == [REST, REST, REST, REST, 16]


def test_a_pickup_and_an_unfinished_last_bar_are_left_out():
    tune = Piece.from_notes([(0, 4, 60), *((4 + 4 * i, 4, 62 + i % 3) for i in range(9))], pickup_steps=4)
    assert tune_to_windows(tune)[0, 0] == 16
    assert len(tune_to_windows(tune)) == 1
    assert len(tune_to_windows(Piece.from_notes([(4 * i, 4, 60) for i in range(7)]))) == 0


def test_no_held_out_window_is_a_training_window_in_any_key():
    held_out = held_out_windows("test")
    assert len(held_out) > 1500
    assert not is_among(held_out.tokens, training_windows()).any()
    some = training_windows()[:50]
    assert is_among(np.where(some >= FIRST_PITCH, some + 1, some), training_windows()).all()


def test_train_and_test_share_no_tune():
    train = {tune.source for tune in load_folk_tunes(part="train")[:0]} | set(
        load_folk_tunes(part="train").column("id")
    )
    tunes = load_folk_tunes(part="test")
    assert not train & {tunes.column("id")[number] for number in held_out_windows("test").tunes}


@pytest.mark.parametrize(
    ("key", "pitches", "shift"),
    [
        ("G major", (67, 71, 74, 66, 67), 5),
        ("E minor", (64, 66, 67, 71, 64), 5),
        ("A dorian", (69, 71, 72, 78, 69), 5),
        ("E yu", (64, 67, 69, 71, 64), 5),  # pentatonic: three scales hold it, its key says which
        (None, (62, 66, 69, 73, 62), 10),  # no key: the notes fit D and A major, the last one is home in D
        ("G major", (51, 55, 58, 57, 51), 14),  # a wrong key: the notes know better
        ("C major", (36, 40, 43, 41, 36), 36),  # octaves away, where the net is at home
    ],
)
def test_home_is_the_scale_of_c_major_whatever_the_mode(key, pitches, shift):
    tune = Piece.from_notes([(4 * i, 4, pitch) for i, pitch in enumerate(pitches)], key=key)
    assert home_shift(tune) == shift
    moved = tune.transpose(shift).notes["pitch"]
    assert {int(pitch) % 12 for pitch in moved} <= {0, 2, 4, 5, 7, 9, 11}
    assert moved.min() >= MELODY_LOW
    assert moved.max() <= MELODY_HIGH


def test_most_training_windows_lie_on_the_white_keys():
    some = training_windows()[::20]
    white = np.isin((some - FIRST_PITCH + MELODY_LOW) % 12, (0, 2, 4, 5, 7, 9, 11)) | (some < FIRST_PITCH)
    assert white.all(axis=1).mean() > 0.9
    at_random = np.isin((some + 1 - FIRST_PITCH + MELODY_LOW) % 12, (0, 2, 4, 5, 7, 9, 11)) | (some < FIRST_PITCH)
    assert at_random.all(axis=1).mean() < 0.1


def test_a_batch_is_a_pure_function_of_its_step_and_its_kl_weight_warms_up():
    rows = training_windows()[:40]
    batches = WindowBatches(rows, 8, seed=1, beta=0.5, warmup_steps=10)
    assert np.array_equal(batches(3).tokens, WindowBatches(rows, 8, 1, 0.5)(3).tokens)
    assert not np.array_equal(batches(3).tokens, batches(4).tokens)
    assert [round(float(batches(step).beta), 3) for step in (0, 4, 9, 500)] == [0.05, 0.25, 0.5, 0.5]
    shares = [batches(2, rank, 2).tokens for rank in (0, 1)]
    assert sum(len(share) for share in shares) == 8
    assert [len(batch.tokens) for batch in windows_in_batches(rows, 0.5, size=16)] == [16, 16, 8]


def test_no_windows_make_no_batches():
    with pytest.raises(ValueError, match="no windows"):
        WindowBatches(np.zeros((0, 32), dtype=np.int64), 8, 0, 1.0)


def test_any_tokens_become_playable_and_playable_ones_stay():
    rng = np.random.default_rng(0)
    for _ in range(50):
        tokens = rng.choice([HOLD, HOLD, REST, 14, 20], WINDOW_STEPS)
        fixed = make_playable(tokens)
        assert np.array_equal(make_playable(fixed), fixed)
        assert np.array_equal(piece_to_tokens(window_to_piece(tokens), WINDOW_STEPS), fixed)
    own = window((0, 4, 60), (8, 24, 62))
    assert np.array_equal(make_playable(own), own)


def test_windows_in_a_row_do_not_tie_over():
    piece = windows_to_piece([window((0, 32, 60)), np.zeros(WINDOW_STEPS, dtype=np.int64), window((0, 32, 62))])
    assert piece.notes["onset_steps"].tolist() == [0, 64]
    assert piece.notes["duration_steps"].tolist() == [32, 32]


def test_a_tune_of_ones_own_becomes_the_window_it_is():
    tokens, lines = piece_to_window(Piece.from_notes(TUNE, key="C major"))
    expected = tune_to_windows(Piece.from_notes(TUNE))[0]
    assert np.array_equal(tokens, expected)
    assert lines == ["5 of 6 notes kept: the melody of the first 32 sixteenths"]
    assert is_playable(window_to_piece(tokens, style="german"))


def test_a_foreign_piece_is_read_with_a_report():
    chords = [(4, 8, 30), (4, 8, 23), (12, 200, 35), (12, 4, 38, 80, 1)]
    piece = Piece.from_notes(chords, metre="3/4", pickup_steps=4, programs=(0, DRUMS))
    tokens, lines = piece_to_window(piece)
    assert tokens[:10].tolist() == [30 + 37 - 46, *[HOLD] * 7, 35 + 37 - 46, HOLD]
    assert lines == [
        "2 of 4 notes kept: the melody of the first 32 sixteenths",
        "a pickup of 4 sixteenths is left out",
        "moved by +37 semitones to the scale of C major, in which the net reads and writes",
        "metre 3/4: read as 4/4, which the net was trained on",
    ]


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        (Piece.from_notes([]), "no melody"),
        (Piece.from_notes([(100, 4, 60)]), "no melody in its first 32"),
        (Piece.from_notes([(0, 4, 60)], programs=(DRUMS,)), "no melody"),
        (Piece.from_notes([(0, 4, 60)], steps_per_beat=12), "12 steps a beat; wanted sixteenths"),
        (Piece.from_notes([(0, 4, 20), (4, 4, 90)]), "spans 70 semitones"),
    ],
    ids=["empty", "late", "drums", "grid", "wide"],
)
def test_a_piece_that_holds_no_window_is_refused_in_one_line(piece, words):
    with pytest.raises(MusegenError, match=words):
        piece_to_window(piece)
