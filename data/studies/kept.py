"""Nets of several seeds that more than one study reads: trained once by their recipe, kept in `runs`, not committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def kept_net(recipe: Any, seed: int, name: str = "") -> Any:
    """The net that a recipe trains from a seed, unless an earlier run has kept it.

    Args:
        name: of the file, without seed and ending; the recipe's own name if there is none.
    """
    path = Path("runs") / f"{name or recipe.name}-{seed}.safetensors"
    if not path.exists():
        recipe.train(path, seed)
    return recipe.load(path)
