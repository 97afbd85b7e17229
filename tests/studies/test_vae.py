"""The studies of lesson 3: what they train on, and the files as they were last run."""

import numpy as np

from data.studies.run import STUDIES
from data.studies.vae import BETAS, CURES, FREE_NATS, SEEDS, TUNES, windows_of
from musegen_lib.encodings.melody_windows import held_out_windows, is_among
from musegen_lib.lessons.studies import read_study
from musegen_lib.models.vae.recipe import DESIGNS


def test_the_studies_can_be_run_by_name():
    assert set(STUDIES["vae"]) == {"vae-rates", "vae-collapse", "vae-sizes", "vae-designs", "vae-seeds"}


def test_fewer_tunes_are_drawn_by_the_seed_and_never_held_out():
    few, again, other = windows_of(100, 0), windows_of(100, 0), windows_of(100, 1)
    assert len(set(few.tunes.tolist())) == 100
    assert np.array_equal(few.tokens, again.tokens)
    assert set(few.tunes.tolist()) != set(other.tunes.tolist())
    assert not is_among(held_out_windows("valid").tokens, few.tokens).any()


def test_the_rate_falls_with_its_price_and_accuracy_with_the_rate():
    rows = read_study("vae-rates")
    assert {(row["beta"], row["seed"]) for row in rows} == {(beta, seed) for beta in BETAS for seed in SEEDS}
    for seed in SEEDS:
        mine = sorted((row for row in rows if row["seed"] == seed), key=lambda row: row["beta"])
        rates, right = (
            [f(row) for row in mine] for f in (lambda r: r["kl_nats_a_window"], lambda r: r["onsets"]["from_draw"])
        )
        assert rates == sorted(rates, reverse=True)
        assert right[1:] == sorted(right[1:], reverse=True)
    assert all(len(row["units_kl"]) == 32 for row in rows)


def test_sizes_and_designs_were_run_with_three_seeds():
    sizes, designs = read_study("vae-sizes"), read_study("vae-designs")
    assert len({row["tunes"] for row in sizes}) == len(TUNES)
    assert {row["design"] for row in designs} == set(DESIGNS)
    for rows, key in ((sizes, "tunes"), (designs, "design")):
        for value in {row[key] for row in rows}:
            assert sorted(row["seed"] for row in rows if row[key] == value) == list(SEEDS)


def test_each_cure_of_collapse_was_run_with_three_seeds_and_free_bits_fill_their_allowance():
    rows = read_study("vae-collapse")
    assert {(row["cure"], row["seed"]) for row in rows} == {(cure, seed) for cure in CURES for seed in SEEDS}
    allowance = {cure: config.free_nats * config.latent_dim for cure, (config, _) in CURES.items()}
    assert max(allowance.values()) == FREE_NATS * 32 == 8.0
    assert all(row["kl_nats_a_window"] >= allowance[row["cure"]] for row in rows)
