"""What recipes of trained nets share: where their weights lie, how they are loaded, and how they are trained."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import committed
from musegen_lib.corpus import corpus_fingerprint
from musegen_lib.training.checkpoints import load_model, read_card, write_checkpoint
from musegen_lib.training.loop import Batches, Run, TrainConfig, fit, limited


def train_command(
    name: str, seed: int, usual: TrainConfig, steps: int | None = None, minutes: float | None = None, data: str = ""
) -> str:
    """The command that trains a net once more: with the limits that were asked for, else with the recipe's own.

    >>> train_command("rnn", 3, TrainConfig(steps=4000)), train_command("rnn", 3, TrainConfig(steps=4000), minutes=0.5)
    ('musegen train rnn --seed 3 --steps 4000', 'musegen train rnn --seed 3 --minutes 0.5')
    """
    if steps is None and minutes is None:
        steps, minutes = (usual.steps, None) if usual.minutes is None else (None, usual.minutes)
    limits = "" if steps is None else f" --steps {steps}"
    limits += "" if minutes is None else f" --minutes {minutes:g}"
    return f"musegen train {name}{f' --data {data}' if data else ''} --seed {seed}{limits}"


def run_folder(out: Path, seed: int) -> Path:
    """Where a training that shall end in `out` keeps its state."""
    return Path("runs") / f"{out.stem}-seed{seed}"


class ShippedNet:
    """A net whose weights come with the course; `net` is its class and `config` how large it is trained."""

    name: str
    about: str  # one sentence
    net: type
    config: Any
    training: TrainConfig

    @property
    def checkpoint(self) -> Path:
        """Where the shipped weights lie."""
        return committed(f"checkpoints/{self.name}.safetensors")

    def load(self, path: Path | None = None) -> Any:
        """Load trained weights; the card says how large the net is."""
        return load_model(path or self.checkpoint, self.net, type(self.config))

    def fitted(
        self, batches: Batches, valid: Sequence[Any], out: Path, seed: int, steps: int | None, minutes: float | None
    ) -> tuple[Any, Run]:
        """Train a new net by the recipe, within other limits if they are given; a stopped run goes on."""
        torch.manual_seed(seed)
        model, config = self.net(self.config), limited(self.training, seed, steps, minutes)
        return model, fit(model, batches, valid, config, run_folder(out, seed))

    @cache  # noqa: B019  a few recipes, which live as long as the program
    def load_once(self) -> Any:
        """The shipped net, read from the disk at the first use."""
        return self.load()

    def save_trained(
        self,
        out: Path,
        model: Any,
        run: Run,
        data: str,
        seed: int,
        steps: int | None,
        minutes: float | None,
        corpus: str = "folk",
        **more: Any,
    ) -> dict[str, Any]:
        """Write what `fitted` trained, and return its card.

        Args:
            data: what it learnt from, in words, with the terms of use.
            corpus: "folk" or "chorales", whose fingerprint the card keeps.
            more: further entries of the card.
        """
        card = {
            "about": self.about,
            "recipe": train_command(self.name, seed, self.training, steps, minutes),
            "data": data,
            "data_fingerprint": corpus_fingerprint(corpus),
            "seed": seed,
            **more,
            "steps": run.step,
            "valid_loss": round(run.best_loss, 4),
            "best_step": run.best_step,
        }
        write_checkpoint(out, model, card)
        return card

    def valid_loss(self) -> float:
        """The loss on validation music, as the card of the shipped weights has it; the net's `loss` says in what."""
        card = read_card(self.checkpoint)
        if "valid_loss" not in card:
            raise MusegenError(f"{self.name}: its card holds no loss; `musegen evaluate {self.name}` measures it")
        return float(card["valid_loss"])
