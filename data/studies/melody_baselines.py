"""Floors of the melody nets: what counting scores, in nats a note. Studied in notebooks/04_rnn.ipynb."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from musegen_lib.encodings.melody_events import FIRST_PITCH_ID, N_DURATIONS, N_PITCH_IDS, MelodyEvents
from musegen_lib.models.melody.markov import MarkovConfig, MelodyMarkov


def unigram_nats(train: Sequence[MelodyEvents], tunes: Sequence[MelodyEvents]) -> float:
    """Nats a note if every event is drawn from one table of pitches and durations, each pair counted once more."""
    pairs = Counter(pair for tune in train for pair in zip(tune.pitch_ids.tolist(), tune.durations.tolist()))
    total = sum(pairs.values()) + N_PITCH_IDS * (N_DURATIONS - 1)
    nll = [
        -np.log((pairs[pair] + 1) / total) for t in tunes for pair in zip(t.pitch_ids.tolist(), t.durations.tolist())
    ]
    return float(sum(nll) / sum(tune.n_notes for tune in tunes))


def markov_nats(
    order: int, train: Sequence[MelodyEvents], valid: Sequence[MelodyEvents], backoffs: Sequence[float]
) -> float:
    """Nats a note of a Markov chain with the back-off that suits the validation tunes best."""
    model = MelodyMarkov(MarkovConfig(order)).fit(list(train))
    n_notes = sum(tune.n_notes for tune in valid)
    return float(min(model.with_backoff(backoff).nll(list(valid)).sum() for backoff in backoffs) / n_notes)


def in_all_keys(tunes: Sequence[MelodyEvents], max_shift: int = 5) -> list[MelodyEvents]:
    """Each tune in every transposition up to so many semitones that stays in range, as MelodyBatches draws them."""
    found = []
    for tune in tunes:
        notes = tune.pitch_ids >= FIRST_PITCH_ID
        low, high = tune.pitch_ids[notes].min(), tune.pitch_ids[notes].max()
        for shift in range(max(-max_shift, FIRST_PITCH_ID - low), min(max_shift, N_PITCH_IDS - 1 - high) + 1):
            found.append(replace(tune, pitch_ids=np.where(notes, tune.pitch_ids + shift, tune.pitch_ids)))
    return found
