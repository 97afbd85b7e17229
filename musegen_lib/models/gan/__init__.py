"""Bars for four voices out of noise: generators and discriminators. Lesson 02."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "recipe": "BAR PHRASES SKETCH chorale_windows",
        "nets": "BarDiscriminator BarGenerator straight_through",
        "batches": "bar_windows tokens_to_pieces windows_to_cells",
        "outer_voices": "bars_to_piece bars_to_rows rows_to_bars two_voices",
    },
)
