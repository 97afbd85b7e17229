"""What starts up with the recipes: torch and numpy, and nothing that takes as long."""

import subprocess
import sys

import pytest

SLOW = ("lightning_fabric", "sklearn", "scipy", "torch._dynamo", "matplotlib", "music21")
HOMES = ("melody.recipe", "chorale.recipe", "chorale.frames_recipe", "gan.recipe", "vae.recipe", "search.recipe")


@pytest.mark.parametrize("home", [*HOMES, "style.gan_recipe", "style.net_recipes", "recommend.nets"])
def test_a_family_is_imported_without_what_it_works_with_later(home):
    code = f"import sys, musegen_lib.models.{home}; print([name for name in {SLOW} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
