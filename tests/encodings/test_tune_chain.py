"""Whole tunes as chains of two-bar windows: the round trip, seams, endings."""

import numpy as np
import pytest

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.encodings.arrays import FIRST_PITCH, HOLD, REST
from musegen_lib.encodings.tune_chain import MAX_WINDOWS, TuneChain, chain_to_piece, piece_to_chain

TUNE = [(0, 4, 67), (4, 8, 71), (12, 4, 74), (16, 12, 72), (28, 8, 71), (36, 12, 69), (48, 16, 67)]


def rows(piece):
    return [tuple(row)[:3] for row in piece.notes.tolist()]


def chain_of(*notes, **labels):
    return piece_to_chain(Piece.from_notes(notes, **labels))[0]


def test_a_tune_comes_back_as_it_was_but_for_its_last_bar_which_is_filled():
    tunes = load_folk_tunes(part="valid")
    for tune in [tunes[i] for i in range(0, len(tunes), 40) if tunes[i].steps_per_beat == 4]:
        chain, _ = piece_to_chain(tune)
        back = chain_to_piece(chain, metre=tune.metre)
        *inner, last = rows(back)
        *expected, own = rows(tune)
        assert inner == expected
        assert last[::2] == own[::2]
        assert back.n_steps % tune.steps_per_bar in (0, tune.pickup_steps)
        assert 0 <= back.n_steps - tune.n_steps < tune.steps_per_bar


def test_a_note_over_a_seam_is_struck_in_both_windows_and_joined_again():
    chain = chain_of(*TUNE)
    assert chain.windows.shape == (2, 32)
    assert chain.tied.tolist() == [False, True]
    assert chain.windows[1, 0] == chain.windows[0, 28] >= FIRST_PITCH
    assert rows(chain_to_piece(chain)) == TUNE


def test_a_seam_is_tied_only_where_the_pitch_goes_on():
    chain = chain_of(*TUNE)
    changed = chain.windows.copy()
    changed[1, 0] += 2  # the second window begins with another note: it is struck
    assert (32, 4, 73) in rows(chain_to_piece(chain.written(changed)))
    changed[1, 0] = HOLD  # the net holds what the window before ended with
    assert (28, 8, 71) in rows(chain_to_piece(chain.written(changed)))
    changed[0, 28:], changed[1, :4] = REST, HOLD  # a hold after a rest is silence
    assert rows(chain_to_piece(chain.written(changed)))[4] == (36, 12, 69)


def test_other_windows_leave_the_last_note_and_the_length_alone():
    chain = chain_of(*TUNE)
    noise = np.random.default_rng(0).integers(FIRST_PITCH, 40, size=(2, 32))
    made = chain_to_piece(chain.written(noise))
    assert rows(made)[-1] == TUNE[-1]
    assert made.n_steps == 64
    assert np.array_equal(noise, np.random.default_rng(0).integers(FIRST_PITCH, 40, size=(2, 32)))


def test_an_unfinished_last_bar_ends_at_the_bar_line_or_makes_room_for_the_pickup():
    assert chain_of((0, 4, 60), (4, 30, 62), (34, 2, 60)).n_steps == 48
    assert chain_of((0, 4, 67), *((4 + 4 * i, 4, 60) for i in range(6)), pickup_steps=4).n_steps == 28
    assert chain_to_piece(chain_of((0, 4, 60), (4, 2, 62))).notes["duration_steps"].tolist() == [4, 12]


def test_a_pickup_is_kept_apart_and_may_be_tied_to_the_first_bar():
    notes = [(0, 2, 67), (2, 10, 69), (12, 24, 67)]
    chain = chain_of(*notes, pickup_steps=4)
    assert len(chain.pickup) == 4
    assert chain.tied.tolist() == [True]
    back = chain_to_piece(chain)
    assert back.pickup_steps == 4
    assert rows(back) == notes


def test_shortened_keeps_the_first_windows_and_the_ending():
    notes = [(4 * i, 4, 60 + i) for i in range(28)] + [(112, 14, 60)]
    chain = chain_of(*notes)
    short = chain.shortened(2)
    assert np.array_equal(short.windows, chain.windows[[0, 3]])
    assert short.n_steps == 64
    assert rows(chain_to_piece(short))[-1] == (48, 16, 60)
    assert chain.shortened(4).tokens.tolist() == chain.tokens.tolist()


def test_the_melody_of_a_piece_for_several_voices_is_taken_and_a_long_one_cut_with_a_line():
    long = [(16 * i, 16, 60 + i % 3) for i in range(2 * MAX_WINDOWS + 5)]
    chain, lines = piece_to_chain(Piece.from_notes([*long, (0, 8, 48, 80, 1)], metre="3/4", pickup_steps=4))
    assert len(chain.windows) == MAX_WINDOWS
    assert [line.split(":")[0] for line in lines] == [
        f"{2 * MAX_WINDOWS + 1} of {len(long) + 1} notes kept",
        "a pickup of 4 sixteenths stays as it is",
        "metre 3/4",
    ]


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        (Piece.from_notes([]), "no melody"),
        (Piece.from_notes([(0, 4, 60)], pickup_steps=4), "no melody"),
        (Piece.from_notes([(20_000, 4, 60)]), "no melody in its first 64 bars"),
        (Piece.from_notes([(0, 4, 60)], steps_per_beat=12), "12 steps a beat; wanted sixteenths"),
        (Piece.from_notes([(0, 4, 20), (4, 4, 90)]), "spans 70 semitones"),
    ],
    ids=["empty", "pickup only", "late", "grid", "wide"],
)
def test_a_piece_that_holds_no_chain_is_refused_in_one_line(piece, words):
    with pytest.raises(MusegenError, match=words):
        piece_to_chain(piece)


def test_a_chain_with_nothing_but_holds_is_silent():
    chain = TuneChain(np.zeros((1, 32), dtype=np.int64), np.array([False]), np.zeros(0, dtype=np.int64), 32, 0)
    assert chain.tokens.tolist() == [REST] * 32
