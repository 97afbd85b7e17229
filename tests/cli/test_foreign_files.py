"""The commands on foreign files: the same music whatever the format, percussion decided once, advice that works."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import symusic
from typer.testing import CliRunner

from musegen_lib.cli.main import app
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.files import read_piece
from musegen_lib.formats.midi.reader import read_midi, write_midi

FOLDER = Path(__file__).parents[1] / "foreign_files"
TUNE = FOLDER / "three_formats" / "tune.mid"
THREE = [TUNE, TUNE.with_suffix(".abc"), TUNE.with_suffix(".musicxml")]


def run(*args):
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    assert result.exit_code == 0, result.exception
    return result.stdout


def notes(path):
    return [note[:3] for note in read_midi(path)[0].notes.tolist()]


# One tune in three formats


@pytest.mark.parametrize("source", THREE[1:], ids=lambda path: path.suffix)
def test_each_format_gives_the_same_notes_neighbours_and_transfer(tmp_path, source):
    found = {}
    for path in (TUNE, source):
        run("convert", path, "--to", "mid", "--out", tmp_path / "out.mid")
        similar = json.loads(run("recommend", "similar", path, "--n", 5, "--json"))["similar"]
        moved = json.loads(
            run("transfer", path, "--to", "chinese", "--method", "counts", "--out", tmp_path / "moved.mid", "--json")
        )
        moved = {name: value for name, value in moved.items() if name not in ("read", "file")}
        found[path] = notes(tmp_path / "out.mid"), similar, notes(tmp_path / "moved.mid"), moved
    assert found[source] == found[TUNE]
    assert len(found[TUNE][0]) == 36


@pytest.mark.parametrize("to", ["abc", "musicxml", "mid"])
def test_a_tune_converted_is_the_same_tune(tmp_path, to):
    run("convert", TUNE, "--to", to, "--out", tmp_path / f"tune.{to}")
    again, said = read_piece(tmp_path / f"tune.{to}")
    assert (again.notes[["onset_steps", "duration_steps", "pitch"]] == read_piece(TUNE)[0].notes[
        ["onset_steps", "duration_steps", "pitch"]
    ]).all()  # fmt: skip
    assert said == []


def test_the_abc_we_write_is_read_by_abc2midi(tmp_path):
    run("convert", TUNE, "--to", "abc", "--out", tmp_path / "tune.abc")
    score = symusic.Score(str(tmp_path / "tune.abc"))
    theirs = [
        (round(48 * note.start / score.ticks_per_quarter), note.pitch)
        for track in score.tracks
        for note in sorted(track.notes, key=lambda note: (note.start, note.pitch))
    ]
    piece, _ = read_piece(TUNE)
    ours = [(48 * onset // piece.steps_per_beat, pitch) for onset, _, pitch, *_ in piece.notes.tolist()]
    assert theirs == ours


# What percussion is


def harmonised(name, out):
    said = run("harmonise", FOLDER / "midi" / f"{name}.mid", "--out", out)
    piece, _ = read_midi(out)
    return [note[2] for note in piece.voice(0).notes.tolist()], said


def test_harmonise_leaves_percussion_out_and_says_so(tmp_path):
    soprano, said = harmonised("m29_low_tune_ride", tmp_path / "out.mid")
    assert soprano[:4] == [60, 62, 64, 65]
    assert "notes of percussion left out: 16" in said
    assert "moved by +12 semitones" in said


@pytest.mark.parametrize(
    "command",
    [
        ["harmonise"],
        ["vary", "--n", "2"],
        ["perform"],
        ["transfer", "--to", "chinese"],
    ],
    ids=lambda command: command[0],
)
def test_no_command_takes_percussion_for_a_melody(tmp_path, command):
    name, *options = command
    drums = str(FOLDER / "midi" / "m11_drums_only.mid")
    result = CliRunner().invoke(app, [name, drums, *options, "--out", str(tmp_path / "out")])
    refused = "m11_drums_only.mid: holds percussion only (16 notes); give a file with a melody"
    assert str(result.exception) == refused
    assert not list(tmp_path.iterdir())
    assert str(CliRunner().invoke(app, ["recommend", "similar", drums]).exception) == refused


def test_harmonise_finds_the_transposition_that_fits_a_wide_tune(tmp_path):
    soprano, said = harmonised("m31_fiddle_compass", tmp_path / "out.mid")
    assert (min(soprano), max(soprano)) == (55, 84)
    assert "moved by -2 semitones" in said


@pytest.mark.parametrize("to", ["abc", "musicxml", "mid"])
def test_drums_stay_drums_in_every_conversion(tmp_path, to):
    run("convert", FOLDER / "midi" / "m10_drums.mid", "--to", to, "--out", tmp_path / f"out.{to}")
    piece, _ = read_piece(tmp_path / f"out.{to}")
    original, _ = read_piece(FOLDER / "midi" / "m10_drums.mid")
    strokes = [
        sorted(note[2] for note in each.notes.tolist() if each.program(note[4]) == DRUMS) for each in (piece, original)
    ]
    assert strokes[0] == strokes[1] != []


# Repeats


def test_as_written_plays_no_repeat(tmp_path):
    source = FOLDER / "abc" / "a15_repeat.abc"
    for options, n in (([], 16), (["--as-written"], 8)):
        run("convert", source, "--to", "mid", "--out", tmp_path / "out.mid", *options)
        assert len(notes(tmp_path / "out.mid")) == n


def test_check_takes_every_format_and_counts_the_tunes_of_a_collection(tmp_path):
    collection = tmp_path / "two.abc"
    collection.write_text("X:1\nK:C\nCDEF|\n\nX:2\nK:G\n{c}GABc|\n")
    said = run("check", *THREE, collection).splitlines()
    assert all(line.startswith("ok  ") for line in said)
    assert said[-1] == f"ok  {collection}: 2 tunes, 8 notes; grace notes left out: 1"


# What is written


@pytest.mark.parametrize(
    "command", [["harmonise"], ["perform"], ["transfer", "--to", "chinese"], ["convert", "--to", "mid"]]
)
def test_no_command_writes_over_what_it_reads_or_under_a_name_of_another_kind(tmp_path, command):
    source = tmp_path / "tune.mid"
    source.write_bytes(TUNE.read_bytes())
    name, *options = command
    for out, said in (
        (source, "is the file that is read; name another"),
        (tmp_path / "x.abc", "ends in .mid or .midi"),
    ):
        result = CliRunner().invoke(app, [name, str(source), *options, "--out", str(out)])
        assert said in str(result.exception)
    assert source.read_bytes() == TUNE.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["tune.mid"]


@pytest.mark.parametrize(
    "command",
    ["harmonise", "perform", "transfer --to chinese", "convert --to mp3", "vary", f"interpolate {TUNE}"],
)
def test_a_place_that_cannot_be_is_told_before_the_work(tmp_path, monkeypatch, command):
    monkeypatch.setattr("musegen_lib.formats.files._read", lambda *_: pytest.fail("the file was read first"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "mine").touch()
    name, *options = command.split()
    places = ["mine"] if name in ("vary", "interpolate") else ["folder", "mine/x"]
    for place in places:
        result = CliRunner().invoke(app, [name, *options, str(TUNE), "--out", str(tmp_path / place)])
        assert isinstance(result.exception, MusegenError | OSError)
        assert place.split("/")[0] in str(result.exception)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["folder", "mine"]


@pytest.mark.parametrize("command", ["harmonise", "perform", "vary"])
@pytest.mark.parametrize("title", ["A title", ""])
def test_a_melody_that_is_too_wide_is_named_by_its_file_with_what_to_do(tmp_path, command, title):
    rows = [(4 * i, 4, pitch) for i, pitch in enumerate([20, 100] * 4)]
    write_midi(Piece.from_notes(rows, metre="4/4", title=title), tmp_path / "wide.mid")
    result = CliRunner().invoke(app, [command, str(tmp_path / "wide.mid"), "--out", str(tmp_path / "out.mid")])
    assert re.fullmatch(r"wide\.mid: .*spans 80 semitones, .*; give a narrower one", str(result.exception))


def test_of_a_collection_the_first_tune_with_notes_is_taken(tmp_path):
    (tmp_path / "two.abc").write_text("X:1\nT:Preface\nK:C\n\nX:2\nK:G\nGABc|\n")
    said = run("convert", tmp_path / "two.abc", "--to", "mid", "--out", tmp_path / "out.mid")
    assert "two.abc: tune 2 of 2 is taken" in said
    assert len(notes(tmp_path / "out.mid")) == 4


@pytest.mark.parametrize("to", ["abc", "musicxml"])
def test_triplets_rounded_to_a_files_ticks_are_written_as_triplets(tmp_path, to):
    lengths = (85, 85, 86)
    notes_of = "".join(
        f"<note><pitch><step>{step}</step><octave>4</octave></pitch><duration>{length}</duration></note>"
        for step, length in zip("CDE", lengths)
    )
    (tmp_path / "x.musicxml").write_text(
        '<score-partwise><part-list><score-part id="P1"><part-name/></score-part></part-list><part id="P1"><measure>'
        "<attributes><divisions>256</divisions><time><beats>1</beats><beat-type>4</beat-type></time></attributes>"
        f"{notes_of}</measure></part></score-partwise>"
    )
    said = run("convert", tmp_path / "x.musicxml", "--to", to, "--out", tmp_path / f"out.{to}")
    assert "notes moved onto the grid: 3 (by at most 0.00" in said
    piece, _ = read_piece(tmp_path / f"out.{to}")
    assert (piece.steps_per_beat, piece.notes["onset_steps"].tolist()) == (12, [0, 4, 8])
