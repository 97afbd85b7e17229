"""The classifier of rolls: what a roll shows, key and order of pieces do not matter, a batch can be learnt."""

import numpy as np
import torch

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES, load_held_out
from musegen_lib.models.style.evaluation.classifier_recipes import ROLL_CLASSIFIER
from musegen_lib.models.style.evaluation.roll_classifier import (
    ROLL_PITCHES,
    ROLL_STEPS,
    RollBatches,
    RollClassifier,
    RollClassifierConfig,
    piece_to_rolls,
    rolls_in_batches,
)

TUNE = Piece.from_notes([(4 * k, 4, 60 + k % 5) for k in range(20)])
TINY = RollClassifierConfig(channels=2, dropout=0.0)


def rolls(n, seed):
    return np.random.default_rng(seed).random((n, 2, ROLL_STEPS, ROLL_PITCHES)).astype(np.float32)


def test_a_roll_shows_onsets_and_sounding_notes_in_windows_half_apart():
    found = piece_to_rolls(TUNE)
    assert found.shape == (4, 2, ROLL_STEPS, ROLL_PITCHES)
    assert found[0, 0].sum() == 8
    assert found[0, 1].sum() == 32
    assert np.flatnonzero(found[0, 0].any(axis=1)).tolist() == list(range(0, 32, 4))


def test_neither_key_nor_grid_matters_and_few_notes_are_one_window():
    fine = Piece.from_notes([(8 * k, 8, 67 + k % 5) for k in range(20)], steps_per_beat=8)
    assert np.array_equal(piece_to_rolls(fine), piece_to_rolls(TUNE))
    for notes in ([], [(0, 4, 60)]):
        assert piece_to_rolls(Piece.from_notes(notes)).shape == (1, 2, ROLL_STEPS, ROLL_PITCHES)


def test_zero_weights_are_a_coin_and_each_style_weighs_the_same():
    net = RollClassifier(TINY)
    for weight in net.parameters():
        torch.nn.init.zeros_(weight)
    (batch,) = rolls_in_batches(rolls(2, 0), rolls(6, 1))
    assert torch.isclose(net.loss(batch)[0], torch.tensor(2.0).log())
    assert torch.isclose(batch.weights[batch.labels == 1].sum(), batch.weights[batch.labels == 0].sum())
    assert net.probability([TUNE], "chinese").tolist() == [0.5]


def test_a_batch_is_the_same_each_time_and_can_be_learnt():
    torch.manual_seed(0)
    batches = RollBatches(rolls(3, 0) * 0.1, rolls(3, 1), 8, seed=0)
    assert torch.equal(batches(5).rolls, batches(5).rolls)
    net, batch = RollClassifier(TINY), batches(0)
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        loss, parts = net.loss(batch)
        loss.backward()
        optimizer.step()
    assert loss < 0.2
    assert parts == {"weight": 8.0}


def test_the_shipped_classifier_tells_held_out_tunes_apart_one_by_one_as_together():
    net = ROLL_CLASSIFIER.load_once()
    right = [net.probability(list(load_held_out(style, "valid")), style) > 0.5 for style in STYLES]
    assert np.mean([side.mean() for side in right]) > 0.95
    some = list(load_held_out("german", "valid")[:3])
    assert np.allclose(net.probability(some, "german"), [net.probability([p], "german")[0] for p in some], atol=1e-6)
