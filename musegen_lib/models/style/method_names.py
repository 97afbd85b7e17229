"""The transfer methods by name: the function that rewrites and the shipped net it is given. Importing loads no torch.

A function or a recipe is named as "module:name", for `pkgutil.resolve_name` to find once it is needed.
"""

from __future__ import annotations

METHODS: dict[str, tuple[str, str | None]] = {  # name: the function, and the name of its net or None
    "counts": ("musegen_lib.models.style.baselines:counted", None),
    "counts-ends": ("musegen_lib.models.style.baselines:counted_between_ends", None),
    "snap": ("musegen_lib.models.style.baselines:snapped", None),
    "gan": ("musegen_lib.models.style.methods:by_gan", "style-gan"),
    "rnn": ("musegen_lib.models.style.methods:by_rnn", "style-rnn"),
    "vae": ("musegen_lib.models.style.methods:by_vae", "style-vae"),
    "vae-ensemble": ("musegen_lib.models.style.methods:by_ensemble", "style-vae-ensemble"),
    "vae-attribute": ("musegen_lib.models.style.attribute_vector:by_attribute", "vae"),
}

NETS: dict[str, str] = {  # name of a net: its recipe
    "style-gan": "musegen_lib.models.style.gan_recipe:STYLE_GAN",
    "style-rnn": "musegen_lib.models.style.net_recipes:STYLE_RNN",
    "style-vae": "musegen_lib.models.style.net_recipes:STYLE_VAE",
    "style-vae-ensemble": "musegen_lib.models.style.net_recipes:STYLE_VAE_ENSEMBLE",
    "vae": "musegen_lib.models.vae.recipe:VAE",
}
