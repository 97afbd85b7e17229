"""The loop of lesson 2: adversarial training of a generator and a discriminator, one step each in turn.

Seeded and resumable by the parts that `training.fit` is made of: step k depends on the seed and on k alone, so a run
that was stopped goes on as if it had not been. The discriminator
answers with a tuple of raw scores, one tensor a level; losses are summed over levels.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musegen_lib.training.loop import Batches
from musegen_lib.training.resume import keep_state, resume_state, tensor_shapes
from musegen_lib.training.steps import descend, half_then_fall, progress, seed_step, set_learning_rate

KEEP_EVERY = 200  # steps
CLIP_NORM = 5.0


class AdversarialLoss(NamedTuple):
    """What each of the two networks minimises, on raw scores."""

    discriminator: Callable[[Tensor, Tensor], Tensor]  # scores of real, scores of made
    generator: Callable[[Tensor], Tensor]  # scores of made


LOSSES = {
    "saturating": AdversarialLoss(
        lambda real, made: F.softplus(-real).mean() + F.softplus(made).mean(), lambda made: -F.softplus(made).mean()
    ),
    "non-saturating": AdversarialLoss(
        lambda real, made: F.softplus(-real).mean() + F.softplus(made).mean(), lambda made: F.softplus(-made).mean()
    ),
    "hinge": AdversarialLoss(
        lambda real, made: F.relu(1 - real).mean() + F.relu(1 + made).mean(), lambda made: -made.mean()
    ),
    "wasserstein": AdversarialLoss(lambda real, made: made.mean() - real.mean(), lambda made: -made.mean()),
}


@dataclass(frozen=True)
class AdversarialConfig:
    """How a generator and a discriminator are trained."""

    steps: int = 1500
    batch_size: int = 64
    loss: str = "non-saturating"
    generator_rate: float = 1e-3
    discriminator_rate: float = 3e-4
    slope_penalty: float = 0.3  # R1: times half the squared slope of the scores at real music (Mescheder et al. 2018)
    gradient_penalty: float = 0.0  # WGAN-GP: times the squared distance of the slope from 1, between real and made
    average: float = 0.999  # weights of the generator that is kept: a running mean (Yazici et al. 2019)
    seed: int = 0


def train_adversarial(
    generator: nn.Module,
    discriminator: nn.Module,
    batches: Batches,
    config: AdversarialConfig,
    folder: Path | None = None,
    watch: Callable[[int, nn.Module], None] | None = None,
    shown: bool = True,
) -> list[tuple[float, float]]:
    """Train both nets in place; the generator ends as the running mean of its weights.

    Args:
        generator: offers `draw(n)`, from the global random state, in the form of the batches. If it has a `penalty`,
            that of its last draw is added to its loss.
        discriminator: offers `see(batch)`, what it reads, and maps that to its scores.
        folder: where to keep the state every KEEP_EVERY steps; a run of the same configuration found there is resumed.
        watch: called after every step with the number of steps done and the averaged generator.
        shown: draw a progress bar.
    Returns:
        losses of discriminator and generator, one pair a step.
    Raises:
        MusegenError: a loss or its gradient is no longer finite; the message names the network and the step.
    """
    run = _AdversarialRun(generator, discriminator, config)
    done = run.resume(folder)
    bar = progress(config.steps, done, shown)
    for step in range(done, config.steps):
        seed_step(config.seed, step)
        run.losses.append(run.one_step(batches(step), step))
        bar.update()
        if folder is not None and ((step + 1) % KEEP_EVERY == 0 or step + 1 == config.steps):
            run.keep(folder)
        if watch is not None:
            watch(step + 1, run.mean)
    bar.close()
    generator.load_state_dict(run.mean.state_dict())
    return run.losses


class _AdversarialRun:
    """Both nets, their optimizers, and the running mean of the generator."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, config: AdversarialConfig):
        self.config, self.loss = config, LOSSES[config.loss]
        self.generator, self.discriminator = generator, discriminator
        self.mean = copy.deepcopy(generator)
        betas = (0.0, 0.99)  # no momentum: the other network changes, so old gradients mislead
        self.optimizers = {
            "generator": torch.optim.Adam(generator.parameters(), lr=config.generator_rate, betas=betas),
            "discriminator": torch.optim.Adam(discriminator.parameters(), lr=config.discriminator_rate, betas=betas),
        }
        self.losses: list[tuple[float, float]] = []

    def one_step(self, real: Tensor, step: int) -> tuple[float, float]:
        """Update the discriminator, then the generator; return both losses."""
        self._set_rates(half_then_fall(step, self.config.steps))
        made = self.generator.draw(len(real))
        d_loss = self._discriminator_loss(real, made.detach())
        self._update("discriminator", d_loss, step)
        g_loss = sum(self.loss.generator(level) for level in self.discriminator(self.discriminator.see(made)))
        self._update("generator", g_loss + getattr(self.generator, "penalty", 0.0), step)
        with torch.no_grad():
            share = 1 - min(self.config.average, (step + 1) / (step + 10))
            for kept, new in zip(self.mean.parameters(), self.generator.parameters()):
                kept.lerp_(new, share)
        return d_loss.item(), g_loss.item()

    def _discriminator_loss(self, real: Tensor, made: Tensor) -> Tensor:
        critic, config = self.discriminator, self.config
        real, made = critic.see(real).detach().requires_grad_(), critic.see(made)
        of_real, of_made = critic(real), critic(made)
        loss = sum(self.loss.discriminator(a, b) for a, b in zip(of_real, of_made))
        if config.slope_penalty:
            loss = loss + config.slope_penalty / 2 * _slopes(of_real, real).pow(2).mean()
        if config.gradient_penalty:
            share = torch.rand(len(real), *[1] * (real.dim() - 1))
            between = (share * real + (1 - share) * made).detach().requires_grad_()
            loss = loss + config.gradient_penalty * (_slopes(critic(between), between) - 1).pow(2).mean()
        return loss

    def _update(self, name: str, loss: Tensor, step: int) -> None:
        net = self._nets()[name]
        descend(loss, net, self.optimizers[name], CLIP_NORM, f"the {name}'s loss of step {step}")

    def _set_rates(self, share: float) -> None:
        set_learning_rate(self.optimizers["generator"], self.config.generator_rate * share)
        set_learning_rate(self.optimizers["discriminator"], self.config.discriminator_rate * share)

    def _nets(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator, "mean": self.mean}

    def _parts(self) -> dict[str, Any]:
        return self._nets() | {f"{name} optimizer": optimizer for name, optimizer in self.optimizers.items()}

    def keep(self, folder: Path) -> None:
        """Write the state of both networks."""
        keep_state(folder, self._parts(), self._identity(), {"losses": json.dumps(self.losses)})

    def resume(self, folder: Path | None) -> int:
        """Fill the networks from the folder; return the number of steps done, 0 where nothing fits."""
        self.losses = resume_state(folder, self._parts(), self._identity(), _read_losses) or []
        return len(self.losses)

    def _identity(self) -> str:
        shapes = {name: tensor_shapes(net) for name, net in self._nets().items()}
        return json.dumps({"shapes": shapes, "training": asdict(self.config)})


def _read_losses(about: dict[str, str]) -> list[tuple[float, float]]:
    """The losses that `keep` wrote; ValueError or KeyError where there are none."""
    found = json.loads(about["losses"])
    if not isinstance(found, list) or any(not isinstance(pair, list) or len(pair) != 2 for pair in found):
        raise ValueError("holds no losses that this version can continue")
    return [(float(first), float(second)) for first, second in found]


def _slopes(scores: tuple[Tensor, ...], seen: Tensor) -> Tensor:
    """(B,) length of the gradient of the sum of a row's scores, at all levels, by what is seen of it."""
    (gradient,) = torch.autograd.grad(sum(level.sum() for level in scores), seen, create_graph=True)
    return gradient.flatten(1).norm(dim=1)
