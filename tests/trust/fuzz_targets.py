"""What `make fuzz` attacks: one line a reader in TARGETS, with sound files of our own making to damage.

A reader takes the path of a file and may return anything or raise MusegenError; all else is a fault. It does with what
it has read what a user would do next. A new reader needs one line more.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from unittest import mock

import nbformat
import numpy as np
import torch
from fuzz_engine import Target
from mends import mend_font, mend_midi, mend_xml
from midi_battery import CASES
from midi_bytes import BEAT, meta, off, on, program, song, tempo, track
from safetensors.torch import save
from sandbox import Limits
from tiny_fonts import sine_font

from musegen_lib.cli.convert import convert_file
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import expressive
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import cache, load, splits
from musegen_lib.display import sound, soundfont
from musegen_lib.formats.abc import reader as abc
from musegen_lib.formats.midi import reader as midi
from musegen_lib.formats.midi.reader import parse_midi, piece_to_midi
from musegen_lib.formats.midi.scan import scan
from musegen_lib.formats.musicxml import reader as musicxml
from musegen_lib.lessons import notebooks
from musegen_lib.models.chorale.frame_batches import read_frames
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig
from musegen_lib.models.recommend.interactions import read_interactions
from musegen_lib.training.checkpoints import load_model, read_config, read_state, write_checkpoint, write_state

torch.set_num_threads(1)


SONG = Piece.from_notes(
    [(0, 4, 60), (4, 2, 64), (6, 2, 62), (8, 8, 67), (0, 16, 48, 70, 1), (16, 4, 72), (16, 4, 43, 90, 1)],
    metre="3/4",
    key="D dorian",
    title="Seed",
    pickup_steps=4,
    programs=(40, 128),
    licence="CC0",
)
RANGE = Piece.from_notes([(0, 1, 0), (1, 1, 60), (2, 1, 127), (0, 1, 38, 80, 1)], programs=(0, 128), tempo_qpm=240)
TUNE = """X:1
T:Seed
M:6/8
L:1/8
Q:1/4=120
K:Dmix
V:1
(3ABc d2 e>f|[CEG]2 z {g}a-a _b^c=d|:!trill!e/2f/2 "Am"g2:|[M:2/4][K:C] Z2|(5:4:5abcde w:words
V:2 clef=bass
D,,4 E,' & x4|[L:1/16] A<<B C---D|
"""
SCORE = """<?xml version="1.0"?><!DOCTYPE score-partwise SYSTEM "partwise.dtd"><score-partwise version="4.0">
<work><work-title>Seed</work-title></work><part-list><score-part id="P1"><part-name>One</part-name>
<midi-instrument id="I1"><midi-channel>1</midi-channel><midi-program>41</midi-program></midi-instrument></score-part>
</part-list><part id="P1"><measure number="1"><attributes><divisions>2</divisions><key><fifths>-3</fifths><mode>minor
</mode></key><time><beats>3+2</beats><beat-type>8</beat-type></time><transpose><chromatic>-2</chromatic></transpose>
</attributes><sound tempo="90"/><note><pitch><step>C</step><alter>1</alter><octave>4</octave></pitch><duration>2
</duration><tie type="start"/><voice>1</voice></note><note><chord/><pitch><step>E</step><octave>4</octave></pitch>
<duration>2</duration></note><backup><duration>2</duration></backup><forward><duration>1</duration></forward><note>
<rest/><duration>3</duration></note></measure><measure number="2"><note><grace/><pitch><step>D</step><octave>5</octave>
</pitch></note><note><pitch><step>C</step><alter>1</alter><octave>4</octave></pitch><duration>4</duration><tie
type="stop"/><notations><fermata/></notations></note></measure></part></score-partwise>"""
SIGNS = """<score-timewise><part-list><score-part id="P1"><part-name>Violin</part-name><score-instrument id="D">
<instrument-name>Snare</instrument-name></score-instrument><midi-instrument id="D"><midi-channel>10</midi-channel>
<midi-unpitched>39</midi-unpitched></midi-instrument></score-part></part-list><measure number="0"><part id="P1">
<attributes><divisions>1.5</divisions><time><beats>1</beats><beat-type>4</beat-type></time><transpose><chromatic>0
</chromatic><double/></transpose></attributes><barline location="left"><ending number="1-2" type="start"/><repeat
direction="forward"/></barline><direction><direction-type><metronome><beat-unit>half</beat-unit><beat-unit-dot/>
<per-minute>60</per-minute></metronome></direction-type><offset sound="yes">1</offset></direction><note><unpitched>
<display-step>C</display-step><display-octave>5</display-octave></unpitched><duration>0.5</duration><instrument id="D"/>
</note><barline location="middle"><repeat direction="backward" times="3"/></barline><note><rest measure="yes"/>
<duration>
1
</duration></note><barline><ending number="1-2" type="stop"/></barline></part></measure><measure number="1"><part
 id="P1">
<attributes><time><beats>3</beats><beat-type>4</beat-type></time><key><key-step>F</key-step><key-alter>1</key-alter>
</key>
<measure-style><measure-repeat type="start">1</measure-repeat></measure-style></attributes><direction><direction-type>
<words>D.S. al Coda</words></direction-type></direction><sound coda="a" tocoda="a" segno="b" fine="yes"/></part>
</measure>
</score-timewise>"""
NET = MelodyRNNConfig("gru", hidden_dim=3, embedding_dim=2)
XML_TOKENS = (
    b"<!ENTITY a 'aaaaaaaaaaaaaaaa'>",
    b"&a;&a;&a;&a;",
    b"<!DOCTYPE x [",
    b"]>",
    b"<note>",
    b"</note>",
    b"<chord/>",
)
XML_TOKENS += (
    b"<duration>99999999999</duration>",
    b"<duration>-1</duration>",
    b"1e999",
    b"nan",
    b"<backup>",
    b"\xff\xfe",
    b"&#0;",
)
JSON_TOKENS = (
    b"[" * 900,
    b"{" * 900,
    b"null",
    b"-1",
    b"1e999",
    b"NaN",
    b'"\\ud800"',
    b"[]",
    b"{}",
    b"9" * 5000,
    b'"',
    b",",
    b":",
)
MIDI_TOKENS = (
    b"MTrk",
    b"MThd",
    b"\xff\x2f\x00",
    b"\xff\xff\xff\x7f",
    b"\x8f\xff\xff\x7f",
    b"\x90\x3c\x50",
    b"\xf0",
    b"\xf7",
)
MIDI_TOKENS += (b"\xff\x51\x03\x00\x17\x71", b"\xff\x58\x04\x01\x06\x18\x08", b"\xff\x01\x20musegen:{", b"\x00\x3c\x50")
ABC_TOKENS = tuple(
    b"X:2\n|(9:9999:9999|[V:9]|>>>|K:\n|M:1/64\n|L:1/9999\n|C9999|////|,,,,|''''|:|\n\nX:3\n|^^".split(b"|")
)


def midi_and_back(path: Path) -> None:
    """Read MIDI, show it, write it; what was written must come back as it was."""
    piece, report = midi.read_midi(path)
    str(report), repr(piece), piece.excerpt(8)
    if len(piece) + report.unended_notes + report.notes_merged != scan(path.read_bytes(), path.name).n_note_ons:
        raise AssertionError(f"notes lost without a word: {len(piece)} of them are left; {report}")
    try:
        data = piece_to_midi(piece)
    except MusegenError:
        return  # its grid and length are more than MIDI can state
    again, said = parse_midi(data, "again")
    if again != piece or str(said) != "read completely":
        raise AssertionError(f"written and read again it is another piece: {said}")


def abc_and_back(path: Path) -> None:
    """Read ABC; every tune that can be written comes back with the same notes."""
    for tune in abc.read_abc(path)[:20]:
        abc.tune_to_piece(tune, as_written=True)
        piece, report = abc.tune_to_piece(tune)
        str(report)
        if len(piece) and piece.n_steps < 20_000:
            try:
                [again] = abc.parse_abc(abc.piece_to_abc(piece))
            except ValueError as fault:
                if "no tuplet" in str(fault):
                    continue  # its grid is more than ABC can state
                raise
            back, _ = abc.tune_to_piece(again, piece.steps_per_beat)
            if not np.array_equal(back.notes, piece.notes):
                raise AssertionError("written and read again it has other notes")


def any_score(path: Path) -> None:
    """Read MusicXML as it is played and as it is written."""
    score = musicxml.read_musicxml(path)
    repr([part.notes for part in score.parts]), repr(musicxml.musicxml_to_piece(score, as_written=True))
    str(musicxml.musicxml_to_piece(score)[1])


def any_weights(path: Path) -> None:
    """Load damaged weights whose card was made to fit, so that the hash does not end the reading."""
    card = {
        "config": {"cell": "gru", "hidden_dim": 3, "embedding_dim": 2},
        "sha256": sha256(path.read_bytes()).hexdigest(),
    }
    path.with_suffix(".json").write_text(json.dumps(card))
    load_model(path, MelodyRNN, MelodyRNNConfig)


def any_card(path: Path) -> None:
    """Load sound weights by a damaged card."""
    weights = path.with_suffix(".safetensors")
    weights.write_bytes(WEIGHTS)
    read_config(weights, MelodyRNNConfig)
    load_model(weights, MelodyRNN, MelodyRNNConfig)


def any_split(path: Path) -> None:
    """Use a damaged file of splits in each place, as a data folder of the user's own may hold one."""
    uses = (splits.folk_split, splits.hymn_tunes, lambda: splits.chorale_split("tune"), load._committed_fingerprints)
    refusals = []
    with (
        mock.patch.object(splits, "committed", return_value=path),
        mock.patch.object(load, "committed", return_value=path),
    ):
        for use in uses:
            try:
                use()
            except MusegenError as fault:
                refusals.append(fault)
    if refusals:
        raise refusals[0]


def any_font(path: Path) -> None:
    """Play notes of all ranges by a sound font."""
    soundfont.load_soundfont.cache_clear()
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # that a bank is absent
        audio = sound.render(RANGE, soundfont=path)
    if not np.isfinite(audio).all() or np.abs(audio).max() > 1:
        raise AssertionError("not a sound")


def convert_to(form: str) -> Callable[[Path], object]:
    """Read MIDI and write it as something else."""
    return lambda path: convert_file(path, form, path.with_suffix(f".out.{form}"))


def zipped(**entries: str) -> bytes:
    """An .mxl file of these entries; a double underscore stands for the slash."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries.items():
            archive.writestr(name.replace("__", "/") + ".xml", text)
    return file.getvalue()


def written(write: Callable[[Path], object], name: str = "seed.safetensors") -> dict[str, bytes]:
    """The files that a writer leaves, by their endings."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name)
        return {file.suffix: file.read_bytes() for file in Path(folder).iterdir()}


def frames() -> bytes:
    """A small file of frames."""
    return json.dumps({part: [[[60, 64], [], [127]], [[0]]] for part in ("train", "valid", "test")}).encode()


torch.manual_seed(0)
PAIR = written(lambda path: write_checkpoint(path, MelodyRNN(NET), {"seed": 0}))
WEIGHTS, CARD = PAIR[".safetensors"], PAIR[".json"]
STATE = written(lambda path: write_state(path, {"a": torch.ones(2)}, {"run": "{}"}))[".safetensors"]
CACHE = written(lambda path: cache.write_arrays(path, {"pitch": np.arange(9)}), "seed.npz")[".npz"]
MIXED = song(
    track((0, tempo(400_000)), (0, meta(3, b"x"))), track((0, program(5)), *BEAT, (0, on(62)), (9, off(62)), *BEAT)
)
GOOD = [case.data for case in CASES.values() if not case.refused and len(case.data) < 2000]
SHAPED = piece_to_midi(expressive(Piece.from_notes([(4 * i, 4, 60 + i, 80, i % 2) for i in range(8)])))
SONGS = (piece_to_midi(SONG), MIXED, SHAPED, *GOOD)
CONTAINER = '<container><rootfiles><rootfile full-path="score.xml"/></rootfiles></container>'
ARCHIVE = zipped(**{"META-INF__container": CONTAINER, "score": SCORE})
BOOK = nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1", id="a")])).encode()
PLAYS = (
    b"ann\ttune 1\t3\n",
    b"ann 7 3\nbob 7\n",
    b"track;user;date\n1;7;2009-05-04\n",
    "a::b::4,5\n".encode("utf-16"),
)
FONTS = (sine_font(), sine_font(bank=128, n_zones=3, more=((48, 100), (37, 200), (40, 50), (8, 9000))))
FONT_TOKENS = (b"LIST\4\0\0\0", b"ifil\0\0\0\0", b"smpl", b"shdr", b"\0\x80", b"\xff\x7f", b"\x29\0\0\0")
FONT_TOKENS += tuple(bytes([kind, 0, *amount]) for kind in range(60) for amount in (b"\0\x80", b"\xff\x7f"))
SLOW = Limits(seconds=60, megabytes=1500)  # a page is drawn in half a minute at most

TARGETS = {
    "midi": Target(midi.read_midi, ".mid", SONGS, MIDI_TOKENS),
    "midi and back": Target(midi_and_back, ".mid", SONGS, MIDI_TOKENS, Limits(seconds=5), mend_midi),
    "abc": Target(abc_and_back, ".abc", (TUNE.encode(), b"X:1\nK:C\nCDEF|\n"), ABC_TOKENS, Limits(seconds=10)),
    "musicxml": Target(any_score, ".xml", (SCORE.encode(), SIGNS.encode()), XML_TOKENS, mend=mend_xml),
    "mxl": Target(
        any_score, ".mxl", (ARCHIVE,), (b"PK\x01\x02", b"PK\x05\x06", b"PK\x03\x04", b"score.xml", b"\x00\x00")
    ),
    "weights": Target(
        any_weights, ".safetensors", (WEIGHTS, save({"a": torch.ones(1)})), (*JSON_TOKENS, b"F32", b"I64")
    ),
    "card": Target(any_card, ".json", (CARD,), JSON_TOKENS),
    "state": Target(read_state, ".safetensors", (STATE,), JSON_TOKENS),
    "cache": Target(cache.read_arrays, ".npz", (CACHE,), (b"PK\x01\x02", b"'O'", b"|O", b"(9999999999,)", b"descr")),
    "frames": Target(read_frames, ".json", (frames(),), JSON_TOKENS),
    "interactions": Target(
        read_interactions, ".tsv", PLAYS, (b"\t", b"-1", b"nan", b'"', b";", b"::", b"|", b" ", b"\r")
    ),
    "splits": Target(
        any_split, ".json", (b'{"train": ["a"], "valid": []}', b'[{"number": 1, "files": ["a"]}]'), JSON_TOKENS
    ),
    "sound font": Target(any_font, ".sf2", FONTS, FONT_TOKENS, Limits(seconds=10), mend_font),
    "notebook": Target(lambda path: notebooks.tidy(notebooks.read(path)), ".ipynb", (BOOK,), JSON_TOKENS),
}
CONVERSIONS = {  # slower, so `make fuzz` gives them their own share of the time
    f"midi to {form}": Target(convert_to(form), ".mid", SONGS[:3], MIDI_TOKENS, SLOW, mend_midi)
    for form in ("abc", "musicxml", "svg", "png", "mp3")
}
