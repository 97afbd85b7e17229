"""Chorales for four voices: a recurrent network, harmonising, playing on. Lessons 04 and 04b.

`harmonise.harmonise` and `perform.perform` keep to their modules, which have the same names.
"""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "recipe": "CHORALES HARMONISER chorale_nll chorale_steps score_chorales",
        "rnn": "ChoraleConfig ChoraleRNN",
        "sampling": "ChoraleRequest sample_chorales",
        "seed_phrase": "four_voices our_phrase",
        "live": "performance_to_piece",
        "batches": "collate_steps",
        "frames": "FrameNet FramesConfig",
    },
)
