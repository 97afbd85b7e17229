"""How good is a VAE? The two bounds on the likelihood, the rate, accuracy with its baseline, units in use.

Axes: N windows, T steps, Z latent units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from musegen_lib.encodings.arrays import FIRST_PITCH, HOLD
from musegen_lib.models.vae.vae import MelodyVAE, draw_latent, gaussian_kl

ACTIVE_VARIANCE = 0.01


@dataclass(frozen=True)
class Codes:
    """What the encoder says of N windows, and one draw of z from it."""

    mean: Float[Tensor, "N Z"]
    log_variance: Float[Tensor, "N Z"]
    z: Float[Tensor, "N Z"]

    @property
    def kl(self) -> Float[Tensor, "N Z"]:
        """Nats a unit and window: the rate."""
        return gaussian_kl(self.mean, self.log_variance)

    def active_units(self) -> int:
        """Units whose mean varies over windows by more than ACTIVE_VARIANCE.

        Source: Burda et al. 2016, arXiv:1509.00519, section 5.2.
        """
        return int((self.mean.var(dim=0) > ACTIVE_VARIANCE).sum())


@torch.no_grad()
def encode_windows(model: MelodyVAE, tokens: Int[np.ndarray, "N T"], generator: torch.Generator) -> Codes:
    """Encode windows, and draw one code for each."""
    model.eval()
    mean, log_variance = (torch.cat(part) for part in zip(*(model.encode(part) for part in in_parts(tokens))))
    return Codes(mean, log_variance, draw_latent(mean, log_variance, torch.randn(mean.shape, generator=generator)))


def in_parts(tokens: Int[np.ndarray, "N T"], size: int = 256) -> list[Int[Tensor, "B T"]]:
    """Windows in parts that fit into memory, in their order."""
    return list(torch.from_numpy(np.asarray(tokens, dtype=np.int64)).split(size))


@torch.no_grad()
def elbo_nats(model: MelodyVAE, tokens: Int[np.ndarray, "N T"], codes: Codes) -> Float[np.ndarray, "N"]:
    """-ELBO of each window: an upper bound on its surprise, with the one draw of z in `codes`."""
    nll = torch.cat([model.nll(z, part) for z, part in zip(codes.z.split(256), in_parts(tokens))])
    return (nll + codes.kl.sum(dim=1)).double().numpy()


@torch.no_grad()
def iwae_nats(
    model: MelodyVAE, tokens: Int[np.ndarray, "N T"], n_draws: int, generator: torch.Generator
) -> Float[np.ndarray, "N"]:
    """-log of the mean of p(x|z) p(z) / q(z|x) over draws of z: a tighter upper bound; one draw gives the ELBO.

    Source: Burda et al. 2016, arXiv:1509.00519.
    """
    model.eval()
    bounds = []
    for part in in_parts(tokens, 64):
        mean, log_variance = model.encode(part)
        weights = []
        for _ in range(n_draws):
            noise = torch.randn(mean.shape, generator=generator)
            z = draw_latent(mean, log_variance, noise)
            prior_over_posterior = 0.5 * (noise**2 + log_variance - z**2).sum(dim=1)  # log p(z) - log q(z|x)
            weights.append(prior_over_posterior - model.nll(z, part))
        bounds.append(math.log(n_draws) - torch.stack(weights).double().logsumexp(dim=0))
    return torch.cat(bounds).numpy()


def accuracy(written: Int[np.ndarray, "N T"], tokens: Int[np.ndarray, "N T"]) -> dict[str, float]:
    """Share of struck notes given back at their step with their pitch, and share of all steps given back.

    >>> accuracy(np.array([[14, 0, 0, 0]]), np.array([[14, 0, 16, 0]]))
    {'onsets': 0.5, 'steps': 0.75}
    """
    right = np.asarray(written) == tokens
    return {"onsets": float(right[tokens >= FIRST_PITCH].mean()), "steps": float(right.mean())}


def hold_baseline(tokens: Int[np.ndarray, "N T"]) -> dict[str, float]:
    """What "always hold" scores."""
    return accuracy(np.full_like(tokens, HOLD), tokens)


@torch.no_grad()
def write_windows(
    model: MelodyVAE, z: Float[Tensor, "N Z"], generator: torch.Generator | None = None
) -> Int[np.ndarray, "N T"]:
    """Free-running tokens of many codes."""
    return np.concatenate([model.write(part, generator).numpy() for part in z.split(256)])


@torch.no_grad()
def teacher_forced(model: MelodyVAE, tokens: Int[np.ndarray, "N T"], z: Float[Tensor, "N Z"]) -> np.ndarray:
    """The likeliest token of each step, the true tokens before it being known."""
    model.eval()
    guesses = [model.decode(code, part).argmax(dim=2) for code, part in zip(z.split(256), in_parts(tokens))]
    return torch.cat(guesses).numpy()


def reconstruction(model: MelodyVAE, tokens: Int[np.ndarray, "N T"], codes: Codes) -> dict[str, dict[str, float]]:
    """Accuracy of the round trip: free-running from the mean and a drawn code, teacher-forced, and the baseline."""
    return {
        "from_mean": accuracy(write_windows(model, codes.mean), tokens),
        "from_draw": accuracy(write_windows(model, codes.z), tokens),
        "teacher_forced": accuracy(teacher_forced(model, tokens, codes.z), tokens),
        "always_hold": hold_baseline(tokens),
    }
