"""Speeds beside peers that do the same work in the same process, figures of the models, sizes and times of lessons.

Speeds count processor time, the best of a few turns, ours and the peer's in alternation. A ratio above 1 means that
ours is faster; ratios travel from machine to machine, seconds do not.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from musegen_lib import corpus
from musegen_lib.display.score import engrave
from musegen_lib.display.sound import render
from musegen_lib.formats.abc.reader import parse_abc, piece_to_abc, tune_to_piece
from musegen_lib.formats.midi.reader import parse_midi, piece_to_midi
from musegen_lib.formats.musicxml.reader import musicxml_to_piece, piece_to_musicxml
from musegen_lib.lessons.notebooks import execute
from musegen_lib.models.melody.batches import MelodyBatches
from musegen_lib.models.melody.recipe import melody_events
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig
from musegen_lib.models.registry import RECIPES, names_that
from musegen_lib.training import loop as training
from tests.bench import peers

ROOT = Path(__file__).parents[2]
TURNS = 3
RATIO, SPEED, NATS, SIZE, SECONDS = "ratio", "a second", "nats", "kB", "s"
TOLERANCES = {RATIO: 0.4, SPEED: 0.5, NATS: 0.005, SIZE: 0.1, SECONDS: 0.5}  # shares; of nats the difference itself


@dataclass(frozen=True)
class Figure:
    """One line of the table; a value that moved by more than its tolerance is told."""

    name: str
    value: float
    unit: str

    @property
    def tolerance(self) -> float:
        """How far it may move unnoticed: a share of the value, for nats a difference."""
        return TOLERANCES[self.unit]

    @property
    def more_is_better(self) -> bool:
        """Fast is good, surprise is not, and neither is size."""
        return self.unit in (RATIO, SPEED)


def bench(with_notebooks: bool = True) -> list[Figure]:
    """Measure everything, on one thread; five minutes, and as long again as the lessons take."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        parts = [starting, loading, parsing, rendering, learning, writing, model_figures, sizes]
        return [figure for part in [*parts, *[lessons] * with_notebooks] for figure in part()]
    finally:
        torch.set_num_threads(threads)


def starting() -> Iterator[Figure]:
    """Whole commands beside `import torch`: how often the import would fit into the command's time."""
    with TemporaryDirectory() as folder:
        piece = Path(folder) / "piece.mid"
        piece.write_bytes(piece_to_midi(corpus.load_chorales()[0]))
        torch_alone = _process_seconds("-c", "import torch", cwd=folder)
        commands = ("--help", "check piece.mid", "convert piece.mid --to svg --out p.svg", "generate rnn --n 1")
        for command in commands:
            seconds = _process_seconds("-m", "musegen_lib", *command.split(), cwd=folder)
            yield Figure(f"start {command}: import torch", torch_alone / seconds, RATIO)


def _process_seconds(*arguments: str, cwd: str) -> float:
    """Processor time of a Python process, the best of TURNS."""
    spent = []
    for _ in range(TURNS):
        before = os.times()
        subprocess.run([sys.executable, *arguments], cwd=cwd, check=True, capture_output=True)
        after = os.times()
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(spent)


def loading() -> Iterator[Figure]:
    """Chorales a second from the cache; music21 reads the same files from its own corpus."""
    names = corpus.load_chorales().column("id").tolist()
    ours, theirs = race(
        lambda: _load_afresh(len(names)), lambda: [peers.music21_file(f"bach/{name}") for name in names[:3]]
    )
    yield Figure("load chorales", len(names) / ours, SPEED)
    yield Figure("load chorales: music21", (theirs / 3) / (ours / len(names)), RATIO)


def _load_afresh(n: int) -> list[Any]:
    corpus.forget()
    pieces = corpus.load_chorales()
    return [pieces[i] for i in range(n)]


def parsing() -> Iterator[Figure]:
    """Notes a second out of bytes, checked and reported on; the peers only read."""
    pieces = [corpus.load_chorales()[i] for i in range(12)]
    files, notes = [piece_to_midi(piece) for piece in pieces], sum(map(len, pieces))
    for peer, read, part in peers.MIDI_READERS:
        ours, theirs = race(
            lambda: [parse_midi(data, "bench") for data in files],
            lambda read=read, part=part: [read(data) for data in files[:part]],
        )
        yield Figure(f"parse MIDI: {peer}", (theirs / part) / (ours / len(files)), RATIO)
    yield Figure("parse MIDI, notes", notes / ours, SPEED)
    tunes = [piece_to_abc(corpus.load_folk_tunes(region="irish")[i]) for i in range(60)]
    ours, theirs = race(
        lambda: [tune_to_piece(tune) for text in tunes for tune in parse_abc(text)],
        lambda: [peers.music21_abc(text) for text in tunes[:6]],
    )
    yield Figure("parse ABC: music21", (theirs / 6) / (ours / len(tunes)), RATIO)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "chorale.musicxml"
        path.write_bytes(piece_to_musicxml(pieces[0]))
        ours, theirs = race(lambda: musicxml_to_piece(path), lambda: peers.music21_file(path))
        yield Figure("parse MusicXML: music21", theirs / ours, RATIO)


def rendering() -> Iterator[Figure]:
    """Seconds of sound a second; the peers play the same bytes, symusic with the same sound font."""
    chorale = corpus.find_piece("bwv66.6.mxl")
    data = piece_to_midi(chorale)
    for peer, play in peers.SYNTHESIZERS:
        ours, theirs = race(lambda: render(chorale), lambda play=play: play(data))
        yield Figure(f"render: {peer}", theirs / ours, RATIO)
    yield Figure("render, seconds of sound", chorale.seconds / ours, SPEED)
    ours, _ = race(lambda: engrave(chorale.excerpt(8)), lambda: None)
    yield Figure("engrave, bars", 8 / ours, SPEED)


def learning(steps: int = 6) -> Iterator[Figure]:
    """Notes a second through `training.fit`; the peer is the same net and the same steps, and nothing else."""
    batches = MelodyBatches(melody_events("train"), 32, seed=0)
    notes = sum(int(batches(step).n_notes) for step in range(steps))
    config = training.TrainConfig(steps=steps, validate_every=steps)
    ours, theirs = race(
        lambda: _train_in_silence(batches, config),
        lambda: peers.steps_alone(_net(), [*map(batches, range(steps)), batches(0)], config),
        turns=2,
    )
    yield Figure("train the rnn: its steps alone", theirs / ours, RATIO)
    yield Figure("train the rnn, notes", notes / ours, SPEED)


def _train_in_silence(batches: MelodyBatches, config: training.TrainConfig) -> None:
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        training.fit(_net(), batches, [batches(0)], config)


def _net() -> MelodyRNN:
    torch.manual_seed(0)
    return MelodyRNN(MelodyRNNConfig())


def writing() -> Iterator[Figure]:
    """Notes a second that each model writes; for the rnn also beside its bare LSTM, stepped as often."""
    for name in names_that("generate"):
        recipe = RECIPES[name]
        pieces = recipe.generate(8, 0)
        ours, _ = race(lambda recipe=recipe: recipe.generate(8, 0), lambda: None, turns=2)
        yield Figure(f"{name} writes, notes", sum(map(len, pieces)) / ours, SPEED)
    longest = max(map(len, RECIPES["rnn"].generate(8, 0)))
    ours, theirs = race(lambda: RECIPES["rnn"].generate(8, 0), lambda: peers.bare_lstm(8, longest), turns=2)
    yield Figure("rnn writes: its bare LSTM", theirs / ours, RATIO)


def model_figures() -> Iterator[Figure]:
    """What every shipped model scores on the validation pieces."""
    for name in names_that("generate"):
        for key, value in RECIPES[name].evaluate("valid").items():
            if key.startswith("nats") and isinstance(value, float):
                yield Figure(f"{name}, valid: {key.replace('_', ' ')}", value, NATS)
    for name in sorted(set(names_that("train")) - set(names_that("evaluate"))):
        yield Figure(f"{name}, valid: loss", RECIPES[name].valid_loss(), NATS)


def sizes() -> Iterator[Figure]:
    """What is on disk, file by file."""
    for path in sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "data" / "checkpoints").glob("*.safetensors")]):
        yield Figure(f"size of {path.name}", path.stat().st_size / 1000, SIZE)


def lessons() -> Iterator[Figure]:
    """Processor time that the kernel of each lesson takes from its start to its end; on Windows the clock's time."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        before = os.times()
        by_the_clock, after = execute(path, keep=False), os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        yield Figure(f"time of {path.name}", spent or by_the_clock, SECONDS)


def race(ours: Callable[[], Any], theirs: Callable[[], Any], turns: int = TURNS) -> tuple[float, float]:
    """Best processor time of each, in seconds, taken in turns."""
    ours(), theirs()  # imports and caches are not raced
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(turns)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def _seconds(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return max(time.process_time() - started, 1e-9)
