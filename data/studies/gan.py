"""The long experiments of lesson 2: designs of a GAN for bars, the recipe from several seeds, too little data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from data.studies.gan_variants import (
    DeterministicGenerator,
    MotionlessDiscriminator,
    MotionlessGenerator,
    OneShotGenerator,
    PlainDiscriminator,
    WholeBarDiscriminator,
)
from data.studies.kept import kept_net
from musegen_lib.models.gan.batches import BarBatches, one_hot, tokens_to_pieces, windows_to_tokens
from musegen_lib.models.gan.nets import BarDiscriminator, BarGANConfig, BarGenerator, with_spectral_norm
from musegen_lib.models.gan.recipe import BAR, PHRASES, GANRecipe, chorale_windows
from musegen_lib.training.adversarial import AdversarialConfig, train_adversarial

SEEDS = (0, 1, 2)
TRIAL = AdversarialConfig(steps=300)
SIZES = (100, 500, None)  # training bars; None: all
CONFIG = BarGANConfig()
SHIPPED = (BarGenerator, BarDiscriminator, TRIAL)
DESIGNS = {  # each differs from the shipped one in one thing
    "shipped": SHIPPED,
    "all tokens at once": (OneShotGenerator, BarDiscriminator, TRIAL),
    "no relations in G": (BarGenerator, BarDiscriminator, TRIAL),
    "no intervals in D": (BarGenerator, PlainDiscriminator, TRIAL),
    "no Gumbel noise": (DeterministicGenerator, BarDiscriminator, TRIAL),
    "one score a bar": (BarGenerator, WholeBarDiscriminator, TRIAL),
    "no slope penalty": (BarGenerator, BarDiscriminator, replace(TRIAL, slope_penalty=0.0)),
    "saturating loss": (BarGenerator, BarDiscriminator, replace(TRIAL, loss="saturating")),
    "hinge, spectral norm": (BarGenerator, BarDiscriminator, replace(TRIAL, loss="hinge", slope_penalty=0.0)),
    "Wasserstein, gradient penalty": (
        BarGenerator,
        BarDiscriminator,
        replace(TRIAL, loss="wasserstein", slope_penalty=0.0, gradient_penalty=10.0),
    ),
}
WITHOUT_MOTION = {  # trained as long as the shipped net
    "no motion in G": (MotionlessGenerator, BarDiscriminator, AdversarialConfig()),
    "no motion in D": (BarGenerator, MotionlessDiscriminator, AdversarialConfig()),
}


def gan_designs() -> list[dict[str, Any]]:
    """Bars in four voices: ten designs, 300 turns each from three seeds, judged on validation bars."""
    table = BAR.table()
    return [_trial(design, seed, table) for seed in SEEDS for design in DESIGNS]


def gan_motion() -> list[dict[str, Any]]:
    """The recipe `gan` without its table of motion, and before a discriminator that is shown none; three seeds."""
    table = BAR.table()
    return [_trial(design, seed, table) for seed in SEEDS for design in WITHOUT_MOTION]


def gan_seeds() -> list[dict[str, Any]]:
    """The recipe `gan` from three seeds: every figure on validation bars."""
    return [_report_of_seed(BAR, seed, 1000) for seed in SEEDS]


def gan_phrases_seeds() -> list[dict[str, Any]]:
    """The recipe `gan-phrases` from three seeds, each going on from the shipped `gan`: every figure on validation."""
    return [_report_of_seed(PHRASES, seed, len(chorale_windows("valid", PHRASES.n_bars).pieces)) for seed in SEEDS]


def _report_of_seed(recipe: GANRecipe, seed: int, n: int) -> dict[str, Any]:
    drawn = tokens_to_pieces(recipe.draw(n, 0, kept_net(recipe, seed)))
    return {"seed": seed, "split": "valid", **recipe.report(drawn, "valid")}


def gan_sizes() -> list[dict[str, Any]]:
    """The trial recipe on fewer bars: the judge, exact copies, and what D says to bars that it has not seen."""
    table, rows = BAR.table(), []
    for seed in SEEDS:
        for size in SIZES:
            chosen = np.random.default_rng(seed).permutation(len(table))[:size]
            rows.append({"bars": len(chosen), **_trial("shipped", seed, table[chosen])})
    return rows


def _trial(design: str, seed: int, table: np.ndarray) -> dict[str, Any]:
    make_generator, make_discriminator, config = (DESIGNS | WITHOUT_MOTION)[design]
    torch.manual_seed(seed)
    sizes = replace(CONFIG, n_relations=0) if design == "no relations in G" else CONFIG
    generator, discriminator = make_generator(sizes), make_discriminator(sizes)
    if config.loss == "hinge":
        with_spectral_norm(discriminator)
    train_adversarial(generator, discriminator, BarBatches(table, config.batch_size, seed), replace(config, seed=seed))
    made = BAR.draw(1000, 0, generator)
    seen, unseen = table, windows_to_tokens(chorale_windows("valid").pieces)
    return {
        "design": design,
        "seed": seed,
        "steps": config.steps,
        **BAR.report(tokens_to_pieces(made), "valid"),
        **{f"score of {name}": _score(discriminator, bars) for name, bars in (("seen", seen), ("unseen", unseen))},
        "score of made": _score(discriminator, made),
    }


@torch.no_grad()
def _score(discriminator: Any, tokens: np.ndarray) -> float:
    """Mean raw score of at most 600 bars as a whole."""
    return float(discriminator(discriminator.see(one_hot(tokens[:600])))[-1].mean())
