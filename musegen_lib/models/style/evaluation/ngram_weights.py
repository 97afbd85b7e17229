"""The counting classifier of style as a file of weights: half-precision numbers, read instead of fitted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from musegen_lib.core.piece import Piece
from musegen_lib.models.style.evaluation.ngram_classifier import BASE, VIEWS, NgramClassifier


@dataclass(frozen=True)
class NgramWeightsConfig:
    """Sizes of a NgramWeights."""

    n_grams: int = 2 * BASE**3  # runs of intervals, then runs of ratios
    n_views: int = len(VIEWS)


class NgramWeights(nn.Module):
    """What a NgramClassifier knows, as tensors: weights in float16, the few other numbers in float32."""

    def __init__(self, config: NgramWeightsConfig):
        super().__init__()
        self.config = config
        self.weights = nn.Parameter(torch.zeros(config.n_views, config.n_grams, dtype=torch.float16), False)
        self.biases = nn.Parameter(torch.zeros(config.n_views), False)
        self.slopes = nn.Parameter(torch.ones(config.n_views), False)
        self.offsets = nn.Parameter(torch.zeros(config.n_views), False)

    @classmethod
    def of(cls, classifier: NgramClassifier) -> NgramWeights:
        """Take the numbers of a fitted classifier, rounded to the precision of the file."""
        net = cls(NgramWeightsConfig())
        for name, tensor in net.named_parameters():
            tensor.copy_(torch.from_numpy(np.asarray(getattr(classifier, name))))
        return net

    def classifier(self) -> NgramClassifier:
        """The classifier with these numbers."""
        return NgramClassifier(
            weights=self.weights.float().numpy(),
            **{name: getattr(self, name).double().numpy() for name in ("biases", "slopes", "offsets")},
        )

    def forward(self, grams: Float[Tensor, "B G"]) -> Float[Tensor, "B"]:
        """Return the combined view's log odds that each row of features is Chinese."""
        row = VIEWS.index("combined")
        raw = grams @ self.weights[row].float() + self.biases[row]
        return raw * self.slopes[row] + self.offsets[row]


def nats_of(classifier: NgramClassifier, chinese: list[Piece], german: list[Piece]) -> float:
    """Mean surprise of the combined view at the true style, nats a melody; each style weighs the same."""
    sides = ((chinese, "chinese"), (german, "german"))
    return float(np.mean([-np.log(classifier.probability(pieces, style)).mean() for pieces, style in sides]))
