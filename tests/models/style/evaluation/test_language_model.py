"""The measure of fluency: the future and the padding leave it alone, zero weights are a uniform guess, it can learn."""

import numpy as np
import pytest
import torch
from overfitting import overfit

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES, load_held_out, other_style
from musegen_lib.models.style.evaluation.language_model import (
    StepBatches,
    StyleFluency,
    StyleFluencyConfig,
    pieces_to_batch,
)
from musegen_lib.models.style.evaluation.language_model_recipe import FLUENCY
from musegen_lib.models.style.trigram import N_STEPS

TINY = StyleFluencyConfig(hidden_dim=7, interval_dim=5, ratio_dim=3, dropout=0.0)


def melody(pitches, steps=2):
    return Piece.from_notes([(steps * k, steps, pitch) for k, pitch in enumerate(pitches)])


UP, DOWN = melody([60, 62, 64, 65, 67, 69]), melody([72, 71, 69, 67], 4)


def tiny(seed=0):
    torch.manual_seed(seed)
    return StyleFluency(TINY).eval()


def test_zero_weights_guess_every_symbol_alike():
    net = tiny()
    for weight in net.parameters():
        torch.nn.init.zeros_(weight)
    assert np.allclose(net.nats([UP, DOWN], "german"), np.log(N_STEPS))
    assert net.loss(pieces_to_batch([UP, DOWN], [0, 1]))[0].item() == pytest.approx(2 * np.log(N_STEPS))


def test_what_comes_later_changes_no_surprise_before():
    other = melody([60, 62, 64, 60, 61, 69])
    first, second = (tiny().nats([piece], "chinese") for piece in (UP, other))
    assert np.allclose(first[:2], second[:2])
    assert not np.allclose(first[2:], second[2:])


def test_melodies_together_score_as_alone_and_each_style_by_its_own_net():
    net, batch = tiny(), pieces_to_batch([UP, DOWN], [0, 1])
    intervals, ratios = net.surprise(batch)
    for row, (piece, style) in enumerate(((UP, "chinese"), (DOWN, "german"))):
        alone = net.nats([piece], style)
        assert np.allclose(intervals[row, : len(alone)].detach(), alone[:, 0], atol=1e-6)
        assert np.allclose(ratios[row, : len(alone)].detach(), alone[:, 1], atol=1e-6)
    assert not intervals[1, 3:].any()
    assert not np.allclose(net.nats([UP], "chinese"), net.nats([UP], "german"))


def test_neither_key_nor_tempo_matters():
    slow = melody([60, 62, 64, 65, 67, 69], 8).transpose(3)
    assert np.allclose(tiny().nats([UP], "german"), tiny().nats([slow], "german"))


def test_a_batch_is_the_same_each_time_and_can_be_learnt():
    batches = StepBatches(([UP, DOWN], [DOWN, DOWN]), size=4, longest=4)
    assert torch.equal(batches(3).intervals, batches(3).intervals)
    assert batches(3).styles.tolist() == [0, 0, 1, 1]
    assert batches(3).mask.sum(dim=1).max() == 3
    losses = overfit(tiny().train(), batches(0), 80, 3e-2)
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize("notes", [[], [60]])
def test_no_interval_has_no_surprise(notes):
    assert tiny().nats([melody(notes)], "german").shape == (0, 2)
    with pytest.raises(ValueError, match="no melody of two notes"):
        pieces_to_batch([melody(notes)], [0])


@pytest.mark.parametrize("style", STYLES)
def test_the_shipped_nets_find_their_own_style_more_fluent(style):
    net = FLUENCY.load_once()
    own, other = (
        net.nats(list(load_held_out(name, "valid")), style)[:, 0].mean() for name in (style, other_style(style))
    )
    assert own < 1.85
    assert other > own + 0.4
