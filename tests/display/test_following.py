"""A piano roll with the seconds of its notes."""

import re

import numpy as np
import pytest

from musegen_lib.core.expression import expressive
from musegen_lib.core.piece import Piece
from musegen_lib.display import follow

TUNE = Piece.from_notes([(0, 4, 60), (4, 4, 62), (8, 1, 64), (9, 1, 65)], metre="4/4")


def times(shown):
    return [(float(a), float(b)) for a, b in re.findall(r'data-start="([\d.]+)" data-stop="([\d.]+)"', shown)]


def test_each_note_carries_the_seconds_in_which_it_sounds():
    shown = follow(TUNE, "Four notes")
    wanted = [(round(a, 2), round(b, 2)) for a, b in expressive(TUNE).note_seconds().tolist()]
    assert np.allclose(times(shown.svg), wanted, atol=0.03)  # a note may be delayed a little, as a player would
    assert all(start < stop <= shown.sound.seconds for start, stop in wanted)


def test_picture_and_player_stand_in_one_output():
    output = follow(TUNE, "Four <notes>")._repr_mimebundle_()["text/html"]
    assert output.count("<svg") == output.count("<audio") == output.count('class="follow"') == 1
    assert "Four &lt;notes&gt;" in output
    assert "Four <notes>" not in output


def test_a_model_more_is_a_score_more_with_a_number_below_each_note():
    shown = follow(TUNE, "Four notes", {"counting": [2.9, 0.1, 0.2, 0.3], "the network": [1.0, 1.1, 1.2, 1.3]})
    assert times(shown.svg) == 2 * times(follow(TUNE, "Four notes").svg)
    words = re.findall(r"<tspan[^>]*>([\d.]+)</tspan>", shown.svg)
    assert words == ["2.9", "0.1", "0.2", "0.3", "1.0", "1.1", "1.2", "1.3"]
    assert "Surprise of counting, in nats" in shown.svg
    colours = re.findall(r'<g [^>]*class="note" color="(#\w+)"', shown.svg)
    assert colours[0] != colours[1]


def test_a_tied_note_has_one_number_and_each_head_its_seconds():
    tied = Piece.from_notes([(12, 8, 60)], metre="4/4")  # over the bar line
    shown = follow(tied, "A tied note", {"counting": [0.5]})
    assert len(times(shown.svg)) == 2
    assert len(set(times(shown.svg))) == len(re.findall(r">0\.5</tspan>", shown.svg)) == 1


def test_the_notes_are_numbered_where_there_is_room():
    words = re.findall(r"<text[^>]*>([^<]*)</text>", follow(TUNE, "Four notes").svg)
    assert [word for word in words if word.isdigit()] == ["1", "2", "3", "4"]
    crowd = Piece.from_notes([(step, 1, 60 + step % 2) for step in range(120)], metre="4/4")
    words = re.findall(r"<text[^>]*>([^<]*)</text>", follow(crowd, "Many notes").svg)
    numbers = [int(word) for word in words if word.isdigit()]
    assert numbers[0] == 1
    assert 20 < len(numbers) < 70


def test_a_number_is_needed_for_each_note():
    with pytest.raises(ValueError, match="counting: 1 numbers for 4 notes"):
        follow(TUNE, "Four notes", {"counting": [1.0]})
