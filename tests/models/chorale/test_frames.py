"""Frames: the file, the batches, and the exact probability of a set of pitches."""

import itertools
import json

import numpy as np
import pytest
import torch
from overfitting import overfit

from musegen_lib.cli.main import main
from musegen_lib.core.errors import MusegenError
from musegen_lib.models.chorale.frame_batches import (
    BATCH_FRAMES,
    SHIFTS,
    FrameBatches,
    collate_frames,
    frames_in_batches,
    frames_to_ids,
    read_frames,
)
from musegen_lib.models.chorale.frames import NONE, FrameBatch, FrameNet, FramesConfig, averaged_nll
from musegen_lib.models.chorale.frames_recipe import FRAMES, score_pieces

TINY = FramesConfig(hidden_dim=8, embedding_dim=4, dropout=0.5)


def make_pieces(n, seed=0, low=50, high=60):
    """Pieces of 2 to 9 frames of 0 to 4 pitches."""
    rng = np.random.default_rng(seed)
    frames = [
        [rng.choice(np.arange(low, high), rng.integers(0, 5), replace=False).tolist() for _ in range(9)]
        for _ in range(n)
    ]
    return [piece[: int(rng.integers(2, 10))] for piece in frames]


def make_net(seed=0, config=TINY):
    torch.manual_seed(seed)
    return FrameNet(config).eval()


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "frames.json"
    parts = zip(("train", "valid", "test"), (30, 5, 5), strict=True)
    path.write_text(json.dumps({part: make_pieces(n, seed) for seed, (part, n) in enumerate(parts)}))
    return path


def nll_of(net, frames):
    with torch.no_grad():
        return net.frame_nll(collate_frames([frames_to_ids(frames)]))[0]


def test_the_probabilities_of_all_sets_of_three_pitches_sum_to_one():
    net, pitches = make_net(), (59, 60, 61)
    allowed = torch.zeros(129)
    allowed[[NONE, *(p + 1 for p in pitches)]] = 1
    with torch.no_grad():  # forbid all other pitches: then 8 sets remain
        net.head.bias += torch.where(allowed > 0, 0.0, -1e4)
    sets = [list(s) for size in range(4) for s in itertools.combinations(pitches, size)]
    past = [[60, 61], [59]]
    total = sum(float(torch.exp(-nll_of(net, [*past, frame])[2])) for frame in sets)
    assert total == pytest.approx(1.0, abs=1e-4)


def test_the_order_and_repetition_of_pitches_in_a_frame_do_not_matter():
    net = make_net()
    assert torch.equal(nll_of(net, [[60, 64, 67]]), nll_of(net, [[67, 60, 64, 64]]))


def test_a_net_of_zeros_gives_each_choice_its_uniform_share():
    net = make_net()
    with torch.no_grad():
        for weights in net.parameters():
            weights.zero_()
    # 129 choices at first; after pitch 60 (id 61) the ids below it, 0 to 60
    assert nll_of(net, [[], [60]]).tolist() == pytest.approx([np.log(129), np.log(129) + np.log(61)], rel=1e-5)


def test_the_future_leaves_the_present_alone():
    net, a, b = make_net(), [[60], [62, 55], [64]], [[60], [62, 55], [50, 51]]
    assert torch.allclose(nll_of(net, a)[:2], nll_of(net, b)[:2], atol=1e-6)
    changed = nll_of(net, [[61], [62, 55]])
    assert not torch.allclose(nll_of(net, a)[1], changed[1])


def test_padding_leaves_the_likelihood_alone():
    net, pieces = make_net(), [frames_to_ids(piece) for piece in make_pieces(5, seed=3)]
    with torch.no_grad():
        together = net.frame_nll(collate_frames(pieces)).sum(dim=1)
        alone = torch.stack([net.frame_nll(collate_frames([piece])).sum() for piece in pieces])
    assert torch.allclose(together, alone, atol=1e-4)


def test_one_batch_can_be_overfitted():
    torch.manual_seed(0)
    net = FrameNet(FramesConfig(hidden_dim=32, embedding_dim=8, dropout=0.0))
    batch = collate_frames([frames_to_ids(piece) for piece in make_pieces(3, seed=5)])
    losses = overfit(net, batch, steps=151, rate=1e-2)
    assert losses[-1] < 0.1 * losses[0]


def test_the_average_over_one_key_is_the_plain_likelihood_and_over_two_the_mean_probability():
    net, batch = make_net(), collate_frames([frames_to_ids([[60, 55], [62]])])
    with torch.no_grad():
        plain = net.frame_nll(batch)
        up = net.frame_nll(FrameBatch(torch.where(batch.ids > 0, batch.ids + 1, 0), batch.mask))
        assert torch.allclose(averaged_nll(net, batch, (0,)), plain)
        mean = -torch.log((torch.exp(-plain) + torch.exp(-up)) / 2)
        assert torch.allclose(averaged_nll(net, batch, (0, 1)), mean, atol=1e-5)


def test_a_key_that_leaves_the_range_counts_as_nothing_from_there_on():
    net, batch = make_net(), collate_frames([frames_to_ids([[60], [127], [60]])])
    with torch.no_grad():
        plain, averaged = net.frame_nll(batch)[0], averaged_nll(net, batch, (0, 1))[0]
    assert averaged[1:].tolist() == pytest.approx((plain[1:] + np.log(2)).tolist(), rel=1e-4)
    assert averaged[0] < plain[0] + np.log(2) - 1e-4


def test_batches_hold_every_piece_once_an_epoch_moved_as_a_whole():
    pieces = [frames_to_ids([[40 + i, 30], [50 + i]]) for i in range(20)]
    batches = FrameBatches(pieces, seed=1)
    seen = torch.cat([batches(step).ids for step in range(batches.per_epoch)])  # (20, 2, 2)
    top = seen[:, 0, 0] - 1
    rows = sorted((top - seen[:, 0, 1] + 1 - 10).tolist())  # the interval names the piece
    assert rows == list(range(20))
    assert ((seen[:, 1, 0] - seen[:, 0, 0]) == 10).all()
    moved = seen[:, 0, 1] - 1 - 30
    assert moved.abs().max() <= SHIFTS
    assert len(set(moved.tolist())) > 3
    assert torch.equal(batches(7).ids, FrameBatches(pieces, seed=1)(7).ids)


def test_a_batch_holds_at_most_so_many_frames():
    groups = frames_in_batches([1000, 900, 800, 3000, 10])
    assert sorted(itertools.chain(*groups)) == [0, 1, 2, 3, 4]
    lengths = [1000, 900, 800, 3000, 10]
    assert all(len(g) == 1 or len(g) * max(lengths[i] for i in g) <= BATCH_FRAMES for g in groups)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[", "not a readable JSON"),
        ('{"train": []}', 'no list of pieces named "valid"'),
        ('{"train": [], "valid": [], "test": []}', "train: holds no piece"),
        ('{"train": [[[60]]], "valid": [[[128]]], "test": [[[1]]]}', "valid, piece 0, frame 0: .* 0 to 127"),
        ('{"train": [[[60]]], "valid": [[[60.5]]], "test": [[[1]]]}', "valid, piece 0, frame 0"),
        ('{"train": [[[60], 3]], "valid": [[[60]]], "test": [[[1]]]}', "train, piece 0, frame 1"),
        ('{"train": [[]], "valid": [[[60]]], "test": [[[1]]]}', "train, piece 0: .* at least one frame"),
    ],
)
def test_a_file_of_another_form_is_refused_with_its_place(tmp_path, text, fault):
    path = tmp_path / "frames.json"
    path.write_text(text)
    with pytest.raises(MusegenError, match=fault):
        read_frames(path)


def test_without_a_file_there_is_nothing_to_learn_from_or_to_measure_on(tmp_path):
    with pytest.raises(MusegenError, match=r"chorales-frames learns from a file: give --data FILE\.json"):
        FRAMES.train(tmp_path / "net.safetensors")
    with pytest.raises(MusegenError, match=r"chorales-frames is measured on a file: give a checkpoint and --data"):
        FRAMES.evaluate("valid")


def test_a_run_goes_on_with_the_same_file_alone(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out, other = tmp_path / "net.safetensors", tmp_path / "other.json"
    FRAMES.train(out, steps=2, data=data)
    first = out.read_bytes()
    FRAMES.train(out, steps=2, data=data)
    assert out.read_bytes() == first
    assert len(list((tmp_path / "runs").iterdir())) == 1
    other.write_text(json.dumps({part: make_pieces(4, seed=8) for part in ("train", "valid", "test")}))
    FRAMES.train(out, steps=2, data=other)
    assert out.read_bytes() != first
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_training_for_a_time_makes_a_checkpoint_that_scores_better_than_an_untrained_net(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "net.safetensors"
    card = FRAMES.train(out, minutes=0.03, data=data)
    found = FRAMES.evaluate("test", out, data)
    pieces = read_frames(data)["test"]
    untrained = score_pieces(make_net(config=FramesConfig()), pieces, (0,)).sum() / found["frames"]
    assert found["nats_per_frame_one_key"] < 0.9 * untrained
    assert found["frames"] == sum(len(piece) for piece in pieces)
    assert card["steps"] > 0
    with pytest.raises(MusegenError, match="split 'all' is unknown"):
        FRAMES.evaluate("all", out, data)


def test_a_number_of_steps_is_heeded_and_named_in_the_recipe(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    card = FRAMES.train(tmp_path / "net.safetensors", steps=2, data=data)
    assert card["steps"] == 2
    assert card["recipe"] == f"musegen train chorales-frames --data {data.name} --seed 0 --steps 2"


def test_the_commands_train_and_measure_on_a_file(data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "net.safetensors"
    for words in (
        ["train", "chorales-frames", "--data", data, "--minutes", "0.01", "--out", out, "--json"],
        ["evaluate", out, "--data", data, "--split", "test", "--json"],
    ):
        monkeypatch.setattr("sys.argv", ["musegen", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
    assert 0 < json.loads(capsys.readouterr().out.rpartition("\n{")[2].join(["{", ""]))["nats_per_frame"] < 100
