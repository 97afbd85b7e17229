"""Generators and discriminators. Taught in notebooks/02b_gan_chorales.ipynb.

Axes: B bars in a batch, T steps (16 a bar), 4 voices from soprano to bass, K tokens, Z noise, D hidden width.

`BarGenerator` writes four voices token by token; `BarDiscriminator` reads them with the intervals
spelled out. A discriminator answers with raw scores (logits), one tensor for each level that it scores.

Sources: Goodfellow et al. 2014, arXiv:1406.2661 (the game); Jang, Gu and Poole 2017, arXiv:1611.01144 (straight-through
Gumbel-softmax); Dong et al. 2018, MuseGAN, arXiv:1709.06298 (noise for all voices and for each); Isola et al. 2017,
arXiv:1611.07004 (scores for patches beside a score for the whole). The net and its relations are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from musegen_lib.core.configs import require_sizes
from musegen_lib.encodings.arrays import BAR_STEPS, STEPS_PER_BEAT
from musegen_lib.encodings.chorale_steps import FIRST_PITCH, HOLD, N_VOICES, REST
from musegen_lib.models.gan.interval_features import (
    N_BAR_TOKENS,
    N_FEATURES,
    N_PITCHES,
    directions,
    interval_classes,
    interval_features,
    pitch_classes,
)
from musegen_lib.training.sampling import gumbel_noise, straight_through

ORDER = (3, 0, 2, 1)  # bass first, then soprano, tenor, alto: outer voices before inner ones
SHARED = 0  # row of the noise that all voices read; voice v reads row 1 + v
WIDEST_RELATION = 24  # widest interval in semitones that the relations tell apart
_SO_FAR_ABOVE = F.one_hot((torch.arange(12).unsqueeze(1) + torch.arange(12)).flatten() % 12, 12).float()  # (144, 12)
_PITCHES_OF = F.one_hot(torch.arange(N_PITCHES) % 12, 12).float().T  # (12, P)
GAIN = 5.0  # of weights that few steps touch
NEVER = -1e4  # logit of a token that cannot be


@dataclass(frozen=True)
class BarGANConfig:
    """Sizes of a BarGenerator and of a BarDiscriminator."""

    n_bars: int = 1
    noise_dim: int = 64  # Z
    hidden_dim: int = 128  # D of the generator
    n_relations: int = 8  # learnt shapes of liking over intervals, for each pair of voices
    judge_dim: int = 96  # D of the discriminator

    def __post_init__(self) -> None:
        require_sizes(self, may_be_zero=("n_relations",))


class BarGenerator(nn.Module):
    """Writes four voices step by step, and in each step voice by voice, so that each note knows what sounds with it.

    Noise is (B, bars, 5, Z): one row that all voices read, one for each voice. A voice's logits are a layer's output
    plus weighted shapes over intervals: from its own last pitch, and from the voices already placed in the step. The
    weights change with the moment; the shapes are the same at every pitch.
    """

    def __init__(self, config: BarGANConfig):
        super().__init__()
        self.config = config
        width, n_pitched = config.hidden_dim, N_PITCHES + 2  # a pitch or silence, and whether it is struck
        self.read = nn.Linear(N_VOICES * n_pitched, width, bias=False)
        self.start = nn.Linear(config.noise_dim, width)
        self.noise_to_hidden = nn.Linear(config.noise_dim, width)
        self.noise_to_voices = nn.ModuleList(nn.Linear(config.noise_dim, width) for _ in ORDER)
        self.places = nn.Parameter(0.1 * torch.randn(BAR_STEPS, width))
        self.cell = nn.GRUCell(width, width)
        self.placed = nn.ModuleList(nn.Linear(n_pitched, width, bias=False) for _ in ORDER[1:])
        self.heads = nn.ModuleList(
            nn.Linear(width, N_BAR_TOKENS + (1 + i) * config.n_relations) for i in range(len(ORDER))
        )
        self.shapes = nn.ParameterList(
            nn.Parameter(0.3 * torch.randn(1 + i, config.n_relations, 2 * WIDEST_RELATION + 1))
            for i in range(len(ORDER))
        )
        self.motion = nn.ParameterList(nn.Parameter(torch.zeros(i, 36, 12)) for i in range(len(ORDER)))

    def forward(
        self, noise: Float[Tensor, "B bars 5 Z"], gumbel: Float[Tensor, "B T 4 K"] | None = None
    ) -> Float[Tensor, "B T 4 K"]:
        """Write bars as one-hot tokens with straight-through gradients.

        Args:
            noise: standard normal; the bars of a piece may share a part of it.
            gumbel: standard Gumbel noise that is added to the logits, so that tokens are drawn; None takes the
                likeliest.
        """
        banks = [_bank(shapes) for shapes in self.shapes]
        hidden = torch.tanh(self.start(noise[:, 0, SHARED]))
        shared = self.noise_to_hidden(noise[:, :, SHARED])  # (B, bars, D)
        own = [layer(noise[:, :, 1 + v]) for layer, v in zip(self.noise_to_voices, ORDER)]
        silence = F.one_hot(torch.full((len(noise),), N_PITCHES), N_PITCHES + 1).to(noise)
        sound, struck = [silence] * N_VOICES, [noise.new_zeros(len(noise), 1)] * N_VOICES
        steps = []
        for step in range(BAR_STEPS * noise.shape[1]):
            bar, place = divmod(step, BAR_STEPS)
            heard = torch.cat([*sound, *struck], dim=1)
            hidden = self.cell(self.read(heard) + shared[:, bar] + self.places[place], hidden)
            before = list(sound)
            tokens: list[Tensor] = [hidden] * N_VOICES
            state, chosen = hidden, []
            for i, voice in enumerate(ORDER):
                logits = self._logits(i, state + own[i][:, bar], torch.stack([sound[voice], *chosen]), banks[i])
                logits = logits + self._led(i, sound[voice], chosen, [before[v] for v in ORDER[:i]])
                if step == 0:
                    logits = opening(logits)
                token = straight_through(logits if gumbel is None else logits + gumbel[:, step, voice])
                tokens[voice], struck[voice] = token, 1 - token[:, :FIRST_PITCH].sum(dim=1, keepdim=True)
                sound[voice] = token[:, HOLD : HOLD + 1] * sound[voice] + _begun(token)
                chosen.append(sound[voice])
                if i < len(self.placed):
                    state = state + self.placed[i](torch.cat([sound[voice], struck[voice]], dim=1))
            steps.append(torch.stack(tokens, dim=1))
        return torch.stack(steps, dim=1)

    def _logits(self, i: int, state: Tensor, heard: Float[Tensor, "N B P1"], bank: Tensor) -> Float[Tensor, "B K"]:
        out = self.heads[i](F.leaky_relu(state, 0.2))
        shape = len(heard), len(state), self.config.n_relations, N_PITCHES
        relation_scores = torch.bmm(heard[..., :N_PITCHES], bank).view(shape)
        weights = out[:, N_BAR_TOKENS:].view(shape[1], shape[0], shape[2])
        return out[:, :N_BAR_TOKENS] + F.pad(torch.einsum("nbrp,bnr->bp", relation_scores, weights), (FIRST_PITCH, 0))

    def _led(self, i: int, own: Tensor, chosen: list[Tensor], before: list[Tensor]) -> Tensor:
        """Liking for each interval class to the placed voices, by the interval before and how the other voice moved."""
        if not chosen:
            return own.new_zeros(1)
        now, last = torch.stack(chosen), torch.stack(before)  # (N, B, P1)
        interval = interval_classes(pitch_classes(own).expand(len(now), -1, -1), pitch_classes(last))  # (N, B, 12)
        seen = (interval.unsqueeze(3) * directions(now, last).unsqueeze(2)).flatten(2)  # (N, B, 36)
        liking, other = GAIN * torch.bmm(seen, self.motion[i]), pitch_classes(now)  # (N, B, 12) each
        liked = ((liking.unsqueeze(3) * other.unsqueeze(2)).flatten(2) @ _SO_FAR_ABOVE.to(own)).sum(dim=0)  # (B, 12)
        return F.pad(liked @ _PITCHES_OF.to(own), (FIRST_PITCH, 0))

    def draw(
        self, n: int, generator: torch.Generator | None = None, temperature: float = 1.0
    ) -> Float[Tensor, "n T 4 K"]:
        """Draw n pieces, by the global random state without a generator; below temperature 1, likelier tokens."""
        noise, gumbel = self.draw_noise(n, generator)
        return self(noise, temperature * gumbel)

    def draw_noise(
        self, n: int, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "n bars 5 Z"], Float[Tensor, "n T 4 K"]]:
        """Draw normal noise, half of it the same in all bars of a piece, and Gumbel noise."""
        config = self.config
        noise = torch.randn(n, config.n_bars, 1 + N_VOICES, config.noise_dim, generator=generator)
        half = config.noise_dim // 2
        noise[..., :half] = noise[:, :1, :, :half]
        return noise, gumbel_noise((n, BAR_STEPS * config.n_bars, N_VOICES, N_BAR_TOKENS), generator)


class BarDiscriminator(nn.Module):
    """Scores four voices at every step, every beat, every bar, and (if there are several bars) as a whole."""

    def __init__(self, config: BarGANConfig):
        super().__init__()
        self.config = config
        width = config.judge_dim
        self.step = nn.Linear(N_FEATURES + BAR_STEPS, width)
        self.step_again = nn.Linear(width, width)
        self.beat = nn.Linear(STEPS_PER_BEAT * width, width)
        self.bar = nn.Linear(BAR_STEPS // STEPS_PER_BEAT * width, width)
        self.summary = nn.Linear(2 * width, width)
        self.joined = nn.Linear(2 * width, width)
        self.whole = nn.Linear(config.n_bars * width, width)
        self.scores = nn.ModuleList(nn.Linear(width, 1) for _ in range(3 + (config.n_bars > 1)))

    def see(self, tokens: Float[Tensor, "B T 4 K"]) -> Float[Tensor, "B T F"]:
        """What the layers read: pitches and intervals."""
        return interval_features(tokens)

    def forward(self, seen: Float[Tensor, "B T F"]) -> tuple[Tensor, ...]:
        """Return raw scores (B, T), (B, beats), (B, bars) and, for several bars, (B, 1)."""
        n, width = len(seen), self.config.judge_dim
        places = torch.eye(BAR_STEPS).to(seen).repeat(self.config.n_bars, 1).expand(n, -1, -1)
        step = _leaky_relu(self.step(torch.cat([seen, places], dim=2)))  # (B, T, D)
        beat = _leaky_relu(self.beat(step.view(n, -1, STEPS_PER_BEAT * width)))
        by_bar = step.view(n, -1, BAR_STEPS, width)
        summary = _leaky_relu(self.summary(torch.cat([by_bar.mean(dim=2), by_bar.amax(dim=2)], dim=2)))
        order = _leaky_relu(self.bar(beat.view(n, self.config.n_bars, -1)))
        bar = _leaky_relu(self.joined(torch.cat([order, summary], dim=2)))  # (B, bars, D)
        levels = [_leaky_relu(self.step_again(step)), beat, bar]
        if self.config.n_bars > 1:
            levels.append(_leaky_relu(self.whole(bar.flatten(1)))[:, None])
        return tuple(score(level)[..., 0] for score, level in zip(self.scores, levels))


def with_spectral_norm(net: nn.Module) -> nn.Module:
    """Divide the weights of every linear layer by their largest singular value (Miyato et al. 2018)."""
    for layer in list(net.modules()):
        if isinstance(layer, nn.Linear):
            spectral_norm(layer)
    return net


def _leaky_relu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def _begun(token: Float[Tensor, "B K"]) -> Float[Tensor, "B P1"]:
    return torch.cat([token[:, FIRST_PITCH:], token[:, REST : REST + 1]], dim=1)


def opening(logits: Float[Tensor, "... K"]) -> Float[Tensor, "... K"]:
    """In its first step every voice strikes a note: there is nothing to hold, and a voice that rests may never sing."""
    closed = torch.zeros_like(logits)
    closed[..., :FIRST_PITCH] = NEVER
    return logits + closed


def _bank(shapes: Float[Tensor, "N R I"]) -> Float[Tensor, "N P RP"]:
    """Spread shapes over intervals to tables from the pitch heard to the pitches liked."""
    pitch = torch.arange(N_PITCHES)
    interval = (pitch[None, :] - pitch[:, None]).clamp(
        -WIDEST_RELATION, WIDEST_RELATION
    ) + WIDEST_RELATION  # [heard, liked]
    return shapes[:, :, interval].permute(0, 2, 1, 3).reshape(len(shapes), N_PITCHES, -1)
