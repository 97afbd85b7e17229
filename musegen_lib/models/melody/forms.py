"""A model of forms: a Markov chain over what each bar is to the bars before it.

The state of a bar is its relation and lag (`encodings.melody_form`): new, the rhythm of the bar k before, or all of it,
33 states in all. The next state depends on the one before, the kind of tune (style and metre), the
length of the tune, the bar's number and the state before the last, in this order, smoothed as in `markov.ContextTable`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int

from musegen_lib.encodings.melody_events import METRES, NO_TONIC, STYLES, MelodyEvents, key_to_ids
from musegen_lib.encodings.melody_form import (
    MAX_LAG,
    NEW,
    SAME,
    SAME_RHYTHM,
    Form,
    events_to_form,
    final_degree,
    parse_form,
)
from musegen_lib.models.melody.markov import ContextTable
from musegen_lib.models.melody.sampling import MelodyRequest

N_STATES = 1 + 2 * MAX_LAG
LAST_BAR = 63  # later bars count as this one
ALL_STATES = np.arange(N_STATES)
LAG_OF_STATE = np.array([0, *range(1, MAX_LAG + 1), *range(1, MAX_LAG + 1)])
TONIC_ALONE = np.eye(12, dtype=np.int64)[0]
BACKOFF = 0.3  # of 0.1 to 12 that of forms that return as training tunes do; likelihood would have more
BEFORE = N_STATES  # stands before the first bar


@dataclass(frozen=True)
class FormModel:
    """p(form | kind, bars) = product over bars of p(state | two states before, kind, bar, bars)."""

    table: ContextTable
    finals: dict[tuple[int, int], Int[np.ndarray, "12"]]  # (style, mode): how often tunes end on each degree

    @classmethod
    def fit(cls, tunes: Sequence[MelodyEvents], backoff: float = BACKOFF) -> FormModel:
        """Count the states of all bars in their contexts."""
        table = ContextTable(N_STATES, backoff)
        states = [_states(events_to_form(tune)) for tune in tunes]
        rows = [_contexts(chain, kind_of(tune.style, tune.metre)) for chain, tune in zip(states, tunes)]
        table.fit(np.concatenate(rows), np.concatenate(states))
        finals = defaultdict(lambda: np.zeros(12, dtype=np.int64))
        for tune in tunes:
            if tune.tonic != NO_TONIC:
                finals[tune.style, tune.mode][final_degree(tune)] += 1
        return cls(table, dict(finals))

    def nll(self, tunes: Sequence[MelodyEvents]) -> Float[np.ndarray, "tunes"]:
        """Negative log-likelihood of each tune's form in nats."""
        states = [_states(events_to_form(tune)) for tune in tunes]
        rows = [_contexts(chain, kind_of(tune.style, tune.metre)) for chain, tune in zip(states, tunes)]
        nats = -np.log(self.table.probability(np.concatenate(rows), np.concatenate(states)))
        return np.add.reduceat(nats, np.cumsum([0, *map(len, states)])[:-1])

    def sample_final(self, style: int, mode: int, generator: torch.Generator) -> int:
        """Draw the degree of the last note as tunes of the style and mode end; the tonic where there are none."""
        counts = torch.from_numpy(self.finals.get((style, mode), TONIC_ALONE)).double()
        return int(torch.multinomial(counts, 1, generator=generator))

    def sample(self, bars: int, kind: int, generator: torch.Generator) -> Form:
        """Draw a form of so many bars; a bar can only return to one that is there."""
        chain = np.zeros(bars, dtype=np.int64)
        for bar in range(bars):
            context = np.repeat(_contexts(chain, kind)[bar : bar + 1], N_STATES, axis=0)
            share = self.table.probability(context, ALL_STATES) * (bar >= LAG_OF_STATE)
            chain[bar] = int(torch.multinomial(torch.from_numpy(share), 1, generator=generator))
        return Form(np.select([chain == 0, chain <= MAX_LAG], [NEW, SAME], SAME_RHYTHM), LAG_OF_STATE[chain])


def draw_form(model: FormModel, request: MelodyRequest, generator: torch.Generator) -> Form:
    """The form that is asked for, else one from the model; it ends as tunes of the style and mode do."""
    style, metre, (_, mode) = STYLES.index(request.style), METRES.index(request.metre), key_to_ids(request.key)
    wanted = parse_form(request.form, request.bars) if request.form else None
    form = wanted or model.sample(request.bars, kind_of(style, metre), generator)
    return replace(form, final=model.sample_final(style, mode, generator))


def kind_of(style: int, metre: int) -> int:
    """One number for a style and a metre."""
    return style * len(METRES) + metre


def _states(form: Form) -> Int[np.ndarray, "bars"]:
    """0 for a new bar, 1 to MAX_LAG for one that returns, then those whose rhythm returns."""
    return np.where(form.relations == NEW, 0, form.lags + MAX_LAG * (form.relations == SAME_RHYTHM))


def _contexts(states: Int[np.ndarray, "bars"], kind: int) -> Int[np.ndarray, "bars 5"]:
    padded = np.concatenate([[BEFORE, BEFORE], states])
    bars = np.arange(len(states)).clip(max=LAST_BAR)
    whole = np.ones_like(bars)
    return np.stack([padded[1:-1], kind * whole, min(len(states), LAST_BAR) * whole, bars, padded[:-2]], axis=1)
