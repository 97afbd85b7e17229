"""Checkpoints: what is written can be read, what is damaged is refused in one line, and no pickle anywhere."""

import json
import os
from hashlib import sha256

import pytest
import torch
from safetensors.torch import save_file

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import replacing
from musegen_lib.models.melody.recipe import RNNRecipe
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig
from musegen_lib.training import checkpoints
from musegen_lib.training.checkpoints import (
    load_weights,
    read_card,
    read_config,
    read_state,
    read_tensors,
    write_checkpoint,
    write_state,
)

CONFIG = MelodyRNNConfig("gru", hidden_dim=7, embedding_dim=6)


def make_model(seed=0, config=CONFIG):
    torch.manual_seed(seed)
    return MelodyRNN(config)


@pytest.fixture
def path(tmp_path):
    """A whole checkpoint of a small net."""
    path = tmp_path / "shelf" / "tiny.safetensors"
    write_checkpoint(path, make_model(), {"about": "a net for a test", "seed": 3})
    return path


def rewrite_card(path, **changes):
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) | changes
    path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")


def rewrite_weights(path, change):
    """Change the tensors and seal them anew: a file that is whole, but not what its config says."""
    tensors, _ = read_tensors(path)
    change(tensors)
    save_file(tensors, path)
    rewrite_card(path, sha256=sha256(path.read_bytes()).hexdigest())


def fault_of(path, model=None):
    """The one line that loading ends with."""
    with pytest.raises(MusegenError) as caught:
        load_weights(path, model or make_model(seed=1))
    line = str(caught.value)
    assert "\n" not in line
    return line


# Round trips


def test_a_model_comes_back_weight_by_weight_in_eval_mode(path):
    model = make_model(seed=1)
    assert not torch.equal(model.pitch.weight, make_model().pitch.weight)
    load_weights(path, model)
    for name, weight in make_model().state_dict().items():
        assert torch.equal(weight, model.state_dict()[name])
    assert not model.training


def test_tensors_of_every_kind_come_back_with_the_strings_about_them(tmp_path):
    tensors = {
        "transposed": torch.arange(6.0).reshape(2, 3).T,
        "number": torch.tensor(2.5),
        "none": torch.zeros(0, 4),
        "ids": torch.tensor([3, -1]),
        "mask": torch.tensor([True, False]),
    }
    write_state(tmp_path / "x.safetensors", tensors, {"run": '{"步": 1}'})
    found, about = read_state(tmp_path / "x.safetensors")
    assert about == {"run": '{"步": 1}'}
    assert found.keys() == tensors.keys()
    for name, value in tensors.items():
        assert torch.equal(found[name], value)
        assert found[name].dtype == value.dtype


def test_the_card_names_model_config_size_versions_and_bytes(path):
    card = read_card(path)
    assert (card["model"], card["about"], card["seed"]) == ("MelodyRNN", "a net for a test", 3)
    assert card["config"] == {"cell": "gru", "hidden_dim": 7, "n_layers": 1, "embedding_dim": 6, "dropout": 0.2}
    assert card["parameters"] == sum(weight.numel() for weight in make_model().parameters())
    assert card["versions"].keys() == {"torch", "numpy", "music21"}
    assert card["sha256"] == sha256(path.read_bytes()).hexdigest()
    assert read_config(path, MelodyRNNConfig) == CONFIG


def test_the_same_model_and_card_give_the_same_bytes(path, tmp_path):
    other = tmp_path / "other.safetensors"
    write_checkpoint(other, make_model(), {"about": "a net for a test", "seed": 3})
    assert other.read_bytes() == path.read_bytes()
    assert other.with_suffix(".json").read_bytes() == path.with_suffix(".json").read_bytes()


def test_a_recipe_builds_the_net_that_the_card_describes(path):
    model = RNNRecipe().load(path)
    assert model.config == CONFIG
    assert torch.equal(model.pitch.weight, make_model().pitch.weight)


# Faults: one line that names the file and what to do


def test_a_missing_checkpoint_is_named_with_its_folder(path):
    path.unlink()
    assert fault_of(path) == "tiny.safetensors: no such checkpoint in shelf/; train it first"
    with pytest.raises(MusegenError, match=r"tiny\.safetensors: no such checkpoint in shelf/; train it first"):
        read_state(path)
    with pytest.raises(MusegenError, match="no such checkpoint in shelf/; train it first"):
        RNNRecipe().load(path)


def test_a_missing_card_is_named(path):
    path.with_suffix(".json").unlink()
    assert fault_of(path) == "tiny.json: the checkpoint's card is missing; restore it or train again"


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"config": 1'], ids=range(5))
def test_an_unreadable_card_is_named(path, text):
    path.with_suffix(".json").write_bytes(text)
    assert fault_of(path) == "tiny.json: the checkpoint's card is unreadable; restore it or train again"


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"config": [1]}'])
def test_a_card_without_a_config_is_named(path, text):
    path.with_suffix(".json").write_text(text)
    assert fault_of(path) == "tiny.json: the checkpoint's card names no config; restore it or train again"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hidden_dim": "7"}, "hidden_dim = '7' is no field of it"),
        ({"hidden_dim": True}, "hidden_dim = True is no field of it"),
        ({"depth": 2}, "depth = 2 is no field of it"),
        ({"hidden_dim": -7}, "needs a cell of lstm, gru, rnn, sizes of at least 1"),
        ({"cell": "lstn"}, "needs a cell of lstm, gru, rnn"),
    ],
)
def test_a_config_that_makes_no_model_is_named(path, change, reason):
    rewrite_card(path, config=read_card(path)["config"] | change)
    with pytest.raises(MusegenError, match=f"^tiny.json: its config does not make a MelodyRNNConfig .*{reason}"):
        RNNRecipe().load(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hidden_dim": 700}, r"asks for another net than the file holds \(more than [\d,]+ weights\)"),
        ({"n_layers": 400}, r"asks for another net than the file holds \(more than [\d,]+ weights\)"),
        ({"hidden_dim": 10**9}, r"hidden_dim = 1e\+09 is too large"),
        ({"n_layers": 10**6}, r"n_layers = 1e\+06 is too large"),
    ],
)
def test_a_card_that_asks_for_a_larger_net_than_its_file_is_refused_before_the_net_is_filled(path, change, reason):
    rewrite_card(path, config=read_card(path)["config"] | change)
    with pytest.raises(MusegenError, match=f"^tiny.json: its config .*{reason}"):
        RNNRecipe().load(path)


def test_a_field_that_is_not_on_the_card_keeps_its_default(path):
    rewrite_card(path, config={"cell": "gru", "hidden_dim": 7})  # as if written before the other fields came
    assert read_config(path, MelodyRNNConfig) == MelodyRNNConfig("gru", hidden_dim=7)


@pytest.mark.parametrize("place", [0, 7, 30, 2000, -1])
def test_one_flipped_bit_anywhere_is_found(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert fault_of(path) == (
        "tiny.safetensors: damaged checkpoint (not the bytes its card names); restore or train it again"
    )


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_file_cut_short_is_found_with_a_card_and_without(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    assert "tiny.safetensors: damaged checkpoint (not the bytes its card names)" in fault_of(path)
    with pytest.raises(MusegenError, match=r"^tiny.safetensors: damaged checkpoint \(.+\); restore or train it again"):
        read_state(path)


def test_a_pickle_under_the_name_of_a_checkpoint_is_not_opened(path):
    path.write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    rewrite_card(path, sha256=sha256(path.read_bytes()).hexdigest())
    assert "tiny.safetensors: damaged checkpoint" in fault_of(path)


def test_a_tensor_of_another_shape_is_named_with_both_shapes(path):
    other = make_model(config=MelodyRNNConfig("gru", hidden_dim=7, embedding_dim=6, n_layers=2))
    assert "tensor cell." in fault_of(path, other)
    assert "is missing" in fault_of(path, other)
    rewrite_weights(path, lambda tensors: tensors.update({"pitch.weight": torch.zeros(45, 5)}))
    assert fault_of(path) == (
        "tiny.safetensors: tensor pitch.weight is torch.float32 (45, 5), not torch.float32 (45, 6); "
        "the card's config does not describe this file"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda tensors: tensors.pop("bar.weight"), "tensor bar.weight is missing"),
        (lambda tensors: tensors.update(extra=torch.zeros(2)), "tensor extra is unknown"),
        (
            lambda tensors: tensors.update({"bar.weight": tensors["bar.weight"].double()}),
            "tensor bar.weight is torch.float64 (8, 6), not torch.float32 (8, 6)",
        ),
        (lambda tensors: tensors["bar.weight"][2].fill_(float("nan")), "tensor bar.weight holds values that are not"),
        (lambda tensors: tensors["bar.weight"][7].fill_(-float("inf")), "tensor bar.weight holds values that are not"),
    ],
    ids=["missing", "unknown", "other type", "nan", "infinite"],
)
def test_a_whole_file_with_wrong_tensors_is_refused_and_leaves_the_model_alone(path, change, reason):
    rewrite_weights(path, change)
    model = make_model(seed=1)
    assert f"tiny.safetensors: {reason}" in fault_of(path, model)
    assert torch.equal(model.pitch.weight, make_model(seed=1).pitch.weight)


# Writing whole or not at all


def pair_of(path):
    return path.read_bytes(), path.with_suffix(".json").read_bytes()


@pytest.mark.parametrize("failing", ["save_file", "_full_card"])
@pytest.mark.parametrize("fault", [OSError("No space left on device"), KeyboardInterrupt()], ids=["disk", "Ctrl-C"])
def test_a_failure_while_writing_leaves_the_old_pair_and_no_litter(path, monkeypatch, failing, fault):
    before = pair_of(path)

    def fail(*args, **kwargs):
        raise fault

    monkeypatch.setattr(checkpoints, failing, fail)
    with pytest.raises(type(fault)):
        write_checkpoint(path, make_model(seed=2), {"seed": 4})
    assert pair_of(path) == before
    assert len(list(path.parent.iterdir())) == 2
    load_weights(path, make_model(seed=1))


def test_a_card_that_json_cannot_hold_leaves_the_old_pair(path):
    before = pair_of(path)
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_checkpoint(path, make_model(seed=2), {"metrics": torch.zeros(1)})
    assert pair_of(path) == before


def states_while_writing(path, seed, shelf):
    """Write a checkpoint; return copies of its folder as a kill would leave it before and after each step on the disk.

    A step is a call that forces bytes out, changes a mode or renames.
    """
    copies = []

    def watched(step):
        def call(*args, **options):
            copies.append(copy_folder(path, shelf / f"{len(copies)}"))
            return step(*args, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("fsync", "chmod", "replace"):
            patch.setattr(os, name, watched(getattr(os, name)))
        write_checkpoint(path, make_model(seed), {"seed": seed})
    return [*copies, copy_folder(path, shelf / "end")]


def copy_folder(path, target):
    """Copy all files beside a path, without the calls that are watched; return the path in the copy."""
    target.mkdir(parents=True)
    for file in path.parent.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target / path.name


def loaded_seed(path):
    """The seed on the card, having seen that the weights are those of that seed; the fixture's net is of seed 0."""
    model, seed = make_model(seed=1), read_card(path)["seed"]
    load_weights(path, model)
    assert torch.equal(model.pitch.weight, make_model(seed=0 if seed == 3 else seed).pitch.weight)
    return seed


def test_killed_at_any_step_of_writing_the_old_pair_or_the_new_one_loads(path, tmp_path):
    states = states_while_writing(path, 2, tmp_path / "killed")
    seeds = [loaded_seed(state) for state in states]
    assert seeds == sorted(seeds, reverse=True)  # the old one (3) until the new one (2)
    assert set(seeds) == {3, 2}
    assert len(states) >= 6
    assert len(list(path.parent.iterdir())) == 2


def test_killed_at_any_step_and_killed_again_a_whole_pair_loads(path, tmp_path):
    for turn, state in enumerate(states_while_writing(path, 2, tmp_path / "killed")):
        left = loaded_seed(state)
        states = states_while_writing(state, 4, tmp_path / f"again{turn}")
        assert {loaded_seed(again) for again in states} == {left, 4}
        assert loaded_seed(state) == 4


def test_killed_at_any_step_of_the_first_writing_there_is_no_checkpoint_or_a_whole_one(path, tmp_path):
    states = states_while_writing(tmp_path / "new" / "tiny.safetensors", 2, tmp_path / "killed")
    assert [loaded_seed(state) for state in states if state.exists()][-1:] == [2]
    assert not states[0].exists()


def test_ctrl_c_after_the_weights_changed_keeps_the_card_that_names_them(path, monkeypatch):
    real_replace = os.replace

    def replace_and_stop(source, target):
        real_replace(source, target)
        if target == path:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", replace_and_stop)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(path, make_model(seed=2), {"seed": 2})
    assert loaded_seed(path) == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
@pytest.mark.parametrize("room", [0, 100, 2000])
def test_a_disk_that_fills_up_is_one_line_and_leaves_the_old_pair(path, room):
    import resource

    before, usual = pair_of(path), resource.getrlimit(resource.RLIMIT_FSIZE)
    for write in (
        lambda: write_checkpoint(path, make_model(seed=2), {}),
        lambda: write_state(path, make_model(seed=2).state_dict(), {}),
    ):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, usual[1]))  # writing more than this fails half-way
        try:
            with pytest.raises(MusegenError, match=r"tiny\.safetensors: cannot be written \(.*\); check the disk"):
                write()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert pair_of(path) == before
    assert len(list(path.parent.iterdir())) == 2


def test_one_flipped_bit_in_a_training_state_is_found_wherever_it_is(tmp_path):
    path = tmp_path / "last.safetensors"
    write_state(path, {"model.weight": torch.arange(12.0), "step": torch.tensor(3)}, {"run": '{"step": 3}'})
    good = path.read_bytes()
    assert read_state(path)[1] == {"run": '{"step": 3}'}
    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1 :])
        with pytest.raises(
            MusegenError, match=r"^last\.safetensors: damaged checkpoint \(.+\); restore or train it again"
        ):
            read_state(path)


def test_replacing_keeps_the_mode_of_a_file_and_makes_its_folders(tmp_path):
    file = tmp_path / "a" / "b" / "text"
    with replacing(file) as temporary:
        temporary.write_text("one")
    file.chmod(0o600)
    with replacing(file) as temporary:
        temporary.write_text("two")
    assert file.read_text() == "two"
    assert os.name == "nt" or file.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in file.parent.iterdir()] == ["text"]


def test_replacing_leaves_the_old_file_when_its_writer_fails(tmp_path):
    file = tmp_path / "text"
    file.write_text("old")
    with (
        pytest.raises(UnicodeEncodeError),
        replacing(file) as temporary,
        open(temporary, "w", encoding="ascii") as half,
    ):
        print("half", "\N{EIGHTH NOTE}", file=half)
    assert file.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["text"]
