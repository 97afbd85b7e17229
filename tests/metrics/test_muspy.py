"""Agreement with MusPy 0.5.0 where it defines a metric, and the reasons where we differ."""

import warnings

import numpy as np
import pytest

from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.metrics.histograms import n_pitch_classes_used, n_pitches_used, pitch_range
from musegen_lib.metrics.reference import noise_like
from musegen_lib.metrics.texture import empty_bars_rate, empty_beats_rate, groove_consistency, polyphony, polyphony_rate
from musegen_lib.metrics.tonality import pitch_class_entropy, pitch_entropy, scale_consistency

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # MusPy's own imports warn
    import muspy


def to_muspy(piece):
    tracks = [muspy.Track(is_drum=piece.program(voice) == DRUMS) for voice in range(piece.n_voices)]
    for onset, duration, pitch, velocity, voice in piece.notes.tolist():
        tracks[voice].notes.append(muspy.Note(onset, pitch, duration, velocity))
    return muspy.Music(resolution=piece.steps_per_beat, tracks=tracks)


def detached(piece):
    """The piece from a bar line on, on a grid twice as fine, each note a step short: no note ends on a beat."""
    notes = piece.notes.copy()
    notes["onset_steps"] = 2 * notes["onset_steps"]
    notes["duration_steps"] = 2 * notes["duration_steps"] - 1
    return piece.replace(notes=notes, steps_per_beat=2 * piece.steps_per_beat, pickup_steps=0)


def drummed(piece):
    """The piece with a drum that strikes every second step, in a voice of its own."""
    rows = [(step, 1, 38, 90, piece.n_voices) for step in range(0, piece.n_steps, 2)]
    rows += [tuple(note) for note in piece.notes.tolist()]
    return Piece.from_notes(rows, steps_per_beat=4, programs=(0,) * piece.n_voices + (DRUMS,), metre=piece.metre)


REAL = [*load_chorales(part="test")[:12], *load_folk_tunes(part="test", steps_per_beat=4).where(metre="4/4")[:30]]
NOISE = [noise_like(piece, np.random.default_rng(0)) for piece in REAL[::4]]
GAPS = [piece.replace(notes=piece.notes[piece.notes["onset_steps"] % 56 > 30]) for piece in REAL[::4]]
PIECES = [piece for piece in [*REAL, *NOISE, *GAPS, *map(drummed, REAL[::5])] if len(piece)]
SAME = [
    (pitch_range, muspy.pitch_range),
    (n_pitches_used, muspy.n_pitches_used),
    (n_pitch_classes_used, muspy.n_pitch_classes_used),
    (polyphony, muspy.polyphony),
    (lambda piece: polyphony_rate(piece, 3), muspy.polyphony_rate),
    (polyphony_rate, lambda music: muspy.polyphony_rate(music, threshold=1)),
    (scale_consistency, muspy.scale_consistency),
    (pitch_entropy, muspy.pitch_entropy),
    (pitch_class_entropy, muspy.pitch_class_entropy),
]


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_we_agree_on_every_piece(ours, theirs):
    for piece in PIECES:
        assert ours(piece) == pytest.approx(theirs(to_muspy(piece)), nan_ok=True), piece


def test_we_agree_on_bars_and_beats_when_no_note_ends_on_one():
    for piece in map(detached, PIECES):
        music, bar = to_muspy(piece), piece.steps_per_bar
        assert empty_beats_rate(piece) == pytest.approx(muspy.empty_beat_rate(music))
        assert empty_bars_rate(piece) == pytest.approx(muspy.empty_measure_rate(music, bar))
        assert groove_consistency(piece) == pytest.approx(muspy.groove_consistency(music, bar), nan_ok=True)


def test_muspy_adds_an_empty_bar_to_a_piece_that_ends_on_a_bar_line():
    march = Piece.from_notes([(step, 4, 60) for step in range(0, 32, 4)])
    assert groove_consistency(march) == 1
    assert muspy.groove_consistency(to_muspy(march), 16) == pytest.approx(1 - 4 / 32)  # bar 3 of 2 strikes nothing


def test_muspy_lets_a_note_fill_the_beat_in_which_it_no_longer_sounds():
    piece = Piece.from_notes([(0, 4, 60), (8, 4, 60)])
    assert empty_beats_rate(piece) == pytest.approx(1 / 3)
    assert muspy.empty_beat_rate(to_muspy(piece)) == 0
    assert empty_bars_rate(Piece.from_notes([(0, 16, 60), (32, 16, 60)])) == pytest.approx(1 / 3)
    assert muspy.empty_measure_rate(to_muspy(Piece.from_notes([(0, 16, 60), (32, 16, 60)])), 16) == 0


def test_muspy_calls_two_pitches_not_yet_polyphony():
    thirds = Piece.from_notes([(0, 4, 60), (0, 4, 64)])
    assert polyphony_rate(thirds) == 1
    assert muspy.polyphony_rate(to_muspy(thirds)) == 0


def test_muspy_gives_an_empty_piece_a_range_of_zero():
    assert muspy.pitch_range(muspy.Music(resolution=4, tracks=[muspy.Track()])) == 0
    assert np.isnan(pitch_range(Piece.from_notes([])))
