"""Changes of metre, key and tempo within a piece, against bars and seconds counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen_lib.core.piece import Piece

QUICK = settings(derandomize=True, deadline=None, database=None, max_examples=100)


def quarters(n, **labels):
    """n quarter notes on sixteenths."""
    return Piece.from_notes([(4 * i, 4, 60 + i % 12) for i in range(n)], **labels)


def test_bars_follow_each_metre_and_a_change_cuts_the_bar_before_it_short():
    piece = quarters(20, pickup_steps=4, metre="3/4", metre_changes=[(28, "4/4"), (52, "6/8")])
    assert piece.bar_onsets.tolist() == [0, 4, 16, 28, 44, 52, 64, 76]
    assert piece.n_bars == 8
    assert repr(piece) == "Piece('': 20 notes, 8 bars of 3/4, 4/4, 6/8, 12.0 s)"


def test_there_are_no_bars_where_there_is_no_metre():
    piece = quarters(12, metre=None, metre_changes=[(16, "2/4"), (32, None)])
    assert piece.bar_onsets.tolist() == [0, 16, 24, 32]


def test_seconds_run_through_all_tempi():
    piece = quarters(4, tempo_qpm=60.0, tempo_changes=[(4, 120.0), (6, 30.0)])
    assert piece.seconds_at([0, 2, 4, 5, 6, 8, 16]).tolist() == [0, 0.5, 1, 1.125, 1.25, 2.25, 6.25]
    assert piece.seconds == 6.25


def test_a_change_that_changes_nothing_is_left_out():
    piece = quarters(
        4, metre_changes=[(4, "4/4"), (8, "3/4"), (12, "3/4")], key="C major", key_changes=[(2, "C major")]
    )
    assert (piece.metre_changes, piece.key_changes) == (((8, "3/4"),), ())
    assert quarters(4) == quarters(4, tempo_changes=[(8, 100.0)])
    assert quarters(4) != quarters(4, tempo_changes=[(8, 90.0)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metre_changes": [(0, "3/4")]}, "metre_changes: onset 0 must lie behind 0; give .step, value. in time order"),
        ({"key_changes": [(8, "G major"), (4, "D major")]}, "key_changes: onset 4 must lie behind 8"),
        ({"metre_changes": [(4, "3/5")]}, "metre '3/5'"),
        ({"tempo_changes": [(4, 0.0)]}, "tempo_qpm 100.0, 0.0 must be .* between 0 and 10,000"),
    ],
)
def test_a_wrong_change_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        quarters(4, **changes)


def test_an_excerpt_begins_with_what_is_in_force_there():
    piece = quarters(
        16,
        metre_changes=[(16, "3/4"), (40, "2/4")],
        key="C major",
        key_changes=[(20, "G major")],
        tempo_changes=[(8, 50.0), (30, 200.0)],
    )
    cut = piece.excerpt(3, first_bar=2)  # from step 28 to 56
    assert cut.timeline("metre") == [(0, "3/4"), (12, "2/4")]
    assert cut.timeline("key") == [(0, "G major")]
    assert cut.timeline("tempo_qpm") == [(0, 50.0), (2, 200.0)]
    assert cut.bar_onsets.tolist() == (piece.bar_onsets[2:5] - 28).tolist()
    assert cut.seconds == pytest.approx(float(np.diff(piece.seconds_at([28, 56]))[0]))


def test_all_keys_are_transposed():
    piece = quarters(4, key="C major", key_changes=[(8, "A minor"), (12, None)]).transpose(2)
    assert piece.timeline("key") == [(0, "D major"), (8, "B minor"), (12, None)]


def test_pretty_midi_keeps_the_seconds_and_gives_all_changes_back():
    piece = quarters(8, tempo_qpm=60.0, tempo_changes=[(8, 120.0), (16, 90.0)], metre_changes=[(16, "3/4")])
    score = piece.to_pretty_midi()
    starts = [note.start for note in score.instruments[0].notes]
    assert starts == pytest.approx(piece.seconds_at(piece.notes["onset_steps"]).tolist())
    back = Piece.from_pretty_midi(score)
    assert (back.metre_changes, [step for step, _ in back.tempo_changes]) == (((16, "3/4"),), [8, 16])
    assert [tempo for _, tempo in back.timeline("tempo_qpm")] == pytest.approx([60, 120, 90])
    assert (back.notes == piece.notes).all()


@QUICK
@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.sampled_from(["4/4", "3/8", "1/64", None])),
        max_size=4,
        unique_by=lambda c: c[0],
    ),
    st.integers(0, 20),
    st.integers(1, 80),
    st.integers(1, 12),
)
def test_bars_are_counted_as_they_are_written_out(changes, pickup, length, grid):
    piece = Piece.from_notes([(0, length, 60)], metre_changes=sorted(changes), pickup_steps=pickup, steps_per_beat=grid)
    lines = piece.bar_onsets.tolist()
    assert piece.n_bars == len(lines) == len(set(lines))
    assert lines == sorted(lines)
    assert lines[0] == 0
    assert {onset for onset, _ in piece.metre_changes if onset < length} <= set(lines)
