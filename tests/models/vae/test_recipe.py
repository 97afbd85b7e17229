"""The recipe of the melody VAE: training, its card, and what is measured."""

import json

import numpy as np
import pytest
import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.corpus import corpus_fingerprint
from musegen_lib.encodings.melody_windows import held_out_windows
from musegen_lib.models.registry import RECIPES
from musegen_lib.models.vae.recipe import BETA, VAERecipe, measure_codes, measure_samples, prior_windows
from musegen_lib.models.vae.vae import MelodyVAE, MelodyVAEConfig
from musegen_lib.training.checkpoints import read_card


def test_training_writes_a_net_that_loads_and_a_card_that_says_how(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = VAERecipe()
    recipe.config = MelodyVAEConfig(latent_dim=4, embedding_dim=4, encoder_dim=6, decoder_dim=8, head_dim=6)
    card = recipe.train(tmp_path / "vae.safetensors", seed=3, steps=2)
    assert card["recipe"] == "musegen train vae --seed 3 --steps 2"
    assert card["data_fingerprint"] == corpus_fingerprint("folk")
    assert json.loads((tmp_path / "vae.json").read_text())["config"]["latent_dim"] == 4
    net = recipe.load(tmp_path / "vae.safetensors")
    assert net.config == recipe.config


def test_the_shipped_card_names_its_recipe_and_its_data():
    card = read_card(RECIPES["vae"].checkpoint)
    assert card["model"] == "MelodyVAE"
    assert card["beta"] == BETA
    assert card["data_fingerprint"] == corpus_fingerprint("folk")
    assert "non-commercial" in card["data"]
    assert RECIPES["vae"].checkpoint.stat().st_size < 8_000_000


def test_the_measures_of_the_shipped_net_stand_between_floor_and_ceiling():
    windows = held_out_windows("valid")
    windows = windows.where(np.arange(len(windows)) % 20 == 0)
    found = measure_codes(RECIPES["vae"].load_once(), windows, n_draws=4)
    assert 0 == found["always_hold"]["onsets"] < found["from_draw"]["onsets"] < found["from_mean"]["onsets"] <= 1
    assert 16 <= found["active_units"] <= found["latent_units"]
    assert 0 < found["kl_nats_a_window"] <= 50
    assert found["iwae_4_nats_per_note"]["mean"] < found["elbo_nats_per_note"]["mean"]


def test_an_untrained_net_is_told_from_real_music_and_gives_nothing_back():
    torch.manual_seed(0)
    net = MelodyVAE(MelodyVAEConfig(latent_dim=4, embedding_dim=4, encoder_dim=6, decoder_dim=8, head_dim=6)).eval()
    windows = held_out_windows("valid")
    found = measure_samples(net, windows, n=60)
    assert found["two_sample_accuracy"]["prior"] > 0.9
    assert found["two_sample_accuracy"]["other_real"] < 0.65
    windows = windows.where(np.arange(len(windows)) % 40 == 0)
    assert measure_codes(net, windows, n_draws=2)["from_mean"]["onsets"] < 0.3


def test_a_net_of_silence_is_named():
    net = RECIPES["vae"].load()
    with torch.no_grad():
        net.decoder.head.bias[1] += 1000.0  # REST
    with pytest.raises(MusegenError, match="nothing but silence"):
        prior_windows(net, 2, torch.Generator().manual_seed(0))
