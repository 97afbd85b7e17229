"""Encoders and decoders of the melody VAE: recurrent over beats, and a feed-forward pair to measure it against.

Axes: B pieces, T = 32 steps, V = 44 tokens, Z latent units, D width. Source: MusicVAE (Roberts et al. 2018,
arXiv:1803.05428) for a recurrent pair over music; ours steps beat by beat, four sixteenths at a time, which suits a
processor. Hiding tokens from the decoder: Bowman et al. 2016, arXiv:1511.06349.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from musegen_lib.encodings.arrays import N_MELODY_TOKENS, STEPS_PER_BEAT
from musegen_lib.encodings.melody_windows import WINDOW_STEPS
from musegen_lib.training.sampling import sample

N_BEATS = WINDOW_STEPS // STEPS_PER_BEAT
UNKNOWN = N_MELODY_TOKENS  # stands where a token is hidden, or not yet written


@dataclass(frozen=True)
class MelodyVAEConfig:
    """Sizes of a MelodyVAE.

    Args:
        body: "recurrent" (over beats) or "feedforward" (all steps at once).
        reads_back: whether the recurrent decoder reads what it has written; if not, steps are independent given z.
        hide: share of the tokens hidden from a decoder that reads back in training, so that it must ask z.
        free_nats: nats a unit may use without cost (free bits).
    """

    body: str = "recurrent"
    latent_dim: int = 48  # Z
    embedding_dim: int = 24
    encoder_dim: int = 192
    decoder_dim: int = 256
    head_dim: int = 192
    reads_back: bool = True
    hide: float = 0.5
    free_nats: float = 0.0

    def __post_init__(self) -> None:
        sizes = self.latent_dim, self.embedding_dim, self.encoder_dim, self.decoder_dim, self.head_dim
        if self.body not in BODIES or min(sizes) < 1 or not 0 <= self.hide <= 1 or self.free_nats < 0:
            known = ", ".join(BODIES)
            raise ValueError(f"{self}: needs a body of {known}, sizes of at least 1, a share to hide in [0, 1]")


class BeatEncoder(nn.Module):
    """Reads eight beats both ways; a beat is the embeddings of its four tokens side by side."""

    def __init__(self, config: MelodyVAEConfig):
        super().__init__()
        self.token = nn.Embedding(N_MELODY_TOKENS, config.embedding_dim)
        width = STEPS_PER_BEAT * config.embedding_dim
        self.cell = nn.GRU(width, config.encoder_dim, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * N_BEATS * config.encoder_dim, 2 * config.latent_dim)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B two_Z"]:
        """Means and log-variances side by side."""
        beats = self.token(tokens).view(len(tokens), N_BEATS, -1)  # (B, beats, 4 embeddings)
        return self.out(self.cell(beats)[0].flatten(1))


class BeatDecoder(nn.Module):
    """Writes eight beats from z: a GRU over beats, and for the four steps of a beat small heads."""

    def __init__(self, config: MelodyVAEConfig):
        super().__init__()
        self.config = config
        z, hidden, head = config.latent_dim, config.decoder_dim, config.head_dim
        width = STEPS_PER_BEAT * config.embedding_dim if config.reads_back else 0
        self.start = nn.Linear(z, hidden)
        self.place = nn.Parameter(torch.randn(N_BEATS, z + width))
        self.cell = nn.GRU(z + width, hidden, batch_first=True)
        self.hidden = nn.Linear(hidden + z, STEPS_PER_BEAT * head)
        self.head = nn.Linear(head, N_MELODY_TOKENS)
        if config.reads_back:
            self.before = nn.Embedding(N_MELODY_TOKENS + 1, config.embedding_dim)  # the beat before
            pairs = STEPS_PER_BEAT * (STEPS_PER_BEAT - 1) // 2  # (earlier step, step) within a beat
            self.earlier = nn.Embedding(pairs * (N_MELODY_TOKENS + 1), head)

    def forward(self, z: Float[Tensor, "B Z"], tokens: Int[Tensor, "B T"] | None = None) -> Float[Tensor, "B T V"]:
        """Logits; with tokens, those at t have read the tokens before t (teacher forcing), else only their own."""
        if self.config.reads_back and tokens is None:
            return self.write(z, None)[1]
        beats, read = None, z.unsqueeze(1).expand(-1, N_BEATS, -1)  # (B, beats, Z)
        if self.config.reads_back and tokens is not None:
            beats = self._hidden_at_random(tokens).view(len(z), N_BEATS, STEPS_PER_BEAT)
            read = self._read(F.pad(beats[:, :-1], (0, 0, 1, 0), value=UNKNOWN), z)
        states, _ = self.cell(read + self.place, torch.tanh(self.start(z)).unsqueeze(0))  # (B, beats, D)
        return self._score(states, z, beats).flatten(1, 2)

    def write(self, z: Float[Tensor, "B Z"], generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Tokens and logits, both as the decoder reads its own: the likeliest ones, or drawn with the generator."""
        if not self.config.reads_back:
            return write_at_once(self, z, generator)
        state = torch.tanh(self.start(z)).unsqueeze(0)
        beat, tokens, logits = z.new_full((len(z), STEPS_PER_BEAT), UNKNOWN, dtype=torch.long), [], []
        for number in range(N_BEATS):
            out, state = self.cell(self._read(beat.unsqueeze(1), z) + self.place[number], state)
            beat = torch.full_like(beat, UNKNOWN)
            for step in range(STEPS_PER_BEAT):
                scores = self._score(out, z, beat.unsqueeze(1))[:, 0, step]  # (B, V)
                chosen = choose(scores, generator)
                beat = torch.cat([beat[:, :step], chosen.unsqueeze(1), beat[:, step + 1 :]], dim=1)
                logits.append(scores)
            tokens.append(beat)
        return torch.cat(tokens, dim=1), torch.stack(logits, dim=1)

    def _read(self, before: Int[Tensor, "B beats 4"], z: Float[Tensor, "B Z"]) -> Float[Tensor, "B beats D"]:
        seen = self.before(before).flatten(2)
        return torch.cat([seen, z.unsqueeze(1).expand(-1, before.shape[1], -1)], dim=2)

    def _score(self, states: Tensor, z: Tensor, beats: Tensor | None) -> Float[Tensor, "B beats 4 V"]:
        both = torch.cat([states, z.unsqueeze(1).expand(-1, states.shape[1], -1)], dim=2)
        inner = self.hidden(both).unflatten(2, (STEPS_PER_BEAT, -1))  # (B, beats, 4, head)
        if beats is not None:
            inner = inner + self._earlier_in_beat(beats)
        return self.head(F.relu(inner))

    def _earlier_in_beat(self, beats: Int[Tensor, "B beats 4"]) -> Float[Tensor, "B beats 4 head"]:
        """What the steps before each step in its own beat say."""
        size, first = N_MELODY_TOKENS + 1, 0
        said = [torch.zeros_like(self.earlier(beats[:, :, 0]))]
        for step in range(1, STEPS_PER_BEAT):
            tables = size * torch.arange(first, first + step, device=beats.device)
            said.append(self.earlier(beats[:, :, :step] + tables).sum(dim=2))
            first += step
        return torch.stack(said, dim=2)

    def _hidden_at_random(self, tokens: Int[Tensor, "B T"]) -> Int[Tensor, "B T"]:
        if not self.training or not self.config.hide:
            return tokens
        return torch.where(torch.rand(tokens.shape, device=tokens.device) < self.config.hide, UNKNOWN, tokens)


class FlatEncoder(nn.Module):
    """All 32 tokens at once through two layers."""

    def __init__(self, config: MelodyVAEConfig):
        super().__init__()
        self.token = nn.Embedding(WINDOW_STEPS * N_MELODY_TOKENS, config.encoder_dim)  # one vector a step and token
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Linear(config.encoder_dim, config.encoder_dim),
            nn.ReLU(),
            nn.Linear(config.encoder_dim, 2 * config.latent_dim),
        )
        nn.init.normal_(self.token.weight, std=WINDOW_STEPS**-0.5)

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B two_Z"]:
        """Means and log-variances side by side."""
        rows = N_MELODY_TOKENS * torch.arange(WINDOW_STEPS, device=tokens.device)
        return self.layers(self.token(tokens + rows).sum(dim=1))


class FlatDecoder(nn.Module):
    """All 32 steps at once, independent of each other given z."""

    def __init__(self, config: MelodyVAEConfig):
        super().__init__()
        width = config.decoder_dim
        self.layers = nn.Sequential(
            nn.Linear(config.latent_dim, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, WINDOW_STEPS * N_MELODY_TOKENS),
        )

    def forward(self, z: Float[Tensor, "B Z"], tokens: Int[Tensor, "B T"] | None = None) -> Float[Tensor, "B T V"]:
        """Logits; tokens are not looked at."""
        return self.layers(z).unflatten(1, (WINDOW_STEPS, N_MELODY_TOKENS))

    def write(self, z: Float[Tensor, "B Z"], generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        """Tokens, the likeliest ones or drawn with the generator, and their logits."""
        return write_at_once(self, z, generator)


def write_at_once(decoder: nn.Module, z: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Tokens and logits of a decoder whose steps are independent given z."""
    logits = decoder(z)
    return choose(logits.flatten(0, 1), generator).view(logits.shape[:2]), logits


def choose(logits: Float[Tensor, "B V"], generator: torch.Generator | None) -> Int[Tensor, "B"]:
    """The likeliest token of each row, or one drawn."""
    return logits.argmax(dim=1) if generator is None else sample(logits, generator)


BODIES = {"recurrent": (BeatEncoder, BeatDecoder), "feedforward": (FlatEncoder, FlatDecoder)}
