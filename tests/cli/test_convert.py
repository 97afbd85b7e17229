"""Played MIDI, off every grid and with chords in one track, can be written down."""

import pretty_midi
import pytest

from musegen_lib.cli.convert import convert_file, separate_voices
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.abc.reader import read_abc


@pytest.fixture
def played(tmp_path):
    """Two tracks as a hand plays them: a chord whose notes end apart, and a bass a little late."""
    score = pretty_midi.PrettyMIDI(initial_tempo=120)
    hands, bass = pretty_midi.Instrument(0), pretty_midi.Instrument(33)
    hands.notes = [pretty_midi.Note(80, 60, 0, 0.98), pretty_midi.Note(80, 64, 0.01, 0.49)]
    bass.notes = [pretty_midi.Note(80, 36, 0.02, 1.01)]
    score.instruments = [hands, bass]
    path = tmp_path / "played.mid"
    score.write(str(path))
    return path


def test_played_midi_becomes_abc_with_a_voice_for_each_note_that_overlaps(played, tmp_path):
    lines = convert_file(played, "abc", tmp_path / "out.abc")
    [tune] = read_abc(tmp_path / "out.abc")
    assert [[pitch for *_, pitch in voice] for voice in tune.voices] == [[60], [64], [36]]
    assert "moved onto the grid" in lines[0]


@pytest.mark.parametrize(
    ("to", "start"), [("svg", b"<svg"), ("musicxml", b"<?xml"), ("png", b"\x89PNG"), ("mp3", b"\xff")]
)
def test_played_midi_becomes_every_other_form(played, tmp_path, to, start):
    convert_file(played, to, tmp_path / "out")
    assert (tmp_path / "out").read_bytes().startswith(start)


def test_sound_keeps_the_played_times(played, tmp_path):
    assert "nothing repaired" in convert_file(played, "mid", tmp_path / "out.mid")[0]


def test_separated_voices_keep_every_note_and_its_program():
    piece = Piece.from_notes([(0, 4, 60), (0, 2, 64), (2, 2, 65), (0, 4, 36, 80, 1)], programs=(5, DRUMS))
    parted = separate_voices(piece)
    assert sorted(parted.notes["pitch"].tolist()) == [36, 60, 64, 65]
    assert [parted.program(voice) for voice in range(parted.n_voices)] == [5, 5, DRUMS]
    for voice in range(parted.n_voices):
        notes = parted.voice(voice).notes
        assert (notes["onset_steps"][1:] >= (notes["onset_steps"] + notes["duration_steps"])[:-1]).all()
