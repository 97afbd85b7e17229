"""Style transfer: nets and countings that rewrite a melody in another style. Lesson 05."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "method_names": "METHODS",
        "transfer": "find_method rewrite melody_of",
        "budget": "allowed_changes",
        "net_recipes": "STYLE_RNN STYLE_VAE STYLE_VAE_ENSEMBLE transfer_lines",
        "gan_recipe": "STYLE_GAN",
        "beam_search": "rewrite_line contrast_per_note",
        "methods": "by_content",
        "attribute_vector": "style_direction",
        "score_changes": "engrave_changes",
    },
)
