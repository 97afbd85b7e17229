"""Two melodies on two staves: the changed notes and no others in colour, lines at phrases, words for who cannot see."""

import re

import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.display.score import MARK_COLOUR
from musegen_lib.models.style.score_changes import changed_notes, describe_changes, engrave_changes, line_starts


def tune(pitches, step=4, **fields):
    return Piece.from_notes([(step * k, step, pitch) for k, pitch in enumerate(pitches)], **fields)


BEFORE = tune([60, 62, 64, 65] * 8, key="C major")
AFTER = tune([60, 62, 64, 65] * 7 + [60, 61, 64, 67])


def coloured(svg):
    """Notes drawn in colour on each staff, top to bottom of each line."""
    found = [0, 0]
    for number, staff in enumerate(re.split(r'<g [^>]*class="staff"', svg)[1:]):
        notes = re.split(r'<g [^>]*class="note"', staff)[1:]
        found[number % 2] += sum(MARK_COLOUR in note[: note.index(">")] for note in notes)
    return found


def test_the_changed_notes_are_coloured_on_both_staves_and_no_others():
    svg = engrave_changes(BEFORE, AFTER).svg
    assert len(re.findall(r'class="notehead"', svg)) == 64
    assert coloured(svg) == [2, 2]
    assert changed_notes(BEFORE, AFTER) == ([29, 31], [29, 31])
    assert coloured(engrave_changes(BEFORE, BEFORE).svg) == [0, 0]


def test_a_note_that_moves_where_the_other_staff_keeps_the_same_pitch_is_told_by_its_staff():
    before, after = tune([60, 62, 60, 62]), tune([60, 60, 60, 62])
    assert coloured(engrave_changes(before, after).svg) == [1, 1]


def test_lines_end_with_phrases_and_never_hold_more_than_six_bars():
    long = [(16 * bar + 4 * k, 4, 60 + k) for bar in range(16) for k in range(4) if bar % 4 < 3 or k < 1]
    held = [(onset, 16 if onset % 64 == 48 else 4, pitch) for onset, _, pitch in long]
    assert line_starts(Piece.from_notes(held)) == [4, 8, 12]
    assert line_starts(tune([60, 62, 64, 65] * 14)) == [6, 12]
    assert line_starts(tune([60, 62])) == []
    assert len(re.findall(r'class="system"', engrave_changes(*[Piece.from_notes(held)] * 2).svg)) == 4


def test_the_text_alternative_says_which_notes_became_which_and_counts_bars_after_the_pickup():
    assert describe_changes(BEFORE, AFTER) == "2 of 32 notes are changed: bar 8 D 4 to C sharp 4, bar 8 F 4 to G 4."
    begun = [piece.replace(pickup_steps=4) for piece in (BEFORE, AFTER)]
    assert "bar 8 D 4 to C sharp 4" in describe_changes(*begun)
    assert "bar 0 C 4 to D 4" in describe_changes(begun[0], tune([62, *([60, 62, 64, 65] * 8)[1:]], pickup_steps=4))
    assert 'aria-label="Before and after a rewriting. 2 of 32 notes' in engrave_changes(BEFORE, AFTER).svg
    assert "and 16 more" in describe_changes(BEFORE, BEFORE.transpose(1))


@pytest.mark.parametrize("after", [tune([60, 62, 64] * 5, metre="3/4"), tune([60, 62], 2, steps_per_beat=8)])
def test_another_metre_or_grid_is_engraved_below_in_one_picture(after):
    svg = engrave_changes(BEFORE, after).svg
    assert svg.count("<svg") >= 3
    assert svg.count('role="img"') == 1
    assert "the rhythm is another" in svg
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert len(ids) == len(set(ids))


def test_only_the_beginning_is_shown_if_asked():
    assert len(re.findall(r'class="measure"', engrave_changes(BEFORE, AFTER, n_bars=3).svg)) == 3


@pytest.mark.parametrize("piece", [Piece.from_notes([]), tune([60], metre=None)])
def test_a_piece_without_notes_or_metre_is_engraved_too(piece):
    assert engrave_changes(piece, piece).svg.startswith("<svg")
