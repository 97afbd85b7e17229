"""The parts of a step: what descends, what is cut, and what is refused."""

import math

import pytest
import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.training.steps import descend, follow, seed_step, set_learning_rate


def make_point(place=3.0):
    net = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(net.weight, place)
    return net, torch.optim.SGD(net.parameters(), lr=0.1)


def test_a_step_goes_down_the_gradient_and_forgets_the_one_before():
    net, optimizer = make_point()
    for place in (3.0 - 0.1 * 6, 2.4 - 0.1 * 4.8):  # the gradient of w squared is 2w
        descend(net.weight.square().sum(), net, optimizer, math.inf, "the loss")
        assert net.weight.item() == pytest.approx(place)


def test_a_gradient_longer_than_the_norm_is_cut_to_it():
    net, optimizer = make_point()
    descend(net.weight.square().sum(), net, optimizer, 0.5, "the loss")
    assert net.weight.item() == pytest.approx(3.0 - 0.1 * 0.5)


def test_a_gradient_that_is_not_finite_is_refused_though_its_loss_is_finite():
    net, optimizer = make_point(0.0)
    with pytest.raises(MusegenError, match=r"the gradient of the loss of step 0 is (inf|nan); .* lower learning rate"):
        follow(iter([net.weight.sqrt().sum()]), net, optimizer)  # the root of 0 has no slope
    assert net.weight.item() == 0.0


def test_a_loss_that_is_not_finite_is_refused_by_the_number_of_its_step():
    net, optimizer = make_point()
    with pytest.raises(MusegenError, match="the loss of step 2 is nan"):
        follow((net.weight.sum() * (math.nan if step == 2 else 1.0) for step in range(4)), net, optimizer)
    assert net.weight.item() == pytest.approx(3.0 - 2 * 0.1)


def test_each_loss_is_taken_after_the_step_before_it():
    net, optimizer = make_point(1.0)
    seen = []

    def losses():
        for _ in range(3):
            seen.append(net.weight.item())
            yield net.weight.sum()

    follow(losses(), net, optimizer)
    assert seen == pytest.approx([1.0, 0.9, 0.8])


def test_the_random_state_of_a_step_depends_on_seed_and_step_alone():
    drawn = {}
    for seed, step in [(0, 1), (1, 0), (0, 1), (2**62, 5)]:
        torch.rand(2)
        seed_step(seed, step)
        value = torch.rand(()).item()
        assert drawn.setdefault((seed, step), value) == value
    assert len(set(drawn.values())) == 3


def test_the_learning_rate_of_every_group_is_set():
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)]}], lr=1.0)
    set_learning_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]
