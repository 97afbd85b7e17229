"""Rules of four-part writing: small chords by hand, then Bach's chorales against the known figures."""

import math
from itertools import combinations

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales
from musegen_lib.encodings.arrays import grid_to_piece, piece_to_grid
from musegen_lib.encodings.chorale_steps import VOICE_RANGES
from musegen_lib.metrics.reference import shuffle_frames
from musegen_lib.metrics.voices import (
    FIFTH,
    OCTAVE,
    RULES,
    count_chords,
    count_crossings,
    count_leaps,
    count_out_of_range,
    count_parallels,
    voice_rules,
)

EMPTY = Piece.from_notes([])


def chords(*columns, steps=4, **labels):
    """A piece whose voices strike every chord; a column is (soprano, ..., bass), 0 for a rest."""
    rows = [(i * steps, steps, p, 80, v) for i, column in enumerate(columns) for v, p in enumerate(column) if p]
    return Piece.from_notes(rows, **labels)


@pytest.fixture(scope="module")
def chorales():
    return list(load_chorales())


def test_a_parallel_fifth_is_one_hit_of_one_change():
    assert count_parallels(chords((67, 60), (69, 62)), FIFTH) == (1, 1)
    assert count_parallels(chords((67, 60), (69, 62)), OCTAVE) == (0, 1)


def test_compound_and_crossed_fifths_and_unisons_count():
    assert count_parallels(chords((79, 60), (81, 62)), FIFTH) == (1, 1)  # twelfths
    assert count_parallels(chords((60, 67), (62, 69)), FIFTH) == (1, 1)  # the lower voice above
    assert count_parallels(chords((67, 72), (69, 74)), FIFTH) == (0, 1)  # a fourth with the lower voice above
    assert count_parallels(chords((67, 60), (81, 62)), FIFTH) == (1, 1)  # fifth to twelfth, both upwards
    assert count_parallels(chords((60, 60), (62, 62)), OCTAVE) == (1, 1)


@pytest.mark.parametrize(
    "moves",
    [
        ((67, 60), (67, 60)),  # nothing moves
        ((67, 60), (79, 60)),  # one voice moves
        ((67, 60), (57, 62)),  # contrary motion: a fifth, then a fourth below
        ((67, 60), (74, 55)),  # contrary motion: fifth to a nineteenth
        ((66, 60), (69, 62)),  # a diminished fifth before
        ((67, 60), (65, 60), (69, 62)),  # broken by a note between
        ((67, 60), (0, 62), (69, 62)),  # broken by a rest
    ],
)
def test_these_are_no_parallel_fifths(moves):
    assert count_parallels(chords(*moves), FIFTH)[0] == 0


def test_all_pairs_of_voices_count():
    assert count_parallels(chords((76, 67, 60, 48), (77, 69, 62, 50)), FIFTH) == (2, 1)
    assert count_parallels(chords((76, 67, 60, 48), (77, 69, 62, 50)), OCTAVE) == (1, 1)


def test_held_notes_are_no_new_chords():
    rows = [(0, 8, 67, 80, 0), (0, 4, 60, 80, 1), (4, 4, 60, 80, 1), (8, 4, 69, 80, 0), (8, 4, 62, 80, 1)]
    assert count_parallels(Piece.from_notes(rows), FIFTH) == (1, 1)


def test_crossing_is_a_share_of_the_steps_with_two_voices():
    assert count_crossings(chords((60, 64), (67, 60), (60, 60), (0, 60))) == (4, 12)


def test_crossing_is_seen_between_voices_that_are_no_neighbours():
    assert count_crossings(chords((60, 0, 64))) == (4, 4)


def test_a_fifth_is_no_leap_and_a_repeat_no_move():
    assert count_leaps(chords((60,), (67,), (67,), (59,), (72,))) == (2, 3)
    assert count_leaps(chords((60,), (0,), (72,))) == (1, 1)


def test_chords_are_named_in_any_inversion_with_or_without_the_fifth():
    for chord in ((60, 64, 67, 72), (64, 67, 72, 76), (60, 63, 66, 69), (60, 64, 70, 72), (60, 64, 68, 72)):
        assert count_chords(chords(chord)) == (1, 1), chord
    for chord in ((60, 64, 72, 76), (60, 64, 70, 76)):  # no fifth
        assert count_chords(chords(chord)) == (1, 1), chord
    for chord in ((60, 67, 72, 79), (60, 62, 64, 67), (60, 65, 67, 72), (60, 61, 62, 63)):
        assert count_chords(chords(chord)) == (0, 1), chord


def test_chords_are_heard_on_beats_counted_from_the_bar_line():
    off_beat = chords((60, 64, 67), (60, 61, 62), (60, 64, 67), (60, 61, 62), steps=2)
    assert count_chords(off_beat) == (2, 2)
    assert count_chords(off_beat.replace(pickup_steps=2)) == (0, 2)
    assert count_chords(chords((60, 64), (60, 64, 67))) == (1, 1)  # two voices make no chord


def test_ranges_are_those_of_each_voice():
    lowest = tuple(low for low, _ in VOICE_RANGES)
    assert count_out_of_range(chords(lowest)) == (0, 4)
    assert count_out_of_range(chords(lowest).transpose(-1)) == (4, 4)
    assert count_out_of_range(chords((57, 53, 48, 65))) == (1, 4)


@pytest.mark.parametrize("name", RULES)
def test_an_empty_piece_has_no_chances(name):
    assert RULES[name](EMPTY) == (0, 0)
    assert math.isnan(voice_rules([EMPTY])[name].mean)
    assert math.isnan(voice_rules([])[name].mean)


def test_a_finer_grid_and_a_transposition_leave_the_shares_alone(chorales):
    for piece in chorales[:10]:
        notes = piece.notes.copy()
        notes["onset_steps"] *= 3
        notes["duration_steps"] *= 3
        finer = piece.replace(notes=notes, steps_per_beat=12, pickup_steps=3 * piece.pickup_steps)
        for name, rule in RULES.items():
            times = 3 if name == "voice crossing" else 1
            assert rule(finer) == tuple(times * n for n in rule(piece)), name
            if name != "out of range":
                assert rule(piece.transpose(2)) == rule(piece), name


def test_parallels_agree_with_a_walk_through_the_notes(chorales):
    """The same count by another road: sounding pitches looked up note by note, chord by chord."""

    def walk(piece, semitones):
        sounding = [{v: p for o, d, p, _, v in piece.notes.tolist() if o <= t < o + d} for t in range(piece.n_steps)]
        found = 0
        for old, new in zip(sounding[:-1], sounding[1:]):
            for a, b in combinations(sorted(old.keys() & new.keys()), 2):
                upwards = [new[v] - old[v] for v in (a, b)]
                same_way = upwards[0] * upwards[1] > 0
                found += same_way and all(abs(c[a] - c[b]) % 12 == semitones for c in (old, new))
        return found

    counts = [count_parallels(piece, kind)[0] for piece in chorales for kind in (FIFTH, OCTAVE)]
    guilty = np.flatnonzero(counts)[:6] // 2
    assert len(guilty) == 6
    for i in guilty:
        for kind in (FIFTH, OCTAVE):
            assert count_parallels(chorales[i], kind)[0] == walk(chorales[i], kind)


def test_bach_keeps_the_rules_about_as_often_as_is_known(chorales):
    found = voice_rules(chorales)
    bounds = {
        "parallel fifths": (0.10, 0.25),
        "parallel octaves": (0.04, 0.10),
        "voice crossing": (1.9, 2.4),
        "leaps over a fifth": (2.4, 2.7),
        "triads and sevenths": (90.5, 91.5),
        "out of range": (0, 0),
    }
    for name, (low, high) in bounds.items():
        assert low <= found[name].mean <= high, (name, found[name])


def test_bach_out_of_order_breaks_them(chorales):
    rng = np.random.default_rng(0)
    shuffled = [grid_to_piece(shuffle_frames(piece_to_grid(piece), rng)) for piece in chorales]
    found = voice_rules(shuffled)
    assert found["parallel fifths"].mean == pytest.approx(10.2, abs=0.4)
    assert found["parallel octaves"].mean == pytest.approx(7.1, abs=0.4)
    assert found["leaps over a fifth"].mean > 10
