"""Tempo maps of random files: every note sounds when mido says it does, read and written again."""

from __future__ import annotations

import random
from io import BytesIO

import mido
import numpy as np
import pytest
from midi_oracle import seconds_by_mido

from musegen_lib.formats.midi.reader import parse_midi, piece_to_midi


def random_file(seed):
    """One track of tempos, metres and keys at any tick, one to three tracks of notes, by mido."""
    draw = random.Random(seed)
    per_beat = draw.choice([1, 25, 96, 120, 192, 480, 1024])
    song = mido.MidiFile(type=1, ticks_per_beat=per_beat)
    lead = song.add_track()
    for _ in range(draw.randrange(8)):
        time = draw.choice([0, 0, per_beat, 3 * per_beat, per_beat // 3, draw.randrange(4 * per_beat)])
        metre = {"numerator": draw.choice([1, 2, 3, 4, 6]), "denominator": draw.choice([2, 4, 8])}
        lead.append(
            draw.choice(
                [
                    mido.MetaMessage("set_tempo", tempo=draw.randrange(200_000, 2_000_000), time=time),
                    mido.MetaMessage("time_signature", **metre, time=time),
                    mido.MetaMessage("key_signature", key=draw.choice(["C", "Am", "Eb", "F#m"]), time=time),
                ]
            )
        )
    for channel in draw.choices([0, 1, 9], k=draw.randrange(1, 4)):
        track = song.add_track()
        for pitch in draw.sample(range(30, 100), draw.randrange(1, 15)):
            rest, length = draw.choice([0, 0, per_beat]), draw.randrange(1, 2 * per_beat + 1)
            track.append(mido.Message("note_on", note=pitch, channel=channel, time=rest))
            track.append(mido.Message("note_off", note=pitch, channel=channel, time=length))
    file = BytesIO()
    song.save(file=file)
    return file.getvalue()


@pytest.mark.parametrize("seed", range(60))
def test_every_note_has_its_second_in_and_out(seed):
    data = random_file(seed)
    piece, _ = parse_midi(data, "random.mid")
    ours = np.sort(piece.seconds_at(piece.notes["onset_steps"].astype(int)))
    assert ours == pytest.approx(seconds_by_mido(data), abs=1e-6)
    written = piece_to_midi(piece)
    assert seconds_by_mido(written) == pytest.approx(ours, abs=1e-3)  # MIDI rounds a tempo to whole microseconds
    assert parse_midi(written, "again.mid")[0] == piece
