"""What recipes of trained nets share: where their weights lie, and how they are loaded."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from musegen_lib.checkpoints import load_model
from musegen_lib.paths import committed
from musegen_lib.training import TrainConfig


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


class ShippedNet:
    """A net whose weights come with the course; `net` is its class and `config` how large it is trained."""

    name: str
    net: type
    config: Any

    @property
    def checkpoint(self) -> Path:
        """Where the shipped weights lie."""
        return committed(f"checkpoints/{self.name}.safetensors")

    def load(self, path: Path | None = None) -> Any:
        """Load trained weights; the card says how large the net is."""
        return load_model(path or self.checkpoint, self.net, type(self.config))

    @cache  # noqa: B019  a few recipes, which live as long as the program
    def load_once(self) -> Any:
        """The shipped net, read from the disk at the first use."""
        return self.load()
