"""Families of models, a folder each. What all lessons may want of the others: the trained ones, facts on any piece."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "registry": "RECIPES find_recipe",
        "facts": "chorale_detector facts_of held_out_runs is_playable_chorale longest_runs",
        "melody.recipe": "MARKOV RNN copy_detector",
        "chorale.harmonise": "harmonise",
        "chorale.recipe": "CHORALES",
        "gan.recipe": "BAR PHRASES",
        "vae.recipe": "VAE",
    },
)
