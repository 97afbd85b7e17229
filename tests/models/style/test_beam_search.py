from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.melody_lines import N_INTERVALS, line_to_piece, piece_to_line
from musegen_lib.models.style import beam_search as style_search
from musegen_lib.models.style.batches import LineBatches, lines_to_batch
from musegen_lib.models.style.beam_search import contrast_per_note, rewrite_line
from musegen_lib.models.style.rnn import StyleRNN, StyleRNNConfig

MOVES = np.array([0, 1, -1, 2, -2, 3, -3])
TUNE = Piece.from_notes([(0, 4, 60), (4, 2, 62), (6, 2, 64), (8, 4, 65), (12, 4, 60)])


@pytest.fixture
def model():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return StyleRNN(StyleRNNConfig(hidden_dim=7, interval_dim=5, register_dim=4, rhythm_dim=3, style_dim=2)).eval()


def score(model, line, contrast):
    there, here = (model.log_prob(lines_to_batch([line], [style])).item() for style in (0, 1))
    return there - contrast * here


def test_a_line_does_not_know_its_key():
    here, there = lines_to_batch([piece_to_line(TUNE)], [0]), lines_to_batch([piece_to_line(TUNE.transpose(5))], [0])
    assert all(torch.equal(a, b) for a, b in zip(vars(here).values(), vars(there).values(), strict=True))


def test_a_line_becomes_the_piece_it_came_from():
    assert np.array_equal(line_to_piece(piece_to_line(TUNE), TUNE).notes, TUNE.notes)


def test_padding_leaves_the_likelihood_alone(model):
    short, long = piece_to_line(TUNE).cut(0, 3), piece_to_line(TUNE)
    alone = model.log_prob(lines_to_batch([short], [1]))
    beside = model.log_prob(lines_to_batch([short, long], [1, 0]))[:1]
    assert torch.allclose(alone, beside, atol=1e-5)


def test_the_future_leaves_the_present_alone(model):
    line = piece_to_line(TUNE)
    other = line.with_pitches([60, 62, 64, 65, 72])
    a, b = (model(lines_to_batch([one], [0])) for one in (line, other))
    assert torch.allclose(a[:, :4], b[:, :4], atol=1e-6)
    assert not torch.allclose(a[:, 2], model(lines_to_batch([line.with_pitches([60, 62, 69, 65, 60])], [0]))[:, 2])


def test_steps_one_by_one_give_the_logits_of_the_whole(model):
    whole = lines_to_batch([piece_to_line(TUNE)], [1])
    logits, state, single = model(whole), None, []
    for note in range(4):
        rhythm = {name: getattr(whole, name)[:, note : note + 2] for name in ("durations", "places", "left")}
        read = {name: getattr(whole, name)[:, note : note + 1] for name in ("before", "register", "intervals", "mask")}
        step, state = model.steps(replace(whole, **rhythm, **read), state)
        single.append(step)
    assert torch.allclose(torch.cat(single, dim=1), logits, atol=1e-5)


def test_the_widest_search_finds_the_best_melody_for_each_number_of_moved_notes(model, monkeypatch):
    monkeypatch.setattr(style_search, "BEAM", 10**6)
    monkeypatch.setattr(style_search, "BEAM_MOVES", MOVES)
    line = piece_to_line(TUNE).cut(0, 4)
    found, scores = rewrite_line(model, line, target=0, source=1, amount=0.5, contrast=0.6)
    every = [line.with_pitches(line.pitches + np.array(moves)) for moves in product(MOVES.tolist(), repeat=4)]
    for count, (best, told) in enumerate(zip(found, scores.tolist(), strict=True)):
        rivals = [one for one in every if (one.pitches != line.pitches).sum() == count]
        top = max(score(model, one, 0.6) for one in rivals)
        assert (best.pitches != line.pitches).sum() == count
        assert score(model, best, 0.6) == pytest.approx(top, abs=1e-4) == told
    assert len(found) == 3


def test_nothing_moves_without_a_budget_and_the_first_line_is_the_tune(model):
    line = piece_to_line(TUNE)
    assert [one.pitches.tolist() for one in rewrite_line(model, line, 0, 1, amount=0.0)[0]] == [line.pitches.tolist()]
    assert rewrite_line(model, line, 0, 1, amount=0.6)[0][0].pitches.tolist() == line.pitches.tolist()


def test_the_contrast_of_a_style_with_itself_is_zero(model):
    lines = [piece_to_line(TUNE)]
    assert contrast_per_note(model, lines, 1, 1).tolist() == [0.0]
    assert contrast_per_note(model, lines, 0, 1) == pytest.approx(-contrast_per_note(model, lines, 1, 0))


def test_a_batch_can_be_overfitted_and_untrained_it_costs_about_a_guess(model):
    batch = lines_to_batch([piece_to_line(TUNE), piece_to_line(TUNE).with_pitches([60, 57, 55, 53, 60])], [0, 1])
    assert model.loss(batch)[0].item() == pytest.approx(np.log(N_INTERVALS), abs=0.4)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(batch)[0].backward()
        optimizer.step()
    assert model.loss(batch)[0].item() < 0.1


def test_the_same_step_and_seed_give_the_same_batch_in_the_styles_asked_for():
    lines = [piece_to_line(TUNE), piece_to_line(TUNE).cut(1, 3)]
    batches = LineBatches((lines, lines, lines), (2, 3, 1), seed=4)
    assert torch.equal(batches(5).before, batches(5).before)
    assert batches(5).styles.tolist() == [0, 0, 1, 1, 1, 2]
    assert len(batches(5, rank=1, world_size=2).styles) == 4


def test_ends_of_phrases_stay_if_they_are_held(model):
    line = replace(piece_to_line(TUNE), left=np.array([2, 1, 0, 1, 0]))
    free, held = (rewrite_line(model, line, 0, 1, 0.6, hold_ends=hold)[0] for hold in (False, True))
    assert any((one.pitches != line.pitches)[[2, 4]].any() for one in free)
    assert not any((one.pitches != line.pitches)[[2, 4]].any() for one in held)
    assert len(held) == 4
