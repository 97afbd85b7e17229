"""Recipe of lesson 5's GAN, `style-gan`: a mover and a critic play against each other on melodies of both styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from musegen_lib.core.errors import MusegenError
from musegen_lib.corpus import FOLK_TERMS, corpus_fingerprint
from musegen_lib.corpus.chinese_german import STYLES
from musegen_lib.encodings.melody_lines import MelodyLine
from musegen_lib.models.style.gan import StyleGAN, StyleGANConfig, claim, draw_moves, lines_to_conditions, move
from musegen_lib.models.style.net_recipes import transfer_lines
from musegen_lib.training.adversarial import AdversarialConfig, train_adversarial
from musegen_lib.training.checkpoints import write_checkpoint
from musegen_lib.training.pretrained import ShippedNet, run_folder

MAX_NOTES = 48  # of a line in training
LEAST, MOST = 0.05, 0.35  # amounts asked for in training
Sides = Sequence[Sequence[MelodyLine]]  # lines of each style


def cut_lines(sides: Sides, n: int, rng: np.random.Generator) -> tuple[list[MelodyLine], Tensor]:
    """n lines, half of them of each style, at most MAX_NOTES long; and their styles."""
    found, styles = [], [style for style in range(len(STYLES)) for _ in range(n // len(STYLES))]
    for style in styles:
        line = sides[style][int(rng.integers(len(sides[style])))]
        found.append(line.cut(int(rng.integers(max(1, len(line) - MAX_NOTES + 1))), MAX_NOTES))
    return found, torch.tensor(styles)


class Apprentice(nn.Module):
    """The mover as `train_adversarial` wants a generator; it draws melodies claimed to be of the other style."""

    def __init__(self, model: StyleGAN, sides: Sides, weights: dict[str, float]):
        super().__init__()
        self.mover = model.mover
        self.pick = lambda n: cut_lines(sides, n, np.random.default_rng(int(torch.randint(2**31, ()))))
        self.weights = weights
        self.penalty: Any = 0.0

    def draw(self, n: int) -> Tensor:
        """Move notes of n melodies; `penalty` is then what the mover owes for them."""
        lines, own = self.pick(n)
        score, amount = lines_to_conditions(lines), torch.rand(n) * (MOST - LEAST) + LEAST
        logits = self.mover(score, 1 - own, amount)
        moves = draw_moves(logits)
        made = move(score, moves)
        back = self.mover(made, own, amount).log_softmax(dim=-1)
        stay = self.mover(score, own, amount).log_softmax(dim=-1)[..., moves.shape[-1] // 2]
        share = 1 - logits.softmax(dim=-1)[..., moves.shape[-1] // 2]
        notes = score.mask.sum(dim=1)
        owed = {
            "budget": ((share * score.mask).sum(dim=1) / notes - amount).abs().mean(),
            "cycle": -(back * moves.flip(-1)).sum(dim=-1)[score.mask].mean(),
            "identity": -stay[score.mask].mean(),
        }
        self.penalty = sum(self.weights[name] * value for name, value in owed.items())
        return claim(made, 1 - own)


class StyleGANRecipe(ShippedNet):
    """The GAN of two styles."""

    name = "style-gan"
    about = "A generator that moves notes of Chinese or German folk song, and the critic it learnt from."
    net = StyleGAN
    config = StyleGANConfig()
    game = AdversarialConfig(steps=800, batch_size=24, discriminator_rate=1e-3, slope_penalty=3e-4)
    weights = {"budget": 10.0, "cycle": 0.1, "identity": 0.1}  # noqa: RUF012  never changed

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Play the game for the recipe's number of steps, or for `steps`; a GAN is not trained by the clock."""
        if minutes is not None:
            raise MusegenError(f"{self.name} is trained by steps, not by minutes: give --steps")
        config = replace(self.game, seed=seed, steps=steps or self.game.steps)
        model, losses = self.played(config, out)
        card = {
            "about": self.about,
            "recipe": f"musegen train {self.name} --seed {seed} --steps {config.steps}",
            "data": f"folk tunes but the judge's files, part train: {FOLK_TERMS}",
            "data_fingerprint": corpus_fingerprint("folk"),
            "seed": seed,
            "steps": len(losses),
            "valid_loss": self.critic_loss(model),
        }
        write_checkpoint(out, model, card)
        return card

    def played(self, config: AdversarialConfig, out: Path) -> tuple[StyleGAN, list[tuple[float, float]]]:
        """A model after its game, and the losses; a stopped game goes on."""
        torch.manual_seed(config.seed)
        model, sides = self.net(self.config), transfer_lines("train")[: len(STYLES)]

        def real(step: int, rank: int = 0, world_size: int = 1) -> Tensor:
            lines, own = cut_lines(sides, config.batch_size, np.random.default_rng([config.seed, step]))
            return claim(lines_to_conditions(lines), own)

        apprentice = Apprentice(model, sides, self.weights)
        return model, train_adversarial(apprentice, model.critic, real, config, run_folder(out, config.seed))

    @torch.no_grad()
    def critic_loss(self, model: StyleGAN) -> float:
        """Nats a melody of the critic on validation melodies, claimed to be of their own style and of the other."""
        lines = transfer_lines("valid")[: len(STYLES)]
        found = []
        for style, own in enumerate(lines):
            score, styles = lines_to_conditions(list(own)), torch.full((len(own),), style)
            for claimed, sign in ((styles, -1.0), (1 - styles, 1.0)):
                raw = model.critic(claim(score, claimed))[0]
                found.append(nn.functional.softplus(sign * raw)[score.mask].mean().item())
        return round(float(np.mean(found)), 4)

    def valid_loss(self) -> float:
        """Nats a note of the shipped critic on validation melodies; log 2 = .69 is a guess."""
        return self.critic_loss(self.load_once())


STYLE_GAN = StyleGANRecipe()
