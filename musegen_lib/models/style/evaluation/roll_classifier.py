"""The second classifier of style: a small convolutional net on piano rolls, unlike the first in all it can see.

It reads 32 sixteenths at a time as two rolls (onsets, sounding notes), centred on their mean pitch, and its maximum
over pitch and time forgets the rest of the key. It is never a critic. Taught in notebooks/05_style_transfer.ipynb.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from musegen_lib.core.configs import require_sizes
from musegen_lib.core.piece import Piece

ROLL_STEPS, HOP_STEPS, ROLL_PITCHES = 32, 16, 48
MAX_MOVE = 4  # semitones a roll may move in training


@dataclass(frozen=True)
class RollClassifierConfig:
    """Sizes of a RollClassifier."""

    channels: int = 16  # of the first layer; the next have 1.5 and 2 times as many
    dropout: float = 0.2

    def __post_init__(self) -> None:
        require_sizes(self)


@dataclass(frozen=True)
class RollBatch:
    """Rolls (B, 2, T, P), labels (B,) with 1 = Chinese, and what each roll weighs (B,)."""

    rolls: Tensor
    labels: Tensor
    weights: Tensor


class RollClassifier(nn.Module):
    """Logit that a roll is Chinese."""

    def __init__(self, config: RollClassifierConfig):
        super().__init__()
        self.config, c = config, config.channels
        self.layers = nn.Sequential(
            nn.Conv2d(2, c, (4, 13), stride=(2, 1), padding=(1, 0)),  # (B, c, 16, 36) an octave, four sixteenths
            nn.ReLU(),
            nn.Conv2d(c, 3 * c // 2, (3, 5), stride=(1, 2), padding=(1, 2)),  # (B, 1.5c, 16, 18)
            nn.ReLU(),
            nn.Conv2d(3 * c // 2, 2 * c, (3, 3), stride=2, padding=1),  # (B, 2c, 8, 9)
            nn.ReLU(),
        )
        self.drop = nn.Dropout(config.dropout)
        self.head = nn.Linear(4 * c, 1)

    def forward(self, rolls: Float[Tensor, "B 2 T P"]) -> Float[Tensor, "B"]:
        """Return logits."""
        seen = self.layers(rolls)
        pooled = torch.cat([seen.amax(dim=(2, 3)), seen.mean(dim=(2, 3))], dim=1)
        return self.head(self.drop(pooled))[:, 0]

    def loss(self, batch: RollBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Weighted binary cross-entropy, nats a roll."""
        nats = F.binary_cross_entropy_with_logits(self(batch.rolls), batch.labels, reduction="none")
        return (nats * batch.weights).sum() / batch.weights.sum(), {"weight": float(batch.weights.sum())}

    @torch.no_grad()
    def probability(self, pieces: Sequence[Piece], style: str) -> Float[np.ndarray, "B"]:
        """How sure the classifier is that each melody is of the style: its windows' logits are averaged."""
        self.eval()
        rolls = [piece_to_rolls(piece) for piece in pieces]
        logits = self(torch.from_numpy(np.concatenate(rolls))) if rolls else torch.zeros(0)
        means = [part.mean() for part in logits.split([len(part) for part in rolls])]
        signed = torch.tensor(means, dtype=torch.float64) * (1 if style == "chinese" else -1)
        return torch.sigmoid(signed).numpy()


def piece_to_rolls(piece: Piece) -> Float[np.ndarray, "windows 2 32 48"]:
    """Cut a melody into rolls of 32 sixteenths, 16 apart; at least one, and none that begins after the last note."""
    scale = 4 / piece.steps_per_beat
    start = np.floor(piece.notes["onset_steps"] * scale + 0.5).astype(np.int64)
    stop = np.maximum(start + 1, np.floor((piece.notes["onset_steps"] + piece.notes["duration_steps"]) * scale + 0.5))
    pitch = piece.notes["pitch"].astype(np.int64)
    last = int(stop.max(initial=ROLL_STEPS))
    firsts = range(0, max(1, last - ROLL_STEPS + 1), HOP_STEPS)
    return np.stack([_roll(start - first, stop.astype(np.int64) - first, pitch) for first in firsts])


def _roll(start: np.ndarray, stop: np.ndarray, pitch: np.ndarray) -> Float[np.ndarray, "2 32 48"]:
    roll = np.zeros((2, ROLL_STEPS, ROLL_PITCHES), dtype=np.float32)
    heard = (stop > 0) & (start < ROLL_STEPS)
    middle = round(float(pitch[heard].mean())) if heard.any() else 60
    for begin, end, row in zip(start[heard], stop[heard], pitch[heard] - middle + ROLL_PITCHES // 2, strict=True):
        if 0 <= row < ROLL_PITCHES:
            roll[0, max(0, begin), row] = begin >= 0
            roll[1, max(0, begin) : end, row] = 1
    return roll


class RollBatches:
    """Batches for `training.fit`: half of each style, drawn by seed and step, moved by some semitones."""

    def __init__(self, chinese: np.ndarray, german: np.ndarray, batch_size: int, seed: int):
        self.sides, self.half, self.seed = (german, chinese), batch_size // 2, seed

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> RollBatch:
        """Return this process's share of the batch of a step; the same one each time."""
        rng = np.random.default_rng((self.seed, step))
        rolls = np.concatenate([side[rng.integers(len(side), size=self.half)] for side in self.sides])
        rolls = np.roll(rolls, rng.integers(-MAX_MOVE, MAX_MOVE + 1), axis=3)
        labels = np.repeat(np.arange(2, dtype=np.float32), self.half)
        rolls, labels = rolls[rank::world_size], labels[rank::world_size]
        return RollBatch(torch.from_numpy(rolls.copy()), torch.from_numpy(labels), torch.ones(len(labels)))


def rolls_in_batches(chinese: np.ndarray, german: np.ndarray, size: int = 256) -> list[RollBatch]:
    """Batch rolls in their order; each style weighs the same in all."""
    rolls = torch.from_numpy(np.concatenate([german, chinese]))
    labels = torch.cat([torch.zeros(len(german)), torch.ones(len(chinese))])
    weights = torch.where(labels > 0, 0.5 / len(chinese), 0.5 / len(german)) * len(rolls)
    parts = zip(rolls.split(size), labels.split(size), weights.split(size), strict=True)
    return [RollBatch(*part) for part in parts]
