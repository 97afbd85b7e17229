"""What recipes of trained nets share: where their weights lie, and how they are loaded."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from musegen_lib.checkpoints import load_model
from musegen_lib.paths import committed


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
