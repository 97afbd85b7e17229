"""Any bytes are read or refused in one line, in bounded time; and what is read means the same after moving it."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from bombs import BOMBS
from edits import KINDS, Edit, damage, edit_lists
from fuzz_targets import TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st
from mends import mend_font, mend_midi, mend_xml

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.encodings.arrays import (
    EVENT_REST,
    FIRST_PITCH,
    REST,
    piece_to_events,
    piece_to_grid,
    piece_to_roll,
    piece_to_tokens,
)
from musegen_lib.formats.abc.reader import parse_abc, piece_to_abc, tune_to_piece
from musegen_lib.formats.midi.reader import parse_midi, piece_to_midi
from musegen_lib.formats.musicxml.reader import musicxml_to_piece, piece_to_musicxml

TESTS = Path(__file__).parent
SOME = settings(derandomize=True, deadline=None, database=None, max_examples=60)
FEW = settings(SOME, max_examples=12)
FORKS = pytest.mark.skipif(os.name == "nt", reason="the sandbox forks")


# Any bytes


def message_of(read, path):
    """What a reader says of a file that it refuses; nothing of one that it reads."""
    try:
        read(path)
    except MusegenError as fault:
        return str(fault)
    return ""


def is_short_line(message):
    return message.isprintable() and len(message) < 600


@pytest.mark.parametrize("name", [name for name in TARGETS if name not in ("midi", "splits", "notebook")])
def test_damaged_files_are_read_or_refused_in_one_line_and_in_time(name, tmp_path):
    target = TARGETS[name]

    @SOME
    @given(st.sampled_from(target.seeds), edit_lists(target.tokens), st.booleans())
    def door(seed, edits, mend):
        data = damage(seed, edits)
        path = tmp_path / f"file{target.suffix}"
        path.write_bytes(target.mend(data) if mend and target.mend else data)
        started = time.process_time()
        assert is_short_line(message_of(target.read, path))
        assert time.process_time() - started < target.limits.seconds

    door()


@SOME
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\x20", b"X:1\nK:C\n", b"PK\3\4", b"<"]),
)
def test_bytes_without_sense_are_read_or_refused(data, start):
    for name in ("midi", "abc", "musicxml", "state", "frames"):
        path = Path(os.environ["PYTEST_TMP"]) / f"file{TARGETS[name].suffix}"
        path.write_bytes(start + data)
        assert is_short_line(message_of(TARGETS[name].read, path))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_TMP", str(tmp_path))


def test_sound_files_of_every_kind_are_read(tmp_path):
    for name, target in TARGETS.items():
        path = tmp_path / f"file{target.suffix}"
        path.write_bytes(target.mend(target.seeds[0]) if target.mend else target.seeds[0])
        if name != "splits":  # its two forms contradict each other
            target.read(path)


# In a process with limits


def sandbox(module, reader, suffix, inputs):
    """Verdicts from a process of its own."""
    wish = json.dumps({"module": module, "reader": reader, "suffix": suffix, "inputs": [data.hex() for data in inputs]})
    command = [sys.executable, str(TESTS / "sandbox.py")]
    run = subprocess.run(command, input=wish, capture_output=True, text=True, check=True, cwd=TESTS)
    return json.loads(run.stdout)


@FORKS
def test_the_sandbox_survives_every_way_to_die_and_names_it():
    wishes = ["fine", "loop", "eat", "refuse", "abort", "key", "nibble", "lines", "exit", "fine"]
    verdicts = sandbox("planted_faults", "misread", ".txt", [wish.encode() for wish in wishes])
    ends = [(verdict["outcome"], verdict["said"][:20]) for verdict in verdicts]
    assert ends == [
        ("read", ""),
        ("fault", "took too long"),
        ("fault", "MemoryError: "),
        ("refused", "1.txt: refused; try "),
        ("fault", "died of SIGABRT"),
        ("fault", "KeyError: 'nothing'"),
        ("fault", "took more than 200 M"),
        ("fault", "message is no short "),
        ("fault", "died of status 3"),
        ("read", ""),
    ]


@FORKS
def test_every_bomb_and_every_input_that_once_failed_is_read_or_refused_within_limits():
    run = subprocess.run([sys.executable, "fuzz.py", "--replay"], capture_output=True, text=True, cwd=TESTS)
    assert run.returncode == 0, run.stdout + run.stderr
    kept = sum(path.is_file() for path in (TESTS / "regressions").glob("*/*"))
    assert run.stdout.splitlines()[-1] == f"{len(BOMBS)} bombs and {kept} inputs that once failed: 0 faults"


@FORKS
def test_the_fuzzer_finds_a_fault_makes_it_small_and_keeps_it_by_name(tmp_path):
    program = f"""
import sys; sys.path.insert(0, {str(TESTS)!r})
import random, pathlib, fuzz_engine as fuzz
def read(path):
    if b"!!" in path.read_bytes(): raise KeyError("planted")
target = fuzz.Target(read, ".txt", (b"abcdefgh",), (b"!!",))
tally = fuzz.Tally()
fuzz.fuzz(target, tally, random.Random(1), 0.5, pathlib.Path({str(tmp_path)!r}) / "planted")
[name] = tally.faults.values()
"""
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    [kept] = (tmp_path / "planted").iterdir()
    assert kept.name.startswith("keyerror-")
    assert len(kept.read_bytes()) == 10  # the seed and one edit


# The tools of the fuzzer


@pytest.mark.parametrize(
    ("edit", "result"),
    [
        (Edit("flip", 0.5, 1), b"ab10cd"),
        (Edit("digits", 0, 3), b"ab128cd"),
        (Edit("insert", 0.5, 0, b"XY"), b"ab1XY2cd"),
        (Edit("overwrite", 0, 0, b"XY"), b"XY12cd"),
        (Edit("delete", 0.5, 1), b"ab1d"),
        (Edit("cut", 0.5, 0), b"ab1"),
        (Edit("move", 0.5, 2), b"ab1d2c"),
        (Edit("number", 0.0, 12), bytes([0xFF]) + b"b12cd"),
    ],
    ids=lambda value: value.kind if isinstance(value, Edit) else "",
)
def test_an_edit_does_what_its_name_says(edit, result):
    assert edit.kind in KINDS
    assert edit.apply(b"ab12cd") == result


def test_menders_leave_what_is_whole_and_mend_what_is_not():
    song, score = TARGETS["midi"].seeds[0], TARGETS["musicxml"].seeds[0]
    assert mend_midi(song) == song
    assert mend_midi(song.replace(b"MTrk\0\0\0", b"MTrk\xff\0\0")) == song
    font = TARGETS["sound font"].seeds[0]
    assert mend_font(font) == mend_font(font.replace(b"smpl ", b"smpl\xff")) == font
    assert mend_xml(mend_xml(score)) == mend_xml(score)
    assert mend_xml(b"<a>1<b>2<c/></a></d>3") == b"<a>1<b>2<c/></b></a>"


# What is read means the same after moving it


def melodies():
    """Melodies on sixteenths between C3 and C5, rests between some notes."""
    rows = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(48, 72)), min_size=1, max_size=12)

    def lay(rows):
        now, notes = 0, []
        for rest, length, pitch in rows:
            notes.append((now + rest, length, pitch))
            now += rest + length
        return Piece.from_notes(notes)

    return rows.map(lay)


def later(piece, steps):
    """The piece after some steps of silence."""
    notes = piece.notes.copy()
    notes["onset_steps"] += steps
    return piece.replace(notes=notes)


@SOME
@given(melodies(), st.integers(0, 12), st.integers(0, 40))
def test_encodings_move_with_the_music(piece, up, wait):
    high, late = piece.transpose(up), later(piece, wait)
    tokens, events, (roll, onset_roll) = piece_to_tokens(piece), piece_to_events(piece), piece_to_roll(piece)
    grid = piece_to_grid(piece)
    assert np.array_equal(piece_to_tokens(high), np.where(tokens >= FIRST_PITCH, tokens + up, tokens))
    assert np.array_equal(piece_to_grid(high), grid + up * np.sign(grid))
    assert np.array_equal(piece_to_events(high)[:, 0], events[:, 0] + up * (events[:, 0] != EVENT_REST))
    assert np.array_equal(piece_to_roll(high)[0], np.roll(roll, up, axis=1))
    assert np.array_equal(piece_to_roll(high)[1], np.roll(onset_roll, up, axis=1))
    assert np.array_equal(piece_to_tokens(late), np.concatenate([np.full(wait, REST), tokens]))
    assert np.array_equal(piece_to_grid(late)[wait:], grid)
    assert not piece_to_roll(late)[0][:wait].any()
    assert np.array_equal(piece_to_roll(late)[0][wait:], roll)


@SOME
@given(melodies(), st.integers(-12, 12), st.integers(0, 4000))
def test_midi_moves_with_the_music(piece, up, wait):
    moved = later(piece, wait).transpose(up)
    back, report = parse_midi(piece_to_midi(moved), "moved")
    assert back == moved
    assert str(report) == "read completely"
    assert np.array_equal(back.notes["pitch"].astype(int) - up, piece.notes["pitch"])


@SOME
@given(melodies(), st.integers(-12, 12))
def test_abc_gives_any_melody_back_in_any_key(piece, up):
    moved = piece.replace(key="C major").transpose(up)
    [tune] = parse_abc(piece_to_abc(moved))
    back, _ = tune_to_piece(tune, moved.steps_per_beat)
    assert np.array_equal(back.notes, moved.notes)
    assert back.key == moved.key


@FEW
@given(melodies(), st.integers(-12, 12))
def test_musicxml_gives_any_melody_back_in_any_key(piece, up):
    moved = piece.replace(key="C major", title="x").transpose(up)
    path = Path(os.environ["PYTEST_TMP"]) / "moved.xml"
    path.write_bytes(piece_to_musicxml(moved))
    assert np.array_equal(musicxml_to_piece(path, moved.steps_per_beat)[0].notes, moved.notes)


@SOME
@given(melodies(), st.integers(-12, 12))
def test_drums_stay_where_they_are_when_music_is_transposed(piece, up):
    band = piece.replace(programs=(DRUMS,)).transpose(up)
    assert np.array_equal(band.notes, piece.notes)
