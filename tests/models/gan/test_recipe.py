"""The recipes of lesson 2: a short training each, what is refused, and what the shipped nets write."""

import numpy as np
import pytest
import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.metrics.bars import FIGURES
from musegen_lib.models.facts import is_playable_chorale
from musegen_lib.models.gan.batches import tokens_to_pieces
from musegen_lib.models.gan.recipe import BAR, PHRASES, SKETCH, Windows, chorale_windows
from musegen_lib.training.checkpoints import read_card

RECIPES = pytest.mark.parametrize("recipe", [BAR, PHRASES, SKETCH], ids=lambda recipe: recipe.name)


@RECIPES
def test_a_short_training_leaves_a_checkpoint_whose_card_names_the_command(recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    card = recipe.train(tmp_path / "net.safetensors", seed=3, steps=2)
    assert card["recipe"] == f"musegen train {recipe.name} --seed 3 --steps 2"
    assert read_card(tmp_path / "net.safetensors")["steps"] == 2
    drawn = recipe.draw(3, 0, recipe.load(tmp_path / "net.safetensors"))
    assert drawn.shape == (3, 16 * recipe.n_bars, 4)


@RECIPES
def test_a_gan_is_not_trained_by_the_clock_and_takes_no_controls(recipe, tmp_path):
    with pytest.raises(MusegenError, match=f"{recipe.name} is trained by steps, not by minutes: give --steps"):
        recipe.train(tmp_path / "net.safetensors", minutes=1.0)
    with pytest.raises(MusegenError, match=f"style: {recipe.name} writes from noise alone"):
        recipe.generate(1, 0, style="irish")


@pytest.mark.parametrize("recipe", [BAR, PHRASES], ids=lambda recipe: recipe.name)
def test_shipped_nets_write_legal_music_and_the_same_for_the_same_seed(recipe):
    made = recipe.generate(20, seed=5)
    assert all(map(is_playable_chorale, made))
    assert {piece.n_steps for piece in made} <= {16 * recipe.n_bars}
    again, other = recipe.generate(20, seed=5), recipe.generate(20, seed=6)
    assert all(np.array_equal(a.notes, b.notes) for a, b in zip(made, again))
    assert not all(np.array_equal(a.notes, b.notes) for a, b in zip(made, other))


def test_the_four_bar_net_begins_with_the_weights_of_the_one_bar_net():
    generator, _ = PHRASES.networks()
    shipped = BAR.load().state_dict()
    assert all(torch.equal(shipped[name], value) for name, value in generator.state_dict().items())


def test_the_baselines_and_the_ceiling_hold_their_places():
    real, training = chorale_windows("valid"), chorale_windows("train")
    sets = BAR.baselines(Windows(real.pieces[:200], real.works[:200]), training, np.random.default_rng(0))
    found = {name: BAR.report(pieces, "valid", works) for name, (pieces, works) in sets.items()}
    assert all(list(report) == list(FIGURES) for report in found.values())
    accuracy = {name: report["two-sample accuracy"] for name, report in found.items()}
    made = BAR.report(tokens_to_pieces(BAR.draw(200, 0)), "valid")["two-sample accuracy"]
    assert accuracy["real, from training (ceiling)"] < made < accuracy["mixed voices"]
    assert max(accuracy["sketch"], accuracy["noise"]) > 0.9
