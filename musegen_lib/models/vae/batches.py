"""Batches of two-bar windows for the melody VAE, with the weight of its KL term. T = 32 steps a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class WindowBatch:
    """Windows to train on, and the weight of the KL term at this step."""

    tokens: torch.Tensor  # (B, T)
    beta: torch.Tensor  # ()


class WindowBatches:
    """Batches for `training.fit`: windows drawn by the seed and the step.

    Args:
        beta: weight of the KL term after the warm-up.
        warmup_steps: the weight grows from 0 in a line over so many steps (KL warm-up).
    """

    def __init__(self, windows: np.ndarray, batch_size: int, seed: int, beta: float, warmup_steps: int = 0):
        if not len(windows):
            raise ValueError("there are no windows to train on")
        self.windows, self.batch_size, self.seed = windows, batch_size, seed
        self.beta, self.warmup_steps = beta, warmup_steps

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> WindowBatch:
        """Return this process's share of the batch of a step; the same one each time."""
        rng = np.random.default_rng((self.seed, step))
        chosen = self.windows[rng.integers(len(self.windows), size=self.batch_size)]
        weight = self.beta * min(1.0, (step + 1) / max(1, self.warmup_steps))
        return WindowBatch(torch.from_numpy(chosen[rank::world_size]), torch.tensor(weight))


def windows_in_batches(windows: np.ndarray, beta: float, size: int = 256) -> list[WindowBatch]:
    """Batch windows in their order."""
    parts = [windows[start : start + size] for start in range(0, len(windows), size)]
    return [WindowBatch(torch.from_numpy(part), torch.tensor(beta)) for part in parts]
