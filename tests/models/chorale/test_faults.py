"""Faults of four voices by hand, and that the piece with the fewest is what a user gets."""

import json

import pytest
import torch
from typer.testing import CliRunner

from musegen_lib.cli.main import app
from musegen_lib.core.piece import Piece
from musegen_lib.metrics.cadences import count_at_home, count_home_again
from musegen_lib.models.chorale.faults import BAD_END, BAD_PHRASE, harmony_faults, keep_best
from musegen_lib.models.chorale.recipe import CHORALES
from musegen_lib.models.chorale.sampling import ChoraleRequest, sample_chorales

HOME, FIFTH, SIXTH = (72, 67, 64, 48), (71, 67, 62, 43), (74, 69, 65, 53)  # C and G major, F below D minor


def chorale(*chords, fermatas=(), key="C major"):
    rows = [(4 * i, 4, pitch, 80, v) for i, chord in enumerate(chords) for v, pitch in enumerate(chord) if pitch]
    return Piece.from_notes(sorted(rows), fermatas=fermatas, key=key)


def found(piece, **wish):
    return {name: n for name, n in harmony_faults(piece, **wish).items() if n}


def test_a_cadence_without_fault_has_none():
    assert found(chorale(HOME, FIFTH, HOME, fermatas=(8,)), at_home=True) == {}


def test_fifths_and_octaves_in_parallel_are_faults():
    risen = (74, 69, 65, 50)  # C major to D minor, all up a step
    assert found(chorale(HOME, risen)) == {"parallels": 2}


def test_a_phrase_that_ends_on_another_than_the_root_is_a_fault_and_so_is_an_end_on_it():
    piece = chorale(HOME, SIXTH, fermatas=(4,))
    assert found(piece) == {"phrase ends": BAD_PHRASE, "last chord": BAD_END}
    assert found(piece.replace(fermatas=())) == {"last chord": BAD_END}


def test_a_piece_that_must_end_at_home_may_not_end_on_the_fifth():
    away = chorale(HOME, FIFTH)
    assert found(away) == {}
    assert found(away, at_home=True) == {"last chord": BAD_END}
    assert found(away.replace(key="G major"), at_home=True) == {}


def test_two_phrases_in_a_row_that_close_at_home_are_a_fault_of_free_pieces():
    twice, apart = chorale(HOME, FIFTH, HOME, fermatas=(0, 8)), chorale(HOME, FIFTH, HOME, fermatas=(0, 4, 8))
    assert (count_at_home(twice, twice.fermatas), count_home_again(twice, twice.fermatas)) == ((2, 2), (1, 1))
    assert (count_at_home(apart, apart.fermatas), count_home_again(apart, apart.fermatas)) == ((2, 3), (0, 2))
    assert found(twice, at_home=True) == {"home again": 1}
    assert found(twice) == {}


@pytest.mark.parametrize(("pitch", "at_once", "after_rest"), [(61, 0, 0), (60, 0, 1), (59, 1, 1)])
def test_a_leap_over_an_octave_is_a_fault_and_an_octave_across_a_rest(pitch, at_once, after_rest):
    low, rest = (pitch, 55, 52, 48), (0, 67, 64, 48)
    assert found(chorale(HOME, low)).get("leaps", 0) == at_once
    assert found(chorale(HOME, rest, low)).get("leaps", 0) == after_rest


def test_voices_that_cross_or_leave_their_range_are_faults():
    crossed = (72, 62, 67, 48)
    assert found(chorale(FIFTH, crossed))["crossed voices"] == 1
    assert found(chorale(HOME, (84, 67, 64, 48)))["out of range"] == 1  # C6


def test_the_first_of_the_best_in_each_row_is_kept():
    good, other, bad = chorale(HOME), chorale(HOME, HOME), chorale(HOME, SIXTH)
    assert keep_best([bad, good, other, other, bad, bad], 3) == [good, other]
    assert keep_best([bad, good], 1) == [bad, good]


def test_chorales_drawn_for_one_another_share_their_plan():
    drawn = sample_chorales(CHORALES.load_once(), 2, ChoraleRequest(), torch.Generator().manual_seed(3), draws=2)
    lengths = [len(steps.tokens) for steps in drawn]
    assert [steps.ends for steps in drawn[::2]] == [steps.ends for steps in drawn[1::2]]
    assert lengths[::2] == lengths[1::2]
    assert drawn[0].tokens.tolist() != drawn[1].tokens.tolist()


def test_of_sixteen_chorales_the_kept_ones_have_fewer_faults_than_first_draws():
    def faults(draws):
        made = CHORALES.generate(6, seed=1, draws=draws, bars=6)
        return sum(sum(harmony_faults(piece, at_home=True).values()) for piece in made)

    assert 2 * faults(16) < faults(1)


def test_generate_writes_the_best_of_its_draws_and_says_how_many(tmp_path):
    wish = ["generate", "rnn-chorales", "--n", "2", "--bars", "4", "--out", str(tmp_path), "--json"]
    told = json.loads(CliRunner().invoke(app, wish).stdout)
    best = CHORALES.generate(2, seed=0, bars=4, draws=told["draws"])
    assert told["draws"] > 1
    assert [row["notes"] for row in told["pieces"]] == [len(piece) for piece in best]


def test_voices_may_cross_as_seldom_as_in_bach():
    crossed = (71, 62, 67, 43)
    often, seldom = [FIFTH, crossed] * 10, [FIFTH, HOME] * 39 + [FIFTH, crossed]
    assert found(chorale(*often))["crossed voices"] == 10
    assert "crossed voices" not in found(chorale(*seldom))  # one of 79 changes
