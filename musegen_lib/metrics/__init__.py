"""Measures of music and of models. Each says its definition, its range and its source; none imports torch.

A figure alone says little: print beside it what real music, shuffled music and noise score (`reference`).
"""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "bars": "bar_report",
        "content": "content_report",
        "likelihood": "Estimate mean_estimate nats_per_note ratio_estimate",
        "originality": "CopyDetector",
        "overlap": "compare_sets histogram_overlap",
        "reference": "noise_like shuffle_notes",
        "table": "format_table metric_table",
        "two_sample": "classifier_two_sample frechet_distance",
    },
)
