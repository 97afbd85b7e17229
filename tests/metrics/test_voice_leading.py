"""The table of voice leading: hand-made hits, the place of Bach, and the counts behind each rate."""

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales
from musegen_lib.metrics.reference import shuffle_chords
from musegen_lib.metrics.voice_leading import (
    AT_PHRASE_ENDS,
    VOICE_LEADING,
    count_crossed_chords,
    count_direct,
    count_wide_leaps,
    voice_leading,
)

BACH = list(load_chorales(part="valid"))[:20]


def voices(*lines, fermatas=()):
    rows = [(4 * i, 4, p, 80, voice) for voice, line in enumerate(lines) for i, p in enumerate(line)]
    return Piece.from_notes(rows, fermatas=fermatas)


def test_a_direct_fifth_needs_similar_motion_and_a_leap_of_the_highest_voice():
    assert count_direct(voices((62, 67), (57, 60))) == (1, 1)
    assert count_direct(voices((65, 67), (57, 60))) == (0, 1)  # the soprano steps
    assert count_direct(voices((72, 67), (57, 60))) == (0, 1)  # contrary motion
    assert count_direct(voices((64, 67), (57, 60))) == (0, 1) == count_direct(voices((60, 67), (53, 60)))  # parallel


def test_crossings_and_wide_leaps_are_counted_where_a_chord_changes():
    piece = voices((60, 60, 74), (55, 62, 62))
    assert count_crossed_chords(piece) == (1, 2)
    assert count_wide_leaps(piece) == (1, 2)


def test_every_rate_stands_with_its_counts():
    found = voice_leading([voices((67, 69), (60, 62), fermatas=(4,))])
    assert list(found) == ["pieces", *VOICE_LEADING, *AT_PHRASE_ENDS]
    fifths = found["parallel fifths"]
    assert (fifths["rate"], fifths["hits"], fifths["chances"]) == (100.0, 1, 1)
    assert found["triads at phrase ends"]["chances"] == 1
    assert "triads at phrase ends" not in voice_leading([voices((67, 69), (60, 62))])


def test_bach_keeps_the_rules_that_his_shuffled_chords_break():
    shuffled = [shuffle_chords(piece, np.random.default_rng(0)) for piece in BACH]
    bach, floor = voice_leading(BACH), voice_leading(shuffled)
    for rule in ("parallel fifths", "parallel octaves", "direct fifths and octaves"):
        assert bach[rule]["rate"] < floor[rule]["rate"] / 5
    assert bach["suspensions"]["rate"] > 5 * floor["suspensions"]["rate"]
    assert bach["leaps over an octave"]["rate"] == pytest.approx(0, abs=1)
