"""Small files, each after a kind of fault met in real ones (tests/foreign_files), with the right value of each."""

from pathlib import Path

import pytest
from musicxml_snippets import heard, in_a_row

from musegen_lib.core.piece import DRUMS
from musegen_lib.formats.musicxml.reader import musicxml_to_piece

FILES = Path(__file__).resolve().parents[2] / "foreign_files" / "musicxml"
UP = [(1, 60), (1, 62), (1, 64), (1, 65)]  # four quarter notes from C4

RIGHT = {  # name: what is heard, where that is the point
    "x01_triplet": in_a_row(*[("2/3", p) for p in (60, 62, 64)], *[("1/3", p) for p in (65, 67, 69)], (1, 72)),
    "x02_thirtysecond": in_a_row(*[("1/8", p) for p in (60, 62, 64, 65, 67, 69, 71, 60)], (3, 72)),
    "x03_drums_only": in_a_row(*[(1, 36)] * 4),
    "x04_clarinet_key": in_a_row(*UP),
    "x11_empty_measure": sorted([*in_a_row(*UP * 3), (0, 4, 48), (8, 4, 55)]),
    "x12_repeat": in_a_row(*UP, (4, 67), *UP, (4, 60)),
    "x13_unison_two_voices": [(0, 2, 60), (0, 4, 64)],
    "x16_timewise": in_a_row(*UP),
}
LABELS = {  # name: (metre, key, tempo) as (onset in quarter notes, value)
    "x04_clarinet_key": ([(0, "4/4")], [(0, "C major")], [(0, 100)]),
    "x05_nomode": ([(0, "4/4")], [(0, "D major")], [(0, 100)]),
    "x06_metronome_only": ([(0, "4/4")], [(0, "C major")], [(0, 60)]),
    "x07b_two_tempi": ([(0, "4/4")], [(0, "C major")], [(0, 60), (4, 240)]),
    "x08_composite": ([(0, "5/8")], [(0, "C major")], [(0, 100)]),
    "x09_metre_change": ([(0, "4/4"), (4, "3/4"), (10, "4/4")], [(0, "C major")], [(0, 100)]),
}


def read(name):
    return musicxml_to_piece(FILES / f"{name}.musicxml")


def test_every_file_has_a_right_value():
    assert {file.stem for file in FILES.iterdir()} == RIGHT.keys() | LABELS.keys()


@pytest.mark.parametrize("name", RIGHT)
def test_the_notes_of_foreign_files_are_right(name):
    assert sorted(heard(read(name)[0])) == sorted(RIGHT[name])


@pytest.mark.parametrize("name", LABELS)
def test_metre_key_and_tempo_of_foreign_files_are_right(name):
    piece, _ = read(name)
    for field, expected in zip(("metre", "key", "tempo_qpm"), LABELS[name]):
        assert [(onset / piece.steps_per_beat, value) for onset, value in piece.timeline(field)] == expected


def test_drums_bars_and_what_was_left_out_are_told():
    piece, report = read("x03_drums_only")
    assert (piece.programs, len(piece), str(report)) == ((DRUMS,), 4, "read completely")
    assert (read("x08_composite")[0].n_bars, read("x09_metre_change")[0].bar_onsets.tolist()) == (2, [0, 16, 28, 40])
    assert read("x13_unison_two_voices")[1].unisons == 1
    assert str(read("x05_nomode")[1]) == "no mode in the file: read as D major"
