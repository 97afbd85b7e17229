"""Phrases: what a net is told of them, plans that are drawn, ends that are found in melodies."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.chorale_phrases import at_home, phrase_countdown, phrase_lengths
from musegen_lib.encodings.chorale_steps import FIRST_PITCH, HOLD, LOW, REST, ChoraleSteps
from musegen_lib.encodings.melody_events import NO_TONIC
from musegen_lib.models.chorale.phrase_ends import (
    WIDTHS,
    PhraseEnds,
    PhraseEndsConfig,
    find_phrase_ends,
    told_features,
)
from musegen_lib.models.chorale.phrase_ends_recipe import every_four_bars, long_notes, marked_sopranos, phrases_of
from musegen_lib.models.chorale.phrase_plan import PhrasePlanner
from musegen_lib.models.chorale.recipe import chorale_steps

# What a net is told


def test_the_countdown_tells_beats_to_the_fermata_then_beats_of_it():
    told = phrase_countdown(((4, 12), (16, 20)), 22)
    assert told.tolist() == [5] * 4 + [2] * 4 + [1] * 4 + [5] * 4 + [1] * 4 + [0, 0]


def test_far_ends_read_the_same_and_unknown_phrases_tell_nothing():
    told = phrase_countdown(((200, 240),), 240)
    assert told[0] == told[200 - 61] == 20 > told[200 - 60]
    assert told[200] == told[220] == 4
    assert not phrase_countdown((), 9).any()


def test_every_chorale_but_one_ends_in_its_last_fermata_and_no_phrase_is_empty():
    pieces = chorale_steps("train") + chorale_steps("valid")
    known = [piece for piece in pieces if piece.ends]
    assert len(pieces) - len(known) == 1
    for piece in known:
        edges = [step for end in piece.ends for step in end]
        assert all(a <= b for a, b in pairwise(edges))
        assert edges[-1] == len(piece.tokens)
        assert all(piece.tokens[onset, 0] >= FIRST_PITCH for onset, _ in piece.ends)


def bass_on(pitch, tonic, mode):
    tokens = np.full((3, 4), REST)
    tokens[0, 3], tokens[1, 3] = pitch - LOW + FIRST_PITCH, HOLD
    return ChoraleSteps(tokens, tonic, mode, "4/4", 0)


def test_home_is_the_last_bass_note_if_its_mode_is_known():
    steps = at_home(bass_on(50, 9, 1))  # A minor, ending on D
    assert (steps.tonic, steps.mode) == (2, 2)
    assert at_home(bass_on(45, 9, 1)).tonic == 9
    assert at_home(bass_on(52, 9, 1)).tonic == NO_TONIC  # phrygian


# Plans


def test_a_plan_fills_the_piece_and_knows_only_phrases_it_has_seen():
    planner = PhrasePlanner()
    planner.learn([ChoraleSteps(np.full((64, 4), REST), 0, 0, "4/4", 4, ((28, 32), (56, 64)))] * 50)
    generator = torch.Generator().manual_seed(0)
    drawn = [planner.draw_ends("4/4", 4, 64, generator) for _ in range(20)]
    assert sum([offset for _, offset in ends] == [32, 64] for ends in drawn) >= 19
    assert {offset - onset for ends in drawn for onset, offset in ends} == {4, 8}
    assert planner.draw_bars("4/4", 20, generator) == [4] * 20


@pytest.mark.parametrize(("metre", "bars", "pickup"), [("4/4", 1, 0), ("3/4", 5, 4), ("4/4", 32, 15), ("4/4", 7, 4)])
def test_any_length_can_be_planned(metre, bars, pickup):
    planner = PhrasePlanner()
    planner.learn(chorale_steps("valid"))
    n_steps = bars * (16 if metre == "4/4" else 12)
    for seed in range(5):
        ends = planner.draw_ends(metre, pickup, n_steps, torch.Generator().manual_seed(seed))
        edges = [0, *(step for end in ends for step in end)]
        assert all(a <= b for a, b in pairwise(edges))
        assert all(onset < offset for onset, offset in ends)
        assert edges[-1] == n_steps


def test_planned_phrases_are_as_long_as_those_counted():
    planner, generator = PhrasePlanner(), torch.Generator().manual_seed(0)
    planner.learn(chorale_steps("train"))
    drawn = [planner.draw_ends("4/4", 4, 192, generator) for _ in range(100)]
    beats = [length for ends in drawn for _, length, _ in phrase_lengths(ends)]
    assert np.median(beats) == 8
    assert 0.5 < np.mean(np.array(beats) == 8) < 0.95


# Ends that are found

TUNE = [(0, 4, 60), (4, 4, 62), (8, 4, 64), (12, 8, 60), (20, 4, 62), (24, 4, 64), (28, 4, 65), (32, 8, 62)]


def test_with_zero_weights_no_chain_is_likelier_and_the_last_note_ends_a_phrase():
    found = find_phrase_ends(PhraseEnds(PhraseEndsConfig()), Piece.from_notes(TUNE))
    assert found[-1]


def test_the_likeliest_chain_follows_the_weights():
    model = PhraseEnds(PhraseEndsConfig())
    with torch.no_grad():
        model.weights -= 1.0
        at = sum(list(WIDTHS.values())[: list(WIDTHS).index("halves")])
        model.weights[at + 2] = 30.0  # phrases of two half bars: the note that ends on the bar line
    found = find_phrase_ends(model, Piece.from_notes([(4 * i, 4, 60 + i % 3) for i in range(8)]))
    assert np.flatnonzero(found).tolist() == [3, 7]


def test_features_know_the_true_ends_before_a_note_and_stay_in_their_widths():
    ends = np.array([False, False, False, True, False, False, False, True])
    features = told_features(Piece.from_notes(TUNE, key="C major"), ends)
    assert features.shape == (8, len(WIDTHS))
    assert features[:, -1].tolist() == [1, 2, 3, 5, 1, 2, 3, 5]  # beats since the phrase began
    assert features[:, list(WIDTHS).index("degree")].tolist() == [0, 2, 4, 0, 2, 4, 5, 2]
    for melody, marks in marked_sopranos("valid")[:10]:
        assert (told_features(melody, marks) < np.array(list(WIDTHS.values()))).all()


def test_the_rules_beside_the_model_do_what_they_are_called():
    piece = Piece.from_notes([(4 * i, 4, 60) for i in range(34)])
    assert np.flatnonzero(every_four_bars(piece)).tolist() == [15, 31, 33]
    assert np.flatnonzero(long_notes(Piece.from_notes(TUNE))).tolist() == [3, 7]


def test_the_shipped_model_finds_the_phrases_of_most_chorale_melodies():
    melody, _ = marked_sopranos("valid")[0]
    ends = phrases_of(melody)
    assert ends[-1][1] == melody.n_steps
    assert 2 <= len(ends) <= 12


def test_no_phrase_is_longer_than_eight_bars_if_notes_allow_it():
    model = PhraseEnds(PhraseEndsConfig())
    with torch.no_grad():
        model.weights -= 0.5  # each note alone rather goes on
    found = find_phrase_ends(model, Piece.from_notes([(4 * i, 4, 60) for i in range(80)]))
    assert found.sum() == 3
    assert np.diff(np.flatnonzero(found), prepend=-1).max() <= 32


def test_a_melody_without_notes_has_no_phrases_to_find():
    with pytest.raises(ValueError, match="no notes to find phrases in"):
        find_phrase_ends(PhraseEnds(PhraseEndsConfig()), Piece.from_notes([]))
