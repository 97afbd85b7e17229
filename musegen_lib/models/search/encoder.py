"""Tune encoder: a window of about 16 notes becomes a point on a sphere, near the points of the same notes hummed badly.

Key and tempo cannot matter: the net reads intervals, pitches against the window's middle one, and lengths against the
window's middle one. A tune is the set of its windows, and a query is as close as the closest of them.
Axes: B windows, L notes (padded at the end), D numbers of a point.
Source: InfoNCE of van den Oord et al. 2018, arXiv:1807.03748; both ways as in Radford et al. 2021, arXiv:2103.00020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

ENCODER_WIDEST = 12  # semitones up or down that the net tells apart
LONGEST = 48  # notes of a window


@dataclass(frozen=True)
class NoteBatch:
    """Windows side by side."""

    pitches: Int[Tensor, "B L"]
    durations: Float[Tensor, "B L"]  # in any unit, above 0
    mask: Bool[Tensor, "B L"]  # True = a note


@dataclass(frozen=True)
class PairBatch:
    """Windows in pairs: row i of both sides is the same place of the same tune, so rows of one family never repel."""

    pitches: Int[Tensor, "2 B L"]
    durations: Float[Tensor, "2 B L"]
    mask: Bool[Tensor, "2 B L"]
    families: Int[Tensor, "B"]

    def side(self, number: int) -> NoteBatch:
        """One side of the pairs."""
        return NoteBatch(self.pitches[number], self.durations[number], self.mask[number])


@dataclass(frozen=True)
class TuneEncoderConfig:
    """Sizes of a TuneEncoder, and three switches that lesson 6 turns to see what breaks."""

    width: int = 96
    n_layers: int = 3
    n_heads: int = 8
    dim: int = 96  # D
    temperature: float = 0.07
    reads: str = "intervals"  # or "pitches": the MIDI numbers themselves
    negatives: bool = True  # False: pairs attract, nothing repels
    masked: bool = True  # False: a family's other rows repel like any

    def __post_init__(self) -> None:
        if min(self.width, self.n_layers, self.n_heads, self.dim) < 1 or self.temperature <= 0:
            raise ValueError(f"{self}: needs sizes of at least 1 and a temperature above 0")
        if self.reads not in ("intervals", "pitches"):
            raise ValueError(f"reads {self.reads!r} must be 'intervals' or 'pitches'")


class TuneEncoder(nn.Module):
    """Three convolutions along the notes, then heads that each look where they like, then a point of length 1."""

    def __init__(self, config: TuneEncoderConfig):
        super().__init__()
        self.config = config
        width = config.width
        n_codes = 2 * ENCODER_WIDEST + 2 if config.reads == "intervals" else 128
        self.step = nn.Embedding(n_codes, width)  # from the note before; the last code: there is none
        self.level = nn.Embedding(2 * ENCODER_WIDEST + 1, width)  # against the middle pitch of the window
        self.place = nn.Embedding(LONGEST, width)
        self.length = nn.Linear(2, width)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in range(config.n_layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(config.n_layers))
        self.look = nn.Linear(width, config.n_heads)
        self.point = nn.Linear(config.n_heads * width, config.dim)

    def read(self, batch: NoteBatch) -> Float[Tensor, "B L W"]:
        """Features of each note; nothing but `reads="pitches"` lets the key in, and nothing the tempo."""
        places = torch.arange(batch.pitches.shape[1], device=batch.pitches.device).clamp(max=LONGEST - 1)
        lengths = batch.durations.clamp(min=1e-4).log2()
        against = (lengths - _middle(lengths, batch.mask)).clamp(-3, 3)
        steps = F.pad(lengths.diff(dim=1), (1, 0)).clamp(-3, 3)
        rhythm = self.length(torch.stack([against, steps], dim=-1))
        if self.config.reads == "pitches":
            return self.step(batch.pitches) + self.place(places) + rhythm
        moved = batch.pitches.diff(dim=1).clamp(-ENCODER_WIDEST, ENCODER_WIDEST) + ENCODER_WIDEST
        moved = F.pad(moved, (1, 0), value=2 * ENCODER_WIDEST + 1)
        level = (batch.pitches - _middle(batch.pitches, batch.mask)).clamp(
            -ENCODER_WIDEST, ENCODER_WIDEST
        ) + ENCODER_WIDEST
        return self.step(moved) + self.level(level) + self.place(places) + rhythm

    def forward(self, batch: NoteBatch) -> Float[Tensor, "B D"]:
        """Points of length 1."""
        keep = batch.mask.unsqueeze(-1)
        hidden = self.read(batch) * keep
        for layer, norm in zip(self.layers, self.norms):
            hidden = hidden + F.gelu(layer(norm(hidden).mul(keep).transpose(1, 2)).transpose(1, 2)) * keep
        weights = self.look(hidden).masked_fill(~keep, -1e4).softmax(dim=1)  # (B, L, heads)
        seen = torch.einsum("blh,blw->bhw", weights, hidden).flatten(1)
        return F.normalize(self.point(seen), dim=-1)

    def loss(self, batch: PairBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats to find a window's partner among the batch, both ways; without negatives the distance of partners."""
        first, second = self(batch.side(0)), self(batch.side(1))
        weight = {"weight": float(len(first))}
        if not self.config.negatives:
            return (1 - (first * second).sum(dim=1)).mean(), weight
        families = batch.families if self.config.masked else torch.arange(len(first), device=first.device)
        return info_nce(first, second, families, self.config.temperature), weight


def info_nce(
    first: Float[Tensor, "B D"], second: Float[Tensor, "B D"], families: Int[Tensor, "B"], temperature: float
) -> Float[Tensor, ""]:
    """Mean of the cross-entropies of picking row i of one side for row i of the other; family members are left out.

    >>> far, strangers, sisters = torch.eye(2), torch.tensor([0, 1]), torch.tensor([0, 0])
    >>> [round(float(info_nce(far, far, families, 1.0)), 4) for families in (strangers, sisters)]
    [0.3133, 0.0]
    """
    logits = first @ second.T / temperature  # (B, B)
    same = (families[:, None] == families[None, :]) & ~torch.eye(len(first), dtype=torch.bool, device=first.device)
    logits = logits.masked_fill(same, -1e4)
    wanted = torch.arange(len(first), device=first.device)
    return 0.5 * (F.cross_entropy(logits, wanted) + F.cross_entropy(logits.T, wanted))


@torch.no_grad()
def encode_rows(
    model: TuneEncoder, pitches: Int[np.ndarray, "N L"], durations: Float[np.ndarray, "N L"], size: int = 512
) -> Float[np.ndarray, "N D"]:
    """Points of many windows of full length."""
    model.eval()
    found = []
    for start in range(0, len(pitches), size):
        part = torch.from_numpy(np.asarray(pitches[start : start + size], dtype=np.int64))
        lengths = torch.from_numpy(np.asarray(durations[start : start + size], dtype=np.float32))
        found.append(model(NoteBatch(part, lengths, torch.ones(part.shape, dtype=torch.bool))).numpy())
    return np.concatenate(found) if found else np.zeros((0, model.config.dim), dtype=np.float32)


def _middle(values: Tensor, mask: Tensor) -> Tensor:
    """(B, 1) median of each row's notes, the lower one of two."""
    big = torch.finfo(torch.float32).max if values.is_floating_point() else torch.iinfo(values.dtype).max
    ordered = values.masked_fill(~mask, big).sort(dim=1).values
    return ordered.gather(1, ((mask.sum(dim=1, keepdim=True) - 1) // 2).clamp(min=0))
