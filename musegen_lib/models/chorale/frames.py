"""Recurrent model of frames: which set of pitches sounds next? Measured in notebooks/04b_real_time.ipynb.

Axes: B pieces, T frames, K pitches in a frame from high to low, D model width. A net over the frames reads the past; a
small GRU then writes the pitches of the next frame one by one, from the highest down, and an end. Each set of pitches
has exactly one such order, so the product of the steps is the exact probability of the set.
Source: the task, its measure, and a second net inside the frame are those of Boulanger-Lewandowski et al. 2012,
arXiv:1206.6392, with a GRU in place of their RBM.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musegen_lib.core.configs import require_sizes

NONE = 0  # no further pitch; pitch p has id p + 1
N_IDS = 129


@dataclass(frozen=True)
class FramesConfig:
    """Sizes of a FrameNet."""

    hidden_dim: int = 192  # D
    embedding_dim: int = 48
    n_ranks: int = 4  # pitches of a frame that are told apart by rank; the others are only summed
    dropout: float = 0.2

    def __post_init__(self) -> None:
        require_sizes(self)


@dataclass(frozen=True)
class FrameBatch:
    """Pieces side by side: ids (B, T, K) from high to low, filled up with NONE; mask (B, T) True = real frame."""

    ids: Int[Tensor, "B T K"]
    mask: Bool[Tensor, "B T"]


class FrameNet(nn.Module):
    """p(piece) = product over frames of p(set of pitches | all frames before)."""

    def __init__(self, config: FramesConfig):
        super().__init__()
        self.config = config
        width, embedding = config.hidden_dim, config.embedding_dim
        self.pitch = nn.Embedding(N_IDS + 1, embedding)  # the last id stands before the first pitch of a frame
        self.pitch_class = nn.Embedding(13, embedding)
        self.by_rank = nn.Linear(config.n_ranks * embedding, width)
        self.summed = nn.Linear(N_IDS - 1, width, bias=False)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(config.dropout)
        self.inner_start = nn.Linear(width, width)
        self.inner = nn.GRU(3 * embedding + width, width, batch_first=True)
        self.head = nn.Linear(width, N_IDS)

    def embed(self, ids: Int[Tensor, "..."]) -> Float[Tensor, "... E"]:
        """Pitch and pitch class of each id; NONE and the start have classes of their own row."""
        classes = torch.where((ids > NONE) & (ids < N_IDS), (ids - 1) % 12, 12)
        return self.pitch(ids) + self.pitch_class(classes)

    def read(self, ids: Int[Tensor, "B T K"]) -> Float[Tensor, "B T D"]:
        """Read frames; the state at t has read the frames before t."""
        n_ranks = self.config.n_ranks
        ranked = F.pad(ids, (0, max(0, n_ranks - ids.shape[2])))[:, :, :n_ranks]
        many = F.one_hot(ids, N_IDS).amax(dim=2)[..., 1:].float()  # (B, T, 128)
        x = self.by_rank(self.embed(ranked).flatten(2)) + self.summed(many)
        x = F.pad(x, (0, 0, 1, 0))[:, :-1]  # step 0 reads nothing
        x = x + self.dropout(self.gru(self.dropout(x))[0])
        return self.dropout(self.norm(x))

    def forward(self, ids: Int[Tensor, "B T K"]) -> Float[Tensor, "B T K1 V"]:
        """Logits of every choice inside every frame (the pitches, then the end), -inf where the order forbids it."""
        context = self.read(ids)
        before = F.pad(ids, (0, 0, 1, 0))[:, :-1]  # frame t - 1
        start = torch.full_like(ids[:, :, :1], N_IDS)
        previous = torch.cat([start, ids], dim=2)  # (B, T, K + 1)
        same_rank = F.pad(before, (0, 2))  # (B, T, K + 2)
        inputs = torch.cat(
            [self.embed(previous), self.embed(same_rank[:, :, :-1]), self.embed(same_rank[:, :, 1:])], dim=-1
        )
        inputs = torch.cat([self.dropout(inputs), context.unsqueeze(2).expand(-1, -1, inputs.shape[2], -1)], dim=-1)
        first = torch.tanh(self.inner_start(context)).flatten(0, 1).unsqueeze(0)  # (1, B T, D)
        states, _ = self.inner(inputs.flatten(0, 1), first.contiguous())
        logits = self.head(self.dropout(states)).unflatten(0, ids.shape[:2])
        choice = torch.arange(N_IDS, device=ids.device)
        return logits.masked_fill(choice >= previous.unsqueeze(-1).clamp(min=1), -torch.inf)

    def frame_nll(self, batch: FrameBatch) -> Float[Tensor, "B T"]:
        """Negative log-probability of each frame's set in nats; 0 where mask is False."""
        logits = self(batch.ids)
        target = F.pad(batch.ids, (0, 1))  # (B, T, K + 1) the end is NONE
        nll = F.cross_entropy(logits.flatten(0, 2), target.flatten(), reduction="none").view_as(target)
        chosen = F.pad(batch.ids, (1, 0), value=1) > NONE  # up to the end, and no further
        return (nll * chosen).sum(dim=2) * batch.mask

    def loss(self, batch: FrameBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats per frame over the batch, and `weight`, the frames it is the mean of."""
        n_frames = batch.mask.sum()
        return self.frame_nll(batch).sum() / n_frames, {"weight": float(n_frames)}


def averaged_nll(model: FrameNet, batch: FrameBatch, shifts: Sequence[int]) -> Float[Tensor, "B T"]:
    """Nats of each frame under the mean of its probabilities over transpositions of the piece.

    Each transposition, of past and present alike, gives a distribution over sets of pitches; so does their mean. One
    that has left the range 0 to 127 gives the probability 0 from there on.
    """
    nll = []
    for shift in shifts:
        moved = torch.where(batch.ids > NONE, batch.ids + shift, NONE)
        outside = ((batch.ids > NONE) & (moved <= NONE)) | (moved >= N_IDS)  # (B, T, K)
        gone = outside.any(dim=2).int().cummax(dim=1).values.bool()  # (B, T)
        ids = torch.where(outside, batch.ids, moved)
        nll.append(model.frame_nll(FrameBatch(ids, batch.mask)).masked_fill(gone, torch.inf))
    mean = math.log(len(shifts)) - torch.logsumexp(-torch.stack(nll), dim=0)
    return mean.masked_fill(~batch.mask, 0.0)
