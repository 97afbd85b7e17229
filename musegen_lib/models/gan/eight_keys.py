"""A game that can be drawn, for lesson 2: points around eight keys on a circle, and two small networks."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

WIDTH, NOISE = 64, 4
UNSTEADY = 0.05  # standard deviation around a key; neighbouring keys are 0.77 apart
_ANGLES = torch.arange(8) * torch.pi / 4
KEYS = torch.stack([_ANGLES.cos(), _ANGLES.sin()], dim=1)  # (8, 2)


def key_points(n: int) -> Float[Tensor, "n 2"]:
    """Real points: a key drawn at random, and a little unsteadiness."""
    return KEYS[torch.randint(8, (n,))] + UNSTEADY * torch.randn(n, 2)


def ring_points(n: int) -> Float[Tensor, "n 2"]:
    """Points anywhere on the circle, which know nothing of keys."""
    angle = 2 * torch.pi * torch.rand(n)
    return torch.stack([angle.cos(), angle.sin()], dim=1)


class ToyGenerator(nn.Module):
    """Four random numbers to a point in the plane."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = _layers(NOISE, 2)

    def draw(self, n: int) -> Float[Tensor, "n 2"]:
        """Draw n points from the global random state."""
        return self.layers(torch.randn(n, NOISE))


def toy_discriminator() -> nn.Module:
    """A point in the plane to one raw score: (n, 2) to (n,)."""
    return nn.Sequential(_layers(2, 1), nn.Flatten(0))


def _layers(n_in: int, n_out: int) -> nn.Module:
    bend = nn.LeakyReLU(0.2)
    return nn.Sequential(nn.Linear(n_in, WIDTH), bend, nn.Linear(WIDTH, WIDTH), bend, nn.Linear(WIDTH, n_out))
