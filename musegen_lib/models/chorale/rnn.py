"""Recurrent model of four-voice chorales on sixteenths. Taught in notebooks/04_rnn.ipynb.

Axes: B pieces, T steps, 4 voices, D model width. A GRU reads, step by step, what the four voices did, where in the
bar the next step falls, in which key, and (if it is told) how many beats are left. Small heads then decide the next
step voice by voice: soprano, bass, alto, tenor, each knowing the voices decided before it.
Source: voices inside a step in turn, as in BachBot (Liang et al. 2017); a token for held notes as in DeepBach (Hadjeres
et al. 2017, arXiv:1612.01010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musegen_lib.core.configs import require_sizes
from musegen_lib.encodings.chorale_steps import (
    END,
    FIRST_PITCH,
    HIGH,
    HOLD,
    LEFT_BEATS,
    LOW,
    N_PLACES,
    N_TOKENS,
    N_VOICES,
)
from musegen_lib.encodings.melody_events import MODES, NO_TONIC
from musegen_lib.models.chorale.batches import ChoraleBatch

ORDER = (0, 3, 1, 2)  # soprano, bass, alto, tenor
SILENT = 0  # pitch index of a voice that rests
LAGS = (1, 4, 8, 16)  # steps back that are read directly: the last step, a beat, two, a bar of 4/4
WIDEST_STEP = 12  # semitones; wider steps share one score
N_INTERVALS = 2 * WIDEST_STEP + 2  # the last: not from a pitch to a pitch
GAIN = 20.0  # of weights that few steps touch: Adam moves a weight by about the learning rate a step
N_SPANS = 5  # silent; below, in unison, up to an octave above, further above another voice


@runtime_checkable
class Sizes(Protocol):
    """What a head needs to know of the net it belongs to."""

    hidden_dim: int
    embedding_dim: int
    head_dim: int
    dropout: float


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


class VoiceEmbedding(nn.Module):
    """What a voice does in a step: its pitch, its degree in the key, whether it strikes, holds or rests."""

    def __init__(self, width: int):
        super().__init__()
        self.pitch = nn.Embedding(HIGH - LOW + 2, width)
        self.degree = nn.Embedding(13, width)
        self.manner = nn.Embedding(3, width)

    def forward(self, grid: Int[Tensor, "B T N"], tonics: Int[Tensor, "B"]) -> Float[Tensor, "B T N E"]:
        """Embed signed pitches."""
        sounding = grid.abs()
        index = torch.where(sounding > 0, sounding - LOW + 1, SILENT)
        degree = degree_of(sounding, tonics.view(-1, 1, 1))
        return self.pitch(index) + self.degree(degree) + self.manner(grid.sign() + 1)


class VoiceHead(nn.Module):
    """Scores what one voice does next: each token by its pitch, its degree in the key, its interval from the voice's
    last pitch, and its intervals from the voices that are decided."""

    def __init__(self, config: Sizes, n_known: int):
        super().__init__()
        embedding, self.n_known = config.embedding_dim, n_known
        width = config.hidden_dim + (1 + 2 * n_known) * embedding
        self.relation = nn.Embedding(max(1, n_known) * 13 * N_INTERVALS, embedding)
        self.inner = nn.Sequential(nn.Linear(width, config.head_dim), nn.GELU(), nn.Dropout(config.dropout / 2))
        self.token = nn.Linear(config.head_dim, N_TOKENS)
        self.degree = nn.Linear(config.head_dim, 13)
        self.interval = nn.Linear(config.head_dim, N_INTERVALS)
        self.chord = nn.ModuleList(nn.Linear(config.head_dim, 13 + N_SPANS) for _ in range(n_known))
        self.motion = nn.ParameterList(torch.zeros(13 * 3, 13) for _ in range(n_known))
        pitches = torch.arange(N_TOKENS) - FIRST_PITCH + LOW
        pitches[:FIRST_PITCH] = pitches[END:] = 0
        self.register_buffer("pitches", pitches, persistent=False)  # (V,) of each token, 0 for none

    def forward(self, features: Tensor, own: Tensor, known: Tensor, known_before: Tensor, tonics: Tensor) -> Tensor:
        """Logits (B, T, V) of the voice's tokens.

        Args:
            features: (B, T, ...) context, the voice one step earlier, the decided voices, embedded.
            own: (B, T) the voice's signed pitch one step earlier.
            known, known_before: (B, T, known) signed pitches of the decided voices now and one step earlier.
        """
        before = interval_class(own.abs().unsqueeze(-1), known_before.abs())  # (B, T, known)
        move = interval_of(known_before.abs(), known.abs())
        voice = torch.arange(self.n_known, device=own.device)
        if self.n_known:
            features = torch.cat(
                [features, self.relation((voice * 13 + before) * N_INTERVALS + move).flatten(2)], dim=-1
            )
        inner = self.inner(features)
        last = own.abs().unsqueeze(-1)  # (B, T, 1)
        pitches = torch.where(torch.arange(N_TOKENS, device=own.device) == HOLD, last, self.pitches)  # (B, T, V)
        scores = self.token(inner)
        scores = scores + self.degree(inner).gather(2, degree_of(pitches, tonics.view(-1, 1, 1)))
        scores = scores + self.interval(inner).gather(2, interval_of(last, pitches))
        for number, (chord, motion) in enumerate(zip(self.chord, self.motion)):
            other = known[:, :, number].abs().unsqueeze(-1)
            classes, spans = chord(inner).split([13, N_SPANS], dim=2)
            direction = (known[:, :, number].abs() - known_before[:, :, number].abs()).sign() + 1
            classes = classes + GAIN * motion[before[:, :, number] * 3 + direction]
            scores = (
                scores + classes.gather(2, interval_class(pitches, other)) + spans.gather(2, span_of(pitches, other))
            )
        return scores


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
        self.key = nn.Embedding((NO_TONIC + 1) * len(MODES), width)
        inner = config.dropout if config.n_layers > 1 else 0.0
        self.gru = nn.GRU(width, width, config.n_layers, batch_first=True, dropout=inner)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = nn.ModuleList(VoiceHead(config, known) for known in range(N_VOICES))
        start_small(self)

    def read(
        self, earlier: Tensor, places: Tensor, left: Tensor, key: tuple[Tensor, Tensor], state: Tensor | None = None
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T 4 E"], Tensor]:
        """Read what sounded LAGS steps before each step.

        Args:
            earlier: (B, T, 4 x lags) signed pitches, the nearest lag first.
        Returns:
            the context, the embedded voices of the step before, and the GRU's state.
        """
        tonics, modes = key
        voices = self.voice(earlier, tonics)  # (B, T, 4 x lags, E)
        whole = self.key(tonics * len(MODES) + modes).unsqueeze(1)  # (B, 1, D)
        x = self.dropout(self.join(voices.flatten(2))) + self.place(places) + self.left(left) + whole
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
        before, key = earlier[:, :, :N_VOICES], (batch.tonics, batch.modes)
        context, voices, _ = self.read(earlier, batch.places, batch.time_left, key)
        now = batch.grid[:, :, list(ORDER)]
        by_turn = [
            self.score(turn, context, voices, now[:, :, :turn], before, batch.tonics) for turn in range(N_VOICES)
        ]
        return torch.stack([by_turn[ORDER.index(voice)] for voice in range(N_VOICES)], dim=2)

    def cell_nll(self, batch: ChoraleBatch) -> Float[Tensor, "B T 4"]:
        """Negative log-likelihood of every voice in every step, in nats; where a piece ends, of its END alone."""
        logits = self(batch)
        nll = F.cross_entropy(logits.flatten(0, 2), batch.tokens.flatten(), reduction="none").view_as(batch.tokens)
        ends = (batch.tokens[:, :, :1] == END) & (torch.arange(N_VOICES, device=nll.device) > 0)
        return nll * batch.mask.unsqueeze(2) * ~ends

    def loss(self, batch: ChoraleBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats per voice and step over the batch, and `weight`, the cells it is the mean of."""
        return self.cell_nll(batch).sum() / batch.n_cells, {"weight": float(batch.n_cells)}


def start_small(net: nn.Module) -> None:
    """Draw all embeddings anew, with deviation 0.3: torch's 1.0 drowns in noise what is rarely seen."""
    for table in net.modules():
        if isinstance(table, nn.Embedding):
            nn.init.normal_(table.weight, std=0.3)


def degree_of(pitches: Int[Tensor, "..."], tonics: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """Semitones above the tonic; 12 for silence and for an unknown tonic."""
    return torch.where((pitches > 0) & (tonics != NO_TONIC), (pitches - tonics) % 12, 12)


def interval_of(last: Int[Tensor, "..."], pitches: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """Number of the step from one pitch to another; the last number if either is silent."""
    steps = (pitches - last).clamp(-WIDEST_STEP, WIDEST_STEP) + WIDEST_STEP
    return torch.where((last > 0) & (pitches > 0), steps, N_INTERVALS - 1)


def interval_class(pitches: Int[Tensor, "..."], others: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """Semitones from another voice's pitch, modulo 12; 12 if either is silent."""
    return torch.where((pitches > 0) & (others > 0), (pitches - others) % 12, 12)


def span_of(pitches: Int[Tensor, "..."], others: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """Number of the distance from another voice's pitch: 0 silent, 1 below, 2 unison, 3 to an octave above, 4 wider."""
    span = (pitches - others).sign() + 2 + (pitches - others > 12).long()
    return torch.where((pitches > 0) & (others > 0), span, 0)


def forbidden(voice: int, before: Int[Tensor, "..."]) -> Bool[Tensor, "... V"]:
    """Tokens a voice cannot take: holding what does not sound, and END in any voice but the soprano."""
    token = torch.arange(N_TOKENS, device=before.device)
    return ((token == HOLD) & (before == 0).unsqueeze(-1)) | ((token == END) & (voice > 0))
