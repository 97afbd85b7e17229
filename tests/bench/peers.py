"""The same work by other hands: what `bench` races against."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pretty_midi
import torch
from symusic import Score, Synthesizer

from musegen_lib.core.errors import MusegenError
from musegen_lib.display.sound import SAMPLE_RATE, sound_font_path
from musegen_lib.models.melody.rnn import MelodyRNNConfig
from musegen_lib.training.loop import TrainConfig, evaluate, learning_rate, make_optimizer
from musegen_lib.training.steps import follow, set_learning_rate


def music21_file(path: str | Path) -> Any:
    """Parse a file, or one of its corpus by name, past its cache of pickles."""
    from music21 import converter
    from music21 import corpus as music21_corpus

    file = music21_corpus.getWork(path) if isinstance(path, str) else path
    return converter.parse(file, forceSource=True)


def music21_abc(text: str) -> Any:
    """Parse a tune."""
    from music21 import converter

    return converter.parseData(text, format="abc")


def music21_midi(data: bytes) -> Any:
    """Read a MIDI file into a score."""
    from music21 import midi

    file = midi.MidiFile()
    file.readstr(data)
    return midi.translate.midiFileToStream(file)


def mido_midi(data: bytes) -> int:
    """Read every message of a file."""
    try:
        import mido
    except ImportError as fault:
        raise MusegenError('mido is missing, install the tests\' tools: pip install -e ".[all]"') from fault
    return sum(len(track) for track in mido.MidiFile(file=BytesIO(data)).tracks)


def pretty_midi_midi(data: bytes) -> Any:
    """Read a file into notes in seconds."""
    return pretty_midi.PrettyMIDI(BytesIO(data))


MIDI_READERS = (  # name, reader, how many of the files it is given
    ("symusic", Score.from_midi, 12),
    ("mido", mido_midi, 12),
    ("pretty_midi", pretty_midi_midi, 12),
    ("music21", music21_midi, 2),
)


def symusic_sound(data: bytes) -> Any:
    """Play by the same sound font (its piano is out of tune, see `soundfont`)."""
    return Synthesizer(str(sound_font_path()), SAMPLE_RATE).render(Score.from_midi(data), stereo=False)


def pretty_midi_sound(data: bytes) -> Any:
    """Play by sine waves, which is less work than a sound font."""
    return pretty_midi_midi(data).synthesize(fs=SAMPLE_RATE)


SYNTHESIZERS = (("symusic", symusic_sound), ("pretty_midi's sine waves", pretty_midi_sound))


def steps_alone(model: torch.nn.Module, batches: Sequence[Any], config: TrainConfig) -> float:
    """Train on all batches but the last, validate on that: the steps of a training without Fabric, bar and files."""
    optimizer = make_optimizer(model, config)
    model.train()

    def loss(step: int) -> torch.Tensor:
        set_learning_rate(optimizer, learning_rate(step, config))
        return model.loss(batches[step])[0]

    follow(map(loss, range(len(batches) - 1)), model, optimizer, config.clip_norm)
    return evaluate(model, batches[-1:])


@torch.no_grad()
def bare_lstm(n: int, steps: int) -> torch.Tensor:
    """Step an LSTM of the rnn's size, with nothing drawn and nothing checked."""
    config = MelodyRNNConfig()
    cell = torch.nn.LSTM(config.embedding_dim, config.hidden_dim, config.n_layers, batch_first=True)
    x, state = torch.zeros(n, 1, config.embedding_dim), None
    for _ in range(steps):
        hidden, state = cell(x, state)
    return hidden
