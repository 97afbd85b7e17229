"""Playing on from a seed phrase: its chords, its rhythm, loudness and timing, and where the notes go."""

import os
import signal
import threading
import time
import tty
from pathlib import Path

import mido
import numpy as np
import pytest
import torch

from musegen_lib.cli.convert import convert_file
from musegen_lib.cli.perform import perform_file
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import PLAIN_VELOCITY, note_delays
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.encodings.chorale_steps import HOLD, REST, piece_to_steps, tokens_to_grid
from musegen_lib.formats.files import read_for_notation
from musegen_lib.formats.midi.reader import read_midi, write_midi
from musegen_lib.models.chorale.live import Played, latency, performance_to_piece, play_to
from musegen_lib.models.chorale.perform import perform, plan_performance
from musegen_lib.models.chorale.rnn import ChoraleConfig, ChoraleRNN
from musegen_lib.models.chorale.seed_phrase import four_voices, our_phrase
from musegen_lib.models.registry import RECIPES
from tests.bench.latency import measure_latency

CHORDS = ((72, 67, 64, 48), (71, 67, 62, 43), (72, 69, 65, 53), (74, 67, 59, 55))


def seed_rows():
    """One bar of 4/4, a chord a beat; the soprano: quarter, two eighths, long note, sixteenth's rest."""
    rows = [
        (4 * beat, 4, pitch, 80, voice + 1)
        for beat, chord in enumerate(CHORDS)
        for voice, pitch in enumerate(chord[1:])
    ]
    soprano = [(0, 4, 72), (4, 2, 71), (6, 2, 72), (8, 7, 72)]
    return rows + [(*note, 80, 0) for note in soprano]


def make_seed():
    return piece_to_steps(Piece.from_notes(seed_rows(), key="C major"))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return ChoraleRNN(ChoraleConfig(hidden_dim=8, n_layers=1, embedding_dim=4, head_dim=8)).eval()


def events_of(model, number=0, bars=3, **how):
    return [event for step in perform(model, make_seed(), bars, number, **how) for event in step]


def play(model, path, bars=4, number=0, real_time=False, steps=None, tempo=96.0):
    """Play to a path; `steps` in place of the whole performance."""
    steps = steps or perform(model, make_seed(), bars, number, tempo=tempo)
    return play_to(path, steps, plan_performance(make_seed(), bars, number, tempo), real_time)


def steps_of(model, number=0, bars=3, seed=None):
    """(T, 4) what each voice sounds in each sixteenth, and whether it was struck there, from the events alone."""
    sounding, rows, struck = [0] * 4, [], []
    for events in list(perform(model, seed or make_seed(), bars, number))[:-1]:
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


def test_beats_are_counted_from_the_bar_line_not_from_the_pickup(model):
    rows = [(onset + 2, *rest) for onset, *rest in seed_rows()]
    rows += [(0, 2, pitch, 80, voice) for voice, pitch in enumerate((69, 64, 60, 45))]  # an upbeat of an eighth
    seed = four_voices(Piece.from_notes(rows, key="C major", pickup_steps=2))
    assert len(seed.tokens) == 32
    sounded, _ = steps_of(model, bars=8, seed=seed)
    chords = [{pitch % 12 for pitch in row if pitch} for row in np.abs(tokens_to_grid(seed.tokens))]
    for step in range(2, 128, 4):
        assert {pitch % 12 for pitch in sounded[step, 1:]} <= chords[step % 32], step
    assert not {pitch % 12 for pitch in sounded[::32, 1:].flat} <= chords[0]  # an upbeat of an eighth is no beat


def test_the_soprano_has_the_seeds_rhythm_and_new_notes(model):
    rows, struck = steps_of(model)
    seed = make_seed().tokens[:, 0]
    for step in range(48):
        token = seed[step % 16]
        assert struck[step, 0] == (token > REST), step
        if token == REST:
            assert rows[step, 0] == 0
    tunes = {tuple(steps_of(model, number, 1)[0][:, 0]) for number in range(4)}
    assert len(tunes) == 4


def test_the_same_number_gives_the_same_events_and_every_note_ends(model):
    first = events_of(model, 1)
    assert first == events_of(model, 1) != events_of(model, 2)
    begun = [e for e in first if e.velocity]
    ended = [e for e in first if not e.velocity]
    assert len(begun) == len(ended)
    times = [event.seconds for event in first]
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


def test_the_plan_swells_in_each_phrase_and_slows_down_at_the_ends():
    plan = plan_performance(make_seed(), 4, tempo=120.0)
    assert (plan.metre, plan.key, plan.n_steps) == ("4/4", "C major", 64)
    soprano = plan.voice(0).notes["velocity"].astype(int)
    first_beats, middles = soprano[::16], soprano[8::16]
    assert (middles > first_beats).all()  # phrases of one bar, as the seed is
    lengths = np.diff(plan.seconds_at(np.arange(65))).reshape(4, 16)
    assert np.allclose(lengths[:, :8], 0.125)
    assert 1.05 < lengths[0, 15] / 0.125 < 1.2
    assert 1.3 < lengths[3, 15] / 0.125 < 1.6


def test_loudness_and_timing_of_a_performance_are_those_of_its_plan(model):
    plan = plan_performance(make_seed(), 4, number=2, tempo=120.0)
    louds, delays = plan.notes["velocity"].reshape(64, 4), note_delays(plan).reshape(64, 4)
    for step, events in enumerate(list(perform(model, make_seed(), 4, number=2, tempo=120.0))[:-1]):
        for event in events:
            late = event.seconds - plan.seconds_at(step)
            if event.velocity:
                assert event.velocity == louds[step, event.voice]
                assert late == pytest.approx(delays[step, event.voice], abs=1e-4)
            else:
                assert late == pytest.approx(0)
        assert [e.seconds for e in events] == sorted(e.seconds for e in events)


def test_the_voices_of_a_chord_are_not_struck_all_at_once(model):
    first = [event for event in events_of(model) if event.velocity][:4]
    soprano, *others = (event.seconds for event in sorted(first, key=lambda event: event.voice))
    assert all(0.0099 < other - soprano < 0.0301 for other in others)
    assert len(set(others)) == 3


def test_without_expression_every_note_is_as_loud_and_every_sixteenth_as_long(model):
    bare = events_of(model, expression=False, tempo=120.0)
    assert {event.velocity for event in bare} == {0, PLAIN_VELOCITY}
    assert all((event.seconds / 0.125).is_integer() for event in bare)
    assert sorted((e.voice, e.pitch) for e in bare) == sorted((e.voice, e.pitch) for e in events_of(model))


def test_a_short_phrase_is_filled_up_to_a_whole_bar():
    steps = four_voices(Piece.from_notes([(0, 4, 72, 80, 0), (0, 6, 60, 80, 1), (0, 4, 55, 80, 2), (0, 4, 48, 80, 3)]))
    assert len(steps.tokens) == 16
    assert (steps.tokens[6:, 1] == HOLD).all()
    assert (steps.tokens[6:, 0] == REST).all()


def test_four_voices_stay_as_they_are_and_a_key_that_is_not_named_is_guessed():
    named, unnamed = (four_voices(Piece.from_notes(seed_rows(), key=key)) for key in ("C major", None))
    assert named.tokens.tolist() == make_seed().tokens.tolist() == unnamed.tokens.tolist()
    assert (named.tonic, unnamed.tonic) == (0, 7)  # white keys with G at the end: G mixolydian


def test_piano_music_keeps_its_chords_and_its_highest_notes():
    rows = [(4 * beat, 4, pitch) for beat, chord in enumerate(CHORDS) for pitch in (*chord, chord[3] - 24)]
    steps = four_voices(Piece.from_notes(rows))  # five notes at once in one voice, the lowest below every bass
    grid = np.abs(tokens_to_grid(steps.tokens))
    assert grid[::4, 0].tolist() == [chord[0] for chord in CHORDS]
    assert grid[::4, 1].tolist() == [chord[1] for chord in CHORDS]
    for beat, chord in enumerate(CHORDS):
        assert {int(pitch) % 12 for pitch in grid[4 * beat]} == {pitch % 12 for pitch in chord}
    assert (steps.tokens[::4] > REST).all()
    assert (steps.tokens[1::4] == HOLD).all()


def test_three_voices_leave_the_tenor_out_and_a_chord_struck_again_is_struck():
    rows = [(onset, 8, pitch, 80, voice) for onset in (0, 8) for voice, pitch in enumerate((72, 67, 48))]
    steps = four_voices(Piece.from_notes(rows))
    assert (steps.tokens[:, 2] == REST).all()
    assert (steps.tokens[[0, 8]][:, [0, 1, 3]] > REST).all()


DRUM = Piece.from_notes([(0, 4, 36)], programs=(DRUMS,))


@pytest.mark.parametrize(
    ("piece", "fault"),
    [
        (Piece.from_notes([], title="silence"), "silence: holds no notes"),
        (DRUM, "holds no notes to play on from"),
        (Piece.from_notes(seed_rows(), steps_per_beat=12), "has 12 steps a beat; wanted sixteenths"),
        (Piece.from_notes([(0, 5000, 60), (0, 4, 64, 80, 1)]), "5000 steps; at most 4000"),
    ],
)
def test_a_phrase_that_cannot_be_read_is_refused_in_one_line(piece, fault):
    with pytest.raises(MusegenError, match=fault):
        four_voices(piece)


def test_a_melody_is_harmonised_so_that_it_has_chords(monkeypatch):
    asked = []
    chorale = Piece.from_notes(seed_rows(), key="C major")
    monkeypatch.setattr(
        "musegen_lib.models.chorale.seed_phrase.harmonise",
        lambda piece, number: asked.append((piece, number)) or [chorale],
    )
    assert four_voices(our_phrase(), 7).tokens.tolist() == make_seed().tokens.tolist()
    assert asked == [(our_phrase(), 7)]


def test_our_phrase_is_four_bars_of_a_melody_free_to_use():
    phrase = our_phrase()
    assert (phrase.n_steps, phrase.n_voices, phrase.licence) == (64, 1, "CC0-1.0")


def test_a_performance_written_down_is_notes_on_the_steps_of_its_plan():
    plan = plan_performance(make_seed(), 2, tempo=60.0)  # a step lasts 0.25 s
    events = [Played(0.0, 0, 60, 70), Played(0.52, 0, 60, 0), Played(0.52, 1, 40, 50), Played(1.0, 1, 40, 0)]
    piece = performance_to_piece(events, plan)
    assert piece.notes.tolist() == [(0, 2, 60, 70, 0), (2, 2, 40, 50, 1)]
    assert piece.labels == plan.labels | {"tempo_changes": ()}


def test_the_file_of_a_performance_is_written_down_as_music(model, tmp_path):
    play(model, tmp_path / "out.mid", bars=4)
    piece, lines = read_for_notation(tmp_path / "out.mid")
    assert lines == []
    assert (piece.metre, piece.key, piece.tempo_qpm, piece.steps_per_beat) == ("4/4", "C major", 96.0, 4)
    assert (piece.tempo_changes, set(piece.notes["velocity"].tolist())) == ((), {PLAIN_VELOCITY})
    soprano = piece.voice(0).notes.tolist()
    rhythm = [(0, 4), (4, 2), (6, 2), (8, 7)]
    assert [note[:2] for note in soprano] == [
        (16 * bar + onset, length) for bar in range(4) for onset, length in rhythm
    ]
    convert_file(tmp_path / "out.mid", "musicxml", tmp_path / "out.musicxml")
    text = (tmp_path / "out.musicxml").read_text()
    assert text.count("<per-minute>") == 1
    assert "<per-minute>96</per-minute>" in text
    assert text.count("<measure ") == 16  # four bars of four voices


def test_a_file_holds_the_whole_performance(model, tmp_path):
    found = play(model, tmp_path / "out.mid", 2)
    piece, _ = read_midi(tmp_path / "out.mid")
    assert len(piece) == sum(1 for event in events_of(model, bars=2) if event.velocity)
    assert found.keys() >= {"p50_ms", "p99_ms", "max_ms", "first_ms", "seconds"}
    assert found["seconds"] == pytest.approx(piece.seconds, abs=0.05)


def test_the_same_number_gives_the_same_bytes(model, tmp_path):
    for name, number in (("a", 1), ("b", 1), ("c", 2)):
        play(model, tmp_path / name, 2, number)
    first, again, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again != other


def interrupted(model, at):
    for number, events in enumerate(perform(model, make_seed(), 4)):
        if number == at:
            raise KeyboardInterrupt
        yield events


def test_ctrl_c_leaves_a_file_of_what_was_played(model, tmp_path):
    found = play(model, tmp_path / "out.mid", steps=interrupted(model, 20))
    piece, _ = read_midi(tmp_path / "out.mid")
    begun = sum(1 for step in list(perform(model, make_seed(), 4))[:20] for event in step if event.velocity)
    assert (len(piece), found["complete"]) == (begun, 0)


def test_ctrl_c_in_the_very_first_moment_leaves_an_empty_file(model, tmp_path):
    play(model, tmp_path / "out.mid", steps=interrupted(model, 0))
    assert len(read_midi(tmp_path / "out.mid")[0]) == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no os.kill with SIGINT")
def test_a_real_ctrl_c_while_the_clock_is_waited_for_ends_what_sounds_now(model, tmp_path):
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
    timer = threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT))
    started = time.perf_counter()
    timer.start()
    try:
        found = play(model, tmp_path / "out.mid", 1, tempo=20.0, real_time=True)
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, usual)
    assert time.perf_counter() - started < 3
    piece, _ = read_midi(tmp_path / "out.mid")
    assert found["complete"] == 0
    assert 0 < len(piece) < 16
    assert abs(piece.seconds - found["seconds"]) < 0.75  # to the sixteenth
    assert 0.3 < found["seconds"] < 2  # the moment of the Ctrl-C; the last event before it came at 0


def test_in_real_time_nothing_comes_before_it_is_due(model, tmp_path):
    heard = []
    steps = perform(model, make_seed(), 1, tempo=240.0)
    started = time.perf_counter()
    steps = (heard.append(time.perf_counter()) or events for events in steps)
    found = play(model, tmp_path / "out.mid", 1, tempo=240.0, real_time=True, steps=steps)
    assert time.perf_counter() - started >= found["seconds"] > 0.9
    assert found["late_ms"] >= 0
    assert "late_ms" not in play(model, tmp_path / "out.mid", 1)
    assert heard[8] - heard[4] > 0.1  # four sixteenths of 62 ms: thought of one by one


needs_fifo = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFO")


@needs_fifo
def test_a_fifo_is_fed_while_the_music_goes_on(model, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    drawn, heard, parser = [], [], mido.Parser()

    def listen():
        with open(tmp_path / "pipe", "rb", buffering=0) as pipe:
            while data := pipe.read(64):
                parser.feed(data)
                heard.extend((len(drawn), time.perf_counter(), message) for message in parser)

    reader = threading.Thread(target=listen)
    reader.start()
    steps = (drawn.append(step) or step for step in perform(model, make_seed(), 1, tempo=300.0))
    found = play(model, tmp_path / "pipe", 1, tempo=300.0, steps=steps)
    reader.join(timeout=10)
    expected = [("note_on" if e.velocity else "note_off", e.voice, e.pitch) for step in drawn for e in step]
    assert [(m.type, m.channel, m.note) for *_, m in heard] == expected
    assert heard[0][0] < 4 < len(drawn) == 17  # heard before the rest was drawn
    assert heard[-1][1] - heard[0][1] > 0.5 * found["seconds"]  # in time, not all at once
    assert found["complete"] == 1


@needs_fifo
@pytest.mark.parametrize("stop", ["Ctrl-C", "reader"])
def test_a_fifo_that_is_left_early_ends_the_music_without_a_fault(model, tmp_path, stop):
    os.mkfifo(tmp_path / "pipe")
    heard, parser = [], mido.Parser()

    def listen():
        with open(tmp_path / "pipe", "rb", buffering=0) as pipe:
            while (data := pipe.read(64)) and (stop == "Ctrl-C" or len(heard) < 4):
                parser.feed(data)
                heard.extend(parser)

    reader = threading.Thread(target=listen)
    reader.start()
    steps = interrupted(model, 6) if stop == "Ctrl-C" else perform(model, make_seed(), 4, tempo=300.0)
    found = play(model, tmp_path / "pipe", 1, tempo=300.0, steps=steps)
    reader.join(timeout=10)
    assert found["complete"] == 0
    begun, ended = ([m for m in heard if m.type == kind] for kind in ("note_on", "note_off"))
    assert len(begun) >= 4
    if stop == "Ctrl-C":
        assert len(begun) == len(ended)  # nothing rings on in the synthesizer


def test_a_midi_device_is_played_and_not_replaced_by_a_file(model):
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    device = os.ttyname(theirs)
    steps = list(perform(model, make_seed(), 1, tempo=300.0))[:3]
    play(model, Path(device), 1, tempo=300.0, steps=iter(steps))
    wanted = b"".join(event.to_midi() for step in steps for event in step)
    heard = b""
    while len(heard) < len(wanted):
        heard += os.read(ours, 1000)
    assert heard == wanted
    os.close(ours)
    os.close(theirs)


def test_the_command_takes_tempo_and_phrase_from_the_file(model, tmp_path, monkeypatch):
    monkeypatch.setattr("musegen_lib.models.chorale.recipe.ChoraleRecipe.load_once", lambda self: model)
    write_midi(Piece.from_notes(seed_rows(), key="C major", tempo_qpm=150.0), tmp_path / "in.mid")
    found = perform_file(tmp_path / "in.mid", tmp_path / "out.mid", bars=2, number=3)
    slow = perform_file(tmp_path / "in.mid", tmp_path / "out_2.mid", bars=2, number=3, tempo=75.0)
    assert (found["tempo"], slow["tempo"], found["complete"]) == (150.0, 75.0, 1)
    assert found["seconds"] == pytest.approx(slow["seconds"] / 2, rel=1e-3)  # tempos are written to a tenth
    piece, _ = read_midi(tmp_path / "out.mid")
    begun = [event for step in perform(model, make_seed(), 2, 3) for event in step if event.velocity]
    assert sorted(piece.notes["pitch"].tolist()) == sorted(event.pitch for event in begun)
    assert (piece.title, piece.source) == ("after in", "musegen perform, seed 3")


@pytest.mark.parametrize(
    ("metre", "written", "told"),
    [
        ("6/8", "6/8", []),
        ("2/2", "2/2", []),
        ("3/4", "3/4", []),
        ("5/4", "4/4", ["in.mid: metre 5/4: the net plays bars of 4/4, and as many of these as --bars says"]),
    ],
)
def test_the_metre_of_a_phrase_is_kept_or_its_loss_is_said(model, tmp_path, monkeypatch, metre, written, told):
    monkeypatch.setattr("musegen_lib.models.chorale.recipe.ChoraleRecipe.load_once", lambda self: model)
    write_midi(Piece.from_notes(seed_rows(), key="C major", metre=metre), tmp_path / "in.mid")
    found = perform_file(tmp_path / "in.mid", tmp_path / "out.mid", bars=2)
    signatures = [m for m in mido.MidiFile(tmp_path / "out.mid") if m.type == "time_signature"]
    assert [f"{m.numerator}/{m.denominator}" for m in signatures] == [written]
    assert found["read"] == told


def test_the_command_needs_no_phrase(model, tmp_path, monkeypatch):
    monkeypatch.setattr("musegen_lib.models.chorale.recipe.ChoraleRecipe.load_once", lambda self: model)
    monkeypatch.setattr("musegen_lib.cli.perform.four_voices", lambda phrase, number: make_seed())
    found = perform_file(None, tmp_path / "out.mid", bars=1)
    assert found["tempo"] == our_phrase().tempo_qpm
    assert "phrase: CC0-1.0" in read_midi(tmp_path / "out.mid")[0].licence


def test_the_latency_leaves_out_the_first_sixteenth_which_reads_the_seed():
    found = latency([500.0, *[1.0] * 98, 3.0])
    assert (found["first_ms"], found["p50_ms"], found["max_ms"]) == (500.0, 1.0, 3.0)
    assert latency([5.0]) == {}


def test_the_latency_is_measured_on_one_core_and_the_threads_are_given_back(model, monkeypatch):
    used = []
    score = model.score
    monkeypatch.setattr(model, "score", lambda *args: used.append(torch.get_num_threads()) or score(*args))
    torch.set_num_threads(2)
    try:
        found = measure_latency(model, make_seed(), bars=2, runs=2)
        assert (set(used), torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(1)
    assert found.keys() == {*("first_ms", "p50_ms", "p50_sd_ms", "p99_ms", "p99_sd_ms", "max_ms", "runs", "sixteenths")}
    assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["max_ms"]
    assert (found["runs"], found["sixteenths"]) == (2, 64)


def test_the_shipped_net_keeps_up_with_a_hundred_and_twenty_beats_a_minute():
    found = measure_latency(RECIPES["rnn-chorales"].load_once(), make_seed(), bars=4, runs=2)
    assert found["p50_ms"] < 125
