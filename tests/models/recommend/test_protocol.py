"""The protocol of recommendation: what is held out, what is left out, what is counted."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from musegen_lib.cli.main import app
from musegen_lib.cli.recommend import evaluate_file, report_lines
from musegen_lib.core.errors import MusegenError
from musegen_lib.metrics.ranking import ndcg_at, recall_at, standard_error
from musegen_lib.models.recommend import benchmark as bench
from musegen_lib.models.recommend.benchmark import CONTESTS, Contest, _difference, benchmark, run_contest, tune
from musegen_lib.models.recommend.interactions import Interactions
from musegen_lib.models.recommend.models import Histories, Popularity
from musegen_lib.models.recommend.protocol import evaluate, keep_core, mean_popularity, split_histories, to_histories
from musegen_lib.models.recommend.simulator import catalogue, simulate, write_simulated

torch.set_num_threads(1)


class Oracle:
    """Scores every item by a table."""

    def __init__(self, table):
        self.table, self.fitted = np.asarray(table, dtype=float), 0

    def fit(self, heard):
        self.fitted += 1

    def score(self, heard):
        return self.table[: len(heard)].copy()


def heard(*rows, n_items=40, ordered=True):
    return Histories(tuple(np.array(row, dtype=np.int64) for row in rows), n_items, ordered)


def interactions(rows, timed=True):
    user, item, time = (np.array(column) for column in zip(*rows, strict=True))
    names = tuple(map(str, range(user.max() + 1))), tuple(map(str, range(item.max() + 1)))
    return Interactions(*names, user, item, np.ones(len(user)), time.astype(float) if timed else None)


@pytest.fixture(scope="module")
def small_world():
    return simulate(n_listeners=120, n_tunes=80, plays=30.0, seed=3)


def test_an_item_counts_at_its_first_hearing_in_order_of_time():
    found = interactions([(0, 2, 9), (1, 0, 1), (0, 1, 3), (0, 2, 1), (0, 0, 3), (1, 0, 0)])
    assert [row.tolist() for row in to_histories(found).sequences] == [[2, 1, 0], [0]]
    plain = to_histories(interactions([(0, 2, 9), (1, 0, 1), (0, 1, 3), (0, 2, 1)], timed=False))
    assert [row.tolist() for row in plain.sequences] == [[2, 1], [0]]
    assert not plain.ordered


def test_the_core_is_taken_until_nothing_changes():
    rows = [[0, 1], [0, 1], [1, 2], [2]]  # user 3 leaves, then item 2 has one user, then user 2 has one item
    kept, items = keep_core(heard(*rows, n_items=4), core=2)
    assert [row.tolist() for row in kept.sequences] == [[0, 1], [0, 1]]
    assert items.tolist() == [0, 1]
    assert kept.n_items == 2
    with pytest.raises(MusegenError, match="nothing is left after the 3-core"):
        keep_core(heard(*rows, n_items=4), core=3)


def test_the_last_fifth_is_held_out_and_a_fifth_of_the_rest():
    split = split_histories(heard(list(range(10, 35)), [7, 3, 9, 1, 5]))
    assert split.test.sequences[0].tolist() == list(range(30, 35))
    assert split.valid.sequences[0].tolist() == list(range(26, 30))
    assert split.known.sequences[0].tolist() == list(range(10, 30))
    assert [len(part.sequences[1]) for part in (split.train, split.valid, split.test)] == [3, 1, 1]


def test_without_order_the_seed_decides_and_nothing_is_lost():
    rows = heard(*([*range(20)] for _ in range(5)), ordered=False)
    one, same, two = (split_histories(rows, seed) for seed in (0, 0, 1))
    assert [a.tolist() for a in one.test.sequences] == [a.tolist() for a in same.test.sequences]
    assert [a.tolist() for a in one.test.sequences] != [a.tolist() for a in two.test.sequences]
    for parts in zip(one.known.sequences, one.test.sequences, strict=True):
        assert sorted(np.concatenate(parts)) == list(range(20))


def test_the_measures_are_those_of_metrics_over_all_items():
    rng = np.random.default_rng(0)
    known = heard(*(rng.permutation(40)[:5] for _ in range(30)))
    left = [np.setdiff1d(np.arange(40), row) for row in known.sequences]
    wanted = heard(*(rng.permutation(row)[: rng.integers(1, 30)] for row in left))
    model = Oracle(rng.random((30, 40)))
    found = evaluate(model, known, wanted)
    scores = np.where(known.matrix().toarray() > 0, -np.inf, model.table)
    relevant = wanted.matrix().toarray() > 0
    assert found.recall == pytest.approx(recall_at(scores, relevant, 20))
    assert found.ndcg == pytest.approx(ndcg_at(scores, relevant, 20))
    first = [row[0] for row in wanted.sequences]
    rank = [(s > s[i]).sum() for s, i in zip(scores, first, strict=True)]
    assert found.hit_next.tolist() == [float(r < 10) for r in rank]


def test_known_items_are_never_recommended_and_others_all_compete():
    table = np.tile(np.arange(40.0), (1, 1))
    found = evaluate(Oracle(table), heard([39, 37]), heard([38, 0]))
    assert found.lists[0, :3].tolist() == [38, 36, 35]
    assert found.recall.tolist() == [0.5]
    assert found.coverage(40) == 0.5


def test_measures_by_hand():
    counts = np.array([4.0, 2.0, 0.0])
    assert mean_popularity([np.array([0, 1]), np.array([2])], counts) == 1.5
    assert standard_error(np.array([0.0, 1.0, 0.0, 1.0])) == pytest.approx(np.std([0, 1, 0, 1], ddof=1) / 2)
    assert standard_error(np.array([1.0])) == 0.0


def test_settings_are_chosen_on_validation_and_the_test_is_seen_once():
    split = split_histories(heard(*([*range(10)] for _ in range(4))))  # valid: items 6, 7; test: items 8, 9
    good = [0.0] * 6 + [1.0, 1.0] + [0.0] * 32
    built = []

    def build(seed, sees):
        built.append(Oracle([np.array(good) * sees] * 4))
        return built[-1]

    contest = Contest(build, ({"sees": -1.0}, {"sees": 1.0}))
    assert tune(contest, split) == ({"sees": 1.0}, 1.0)
    built.clear()
    settings, found = run_contest(contest, split)
    assert settings == {"sees": 1.0}
    assert len(found) == 1
    assert [model.fitted for model in built] == [1, 1, 1]


def test_a_net_takes_the_epochs_of_its_best_look(small_world):
    split = split_histories(keep_core(to_histories(small_world.played))[0])
    settings, _ = tune(CONTESTS["VAE"], split)
    assert settings["epochs"] % 2 == 0
    assert 2 <= settings["epochs"] <= 60


def test_all_contests_run_and_say_how_far_they_are_from_ease(small_world):
    said = []
    split = split_histories(keep_core(to_histories(small_world.played))[0])
    report = benchmark(split, say=said.append, names=["random", "popularity", "item-kNN", "EASE", "ALS"])
    assert len(said) == 10
    rows = report["models"]
    assert rows["random"]["recall_at_20"] < rows["popularity"]["recall_at_20"]
    assert rows["ALS"]["seeds"] == 3
    assert "minus_ease" not in rows["EASE"]
    assert rows["random"]["minus_ease"]["verdict"] == "below"


def test_without_order_the_session_model_is_left_out_and_said_so(small_world):
    unordered = Histories(*vars(keep_core(to_histories(small_world.played))[0]).values()).take(range(50))
    unordered = Histories(unordered.sequences, unordered.n_items, ordered=False)
    report = benchmark(split_histories(unordered), names=["popularity", "GRU"])
    assert report["left_out"] == {"GRU": "the file gives no order"}
    assert "hit_next_at_10" not in report["models"]["popularity"]


def test_settings_that_were_not_tuned_on_a_large_file_are_told_in_the_report(tmp_path, small_world, monkeypatch):
    few = replace(CONTESTS["VAE"], grid=tuple({**settings, "hidden_dim": 8} for settings in CONTESTS["VAE"].grid))
    monkeypatch.setattr(bench, "CONTESTS", {"popularity": CONTESTS["popularity"], "VAE": few})
    path = tmp_path / "plays.tsv"
    write_simulated(small_world, path)
    tuned = evaluate_file(path)
    assert tuned["not_tuned"] == {}
    assert tuned["protocol"]["test"].endswith("which alone chooses settings")
    monkeypatch.setattr(bench, "LARGE", 1000)
    said = []
    large = evaluate_file(path, say=said.append)
    assert list(large["not_tuned"]) == ["VAE"]
    assert "more than 1,000: the first of 2 settings (beta 0.2, hidden_dim 8)" in large["not_tuned"]["VAE"]
    assert large["models"]["VAE"]["settings"]["beta"] == 0.2
    assert large["protocol"]["test"].endswith("which alone chooses settings, but those of VAE")
    assert "VAE is tested, its settings not tuned" in said
    assert any(line.startswith("VAE: not tuned, ") for line in report_lines(large))
    assert not any("not tuned" in line for line in report_lines(tuned))


def test_a_world_is_made_by_its_seed_alone():
    one, same, two = (simulate(30, 60, 20.0, seed) for seed in (0, 0, 1))
    assert np.array_equal(one.played.item, same.played.item)
    assert not np.array_equal(one.tunes, two.tunes)


def test_the_world_is_what_it_says(small_world):
    played = small_world.played
    assert all(name.startswith("simulated_") for name in played.users)
    assert np.bincount(played.user).min() >= 10
    assert np.bincount(played.user).max() <= 200
    assert np.linalg.norm(small_world.traits, axis=1) == pytest.approx(np.ones(80))
    for user in range(60):
        assert (np.diff(played.time[played.user == user]) > 0).all()
    counts = np.bincount(played.item, minlength=80)
    assert np.corrcoef(counts, np.exp(small_world.appeal))[0, 1] > 0.5
    repeats = 1 - len(np.unique(played.user * 80 + played.item)) / len(played)
    assert 0.4 < repeats < 0.8  # a fifth by decree, the others by liking the same tune again


def test_listeners_play_what_they_like(small_world):
    played = small_world.played
    near = (small_world.tastes[played.user] * small_world.traits[played.item]).sum(axis=1).mean()
    anyone = (small_world.tastes @ small_world.traits.T).mean()
    assert near > anyone + 0.2


def test_the_catalogue_has_a_row_a_tune_and_no_melody():
    table = catalogue()
    assert len(table) == 12895
    assert table.std(axis=0) == pytest.approx(np.ones(table.shape[1]))


def test_the_command_names_malformed_lines_and_skips_them_when_told(tmp_path, small_world, monkeypatch):
    monkeypatch.setattr(
        "musegen_lib.models.recommend.benchmark.CONTESTS", {n: CONTESTS[n] for n in ("popularity", "EASE", "ALS")}
    )
    path = tmp_path / "plays.tsv"
    write_simulated(small_world, path)
    lines = path.read_text().splitlines()
    lines[4] = "one field"
    path.write_text("\n".join(lines))
    runner = CliRunner()
    refused = runner.invoke(app, ["recommend", "evaluate", "--interactions", str(path), "--json"])
    assert refused.exit_code != 0
    assert "line 5" in str(refused.exception) + refused.output
    done = runner.invoke(app, ["recommend", "evaluate", "--interactions", str(path), "--json", "--skip-bad"])
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert [line["line"] for line in report["skipped_lines"]] == [5]
    assert report["models"].keys() == {"popularity", "EASE", "ALS"}
    table = runner.invoke(app, ["recommend", "evaluate", "--interactions", str(path), "--skip-bad"])
    assert "line 5 left out" in table.stdout
    assert "EASE" in table.stdout


def test_too_small_a_file_is_told_so(tmp_path):
    path = tmp_path / "few.txt"
    path.write_text("\n".join(f"u{n} a b c d e" + " a" * n for n in range(6)))
    with pytest.raises(MusegenError, match="5 items are left after the 5-core"):
        evaluate_file(path)
    path.write_text("u a b\nv a b c\n")
    with pytest.raises(MusegenError, match="nothing is left"):
        evaluate_file(path)


def test_the_simulate_command_writes_a_file_that_can_be_read(tmp_path):
    path = tmp_path / "sim.tsv"
    done = CliRunner().invoke(app, ["recommend", "simulate", "--out", str(path), "--listeners", "20", "--tunes", "60"])
    assert done.exit_code == 0
    assert "simulated listeners" in done.stdout
    model = Popularity()
    from musegen_lib.models.recommend.interactions import read_interactions

    model.fit(to_histories(read_interactions(path)))
    assert model.counts.sum() > 100


class LateBloomer(Oracle):
    """A net that finds everything after epoch 4, half of it after epoch 8, and nothing at other times."""

    epochs_run = 0

    def __init__(self):
        super().__init__(np.zeros((4, 40)))

    def fit(self, heard, after_epoch=lambda epoch: False):
        for epoch in range(1, 61):
            self.table = np.arange(40.0)[None].repeat(4, 0)  # items 6 and 7 come last
            self.table[:, 6] += 100 * (epoch in (4, 8))
            self.table[:, 7] += 100 * (epoch == 4)
            LateBloomer.epochs_run = epoch
            if after_epoch(epoch):
                break


def test_the_best_look_counts_not_the_last_and_four_looks_without_a_better_one_end_the_training():
    split = split_histories(heard(*([*range(10)] for _ in range(4))))  # valid: items 6, 7
    contest = Contest(lambda seed: LateBloomer(), is_net=True)
    assert tune(contest, split) == ({"epochs": 4}, 1.0)
    assert LateBloomer.epochs_run == 4 + 4 * 2


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.1, 0.1, 0.1, -0.04], "within noise"),  # the mean is 1.9 standard errors from 0
        ([0.1, 0.1, 0.1, -0.02], "above"),  # 2.3
        ([-0.1, -0.1, -0.1, 0.02], "below"),
        ([0.0, 0.0, 0.0, 0.0], "within noise"),
    ],
)
def test_noise_reaches_to_two_standard_errors(differences, verdict):
    ease = np.full(4, 0.5)
    found = _difference(ease + differences, ease)
    assert found["verdict"] == verdict
    assert found["recall_at_20"] == pytest.approx(np.mean(differences), abs=1e-4)
