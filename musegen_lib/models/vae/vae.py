"""Variational autoencoder over two bars of melody. Taught in 03_vae.ipynb, beside a small one over the cells of a bar.

Axes: B pieces, T = 32 steps, V = 44 tokens, Z latent units.
Source: Kingma and Welling 2014, arXiv:1312.6114; the encoders and decoders stand in encoders_decoders.py.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from musegen_lib.models.vae.batches import WindowBatch
from musegen_lib.models.vae.encoders_decoders import BODIES, MelodyVAEConfig

__all__ = ["MelodyVAE", "MelodyVAEConfig", "draw_latent", "gaussian_kl"]


def gaussian_kl(mean: Float[Tensor, "B Z"], log_variance: Float[Tensor, "B Z"]) -> Float[Tensor, "B Z"]:
    """KL(N(mean, variance) || N(0, 1)) of each unit in nats.

    >>> gaussian_kl(torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2)).tolist()
    [[0.0, 2.0]]
    """
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)


def draw_latent(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Float[Tensor, "B Z"]:
    """Z = mean + deviation * noise: a draw through which gradients pass (the reparameterisation)."""
    return mean + (0.5 * log_variance).exp() * noise


class MelodyVAE(nn.Module):
    """p(window) = integral of p(window | z) p(z) over z, with p(z) = N(0, 1) and q(z | window) Gaussian."""

    def __init__(self, config: MelodyVAEConfig):
        super().__init__()
        self.config = config
        encoder, decoder = BODIES[config.body]
        self.encoder, self.decoder = encoder(config), decoder(config)

    def encode(self, tokens: Int[Tensor, "B T"]) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        """Mean and log-variance of q(z | window)."""
        mean, log_variance = self.encoder(tokens).chunk(2, dim=-1)
        return mean, log_variance

    def decode(self, z: Float[Tensor, "B Z"], tokens: Int[Tensor, "B T"] | None = None) -> Float[Tensor, "B T V"]:
        """Logits of every step: having read the true tokens before it (teacher forcing), or else the net's own."""
        return self.decoder(z, tokens)

    def forward(self, tokens: Int[Tensor, "B T"], noise: Float[Tensor, "B Z"]) -> Float[Tensor, "B T V"]:
        """Teacher-forced logits from a code drawn with the given noise."""
        return self.decode(draw_latent(*self.encode(tokens), noise), tokens)

    def nll(self, z: Float[Tensor, "B Z"], tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B"]:
        """-log p(window | z) in nats."""
        scores = self.decode(z, tokens).transpose(1, 2)  # (B, V, T)
        return F.cross_entropy(scores, tokens, reduction="none").sum(dim=1)

    def loss(self, batch: WindowBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats a window: surprise summed over steps, plus beta times the KL summed over units (free bits deducted)."""
        mean, log_variance = self.encode(batch.tokens)
        z = draw_latent(mean, log_variance, torch.randn_like(mean))
        nll = self.nll(z, batch.tokens).mean()
        units = gaussian_kl(mean, log_variance).mean(dim=0)  # (Z,)
        charged = units.clamp(min=self.config.free_nats).sum()
        parts = {"weight": float(len(mean)), "nll": float(nll.detach()), "kl": float(units.detach().sum())}
        return nll + batch.beta * charged, parts

    @torch.no_grad()
    def write(self, z: Float[Tensor, "B Z"], generator: torch.Generator | None = None) -> Int[Tensor, "B T"]:
        """Free-running tokens: the likeliest at each step, or drawn with the generator."""
        self.eval()
        return self.decoder.write(z, generator)[0]

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator, draw_tokens: bool = False) -> Int[Tensor, "n T"]:
        """Windows from codes drawn from the prior."""
        z = torch.randn(n, self.config.latent_dim, generator=generator)
        return self.write(z, generator if draw_tokens else None)
