"""Recurrent model of four-voice chorales on sixteenths. Taught in notebooks/04b_real_time.ipynb.

Axes: B pieces, T steps, 4 voices, D model width. A GRU reads, step by step, what the four voices did, where in the
bar the next step falls, in which key, and (if it is told) how many beats are left, how far the next phrase end is, and
what the soprano will sing. Small heads then decide the next step voice by voice: soprano, bass, alto, tenor, each
knowing the voices decided before it.
Source: voices inside a step in turn, as in BachBot (Liang et al. 2017); a token for held notes as in DeepBach (Hadjeres
et al. 2017, arXiv:1612.01010).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from musegen_lib.core.configs import require_sizes
from musegen_lib.encodings.chorale_phrases import N_COUNTS
from musegen_lib.encodings.chorale_steps import (
    CHORALE_MODES,
    LEFT_BEATS,
    N_PLACES,
    N_VOICES,
)
from musegen_lib.encodings.melody_events import NO_TONIC
from musegen_lib.models.chorale.batches import TOLD, ChoraleBatch
from musegen_lib.models.chorale.phrase_plan import PhrasePlanner
from musegen_lib.models.chorale.voice_heads import VoiceEmbedding, VoiceHead, forbidden

GAIN = 40.0  # of the heads
ORDER = (0, 3, 1, 2)  # soprano, bass, alto, tenor
LAGS = (1, 4, 8, 16)  # steps back that are read directly: the last step, a beat, two, a bar of 4/4
AHEAD = (0, 1, 2, 3, 4, 6, 8, 12, 16)  # steps of a known soprano that are read from each step on


@dataclass(frozen=True)
class ChoraleConfig:
    """Sizes of a ChoraleRNN."""

    hidden_dim: int = 192  # D
    n_layers: int = 1
    embedding_dim: int = 48  # E
    head_dim: int = 192
    dropout: float = 0.5

    def __post_init__(self) -> None:
        require_sizes(self)


class ChoraleRNN(nn.Module):
    """p(piece) = product over steps and voices of p(token | all steps before, the voices decided in this step)."""

    def __init__(self, config: ChoraleConfig):
        super().__init__()
        self.config = config
        width = config.hidden_dim
        self.voice = VoiceEmbedding(config.embedding_dim)
        self.join = nn.Linear(len(LAGS) * N_VOICES * config.embedding_dim, width)
        self.place = nn.Embedding(N_PLACES, width)
        self.left = nn.Embedding(LEFT_BEATS + 1, width)
        self.phrase = nn.Embedding(N_COUNTS, width)
        self.told = nn.Embedding(len(TOLD), width)  # with a plan the key is that of the end, see `at_home`
        self.key = nn.Embedding((NO_TONIC + 1) * len(CHORALE_MODES), width)
        inner = config.dropout if config.n_layers > 1 else 0.0
        self.ahead = nn.Linear(len(AHEAD) * config.embedding_dim, width)
        self.gru = nn.GRU(width, width, config.n_layers, batch_first=True, dropout=inner)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = nn.ModuleList(VoiceHead(config, known, GAIN) for known in range(N_VOICES))
        self.planner = PhrasePlanner()
        start_small(self)

    def outlook(self, batch: ChoraleBatch) -> Float[Tensor, "B T D"]:
        """What is known of each step before the piece begins: its place, its key, and what the batch tells."""
        whole = self.key(batch.tonics * len(CHORALE_MODES) + batch.modes) + self.told(batch.told)  # (B, D)
        known = self.place(batch.places) + self.left(batch.time_left) + self.phrase(batch.phrases) + whole.unsqueeze(1)
        seen = batch.sees_soprano.nonzero()[:, 0]
        if not len(seen):
            return known
        return known.index_add(0, seen, self._look_ahead(batch.grid[seen][:, :, 0], batch.tonics[seen]))

    def _look_ahead(self, soprano: Int[Tensor, "R T"], tonics: Int[Tensor, "R"]) -> Float[Tensor, "R T D"]:
        """What the soprano (signed pitches) sings AHEAD of each step; silence after its end."""
        n_steps = soprano.shape[1]
        later = torch.stack([F.pad(soprano, (0, step))[:, step : step + n_steps] for step in AHEAD], dim=2)
        return self.dropout(self.ahead(self.dropout(self.voice(later, tonics).flatten(2))))

    def read(
        self, earlier: Tensor, outlook: Float[Tensor, "B T D"], tonics: Tensor, state: Tensor | None = None
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T 4 E"], Tensor]:
        """Read what sounded LAGS steps before each step.

        Args:
            earlier: (B, T, 4 x lags) signed pitches, the nearest lag first.
        Returns:
            the context, the embedded voices of the step before, and the GRU's state.
        """
        voices = self.voice(earlier, tonics)  # (B, T, 4 x lags, E)
        x = self.dropout(self.join(voices.flatten(2))) + outlook
        hidden, state = self.gru(x, state)
        return self.dropout(hidden) + x, voices[:, :, :N_VOICES], state

    def score(
        self, turn: int, context: Tensor, voices: Tensor, known: Tensor, before: Tensor, tonics: Tensor
    ) -> Tensor:
        """Logits of the voice whose turn it is, forbidden tokens at -inf.

        Args:
            turn: 0 to 3, a place in ORDER.
            voices: (B, T, 4, E) embedded step before.
            known: (B, T, turn) signed pitches of this step, in ORDER.
            before: (B, T, 4) signed pitches of the step before.
        """
        voice, others = ORDER[turn], list(ORDER[:turn])
        seen = [context, voices[:, :, voice]] + ([self.voice(known, tonics).flatten(2)] if turn else [])
        own = before[:, :, voice]
        logits = self.heads[turn](torch.cat(seen, dim=-1), own, known, before[:, :, others], tonics)
        return logits.masked_fill(forbidden(voice, own), -torch.inf)

    def forward(self, batch: ChoraleBatch) -> Float[Tensor, "B T 4 V"]:
        """Logits by voice, soprano first; those at t have read the steps before t and the voices decided at t."""
        earlier = torch.cat([F.pad(batch.grid, (0, 0, lag, 0))[:, : batch.grid.shape[1]] for lag in LAGS], dim=2)
        before, tonics = earlier[:, :, :N_VOICES], batch.tonics
        context, voices, _ = self.read(earlier, self.outlook(batch), tonics)
        now = batch.grid[:, :, list(ORDER)]
        by_turn = [self.score(turn, context, voices, now[:, :, :turn], before, tonics) for turn in range(N_VOICES)]
        return torch.stack([by_turn[ORDER.index(voice)] for voice in range(N_VOICES)], dim=2)

    def cell_nll(self, batch: ChoraleBatch) -> Float[Tensor, "B T 4"]:
        """Negative log-likelihood of every voice in every step, in nats; 0 where nothing is to be guessed."""
        logits = self(batch)
        nll = F.cross_entropy(logits.flatten(0, 2), batch.tokens.flatten(), reduction="none").view_as(batch.tokens)
        return nll * batch.scored

    def loss(self, batch: ChoraleBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats per voice and step over the batch, and `weight`, the cells it is the mean of."""
        weight = float(batch.scored.sum())
        return self.cell_nll(batch).sum() / weight, {"weight": weight}


def start_small(net: nn.Module) -> None:
    """Draw all embeddings anew, with deviation 0.3: torch's 1.0 drowns in noise what is rarely seen."""
    for table in net.modules():
        if isinstance(table, nn.Embedding):
            nn.init.normal_(table.weight, std=0.3)
