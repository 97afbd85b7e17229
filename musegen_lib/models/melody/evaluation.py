"""Melody models beside held-out tunes: for each real tune one that answers it, and the table of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from musegen_lib.core.keys import spell_key
from musegen_lib.core.progress import progress
from musegen_lib.encodings.melody_events import (
    METRE_STEPS,
    METRES,
    MODES,
    NO_TONIC,
    STYLES,
    MelodyEvents,
    melody_events_to_piece,
)
from musegen_lib.metrics.melodies import floor_accuracy, melody_figures, melody_report
from musegen_lib.models.melody.asked import TRIES, MelodyModel, draw_as_asked
from musegen_lib.models.melody.forms import FormModel, draw_form
from musegen_lib.models.melody.sampling import MelodyRequest

DANCES = ("irish", "american", "scottish", "english")
GROUPS = {  # name: styles, metres
    "german songs": (("german",), METRES),
    "chinese songs": (("chinese",), METRES),
    "jigs": (DANCES, ("6/8",)),
    "reels": (DANCES, ("2/4", "2/2", "4/4")),
}
SHORTEST, LONGEST = 8, 32  # bars
FEWEST = 20  # tunes of a group, below which a table says nothing


def tunes_of_group(tunes: Sequence[MelodyEvents], group: str, most: int = 200) -> list[MelodyEvents]:
    """At most so many tunes of a group, of 8 to 32 whole bars and a known key, drawn by a fixed seed."""
    styles, metres = GROUPS[group]
    found = [
        tune
        for tune in tunes
        if STYLES[tune.style] in styles and METRES[tune.metre] in metres and tune.tonic != NO_TONIC
        if not tune.durations.sum() % METRE_STEPS[tune.metre] and SHORTEST <= n_bars(tune) <= LONGEST
    ]
    return [found[i] for i in np.random.default_rng(0).permutation(len(found))[:most]]


def n_bars(tune: MelodyEvents) -> int:
    """Bars of a tune; a pickup and the last bar that completes it count as one."""
    return int(tune.durations.sum()) // METRE_STEPS[tune.metre]


def answers(
    model: MelodyModel,
    tunes: Sequence[MelodyEvents],
    forms: FormModel | None,
    seed: int = 0,
    temperature: float = 1.0,
    tries: int = 1,
) -> list[MelodyEvents]:
    """For each tune a melody of its style, metre, key, pickup and length, in a form that is drawn for it."""
    generator = torch.Generator().manual_seed(seed)
    requests = [request_like(tune, temperature) for tune in tunes]
    if forms is None:
        return model.sample(len(tunes), requests, generator)
    drawn = [draw_form(forms, request, generator) for request in requests]
    return draw_as_asked(model, requests, drawn, generator, tries)


def request_like(tune: MelodyEvents, temperature: float = 1.0) -> MelodyRequest:
    """The request that a tune of a known key could answer."""
    key = spell_key(tune.tonic, MODES[tune.mode])
    labels = STYLES[tune.style], METRES[tune.metre], key, tune.pickup
    return MelodyRequest(*labels, bars=n_bars(tune), temperature=temperature)


def melody_table(
    model: MelodyModel, tunes: Sequence[MelodyEvents], forms: FormModel, seed: int = 0, temperature: float = 1.0
) -> list[dict[str, Any]]:
    """One row a group and figure, of the real tunes and of melodies that answer them.

    Of these "as asked" are drawn as `generate` draws, "first draw" without trying again, "no form" without a form.
    """
    rows = []
    ways = {"as asked": (forms, TRIES), "first draw": (forms, 1), "no form": (None, 1)}
    for group in progress(GROUPS, "groups"):
        real = tunes_of_group(tunes, group)
        if len(real) < FEWEST:
            continue
        pieces = [melody_events_to_piece(tune) for tune in real]
        reports = {}
        for way, (form_model, tries) in ways.items():
            made = answers(model, real, form_model, seed, temperature, tries)
            reports[way] = melody_report([melody_events_to_piece(tune) for tune in made], pieces)
        found = melody_figures(pieces) | {"two-sample accuracy": floor_accuracy(pieces)}
        rows += [
            {"figure": f"{group}, {figure}", "real": found.get(figure, "")}
            | {way: report[figure] for way, report in reports.items()}
            for figure in reports["no form"]
        ]
    return rows
