"""The long experiments with the melody VAE: rate against distortion, training size, designs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import torch

from data.studies.kept import kept_net
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.encodings.arrays import FIRST_PITCH
from musegen_lib.encodings.melody_windows import MelodyWindows, cut_windows, held_out_windows
from musegen_lib.models.vae.batches import WindowBatches, windows_in_batches
from musegen_lib.models.vae.measures import elbo_nats, encode_windows, reconstruction
from musegen_lib.models.vae.recipe import BETA, DESIGNS, SMALL, VAE, measure_codes, measure_samples
from musegen_lib.models.vae.vae import MelodyVAE, MelodyVAEConfig
from musegen_lib.training import loop as training

SEEDS = (0, 1, 2)
BETAS = (0.0, BETA, 0.5, 1.0)
TUNES = (100, 300, 1000, None)  # training tunes; None: all
SETTINGS = replace(VAE.training, steps=4000, learning_rate=5e-3, warmup_steps=100, validate_every=250, patience=16)
TO_CONVERGENCE = replace(SETTINGS, steps=6000, patience=4)  # the step of the best validation is kept
BATCH, WARMUP = 64, 200
FREE_NATS = 0.25  # a unit; 8 in all
NO_CURE = replace(SMALL, hide=0.0)
CURES = {  # against a code that is not used: the net, and the steps in which the weight of the KL term grows to 1
    "none": (NO_CURE, 0),
    "warm-up": (NO_CURE, 1000),
    "hidden tokens": (SMALL, 0),
    "free bits": (replace(NO_CURE, free_nats=FREE_NATS), 0),
    "all three": (replace(SMALL, free_nats=FREE_NATS), 1000),
}


def vae_rates() -> list[dict[str, Any]]:
    """Rate against distortion: a small VAE for each weight of the KL term, three seeds, 4,000 steps each.

    Weight 0 is a plain autoencoder. Scored on the validation windows; `units_kl` are the nats of each latent unit, and
    the bound weighs the KL term with 1 whatever the training did.
    """
    return [dict(train_small(SMALL, None, beta, seed)) for beta, seed in product(BETAS, SEEDS)]


def vae_collapse() -> list[dict[str, Any]]:
    """Does the decoder use its code? A small VAE with weight 1 and each cure of collapse alone, with none, with all."""
    return [
        {"cure": cure, **train_small(config, None, 1.0, seed, warmup)}
        for (cure, (config, warmup)), seed in product(CURES.items(), SEEDS)
    ]


def vae_sizes() -> list[dict[str, Any]]:
    """The VAE's bound and accuracy against the number of training tunes, three seeds, each trained until it stalls."""
    pairs = product(TUNES, SEEDS)
    return [dict(train_small(SMALL, n_tunes, BETA, seed, WARMUP, TO_CONVERGENCE)) for n_tunes, seed in pairs]


def vae_designs() -> list[dict[str, Any]]:
    """Three pairs of encoder and decoder at the same weight of the KL term, steps and batches, three seeds."""
    pairs = product(DESIGNS.items(), SEEDS)
    return [{"design": name, **train_small(config, None, BETA, seed)} for (name, config), seed in pairs]


def vae_seeds() -> list[dict[str, Any]]:
    """The recipe `vae` from three seeds: the round trip, and samples of the prior beside real validation windows."""
    rows, windows = [], held_out_windows("valid")
    quarter = windows.where(np.arange(len(windows)) % 4 == 0)
    for seed in SEEDS:
        net = kept_net(VAE, seed)
        rows.append({"seed": seed, **measure_codes(net, quarter), **measure_samples(net, windows)})
    return rows


def windows_of(n_tunes: int | None, seed: int) -> MelodyWindows:
    """Windows a bar apart of n training tunes in 4/4 drawn by the seed; None: of all of them."""
    windows = cut_windows(load_folk_tunes(part="train"), hop_bars=1)
    if n_tunes is None:
        return windows
    chosen = np.random.default_rng(seed).permutation(np.unique(windows.tunes))[:n_tunes]
    return windows.where(np.isin(windows.tunes, chosen))


@cache
def train_small(
    config: MelodyVAEConfig,
    n_tunes: int | None,
    beta: float,
    seed: int,
    warmup: int = WARMUP,
    settings: training.TrainConfig = SETTINGS,
) -> dict[str, Any]:
    """Train one net and measure it on the validation windows."""
    torch.manual_seed(seed)
    net, train, valid = MelodyVAE(config), windows_of(n_tunes, seed), held_out_windows("valid").tokens
    batches = WindowBatches(train.tokens, BATCH, seed, beta, warmup)
    run = training.fit(net, batches, windows_in_batches(valid, beta), replace(settings, seed=seed))
    codes = encode_windows(net, valid, torch.Generator().manual_seed(seed))
    found, notes = reconstruction(net, valid, codes), int((valid >= FIRST_PITCH).sum())
    bound = elbo_nats(net, valid, codes)
    return {
        "seed": seed,
        "beta": beta,
        "tunes": len(set(train.tunes.tolist())),
        "parameters": sum(p.numel() for p in net.parameters()),
        "valid_loss": round(run.best_loss, 4),
        "best_step": run.best_step,
        "last_step": run.step,
        "elbo_nats_a_note": round(float(bound.sum()) / notes, 4),
        "elbo_nats_a_window": round(float(bound.mean()), 3),
        "kl_nats_a_window": round(float(codes.kl.sum(dim=1).mean()), 3),
        "active_units": codes.active_units(),
        "units_kl": [round(nats, 3) for nats in sorted(codes.kl.mean(dim=0).tolist(), reverse=True)],
        "onsets": {name: round(share["onsets"], 4) for name, share in found.items()},
        "steps": {name: round(share["steps"], 4) for name, share in found.items()},
    }
