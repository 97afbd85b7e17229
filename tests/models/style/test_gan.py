"""The GAN of two styles: moves and their reverse, gradients through draws, budget, strange melodies, weights."""

import numpy as np
import pytest
import torch

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES, load_held_out, other_style
from musegen_lib.encodings.melody_lines import piece_to_line
from musegen_lib.metrics.content import notes_kept, rhythm_kept
from musegen_lib.models.style.gan import (
    FARTHEST_MOVE,
    N_INTERVALS,
    StyleGAN,
    StyleGANConfig,
    claim,
    draw_moves,
    lines_to_conditions,
    move,
    rewrite_by_critic,
)
from musegen_lib.models.style.gan_recipe import STYLE_GAN, Apprentice, cut_lines
from musegen_lib.models.style.methods import by_gan

TUNE = Piece.from_notes([(0, 4, 60), (4, 2, 62), (6, 2, 64), (8, 4, 65), (12, 4, 60)])
ANY = np.ones(12, dtype=bool)


@pytest.fixture
def model():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return StyleGAN(StyleGANConfig(hidden_dim=7, rhythm_dim=3, critic_dim=6)).eval()


def test_a_move_changes_intervals_and_degrees_as_the_pitches_do():
    line, by = piece_to_line(TUNE), np.array([0, 2, -1, 0, -4])
    moves = torch.nn.functional.one_hot(torch.tensor(by + FARTHEST_MOVE), 2 * FARTHEST_MOVE + 1)[None].float()
    made = move(lines_to_conditions([line]), moves)
    assert torch.equal(made.intervals[0, :-1].argmax(dim=1), torch.tensor(np.diff(line.pitches + by) + 12))
    assert made.intervals[0, -1].sum() == 0
    assert torch.equal(made.degrees[0].argmax(dim=1), torch.tensor((line.pitches + by) % 12))


def test_a_move_and_its_reverse_give_the_melody_back_and_padding_stays_empty():
    score = lines_to_conditions([piece_to_line(TUNE), piece_to_line(TUNE).cut(0, 3)])
    moves = draw_moves(torch.zeros(2, 5, 2 * FARTHEST_MOVE + 1), torch.Generator().manual_seed(3))
    there = move(score, moves)
    assert not torch.equal(there.seen, score.seen)
    assert torch.equal(move(there, moves.flip(-1)).seen, score.seen)
    assert there.seen[1, 3:].sum() == 0


def test_the_critic_reaches_the_mover_through_the_draw(model):
    score = lines_to_conditions([piece_to_line(TUNE)])
    logits = model.mover(score, torch.tensor([0]), torch.tensor([0.2]))
    made = move(score, draw_moves(logits, torch.Generator().manual_seed(0)))
    model.critic(claim(made, torch.tensor([0])))[0].sum().backward()
    assert model.mover.head[0].weight.grad.abs().max() > 0


def test_the_critic_scores_no_padding_and_hears_the_claim(model):
    score = lines_to_conditions([piece_to_line(TUNE), piece_to_line(TUNE).cut(0, 3)])
    scores = [model.critic(claim(score, torch.full((2,), style)))[0] for style in (0, 1)]
    assert scores[0][1, 3:].tolist() == [0, 0]
    assert not torch.allclose(scores[0], scores[1])


def test_the_budget_holds_and_the_critic_likes_the_result_better(model):
    line = piece_to_line(TUNE)
    before = model.critic(claim(lines_to_conditions([line]), torch.tensor([1])))[0].sum().item()
    made, score = rewrite_by_critic(model, line, 1, 0.5, ANY)
    assert (made.pitches != line.pitches).sum() <= 2
    assert score >= before
    assert rewrite_by_critic(model, line, 1, 0.1, ANY)[0].pitches.tolist() == line.pitches.tolist()


def test_moved_notes_land_on_the_scale(model):
    scale = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11))
    made, _ = rewrite_by_critic(model, piece_to_line(TUNE), 0, 1.0, scale)
    assert scale[made.pitches % 12].all()


def test_the_mover_owes_for_what_it_moves_and_half_the_lines_are_of_each_style(model):
    sides = [[piece_to_line(TUNE)], [piece_to_line(TUNE.transpose(3))]]
    lines, own = cut_lines(sides, 6, np.random.default_rng(0))
    assert own.tolist() == [0, 0, 0, 1, 1, 1]
    assert len(lines) == 6
    owing = Apprentice(model, sides, {"budget": 1.0, "cycle": 0.0, "identity": 0.0})
    made = owing.draw(4)
    assert made.shape == (4, 5, N_INTERVALS + 12 + len(STYLES))
    assert 0 <= owing.penalty.item() <= 1


@pytest.mark.parametrize("to", STYLES)
def test_the_shipped_net_keeps_rhythm_and_budget_and_its_critic_tells_styles(to):
    for piece in list(load_held_out(other_style(to), "valid"))[:2]:
        made = by_gan(STYLE_GAN.load_once(), piece, to, 0.2, 0)
        assert 1 > notes_kept(piece, made) >= 0.8
        assert rhythm_kept(piece, made) == 1
        assert np.array_equal(made.notes, by_gan(STYLE_GAN.load_once(), piece, to, 0.2, 1).notes)
    assert STYLE_GAN.valid_loss() < 0.6  # a guess has log 2


def test_strange_melodies_work():
    one = Piece.from_notes([(0, 4, 60)])
    assert by_gan(STYLE_GAN.load_once(), one, "chinese", 1.0, 0) is one
    for pitches in ((0, 1, 0, 2), (127, 126, 127, 120)):
        made = by_gan(
            STYLE_GAN.load_once(), Piece.from_notes([(4 * i, 4, p) for i, p in enumerate(pitches)]), "german", 1.0, 0
        )
        assert made.notes["pitch"].min() >= 0
        assert made.notes["pitch"].max() <= 127
