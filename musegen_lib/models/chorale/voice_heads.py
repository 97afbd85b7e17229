"""What one voice does next, scored from its context and the other voices: parts of the chorale nets.

Axes: B pieces, T steps, N voices, E width of an embedding, V tokens.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musegen_lib.encodings.chorale_steps import END, FIRST_PITCH, HIGH, HOLD, LOW, N_TOKENS
from musegen_lib.encodings.melody_events import NO_TONIC

SILENT = 0  # pitch index of a voice that rests
WIDEST_STEP = 12  # semitones; wider steps share one score
N_INTERVALS = 2 * WIDEST_STEP + 2  # the last: not from a pitch to a pitch
N_SPANS = 5  # silent; below, in unison, up to an octave above, further above another voice


@runtime_checkable
class Sizes(Protocol):
    """What a head needs to know of the net it belongs to."""

    hidden_dim: int
    embedding_dim: int
    head_dim: int
    dropout: float


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
    last pitch, and its intervals from the voices that are decided.

    Args:
        gain: of weights that few steps touch: Adam moves a weight by about the learning rate a step.
    """

    def __init__(self, config: Sizes, n_known: int, gain: float):
        super().__init__()
        self.gain = gain
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
            classes = classes + self.gain * motion[before[:, :, number] * 3 + direction]
            scores = (
                scores + classes.gather(2, interval_class(pitches, other)) + spans.gather(2, span_of(pitches, other))
            )
        return scores


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
