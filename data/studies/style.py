"""The long experiment with the VAE of two styles: does its latent forget the style, and what is that worth?"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES, load_held_out, other_style
from musegen_lib.encodings.melody_lines import N_INTERVALS
from musegen_lib.models.style.batches import LineBatch
from musegen_lib.models.style.evaluation.measures import evaluate_method
from musegen_lib.models.style.evaluation.probe import one_hot, probe
from musegen_lib.models.style.evaluation.table import transfer_table
from musegen_lib.models.style.methods import by_content
from musegen_lib.models.style.net_recipes import STYLE_VAE, StyleVAERecipe, lines_in_batches, transfer_lines

SEEDS = (0, 1, 2)
AMOUNT = 0.2
N_TUNES = 40  # the first validation tunes a direction


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
