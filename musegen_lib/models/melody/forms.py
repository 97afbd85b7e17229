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

from musegen_lib.corpus.build import DANCE_STYLES
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
    sections_of,
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
DANCE_PART, PHRASE, LONGEST = 8, 4, 64  # bars
MOST_NEW = 2  # bars at the end of a part that returns at once
SIGNED = np.array([1929, 123, 0])  # signs of repeat in the jigs of the corpus without and with a second ending


@dataclass(frozen=True)
class FormModel:
    """p(form | kind, bars) = product over bars of p(state | two states before, kind, bar, bars)."""

    table: ContextTable
    finals: dict[tuple[int, int], Int[np.ndarray, "12"]]  # (style, mode): how often tunes end on each degree
    endings: dict[int, Int[np.ndarray, "3"]]  # style: how often a part that returns at once ends in 0 to 2 new bars

    @classmethod
    def fit(cls, tunes: Sequence[MelodyEvents], backoff: float = BACKOFF) -> FormModel:
        """Count the states of all bars in their contexts."""
        table = ContextTable(N_STATES, backoff)
        forms = list(map(events_to_form, tunes))
        states = list(map(_states, forms))
        rows = [_contexts(chain, kind_of(tune.style, tune.metre)) for chain, tune in zip(states, tunes)]
        table.fit(np.concatenate(rows), np.concatenate(states))
        finals = defaultdict(lambda: np.zeros(12, dtype=np.int64))
        for tune in tunes:
            if tune.tonic != NO_TONIC:
                finals[tune.style, tune.mode][final_degree(tune)] += 1
        endings = defaultdict(lambda: np.zeros(MOST_NEW + 1, dtype=np.int64))
        for tune, form in zip(tunes, forms):
            endings[tune.style] += _new_endings(form, bool(tune.pickup))
        return cls(table, dict(finals), dict(endings))

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
    if request.form:
        form = lay_out(model, request, generator)
    else:
        form = model.sample(request.bars, kind_of(style, metre), generator)
    return replace(form, final=model.sample_final(style, mode, generator))


def lay_out(model: FormModel, request: MelodyRequest, generator: torch.Generator) -> Form:
    """The letters of a request over its bars, with what the model of forms says inside the parts and at their ends.

    A part that returns at once may end in new bars (a second ending). The parts of a dance that have eight bars close
    on the tonic or the fifth, as four of five do in training; phrases of four and parts of songs do so less often.
    """
    sections = sections_of(request.form)
    size, style = request.bars // len(sections), STYLES.index(request.style)
    form = fill_parts(parse_form(request.form, request.bars), sections, model, request, generator)
    is_dance_part = request.style in DANCE_STYLES and size >= DANCE_PART
    endings = SIGNED if is_dance_part else model.endings.get(style, SIGNED)
    for number in range(1, len(sections)):
        if sections[number] == sections[number - 1] and endings.any():
            new = int(torch.multinomial(torch.from_numpy(endings).double(), 1, generator=generator))
            end = (number + 1) * size
            form = form.with_new(range(end - min(new, size // 2), end))
    ends = range(size - 1, request.bars, size)
    return replace(form, part_ends=tuple(ends) if is_dance_part else ())


def fill_parts(
    form: Form, sections: Sequence[str], model: FormModel, request: MelodyRequest, generator: torch.Generator
) -> Form:
    """Let bars of new parts return as in a drawn form of all parts once, in a row.

    The first half of a part returns only to itself, so that it is another part.
    """
    letters = list(dict.fromkeys(section[0] for section in sections))
    size = len(form.lags) // len(sections)
    drawn = model.sample(
        size * len(letters), kind_of(STYLES.index(request.style), METRES.index(request.metre)), generator
    )
    relations, lags = form.relations.copy(), form.lags.copy()
    latest: dict[str, int] = {}  # where each letter's last section begins
    for start, section in zip(range(0, len(lags), size), sections):
        first = size * letters.index(section[0])
        is_new, latest[section[0]] = section[0] not in latest, start
        for bar in np.flatnonzero(drawn.lags[first : first + size]) if is_new else ():
            source = first + bar - drawn.lags[first + bar]
            lag = start + bar - latest[letters[source // size]] - source % size
            if lag <= (bar if bar < size // 2 else MAX_LAG):
                relations[start + bar], lags[start + bar] = drawn.relations[first + bar], lag
    return replace(form, relations=relations, lags=lags)


def bars_of_form(form: str, style: str) -> int:
    """How many bars a form in letters has if none are asked: eight a letter in dances whose parts return at once, else
    four; fewer where a melody would be too long.
    """
    sections = sections_of(form)
    repeats = any(one[0] == other[0] for one, other in zip(sections, sections[1:]))
    size = DANCE_PART if style in DANCE_STYLES and repeats else PHRASE
    return len(sections) * max(1, min(size, LONGEST // len(sections)))


def kind_of(style: int, metre: int) -> int:
    """One number for a style and a metre."""
    return style * len(METRES) + metre


def _new_endings(form: Form, pickup: bool) -> Int[np.ndarray, "3"]:
    """How often four or eight bars return at once with 0 to 2 new bars at their end; the bar after a pickup's tune is
    short and says nothing.
    """
    counts = np.zeros(MOST_NEW + 1, dtype=np.int64)
    for size in (PHRASE, DANCE_PART):
        same = (form.relations == SAME) & (form.lags == size)
        for start in range(size, len(same) - size + (not pickup), size):
            part = same[start : start + size]
            if part[: size - MOST_NEW].all():
                counts[MOST_NEW if not part[-2] else int(not part[-1])] += 1
    return counts


def _states(form: Form) -> Int[np.ndarray, "bars"]:
    """0 for a new bar, 1 to MAX_LAG for one that returns, then those whose rhythm returns."""
    return np.where(form.relations == NEW, 0, form.lags + MAX_LAG * (form.relations == SAME_RHYTHM))


def _contexts(states: Int[np.ndarray, "bars"], kind: int) -> Int[np.ndarray, "bars 5"]:
    padded = np.concatenate([[BEFORE, BEFORE], states])
    bars = np.arange(len(states)).clip(max=LAST_BAR)
    whole = np.ones_like(bars)
    return np.stack([padded[1:-1], kind * whole, min(len(states), LAST_BAR) * whole, bars, padded[:-2]], axis=1)
