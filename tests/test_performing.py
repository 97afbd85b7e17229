"""Playing on from a seed phrase: its chords, its rhythm, loudness and timing, and where the notes go."""

import os
import threading
import time

import mido
import numpy as np
import pytest
import torch

from musegen_lib.midi import read_midi
from musegen_lib.models.chorale import ChoraleConfig, ChoraleRNN
from musegen_lib.models.chorale_batches import HOLD, REST, piece_to_steps, tokens_to_grid
from musegen_lib.performing import Played, four_voices, latency, perform, performance_to_piece, play_to, shape
from musegen_lib.piece import Piece

CHORDS = ((72, 67, 64, 48), (71, 67, 62, 43), (72, 69, 65, 53), (74, 67, 59, 55))


def make_seed():
    """One bar of 4/4, a chord a beat; the soprano: quarter, two eighths, long note, sixteenth's rest."""
    rows = [
        (4 * beat, 4, pitch, 80, voice + 1)
        for beat, chord in enumerate(CHORDS)
        for voice, pitch in enumerate(chord[1:])
    ]
    soprano = [(0, 4, 72), (4, 2, 71), (6, 2, 72), (8, 7, 72)]
    rows += [(*note, 80, 0) for note in soprano]
    return piece_to_steps(Piece.from_notes(rows, key="C major"))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return ChoraleRNN(ChoraleConfig(hidden_dim=8, n_layers=1, embedding_dim=4, head_dim=8)).eval()


def events_of(model, number=0, bars=3):
    return [event for step in perform(model, make_seed(), bars, number) for event in step]


def steps_of(model, number=0, bars=3):
    """(T, 4) what each voice sounds in each sixteenth, and whether it was struck there, from the events alone."""
    sounding, rows, struck = [0] * 4, [], []
    for events in list(perform(model, make_seed(), bars, number))[:-1]:
        for event in events:
            sounding[event.voice] = event.pitch if event.velocity else 0
        rows.append(list(sounding))
        struck.append([any(e.voice == v and e.velocity for e in events) for v in range(4)])
    return np.array(rows), np.array(struck)


def test_what_sounds_on_a_beat_belongs_to_the_seeds_chord(model):
    rows, struck = steps_of(model)
    seed = np.abs(tokens_to_grid(make_seed().tokens))
    for step in range(0, 48, 4):
        chord = {pitch % 12 for pitch in seed[step % 16] if pitch}
        assert {pitch % 12 for pitch in rows[step, 1:]} <= chord, step
        assert not struck[step, 0] or rows[step, 0] % 12 in chord, step  # a held soprano cannot move
    between = {pitch % 12 for step, row in enumerate(rows) if step % 4 for pitch in row}
    assert not between <= {pitch % 12 for chord in CHORDS for pitch in chord}  # passing notes are free


def test_the_soprano_has_the_seeds_rhythm_and_new_notes(model):
    rows, struck = steps_of(model)
    seed = make_seed().tokens[:, 0]
    for step in range(48):
        token = seed[step % 16]
        assert struck[step, 0] == (token > REST), step
        if token == REST:
            assert rows[step, 0] == 0
    tunes = {tuple(steps_of(model, number)[0][:, 0]) for number in range(4)}
    assert len(tunes) == 4


def test_the_same_number_gives_the_same_events_and_every_note_ends(model):
    assert events_of(model, 1) == events_of(model, 1) != events_of(model, 2)
    begun = [e for e in events_of(model) if e.velocity]
    ended = [e for e in events_of(model) if not e.velocity]
    assert len(begun) == len(ended)
    times = [event.seconds for event in events_of(model)]
    assert times == sorted(times)


def test_a_step_is_handed_on_before_the_next_is_drawn(model):
    asked = []
    score = model.score
    model.score = lambda *args: asked.append(1) or score(*args)
    stream = perform(model, make_seed(), 50)
    next(stream)
    after_one = len(asked)
    next(stream)
    del model.score
    assert (after_one, len(asked)) == (4, 8)  # four voices a step; the seed was read, not scored


def test_loudness_is_an_arch_over_the_phrase_and_the_end_slows_down():
    loud, stretch = zip(*(shape(step, 32, 64) for step in range(64)))
    assert max(loud[2:30]) > loud[1] > 0
    assert loud[16] - loud[15] >= 5  # the bar line
    assert loud[:16] == loud[32:48]
    assert stretch[10] == 1
    assert 1 < stretch[31] <= 1.1 < stretch[63] <= 1.5
    assert all(1 <= velocity + 10 <= 127 for velocity in loud)


def test_a_melody_is_filled_up_to_whole_bars():
    steps = four_voices(Piece.from_notes([(0, 4, 72, 80, 0), (0, 6, 60, 80, 1), (0, 4, 55, 80, 2), (0, 4, 48, 80, 3)]))
    assert len(steps.tokens) == 16
    assert (steps.tokens[6:, 1] == HOLD).all()
    assert (steps.tokens[6:, 0] == REST).all()


def test_a_performance_written_down_keeps_its_times():
    events = [Played(0.0, 0, 60, 70), Played(0.513, 0, 60, 0), Played(0.513, 1, 40, 50), Played(1.0, 1, 40, 0)]
    piece = performance_to_piece(events)
    assert piece.notes.tolist() == [(0, 51, 60, 70, 0), (51, 49, 40, 50, 1)]
    assert piece.seconds == pytest.approx(1.0)


def test_a_file_holds_the_whole_performance(model, tmp_path):
    found = play_to(tmp_path / "out.mid", perform(model, make_seed(), 2), real_time=False)
    piece, _ = read_midi(tmp_path / "out.mid")
    assert len(piece) == sum(1 for event in events_of(model, bars=2) if event.velocity)
    assert found.keys() >= {"p50_ms", "p99_ms", "max_ms", "first_ms", "seconds"}
    assert found["seconds"] == pytest.approx(piece.seconds, abs=0.05)


def interrupted(model, at):
    for number, events in enumerate(perform(model, make_seed(), 4)):
        if number == at:
            raise KeyboardInterrupt
        yield events


def test_ctrl_c_leaves_a_file_of_what_was_played(model, tmp_path):
    play_to(tmp_path / "out.mid", interrupted(model, 20), real_time=False)
    piece, _ = read_midi(tmp_path / "out.mid")
    begun = sum(1 for step in list(perform(model, make_seed(), 4))[:20] for event in step if event.velocity)
    assert 0 < len(piece) <= begun
    assert len(piece) >= begun - 4  # a note struck in the very last moment has no length


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFO")
def test_a_fifo_is_fed_while_the_music_goes_on(model, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    heard, parser = [], mido.Parser()

    def listen():
        with open(tmp_path / "pipe", "rb", buffering=0) as pipe:
            while data := pipe.read(64):
                parser.feed(data)
                heard.extend((time.perf_counter(), message) for message in parser)

    reader = threading.Thread(target=listen)
    reader.start()
    steps = list(perform(model, make_seed(), 1, tempo=300.0))
    play_to(tmp_path / "pipe", iter(steps), real_time=False)
    reader.join(timeout=10)
    expected = [("note_on" if e.velocity else "note_off", e.voice, e.pitch) for step in steps for e in step]
    assert [(m.type, m.channel, m.note) for _, m in heard] == expected
    assert heard[-1][0] - heard[0][0] > 0.5 * steps[-1][0].seconds  # in time, not all at once


def test_the_latency_leaves_out_the_first_sixteenth_which_reads_the_seed():
    found = latency([500.0, *[1.0] * 98, 3.0])
    assert (found["first_ms"], found["p50_ms"], found["max_ms"]) == (500.0, 1.0, 3.0)
    assert latency([5.0]) == {}
