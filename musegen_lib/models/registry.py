"""The shipped models by name: how each is trained, loaded, asked for music, and measured.

>>> sorted(RECIPES)
['gan', 'gan-phrases', 'gan-sketch', 'markov', 'rnn', 'rnn-chorales', 'vae']
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.models.chorale.recipe import CHORALES, HARMONISER
from musegen_lib.models.gan.recipe import BAR, PHRASES, SKETCH
from musegen_lib.models.melody.recipe import MarkovRecipe, RNNRecipe
from musegen_lib.models.search.recipe import TUNE_ENCODER
from musegen_lib.models.style.evaluation.classifier_recipes import NGRAM_CLASSIFIER, ROLL_CLASSIFIER
from musegen_lib.models.style.evaluation.language_model_recipe import FLUENCY
from musegen_lib.models.style.gan_recipe import STYLE_GAN
from musegen_lib.models.style.net_recipes import STYLE_RNN, STYLE_VAE, STYLE_VAE_ENSEMBLE
from musegen_lib.models.vae.recipe import VAE

__all__ = ["RECIPES", "Recipe", "find_recipe"]


@runtime_checkable
class Recipe(Protocol):
    """What the command line, the gallery and the benchmark ask of a model family."""

    about: str  # one sentence for a listener: which model, made from what

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train from the corpus, write the checkpoint to `out`, return the card."""

    def generate(self, n: int, seed: int, **wishes: Any) -> list[Piece]:
        """Write n pieces; the same seed and wishes give the same pieces."""

    def evaluate(self, split: str) -> dict[str, Any]:
        """Measure the model on "valid" or "test"."""


RECIPES: dict[str, Recipe] = {
    "markov": MarkovRecipe(),
    "rnn": RNNRecipe(),
    "rnn-chorales": CHORALES,
    "gan": BAR,
    "gan-phrases": PHRASES,
    "gan-sketch": SKETCH,
    "vae": VAE,
}


TRAINED_ONLY = {  # nets that another command uses
    "harmoniser": HARMONISER,
    "style-judges": NGRAM_CLASSIFIER,
    "style-rolls": ROLL_CLASSIFIER,
    "style-gan": STYLE_GAN,
    "style-fluency": FLUENCY,
    "style-rnn": STYLE_RNN,
    "style-vae": STYLE_VAE,
    "style-vae-ensemble": STYLE_VAE_ENSEMBLE,
    "tune-encoder": TUNE_ENCODER,
}


def find_recipe(name: str) -> Recipe:
    """Return a recipe; MusegenError lists the names there are."""
    if name not in RECIPES:
        raise MusegenError(f"model {name!r} is unknown; choose one of {', '.join(RECIPES)}")
    return RECIPES[name]
