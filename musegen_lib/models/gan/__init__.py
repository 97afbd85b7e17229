"""Bars for four voices out of noise: generators and discriminators. Lesson 02."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "recipe": "BAR PHRASES SKETCH Windows chorale_windows",
        "nets": "BarDiscriminator BarGANConfig BarGenerator straight_through with_spectral_norm",
        "batches": "BarBatches bar_windows one_hot tokens_to_pieces windows_to_cells",
        "outer_voices": "bars_to_piece bars_to_rows rows_to_bars two_voices",
        "baselines": "cells_to_tokens",
    },
)
