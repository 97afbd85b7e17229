"""The training loop: what it keeps, when it stops, how it goes on, and that two processes are one."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch
from lightning_fabric import Fabric
from tiny_tunes import make_tunes

from musegen_lib.core.errors import MusegenError
from musegen_lib.encodings.melody_events import END_ID
from musegen_lib.models.melody.batches import MelodyBatches, collate
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig
from musegen_lib.training import loop as training
from musegen_lib.training import resume
from musegen_lib.training.checkpoints import read_state, write_state
from musegen_lib.training.loop import TrainConfig, evaluate, fit, learning_rate, to_device

CONFIG = TrainConfig(steps=12, learning_rate=0.05, warmup_steps=3, validate_every=4, patience=9, seed=1)


@dataclass(frozen=True)
class WobblyConfig:
    hidden_dim: int = 5


class Wobbly(torch.nn.Module):
    """A net of 3 numbers in, 2 out, with dropout: without the right random state it cannot be trained twice alike."""

    def __init__(self, config=WobblyConfig(), seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.config = config
        self.inner = torch.nn.Linear(3, config.hidden_dim)
        self.dropout = torch.nn.Dropout(0.5)
        self.outer = torch.nn.Linear(config.hidden_dim, 2)

    def loss(self, batch):
        guess = self.outer(self.dropout(torch.tanh(self.inner(batch))))  # (B, 2)
        return (guess - batch[:, :2]).square().mean(), {"weight": float(len(batch))}


class Walker(torch.nn.Module):
    """One weight that starts at 0; its loss is the squared distance to the batch's number."""

    def __init__(self):
        super().__init__()
        self.place = torch.nn.Parameter(torch.zeros(()))

    def loss(self, batch):
        return (self.place - batch).square().mean(), {"weight": float(batch.numel())}


def random_batches(step, rank=0, world_size=1):
    """Seven rows of three numbers, the same at every call with this step."""
    return torch.randn(7, 3, generator=torch.Generator().manual_seed(step))[rank::world_size]


def stopped_before(step, batches=random_batches):
    """The same batches, until someone presses Ctrl-C as the batch of `step` is fetched."""

    def interrupted(at, *share):
        if at == step:
            raise KeyboardInterrupt
        return batches(at, *share)

    return interrupted


class Unread(Sequence):
    """Batches that nobody may look at."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise KeyboardInterrupt


VALID, UNREAD = [random_batches(1000), random_batches(1001)[:2]], Unread()


def files_of(folder):
    """All that a run has on disk: tensors, and the strings about them."""
    found = {}
    for file in sorted(folder.iterdir()):
        tensors, about = read_state(file)
        if "run" in about:
            about["run"] = {name: part for name, part in json.loads(about["run"]).items() if name != "seconds"}
        found[file.name] = tensors, about
    return found


def assert_same_files(one, two):
    one, two = files_of(one), files_of(two)
    assert one.keys() == two.keys() == {"best.safetensors", "last.safetensors"}
    for name, (tensors, about) in one.items():
        assert about == two[name][1]
        assert tensors.keys() == two[name][0].keys()
        for key, tensor in tensors.items():
            assert torch.equal(tensor, two[name][0][key]), (name, key)


def assert_same_weights(one, two):
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[name]), name


def test_the_learning_rate_rises_over_the_warm_up_and_falls_to_a_hundredth():
    config = TrainConfig(steps=10, learning_rate=8.0, warmup_steps=4)
    assert [learning_rate(step, config) for step in range(5)] == [2.0, 4.0, 6.0, 8.0, 8.0]
    assert learning_rate(7, config) == pytest.approx(8 * (1 - 0.99 / 2))  # half way down
    assert learning_rate(10, config) == pytest.approx(0.08)


def test_without_warm_up_the_learning_rate_starts_at_its_top():
    assert learning_rate(0, TrainConfig(steps=10, learning_rate=8.0, warmup_steps=0)) == 8.0


def test_evaluate_weights_batches_by_their_items_and_leaves_the_mode_alone():
    walker = Walker().train()
    batches = [torch.tensor([1.0]), torch.tensor([2.0, 2.0, 2.0])]  # losses 1 and 4, of 1 and 3 items
    assert evaluate(walker, batches) == pytest.approx(13 / 4)
    assert walker.training
    evaluate(walker.eval(), batches)
    assert not walker.training


def test_evaluate_switches_dropout_off():
    model = Wobbly().train()
    assert evaluate(model, VALID) == evaluate(model, VALID)


def test_to_device_moves_a_tensor_and_every_tensor_of_a_dataclass():
    meta = torch.device("meta")
    assert to_device(torch.zeros(2), meta).device == meta
    moved = to_device(collate(make_tunes(3)), meta)
    assert {value.device for value in vars(moved).values()} == {meta}


def test_training_lowers_the_loss_and_notes_its_curves(capsys):
    model = Wobbly()
    before = evaluate(model, VALID)
    run = fit(model, random_batches, VALID, replace(CONFIG, steps=30, validate_every=8))
    assert run.valid_steps == [8, 16, 24, 30]  # every eight steps, and at the end
    assert len(run.train_loss) == len(run.valid_loss) == 4
    assert run.best_loss < 0.8 * before
    assert "30 steps in 0 s; best valid" in capsys.readouterr().out


def test_the_same_seed_trains_the_same_weights_whatever_was_drawn_before():
    one, two, other = Wobbly(), Wobbly(), Wobbly()
    fit(one, random_batches, VALID, CONFIG)
    torch.rand(5)
    fit(two, random_batches, VALID, CONFIG)
    fit(other, random_batches, VALID, replace(CONFIG, seed=2))
    assert_same_weights(one, two)
    assert not torch.equal(one.inner.weight, other.inner.weight)  # so dropout does draw from the seed


def test_a_model_that_was_drawing_trains_with_dropout_all_the_same():
    one, two = Wobbly(), Wobbly().eval()
    fit(one, random_batches, VALID, CONFIG)
    fit(two, random_batches, VALID, CONFIG)
    assert_same_weights(one, two)


def test_training_stops_when_patience_is_out_and_gives_back_the_best_weights():
    walker = Walker()  # Adam walks 0.1 a step towards 1 and is nearest to 0.3 after 3 steps
    config = TrainConfig(10**6, learning_rate=0.1, weight_decay=0.0, warmup_steps=0, validate_every=1, patience=2)
    run = fit(walker, lambda *_: torch.tensor([1.0]), [torch.tensor([0.3])], config)
    assert (run.best_step, run.step) == (3, 5)
    assert float(walker.place.detach()) == pytest.approx(0.3, abs=0.01)
    assert evaluate(walker, [torch.tensor([0.3])]) == run.best_loss


def test_a_loss_that_only_stays_equal_uses_up_patience():
    config = TrainConfig(50, learning_rate=0.0, validate_every=1, patience=3)
    run = fit(Walker(), lambda *_: torch.tensor([1.0]), [torch.tensor([1.0])], config)
    assert (run.best_step, run.step) == (1, 4)


@pytest.mark.parametrize("loss", ["nan", "inf"])
def test_a_loss_that_is_not_finite_is_a_fault_that_names_its_step(loss):
    walker = Walker()
    with pytest.raises(MusegenError, match=f"the loss of step 2 is {loss}; .* a lower learning rate"):
        fit(walker, lambda step, *_: torch.tensor([float(loss) if step == 2 else 1.0]), VALID, TrainConfig(5))
    assert torch.isfinite(walker.place)  # the weights of step 2 are untouched


def test_a_validation_that_is_not_a_number_counts_as_no_better():
    walker = Walker()
    config = TrainConfig(50, validate_every=1, patience=3)
    run = fit(walker, lambda *_: torch.tensor([1.0]), [torch.tensor([float("nan")])], config)
    assert (run.best_step, run.step) == (0, 3)
    assert float(walker.place.detach()) == 0.0  # as it began


@pytest.mark.parametrize("clip_norm", [0.5, 10.0, 1e9])
def test_gradients_longer_than_clip_norm_are_cut_to_it(tmp_path, clip_norm):
    config = TrainConfig(steps=1, clip_norm=clip_norm)
    fit(Walker(), lambda *_: torch.tensor([1000.0]), VALID, config, tmp_path)  # d/dw (w - 1000)^2 = -2000 at w = 0
    tensors, _ = read_state(tmp_path / "last.safetensors")
    assert float(tensors["optimizer.0.exp_avg"]) == pytest.approx(-0.1 * min(clip_norm, 2000), rel=1e-4)


# A number of minutes


def test_a_run_of_minutes_stops_when_they_have_passed_and_is_validated_there(tmp_path):
    config = TrainConfig(10**6, minutes=0.005, validate_every=10**5, warmup_steps=0)
    run = fit(Wobbly(), random_batches, VALID, config, tmp_path)
    assert 0.3 <= run.seconds < 5
    assert run.valid_steps == [run.step]
    assert fit(Wobbly(), stopped_before(0), UNREAD, config, tmp_path) == run  # its time is spent


def test_the_rate_falls_with_the_time_that_is_spent_or_with_the_steps_whichever_is_further():
    config = TrainConfig(steps=10, minutes=1.0, learning_rate=8.0, warmup_steps=0)
    assert learning_rate(5, config, seconds=0.0) == learning_rate(5, config, seconds=30.0) == pytest.approx(4.04)
    assert learning_rate(5, config, seconds=45.0) == pytest.approx(8 * (1 - 0.99 * 0.75))
    assert learning_rate(0, config, seconds=600.0) == pytest.approx(0.08)


# Stopped and resumed


@pytest.mark.parametrize("step", [3, 4, 8, 10], ids=lambda step: f"before step {step}")
def test_a_run_that_was_stopped_ends_bit_for_bit_like_one_that_was_not(tmp_path, step):
    whole, halves = Wobbly(), Wobbly()
    run = fit(whole, random_batches, VALID, CONFIG, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(halves, stopped_before(step), VALID, CONFIG, tmp_path / "halves")
    again = Wobbly()  # a new process knows nothing but the folder
    torch.rand(3)
    assert fit(again, random_batches, VALID, CONFIG, tmp_path / "halves") == run
    assert_same_weights(whole, again)
    assert_same_files(tmp_path / "whole", tmp_path / "halves")


def test_a_resumed_run_takes_up_after_its_last_validation(tmp_path):
    asked = []
    with pytest.raises(KeyboardInterrupt):
        fit(Wobbly(), stopped_before(10), VALID, CONFIG, tmp_path)
    fit(Wobbly(), lambda step, *share: asked.append(step) or random_batches(step, *share), VALID, CONFIG, tmp_path)
    assert asked == [8, 9, 10, 11]


@pytest.mark.parametrize("nth_write", range(1, 7))
def test_a_run_killed_between_writing_its_two_files_still_resumes_alike(tmp_path, monkeypatch, nth_write):
    whole, again = Wobbly(), Wobbly()
    run = fit(whole, random_batches, VALID, CONFIG, tmp_path / "whole")
    assert run.best_step == 12  # so each of the three validations wrote best and last
    counter = itertools.count(1)

    def write_or_die(*args):
        if next(counter) == nth_write:
            raise KeyboardInterrupt
        training_write(*args)

    training_write = training.write_state
    for module in (training, resume):  # which write the best and the last
        monkeypatch.setattr(module, "write_state", write_or_die)
    with pytest.raises(KeyboardInterrupt):
        fit(Wobbly(), random_batches, VALID, CONFIG, tmp_path / "halves")
    monkeypatch.undo()
    assert fit(again, random_batches, VALID, CONFIG, tmp_path / "halves") == run
    assert_same_weights(whole, again)


def test_a_finished_run_is_read_and_not_trained_again(tmp_path):
    first, second = Wobbly(), Wobbly(seed=5)
    run = fit(first, random_batches, VALID, CONFIG, tmp_path)
    assert fit(second, stopped_before(0), UNREAD, CONFIG, tmp_path) == run
    assert_same_weights(first, second)


@pytest.mark.parametrize("other", [replace(CONFIG, steps=11), replace(CONFIG, seed=2)])
def test_a_folder_of_another_training_starts_anew_and_says_so(tmp_path, capsys, other):
    fit(Wobbly(), random_batches, VALID, other, tmp_path)
    fresh, model = Wobbly(), Wobbly()
    expected = fit(fresh, random_batches, VALID, CONFIG)
    assert fit(model, random_batches, VALID, CONFIG, tmp_path) == expected
    assert_same_weights(fresh, model)
    assert (
        f"{tmp_path}: holds a run with another configuration; starting anew, "
        "the old state is kept as last.before.safetensors\n" in capsys.readouterr().out
    )
    (tmp_path / "last.before.safetensors").replace(tmp_path / "last.safetensors")
    again = Wobbly()
    assert fit(again, stopped_before(0), UNREAD, other, tmp_path).step == other.steps  # nothing was lost


def test_a_folder_of_a_model_of_another_size_starts_anew_and_says_so(tmp_path, capsys):
    fit(Wobbly(WobblyConfig(hidden_dim=6)), random_batches, VALID, CONFIG, tmp_path)
    assert fit(Wobbly(), random_batches, VALID, CONFIG, tmp_path).step == 12
    assert "another configuration; starting anew" in capsys.readouterr().out


@pytest.mark.parametrize("run", ["", "[]", "{}", '{"pace": 3}', '{"step": {}}', None])
def test_a_folder_whose_state_is_whole_but_not_of_a_run_starts_anew(tmp_path, capsys, run):
    expected = fit(Wobbly(), random_batches, VALID, CONFIG, tmp_path)
    tensors, about = read_state(tmp_path / "last.safetensors")
    changed = about | {"run": run} if run is not None else {"identity": about["identity"]}
    write_state(tmp_path / "last.safetensors", tensors, changed)
    assert fit(Wobbly(), random_batches, VALID, CONFIG, tmp_path) == expected
    assert "starting anew" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["last", "best"])
def test_a_folder_with_a_damaged_file_starts_anew_and_names_it(tmp_path, capsys, name):
    expected = fit(Wobbly(), random_batches, VALID, CONFIG, tmp_path)
    file = tmp_path / f"{name}.safetensors"
    file.write_bytes(file.read_bytes()[:-9])
    assert fit(Wobbly(), random_batches, VALID, CONFIG, tmp_path) == expected
    said = capsys.readouterr().out
    assert f"{name}.safetensors: damaged checkpoint" in said
    assert "starting anew" in said


# Two processes

TUNES, HELD_OUT = make_tunes(13, seed=1), make_tunes(4, seed=2)
DDP_CONFIG = TrainConfig(steps=14, learning_rate=0.01, warmup_steps=3, validate_every=5)


def train_here_and_resumed(fabric, folder):
    """Train a small net once, then again with a stop before step 8; return both runs and both sets of weights.

    This runs in processes of its own, which hand back numpy arrays: small ones, as the pipe holds 64 kB.
    """
    torch.set_num_threads(1)
    batches, valid = MelodyBatches(TUNES, batch_size=5, seed=3), [collate(HELD_OUT)]  # 5 tunes: shares of 3 and 2
    results = []
    for place, batches_until in ((None, batches), (folder, stopped_before(8, batches)), (folder, batches)):
        torch.manual_seed(fabric.global_rank)  # processes that start apart must be brought together
        model = MelodyRNN(MelodyRNNConfig("gru", hidden_dim=3, embedding_dim=2, dropout=0.0))
        try:
            run = fit(model, batches_until, valid, DDP_CONFIG, place, fabric)
        except KeyboardInterrupt:
            continue
        weights = {name: value.numpy() for name, value in model.state_dict().items()}
        results.append((vars(run), weights))
    return results


def test_two_processes_train_the_weights_of_one_to_six_digits(tmp_path):
    two = Fabric(accelerator="cpu", devices=2, strategy="ddp_spawn").launch(train_here_and_resumed, tmp_path / "two")
    one = train_here_and_resumed(Fabric(accelerator="cpu", devices=1), tmp_path / "one")
    for (run, weights), (expected_run, expected) in zip(two, one, strict=True):
        assert (run["step"], run["valid_steps"]) == (14, [5, 10, 14])
        for curve in ("train_loss", "valid_loss"):
            assert run[curve] == pytest.approx(expected_run[curve], abs=1e-5)
        for name, weight in weights.items():
            assert weight == pytest.approx(expected[name], abs=1e-6), name
    saved = json.loads(read_state(tmp_path / "two" / "last.safetensors")[1]["run"])
    assert saved["valid_steps"] == [5, 10, 14]


def test_the_shares_of_the_two_processes_differ_in_notes():
    batches = MelodyBatches(TUNES, batch_size=5, seed=3)
    notes = [int(batches(0, rank, 2).n_notes) for rank in (0, 1)]
    assert notes[0] != notes[1]  # or the test above would prove nothing about weighting
    assert sum(notes) == int(batches(0).n_notes)
    assert all((tune.pitch_ids[-1] == END_ID) for tune in TUNES)
