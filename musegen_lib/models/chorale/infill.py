"""A net that fills gaps in four-voice music, for `musegen harmonise --method gibbs` (Gibbs resampling).

Axes: B pieces, T steps, 4 voices, D model width. The net reads a piece with some cells hidden, forwards and backwards,
and scores what every hidden cell may be. Music is made by hiding some cells, drawing them anew, and doing so again.
Source: hiding and drawing anew from Coconet (Huang et al. 2017, arXiv:1903.07227), which uses convolutions; the share
of hidden cells that falls from sweep to sweep from Yao et al. 2014, arXiv:1409.0585; forwards and backwards as in
DeepBach (Hadjeres et al. 2017, arXiv:1612.01010).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musegen_lib.core.configs import require_sizes
from musegen_lib.core.progress import progress
from musegen_lib.encodings.chorale_steps import (
    CHORALE_MODES,
    END,
    FIRST_PITCH,
    HOLD,
    LOW,
    N_PLACES,
    N_TOKENS,
    N_VOICES,
    REST,
    STEPS_PER_BEAT,
    ChoraleSteps,
)
from musegen_lib.encodings.melody_events import NO_TONIC
from musegen_lib.models.chorale.batches import ChoraleBatch, collate_steps
from musegen_lib.models.chorale.rnn import start_small
from musegen_lib.models.chorale.voice_heads import VoiceEmbedding, VoiceHead
from musegen_lib.training.sampling import sample

GAIN = 20.0  # of the heads
KNOWN = ("all", "that it holds", "nothing")  # what can be known of a cell


@dataclass(frozen=True)
class InfillConfig:
    """Sizes of a ChoraleInfill."""

    hidden_dim: int = 160  # D, of each direction
    embedding_dim: int = 32  # E
    head_dim: int = 160
    dropout: float = 0.3

    def __post_init__(self) -> None:
        require_sizes(self)


class ChoraleInfill(nn.Module):
    """p(cell | all cells that are not hidden), for every hidden cell at once."""

    def __init__(self, config: InfillConfig):
        super().__init__()
        self.config = config
        width, embedding = config.hidden_dim, config.embedding_dim
        self.voice = VoiceEmbedding(embedding)
        self.known = nn.Embedding(len(KNOWN), embedding)
        self.join = nn.Linear(N_VOICES * embedding, width)
        self.place = nn.Embedding(N_PLACES, width)
        self.key = nn.Embedding((NO_TONIC + 1) * len(CHORALE_MODES), width)
        self.forward_gru = nn.GRU(width, width, batch_first=True)
        self.backward_gru = nn.GRU(width, width, batch_first=True)
        self.both = nn.Linear(3 * width, width)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = nn.ModuleList(VoiceHead(config, N_VOICES - 1, GAIN) for _ in range(N_VOICES))
        start_small(self)

    def forward(self, batch: ChoraleBatch, hidden: Bool[Tensor, "B T 4"]) -> Float[Tensor, "B T 4 V"]:
        """Logits of every cell; those of hidden cells have not read any hidden cell."""
        grid, known = visible_grid(batch.tokens, hidden)
        cells = self.voice(grid, batch.tonics) + self.known(known)  # (B, T, 4, E)
        whole = self.key(batch.tonics * len(CHORALE_MODES) + batch.modes).unsqueeze(1)
        x = self.dropout(self.join(cells.flatten(2))) + self.place(batch.places) + whole  # (B, T, D)
        from_end = turned(self.backward_gru(turned(x, batch.mask))[0], batch.mask)
        read = F.gelu(self.both(self.dropout(torch.cat([self.forward_gru(x)[0], from_end, x], dim=-1))))
        before, earlier = F.pad(grid, (0, 0, 1, 0))[:, :-1], F.pad(cells, (0, 0, 0, 0, 1, 0))[:, :-1]
        logits = []
        for voice, head in enumerate(self.heads):
            others = [other for other in range(N_VOICES) if other != voice]
            seen = torch.cat([self.dropout(read), earlier[:, :, voice], cells[:, :, others].flatten(2)], dim=-1)
            logits.append(head(seen, before[:, :, voice], grid[:, :, others], before[:, :, others], batch.tonics))
        never = torch.arange(N_TOKENS, device=grid.device) == END
        return torch.stack(logits, dim=2).masked_fill(never, -torch.inf)

    def loss(self, batch: ChoraleBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats per hidden cell, cells hidden at random by torch's state; `weight` is the number of hidden cells."""
        cells = batch.mask.unsqueeze(2) & (batch.tokens[:, :, :1] != END).expand_as(batch.tokens)
        hidden = hide_at_random(cells)
        nll = F.cross_entropy(self(batch, hidden)[hidden], batch.tokens[hidden])
        return nll, {"weight": float(hidden.sum())}


def turned(x: Float[Tensor, "B T D"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
    """Each row in reverse order, its padding left at the end."""
    steps = torch.arange(x.shape[1], device=x.device)
    last = mask.sum(dim=1, keepdim=True) - 1  # (B, 1)
    order = torch.where(steps <= last, last - steps, steps)
    return x.gather(1, order.unsqueeze(2).expand_as(x))


def visible_grid(
    tokens: Int[Tensor, "B T 4"], hidden: Bool[Tensor, "B T 4"]
) -> tuple[Int[Tensor, "B T 4"], Int[Tensor, "B T 4"]]:
    """Signed pitches as far as they can be known, else 0, and for each cell which of KNOWN it is."""
    steps = torch.arange(tokens.shape[1], device=tokens.device).view(1, -1, 1)
    begins = torch.where((tokens != HOLD) | hidden, steps, 0).cummax(dim=1).values  # where what sounds was struck
    source, lost = tokens.gather(1, begins), hidden.gather(1, begins)
    pitch = torch.where((source >= FIRST_PITCH) & (source != END) & ~lost, source - FIRST_PITCH + LOW, 0)
    known = torch.where(hidden, KNOWN.index("nothing"), torch.where(lost, KNOWN.index("that it holds"), 0))
    return torch.where((tokens == HOLD) & ~hidden, -pitch, pitch), known


def hide_at_random(cells: Bool[Tensor, "B T 4"]) -> Bool[Tensor, "B T 4"]:
    """Hide beats of voices: a share drawn for each piece, often of one voice or of three; at least one beat."""
    n, n_steps, _ = cells.shape
    n_beats = -(-n_steps // STEPS_PER_BEAT)
    share = torch.rand(n, 1, 1)
    beats = torch.rand(n, n_beats, N_VOICES) < share
    voices = torch.rand(n, 1, N_VOICES) < 0.5
    beats = torch.where(torch.rand(n, 1, 1) < 0.4, beats & voices, beats)
    below = (torch.rand(n, 1, 1) < 0.3) & (torch.arange(N_VOICES) > 0)  # all but the soprano
    beats = beats | (below & (torch.rand(n, n_beats, 1) < torch.rand(n, 1, 1).sqrt()))
    steps = beats.to(cells.device).repeat_interleave(STEPS_PER_BEAT, dim=1)[:, :n_steps] & cells
    steps[:, :STEPS_PER_BEAT, 1] |= ~steps.flatten(1).any(dim=1, keepdim=True) & cells[:, :STEPS_PER_BEAT, 1]
    return steps


@torch.no_grad()
def gibbs(
    model: ChoraleInfill,
    start: ChoraleSteps,
    free: Bool[np.ndarray, "T 4"],
    generator: torch.Generator,
    sweeps: int = 60,
    temperature: float = 1.0,
    n: int = 1,
) -> list[ChoraleSteps]:
    """Draw the free cells anew, sweep after sweep.

    At first all beats of all voices are drawn at once, then fewer and fewer; in the second half one voice in turn,
    three tenths of its beats at a time, so that what is drawn knows all other voices.

    Args:
        start: cells that are not free are kept; what stands in the free ones does not matter.
    """
    batch = collate_steps([start] * n)
    wanted = torch.as_tensor(free).expand(n, -1, -1)
    tokens = batch.tokens
    for sweep in progress(range(sweeps), "harmonising"):
        share = max(0.3, 1 - 1.4 * sweep / sweeps)
        beats = torch.rand(n, -(-len(free) // STEPS_PER_BEAT), N_VOICES, generator=generator) < share
        if sweep >= sweeps / 2:
            beats &= torch.arange(N_VOICES) == sweep % N_VOICES
        hidden = torch.zeros_like(batch.tokens, dtype=torch.bool)
        hidden[:, :-1] = beats.repeat_interleave(STEPS_PER_BEAT, dim=1)[:, : len(free)] & wanted
        logits = model(replace(batch, tokens=tokens), hidden)
        if hidden.any():
            tokens = tokens.clone()
            tokens[hidden] = sample(logits[hidden], generator, temperature=temperature)
    return [_repaired(rows, start) for rows in tokens[:, :-1].numpy()]


def _repaired(tokens: np.ndarray, start: ChoraleSteps) -> ChoraleSteps:
    """A HOLD that holds nothing becomes a REST."""
    tokens = tokens.copy()
    for step, row in enumerate(tokens):
        before = tokens[step - 1] if step else np.full(N_VOICES, REST)
        row[(row == HOLD) & (before == REST)] = REST
    return replace(start, tokens=tokens)
