"""Studies: the copy task asks what it says, small runs write what they claim, and the stored files keep to it."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from tiny_tunes import make_tune, make_tunes

from data.studies import melody as studies_melody
from data.studies import run as studies
from data.studies.copy_task import BLANK, GO, N_SYMBOLS, STRING, CopyNet, copy_task
from data.studies.melody_baselines import in_all_keys, markov_nats, unigram_nats
from data.studies.plain_lm import CELLS, MelodyLM, MelodyLMConfig
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import committed
from musegen_lib.encodings.melody_events import END_ID, FIRST_PITCH_ID, N_DURATIONS, N_PITCH_IDS, REST_ID
from musegen_lib.lessons.studies import read_study
from musegen_lib.training.loop import TrainConfig

torch.set_num_threads(1)
MELODIES = ("melody-cells", "melody-context", "melody-sizes", "melody-counting", "melody-equal")
MINE = (*MELODIES, "copy-distance")
MAX_BYTES = 60_000
each_study = pytest.mark.parametrize("name", MINE)


@pytest.fixture
def tiny(monkeypatch):
    """Studies of half a minute become studies of half a second."""
    tunes = {"train": make_tunes(40, 1), "valid": make_tunes(16, 2), "test": make_tunes(8, 3)}
    monkeypatch.setattr(studies_melody, "melody_events", tunes.__getitem__)
    monkeypatch.setattr(studies_melody, "SETTINGS", TrainConfig(steps=4, validate_every=2, warmup_steps=1))
    monkeypatch.setattr(studies_melody, "SEEDS", (0, 1))
    for name, value in {"BATCH": 8, "MEMORIES": (1, 4, None), "TUNES": (10, None), "WIDTHS": (3, 5)}.items():
        monkeypatch.setattr(studies_melody, name, value)
    monkeypatch.setattr(studies_melody, "RATES", (1e-3, 1e-2))
    monkeypatch.setattr(studies_melody, "WIDER_RATES", (1e-3, 1e-2))
    monkeypatch.setattr(studies_melody, "EQUAL_WIDTHS", {"rnn": 5, "gru": 4, "lstm": 3})
    monkeypatch.setattr(studies_melody, "RATE_STEPS", 2)
    monkeypatch.setattr(studies_melody, "DISTANCES", (0, 3))
    monkeypatch.setattr(studies_melody, "COPY_STEPS", 3)
    return tunes


# The copy task


@pytest.mark.parametrize("distance", [0, 1, 7])
def test_the_copy_task_is_string_blanks_go_and_the_string_again_one_step_late(distance):
    inputs, string = copy_task(6, distance, torch.Generator().manual_seed(3))
    assert inputs.shape == (6, STRING + distance + STRING)
    assert string.shape == (6, STRING)
    assert torch.equal(inputs[:, :STRING], string)
    assert (inputs[:, STRING : STRING + distance] == BLANK).all()
    assert (inputs[:, STRING + distance] == GO).all()
    assert torch.equal(inputs[:, STRING + distance + 1 :], string[:, :-1])
    assert int(string.max()) < N_SYMBOLS


def test_strings_are_random_even_and_the_same_for_the_same_seed():
    strings = [copy_task(4000, 2, torch.Generator().manual_seed(seed))[1] for seed in (0, 0, 1)]
    assert torch.equal(strings[0], strings[1])
    assert not torch.equal(strings[0], strings[2])
    shares = torch.stack([(strings[0] == symbol).float().mean(dim=0) for symbol in range(N_SYMBOLS)])
    assert shares.sub(1 / N_SYMBOLS).abs().max() < 0.03


def test_a_copier_sees_no_symbol_before_it_has_to_give_it_back():
    torch.manual_seed(0)
    net = CopyNet("gru", hidden_dim=12)
    inputs, _ = copy_task(1, 3, torch.Generator().manual_seed(0))
    for late in range(1, STRING):  # the input that names symbol late - 1, read when symbol late is wanted
        other = inputs.clone()
        other[0, -STRING + late] = (other[0, -STRING + late] + 1) % N_SYMBOLS
        changed = (net(inputs) != net(other)).any(dim=2)[0].tolist()
        assert changed == [place >= late for place in range(STRING)]


def test_an_untrained_copier_is_right_by_chance_and_a_trained_one_copies_what_is_near(monkeypatch):
    monkeypatch.setattr(studies_melody, "COPY_STEPS", 400)
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    assert studies_melody.copied_right(CopyNet("gru"), 0, generator) == pytest.approx(1 / N_SYMBOLS, abs=0.06)
    assert studies_melody.copied_right(studies_melody.train_copy_net("gru", 0), 0, generator) > 0.5


def test_the_widest_distance_of_training_is_among_those_tested_and_others_lie_beyond():
    assert studies_melody.TRAINED in studies_melody.DISTANCES
    assert max(studies_melody.DISTANCES) > studies_melody.TRAINED


# What counting scores


def test_a_unigram_of_one_pair_is_as_sure_as_its_counts():
    tunes = [make_tune([(FIRST_PITCH_ID, 4)] * 3)]
    total = 4 + N_PITCH_IDS * (N_DURATIONS - 1)
    wanted = -(3 * np.log(4 / total) + np.log(2 / total)) / 3  # END once, nats over three notes
    assert unigram_nats(tunes, tunes) == pytest.approx(wanted)


def test_in_all_keys_moves_notes_alone_and_stays_in_range():
    low, high = FIRST_PITCH_ID + 2, N_PITCH_IDS - 1
    tunes = in_all_keys([make_tune([(low, 4), (REST_ID, 2), (low + 3, 6)]), make_tune([(high, 12)])])
    assert [int(tune.pitch_ids[0]) for tune in tunes] == [*range(low - 2, low + 6), *range(high - 5, high + 1)]
    for tune in tunes[:8]:
        assert tune.pitch_ids[2] - tune.pitch_ids[0] == 3
        assert (tune.pitch_ids[1], tune.pitch_ids[3], tune.durations.tolist()) == (REST_ID, END_ID, [4, 2, 6, 0])


def test_transposed_counts_help_a_chain_that_meets_a_known_tune_in_another_key():
    rows = [(FIRST_PITCH_ID + 10 + i, 2) for i in (0, 4, 7, 4, 0, 5)]
    there, here = make_tune(rows), make_tune([(pitch + 3, steps) for pitch, steps in rows])
    plain, transposed = (markov_nats(2, tunes, [here], (1.0, 6.0)) for tunes in ([there], in_all_keys([there])))
    assert transposed < plain - 1


# Small runs


def test_melody_cells_has_floors_trials_and_a_row_for_each_cell_and_seed(tiny, tmp_path):
    rows = studies.run_study("melody-cells", tmp_path / "x.json")["rows"]
    assert [row["cell"] for row in rows[:6]] == ["uniform", "unigram", "markov 1", "markov 2", "markov 3", "markov 4"]
    trained = [row for row in rows if "seed" in row]
    assert [(row["cell"], row["seed"]) for row in trained] == [(cell, seed) for cell in CELLS for seed in (0, 1)]
    assert [row["cell"] for row in rows if "test_nats" in row] == ["lstm"]
    for row in trained:
        trials = {r["rate"]: r["trial_nats"] for r in rows if r["cell"] == row["cell"] and "trial_nats" in r}
        assert row["rate"] == min(trials, key=trials.get)
        assert [step for step, _, _ in row["curve"]] == [2, 4]


def test_a_memory_of_all_is_the_score_of_the_best_step(tiny):
    tunes = tiny["valid"]
    net, row = studies_melody.train_lm(MelodyLMConfig("gru", hidden_dim=5), tiny["train"], seed=1)
    assert studies_melody.lm_nats(net, tunes) == pytest.approx(row["valid_nats"], abs=1e-3)
    assert row["valid_nats"] == min(nats for _, _, nats in row["curve"])


def test_the_same_seed_trains_the_same_net_and_another_seed_another(tiny):
    config = MelodyLMConfig("rnn", hidden_dim=4, memories=(1, 2))
    scores = [studies_melody.train_lm(config, tiny["train"], seed)[1]["valid_nats"] for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]


def test_melody_sizes_and_counting_use_the_same_tunes_and_every_width(tiny):
    sizes = studies_melody.melody_sizes()
    nets = Counter((row["cell"], row["tunes"]) for row in sizes if row["by"] == "tunes")
    assert nets == {("lstm", 10): 2, ("lstm", 40): 2, ("markov", 10): 2, ("markov", 40): 2}
    assert [row["hidden_dim"] for row in sizes if row["by"] == "width"] == [3, 3, 5, 5]
    plain = {
        (r["tunes"], r["seed"]): r["valid_nats"] for r in studies_melody.melody_counting() if not r["transposed_by"]
    }
    for row in sizes:
        if row["cell"] == "markov" and (row["tunes"], row["seed"]) in plain:
            assert plain[row["tunes"], row["seed"]] == pytest.approx(row["valid_nats"], abs=1e-4)


def test_melody_equal_races_every_cell_and_cuts_the_memory_of_the_lstm(tiny):
    rows = studies_melody.melody_equal()
    assert Counter(row.get("part") for row in rows) == {None: 6, "race": 6, "context": 2}
    assert {row["cell"] for row in rows if row.get("part") == "context"} == {"lstm"}
    assert all(row["foreign"] > 0 for row in rows if row.get("part") == "context")


def test_the_cells_of_melody_equal_have_equal_parameters():
    sizes = [
        sum(p.numel() for p in MelodyLM(MelodyLMConfig(cell, hidden_dim=width)).parameters())
        for cell, width in studies_melody.EQUAL_WIDTHS.items()
    ]
    assert max(sizes) < 1.01 * min(sizes)


@pytest.mark.parametrize("name", ["melody-context", "copy-distance"])
def test_a_study_writes_what_it_returns(tiny, tmp_path, name):
    found = studies.run_study(name, tmp_path / "new.json")
    assert json.loads((tmp_path / "new.json").read_text()) == json.loads(json.dumps(found))
    assert found["command"] == f"make study NAME={name}"
    assert {row["seed"] for row in found["rows"] if "seed" in row} == set(found["seeds"]) == {0, 1}
    assert found["about"]


def test_unknown_and_unread_studies_are_named():
    with pytest.raises(MusegenError, match="melody-cells"):
        studies.run_study("melody-cell")
    with pytest.raises(MusegenError, match="make study NAME=none-such"):
        read_study("none-such")


# The stored files


def stored(name):
    return json.loads(committed(f"studies/{name}.json").read_text(encoding="utf-8"))


@each_study
def test_a_stored_study_is_small_and_names_its_command_seeds_and_versions(name):
    study = stored(name)
    assert committed(f"studies/{name}.json").stat().st_size < MAX_BYTES
    assert (study["study"], study["command"]) == (name, f"make study NAME={name}")
    assert {"torch", "numpy", "music21"} <= study["versions"].keys()
    assert study["minutes_on_one_core"] > 0
    assert {row["seed"] for row in study["rows"] if "seed" in row} == set(study["seeds"]) == set(studies_melody.SEEDS)
    assert read_study(name) == study["rows"]


@each_study
def test_a_stored_study_holds_numbers_and_no_music(name):
    known = {"cell", "seed", "tunes", "hidden_dim", "parameters", "rate", "valid_nats", "curve", "test_nats", "by"}
    known |= {"nats_by_memory", "memory", "nats", "trial_nats", "distance", "right", "transposed_by", "order"}
    known |= {"part", "foreign"}
    for row in stored(name)["rows"]:
        assert row.keys() <= known


@pytest.mark.parametrize("name", ["melody-cells", "melody-context"])
def test_stored_cells_were_each_trained_from_every_seed_and_beat_a_blind_guess(name):
    trained = [row for row in stored(name)["rows"] if "seed" in row]
    pairs = [(row["cell"], row["seed"]) for row in trained]
    assert sorted(pairs) == sorted((cell, seed) for cell in CELLS for seed in studies_melody.SEEDS)
    blind = np.log(N_PITCH_IDS * (N_DURATIONS - 1))
    for row in trained:
        assert row["valid_nats"] == pytest.approx(min(nats for _, _, nats in row["curve"]), abs=1e-3)
        assert 0 < row["valid_nats"] < blind
        assert [memory for memory, _ in row["nats_by_memory"]] == list(studies_melody.MEMORIES)
    assert len({row["valid_nats"] for row in trained}) == len(trained)


def test_stored_sizes_cover_tunes_and_widths_with_every_seed():
    rows = stored("melody-sizes")["rows"]
    by_tunes = Counter((row["cell"], row["tunes"]) for row in rows if row["by"] == "tunes")
    assert set(by_tunes.values()) == {len(studies_melody.SEEDS)}
    assert len(by_tunes) == 2 * len(studies_melody.TUNES)
    by_width = Counter(row["hidden_dim"] for row in rows if row["by"] == "width")
    assert by_width == dict.fromkeys(studies_melody.WIDTHS, len(studies_melody.SEEDS))


def test_stored_copying_covers_every_distance_and_shares_are_shares():
    rows = stored("copy-distance")["rows"]
    wanted = {(c, s, d) for c in CELLS for s in studies_melody.SEEDS for d in studies_melody.DISTANCES}
    assert {(row["cell"], row["seed"], row["distance"]) for row in rows} == wanted
    assert len(rows) == len(wanted)
    assert all(0 <= row["right"] <= 1 for row in rows)
