"""Variational autoencoders: what a net promises, the measures, checked by hand where they can be."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
from overfitting import overfit

from musegen_lib.encodings.arrays import FIRST_PITCH, HOLD, N_MELODY_TOKENS, REST
from musegen_lib.encodings.melody_windows import WINDOW_STEPS, make_playable
from musegen_lib.models.vae.batches import WindowBatch
from musegen_lib.models.vae.encoders_decoders import UNKNOWN
from musegen_lib.models.vae.measures import (
    Codes,
    accuracy,
    elbo_nats,
    encode_windows,
    hold_baseline,
    iwae_nats,
    reconstruction,
    teacher_forced,
    write_windows,
)
from musegen_lib.models.vae.vae import MelodyVAE, MelodyVAEConfig, draw_latent, gaussian_kl

TINY = MelodyVAEConfig(latent_dim=3, embedding_dim=4, encoder_dim=7, decoder_dim=9, head_dim=6)
CONFIGS = {
    "reads back": TINY,
    "factorised": replace(TINY, reads_back=False),
    "feedforward": replace(TINY, body="feedforward"),
}
each = pytest.mark.parametrize("name", CONFIGS)


def make_net(name, seed=0):
    torch.manual_seed(seed)
    return MelodyVAE(CONFIGS[name]).eval()


def make_windows(n, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.choice([HOLD, HOLD, REST, *range(FIRST_PITCH, 20)], (n, WINDOW_STEPS))
    return np.stack([make_playable(row) for row in rows])


def tokens_of(n, seed=0):
    return torch.from_numpy(make_windows(n, seed))


def batch_of(n, beta=1.0, seed=0):
    return WindowBatch(tokens_of(n, seed), torch.tensor(beta))


def normal(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# What every net promises


def test_the_configs_are_frozen_and_refuse_what_makes_no_net():
    with pytest.raises(FrozenInstanceError):
        TINY.latent_dim = 4
    for wrong in ({"body": "gru"}, {"latent_dim": 0}, {"hide": 1.5}, {"free_nats": -1.0}):
        with pytest.raises(ValueError, match="needs a body of recurrent, feedforward"):
            replace(TINY, **wrong)


@each
def test_encode_decode_and_write_have_the_shapes_they_say(name):
    net, tokens = make_net(name), tokens_of(5)
    mean, log_variance = net.encode(tokens)
    assert mean.shape == log_variance.shape == (5, 3)
    assert net.decode(mean).shape == net.decode(mean, tokens).shape == (5, WINDOW_STEPS, N_MELODY_TOKENS)
    written = net.write(mean)
    assert written.shape == (5, WINDOW_STEPS)
    assert written.max() < UNKNOWN


@each
def test_a_batch_of_two_keeps_each_window_to_itself(name):
    net, tokens = make_net(name), tokens_of(2)  # the trap of unpacking without cutting in two (E7)
    mean, log_variance = net.encode(tokens)
    alone = [net.encode(tokens[i : i + 1]) for i in range(2)]
    torch.testing.assert_close(mean, torch.cat([a[0] for a in alone]))
    torch.testing.assert_close(log_variance, torch.cat([a[1] for a in alone]))


@each
def test_free_running_tokens_are_those_that_teacher_forcing_scores_highest(name):
    net, z = make_net(name), normal(4, 3)
    with torch.no_grad():
        written = net.write(z)
        assert torch.equal(net.decode(z, written).argmax(dim=2), written)
        torch.testing.assert_close(net.decode(z), net.decode(z, written))  # decode alone reads its own
    drawn = net.write(z, torch.Generator().manual_seed(0))
    assert not torch.equal(drawn, written)
    assert torch.equal(drawn, net.write(z, torch.Generator().manual_seed(0)))


def test_the_likelihood_of_a_window_is_the_sum_of_the_steps_it_is_written_by():
    net, z, tokens = make_net("reads back"), normal(2, 3), tokens_of(2)
    scores = net.decode(z, tokens).log_softmax(dim=2)
    by_hand = -sum(scores[:, t].gather(1, tokens[:, t : t + 1])[:, 0] for t in range(WINDOW_STEPS))
    torch.testing.assert_close(net.nll(z, tokens), by_hand)


@pytest.mark.parametrize("step", [0, 1, 3, 4, 18, 31])
def test_the_future_leaves_the_present_alone_and_the_past_does_not(step):
    net, z, tokens = make_net("reads back"), normal(1, 3), tokens_of(1)
    changed = tokens.clone()
    changed[:, step] = (tokens[:, step] + 5) % N_MELODY_TOKENS
    one, two = net.decode(z, tokens), net.decode(z, changed)
    torch.testing.assert_close(one[:, : step + 1], two[:, : step + 1])
    if step < WINDOW_STEPS - 1:
        assert not torch.isclose(one[:, step + 1], two[:, step + 1]).all() or (step + 1) % 4 == 0
        assert not torch.isclose(one[:, step + 1 :], two[:, step + 1 :]).all()


@pytest.mark.parametrize("name", ["factorised", "feedforward"])
def test_a_factorised_decoder_does_not_read_tokens(name):
    net, z = make_net(name), normal(2, 3)
    torch.testing.assert_close(net.decode(z, tokens_of(2, 1)), net.decode(z, tokens_of(2, 2)))


def test_hidden_tokens_are_hidden_in_training_only():
    net = make_net("reads back")
    tokens = tokens_of(50)
    assert torch.equal(net.decoder._hidden_at_random(tokens), tokens)
    hidden = net.train().decoder._hidden_at_random(tokens)
    share = float((hidden == UNKNOWN).float().mean())
    assert 0.45 < share < 0.55
    assert torch.equal(hidden[hidden != UNKNOWN], tokens[hidden != UNKNOWN])


@each
def test_one_batch_can_be_overfitted_and_every_weight_learns(name):
    torch.manual_seed(0)
    net, batch = MelodyVAE(replace(CONFIGS[name], hide=0.0, decoder_dim=20, encoder_dim=20)), batch_of(4, beta=0.0)
    net.loss(batch)[0].backward()
    assert [key for key, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()] == []
    losses = overfit(net, batch, steps=150, rate=0.02)
    assert losses[-1] < 0.3 * losses[0]


def test_the_loss_is_surprise_plus_beta_times_kl_in_nats_a_window():
    net, beta = make_net("reads back"), 0.25
    loss, parts = net.loss(batch_of(6, beta))
    assert float(loss.detach()) == pytest.approx(parts["nll"] + beta * parts["kl"], rel=1e-5)
    assert parts["weight"] == 6.0
    for weight in net.decoder.head.parameters():
        torch.nn.init.zeros_(weight)
    _, parts = net.loss(batch_of(6))
    assert parts["nll"] == pytest.approx(WINDOW_STEPS * np.log(N_MELODY_TOKENS), rel=1e-5)


def test_free_bits_charge_at_least_their_sum_and_leave_cheap_units_without_gradient():
    torch.manual_seed(0)
    net = MelodyVAE(replace(TINY, free_nats=100.0))
    loss, parts = net.loss(batch_of(4))
    assert float(loss.detach()) == pytest.approx(parts["nll"] + 300.0, rel=1e-5)
    kl_only = torch.autograd.grad(loss, net.encoder.out.bias)[0]
    again, _ = MelodyVAE(TINY).loss(batch_of(4))
    assert kl_only.isfinite().all()
    assert float(again.detach()) < float(loss.detach())


@each
def test_the_same_seed_draws_the_same_windows_and_another_seed_others(name):
    net = make_net(name)
    draw = lambda seed: net.train().sample(3, torch.Generator().manual_seed(seed), draw_tokens=True)  # noqa: E731
    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


# The measures


def test_kl_is_that_of_an_integral_done_by_hand():
    grid = np.linspace(-30, 30, 600_001)
    mean, variance = 1.3, 0.4
    q = np.exp(-0.5 * (grid - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)
    log_p = -0.5 * grid**2 - 0.5 * np.log(2 * np.pi)
    log_q = -0.5 * (grid - mean) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance)
    by_hand = np.sum(q * (log_q - log_p)) * (grid[1] - grid[0])
    found = gaussian_kl(torch.tensor([[mean]]), torch.tensor([[np.log(variance)]], dtype=torch.float32))
    assert float(found) == pytest.approx(by_hand, rel=1e-5)


def test_draws_have_the_mean_and_the_deviation_that_were_asked_for():
    mean, log_variance = torch.full((20_000, 1), 2.0), torch.full((20_000, 1), np.log(0.25).item())
    z = draw_latent(mean, log_variance, normal(20_000, 1))
    assert float(z.mean()) == pytest.approx(2.0, abs=0.02)
    assert float(z.std()) == pytest.approx(0.5, abs=0.02)


def test_one_draw_of_the_weighted_bound_is_the_elbo_and_more_draws_are_tighter():
    net, tokens = make_net("reads back"), make_windows(40)
    elbo = [elbo_nats(net, tokens, encode_windows(net, tokens, torch.Generator().manual_seed(s))) for s in range(8)]
    one = [iwae_nats(net, tokens, 1, torch.Generator().manual_seed(s)) for s in range(8)]
    assert np.mean(one) == pytest.approx(np.mean(elbo), rel=0.01)
    many = iwae_nats(net, tokens, 30, torch.Generator().manual_seed(0))
    assert many.mean() < np.mean(one)


def test_the_weighted_bound_reaches_the_truth_of_a_decoder_that_ignores_its_code():
    net, tokens = make_net("feedforward"), make_windows(5)
    torch.nn.init.zeros_(net.decoder.layers[0].weight)
    truth = net.nll(torch.zeros(5, 3), torch.from_numpy(tokens)).detach().numpy()
    found = iwae_nats(net, tokens, 4000, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(found, truth, atol=0.1)


def test_active_units_are_those_whose_mean_moves():
    mean = normal(100, 4) * torch.tensor([1.0, 0.0, 0.05, 0.3])
    codes = Codes(mean, torch.zeros(100, 4), mean)
    assert codes.active_units() == 2
    assert codes.kl.shape == (100, 4)


def test_accuracy_counts_onsets_and_steps_and_always_hold_is_its_floor():
    tokens = np.array([[14, HOLD, REST, 16]])
    assert accuracy(np.array([[14, 14, REST, 17]]), tokens) == {"onsets": 0.5, "steps": 0.5}
    assert hold_baseline(tokens) == {"onsets": 0.0, "steps": 0.25}


def test_reconstruction_is_measured_free_running_and_with_the_truth():
    net, tokens = make_net("reads back"), make_windows(6)
    codes = encode_windows(net, tokens, torch.Generator().manual_seed(0))
    found = reconstruction(net, tokens, codes)
    assert found["from_mean"] == accuracy(write_windows(net, codes.mean), tokens)
    assert found["teacher_forced"] == accuracy(teacher_forced(net, tokens, codes.z), tokens)
    assert found["always_hold"] == hold_baseline(tokens)


@pytest.mark.parametrize("hide", [0.0, 0.2, 1.0])
def test_the_share_that_is_hidden_is_the_one_asked_for_and_not_the_one_left(hide):
    torch.manual_seed(0)
    net, tokens = MelodyVAE(replace(TINY, hide=hide)).train(), tokens_of(50)
    hidden = net.decoder._hidden_at_random(tokens) == UNKNOWN
    assert float(hidden.float().mean()) == pytest.approx(hide, abs=0.05)
