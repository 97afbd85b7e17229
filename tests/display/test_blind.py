"""A blind test plays every piece once, in a drawn order, and keeps its answer folded."""

import re

import notebook_checks
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from musegen_lib.core.piece import Piece
from musegen_lib.display.blind import blind_test

PITCHES = {"low": 48, "<mid>": 60, "high": 72}
TUNES = {name: Piece.from_notes([(0, 4, pitch)], metre="4/4") for name, pitch in PITCHES.items()}


def test_the_order_comes_from_the_seed_alone():
    drawn = {blind_test(TUNES, seed, seconds=1).answers for seed in range(12)}
    assert len(drawn) > 2
    assert all(sorted(answers) == sorted(TUNES) for answers in drawn)
    assert blind_test(TUNES, 3, seconds=1).answers == blind_test(TUNES, 3, seconds=1).answers


def test_each_number_plays_what_its_answer_says():
    one, two = blind_test(TUNES, 0, seconds=1), blind_test(dict(reversed(TUNES.items())), 1, seconds=1)
    sounds = [dict(zip(test.answers, (sound.mp3 for sound in test.sounds.players))) for test in (one, two)]
    assert sounds[0] == sounds[1]
    assert len(set(sounds[0].values())) == 3


def test_the_answer_is_folded_and_the_words_do_not_give_it_away():
    shown = blind_test(TUNES, 0, seconds=1)
    source = shown._repr_html_()
    before, folded = source.split("<details><summary>Answer</summary>")
    assert not re.search(r"\b(low|mid|high)\b", re.sub(r'src="[^"]*"', "", before))
    assert "&lt;mid&gt;" in folded
    assert not re.search(r"\b(low|mid|high)\b", repr(shown))
    assert len(notebook_checks.PLAYER.findall(source)) == 3
    cell = new_code_cell("x", outputs=[new_output("display_data", shown._repr_mimebundle_())])
    assert notebook_checks.faults_of_outputs(new_notebook(cells=[cell])) == []


def test_one_piece_is_no_test():
    with pytest.raises(ValueError, match="two pieces"):
        blind_test({"alone": TUNES["low"]}, 0)
