"""A GAN that moves notes from one style to the other and back. Taught in 05_style_transfer.ipynb.

Axes as in `melody_lines`; S = 2 * FARTHEST_MOVE + 1 moves. For every note `Mover` says how likely it moves by so many
semitones; a draw is one-hot with straight-through gradients, so that what the critic thinks of the new intervals
reaches it.
Sources: Zhu et al. 2017, arXiv:1703.10593 (a cycle: there and back again gives the same; identity; scores for patches);
Jang, Gu and Poole 2017, arXiv:1611.01144 (straight-through draws). Moves, budget and nets are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musegen_lib.core.progress import progress
from musegen_lib.core.ranking import best_first, first_best
from musegen_lib.core.scales import weight_on_scales
from musegen_lib.corpus.chinese_german import STYLES
from musegen_lib.encodings.melody_lines import N_INTERVALS, N_LEFT, N_LINE_DURATIONS, N_PLACES, MelodyLine
from musegen_lib.models.style.batches import lines_to_batch
from musegen_lib.models.style.budget import allowed_changes
from musegen_lib.training.sampling import gumbel_noise, straight_through

FARTHEST_MOVE = 4  # semitones a note may move
N_MOVES = 2 * FARTHEST_MOVE + 1  # S
PROPOSALS = 60  # moves that the critic is asked about
N_SEEN = N_INTERVALS + 12  # what both nets see of a note: the interval to the next, its place in the scale
DIFFERENCES = (
    torch.arange(N_MOVES)[:, None] - torch.arange(N_MOVES) + 2 * FARTHEST_MOVE
)  # (S, S) of two moves, as an id


@dataclass(frozen=True)
class StyleGANConfig:
    """Sizes of a Mover and of its critic."""

    hidden_dim: int = 96  # of the mover, a direction
    rhythm_dim: int = 8
    critic_dim: int = 96


class MelodyConditions(NamedTuple):
    """Melodies as the nets read them; N notes, the last interval of each is empty."""

    seen: Float[Tensor, "B N F"]  # one-hot: interval to the next note, semitones above the tonic
    rhythm: Int[Tensor, "B N 3"]  # duration, place in the bar, notes to come in the phrase
    mask: Bool[Tensor, "B N"]  # True = a note

    @property
    def intervals(self) -> Tensor:
        """(B, N, 25)"""
        return self.seen[..., :N_INTERVALS]

    @property
    def degrees(self) -> Tensor:
        """(B, N, 12)"""
        return self.seen[..., N_INTERVALS:]


def lines_to_conditions(lines: list[MelodyLine]) -> MelodyConditions:
    """Lay lines side by side."""
    batch = lines_to_batch(lines, [0] * len(lines))
    mask = F.pad(batch.mask, (1, 0), value=True)
    degrees = torch.zeros_like(batch.durations)
    for row, line in enumerate(lines):
        degrees[row, : len(line)] = torch.from_numpy((line.pitches - tonic(line)) % 12)
    intervals = F.pad(F.one_hot(batch.intervals, N_INTERVALS) * batch.mask[..., None], (0, 0, 0, 1))
    seen = torch.cat([intervals, F.one_hot(degrees, 12) * mask[..., None]], dim=-1).float()
    return MelodyConditions(seen, torch.stack([batch.durations, batch.places, batch.left], dim=-1), mask)


def tonic(line: MelodyLine) -> int:
    """The first degree of the diatonic scale that has most notes; of several the one amid them on the circle of fifths.

    >>> c_pentatonic = np.array([60, 62, 64, 67, 69])
    >>> tonic(MelodyLine(c_pentatonic, *[np.zeros(5, dtype=np.int64)] * 3))
    0
    """
    notes = np.bincount(line.pitches % 12, minlength=12)
    circle = [7 * k % 12 for k in range(12)]
    held = weight_on_scales(notes)[circle]
    fits = held == held.max()
    around = [sum(fits[(k + d) % 12] for d in (-2, -1, 0, 1, 2)) * fits[k] for k in range(12)]
    return circle[int(np.argmax(around))]


class Mover(nn.Module):
    """The generator: how likely each note moves by -FARTHEST_MOVE to FARTHEST_MOVE semitones; 0 is to stay."""

    def __init__(self, config: StyleGANConfig):
        super().__init__()
        self.config = config
        self.rhythm = nn.ModuleList(nn.Embedding(n, config.rhythm_dim) for n in (N_LINE_DURATIONS, N_PLACES, N_LEFT))
        self.style = nn.Embedding(len(STYLES), 16)
        width = N_SEEN + N_INTERVALS + 3 * config.rhythm_dim + 16 + 1
        self.gru = nn.GRU(width, config.hidden_dim, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(
            nn.Linear(2 * config.hidden_dim, config.hidden_dim), nn.ReLU(), nn.Linear(config.hidden_dim, N_MOVES)
        )

    def forward(
        self, score: MelodyConditions, to: Int[Tensor, "B"], amount: Float[Tensor, "B"]
    ) -> Float[Tensor, "B N S"]:
        """Logits of the moves that bring each melody to a style, at most so many of its notes moving."""
        before = F.pad(score.intervals, (0, 0, 1, 0))[:, :-1]
        rhythm = [table(score.rhythm[..., i]) for i, table in enumerate(self.rhythm)]
        n_notes = score.mask.shape[1]
        told = torch.cat([self.style(to), amount[:, None]], dim=-1)[:, None].expand(-1, n_notes, -1)
        packed = nn.utils.rnn.pack_padded_sequence(
            torch.cat([score.seen, before, *rhythm, told], dim=-1),
            score.mask.sum(dim=1),
            batch_first=True,
            enforce_sorted=False,
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True, total_length=n_notes)
        return self.head(states)


def draw_moves(logits: Float[Tensor, "B N S"], generator: torch.Generator | None = None) -> Float[Tensor, "B N S"]:
    """One move a note, one-hot, with straight-through gradients."""
    return straight_through(logits + gumbel_noise(tuple(logits.shape), generator))


def move(score: MelodyConditions, moves: Float[Tensor, "B N S"]) -> MelodyConditions:
    """The melodies after the moves; gradients pass from the new intervals and degrees to the moves."""
    pairs = (moves[:, 1:, :, None] * moves[:, :-1, None]).flatten(2)  # (B, M, S * S)
    change = pairs.new_zeros(*pairs.shape[:2], 4 * FARTHEST_MOVE + 1)
    change = change.index_add(2, DIFFERENCES.flatten(), pairs)  # (B, M, differences)
    old = score.intervals[:, :-1].argmax(dim=-1, keepdim=True)
    ids = (old + torch.arange(-2 * FARTHEST_MOVE, 2 * FARTHEST_MOVE + 1)).clamp(0, N_INTERVALS - 1)
    intervals = pairs.new_zeros(*pairs.shape[:2], N_INTERVALS).scatter_add(2, ids, change)
    intervals = F.pad(intervals * score.mask[:, 1:, None], (0, 0, 0, 1))
    turned = (score.degrees.argmax(dim=-1, keepdim=True) + torch.arange(-FARTHEST_MOVE, FARTHEST_MOVE + 1)) % 12
    degrees = torch.zeros_like(score.degrees).scatter_add(2, turned, moves) * score.mask[..., None]
    return score._replace(seen=torch.cat([intervals, degrees], dim=-1))


class Critic(nn.Module):
    """The discriminator: a raw score for every patch of a few notes, knowing which style is claimed; no rhythm."""

    def __init__(self, config: StyleGANConfig):
        super().__init__()
        width = config.critic_dim
        self.layers = nn.ModuleList(
            nn.Conv1d(size, width, 3, padding=1) for size in (N_SEEN + len(STYLES), width, width)
        )
        self.out = nn.Conv1d(width, 1, 1)

    def see(self, claimed: Float[Tensor, "B N G"]) -> Float[Tensor, "B N G"]:
        """What the layers read: `claim` puts it together."""
        return claimed

    def forward(self, claimed: Float[Tensor, "B N G"]) -> tuple[Float[Tensor, "B N"]]:
        """Return the raw scores; those of padding are 0."""
        mask = claimed[..., N_INTERVALS:N_SEEN].detach().sum(dim=-1)  # a note has one degree
        x = claimed.transpose(1, 2)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return (self.out(x)[:, 0] * mask,)


def claim(score: MelodyConditions, styles: Int[Tensor, "B"]) -> Float[Tensor, "B N G"]:
    """Melodies with the style that is claimed of each."""
    claimed = F.one_hot(styles, len(STYLES)).float()[:, None] * score.mask[..., None]
    return torch.cat([score.seen, claimed], dim=-1)


class StyleGAN(nn.Module):
    """A mover and the critic it learnt from."""

    def __init__(self, config: StyleGANConfig):
        super().__init__()
        self.config = config
        self.mover, self.critic = Mover(config), Critic(config)


@torch.no_grad()
def rewrite_by_critic(
    model: StyleGAN, line: MelodyLine, target: int, amount: float, scale: Bool[np.ndarray, "12"]
) -> tuple[MelodyLine, float]:
    """Move one note at a time: the mover proposes, the critic takes what it finds most like the target.

    Args:
        target: number of STYLES.
        scale: the pitch classes that a moved note may land on.
    Returns:
        the melody with at most a share `amount` of its notes moved, and the critic's score of it.
    """
    style, free = torch.tensor([target]), np.ones(len(line), dtype=bool)
    best = model.critic(claim(lines_to_conditions([line]), style))[0].sum().item()
    for _ in progress(range(allowed_changes(len(line), amount)), "rewriting"):
        moves = _proposals(model, line, style, amount, scale, free)
        if not len(moves):
            break
        tried = [line.with_pitches(line.pitches + by * (np.arange(len(line)) == note)) for note, by in moves]
        scores = model.critic(claim(lines_to_conditions(tried), style.expand(len(tried))))[0].sum(dim=1)
        chosen = int(first_best(scores.numpy()))
        if scores[chosen] <= best:
            break
        line, best = tried[chosen], scores[chosen].item()
        free[moves[chosen][0]] = False
    return line, best


def _proposals(
    model: StyleGAN, line: MelodyLine, style: Tensor, amount: float, scale: np.ndarray, free: np.ndarray
) -> list[tuple[int, int]]:
    """Notes and semitones that the mover finds likeliest against staying, likeliest first."""
    logits = model.mover(lines_to_conditions([line]), style, torch.tensor([amount]))[0].numpy()  # (N, S)
    landing = line.pitches[:, None] + np.arange(-FARTHEST_MOVE, FARTHEST_MOVE + 1)
    allowed = free[:, None] & scale[landing % 12] & (landing >= 0) & (landing <= 127)
    allowed[:, FARTHEST_MOVE] = False
    gain = np.where(allowed, logits - logits[:, FARTHEST_MOVE : FARTHEST_MOVE + 1], -np.inf)
    order = best_first(gain.ravel(), min(PROPOSALS, int(allowed.sum())))
    return [
        (int(note), int(column) - FARTHEST_MOVE)
        for note, column in zip(*np.unravel_index(order, gain.shape), strict=True)
    ]
