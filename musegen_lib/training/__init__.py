"""Training: one loop, its adversarial form, checkpoints that are safe to read, drawing from logits."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "loop": "Run TrainConfig fit",
        "adversarial": "AdversarialConfig LOSSES train_adversarial",
        "checkpoints": "load_model read_card write_checkpoint",
        "pretrained": "ShippedNet",
        "sampling": "sample",
    },
)
