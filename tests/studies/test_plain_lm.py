"""The plain melody net: what it may read, what cutting its memory means, and that its loss counts real notes only."""

import math
from dataclasses import FrozenInstanceError, replace

import pytest
import torch
from overfitting import overfit
from tiny_tunes import make_tune, make_tunes

from data.studies.plain_lm import CELLS, MelodyLM, MelodyLMConfig
from musegen_lib.encodings.melody_events import FIRST_PITCH_ID, N_DURATIONS, N_PITCH_IDS
from musegen_lib.models.melody.batches import collate

torch.set_num_threads(1)
TUNES = make_tunes(5, seed=2)
LONG = make_tune([(FIRST_PITCH_ID + i % 7, 1 + i % 3) for i in range(12)])
each_cell = pytest.mark.parametrize("cell", CELLS)


def make_net(cell="lstm", **sizes):
    torch.manual_seed(0)
    sizes = {"hidden_dim": 6, "embedding_dim": 5, "dropout": 0.5} | sizes
    return MelodyLM(MelodyLMConfig(cell, **sizes)).eval()


def with_event(batch, at, pitch_id):
    """The batch of one tune with another pitch at one event."""
    pitch_ids = batch.pitch_ids.clone()
    pitch_ids[0, at] = pitch_id
    return replace(batch, pitch_ids=pitch_ids)


@torch.no_grad()
def moved(net, at, memory=None):
    """Numbers of the steps whose pitch logits change with the pitch of event `at`."""
    batch = collate([LONG])
    there, here = (net(b, memory)[0][0] for b in (batch, with_event(batch, at, N_PITCH_IDS - 1)))
    return (there - here).abs().amax(dim=1).nonzero()[:, 0].tolist()


def test_the_config_is_frozen():
    with pytest.raises(FrozenInstanceError):
        MelodyLMConfig().cell = "gru"


@each_cell
def test_logits_read_all_the_past_and_neither_the_present_nor_the_future(cell):
    assert moved(make_net(cell, hidden_dim=16), at=4) == list(range(5, 13))


@each_cell
def test_durations_may_read_the_pitch_of_their_own_event(cell):
    net, batch = make_net(cell), collate([LONG])
    with torch.no_grad():
        there, here = (net(b)[1][0] for b in (batch, with_event(batch, 4, N_PITCH_IDS - 1)))
    assert torch.equal(there[:4], here[:4])
    assert not torch.allclose(there[4], here[4])


@each_cell
def test_no_guess_reads_the_duration_of_its_own_event(cell):
    net, batch = make_net(cell), collate([LONG])
    durations = batch.durations.clone()
    durations[0, 4] += 5
    with torch.no_grad():
        for there, here in zip(net(batch), net(replace(batch, durations=durations))):
            assert torch.equal(there[0, :5], here[0, :5])
            assert not torch.allclose(there[0, 5], here[0, 5])


@each_cell
@pytest.mark.parametrize("memory", [1, 2, 5])
def test_a_memory_of_k_reads_the_last_k_events_and_no_others(cell, memory):
    assert moved(make_net(cell, hidden_dim=16), at=4, memory=memory) == list(range(5, 5 + memory))


@each_cell
def test_a_memory_as_long_as_the_tune_is_the_plain_likelihood(cell):
    net, batch = make_net(cell), collate(TUNES)
    with torch.no_grad():
        plain = net.event_nll(batch)
        for memory in (plain.shape[1], plain.shape[1] + 1, 999):
            assert torch.equal(net.event_nll(batch, memory), plain)
        assert torch.allclose(net.event_nll(batch, plain.shape[1] - 1)[:, :-1], plain[:, :-1], atol=1e-6)


@each_cell
def test_a_window_is_what_an_empty_cell_makes_of_its_inputs(cell):
    net, batch = make_net(cell), collate([LONG])
    with torch.no_grad():
        x = net.read(batch)
        windows = net.last_of_windows(x, 3)
        for step in range(x.shape[1]):
            by_hand = net.cell(x[:, max(0, step - 2) : step + 1])[0][:, -1]
            assert torch.allclose(windows[:, step], by_hand, atol=1e-6)


def test_blocks_start_from_an_empty_state_and_windows_agree_with_them_at_their_last_step():
    net = make_net()
    with torch.no_grad():
        x = net.read(collate([LONG]))  # 13 inputs: blocks of 5, 5 and 3
        blocks = net.blocks(x, 5)
        for first in (0, 5, 10):
            assert torch.allclose(blocks[:, first : first + 5], net.cell(x[:, first : first + 5])[0], atol=1e-6)
        assert torch.allclose(blocks[:, 9], net.last_of_windows(x, 5)[:, 9], atol=1e-6)
    assert blocks.shape == (1, 13, 6)


def test_training_with_short_memories_draws_them_from_the_seed_and_validation_never_does():
    net, batch = make_net(memories=(1, 2), dropout=0.0), collate(TUNES)

    def losses(seed):
        torch.manual_seed(seed)
        return [float(net.loss(batch)[0].detach()) for _ in range(12)]

    assert len(set(losses(0))) == 1  # eval
    net.train()
    assert losses(1) == losses(1)
    assert len({round(loss, 6) for loss in losses(1)}) == 3  # memories 1, 2 and all


@each_cell
def test_padding_leaves_the_loss_alone(cell):
    net = make_net(cell)
    with torch.no_grad():
        alone = [net.event_nll(collate([tune])).sum().item() for tune in TUNES]
        together = net.event_nll(collate([*TUNES, LONG])).sum(dim=1)[: len(TUNES)]
    assert together.tolist() == pytest.approx(alone, rel=1e-5)


def test_zero_heads_score_a_blind_guess_and_the_loss_is_a_mean_over_notes():
    net, batch = make_net(), collate(TUNES)
    for head in (net.pitch_head, net.duration_head):
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    n_events, n_notes = sum(len(t.pitch_ids) for t in TUNES), sum(t.n_notes for t in TUNES)
    assert n_notes < n_events - len(TUNES)  # some are rests
    timed = n_events - len(TUNES)  # END has no duration
    wanted = (n_events * math.log(N_PITCH_IDS) + timed * math.log(N_DURATIONS)) / n_notes
    loss, parts = net.loss(batch)
    assert loss.item() == pytest.approx(wanted, rel=1e-5)
    assert parts == {"weight": n_notes}


@each_cell
def test_one_batch_can_be_overfitted(cell):
    net, batch = make_net(cell, hidden_dim=48, embedding_dim=24, dropout=0.0), collate(TUNES)
    net.train()
    assert overfit(net, batch, steps=200, rate=0.02)[-1] < 0.5  # the first pitch of a tune cannot be known


@each_cell
def test_weights_in_order_of_gates(cell):
    """At one width a GRU has three, an LSTM four times the weights of a tanh cell."""
    n_weights = sum(p.numel() for p in make_net(cell).cell.parameters())
    assert n_weights == {"rnn": 1, "gru": 3, "lstm": 4}[cell] * (6 * 5 + 6 * 6 + 6 + 6)
