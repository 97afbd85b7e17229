"""The pair of most tutorials: 100 random numbers to 784 cells, and 784 cells to one score. Taught in lesson 02b.

Axes: B bars in a batch, Z noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from musegen_lib.core.configs import require_sizes

BAR_CELLS = 784


@dataclass(frozen=True)
class SketchConfig:
    """Sizes of the sketch."""

    noise_dim: int = 100  # Z
    hidden_dim: int = 256  # of both nets

    def __post_init__(self) -> None:
        require_sizes(self)


class SketchGenerator(nn.Module):
    """784 logits from 100 random numbers: G(z) = W2 tanh(W1 z + b1) + b2."""

    def __init__(self, config: SketchConfig):
        super().__init__()
        self.config, width = config, config.hidden_dim
        self.layers = nn.Sequential(nn.Linear(config.noise_dim, width), nn.Tanh(), nn.Linear(width, BAR_CELLS))

    def forward(self, noise: Float[Tensor, "B Z"]) -> Float[Tensor, "B 784"]:
        """Return one logit a cell."""
        return self.layers(noise)

    def draw(self, n: int, generator: torch.Generator | None = None) -> Float[Tensor, "n 784"]:
        """Draw n bars, from the global random state if no generator is given: a number from 0 to 1 for each cell."""
        return torch.sigmoid(self(torch.randn(n, self.config.noise_dim, generator=generator)))


class SketchDiscriminator(nn.Module):
    """One raw score from 784 cells, through 256 hidden units."""

    def __init__(self, config: SketchConfig):
        super().__init__()
        self.config, width = config, config.hidden_dim
        self.layers = nn.Sequential(nn.Linear(BAR_CELLS, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, cells: Float[Tensor, "B 784"]) -> tuple[Float[Tensor, "B"]]:
        """Return the raw scores; above 0 means "rather real"."""
        return (self.layers(cells)[:, 0],)

    def see(self, cells: Float[Tensor, "B 784"]) -> Float[Tensor, "B 784"]:
        """What the layers read: the cells themselves."""
        return cells
