"""Classifiers, fluency, copying and tables that measure style transfer. A name is loaded, and torch, when asked for.

No method imports from here: what measures must not be what is trained on.
"""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "classifier_recipes": "NGRAM_CLASSIFIER ROLL_CLASSIFIER classifier_windows",
        "language_model_recipe": "FLUENCY",
        "ngram_classifier": "VIEWS calibration_error",
        "measures": "classify_pieces evaluate_method nats_a_note real_tunes",
        "table": "NEAR held_out_tunes transfer_report table_lines",
        "plots": "draw_trade_off",
    },
)
