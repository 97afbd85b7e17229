"""Second training of the chorale net: parallel fifths and octaves are made unlikely.

A net that is asked for Bach's next note alone gives parallels the little probability that they have in Bach. In its own
music, which is less well prepared, that little grows: three times as many parallels. Practice adds to the nats of each
voice WEIGHT times -log(1 - p), p the probability of all tokens that would move in parallel with a voice decided
already, except what Bach wrote.
Source: unlikelihood training of tokens (Welleck et al. 2020, arXiv:1908.04319); theirs sums logarithms, ours
probabilities, and the tokens that are made unlikely are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musegen_lib.models.chorale.batches import ChoraleBatch
from musegen_lib.models.chorale.rnn import ORDER, ChoraleRNN
from musegen_lib.training.loop import Batches, TrainConfig, fit, limited

PARALLEL = (0, 7)  # octaves and fifths, semitones modulo 12
WEIGHT = 4.0
MOST = 0.999  # of a probability, so that its logarithm stays finite
PRACTICE_SEEDS = 1_000  # the batches of practice are other ones than those of training
PRACTICE = TrainConfig(steps=100, learning_rate=8e-4, weight_decay=0.5, warmup_steps=20, validate_every=50)


class Practice(nn.Module):
    """A chorale net whose loss counts parallels."""

    def __init__(self, net: ChoraleRNN, weight: float = WEIGHT):
        super().__init__()
        self.net, self.weight = net, weight

    def loss(self, batch: ChoraleBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats per voice and step, and `weight` times the unlikelihood of parallels; the number of cells."""
        logits = self.net(batch)
        nll = F.cross_entropy(logits.flatten(0, 2), batch.tokens.flatten(), reduction="none").view_as(batch.tokens)
        unwanted = parallel_tokens(batch.grid, self.net.heads[0].pitches)
        unwanted &= ~unwanted.gather(3, batch.tokens.unsqueeze(3))
        chance = (logits.softmax(dim=3) * unwanted).sum(dim=3).clamp(max=MOST)  # (B, T, 4)
        n_cells = float(batch.scored.sum())
        return ((nll - self.weight * torch.log1p(-chance)) * batch.scored).sum() / n_cells, {"weight": n_cells}


def parallel_tokens(grid: Int[Tensor, "B T 4"], pitches: Int[Tensor, "V"]) -> Bool[Tensor, "B T 4 V"]:
    """True for a token that makes a fifth or octave move in parallel: both voices of a pair strike another pitch, in
    the same direction, as far apart modulo 12 as before; the other voice is one decided earlier in the step.

    Args:
        grid: signed pitches.
        pitches: of each token, 0 for none.
    """
    now = grid.abs()
    before = F.pad(now, (0, 0, 1, 0))[:, :-1]
    found = torch.zeros(*grid.shape, len(pitches), dtype=torch.bool, device=grid.device)
    for turn, voice in enumerate(ORDER):
        own = before[:, :, voice, None]  # (B, T, 1)
        direction = (pitches - own).sign()  # (B, T, V)
        for other in ORDER[:turn]:
            last, present = before[:, :, other, None], now[:, :, other, None]
            apart = (own - last).abs() % 12
            same = apart == (pitches - present).abs() % 12
            together = (direction == (present - last).sign()) & (direction != 0)
            sounding = (own > 0) & (last > 0) & (present > 0) & (pitches > 0)
            found[:, :, voice] |= sum(apart == size for size in PARALLEL).bool() & same & together & sounding
    return found


def practise(
    net: ChoraleRNN, batches: Batches, valid_batches: Sequence[ChoraleBatch], seed: int, share: float = 1.0
) -> None:
    """Train the net on, in place, for a share of the steps of PRACTICE; of all validations the best is kept."""
    steps = max(1, round(share * PRACTICE.steps))
    fit(Practice(net), batches, valid_batches, limited(PRACTICE, seed, steps, minutes=None))
