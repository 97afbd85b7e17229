"""Recommendation from who heard what: baselines and networks under one protocol. Lesson 06b."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "models": "EASE Histories ItemKNN Popularity",
        "als": "ALS",
        "nets": "MultVAEConfig SessionGRURecommender VAERecommender",
        "interactions": "read_interactions",
        "protocol": "evaluate keep_core split_histories to_histories",
        "simulator": "simulate",
    },
)
