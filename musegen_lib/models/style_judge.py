"""The n-gram judge's numbers in the form of a checkpoint. Taught in 05_style_transfer.ipynb."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from musegen_lib.models.style_counts import BASE, VIEWS, GramJudge


@dataclass(frozen=True)
class GramJudgeConfig:
    """The size of a GramJudge."""

    n_features: int = 2 * BASE**3  # intervals in the first half, ratios of durations in the second


class GramJudgeNet(nn.Module):
    """A fitted GramJudge as tensors; weights in half precision, since most are small and none decides alone."""

    def __init__(self, config: GramJudgeConfig):
        super().__init__()
        self.config = config
        n_views = len(VIEWS)
        self.register_buffer("weights", torch.zeros(n_views, config.n_features, dtype=torch.float16))
        for name in ("biases", "slopes", "offsets"):
            self.register_buffer(name, torch.zeros(n_views))

    def fill(self, judge: GramJudge) -> GramJudgeNet:
        """Take over the numbers of a fitted judge."""
        for name, tensor in self.state_dict().items():
            tensor.copy_(torch.from_numpy(getattr(judge, name)))
        return self

    def judge(self) -> GramJudge:
        """The judge that these numbers make."""
        arrays = {name: tensor.float().numpy() for name, tensor in self.state_dict().items()}
        return GramJudge(arrays["weights"], *(arrays[name].astype(float) for name in ("biases", "slopes", "offsets")))
