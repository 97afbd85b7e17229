"""The command `transfer` and what it makes of foreign pieces: chords, drums, nothing, one note, no metre."""

import json
from pkgutil import resolve_name

import pytest
import torch
from typer.testing import CliRunner

from musegen_lib.cli.main import app
from musegen_lib.cli.transfer import transfer_file
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.corpus.chinese_german import load_held_out
from musegen_lib.formats.midi.reader import read_midi, write_midi
from musegen_lib.models.style.baselines import snapped
from musegen_lib.models.style.method_names import METHODS, NETS
from musegen_lib.models.style.net_recipes import STYLE_RNN
from musegen_lib.models.style.transfer import find_method, melody_of, rewrite

CHORDS = [(4 * k, 4, pitch, 80, voice) for k in range(10) for voice, pitch in ((0, 60 + k), (1, 52), (2, 36))]


@pytest.mark.parametrize("method", ["counts", "rnn"])
def test_a_long_melody_is_rewritten_in_parts_within_its_budget(method):
    pitches = [60 + (7 * n) % 12 for n in range(450)]
    long = Piece.from_notes([(2 * n, 2, pitch) for n, pitch in enumerate(pitches)])
    made = rewrite(long, "chinese", method, 0.1)
    changed = int((made.notes["pitch"] != long.notes["pitch"]).sum())
    assert 0 < changed <= 45
    assert (made.notes["onset_steps"] == long.notes["onset_steps"]).all()


def test_the_top_voice_of_chords_is_taken_and_drums_are_left_out_and_both_are_told():
    melody, told = melody_of(Piece.from_notes(CHORDS, programs=(0, 0, DRUMS)))
    assert melody.notes["pitch"].tolist() == list(range(60, 70))
    assert told == ["several notes at once: the highest is taken, 10 of 20 notes"]


@pytest.mark.parametrize("piece", [Piece.from_notes([]), Piece.from_notes([(0, 4, 38)], programs=(DRUMS,))])
def test_a_piece_without_a_melody_is_refused(piece):
    with pytest.raises(MusegenError, match="no melody in it"):
        melody_of(piece)


def test_one_note_and_no_metre_are_told():
    assert [line.split(":")[0] for line in melody_of(Piece.from_notes([(0, 4, 60)], metre=None))[1]] == [
        "no metre",
        "1 notes are few",
    ]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("to", ["chinese", "german"])
def test_every_method_gives_the_piece_back_at_amount_zero_and_survives_one_note(method, to):
    piece = load_held_out("german", "valid")[0]
    assert (rewrite(piece, to, method, 0.0).notes == piece.notes).all()
    single = Piece.from_notes([(0, 4, 60)])
    assert len(rewrite(single, to, method, 1.0)) == 1


def test_wrong_wishes_are_answered_with_what_there_is():
    piece = Piece.from_notes([(0, 4, 60)])
    for wish, answer in (
        ({"to": "irish"}, "choose one of chinese, german"),
        ({"method": "magic"}, "choose one of counts"),
        ({"amount": 1.5}, "must lie in 0 to 1"),
    ):
        with pytest.raises(MusegenError, match=answer):
            rewrite(piece, **({"to": "chinese"} | wish))


def test_a_method_rewrites_with_the_net_it_is_given():
    piece = load_held_out("german", "valid")[0]
    torch.manual_seed(0)
    untrained = find_method("rnn", STYLE_RNN.net(STYLE_RNN.config).eval())
    assert untrained(piece, "chinese", 0.2, 0) != find_method("rnn")(piece, "chinese", 0.2, 0)
    assert find_method("rnn").args == (STYLE_RNN.load_once(),)


def test_a_method_without_a_net_takes_none_and_an_unknown_one_is_told_which_there_are():
    assert find_method("snap") is snapped
    with pytest.raises(ValueError, match="'snap' rewrites without a net, and StyleRNN was given"):
        find_method("snap", STYLE_RNN.load_once())
    with pytest.raises(MusegenError, match="choose one of counts, counts-ends, snap, gan"):
        find_method("magic")


def test_every_net_of_a_method_is_the_one_of_that_name():
    assert {net: resolve_name(home).name for net, home in NETS.items()} == {net: net for net in NETS}
    assert {net for _, net in METHODS.values() if net} == NETS.keys()


def test_the_command_writes_a_file_and_both_judges_say_what_they_hear(tmp_path):
    source, out = tmp_path / "in.mid", tmp_path / "out.mid"
    write_midi(load_held_out("german", "valid")[0], source)
    wishes = ["transfer", str(source), "--to", "chinese", "--amount", "0.3", "--out", str(out), "--json"]
    result = CliRunner().invoke(app, wishes)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["judged after"]["pitch"] > found["judged before"]["pitch"]
    assert set(found["judged after"]) == {"pitch", "rhythm", "combined", "rolls"}
    assert 0.65 <= found["notes kept"] < 1
    assert len(read_midi(out)[0]) == found["notes"]


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    source = tmp_path / "in.mid"
    write_midi(load_held_out("chinese", "valid")[0], source)
    files = [tmp_path / name for name in ("a.mid", "b.mid")]
    for file in files:
        transfer_file(source, file, "german", "counts", 0.2, 0)
    assert files[0].read_bytes() == files[1].read_bytes()
