"""The long experiment with the VAE of two styles: does its latent forget the style, and what is that worth?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from musegen_lib.models.style_lines import N_INTERVALS, LineBatch, LineBatches
from musegen_lib.models.style_vae import StyleClassifier
from musegen_lib.piece import Piece
from musegen_lib.recipes.style_nets import STYLE_VAE, StyleVAERecipe, lines_in_batches, transfer_lines
from musegen_lib.style_pair import STYLES, load_held_out, other_style
from musegen_lib.transfer_measures import evaluate_method
from musegen_lib.transfer_nets import by_content
from musegen_lib.transfer_table import transfer_table

SEEDS = (0, 1, 2)
AMOUNT = 0.2
N_TUNES = 40  # the first validation tunes a direction
PROBE_STEPS, PROBE_RATE = 200, 5e-3

Reader = Callable[[LineBatch], torch.Tensor]  # what a probe is shown of each note, (B, M, F)


def style_latents() -> list[dict[str, Any]]:
    """The VAE of two styles with and without reversed gradient, three seeds; the last row is a probe on the notes.

    `probe` is how well a new classifier tells the style of held-out melodies from their latents (balanced accuracy,
    floor .5); each direction of transfer is measured on the validation tunes at a fifth of the notes.
    """
    lines = transfer_lines("train"), transfer_lines("valid")
    rows = [_trained(lines, reversal, seed) for reversal, seed in product((0.0, 1.0), SEEDS)]
    notes = [{"reads": "notes", "seed": seed, "probe": probe(one_hot, N_INTERVALS, lines, seed)} for seed in SEEDS]
    return rows + notes


def transfer_test() -> list[dict[str, Any]]:
    """Every method of `musegen transfer` and every baseline on all held-out test tunes, a fifth of the notes."""
    return transfer_table("test")


def one_hot(batch: LineBatch) -> torch.Tensor:
    """The intervals themselves, for the probe's ceiling."""
    return F.one_hot(batch.intervals, N_INTERVALS).float()


def probe(read: Reader, n_features: int, lines: tuple, seed: int) -> float:
    """Train a classifier on what `read` shows of training melodies; balanced accuracy on the validation melodies."""
    torch.manual_seed(seed)
    net, batches = StyleClassifier(n_features), LineBatches(lines[0][:2], (20, 20), seed + 100)
    optimizer = torch.optim.Adam(net.parameters(), lr=PROBE_RATE)
    for step in range(PROBE_STEPS):
        batch = batches(step)
        optimizer.zero_grad()
        F.cross_entropy(net(read(batch), batch.mask), batch.styles).backward()
        optimizer.step()
    hits: list[list[float]] = [[] for _ in STYLES]
    with torch.no_grad():
        for batch in lines_in_batches(lines[1]):
            style = int(batch.styles[0])
            hits[style] += (net(read(batch), batch.mask)[:, :2].argmax(dim=1) == style).float().tolist()
    return round(sum(sum(own) / len(own) for own in hits) / 2, 4)


def _trained(lines: tuple, reversal: float, seed: int) -> dict[str, Any]:
    recipe, valid = StyleVAERecipe(), lines_in_batches(lines[1])
    recipe.config = replace(recipe.config, reversal=reversal)
    out = Path("style-vae" if recipe.config == STYLE_VAE.config else f"style-vae-reversal-{reversal:g}")
    model, _ = recipe.trained(lines[0], valid, out, seed, None, None)  # a finished run is not run again
    model.eval()
    weights = torch.tensor([float(batch.mask.sum()) for batch in valid])

    def encode(batch: LineBatch) -> torch.Tensor:
        with torch.no_grad():
            return model.encode(batch)[0]

    def rewrite(piece: Piece, to: str, amount: float, seed: int) -> Piece:
        return by_content(model, piece, to, amount)

    with torch.no_grad():
        right = torch.tensor([model.terms(batch)[:2] for batch in valid])
        wrong = torch.tensor([model.terms(replace(batch, styles=1 - batch.styles))[0] for batch in valid])
    nats, kl = ((right.T * weights).sum(dim=1) / weights.sum()).tolist()
    return {
        "reads": "latents",
        "reversal": reversal,
        "seed": seed,
        "nats": round(nats, 4),
        "nats_wrong_style": round(float((wrong * weights).sum() / weights.sum()), 4),
        "kl": round(kl, 4),
        "probe": probe(encode, model.config.latent_dim, lines, seed),
    } | {to: _transfer(rewrite, to) for to in STYLES}


def _transfer(rewrite: Any, to: str) -> dict[str, float]:
    found = evaluate_method(rewrite, to, AMOUNT, list(load_held_out(other_style(to), "valid"))[:N_TUNES], 0)
    return {name: round(value, 4) for name, value in found.items()}
