"""Played MIDI, off every grid and with chords in one track, can be written down."""

import mido
import pretty_midi
import pytest

from musegen_lib.cli.convert import convert_file
from musegen_lib.cli.output import Expression
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import expressive
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.formats.abc.writer import piece_to_abc
from musegen_lib.formats.files import read_for_model, read_for_notation, read_piece
from musegen_lib.formats.midi.reader import write_midi
from musegen_lib.formats.musicxml.writer import piece_to_musicxml
from musegen_lib.models.registry import RECIPES


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


def test_played_midi_becomes_abc_with_its_chord(played, tmp_path):
    lines = convert_file(played, "abc", tmp_path / "out.abc")
    piece, _ = read_piece(tmp_path / "out.abc")
    assert [note[:1] + note[2:3] for note in piece.notes.tolist()] == [(0, 60), (0, 64), (0, 36)]
    assert "moved onto the grid" in lines[0]


@pytest.mark.parametrize(
    ("to", "start"), [("svg", b"<svg"), ("musicxml", b"<?xml"), ("png", b"\x89PNG"), ("mp3", b"\xff")]
)
def test_played_midi_becomes_every_other_form(played, tmp_path, to, start):
    convert_file(played, to, tmp_path / "out")
    assert (tmp_path / "out").read_bytes().startswith(start)


def test_sound_keeps_the_played_times(played, tmp_path):
    [line] = convert_file(played, "mid", tmp_path / "out.mid")
    assert line.endswith("bytes")


def exported(lengths, hold):
    """Notes of these lengths, in steps of a twelfth of a quarter note, let go of at the share `hold` of each."""
    starts = [sum(lengths[:n]) for n in range(len(lengths))]
    rows = [(40 * start, int(40 * length * hold), 60 + n) for n, (start, length) in enumerate(zip(starts, lengths))]
    return Piece.from_notes(rows, steps_per_beat=480)


@pytest.mark.parametrize("hold", [0.95, 0.9375, 0.9])
@pytest.mark.parametrize("lengths", [(12, 12, 24, 6, 6, 36), (4, 4, 4, 12, 8, 4, 12), (6, 3, 3, 48)])
def test_notes_let_go_of_a_little_early_are_written_in_full(tmp_path, lengths, hold):
    write_midi(exported(lengths, hold).replace(title=""), tmp_path / "x.mid")
    piece, lines = read_for_notation(tmp_path / "x.mid")
    grid = piece.steps_per_beat
    assert [12 * note[1] / grid for note in piece.notes.tolist()[:-1]] == list(lengths[:-1])
    assert grid <= 12
    assert any("drawn out" in line or "moved onto the grid" in line for line in lines)


def test_strokes_of_percussion_last_until_the_next(tmp_path):
    groove = Piece.from_notes([(240 * n, 30, 42) for n in range(8)], steps_per_beat=480, programs=(DRUMS,))
    write_midi(groove, tmp_path / "x.mid")
    assert [note[1] for note in read_for_notation(tmp_path / "x.mid")[0].notes.tolist()[:-1]] == [2] * 7


def test_rests_that_are_written_stay(tmp_path):
    staccato = Piece.from_notes([(8 * n, 4, 60 + n) for n in range(8)], steps_per_beat=8)
    write_midi(staccato, tmp_path / "x.mid")
    assert read_for_notation(tmp_path / "x.mid") == (staccato, [])


def test_what_a_form_cannot_hold_is_said(tmp_path):
    write_midi(Piece.from_notes([(16 * n, 16, 60, 1 + n) for n in range(80)]), tmp_path / "x.mid")
    for to, line in (
        ("svg", "out.svg: the first 64 of 80 bars are drawn"),
        ("abc", "out.abc: the loudness of the notes is not written"),
        ("musicxml", "out.musicxml: the loudness of the notes is not written"),
    ):
        assert convert_file(tmp_path / "x.mid", to, tmp_path / f"out.{to}")[0] == line


def test_sound_that_is_cut_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("musegen_lib.display.sound.MAX_FILE_SECONDS", 2.0)
    write_midi(Piece.from_notes([(0, 4, 60), (8, 8, 62)], tempo_qpm=60.0), tmp_path / "long.mid")
    write_midi(Piece.from_notes([(0, 4, 60), (4, 4, 62)], tempo_qpm=60.0), tmp_path / "short.mid")
    told = convert_file(tmp_path / "long.mid", "mp3", tmp_path / "long.mp3")
    assert told[:-1] == ["long.mp3: the first 2 of 4 seconds are played"]
    assert len(convert_file(tmp_path / "short.mid", "mp3", tmp_path / "short.mp3")) == 1


def test_fermatas_go_through_abc_and_those_over_rests_are_counted(tmp_path):
    tune = Piece.from_notes([(0, 8, 60), (12, 4, 62), (16, 16, 64)], fermatas=(8, 16), title="x")
    write_midi(tune, tmp_path / "x.mid")
    lines = convert_file(tmp_path / "x.mid", "abc", tmp_path / "x.abc")
    assert lines[:-1] == ["x.abc: fermatas over rests not written: 1"]
    assert read_piece(tmp_path / "x.abc")[0].fermatas == (16,)


def test_a_name_of_another_form_is_refused(played, tmp_path):
    with pytest.raises(MusegenError, match=r"x\.pdf: what is written here ends in \.svg; name it so"):
        convert_file(played, "svg", tmp_path / "x.pdf")
    convert_file(played, "mid", tmp_path / "x.midi")


def test_sixty_pieces_written_with_expression_are_read_as_the_music_they_are(tmp_path):
    chorales, tunes = load_chorales(), load_folk_tunes()
    pieces = [chorales[i] for i in range(0, 300, 15)] + [tunes[i] for i in range(0, 12_000, 600)]
    for name in ("rnn", "rnn-chorales"):
        pieces += RECIPES[name].generate(10, 0)
    for seed, piece in enumerate(pieces):
        write_midi(expressive(piece, seed), tmp_path / "x.mid")
        assert read_for_notation(tmp_path / "x.mid") == (piece, []), piece
        assert read_for_model(tmp_path / "x.mid") == (piece, []) or piece.steps_per_beat != 4, piece
        assert read_piece(tmp_path / "x.mid")[0] == expressive(piece, seed)


def test_midi_is_handed_on_as_it_was_played(tmp_path):
    tune = Piece.from_notes([(4 * i, 4, 60 + i) for i in range(16)], title="tune")
    for name, piece in (("bare", tune), ("played", expressive(tune, 5))):
        write_midi(piece, tmp_path / f"{name}.mid")
        convert_file(tmp_path / f"{name}.mid", "mid", tmp_path / f"{name}_2.mid")
        assert (tmp_path / f"{name}.mid").read_bytes() == (tmp_path / f"{name}_2.mid").read_bytes()


def test_midi_is_shaped_or_bared_when_asked(tmp_path):
    tune = Piece.from_notes([(4 * i, 4, 60 + i) for i in range(16)], title="tune")
    write_midi(tune, tmp_path / "bare.mid")
    convert_file(tmp_path / "bare.mid", "mid", tmp_path / "light.mid", expression=Expression.LIGHT)
    assert read_piece(tmp_path / "light.mid")[0] == expressive(tune)
    convert_file(tmp_path / "light.mid", "mid", tmp_path / "again.mid", expression=Expression.NONE)
    assert (tmp_path / "again.mid").read_bytes() == (tmp_path / "bare.mid").read_bytes()


@pytest.mark.parametrize(
    ("to", "option", "message"),
    [
        ("svg", {"expression": Expression.NONE}, "--expression is for mp3 and mid, not for svg; leave it out"),
        ("mid", {"soundfont": "bad.sf2"}, "--soundfont is for mp3, not for mid; leave it out"),
    ],
)
def test_an_option_of_another_form_is_refused(played, tmp_path, to, option, message):
    with pytest.raises(MusegenError, match=message):
        convert_file(played, to, tmp_path / "out", **option)
    assert not (tmp_path / "out").exists()


def test_a_score_of_a_played_file_without_our_text_has_the_tempos_that_last(tmp_path):
    rows = [(4 * i, 4, 60 + i % 5) for i in range(64)]
    write_midi(expressive(Piece.from_notes(rows, tempo_qpm=165.0)), tmp_path / "x.mid")
    score = mido.MidiFile(tmp_path / "x.mid")
    score.tracks[0] = mido.MidiTrack(message for message in score.tracks[0] if message.type != "text")
    score.save(tmp_path / "x.mid")
    convert_file(tmp_path / "x.mid", "abc", tmp_path / "x.abc")
    assert [line for line in (tmp_path / "x.abc").read_text().split("\n") if "Q:" in line] == ["Q:1/4=165"]
    slower = Piece.from_notes(rows, tempo_qpm=165.0, tempo_changes=[(64, 99.0)])
    write_midi(slower, tmp_path / "y.mid")
    assert read_for_notation(tmp_path / "y.mid") == (slower, [])


def test_notation_leaves_expression_out():
    tune = Piece.from_notes([(4 * i, 4, 60 + i % 5) for i in range(64)])
    assert piece_to_abc(expressive(tune)) == piece_to_abc(tune)
    assert piece_to_musicxml(expressive(tune)) == piece_to_musicxml(tune)


def test_sound_is_shaped_once_unless_someone_played_it_or_nobody_wants_it(tmp_path):
    tune = Piece.from_notes([(4 * i, 4, 60 + i) for i in range(16)])
    loud = Piece.from_notes([(4 * i, 4, 60 + i, 70 + i) for i in range(16)])
    for name, piece in (("bare", tune), ("played", expressive(tune)), ("loud", loud)):
        write_midi(piece, tmp_path / f"{name}.mid")

    def heard(name, expression):
        convert_file(tmp_path / f"{name}.mid", "mp3", tmp_path / "x.mp3", expression=expression)
        return (tmp_path / "x.mp3").read_bytes()

    shaped, bare = (heard("bare", expression) for expression in (Expression.LIGHT, Expression.NONE))
    assert shaped != bare
    assert heard("played", Expression.LIGHT) == shaped
    assert heard("played", Expression.NONE) == bare
    assert heard("loud", Expression.LIGHT) == heard("loud", Expression.NONE)


def test_a_score_by_itself_has_its_title_and_tempo(tmp_path):
    tune = Piece.from_notes([(0, 4, 60), (4, 4, 64)], title="Two notes & more", tempo_qpm=132)
    write_midi(tune, tmp_path / "tune.mid")
    convert_file(tmp_path / "tune.mid", "svg", tmp_path / "tune.svg")
    drawn = (tmp_path / "tune.svg").read_text(encoding="utf-8")
    assert "Two notes &amp; more" in drawn
    assert "132" in drawn
