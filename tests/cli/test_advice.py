"""Each piece of advice in a message about a music file, followed to the letter: then the command works."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO

import mido
import pytest
from typer.testing import CliRunner

from musegen_lib.cli.main import app
from musegen_lib.core.piece import Piece
from musegen_lib.formats.midi.reader import piece_to_midi

SCORE = (
    '<score-partwise><part-list><score-part id="P1"><part-name/></score-part></part-list><part id="P1"><measure>'
    "<attributes><divisions>1</divisions><time><beats>{0}</beats><beat-type>4</beat-type></time></attributes>"
    "<note><pitch><step>{1}</step><octave>4</octave></pitch><duration>4</duration></note></measure></part>"
    "</score-partwise>"
)
SCALE = Piece.from_notes([(4 * n, 4, 60 + n) for n in range(8)])
ABC = "X:1\nM:4/4\nL:1/4\nK:C\n{}\n"


def midi(form=1, division=480, metre=4, gap=0):
    """Two quarter notes, by mido."""
    song = mido.MidiFile(type=form, ticks_per_beat=division)
    track = song.add_track()
    track.append(mido.MetaMessage("time_signature", numerator=metre, denominator=64 if metre == 1 else 4))
    for time in (0, gap):
        track.append(mido.Message("note_on", note=60, time=time))
        track.append(mido.Message("note_off", note=60, time=480))
    file = BytesIO()
    song.save(file=file)
    return file.getvalue()


def packed(text):
    """An .mxl file with this score."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("score.xml", text)
    return file.getvalue()


TWINS = SCORE.format(4, "C").replace("</score-partwise>", '<part id="P1"/></score-partwise>')
MXL = packed(SCORE.format(4, "C"))
FRAMES = midi()[:12] + b"\xe7\x28" + midi()[14:]
CASES = {  # name of the file: what is wrong with it, words of the advice, the file with the advice followed
    "two.mid": (midi(form=2), "save it as format 0 or 1", midi(form=1)),
    "film.mid": (FRAMES, "save it with ticks per quarter note", midi()),
    "silence.mid": (midi(gap=480 * 60 * 130 * 6), "cut out the silence", midi(gap=0)),
    "words.mid": (b"Dear MIDI", "choose a .mid file", midi()),
    "cut.mxl": (b"PK\x03\x04 cut short", "fetch it again", MXL),
    "bars.mid": (midi(metre=1, gap=480 * 4_000), "correct the metre", midi(metre=4, gap=480 * 4_000)),
    "cut.mid": (midi()[:-5], "fetch the file again", midi()),
    "nokey.abc": (b"X:1\nCDEF|\n", "add one, such as K:C, before the music", b"X:1\nK:C\nCDEF|\n"),
    "notes.abc": (b"CDEF|\n", "add a line X:1", b"X:1\nK:C\nCDEF|\n"),
    "length.abc": (ABC.format("C/0 D").encode(), "write a fraction such as 3/2", ABC.format("C3/2 D").encode()),
    "loud.abc": (ABC.format("C''''''''").encode(), "take away octave marks", ABC.format("C'").encode()),
    "beats.xml": (
        SCORE.format("four", "C").encode(),
        "must be a number from 0.25 to 255",
        SCORE.format(4, "C").encode(),
    ),
    "letter.xml": (SCORE.format(4, "H").encode(), "correct it", SCORE.format(4, "B").encode()),
    "entity.xml": (
        b'<!DOCTYPE s [<!ENTITY a "b">]>' + SCORE.encode(),
        "export it again",
        SCORE.format(4, "C").encode(),
    ),
    "twins.xml": (
        TWINS.encode(),
        "give each <part> the id of its own",
        TWINS.replace('<part id="P1"/>', '<part id="P2"/>').encode(),
    ),
    "opera.xml": (b"<opera/>", "export it as partwise MusicXML", SCORE.format(4, "C").encode()),
}


def check(path):
    result = CliRunner().invoke(app, ["check", str(path)])
    return result.exit_code, result.stdout.removeprefix(f"BAD {path}: ")


@pytest.mark.parametrize("name", CASES)
def test_advice_about_a_file_works(tmp_path, name):
    path, (bad, advice, good) = tmp_path / name, CASES[name]
    path.write_bytes(bad)
    status, said = check(path)
    assert (status, advice in said, said.count("\n")) == (1, True, 1), said
    path.write_bytes(good)
    assert check(path)[0] == 0


def test_an_unknown_ending_names_endings_that_work(tmp_path):
    (tmp_path / "tune.doc").write_bytes(piece_to_midi(SCALE))
    _, said = check(tmp_path / "tune.doc")
    assert re.search(r"give a file that ends in one of \.mid", said)
    (tmp_path / "tune.doc").rename(tmp_path / "tune.mid")
    assert check(tmp_path / "tune.mid")[0] == 0


@pytest.mark.parametrize("wrong", ["tune.mid", "tune.abc", "tune.musicxml", "tune.mxl"])
@pytest.mark.parametrize("data", [midi(), b"%abc\nX: 1\nK:C\nCDEF|\n", SCORE.format(4, "C").encode(), MXL])
def test_a_file_whose_ending_lies_can_be_renamed_as_the_message_says(tmp_path, wrong, data):
    (tmp_path / wrong).write_bytes(data)
    status, said = check(tmp_path / wrong)
    if status:
        ending = re.search(r"; rename it to end in (\.\w+)$", said.strip())[1]
        (tmp_path / wrong).rename(tmp_path / f"right{ending}")
        assert check(tmp_path / f"right{ending}")[0] == 0


def test_repeats_without_end_can_be_read_as_written(tmp_path):
    endless = tmp_path / "endless.abc"
    endless.write_text(ABC.format("|:CDEF:|" * 6_000))
    args = ["convert", str(endless), "--to", "mid", "--out", str(tmp_path / "out.mid")]
    refused = CliRunner().invoke(app, args)
    assert "--as-written" in str(refused.exception)
    assert CliRunner().invoke(app, [*args, "--as-written"]).exit_code == 0


def test_a_page_that_is_too_long_is_written_when_a_part_is_cut_out(tmp_path):
    crowd = Piece.from_notes([(n // 128, 1, n % 128) for n in range(20_000)])
    for piece, works in ((crowd, False), (crowd.excerpt(1), True)):
        (tmp_path / "crowd.mid").write_bytes(piece_to_midi(piece))
        args = ["convert", str(tmp_path / "crowd.mid"), "--to", "musicxml", "--out", str(tmp_path / "out.musicxml")]
        result = CliRunner().invoke(app, args)
        assert (result.exit_code == 0) == works
        assert works or "cut out a part of the music" in str(result.exception)
