"""The recipe of the melody VAE: training, its card, and what is measured."""

import json

import numpy as np
import pytest
import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.scales import best_scale, scale_of_key
from musegen_lib.corpus import corpus_fingerprint
from musegen_lib.encodings.melody_windows import held_out_windows, window_to_piece
from musegen_lib.models.registry import RECIPES
from musegen_lib.models.vae.recipe import (
    BETA,
    VAERecipe,
    measure_codes,
    measure_samples,
    prior_windows,
    share_of_wide_leaps,
    share_on_one_scale,
)
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


def test_an_untrained_net_writes_nothing_to_sing_and_gives_nothing_back():
    torch.manual_seed(0)
    net = MelodyVAE(MelodyVAEConfig(latent_dim=4, embedding_dim=4, encoder_dim=6, decoder_dim=8, head_dim=6)).eval()
    windows = held_out_windows("valid")
    with pytest.raises(MusegenError, match="train it longer"):
        measure_samples(net, windows, n=20)
    windows = windows.where(np.arange(len(windows)) % 40 == 0)
    assert measure_codes(net, windows, n_draws=2)["from_mean"]["onsets"] < 0.3


def test_samples_stand_beside_real_windows_which_are_not_told_from_each_other():
    found = measure_samples(RECIPES["vae"].load_once(), held_out_windows("valid"), n=60)
    assert found["two_sample_accuracy"]["other_real"] < 0.65
    assert found["two_sample_accuracy"]["shuffled"] > 0.65
    assert 0 < found["drawn_again"] < 0.3
    assert found["leaps_over_an_octave"]["prior"] == 0 <= found["leaps_over_an_octave"]["real"] < 0.01
    assert found["fits_one_scale"]["real"] > 0.9


def test_windows_of_the_prior_lie_on_one_scale_and_leap_no_further_than_an_octave():
    """Before tunes were moved to one scale, 67 % of the windows lay on one."""
    written = prior_windows(RECIPES["vae"].load_once(), 300, torch.Generator().manual_seed(1))
    pieces = [window_to_piece(row) for row in written]
    assert share_on_one_scale(pieces) > 0.88
    assert share_of_wide_leaps(pieces) == 0
    moved = [piece.replace(notes=shuffled(piece, i)) for i, piece in enumerate(pieces)]
    assert share_on_one_scale(moved) < 0.3  # the same windows, each note moved by up to a semitone


def shuffled(piece, seed):
    notes = piece.notes.copy()
    notes["pitch"] += np.random.default_rng(seed).integers(0, 2, len(notes)).astype(notes["pitch"].dtype)
    return notes


def test_a_key_moves_the_music_and_chooses_windows_that_end_on_its_tonic():
    for key, tonic, scale in (("E minor", 4, 7), ("Bb major", 10, 10), ("C# phrygian", 1, 9)):
        pieces = RECIPES["vae"].generate(6, seed=2, key=key)
        assert all(piece.key == key for piece in pieces)
        assert all(piece.notes["pitch"][-1] % 12 == tonic for piece in pieces)
        best = [best_scale(piece, key) for piece in pieces]
        assert best.count(scale) >= 5
        assert len({piece.notes.tobytes() for piece in pieces}) == 6
    home = RECIPES["vae"].generate(6, seed=2)
    assert all(scale_of_key(piece.key) == 0 for piece in home)


@pytest.mark.parametrize("key", ["H major", "C", "C locrian", ""])
def test_an_unknown_key_is_refused_with_the_modes_there_are(key):
    with pytest.raises(MusegenError, match=f"key {key!r} is unknown; .* mixolydian"):
        RECIPES["vae"].generate(1, seed=0, key=key)


def test_a_net_of_silence_is_named():
    net = RECIPES["vae"].load()
    with torch.no_grad():
        net.decoder.head.bias[1] += 1000.0  # REST
    with pytest.raises(MusegenError, match="hardly anything but silence"):
        prior_windows(net, 2, torch.Generator().manual_seed(0))
