"""One expression for all: what it changes, what it leaves alone, and how it comes off again."""

import numpy as np
import pytest

from musegen_lib.core.expression import LARGEST_DELAY, expressive, note_delays, phrase_ends, plain, top_line
from musegen_lib.core.piece import DRUMS, Piece

WALK = Piece.from_notes([(4 * i, 4, 60 + i % 5) for i in range(32)], tempo_qpm=120)  # eight bars of quarter notes
HYMN = Piece.from_notes([(4 * i, 4, 76 - 5 * v, 80, v) for i in range(32) for v in range(4)], style="chorale")
PLAYED = [
    WALK.replace(tempo_changes=((16, 90.0),)),
    Piece.from_notes([(0, 4, 60, 80), (4, 4, 62, 81)]),
    Piece.from_notes([(0, 401, 60), (480, 470, 62)], steps_per_beat=480),
    Piece.from_notes([]),
]


def test_notes_stay_on_the_grid_and_come_off_plain():
    for piece in (WALK, HYMN):
        shaped = expressive(piece, 3)
        assert shaped.notes[["onset_steps", "duration_steps", "pitch"]].tolist() == (
            piece.notes[["onset_steps", "duration_steps", "pitch"]].tolist()
        )
        assert plain(shaped) == plain(piece) == piece != shaped


@pytest.mark.parametrize("piece", PLAYED)
def test_what_someone_played_stays_as_it_is(piece):
    assert expressive(piece) is plain(piece) is piece


def test_a_piece_is_shaped_once_and_alike_for_the_same_seed():
    shaped = expressive(WALK, 3)
    assert expressive(shaped, 4) is shaped
    assert expressive(WALK, 3) == shaped != expressive(WALK, 4)
    assert np.array_equal(note_delays(shaped), note_delays(expressive(WALK, 3)))
    assert expressive(WALK, -1).expression == 2**31 - 1


def test_a_phrase_swells_and_its_bars_begin_with_an_accent():
    loud = expressive(WALK, ends=[64, 128]).notes["velocity"].reshape(2, 16).astype(int)
    assert (loud[0] == loud[1]).all()
    assert loud[0].max() == loud[0, 8] > loud[0, 0] > loud[0, 15]
    assert all(loud[0, bar] > (loud[0, bar - 1] + loud[0, bar + 1]) / 2 for bar in (4, 8, 12))
    assert abs(loud.mean() - 80) < 4


def test_after_a_pickup_the_bar_line_is_accented():
    late = Piece.from_notes([(4 * i, 4, 60) for i in range(17)], pickup_steps=4)
    loud = expressive(late, ends=[68]).notes["velocity"].astype(int)
    assert all(loud[bar] > (loud[bar - 1] + loud[bar + 1]) / 2 for bar in (1, 5, 9, 13))


def test_the_melody_is_louder_and_leads_by_ten_to_thirty_milliseconds():
    shaped = expressive(HYMN)
    loud, late = (column.reshape(32, 4) for column in (shaped.notes["velocity"].astype(int), note_delays(shaped)))
    assert (loud[:, 0] > loud[:, 1:].max(axis=1)).all()
    lead = late[:, 1:] - late[:, :1]
    assert 0.0099 < lead.min() < 0.012 < 0.028 < lead.max() < 0.0301
    assert late.min() >= 0
    assert lead.std() > 0.003


def test_a_melody_alone_is_nearly_in_time():
    assert 0 < note_delays(expressive(WALK)).max() < 0.0061


def test_delays_are_less_than_half_a_step_however_fast():
    fast = expressive(HYMN.replace(steps_per_beat=24, tempo_qpm=300.0))
    assert note_delays(fast).max() <= LARGEST_DELAY * 60 / 300 / 24 * (1 + 1e-9)


def test_the_top_line_is_what_nothing_sounds_above():
    crossing = Piece.from_notes([(0, 8, 60, 80, 0), (4, 4, 67, 80, 1), (8, 4, 64, 80, 0), (8, 4, 40, 80, 1)])
    assert top_line(crossing).tolist() == [True, True, True, False]
    held = Piece.from_notes([(0, 8, 72, 80, 0), (4, 4, 67, 80, 1), (4, 2, 90, 80, 2)], programs=(0, 0, DRUMS))
    assert top_line(held).tolist() == [True, False, True]


def test_phrases_end_after_long_notes_else_after_four_bars():
    def ends(piece):
        return phrase_ends(piece, top_line(piece))

    assert ends(WALK) == [64, 128]
    rows, at = [], 0
    for n_quarters in (7, 7, 11, 7):
        rows += [(at + 4 * i, 4, 60 + i % 3) for i in range(n_quarters)] + [(at + 4 * n_quarters, 12, 60)]
        at += 4 * n_quarters + 12
    assert ends(Piece.from_notes(rows)) == [40, 80, 136, 176]
    assert ends(Piece.from_notes([(0, 4, 60)])) == [4]
    assert ends(Piece.from_notes([(0, 4, 60), (2000, 4, 60)], metre=None))[-1] == 2004


@pytest.mark.parametrize(("metre", "beat"), [("4/4", 4), ("6/8", 6), ("3/4", 4), ("2/2", 8), ("3/8", 2), (None, 4)])
def test_time_slows_down_beat_by_beat_most_at_the_last(metre, beat):
    shaped = expressive(Piece.from_notes([(2 * i, 2, 60 + i % 5) for i in range(96)], metre=metre), ends=[96, 192])
    assert all((192 - step) % beat == 0 for step, _ in shaped.tempo_changes)
    inside = [tempo for step, tempo in shaped.tempo_changes if step < 96]
    last = [tempo for step, tempo in shaped.tempo_changes if step > 96]
    assert dict(shaped.tempo_changes)[96] == shaped.tempo_qpm
    assert inside == sorted(inside, reverse=True)
    assert last == sorted(last, reverse=True)
    assert 65 < last[-1] < 75 < 85 < inside[-1] < 95
    assert shaped.seconds < 1.1 * plain(shaped).seconds


def test_a_phrase_ends_where_what_sounds_under_a_fermata_ends():
    piece = Piece.from_notes([(0, 8, 72), (8, 8, 71), (16, 16, 72), (32, 16, 67)], fermatas=(8,))
    assert phrase_ends(piece, top_line(piece)) == [16, 48]
