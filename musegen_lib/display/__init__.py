"""Pieces to see and to hear: piano rolls, curves, scores, sound, and a page that holds them all."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "figures": "bars curves piano_roll picture pitch_name points show",
        "following": "follow",
        "piano_keys": "keyboard",
        "score": "engrave",
        "tables": "table",
        "sound": "player players render",
        "sliders": "states",
    },
)
