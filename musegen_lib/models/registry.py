"""The recipes of all models by name. To name them imports none of them; to ask for one imports its family alone.

>>> "rnn" in RECIPES, names_that("generate")
(True, ('markov', 'rnn', 'rnn-chorales', 'gan', 'gan-phrases', 'gan-sketch', 'vae'))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece


@runtime_checkable
class Recipe(Protocol):
    """What the command line, the gallery and the benchmark ask of a model; not every one generates or is evaluated."""

    about: str  # one sentence for a listener: which model, made from what

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train from the corpus, write the checkpoint to `out`, return the card."""

    def generate(self, n: int, seed: int, **controls: Any) -> list[Piece]:
        """Write n pieces; the same seed and controls give the same pieces."""

    def evaluate(self, split: str) -> dict[str, Any]:
        """Measure the model on "valid" or "test"."""


_HOMES = {  # name: module below musegen_lib.models, the recipe in it, what it does besides training
    "markov": ("melody.recipe", "MARKOV", "generate evaluate"),  # its train says that there is nothing to train
    "rnn": ("melody.recipe", "RNN", "generate evaluate"),
    "rnn-chorales": ("chorale.recipe", "CHORALES", "generate evaluate"),
    "gan": ("gan.recipe", "BAR", "generate evaluate"),
    "gan-phrases": ("gan.recipe", "PHRASES", "generate evaluate"),
    "gan-sketch": ("gan.recipe", "SKETCH", "generate evaluate"),
    "vae": ("vae.recipe", "VAE", "generate evaluate"),
    "chorales-frames": ("chorale.frames_recipe", "FRAMES", "evaluate"),
    "phrase-ends": ("chorale.phrase_ends_recipe", "PHRASE_ENDS", "evaluate"),
    "harmoniser": ("chorale.recipe", "HARMONISER", ""),
    "style-judges": ("style.evaluation.classifier_recipes", "NGRAM_CLASSIFIER", ""),
    "style-rolls": ("style.evaluation.classifier_recipes", "ROLL_CLASSIFIER", ""),
    "style-fluency": ("style.evaluation.language_model_recipe", "FLUENCY", ""),
    "style-rnn": ("style.net_recipes", "STYLE_RNN", ""),
    "style-vae": ("style.net_recipes", "STYLE_VAE", ""),
    "style-vae-ensemble": ("style.net_recipes", "STYLE_VAE_ENSEMBLE", ""),
    "style-gan": ("style.gan_recipe", "STYLE_GAN", ""),
    "tune-encoder": ("search.recipe", "TUNE_ENCODER", ""),
}


class _Recipes(Mapping[str, Any]):
    """Recipes by name; the module of one is imported when it is asked for."""

    def __getitem__(self, name: str) -> Any:
        module, recipe, _ = _HOMES[name]
        return getattr(import_module(f"musegen_lib.models.{module}"), recipe)

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


RECIPES: Mapping[str, Any] = _Recipes()


def names_that(does: str) -> tuple[str, ...]:
    """Names of the models that "train", "generate" or can be asked to "evaluate"."""
    return tuple(name for name, (*_, abilities) in _HOMES.items() if does == "train" or does in abilities.split())


def find_recipe(name: str, does: str = "generate") -> Any:
    """Return the recipe of a model that generates, trains or is evaluated; MusegenError lists the names there are."""
    if name not in names_that(does):
        what = f"{name!r} does not {does}" if name in RECIPES else f"{name!r} is unknown"
        raise MusegenError(f"model {what}; choose one of {', '.join(names_that(does))}")
    return RECIPES[name]
