"""Two bars of melody as a code and back: the variational autoencoder. Lesson 03."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "recipe": "VAE measure_codes measure_samples prior_windows",
        "vae": "MelodyVAE draw_latent gaussian_kl",
        "encoders_decoders": "MelodyVAEConfig",
        "batches": "WindowBatches",
        "measures": "encode_windows hold_baseline write_windows",
        "interpolate": "crossfade neighbours path_between",
    },
)
