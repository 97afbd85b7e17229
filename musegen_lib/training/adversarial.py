"""The loop of lesson 2: a discriminator and a generator take turns. Seeded and resumable, as `training.fit` is.

Step k depends on the seed and on k alone, so a run that was stopped goes on as if it had not been. The discriminator
answers with a tuple of raw scores, one tensor a level; losses are summed over levels.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from musegen_lib.core.errors import MusegenError
from musegen_lib.training.checkpoints import read_state, write_state
from musegen_lib.training.loop import Batches
from musegen_lib.training.resume import LAST, fill_parts, part_tensors, seed_step, set_aside

KEEP_EVERY = 200


class AdversarialLoss(NamedTuple):
    """The two sides of one form of the game, on raw scores."""

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
    """How the two nets train_adversarial."""

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
) -> list[tuple[float, float]]:
    """Train both nets in place; the generator ends as the running mean of its weights.

    Args:
        generator: offers `draw(n)`, from the global random state, in the form of the batches. If it has a `penalty`,
            that of its last draw is added to its loss.
        discriminator: offers `see(batch)`, what it reads, and maps that to its scores.
        folder: where to keep the state every KEEP_EVERY steps; a run of the same configuration found there is resumed.
        watch: called after every step with the number of steps done and the averaged generator.
    Returns:
        losses of discriminator and generator, one pair a step.
    Raises:
        MusegenError: a loss is no longer a finite number; the message names the step.
    """
    game = _AdversarialRun(generator, discriminator, config)
    done = game.resume(folder)
    for step in tqdm(range(done, config.steps), initial=done, total=config.steps, desc="playing", leave=False):
        seed_step(config.seed, step)
        game.losses.append(game.one_step(batches(step), step))
        if not all(map(math.isfinite, game.losses[-1])):
            raise MusegenError(f"the losses of step {step} are {game.losses[-1]}; choose lower rates")
        if folder is not None and ((step + 1) % KEEP_EVERY == 0 or step + 1 == config.steps):
            game.keep(folder)
        if watch is not None:
            watch(step + 1, game.mean)
    generator.load_state_dict(game.mean.state_dict())
    return game.losses


class _AdversarialRun:
    """Both nets, their optimizers, and the running mean of the generator."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, config: AdversarialConfig):
        self.config, self.loss = config, LOSSES[config.loss]
        self.generator, self.discriminator = generator, discriminator
        self.mean = copy.deepcopy(generator)
        betas = (0.0, 0.99)  # no momentum: the opponent moves, so old gradients mislead
        self.optimizers = {
            "generator": torch.optim.Adam(generator.parameters(), lr=config.generator_rate, betas=betas),
            "discriminator": torch.optim.Adam(discriminator.parameters(), lr=config.discriminator_rate, betas=betas),
        }
        self.losses: list[tuple[float, float]] = []

    def one_step(self, real: Tensor, step: int) -> tuple[float, float]:
        """Let the discriminator move, then the generator; return both losses."""
        self._set_rates(min(1.0, 2 * (1 - step / self.config.steps)) + 1e-3)
        made = self.generator.draw(len(real))
        d_loss = self._discriminator_loss(real, made.detach())
        self._update("discriminator", self.discriminator, d_loss)
        g_loss = sum(self.loss.generator(level) for level in self.discriminator(self.discriminator.see(made)))
        self._update("generator", self.generator, g_loss + getattr(self.generator, "penalty", 0.0))
        with torch.no_grad():
            share = 1 - min(self.config.average, (step + 1) / (step + 10))
            for kept, new in zip(self.mean.parameters(), self.generator.parameters()):
                kept.lerp_(new, share)
        return d_loss.item(), g_loss.item()

    def _discriminator_loss(self, real: Tensor, made: Tensor) -> Tensor:
        judge, config = self.discriminator, self.config
        real, made = judge.see(real).detach().requires_grad_(), judge.see(made)
        of_real, of_made = judge(real), judge(made)
        loss = sum(self.loss.discriminator(a, b) for a, b in zip(of_real, of_made))
        if config.slope_penalty:
            loss = loss + config.slope_penalty / 2 * _slopes(of_real, real).pow(2).mean()
        if config.gradient_penalty:
            share = torch.rand(len(real), *[1] * (real.dim() - 1))
            between = (share * real + (1 - share) * made).detach().requires_grad_()
            loss = loss + config.gradient_penalty * (_slopes(judge(between), between) - 1).pow(2).mean()
        return loss

    def _update(self, name: str, net: nn.Module, loss: Tensor) -> None:
        self.optimizers[name].zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        self.optimizers[name].step()

    def _set_rates(self, share: float) -> None:
        peaks = {"generator": self.config.generator_rate, "discriminator": self.config.discriminator_rate}
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = peaks[name] * share

    def _nets(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator, "mean": self.mean}

    def _parts(self) -> dict[str, Any]:
        return self._nets() | {f"{name} optimizer": optimizer for name, optimizer in self.optimizers.items()}

    def keep(self, folder: Path) -> None:
        """Write the state of the game."""
        about = {"losses": json.dumps(self.losses), "identity": self._identity()}
        write_state(folder / LAST, part_tensors(self._parts()), about)

    def resume(self, folder: Path | None) -> int:
        """Fill the nets from the folder; return the number of steps done, 0 where nothing fits."""
        if folder is None or not (folder / LAST).exists():
            return 0
        try:
            tensors, about = read_state(folder / LAST)
            if about.get("identity") != self._identity():
                raise MusegenError("holds a run with another configuration")
        except MusegenError as fault:
            set_aside(folder, fault)
            return 0
        fill_parts(self._parts(), tensors)
        self.losses = [tuple(pair) for pair in json.loads(about["losses"])]
        return len(self.losses)

    def _identity(self) -> str:
        shapes = {name: list(value.shape) for name, value in part_tensors(self._nets()).items()}
        return json.dumps({"shapes": shapes, "game": asdict(self.config)})


def _slopes(scores: tuple[Tensor, ...], seen: Tensor) -> Tensor:
    """(B,) length of the gradient of the sum of a row's scores, at all levels, by what is seen of it."""
    (gradient,) = torch.autograd.grad(sum(level.sum() for level in scores), seen, create_graph=True)
    return gradient.flatten(1).norm(dim=1)
