from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.encodings.arrays import (
    FIRST_PITCH,
    HOLD,
    MELODY_HIGH,
    MELODY_LOW,
    N_MELODY_TOKENS,
    REST,
    bars_to_piece,
    events_to_piece,
    grid_to_piece,
    piece_to_bars,
    piece_to_events,
    piece_to_grid,
    piece_to_roll,
    piece_to_tokens,
    roll_to_piece,
    skyline,
    tokens_to_piece,
)

QUICK = settings(derandomize=True, deadline=None, database=None, max_examples=80)
C4 = 60 - MELODY_LOW + FIRST_PITCH  # token id


def rows(piece):
    return [row[:3] for row in piece.notes.tolist()]


@pytest.fixture(scope="module")
def chorales():
    return list(load_chorales())


@pytest.fixture(scope="module")
def tunes():
    """400 of the 12,895 tunes, drawn with a fixed seed; one tune of all leaves the range of the melody encodings."""
    corpus = load_folk_tunes()
    chosen = np.random.default_rng(0).choice(len(corpus), 400, replace=False)
    pieces = [corpus[int(i)] for i in chosen]
    assert {piece.steps_per_beat for piece in pieces} >= {4, 8, 12}
    return pieces


@st.composite
def voice_notes(draw, voice=0, low=MELODY_LOW, high=MELODY_HIGH):
    """Rows of one voice, with rests of 0 to 3 steps between the notes."""
    steps = st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(low, high))
    out, now = [], 0
    for rest, duration, pitch in draw(st.lists(steps, max_size=12)):
        out.append((now + rest, duration, pitch, 80, voice))
        now += rest + duration
    return out


# tokens


def test_a_melody_is_pitches_holds_and_rests():
    tokens = piece_to_tokens(Piece.from_notes([(0, 3, 60), (3, 1, 60), (5, 2, MELODY_HIGH)]))
    assert tokens.tolist() == [C4, HOLD, HOLD, C4, REST, N_MELODY_TOKENS - 1, HOLD]


@QUICK
@given(voice_notes(), st.integers(0, 4))
def test_tokens_give_any_melody_back_and_padding_is_silence(notes, padding):
    piece = Piece.from_notes(notes)
    tokens = piece_to_tokens(piece, piece.n_steps + padding)
    assert len(tokens) == piece.n_steps + padding
    assert tokens_to_piece(tokens) == piece


@QUICK
@given(st.lists(st.sampled_from([HOLD, REST, FIRST_PITCH, N_MELODY_TOKENS - 1]), max_size=20))
def test_every_row_of_tokens_is_a_melody_or_names_the_step_at_fault(tokens):
    fault = next((t for t, now in enumerate(tokens) if now == HOLD and (t == 0 or tokens[t - 1] == REST)), None)
    if fault is None:
        assert piece_to_tokens(tokens_to_piece(tokens), len(tokens)).tolist() == tokens
    else:
        with pytest.raises(ValueError, match=f"step {fault} holds a note, but none sounds there"):
            tokens_to_piece(tokens)


def test_tokens_and_events_give_folk_tunes_back_exactly(tunes):
    for piece in tunes:
        assert tokens_to_piece(piece_to_tokens(piece), **piece.labels) == piece
        assert events_to_piece(piece_to_events(piece), **piece.labels) == piece


def test_one_tune_of_the_corpus_leaves_the_range_and_is_refused_by_name():
    corpus = load_folk_tunes()
    pitch, starts = corpus.arrays["pitch"], corpus.arrays["offsets"][:-1]
    outside = (np.minimum.reduceat(pitch, starts) < MELODY_LOW) | (np.maximum.reduceat(pitch, starts) > MELODY_HIGH)
    assert corpus.select(outside).column("id").tolist() == ["BelleOfTheStageLancashireClog.abc#1"]
    for encode in (piece_to_tokens, piece_to_events):
        with pytest.raises(ValueError, match=r"Belle of the Stage.*93.*outside pitches 48-89"):
            encode(corpus.select(outside)[0])


@pytest.mark.parametrize("encode", [piece_to_tokens, piece_to_events])
def test_two_notes_at_once_are_no_melody_and_the_later_is_named(encode):
    with pytest.raises(ValueError, match=r"not one melody: note \(1, 2, 64, 80, 0\) starts before.*skyline"):
        encode(Piece.from_notes([(0, 2, 60), (1, 2, 64)]))


def test_too_few_steps_are_refused():
    for encode in (piece_to_tokens, piece_to_grid, piece_to_roll):
        with pytest.raises(ValueError, match="is 4 steps long, more than n_steps = 3"):
            encode(Piece.from_notes([(0, 4, 60)]), 3)


@pytest.mark.parametrize("tokens", [[HOLD], [REST, HOLD], [C4, HOLD, REST, HOLD]])
def test_a_hold_after_silence_is_named_by_its_step(tokens):
    with pytest.raises(ValueError, match=f"step {len(tokens) - 1} holds a note, but none sounds there"):
        tokens_to_piece(tokens)


# events


@QUICK
@given(voice_notes())
def test_events_give_any_melody_back_and_their_durations_sum_to_its_length(notes):
    piece = Piece.from_notes(notes)
    events = piece_to_events(piece)
    assert events_to_piece(events) == piece
    assert events[:, 1].sum() == piece.n_steps


def test_events_melt_rests_and_lose_the_last_one():
    piece = events_to_piece([(0, 1), (0, 2), (60, 4), (0, 4)])
    assert piece_to_events(piece).tolist() == [[0, 3], [60, 4]]


def test_no_notes_are_no_events():
    assert piece_to_events(Piece.from_notes([])).shape == (0, 2)
    assert len(events_to_piece([])) == 0


# grid


@QUICK
@given(st.tuples(*(voice_notes(voice, 1, 127) for voice in range(3))), st.integers(0, 3))
def test_the_grid_gives_any_voices_back(voices, padding):
    piece = Piece.from_notes([note for voice in voices for note in voice])
    grid = piece_to_grid(piece, piece.n_steps + padding, n_voices=3)
    assert grid.shape == (piece.n_steps + padding, 3)
    assert grid_to_piece(grid) == piece


def test_the_grid_gives_all_365_chorales_back_exactly(chorales):
    assert len(chorales) == 365
    for piece in chorales:
        assert grid_to_piece(piece_to_grid(piece), **piece.labels) == piece


def test_the_sign_of_a_grid_cell_tells_a_strike_from_a_hold():
    struck_twice = Piece.from_notes([(0, 2, 60), (2, 1, 60)])
    assert piece_to_grid(struck_twice, n_voices=1).ravel().tolist() == [60, -60, 60]


@pytest.mark.parametrize(("column", "step"), [([-60, 60], 0), ([60, 0, -60], 2), ([60, -60, -62], 2)])
def test_a_hold_of_what_does_not_sound_is_named_by_step_and_voice(column, step):
    grid = np.zeros((len(column), 2), dtype=np.int64)
    grid[:, 1] = column
    with pytest.raises(ValueError, match=f"step {step}, voice 1 holds pitch {-column[step]}, but it does not sound"):
        grid_to_piece(grid)


def test_the_grid_refuses_what_it_cannot_hold():
    with pytest.raises(ValueError, match="has 3 voices, the grid 2"):
        piece_to_grid(Piece.from_notes([(0, 4, 60, 80, 2)]), n_voices=2)
    with pytest.raises(ValueError, match="voice 1 has two notes at once in step 1"):
        piece_to_grid(Piece.from_notes([(0, 4, 60, 80, 1), (1, 1, 64, 80, 1)]))
    with pytest.raises(ValueError, match="cannot hold pitch 0"):
        piece_to_grid(Piece.from_notes([(0, 4, 0)]))


# roll

ROLLS = st.tuples(hnp.arrays(bool, (7, 3)), hnp.arrays(bool, (7, 3)))


@QUICK
@given(ROLLS)
def test_any_roll_comes_back_with_its_strikes(small):
    roll, onset_roll = np.zeros((2, 7, 128), dtype=bool)
    roll[:, 60:63] = small[0]
    onset_roll[:, 60:63] = small[0] & (small[1] | ~np.vstack([np.zeros((1, 3), bool), small[0][:-1]]))
    again = piece_to_roll(roll_to_piece(roll, onset_roll), n_steps=7)
    assert np.array_equal(again[0], roll)
    assert np.array_equal(again[1], onset_roll)


def test_without_strikes_neighbouring_cells_melt():
    piece = Piece.from_notes([(0, 2, 60), (2, 2, 60), (5, 1, 60)])
    roll, onset_roll = piece_to_roll(piece)
    assert rows(roll_to_piece(roll)) == [(0, 4, 60), (5, 1, 60)]
    assert rows(roll_to_piece(roll, onset_roll)) == rows(piece)


def test_a_strike_where_nothing_sounds_is_no_note():
    roll, onset_roll = piece_to_roll(Piece.from_notes([(0, 2, 60)]))
    onset_roll[1, 64] = True
    assert rows(roll_to_piece(roll, onset_roll)) == [(0, 2, 60)]


def test_a_sound_that_nobody_struck_is_a_note_all_the_same():
    roll, onset_roll = piece_to_roll(Piece.from_notes([(1, 3, 60), (5, 2, 64)]))
    onset_roll[:] = False
    onset_roll[3, 60] = True
    assert rows(roll_to_piece(roll, onset_roll)) == [(1, 2, 60), (3, 1, 60), (5, 2, 64)]


def test_one_voice_comes_back_from_a_roll_exactly(chorales, tunes):
    for piece in [*(chorale.voice(v) for chorale in chorales[:40] for v in range(4)), *tunes[:200]]:
        back = roll_to_piece(*piece_to_roll(piece), **piece.labels)
        assert back == piece


def test_a_roll_of_a_chorale_loses_voices_and_unisons_and_nothing_else(chorales):
    n_doubled = n_cut = 0
    for piece in chorales:
        back = roll_to_piece(*piece_to_roll(piece), **piece.labels)
        together = defaultdict(list)  # durations of the voices that strike one pitch at one onset
        for onset, duration, pitch, *_ in piece.notes.tolist():
            together[onset, pitch].append(duration)
        assert [(o, p) for o, _, p in rows(back)] == sorted(together)
        n_doubled += sum(len(durations) - 1 for durations in together.values())
        for onset, duration, pitch in rows(back):
            if duration != max(together[onset, pitch]):  # only where another voice is on this pitch too
                n_cut += 1
                sounding = [n for n in piece.notes.tolist() if n[2] == pitch and n[0] < onset + duration + 1]
                assert len({n[4] for n in sounding if n[0] + n[1] >= onset}) > 1
    assert (n_doubled, n_cut, sum(map(len, chorales))) == (1651, 347, 84_905)


# bars

BARS = hnp.arrays(bool, st.tuples(st.integers(0, 3), st.just(784)))


@QUICK
@given(BARS)
def test_any_bars_come_back_but_for_silence_at_the_end(bars):
    again = piece_to_bars(bars_to_piece(bars))
    assert np.array_equal(again, bars[: len(again)])
    assert not bars[len(again) :].any()


def test_cells_run_step_by_step_from_c2_upwards():
    bars = piece_to_bars(Piece.from_notes([(0, 1, 36), (17, 2, 84)]))
    assert np.argwhere(bars).tolist() == [[0, 0], [1, 49 + 48], [1, 2 * 49 + 48]]


def test_a_note_over_the_bar_line_melts_again():
    piece = Piece.from_notes([(12, 8, 60)])
    assert piece_to_bars(piece).sum(axis=1).tolist() == [4, 4]
    assert rows(bars_to_piece(piece_to_bars(piece))) == rows(piece)


def test_bars_leave_out_the_pickup_and_what_lies_beyond_c2_to_c6():
    piece = Piece.from_notes([(0, 4, 60), (4, 16, 62), (4, 16, 35), (4, 16, 85)], pickup_steps=4)
    assert rows(bars_to_piece(piece_to_bars(piece))) == [(0, 16, 62)]


def test_bars_of_another_length_are_refused():
    with pytest.raises(ValueError, match="a 784-cell bar holds 16 steps, this piece has 12 a bar"):
        piece_to_bars(Piece.from_notes([(0, 4, 60)], metre="3/4"))
    with pytest.raises(ValueError, match="this piece has None a bar"):
        piece_to_bars(Piece.from_notes([(0, 4, 60)], metre=None))


def test_bars_of_the_chorales_come_back_and_lose_repeated_strikes(chorales):
    n_bars = n_strikes = n_kept = 0
    for piece in chorales:
        if piece.steps_per_bar != 16:
            continue
        bars = piece_to_bars(piece)
        back = bars_to_piece(bars)
        assert np.array_equal(piece_to_bars(back), bars)  # array -> piece -> array
        roll, onset_roll = (array[piece.pickup_steps :] for array in piece_to_roll(piece))
        assert np.array_equal(piece_to_roll(back)[0], roll)  # every sounding cell is kept, none is outside 36-84
        n_bars += len(bars)
        n_strikes += int(onset_roll.sum())
        n_kept += len(back)
        starts = roll & ~np.vstack([np.zeros((1, 128), bool), roll[:-1]])
        assert len(back) == starts.sum()  # a strike is lost where its pitch already sounds, and nowhere else
    assert (n_bars, n_strikes, n_kept) == (4345, 73_967, 62_159)


def test_no_encoding_keeps_velocity():
    piece = Piece.from_notes([(0, 4, 60, 30), (4, 4, 62, 110)])
    copies = [
        tokens_to_piece(piece_to_tokens(piece)),
        events_to_piece(piece_to_events(piece)),
        grid_to_piece(piece_to_grid(piece)),
        roll_to_piece(*piece_to_roll(piece)),
        bars_to_piece(piece_to_bars(piece)),
    ]
    for back in copies:
        assert rows(back) == rows(piece)
        assert back.notes["velocity"].tolist() == [80, 80]


# skyline


def test_the_skyline_is_the_highest_note_struck_cut_off_by_the_next():
    piece = Piece.from_notes([(0, 8, 48, 80, 1), (0, 2, 60), (0, 9, 64), (4, 4, 55, 80, 2)], programs=(40, 41, 42))
    assert rows(skyline(piece)) == [(0, 4, 64), (4, 4, 55)]
    assert (skyline(piece).programs, skyline(piece).n_voices) == ((40,), 1)


def test_a_melody_is_its_own_skyline(tunes):
    assert all(skyline(piece) == piece for piece in tunes[:100])
    assert len(skyline(Piece.from_notes([]))) == 0


def test_every_chorale_has_a_skyline_that_is_one_melody(chorales):
    for piece in chorales[:60]:
        melody = skyline(piece)
        assert grid_to_piece(piece_to_grid(melody, n_voices=1), **melody.labels) == melody  # never two notes at once
        assert melody.notes["onset_steps"].tolist() == sorted(set(piece.notes["onset_steps"].tolist()))
