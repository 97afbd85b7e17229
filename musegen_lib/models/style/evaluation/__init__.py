"""Classifiers, fluency, copying and tables that measure style transfer. A name is loaded, and torch, when asked for.

No method imports from here: what measures must not be what is trained on.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {  # name: its module
    "NGRAM_CLASSIFIER": "classifier_recipes",
    "ROLL_CLASSIFIER": "classifier_recipes",
    "FLUENCY": "language_model_recipe",
    "VIEWS": "ngram_classifier",
    "classifier_windows": "classifier_recipes",
    "calibration_error": "ngram_classifier",
    "classify_pieces": "measures",
    "evaluate_method": "measures",
    "nats_a_note": "measures",
    "real_tunes": "measures",
    "NEAR": "table",
    "held_out_tunes": "table",
    "transfer_report": "table",
    "table_lines": "table",
    "draw_trade_off": "plots",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Import a name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
