"""Style transfer of lesson 5: nets and countings that rewrite a melody. A name is loaded, and torch, when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {  # name: its module
    "METHODS": "method_names",
    "find_method": "transfer",
    "rewrite": "transfer",
    "melody_of": "transfer",
    "allowed_changes": "budget",
    "STYLE_RNN": "net_recipes",
    "STYLE_VAE": "net_recipes",
    "STYLE_VAE_ENSEMBLE": "net_recipes",
    "STYLE_GAN": "gan_recipe",
    "transfer_lines": "net_recipes",
    "rewrite_line": "beam_search",
    "contrast_per_note": "beam_search",
    "by_content": "methods",
    "style_direction": "attribute_vector",
    "engrave_changes": "score_changes",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Import a name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
