"""What `generate` and `harmonise` tell their user beside the music."""

import json

import pretty_midi
from typer.testing import CliRunner

from musegen_lib.cli.generate import lines_about
from musegen_lib.cli.main import app
from musegen_lib.core.piece import Piece
from musegen_lib.formats.midi.reader import write_midi


def run(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_melodies_that_leave_their_mode_are_told_in_one_line():
    kept, left, free = ({"key": "E phrygian", "keeps_mode": keeps} for keeps in (True, False, None))
    assert lines_about([kept, free]) == []
    assert [line.partition(":")[0] for line in lines_about([kept, left, left])] == [
        "2 of 3 leave E phrygian (keeps_mode)"
    ]
    assert lines_about([left])[0].startswith("this one leaves E phrygian")
    assert lines_about([{"notes": 3}]) == []  # four voices have no such fact


def test_a_key_stays_as_the_user_spells_it(tmp_path):
    found = run("generate", "rnn", "--key", "gb major", "--n", 1, "--out", tmp_path, "--json")
    assert found["pieces"][0]["key"] == "Gb major"
    (signature,) = pretty_midi.PrettyMIDI(found["pieces"][0]["file"]).key_signature_changes
    assert pretty_midi.key_number_to_key_name(signature.key_number) == "Gb Major"


def test_a_harmony_whose_last_bar_is_not_full_says_so(tmp_path):
    for steps, told in ((16, False), (12, True)):
        notes = [(4 * n, 4, pitch) for n, pitch in enumerate((67, 69, 71, 72, 71, 69, 67, 66)[: 4 + steps // 4])]
        write_midi(Piece.from_notes(notes, metre="4/4", key="G major"), tmp_path / "tune.mid")
        found = run("harmonise", tmp_path / "tune.mid", "--out", tmp_path / "four.mid", "--json")
        assert any("last bar is not full" in line for line in found["read"]) == told, found
        assert found["playable"] != told
