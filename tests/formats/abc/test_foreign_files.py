"""Small files with a kind of fault each, met in real collections, against the values that a musician reads."""

from fractions import Fraction
from pathlib import Path

import pytest

from musegen_lib.formats.abc.reader import read_abc, tune_to_piece

FILES = Path(__file__).resolve().parents[2] / "foreign_files" / "abc"
SCALE = [60, 62, 64, 65, 67, 69, 71, 72]


def play(name, **options):
    [tune] = read_abc(FILES / f"{name}.abc")
    return tune_to_piece(tune, **options)


def onsets_and_lengths(piece):
    grid = piece.steps_per_beat
    times = piece.notes[["onset_steps", "duration_steps"]].tolist()
    return [(Fraction(onset, grid), Fraction(duration, grid)) for onset, duration in times]


def pitches(name):
    return play(name)[0].notes["pitch"].tolist()


def test_triplets_are_thirds():
    piece, report = play("a01_triplet")
    third = Fraction(2, 3)
    assert onsets_and_lengths(piece) == [*((n * third, third) for n in range(6)), (4, 8)]
    assert str(report) == "read completely"


def test_thirty_seconds_are_all_there():
    eighth = Fraction(1, 8)
    assert onsets_and_lengths(play("a02_thirtysecond")[0]) == [
        *((n * eighth, eighth) for n in range(8)),
        (1, 1),
        (2, 2),
    ]


def test_thirty_seconds_that_a_grid_of_sixteenths_drops_are_counted():
    piece, report = play("a02_thirtysecond", steps_per_beat=4)
    assert len(piece) + report.notes_dropped == 10
    assert report.notes_dropped == 4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a03_chord", [60, 64, 67, 65, 69, 72]),
        ("a04_chordsym_inside", [60, 64, 60]),
        ("a06_transpose_V", [48, 50, 52, 53]),
        ("a07_octave_K", [48, 50, 52, 53]),
        ("a09_key_acc_nospace", [67, 69, 70, 73]),
        ("a10_HP", [73, 74, 76, 78]),
        ("a15_repeat", SCALE * 2),
        ("a16_endings", [*SCALE, 72, *SCALE, 60]),
        ("a18_ending_range", [60, 67, 67] * 3 + [60, 67, 60]),
        ("a25_noX", SCALE[:4]),
        ("a60_header_file", SCALE[:6]),
    ],
)
def test_pitches_are_those_that_sound_in_the_order_of_play(name, expected):
    assert pitches(name) == expected


def test_a_number_alone_counts_units_of_the_tune():
    assert play("a11_Q_old")[0].tempo_qpm == 90


def test_tempo_and_metre_change_where_the_file_says():
    piece = play("a14_Q_body")[0]
    assert (piece.tempo_qpm, piece.tempo_changes) == (60, ((16, 120.0),))
    piece = play("a20_metre_change")[0]
    assert (piece.metre, piece.metre_changes) == ("4/4", ((16, "3/4"), (40, "4/4")))
    assert piece.bar_onsets.tolist() == [0, 16, 28, 40]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a04_chordsym_inside", "chord symbols left out: 1"),
        ("a09_key_acc_nospace", "^G right behind the tonic of K: is not read; put a space before it"),
        ("a23_grace", "grace notes left out: 3"),
        ("a25_noX", "the line X: with the number of the tune is missing; read as a tune"),
        ("a61_spaces_length", "numbers that follow no note, ignored: 2"),
    ],
)
def test_what_is_left_out_is_said(name, line):
    assert str(play(name)[1]) == line


def test_the_file_header_holds_for_the_tune():
    piece, _ = play("a60_header_file")
    assert piece.metre == "3/4"
    assert onsets_and_lengths(piece) == [(n, 1) for n in range(6)]


def test_a_pickup_is_kept():
    piece, _ = play("a65_pickup")
    assert (piece.metre, piece.pickup_steps) == ("3/4", 4)
    assert piece.bar_onsets.tolist() == [0, 4, 16, 28]


def test_as_written_takes_no_repeats():
    assert len(play("a16_endings", as_written=True)[0]) == 10
