"""Melody models beside held-out tunes: for each real tune one that answers it, and the table of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

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
from musegen_lib.encodings.melody_form import Form
from musegen_lib.metrics.melodies import melody_figures, melody_report
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


@runtime_checkable
class MelodyModel(Protocol):
    """What draws melodies."""

    def sample(
        self, n: int, request: MelodyRequest, generator: torch.Generator, forms: Sequence[Form] | None = None
    ) -> list[MelodyEvents]:
        """Draw n melodies."""


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


def answer(
    model: MelodyModel, tune: MelodyEvents, forms: FormModel | None, generator: torch.Generator, temperature: float
) -> MelodyEvents:
    """Draw a melody of the style, metre, key, pickup and length of a tune, in a form that is drawn for it."""
    labels = STYLES[tune.style], METRES[tune.metre], spell_key(tune.tonic, MODES[tune.mode]), tune.pickup
    request = MelodyRequest(*labels, bars=n_bars(tune), temperature=temperature)
    return model.sample(1, request, generator, [draw_form(forms, request, generator)] if forms else None)[0]


def melody_table(
    model: MelodyModel, tunes: Sequence[MelodyEvents], forms: FormModel, seed: int = 0, temperature: float = 1.0
) -> list[dict[str, Any]]:
    """One row a group and figure: of the real tunes, of melodies that answer them in a form, and of others without."""
    rows = []
    for group in GROUPS:
        real = tunes_of_group(tunes, group)
        if len(real) < FEWEST:
            continue
        pieces = [melody_events_to_piece(tune) for tune in real]
        reports = {}
        for name, model_of_forms in (("in a form", forms), ("without", None)):
            generator = torch.Generator().manual_seed(seed)
            made = [answer(model, tune, model_of_forms, generator, temperature) for tune in progress(real, group)]
            reports[name] = melody_report([melody_events_to_piece(tune) for tune in made], pieces)
        floor = melody_figures(pieces)
        rows += [
            {"figure": f"{group}, {figure}", "real": floor.get(figure, "")}
            | {name: report[figure] for name, report in reports.items()}
            for figure in reports["without"]
        ]
    return rows
