"""Markov chains over melody events, of orders 1 to 4. Taught in notebooks/00_first_music.ipynb.

An event is a pitch id, then a duration. Order k reads the k events before. Each context of length j shares its
probability with the context of length j - 1 in proportion to how many different continuations it has been seen with:
    p_j(x) = (count_j(x) + b types_j p_{j-1}(x)) / (count_j + b types_j),     p_{-1} uniform.
Source: Witten and Bell 1991, "The zero-frequency problem", has b = 1; the interpolated form is in Chen and Goodman
1998. We choose b on the validation tunes: melodies want far more back-off than text does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from musegen_lib.encodings.melody_events import END_ID, N_DURATIONS, N_PITCH_IDS, MelodyEvents
from musegen_lib.encodings.melody_form import Form
from musegen_lib.models.melody.sampling import MelodyRequest, sample_melodies

N_SYMBOLS = 128  # pitch ids and durations share the numbers below this; 127 stands before the first event
BEFORE = 127


@dataclass(frozen=True)
class MarkovConfig:
    """Sizes of a MelodyMarkov."""

    order: int = 4  # events of context
    backoff: float = 16.0  # b; the best of 1, 3, 6, 10, 16, 25 on the validation tunes, for order 4


class MelodyMarkov:
    """p(tune) = product over events of p(pitch | k events before) p(duration | this pitch, k events before)."""

    def __init__(self, config: MarkovConfig):
        self.config = config
        self.pitch_table = ContextTable(N_PITCH_IDS, config.backoff)
        self.duration_table = ContextTable(N_DURATIONS, config.backoff)

    def fit(self, tunes: Sequence[MelodyEvents]) -> MelodyMarkov:
        """Count every event of the tunes in all its contexts."""
        contexts, pitch_ids, durations = self._rows(tunes)
        self.pitch_table.fit(contexts, pitch_ids)
        sounding = pitch_ids != END_ID
        self.duration_table.fit(np.column_stack([pitch_ids, contexts])[sounding], durations[sounding])
        return self

    def with_backoff(self, backoff: float) -> MelodyMarkov:
        """Return the same counts under another back-off."""
        model = MelodyMarkov(replace(self.config, backoff=backoff))
        model.pitch_table.copy_counts(self.pitch_table)
        model.duration_table.copy_counts(self.duration_table)
        return model

    def nll(self, tunes: Sequence[MelodyEvents]) -> Float[np.ndarray, "tunes"]:
        """Negative log-likelihood of each tune in nats, its END included."""
        contexts, pitch_ids, durations = self._rows(tunes)
        nats = -np.log(self.pitch_table.probability(contexts, pitch_ids))
        sounding = pitch_ids != END_ID
        with_pitch = np.column_stack([pitch_ids, contexts])[sounding]
        nats[sounding] -= np.log(self.duration_table.probability(with_pitch, durations[sounding]))
        starts = np.cumsum([0, *(len(tune.pitch_ids) for tune in tunes)])[:-1]
        return np.add.reduceat(nats, starts)

    def sample(
        self,
        n: int,
        request: MelodyRequest | Sequence[MelodyRequest],
        generator: torch.Generator,
        forms: Sequence[Form] | None = None,
    ) -> list[MelodyEvents]:
        """Draw n playable melodies; style is not known to this model, metre and form only through the rules."""
        return sample_melodies(MarkovStream(self, n), n, request, generator, forms=forms)

    def _rows(self, tunes: Sequence[MelodyEvents]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(events, 2k) context symbols, nearest first; (events,) pitch ids and durations."""
        contexts = []
        for tune in tunes:
            symbols = np.stack([tune.pitch_ids, tune.durations], axis=1)[:-1].ravel()  # p d p d ..., END never read
            padded = np.concatenate([np.full(2 * self.config.order, BEFORE), symbols])
            rows = np.lib.stride_tricks.sliding_window_view(padded, 2 * self.config.order)[::2]
            contexts.append(rows[:, ::-1])
        pitch_ids = np.concatenate([tune.pitch_ids for tune in tunes])
        durations = np.concatenate([tune.durations for tune in tunes])
        return np.concatenate(contexts), pitch_ids, durations


class ContextTable:
    """Counts of a target after contexts of every length, as sorted keys: a trie in flat arrays."""

    def __init__(self, n_targets: int, backoff: float):
        self.n_targets = n_targets
        self.backoff = backoff

    def fit(self, contexts: Int[np.ndarray, "N L"], targets: Int[np.ndarray, "N"]) -> None:
        """Count targets after the first 0, 1, ..., L symbols of their contexts."""
        self.children, self.seen, self.totals, self.types = [], [], [], []
        node = np.zeros(len(targets), dtype=np.int64)
        for level in range(contexts.shape[1] + 1):
            if level:
                keys, node = np.unique(node * N_SYMBOLS + contexts[:, level - 1], return_inverse=True)
                self.children.append(keys)
            pairs, counts = np.unique(node * N_SYMBOLS + targets, return_counts=True)
            n_nodes = int(node.max()) + 1
            self.seen.append((pairs, counts))
            self.totals.append(np.bincount(node, minlength=n_nodes))
            self.types.append(np.bincount(pairs // N_SYMBOLS, minlength=n_nodes))

    def copy_counts(self, other: ContextTable) -> None:
        """Share the counts of another table."""
        self.children, self.seen, self.totals, self.types = other.children, other.seen, other.totals, other.types

    def probability(self, contexts: Int[np.ndarray, "N L"], targets: Int[np.ndarray, "N"]) -> Float[np.ndarray, "N"]:
        """Witten-Bell probability of each target after its context."""
        prob = np.full(len(targets), 1 / self.n_targets)
        node = np.zeros(len(targets), dtype=np.int64)
        known = np.ones(len(targets), dtype=bool)
        for level in range(contexts.shape[1] + 1):
            if level:
                child, found = _find(self.children[level - 1], node * N_SYMBOLS + contexts[:, level - 1])
                node, known = child, known & found
            pairs, counts = self.seen[level]
            place, hit = _find(pairs, node * N_SYMBOLS + targets)
            share = self.backoff * self.types[level][node]
            smoothed = (np.where(hit, counts[place], 0) + share * prob) / (self.totals[level][node] + share)
            prob = np.where(known, smoothed, prob)
        return prob


class MarkovStream:
    """n melodies that a Markov chain is writing."""

    def __init__(self, model: MelodyMarkov, n: int):
        self.model = model
        self.context = np.full((n, 2 * model.config.order), BEFORE)

    def pitch_logits(self) -> Float[Tensor, "n 44"]:
        """Log-probability of the next pitch id."""
        return self._logits(self.model.pitch_table, self.context)

    def duration_logits(self, pitch_ids: Int[Tensor, "n"]) -> Float[Tensor, "n 65"]:
        """Log-probability of the duration of these pitch ids."""
        return self._logits(self.model.duration_table, np.column_stack([pitch_ids.numpy(), self.context]))

    def push(self, pitch_ids: Int[Tensor, "n"], durations: Int[Tensor, "n"]) -> None:
        """Append one event to each melody."""
        newest = np.column_stack([durations.numpy(), pitch_ids.numpy(), self.context])
        self.context = newest[:, : self.context.shape[1]]

    def _logits(self, table: ContextTable, contexts: np.ndarray) -> Tensor:
        n, targets = len(contexts), np.arange(table.n_targets)
        probs = table.probability(np.repeat(contexts, len(targets), axis=0), np.tile(targets, n))
        return torch.from_numpy(np.log(probs).reshape(n, -1)).float()


def _find(keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted
