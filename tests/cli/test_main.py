"""The command line: a wrong wish or a bad file is one line and status 1, and nothing is left half-written."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass

import mido
import numpy as np
import pytest
import soundfile
import torch
from tiny_tunes import make_tunes

from musegen_lib.cli.main import main
from musegen_lib.core.expression import plain
from musegen_lib.core.paths import data_dir
from musegen_lib.corpus import cache_path, load_chorales, load_folk_tunes
from musegen_lib.formats.abc.reader import parse_abc
from musegen_lib.formats.midi.reader import read_midi
from musegen_lib.formats.musicxml.reader import musicxml_to_piece
from musegen_lib.models.melody import recipe
from musegen_lib.models.melody import recipe as melody
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig
from musegen_lib.training.checkpoints import write_checkpoint

TINY = MelodyRNNConfig("gru", hidden_dim=7, embedding_dim=6, dropout=0.0)
HEADER = b"MThd" + struct.pack(">IHHH", 6, 1, 1, 480)
HOSTILE = {  # name: (bytes, part of the verdict)
    "text.mid": (b"hello\n", "not a MIDI file"),
    "empty.mid": (b"", "not a MIDI file|empty"),
    "tracks.mid": (b"MThd" + struct.pack(">IHHH", 6, 1, 65535, 480), "track"),
    "long.mid": (HEADER + b"MTrk" + struct.pack(">I", 1 << 31) + b"\x00\x90\x3c\x50", "track|cut|bytes"),
    "late.mid": (
        HEADER + b"MTrk\x00\x00\x00\x0f" + b"\x00\x90\x3c\x50\xff\xff\xff\x7f\x80\x3c\x00\x00\xff\x2f\x00",
        "",
    ),
}


@dataclass
class Said:
    """What one command did: its exit status and its two outputs."""

    status: int
    out: str
    err: str


@pytest.fixture
def musegen(monkeypatch, capsys):
    """Run the command in this process, through the same `main` as the installed script."""

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["musegen", *map(str, args)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        if isinstance(ended.value.code, str):  # Python prints it and exits with 1
            return Said(1, told.out, told.err + ended.value.code + "\n")
        return Said(ended.value.code or 0, told.out, told.err)

    return run


def musegen_process(*args, **environment):
    """Run the command as a process of its own."""
    command = [sys.executable, "-m", "musegen_lib", *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | environment)
    return Said(done.returncode, done.stdout, done.stderr)


def assert_one_line(said, pattern):
    """A fault: status 1, nothing on standard output, one line on standard error that begins with the name."""
    assert said.status == 1
    assert said.out == ""
    assert re.fullmatch(f"musegen: [^\n]*({pattern})[^\n]*\n", said.err), said.err


def contents(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def read_files(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def write_song(path):
    """Two tracks: a violin over a cello, four quarter notes each, at 90 beats a minute in 4/4."""
    song = mido.MidiFile(ticks_per_beat=480)
    head = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=666_667), mido.MetaMessage("time_signature")])
    song.tracks.append(head)
    for channel, (program, pitches) in enumerate(((40, (67, 69, 71, 72)), (42, (48, 50, 43, 48)))):
        track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=program)])
        for pitch in pitches:
            track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=90))
            track.append(mido.Message("note_off", channel=channel, note=pitch, time=480))
        song.tracks.append(track)
    song.save(path)
    return path


@pytest.fixture
def song(tmp_path):
    return write_song(tmp_path / "song.mid")


@pytest.fixture
def data(tmp_path_factory, monkeypatch):
    """A copy of the data folder with its caches, in which the commands of a test then work."""
    load_chorales(), load_folk_tunes()  # builds the caches on the first use
    folder = tmp_path_factory.mktemp("data") / "data"
    shutil.copytree(data_dir(), folder)
    monkeypatch.setenv("MUSEGEN_DATA", str(folder))
    return folder


@pytest.fixture
def shelf(tmp_path_factory, monkeypatch):
    """A data folder that holds nothing but a whole checkpoint of a small random net."""
    folder = tmp_path_factory.mktemp("shelf")
    torch.manual_seed(0)
    write_checkpoint(folder / "checkpoints" / "rnn.safetensors", MelodyRNN(TINY), {})
    monkeypatch.setenv("MUSEGEN_DATA", str(folder))
    return folder / "checkpoints"


# generate


def test_generate_plays_with_expression_or_writes_the_bare_notes(musegen, tmp_path):
    for name, options in (("a", ()), ("b", ("--expression", "none"))):
        assert musegen("generate", "markov", "--n", 1, "--out", tmp_path / name, *options).status == 0
    played, bare = (read_midi(tmp_path / name / "markov_001.mid")[0] for name in "ab")
    assert set(bare.notes["velocity"].tolist()) == {80}
    assert len(set(played.notes["velocity"].tolist())) > 5
    assert plain(played) == bare
    assert musegen("generate", "markov", "--expression", "heavy", "--out", tmp_path).status == 2


def test_generate_gives_the_same_bytes_and_facts_in_every_process(musegen, tmp_path):
    wish = ("generate", "markov", "--n", 3, "--seed", 1, "--json", "--out")
    here, there = musegen(*wish, tmp_path / "a"), musegen_process(*wish, tmp_path / "b", PYTHONHASHSEED="7")
    assert (here.status, there.status) == (0, 0)
    facts = json.loads(here.out)
    assert facts["validity"] == 1.0
    assert [row["playable"] for row in facts["pieces"]] == [True] * 3
    assert json.loads(there.out) == json.loads(here.out.replace(str(tmp_path / "a"), str(tmp_path / "b")))
    files = read_files(tmp_path / "a")
    assert list(files) == ["markov_001.mid", "markov_002.mid", "markov_003.mid"]
    assert read_files(tmp_path / "b") == files
    assert len(set(files.values())) == 3
    for row, name in zip(facts["pieces"], files):
        piece, _ = read_midi(tmp_path / "a" / name)
        assert (len(piece), piece.title) == (row["notes"], row["title"])
        assert 0 <= row["longest_copied_run"] < len(piece)
        assert 0.5 < row["key_fit"] <= 1


def test_generate_reads_a_key_as_people_write_it(musegen, tmp_path):
    for number, key in enumerate(["a Minor", "D 商"]):
        said = musegen("generate", "vae", "--n", 1, "--key", key, "--out", tmp_path / str(number))
        assert said.status == 0
    assert read_midi(tmp_path / "0" / "vae_001.mid")[0].key == "A minor"
    assert read_midi(tmp_path / "1" / "vae_001.mid")[0].key == "D shang"


@pytest.mark.parametrize(
    ("command", "bars"),
    [
        ("generate rnn --n 2 --bars 2 --out {out}", ("notes of each melody", "files")),
        ("vary {song} --n 2 --out {out}", ("draws", "files")),
        ("convert {song} --to mp3 --out {out}", ("notes",)),
    ],
)
def test_what_takes_long_shows_its_progress(musegen, song, tmp_path, monkeypatch, command, bars):
    monkeypatch.setattr("musegen_lib.core.progress.SECONDS", 0.0)
    said = musegen(*command.format(song=song, out=tmp_path / "out").split())
    assert said.status == 0
    assert [bar for bar in bars if f"{bar}:" not in said.err] == []


def test_generate_hears_style_metre_and_bars_and_prints_lines_for_people(musegen, tmp_path):
    said = musegen(
        *(
            "generate",
            "markov",
            "--n",
            2,
            "--style",
            "irish",
            "--metre",
            "6/8",
            "--bars",
            2,
            "--out",
            tmp_path / "x" / "y",
        )
    )
    assert said.status == 0
    assert "validity: 1\n" in said.out
    assert "markov irish 2" in said.out
    for file in (tmp_path / "x" / "y").iterdir():
        piece, _ = read_midi(file)
        assert (piece.metre, piece.style, piece.n_steps) == ("6/8", "irish", 24)


def test_generate_uses_the_checkpoint_of_the_chosen_data_folder(musegen, data, tmp_path):
    torch.manual_seed(0)
    write_checkpoint(data / "checkpoints" / "rnn.safetensors", MelodyRNN(TINY), {})
    runs = [musegen("generate", "rnn", "--n", 2, "--bars", 2, "--out", tmp_path / name) for name in "ab"]
    assert [said.status for said in runs] == [0, 0]
    assert list(read_files(tmp_path / "a")) == ["rnn_001.mid", "rnn_002.mid"]
    assert read_files(tmp_path / "a") == read_files(tmp_path / "b")


@pytest.mark.parametrize(
    ("args", "pattern"),
    [
        (["nosuch"], "model 'nosuch' is unknown; choose one of markov, rnn"),
        (["markov", "--style", "klingon"], "style 'klingon' is unknown; choose one of chinese, german"),
        (["markov", "--metre", "7/4"], "metre '7/4' is unknown; choose one of 2/4"),
    ],
)
def test_a_wish_that_no_model_knows_is_one_line_with_the_choice_there_is(musegen, tmp_path, args, pattern):
    assert_one_line(musegen("generate", *args, "--out", tmp_path / "out"), pattern)
    assert contents(tmp_path) == set()


def flip(file, place):
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)


DAMAGES = {
    "byte": (lambda shelf: flip(shelf / "rnn.safetensors", 3000), "rnn.safetensors: damaged checkpoint"),
    "short": (lambda shelf: (shelf / "rnn.safetensors").write_bytes(b"\x08"), "rnn.safetensors: damaged checkpoint"),
    "weights": (lambda shelf: (shelf / "rnn.safetensors").unlink(), "rnn.safetensors: no such checkpoint"),
    "card": (lambda shelf: (shelf / "rnn.json").unlink(), "rnn.json: the checkpoint's card is missing"),
    "card text": (lambda shelf: (shelf / "rnn.json").write_text("{"), "rnn.json: the checkpoint's card is unreadable"),
    "config": (lambda shelf: (shelf / "rnn.json").write_text('{"config": {"cell": "x"}}'), "rnn.json: its config does"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", ["generate", "evaluate"])
def test_a_damaged_checkpoint_is_one_line(musegen, shelf, tmp_path, monkeypatch, command, damage):
    monkeypatch.setattr(melody, "melody_events", lambda part: make_tunes(3))
    spoil, pattern = DAMAGES[damage]
    spoil(shelf)
    assert_one_line(musegen(command, "rnn", *(["--out", tmp_path / "out"] if command == "generate" else [])), pattern)
    assert contents(tmp_path) == set()


def test_a_file_where_the_folder_should_be_is_one_line(musegen, tmp_path):
    (tmp_path / "out").write_text("mine")
    said = musegen("generate", "markov", "--n", 1, "--bars", 1, "--out", tmp_path / "out" / "deeper")
    assert_one_line(said, "out/deeper: Not a directory; check the path and the disk")
    assert contents(tmp_path) == {"out"}
    assert (tmp_path / "out").read_text() == "mine"


def test_a_full_disk_is_one_line_and_leaves_whole_files_only(musegen, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    said = musegen("generate", "markov", "--n", 2, "--bars", 1, "--out", tmp_path / "out")
    assert_one_line(said, r"markov_001.mid: cannot be written \(No space left on device\)")
    assert contents(tmp_path) == {"out"}


# train and evaluate


def test_train_writes_a_checkpoint_that_evaluate_reads_and_goes_on_where_it_was(musegen, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(melody, "melody_events", lambda part: make_tunes(40, seed=len(part)))
    monkeypatch.setattr(melody.RNNRecipe, "config", TINY)
    first = musegen("train", "rnn", "--steps", 3, "--seed", 5, "--json")
    assert first.status == 0
    card = json.loads(first.out[first.out.index("{") :])
    assert card["recipe"] == "musegen train rnn --seed 5 --steps 3"
    assert card["checkpoint"] == str(data / "checkpoints" / "rnn.safetensors")
    weights = read_files(data / "checkpoints")
    measured = json.loads(musegen("evaluate", "rnn", "--json").out)
    assert measured["nats_per_note"] == pytest.approx(card["valid_nats_per_note"], abs=1e-3)
    again = musegen("train", "rnn", "--steps", 3, "--seed", 5)
    assert again.status == 0
    assert read_files(data / "checkpoints") == weights


def test_a_place_that_cannot_be_written_is_told_before_the_training(musegen, tmp_path, monkeypatch):
    monkeypatch.setattr(melody.RNNRecipe, "train", lambda *args, **limits: pytest.fail("the training began"))
    (tmp_path / "file").write_text("mine")
    said = musegen("train", "rnn", "--out", tmp_path / "file" / "net.safetensors")
    assert_one_line(said, "file: File exists; check the path and the disk")
    said = musegen("train", "rnn", "--out", os.devnull)
    assert_one_line(said, "is a folder, a device or a pipe, not a file; name a file to write")
    assert contents(tmp_path) == {"file"}


def test_markov_has_nothing_to_train_and_says_so(musegen):
    assert_one_line(musegen("train", "markov"), "markov: needs no training")


def test_an_unknown_split_is_one_line(musegen):
    assert_one_line(musegen("evaluate", "markov", "--split", "train"), "split 'train' is unknown; use valid or test")


def test_ctrl_c_ends_without_a_traceback(musegen, monkeypatch):
    class Stopped:
        def evaluate(self, split):
            raise KeyboardInterrupt

    monkeypatch.setattr(recipe, "MARKOV", Stopped())
    assert musegen("evaluate", "markov") == Said(130, "", "")


# data


def test_verify_finds_one_wrong_byte_in_a_cache_and_builds_it_anew(musegen, data):
    path = cache_path("chorales")
    assert path.parent == data / "cache"
    flip(path, path.stat().st_size // 2)
    said = musegen("data", "verify")
    assert said.status == 0
    first, second, third = said.out.splitlines()
    assert re.fullmatch(rf"{path.name}: damaged cache \(.+\); building it now", first)
    assert re.fullmatch(rf"{path.name}: as committed \(\w{{12}}\)", second)
    assert re.fullmatch(r"folk-.*: as committed \(\w{12}\)", third)
    assert musegen("data", "verify").out.splitlines() == [second, third]


def test_a_cache_that_is_not_the_committed_one_is_one_line(musegen, data):
    path = data / "fingerprints.json"
    path.write_text(json.dumps(dict.fromkeys(json.loads(path.read_text()), "0" * 64)))
    said = musegen("data", "verify")
    assert_one_line(said, rf"{cache_path('chorales').name}: fingerprint \w{{12}} is not the committed 000000000000")


@pytest.mark.parametrize(
    ("file", "command"), [("fingerprints.json", "verify"), ("splits/folk_split.json", "card")], ids=["prints", "split"]
)
@pytest.mark.parametrize("text", ["{", "\ud800"], ids=["cut", "not utf-8"])
def test_a_damaged_data_file_is_one_line(musegen, data, file, command, text):
    (data / file).write_bytes(text.encode("utf-8", "surrogatepass"))
    name = file.rpartition("/")[2]
    assert_one_line(musegen("data", command), f"{name}: the .* missing or unreadable; restore data/")


def test_card_counts_the_corpus(musegen):
    card = json.loads(musegen("data", "card", "--json").out)
    assert (card["chorales"]["pieces"], card["folk tunes"]["pieces"]) == (365, 12895)
    assert sum(card["folk tunes"]["split"].values()) == 12895


# check


def test_check_gives_a_verdict_on_every_file_and_status_1_if_one_is_bad(tmp_path, song):
    for name, (data, _) in HOSTILE.items():
        (tmp_path / name).write_bytes(data)
    files = [song, *(tmp_path / name for name in HOSTILE), tmp_path / "missing.mid", tmp_path]
    said = musegen_process("check", *files)
    assert said.status == 1
    assert said.err == ""
    lines = said.out.splitlines()
    assert len(lines) == len(files)
    assert re.fullmatch(rf"ok  {re.escape(str(song))}: .*8 notes.*read completely", lines[0])
    for line, (name, (_, pattern)) in zip(lines[1:], HOSTILE.items()):
        assert line.startswith(f"BAD {tmp_path / name}: ")
        assert re.search(pattern, line)
    assert [line.partition(":")[0] for line in lines[-2:]] == [f"BAD {tmp_path / 'missing.mid'}", f"BAD {tmp_path}"]


def test_check_of_good_files_has_status_0_by_its_former_name_too(musegen, song):
    assert musegen("check", song, song).status == 0
    assert musegen("midi", "check", song, song).status == 0


# convert


def check_mp3(data, path):
    sound, rate = soundfile.read(path)
    assert 8 / 3 <= len(sound) / rate <= 8  # four beats at 90 a minute, and the last note dies away
    assert np.abs(sound).max() > 0.05


def check_svg(data, path):
    assert b"<svg" in data[:500]
    assert data.count(b'class="note') >= 8


def check_png(data, path):
    assert data.startswith(b"\x89PNG\r\n\x1a\n")


def check_abc(data, path):
    [tune] = parse_abc(data.decode())
    assert [[pitch for _, _, pitch in voice] for voice in tune.voices] == [[67, 69, 71, 72], [48, 50, 43, 48]]


def check_musicxml(data, path):
    notes = musicxml_to_piece(path)[0].notes
    assert sorted(notes["pitch"].tolist()) == [43, 48, 48, 50, 67, 69, 71, 72]
    assert set(notes["voice"].tolist()) == {0, 1}


def check_mid(data, path):
    piece, _ = read_midi(path)
    assert piece.voice(1).notes["pitch"].tolist() == [48, 50, 43, 48]
    assert piece.programs == (40, 42)
    assert piece.tempo_qpm == pytest.approx(90, abs=0.01)


FORMS = {form: globals()[f"check_{form}"] for form in ("mp3", "svg", "png", "abc", "musicxml", "mid")}


@pytest.mark.parametrize("form", FORMS)
def test_convert_writes_each_form_of_a_song_of_two_tracks(musegen, song, tmp_path, form):
    files = [tmp_path / name / f"song.{form}" for name in "ab"]
    for file in files:
        file.parent.mkdir()
        said = musegen("convert", song, "--to", form, "--out", file)
        assert (said.status, said.err) == (0, "")
        assert f"{file}: {file.stat().st_size:,} bytes" in said.out
        assert contents(file.parent) == {file.name}
    assert files[0].read_bytes() == files[1].read_bytes()
    FORMS[form](files[0].read_bytes(), files[0])


BAD_SOURCES = {  # name: (bytes or None for no file, part of the message)
    "missing.mid": (None, "not a file; check the path"),
    "missing.abc": (None, "no such file; check the path"),
    "missing.musicxml": (None, ""),
    "song.txt": (b"X:1\nK:C\nCDEF", "the ending .txt is unknown; give a file that ends in one of .mid, .midi, .abc"),
    "words.abc": (b"no tune here\n", "not ABC"),
    "words.xml": (b"not a score\n", ""),
    "words.mxl": (b"not a zip\n", ""),
    "silent.mid": (HEADER + b"MTrk\x00\x00\x00\x04\x00\xff\x2f\x00", "holds no notes; nothing to write"),
    "silent.abc": (b"X:1\nK:C\nz4|\n", "holds no notes; nothing to write"),
    **HOSTILE,
}


@pytest.mark.parametrize("name", BAD_SOURCES)
@pytest.mark.parametrize("form", ["mp3", "abc"])
def test_convert_refuses_a_bad_file_in_one_line_and_writes_nothing(musegen, tmp_path, name, form):
    data, pattern = BAD_SOURCES[name]
    if data is not None:
        (tmp_path / name).write_bytes(data)
    said = musegen("convert", tmp_path / name, "--to", form, "--out", tmp_path / "out" / "x")
    assert_one_line(said, pattern)
    assert name in said.err
    assert contents(tmp_path) - {name} == set()


@pytest.mark.parametrize("form", FORMS)
def test_convert_into_a_place_that_cannot_be_is_one_line(musegen, song, tmp_path, form):
    said = musegen("convert", song, "--to", form, "--out", song / "x")
    assert_one_line(said, "song.mid")
    assert contents(tmp_path) == {"song.mid"}


# Usage


@pytest.mark.parametrize(
    "args",
    [
        ["generate"],
        ["generate", "markov", "--n", "0"],
        ["generate", "markov", "--n", "many"],
        ["generate", "markov", "--temperature", "-1"],
        ["convert", "x.mid", "--to", "wav", "--out", "x.wav"],
        ["midi", "check"],
        ["train", "rnn", "--steps", "0"],
        ["sing"],
    ],
    ids=" ".join,
)
def test_a_misspelt_command_is_an_ordinary_usage_error(musegen, args, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = musegen(*args)
    assert said.status == 2
    assert "Usage: musegen" in said.err
    assert said.out == ""
    assert contents(tmp_path) == set()


def test_help_names_every_command(musegen):
    said = musegen("--help")
    assert said.status == 0
    for name in ("tour", "generate", "train", "evaluate", "convert", "check", "data", "notebook", "student"):
        assert f" {name} " in said.out


def test_a_fault_in_a_process_of_its_own_is_one_line_without_a_traceback(tmp_path):
    (tmp_path / "fingerprints.json").write_text("{")
    said = musegen_process("data", "verify", MUSEGEN_DATA=str(tmp_path))
    assert_one_line(said, "fingerprints.json: the fingerprints are missing or unreadable; restore data/")
    assert contents(tmp_path) == {"fingerprints.json"}
