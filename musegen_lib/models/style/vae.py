"""A VAE that tells a melody's content from its style. Taught in 05_style_transfer.ipynb.

Axes as in `melody_lines`; Z latent numbers an interval. The encoder reads the whole melody and says of every interval
what is to be kept, in few nats; the decoder writes the intervals from that, the rhythm and a style. A classifier reads
the latents backwards through a reversed gradient, so that they forget which style they came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from musegen_lib.encodings.melody_lines import N_INTERVALS, N_STYLES
from musegen_lib.models.style.batches import LineBatch
from musegen_lib.models.style.rnn import State, StyleRNN, StyleRNNConfig

N_NETS = 3  # of an ensemble


@dataclass(frozen=True)
class StyleVAEConfig(StyleRNNConfig):
    """Sizes of a StyleVAE, those of its decoder among them, and what its loss weighs."""

    latent_dim: int = 4  # Z
    encoder_dim: int = 64  # a direction
    free_nats: float = 0.25  # an interval, that the latents may tell for nothing
    reversal: float = 1.0  # how strongly the classifier's gradient is turned against the encoder; 0 = not at all


class Reverse(torch.autograd.Function):
    """The identity, with a gradient that is turned round. Source: Ganin & Lempitsky 2015."""

    @staticmethod
    def forward(ctx, x: Tensor, strength: float) -> Tensor:
        """Return x."""
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        """Return the gradient times minus the strength."""
        return -ctx.strength * grad, None


class LatentDecoder(StyleRNN):
    """A StyleRNN that also reads a latent at every interval."""

    def __init__(self, config: StyleVAEConfig):
        super().__init__(config)
        width = self.lstm.input_size + config.latent_dim
        self.lstm = nn.LSTM(width, config.hidden_dim, batch_first=True)

    def steps_with(
        self, batch: LineBatch, latents: Float[Tensor, "B M Z"], state: State | None
    ) -> tuple[Float[Tensor, "B M V"], State]:
        """Go on from a state, reading these latents."""
        return self.run(torch.cat([self.read(batch), latents], dim=-1), batch, state)


class StyleClassifier(nn.Module):
    """Guesses the style of a melody from its latents."""

    def __init__(self, latent_dim: int, hidden_dim: int = 48):
        super().__init__()
        self.gru = nn.GRU(latent_dim, hidden_dim, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden_dim, N_STYLES)

    def forward(self, latents: Float[Tensor, "B M Z"], mask: Tensor) -> Float[Tensor, "B S"]:
        """Return logits of the styles."""
        states = self.gru(latents)[0] * mask[..., None]
        return self.head(states.sum(dim=1) / mask.sum(dim=1, keepdim=True))


class StyleVAE(nn.Module):
    """q(z | melody) keeps the content, p(intervals | z, rhythm, style) adds the style."""

    def __init__(self, config: StyleVAEConfig):
        super().__init__()
        self.config = config
        self.interval = nn.Embedding(N_INTERVALS, 32)
        self.encoder = nn.GRU(32, config.encoder_dim, batch_first=True, bidirectional=True)
        self.to_latent = nn.Linear(2 * config.encoder_dim, 2 * config.latent_dim)
        self.decoder = LatentDecoder(config)
        self.classifier = StyleClassifier(config.latent_dim)

    def encode(self, batch: LineBatch) -> tuple[Float[Tensor, "B M Z"], Float[Tensor, "B M Z"]]:
        """Mean and log-variance of q(z | melody); padding says nothing to the notes before it."""
        packed = nn.utils.rnn.pack_padded_sequence(
            self.interval(batch.intervals), batch.mask.sum(dim=1), batch_first=True, enforce_sorted=False
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(
            self.encoder(packed)[0], batch_first=True, total_length=batch.mask.shape[1]
        )
        mean, log_variance = self.to_latent(states).chunk(2, dim=-1)
        return mean, log_variance.clamp(-8, 4)

    def terms(self, batch: LineBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction and KL in nats an interval, and the classifier's loss on latents, in nats a melody."""
        mean, log_variance = self.encode(batch)
        latents = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean) if self.training else mean
        logits, _ = self.decoder.steps_with(batch, latents, None)
        nll = F.cross_entropy(logits.transpose(1, 2), batch.intervals, reduction="none")  # (B, M)
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=-1)  # (B, M)
        guess = self.classifier(Reverse.apply(latents, self.config.reversal), batch.mask)
        n = batch.mask.sum()
        return (nll * batch.mask).sum() / n, (kl * batch.mask).sum() / n, F.cross_entropy(guess, batch.styles)

    def loss(self, batch: LineBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Reconstruction, the KL beyond the free nats, and in training the classifier's loss."""
        reconstruction, kl, style = self.terms(batch)
        total = reconstruction + F.relu(kl - self.config.free_nats)
        n = float(batch.mask.sum())
        return total + style if self.training else total, {"weight": n}

    def given(self, batch: LineBatch) -> GivenLatents:
        """The decoder, told the content of the first melody of the batch."""
        return GivenLatents(self.decoder, self.encode(batch)[0][:1])


class GivenLatents:
    """A decoder that goes by one melody's latents; it can be asked like a StyleRNN."""

    def __init__(self, decoder: LatentDecoder, latents: Float[Tensor, "1 M Z"]):
        self.decoder = decoder
        self.latents = latents

    def steps(self, batch: LineBatch, state: tuple[Tensor, ...] | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """As StyleRNN.steps; the place in the melody is a third part of the state."""
        place = int(state[2][0, 0, 0]) if state else 0
        n_rows, n_steps = batch.before.shape
        latents = self.latents[:, place : place + n_steps].expand(n_rows, -1, -1)
        logits, memory = self.decoder.steps_with(batch, latents, state[:2] if state else None)
        return logits, (*memory, torch.full((1, n_rows, 1), place + n_steps))

    def log_prob(self, batch: LineBatch) -> Float[Tensor, "B"]:
        """Log-probability of each line's intervals given the latents, in nats."""
        logits, _ = self.steps(batch, None)
        nll = F.cross_entropy(logits.transpose(1, 2), batch.intervals, reduction="none")
        return -(nll * batch.mask).sum(dim=1)


class StyleVAEEnsemble(nn.Module):
    """StyleVAEs from several seeds that write together; few songs teach each its own quirks, the mean has fewer."""

    def __init__(self, config: StyleVAEConfig):
        super().__init__()
        self.config = config
        self.nets = nn.ModuleList(StyleVAE(config) for _ in range(N_NETS))

    def given(self, batch: LineBatch) -> Ensemble:
        """The decoders, each told the content of the first melody of the batch by its own encoder."""
        return Ensemble([net.given(batch) for net in self.nets])


class Ensemble:
    """Models asked as one, like a StyleRNN: logits are the mean of their log-probabilities."""

    def __init__(self, models: Sequence[GivenLatents]):
        self.models = models

    def steps(self, batch: LineBatch, state: tuple[Tensor, ...] | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """As StyleRNN.steps; the state is the states of all, one after the other."""
        size = len(state) // len(self.models) if state else 0
        states = [state[k * size : (k + 1) * size] if state else None for k in range(len(self.models))]
        told = [model.steps(batch, own) for model, own in zip(self.models, states, strict=True)]
        log_probs = torch.stack([logits.log_softmax(dim=-1) for logits, _ in told])
        return log_probs.mean(dim=0), tuple(part for _, own in told for part in own)
