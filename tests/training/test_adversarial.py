"""Adversarial training: losses by hand, seeds, resuming, and a generator that finds its data."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from musegen_lib.core.errors import MusegenError
from musegen_lib.training.adversarial import LOSSES, AdversarialConfig, train_adversarial
from musegen_lib.training.checkpoints import read_state, write_state

REAL = torch.tensor([2.0, -1.0])
MADE = torch.tensor([0.5, -3.0])


class Pair(nn.Module):
    """A generator of points on a line: scale times noise plus place."""

    def __init__(self):
        super().__init__()
        self.place, self.scale = nn.Parameter(torch.tensor([0.0])), nn.Parameter(torch.tensor([0.5]))

    def draw(self, n):
        return self.place + self.scale * torch.randn(n, 1)


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))

    def see(self, x):
        return x

    def forward(self, x):
        return (self.net(x)[:, 0],)


def batches(step, rank=0, world_size=1):
    return 3 + 0.5 * torch.randn(32, 1, generator=torch.Generator().manual_seed(step))


def make_networks():
    torch.manual_seed(0)
    return Pair(), Line()


def test_losses_agree_with_the_formulas():
    real, made = torch.sigmoid(REAL), torch.sigmoid(MADE)
    critic = -(real.log().mean() + (1 - made).log().mean())
    assert LOSSES["non-saturating"].discriminator(REAL, MADE).item() == pytest.approx(critic.item(), rel=1e-5)
    assert LOSSES["non-saturating"].generator(MADE).item() == pytest.approx(-made.log().mean().item(), rel=1e-5)
    assert LOSSES["saturating"].generator(MADE).item() == pytest.approx((1 - made).log().mean().item(), rel=1e-5)
    assert LOSSES["hinge"].discriminator(REAL, MADE).item() == pytest.approx((0 + 2) / 2 + (1.5 + 0) / 2)
    assert LOSSES["wasserstein"].discriminator(REAL, MADE).item() == pytest.approx(-1.25 - 0.5)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_form_of_the_loss_moves_the_generator_towards_the_data(loss):
    generator, discriminator = make_networks()
    penalty = {"slope_penalty": 0.0, "gradient_penalty": 1.0} if loss == "wasserstein" else {}
    config = AdversarialConfig(400, 32, loss, generator_rate=2e-2, discriminator_rate=2e-2, average=0.9, **penalty)
    train_adversarial(generator, discriminator, batches, config)
    assert generator.place.item() > 2


def test_a_training_that_was_stopped_ends_as_if_it_had_not_been(tmp_path, monkeypatch):
    monkeypatch.setattr("musegen_lib.training.adversarial.KEEP_EVERY", 5)
    config = AdversarialConfig(17, 8, gradient_penalty=0.1)
    whole, critic = make_networks()
    losses = train_adversarial(whole, critic, batches, config)

    class KilledError(Exception):
        pass

    def kill(step, net):
        if step == 12:
            raise KilledError

    generator, discriminator = make_networks()
    with pytest.raises(KilledError):
        train_adversarial(generator, discriminator, batches, config, tmp_path, kill)
    torch.manual_seed(99)
    again, other = Pair(), Line()
    assert train_adversarial(again, other, batches, config, tmp_path) == losses
    for a, b in zip([*whole.parameters(), *critic.parameters()], [*again.parameters(), *other.parameters()]):
        assert torch.equal(a, b)


def test_another_configuration_or_a_damaged_file_starts_anew(tmp_path, capsys):
    train_adversarial(*make_networks(), batches, AdversarialConfig(3), tmp_path)
    assert len(train_adversarial(*make_networks(), batches, AdversarialConfig(4), tmp_path)) == 4
    assert "another configuration" in capsys.readouterr().out
    tensors, about = read_state(tmp_path / "last.safetensors")
    for losses in ("{}", "[1]", "nothing"):
        write_state(tmp_path / "last.safetensors", tensors, about | {"losses": losses})
        assert len(train_adversarial(*make_networks(), batches, AdversarialConfig(4), tmp_path)) == 4
        assert "starting anew" in capsys.readouterr().out
    (tmp_path / "last.safetensors").write_bytes(b"x")
    assert len(train_adversarial(*make_networks(), batches, AdversarialConfig(4), tmp_path)) == 4


def test_the_critic_does_not_train_the_generator():
    generator, discriminator = make_networks()
    before = copy.deepcopy(generator.state_dict())
    train_adversarial(generator, discriminator, batches, AdversarialConfig(3, generator_rate=0.0))
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())


def test_a_loss_that_is_no_number_is_one_clear_line():
    generator, discriminator = make_networks()
    with pytest.raises(MusegenError, match=r"the discriminator's loss of step 0 is nan; .* a lower learning rate"):
        train_adversarial(generator, discriminator, lambda step: torch.full((4, 1), float("nan")), AdversarialConfig(3))


def test_the_slope_penalty_flattens_the_critic_at_the_data():
    slopes = []
    for penalty in (0.0, 10.0):
        generator, discriminator = make_networks()
        train_adversarial(
            generator,
            discriminator,
            batches,
            AdversarialConfig(200, 32, discriminator_rate=1e-2, slope_penalty=penalty),
        )
        x = batches(0).requires_grad_()
        slopes.append(torch.autograd.grad(discriminator(x)[0].sum(), x)[0].abs().mean().item())
    assert slopes[1] < slopes[0] / 2


class Ramp(nn.Module):
    """A judge whose score is three times what it sees: its slope is 3 everywhere."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([3.0]))

    def see(self, x):
        return x

    def forward(self, x):
        return (x[:, 0] * self.weight,)


def first_judge_loss(**penalties):
    torch.manual_seed(0)
    return train_adversarial(Pair(), Ramp(), batches, AdversarialConfig(1, **{"slope_penalty": 0.0} | penalties))[0][0]


def test_both_penalties_by_hand_on_a_slope_of_three():
    plain = first_judge_loss()
    assert first_judge_loss(slope_penalty=0.4) - plain == pytest.approx(0.4 / 2 * 3**2, abs=1e-5)
    assert first_judge_loss(gradient_penalty=0.4) - plain == pytest.approx(0.4 * (3 - 1) ** 2, abs=1e-5)


@pytest.mark.parametrize(("average", "share"), [(0.999, 9 / 10), (0.05, 0.95), (0.0, 1)])
def test_the_running_mean_starts_short_and_takes_nine_tenths_of_the_first_step(average, share):
    generator, discriminator = make_networks()
    train_adversarial(generator, discriminator, batches, AdversarialConfig(1, generator_rate=0.1, average=average))
    step = 0.1 * 1.001  # the first step of Adam is as long as its rate
    assert abs(generator.place.item()) == pytest.approx(share * step, rel=1e-4)


class Liking(Ramp):
    """A judge that likes high notes, always as much, so that each step of Adam is as long as its rate."""

    def forward(self, x):
        return (x[:, 0] + 0 * self.weight,)


def test_the_rates_hold_for_half_of_the_training_and_then_fall_in_a_line():
    places = [0.0]
    config = AdversarialConfig(4, loss="wasserstein", generator_rate=0.1, slope_penalty=0.0, average=0.0)
    train_adversarial(Pair(), Liking(), batches, config, watch=lambda step, net: places.append(net.place.item()))
    assert np.diff(places) == pytest.approx([0.1001, 0.1001, 0.1001, 0.0501], rel=1e-3)
