"""What every net of the course promises, whatever it models. The nets, tiny, are in tests/helpers/tiny_nets.py."""

import json
from dataclasses import FrozenInstanceError, asdict, fields, is_dataclass, replace

import pytest
import torch
from overfitting import overfit
from tiny_batches import N_ITEMS, NOW
from tiny_nets import CASES

from musegen_lib.core.errors import MusegenError
from musegen_lib.models.registry import RECIPES
from musegen_lib.training.checkpoints import load_model, write_checkpoint

each_net = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def cases_with(field):
    """The cases that have something to say about a promise."""
    chosen = {name: case for name, case in CASES.items() if getattr(case, field) is not None}
    return pytest.mark.parametrize("case", chosen.values(), ids=chosen)


def own(case):
    """Whether a net has a loss of its own."""
    return hasattr(case.net(), "loss")


each_with_a_loss = pytest.mark.parametrize(
    "case", [case for case in CASES.values() if own(case)], ids=[name for name, case in CASES.items() if own(case)]
)


def longer(batch, axis):
    """The same batch with three more steps of padding, which hold what the last step held."""
    if isinstance(batch, torch.Tensor):  # items: the padding has a number of its own
        return torch.cat([batch, torch.full((len(batch), 3), N_ITEMS)], dim=1)

    def stretched(name, value):
        last = value.narrow(axis, -1, 1) if name != "mask" else torch.zeros_like(value.narrow(axis, -1, 1))
        return torch.cat([value, *[last] * 3], dim=axis)

    columns = {name: value for name, value in vars(batch).items() if value.ndim > axis}
    return replace(batch, **{name: stretched(name, value) for name, value in columns.items()})


def loss_of(measure, net, batch):
    """A loss in evaluation, what it draws at random being the same each time."""
    torch.manual_seed(3)
    with torch.no_grad():
        return measure(net.eval(), batch)


def test_every_net_that_a_command_trains_is_in_the_table():
    nets = [getattr(recipe, "net", object) for recipe in RECIPES.values()]
    trained = {net.__name__ for net in nets if issubclass(net, torch.nn.Module)}
    counted = {"NgramWeights"}  # a table that no loss moves
    assert trained - counted <= {type(case.net()).__name__ for case in CASES.values()}
    assert len(trained) > 10


@each_net
def test_the_config_is_a_frozen_dataclass_that_its_dictionary_restores(case):
    config = case.net().config
    assert is_dataclass(config)
    assert config == case.config == type(config)(**json.loads(json.dumps(asdict(config))))
    with pytest.raises(FrozenInstanceError):
        setattr(config, fields(config)[0].name, None)


@each_with_a_loss
def test_the_loss_is_a_finite_number_and_its_weight_says_of_how_much_it_is_the_mean(case):
    loss, parts = case.net().train().loss(case.batch())
    assert loss.shape == ()
    assert torch.isfinite(loss)
    assert parts["weight"] > 0
    assert all(isinstance(part, float) for part in parts.values())


@cases_with("real")
def test_padding_leaves_the_loss_alone(case):
    net, batch = case.net(), case.batch()
    found = loss_of(case.real, net, longer(batch, case.time))
    torch.testing.assert_close(found, loss_of(case.real, net, batch))


@cases_with("future")
def test_the_future_leaves_the_present_alone(case):
    net, (one, two) = case.net(), case.future()
    with torch.no_grad():
        one, two = case.answer(net, one), case.answer(net, two)
    assert torch.equal(one[:, : NOW + 1], two[:, : NOW + 1])
    assert not torch.equal(one[:, NOW + 1 :], two[:, NOW + 1 :])  # and the past does count


@cases_with("learns")
def test_one_batch_can_be_overfitted(case):
    torch.manual_seed(1)
    losses = overfit(case.net(), case.batch(), steps=80, rate=0.03, loss=case.loss)
    assert losses[-1] < case.learns * losses[0]


@each_net
def test_every_weight_learns_from_a_batch(case):
    net = case.net().train()
    case.loss(net, case.batch()).backward()
    still = {name for name, weight in net.named_parameters() if weight.grad is None or not weight.grad.any()}
    assert still == case.idle


@cases_with("draw")
def test_the_same_seed_draws_the_same_music_and_another_seed_other_music(case):
    net = case.net()

    def drawn(seed):
        torch.rand(3)  # the generator alone decides
        with torch.no_grad():
            return case.draw(net, torch.Generator().manual_seed(seed))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


@each_net
def test_a_net_that_was_kept_and_loaded_says_the_same(case, tmp_path):
    net, path = case.net(), tmp_path / "net.safetensors"
    write_checkpoint(path, net, {"seed": 0})
    torch.manual_seed(9)
    loaded = load_model(path, case.make, type(case.config))
    assert loaded.config == net.config
    assert not loaded.training
    with torch.no_grad():
        assert torch.equal(case.answer(loaded, case.batch()), case.answer(net, case.batch()))


@each_net
def test_weights_of_another_size_than_the_card_says_are_refused(case, tmp_path):
    path = tmp_path / "net.safetensors"
    write_checkpoint(path, case.net(), {"seed": 0})
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    card["config"][case.zero] += 1
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(MusegenError, match="config"):
        load_model(path, case.make, type(case.config))


@each_net
def test_a_size_of_zero_is_refused(case):
    with pytest.raises(ValueError, match=r"at least 1|greater than zero|positive"):
        case.make(replace(case.config, **{case.zero: 0}))
