"""Search for a tune by its notes: an encoder trained by contrast, its rivals, the benchmark. Lesson 06."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "recipe": "TUNE_ENCODER WindowSearch embed_notes encoder_of",
        "encoder": "TuneEncoder",
        "hum_benchmark": "Notes corpus_notes hum make_queries rank_of",
        "similar": "corpus_embeddings similar_tunes",
        "inverted_file": "InvertedFile",
        "map": "hover_map principal_components",
    },
)
