"""Foreign MIDI files, each after a fault met in real ones, against values found by hand and by mido."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import mido
import music21
import pretty_midi
import pytest
from midi_oracle import seconds_by_mido

from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.midi.reader import parse_midi, piece_to_midi, read_midi

FOLDER = Path(__file__).parents[2] / "foreign_files" / "midi"


def read(name):
    piece, report = read_midi(FOLDER / f"{name}.mid")
    return piece, str(report)


def test_an_upbeat_written_as_a_metre_of_its_own_is_a_pickup():
    piece, said = read("m01_upbeat_as_metre")
    assert (piece.metre, piece.metre_changes, piece.pickup_steps, piece.n_bars) == ("3/4", (), 4, 1 + 5)
    assert said == "a first bar of 1/4 before 3/4 is read as a pickup"


def test_of_two_metres_at_the_start_the_last_is_taken_and_both_are_named():
    piece, said = read("m02_two_metres_tick0")
    assert (piece.metre, said) == ("3/4", "two metres at one tick, 4/4 and 3/4: the last is taken")


def test_an_end_far_behind_the_last_note_does_not_matter():
    piece, said = read("m05_far_end")
    assert (len(piece), said) == (24, "an end far behind the last note ignored")


@pytest.mark.parametrize("name", ["m06_tempo_rit", "m07_tempo_two_speeds"])
def test_changes_of_tempo_are_kept_note_by_note_and_written_again(name):
    data = (FOLDER / f"{name}.mid").read_bytes()
    piece, said = read(name)
    theirs = seconds_by_mido(data)
    assert len(set(piece.timeline("tempo_qpm"))) > 1
    assert piece.seconds_at(piece.notes["onset_steps"]) == pytest.approx(theirs, abs=1e-4)
    assert seconds_by_mido(piece_to_midi(piece)) == pytest.approx(theirs, abs=1e-4)
    assert said == "read completely"


def test_the_ritardando_has_the_onsets_of_the_file():
    piece, _ = read("m06_tempo_rit")
    assert piece.seconds_at(piece.notes["onset_steps"][[0, 1, 2, 3, -1]]) == pytest.approx([0, 0.5, 1.05, 1.65, 12.0])


def test_drums_are_read_and_kept():
    piece, _ = read("m10_drums")
    assert DRUMS in piece.programs
    again, said = parse_midi(piece_to_midi(piece), "again.mid")
    assert (again, str(said)) == (piece, "read completely")
    assert {m.channel for m in mido.MidiFile(file=BytesIO(piece_to_midi(piece))) if m.type == "note_on"} == {0, 9}


def bars_of(data):
    """First beats of the bars, in quarter notes, by pretty_midi and by music21."""
    score = pretty_midi.PrettyMIDI(BytesIO(data))
    pretty = [round(score.time_to_tick(t) / score.resolution, 3) for t in score.get_downbeats()]
    parts = music21.converter.parseData(data, format="midi").parts
    return pretty, [float(m.offset) for m in parts[0].getElementsByClass("Measure")]


def test_other_programs_bar_a_pickup_and_changes_of_metre_as_we_do():
    notes = [(4 * n, 4, 60 + n % 12) for n in range(24)]
    piece = Piece.from_notes(notes, metre="3/4", pickup_steps=4, metre_changes=((28, "4/4"), (60, "6/8")))
    ours = (piece.bar_onsets / 4).tolist()
    pretty, by_music21 = bars_of(piece_to_midi(piece))
    assert ours == [0, 1, 4, 7, 11, 15, 18, 21]
    assert pretty[: len(ours)] == ours
    assert by_music21[: len(ours)] == ours


def test_changes_of_key_and_tempo_are_where_other_programs_see_them():
    piece = Piece.from_notes(
        [(4 * n, 4, 60) for n in range(12)],
        key="G major",
        key_changes=((16, "E minor"), (32, "F major")),
        tempo_qpm=60.0,
        tempo_changes=((8, 120.0),),
    )
    score = pretty_midi.PrettyMIDI(BytesIO(piece_to_midi(piece)))
    keys = [(k.time, pretty_midi.key_number_to_key_name(k.key_number)) for k in score.key_signature_changes]
    assert keys == [(0.0, "G Major"), (3.0, "E minor"), (5.0, "F Major")]
    assert [t.tolist() for t in score.get_tempo_changes()] == [[0.0, 2.0], [60.0, 120.0]]
