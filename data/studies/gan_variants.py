"""Designs tried beside `gan.BarGenerator` and `gan.BarDiscriminator`; the study `gan-designs` measures them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from musegen_lib.encodings.chorale_steps import N_VOICES
from musegen_lib.models.gan.interval_features import N_BAR_TOKENS, N_PARALLELS, PERIODS
from musegen_lib.models.gan.nets import (
    BAR_STEPS,
    BarDiscriminator,
    BarGANConfig,
    BarGenerator,
    gumbel_noise,
    opening,
    straight_through,
)


class OneShotGenerator(nn.Module):
    """All 64 tokens of a bar at once from one noise vector: two layers, then one more at each step."""

    def __init__(self, config: BarGANConfig):
        super().__init__()
        self.config, width = config, config.hidden_dim
        self.spread = nn.Sequential(
            nn.Linear(config.noise_dim, 2 * width),
            nn.LayerNorm(2 * width),
            nn.LeakyReLU(0.2),
            nn.Linear(2 * width, BAR_STEPS * width),
        )
        self.norm, self.mix, self.norm_again = nn.LayerNorm(width), nn.Linear(width, width), nn.LayerNorm(width)
        self.out = nn.Linear(width, N_VOICES * N_BAR_TOKENS)
        self.usual = nn.Parameter(torch.zeros(BAR_STEPS, N_VOICES, N_BAR_TOKENS))

    def draw(
        self, n: int, generator: torch.Generator | None = None, temperature: float = 1.0
    ) -> Float[Tensor, "n T 4 K"]:
        """Draw n bars; each token is drawn by itself, given the noise that they share."""
        noise = torch.randn(n, self.config.noise_dim, generator=generator)
        steps = F.leaky_relu(self.norm(self.spread(noise).view(n, BAR_STEPS, -1)), 0.2)
        steps = steps + F.leaky_relu(self.norm_again(self.mix(steps)), 0.2)
        logits = self.out(steps).view(n, BAR_STEPS, N_VOICES, N_BAR_TOKENS) + self.usual
        logits = torch.cat([opening(logits[:, :1]), logits[:, 1:]], dim=1)
        return straight_through(logits + temperature * gumbel_noise(tuple(logits.shape), generator))


class DeterministicGenerator(BarGenerator):
    """A BarGenerator that takes the likeliest token, so that its normal noise is the only source of variety."""

    def draw(
        self, n: int, generator: torch.Generator | None = None, temperature: float = 0.0
    ) -> Float[Tensor, "n T 4 K"]:
        """Draw n pieces without Gumbel noise, whatever the temperature."""
        return super().draw(n, generator, 0.0)


class MotionlessGenerator(BarGenerator):
    """A BarGenerator without its table of motion: it never knows how another voice moved to where it stands."""

    def _led(self, i: int, own: Tensor, chosen: list[Tensor], before: list[Tensor]) -> Tensor:
        return own.new_zeros(1)


class MotionlessDiscriminator(BarDiscriminator):
    """A BarDiscriminator that is not shown which pairs of voices move in parallel."""

    def see(self, tokens: Float[Tensor, "B T 4 K"]) -> Float[Tensor, "B T F"]:
        """What the layers read, with zeros in place of parallel motion."""
        return _hidden(super().see(tokens), slice(-2 * N_VOICES - N_PARALLELS, -2 * N_VOICES))


class WholeBarDiscriminator(BarDiscriminator):
    """A BarDiscriminator that gives one score a bar and none to steps and beats."""

    def forward(self, seen: Float[Tensor, "B T F"]) -> tuple[Tensor, ...]:
        """Return the score of each bar."""
        return super().forward(seen)[2:]


class PlainDiscriminator(BarDiscriminator):
    """A BarDiscriminator to which intervals are not spelled out: it sees pitches, onsets and silences."""

    def see(self, tokens: Float[Tensor, "B T 4 K"]) -> Float[Tensor, "B T F"]:
        """What the layers read, with zeros in place of all intervals between voices and over time."""
        return _hidden(super().see(tokens), slice(2 * len(PERIODS) * N_VOICES, -2 * N_VOICES))


def _hidden(seen: Float[Tensor, "B T F"], features: slice) -> Float[Tensor, "B T F"]:
    """The same with zeros in place of some features."""
    shown = torch.ones(seen.shape[-1])
    shown[features] = 0
    return seen * shown
