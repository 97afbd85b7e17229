"""Measures of music and of models. Each says its definition, its range and its source; none imports torch.

A figure alone says little: print beside it what real music, shuffled music and noise score (`reference`).
"""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "bars": "FIGURES bar_report copied_share",
        "cadences": "cadence_report",
        "content": "chroma_similarity content_report contour_kept notes_kept",
        "features": "MELODY_FEATURES melody_features window_features",
        "likelihood": "Estimate mean_estimate nats_per_note ratio_estimate",
        "originality": "CopyDetector chord_symbols melody_symbols",
        "overlap": "compare_sets histogram_overlap",
        "reference": "noise_like shuffle_chords shuffle_frames shuffle_notes",
        "table": "VOICE_METRICS format_table metric_table",
        "tonality": "key_fit scale_consistency",
        "two_sample": "classifier_two_sample frechet_distance frechet_floor",
        "voices": "voice_rules",
    },
)
