"""Melodies note by note: Markov chains and recurrent networks. Lessons 00, 01 and 04."""

from musegen_lib.core.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "recipe": "MARKOV RNN copy_detector melody_events rnn_nll score_tunes",
        "rnn": "MelodyRNN MelodyRNNConfig next_pitches",
        "markov": "MarkovConfig MelodyMarkov",
        "sampling": "MelodyRequest sample_melodies",
        "batches": "MelodyBatches collate",
    },
)
