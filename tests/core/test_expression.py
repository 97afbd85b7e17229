"""One expression for all: what it changes, what it leaves alone, and how it comes off again."""

import numpy as np
import pytest

from musegen_lib.core.expression import (
    BREATH_SECONDS,
    LARGEST_DELAY,
    PAUSE,
    expressive,
    note_delays,
    phrase_ends,
    plain,
    top_line,
)
from musegen_lib.core.piece import DRUMS, Piece

WALK = Piece.from_notes([(4 * i, 4, 60 + i % 5) for i in range(32)], tempo_qpm=120)  # eight bars of quarter notes
HYMN = Piece.from_notes([(4 * i, 4, 76 - 5 * v, 80, v) for i in range(32) for v in range(4)])
ORGAN = HYMN.replace(style="chorale")  # an organ plays chorales
PLAYED = [
    WALK.replace(tempo_changes=((16, 90.0),)),
    Piece.from_notes([(0, 4, 60, 80), (4, 4, 62, 81)]),
    Piece.from_notes([(0, 401, 60), (480, 470, 62)], steps_per_beat=480),
    Piece.from_notes([]),
]


def test_notes_stay_on_the_grid_and_come_off_plain():
    for piece in (WALK, HYMN, ORGAN.replace(fermatas=(60,))):
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


def ends_of(piece):
    return phrase_ends(piece, top_line(piece))


def test_phrases_have_four_bars_or_two_or_three_where_the_melody_waits_longer():
    def song(*quarters):
        starts = np.cumsum([0, *quarters])
        return Piece.from_notes([(4 * at, 4 * n, 60) for at, n in zip(starts.tolist(), quarters)])

    assert ends_of(WALK) == [64, 128]
    assert ends_of(song(*[1] * 6, 2, *[1] * 20)) == [32, 112]
    assert ends_of(song(*[1] * 10, 2, *[1] * 20)) == [48, 128]
    assert ends_of(song(*[1] * 6, 2, *[1] * 6, 2, *[1] * 16)) == [64, 128]
    assert ends_of(song(*[1] * 6, 2, *[1] * 20).replace(style="irish")) == [64, 112]
    assert ends_of(Piece.from_notes([(0, 4, 60)])) == [4]
    assert ends_of(WALK.replace(metre=None)) == [64, 128]


def test_a_phrase_ends_at_the_bar_line_and_not_after_the_quarter_that_opens_the_next():
    jig = [2, 2, 2, 2, 2, 2] * 3 + [2, 2, 2, 4, 2, 4, 2] + [2] * 18  # bar 5 begins with a quarter
    rows = [(at, n, 70) for at, n in zip(np.cumsum([0, *jig]).tolist(), jig)]
    assert ends_of(Piece.from_notes(rows, metre="6/8"))[0] == 48
    late = [(0, 2, 70), *((2 + at, *more) for at, *more in rows)]
    assert ends_of(Piece.from_notes(late, metre="6/8", pickup_steps=2))[0] == 48  # two steps before the bar line


def test_every_inner_end_lies_on_a_bar_line_or_before_the_pickup_to_one():
    rng = np.random.default_rng(0)
    for metre, pickup in (("6/8", 2), ("3/4", 0), ("4/4", 4), ("2/2", 8)):
        lengths = rng.choice([2, 4, 6, 8], 80).tolist()
        rows = [(at, n, 60) for at, n in zip(np.cumsum([0, *lengths]).tolist(), lengths)]
        piece = Piece.from_notes(rows, metre=metre, pickup_steps=pickup)
        ends, lines = ends_of(piece), piece.bar_onsets
        assert len(ends) > 3
        assert np.isin(ends[:-1], [lines, lines - pickup]).all()


@pytest.mark.parametrize(("metre", "beat"), [("4/4", 4), ("6/8", 6), ("3/4", 4), ("2/2", 8), ("3/8", 2), (None, 4)])
def test_time_slows_down_beat_by_beat_most_at_the_last(metre, beat):
    shaped = expressive(Piece.from_notes([(2 * i, 2, 60 + i % 5) for i in range(96)], metre=metre), ends=[96, 192])
    assert all((192 - step) % beat == 0 for step, _ in shaped.tempo_changes)
    inside = [tempo for step, tempo in shaped.tempo_changes if step < 96]
    last = [tempo for step, tempo in shaped.tempo_changes if step > 96]
    assert dict(shaped.tempo_changes)[96] == shaped.tempo_qpm
    assert (len(inside), len(last)) == (2, 4)
    assert inside == sorted(inside, reverse=True)
    assert last == sorted(last, reverse=True)
    assert 65 < last[-1] < 75 < 85 < inside[-1] < 95
    assert shaped.seconds < 1.1 * plain(shaped).seconds


def test_a_phrase_ends_where_what_sounds_under_a_fermata_ends():
    piece = Piece.from_notes([(0, 8, 72), (8, 8, 71), (16, 16, 72), (32, 16, 67)], fermatas=(8,))
    assert phrase_ends(piece, top_line(piece)) == [16, 48]


def test_a_fermata_holds_its_notes_and_the_next_ones_wait():
    shaped = expressive(ORGAN.replace(fermatas=(60,)))
    onsets, lengths = shaped.notes["onset_steps"], np.diff(shaped.note_seconds())[:, 0]
    assert np.allclose(lengths[onsets == 60] / lengths[onsets == 0], PAUSE, rtol=1e-3)
    assert set(note_delays(shaped)[onsets == 64]) == {BREATH_SECONDS}
    assert dict(shaped.tempo_changes)[64] == shaped.tempo_qpm


def test_a_dance_keeps_its_pulse_to_the_last_bar_and_has_stronger_accents():
    song = Piece.from_notes([*((2 * i, 2, 60) for i in range(90)), (180, 12, 60)], metre="6/8")
    dance = expressive(song.replace(style="irish"), ends=[96, 192])
    assert min(step for step, _ in dance.tempo_changes) >= 192 - 12
    assert 0.88 < dance.tempo_changes[-1][1] / song.tempo_qpm < 0.93
    steps = [np.abs(np.diff(p.notes["velocity"].astype(int))).mean() for p in (dance, expressive(song, ends=[96, 192]))]
    assert steps[0] > 1.3 * steps[1]


@pytest.mark.parametrize(
    "piece",
    [WALK.replace(is_cut=True), WALK.excerpt(3), WALK.replace(programs=(DRUMS,))],
    ids=["cut", "short", "drums"],
)
def test_music_that_does_not_end_does_not_slow_down_at_its_end(piece):
    assert {tempo for step, tempo in expressive(piece).tempo_changes if step > 64} <= {piece.tempo_qpm}
    assert expressive(piece).expression == 0


def test_the_organ_is_shaped_by_time_alone():
    shaped = expressive(ORGAN)
    assert set(shaped.notes["velocity"].tolist()) == {80}
    assert not note_delays(shaped).any()
    assert shaped.tempo_changes
    mixed = expressive(ORGAN.replace(programs=(0, 19, 19, 19)))
    assert len(set(mixed.notes["velocity"][mixed.notes["voice"] == 0].tolist())) > 3
    assert set(mixed.notes["velocity"][mixed.notes["voice"] > 0].tolist()) == {80}


def test_percussion_does_not_decide_where_a_phrase_ends():
    drums = [(2 * i, 2, 42, 80, 1) for i in range(64)]
    rows = [(4 * i, 4, 60) for i in range(6)] + [(24, 8, 60)] + [(4 * i, 4, 60) for i in range(8, 32)]
    assert (
        ends_of(Piece.from_notes(rows + drums, programs=(0, DRUMS))) == ends_of(Piece.from_notes(rows)) == [32, 96, 128]
    )
    assert top_line(Piece.from_notes([(0, 4, 60), (0, 4, 72, 80, 1)], programs=(0, DRUMS))).all()


def test_under_a_fermata_the_highest_note_says_how_long_not_a_pedal():
    pedal = Piece.from_notes([(0, 32, 50), (0, 4, 72), (4, 12, 71), (16, 16, 72)], fermatas=(4, 2**31 - 1))
    assert ends_of(pedal) == [16, 32]


def test_beats_of_six_eight_are_accented_and_of_three_four_not_taken_for_compound():
    eighths = Piece.from_notes([(2 * i, 2, 60) for i in range(48)])
    for metre, on_beats in (("6/8", [0, 3]), ("3/4", [0, 2, 4])):
        loud = expressive(eighths.replace(metre=metre)).notes["velocity"].astype(int).reshape(8, 6)[1:-1].mean(axis=0)
        off_beats = [i for i in range(6) if i not in on_beats]
        assert min(loud[on_beats]) > max(loud[off_beats])


@pytest.mark.parametrize("tempo", [0.04, 9_000.0])
def test_any_tempo_a_piece_may_have_is_shaped(tempo):
    assert expressive(WALK.replace(tempo_qpm=tempo)).tempo_changes


def test_an_excerpt_of_a_shaped_piece_is_that_of_the_bare_one():
    assert expressive(WALK).excerpt(1, 7) == WALK.excerpt(1, 7)


@pytest.mark.parametrize("seed", [-1, 2**31, True, "x", float("nan")])
def test_expression_is_a_number_of_31_bits(seed):
    with pytest.raises(ValueError, match=r"expression .* must be None or an integer"):
        WALK.replace(expression=seed)


def test_on_a_fine_grid_the_melody_still_leads():
    late = note_delays(expressive(HYMN.replace(steps_per_beat=24))).reshape(32, 4)
    assert (late[:, 1:] > 1.2 * late[:, :1]).all()
