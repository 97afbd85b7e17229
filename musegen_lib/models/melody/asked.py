"""Melodies that do what was asked: end, and close their parts, as their form says, keep their mode and their range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.melody_events import (
    MelodyEvents,
    melody_events_to_piece,
    piece_to_melody_events,
)
from musegen_lib.encodings.melody_form import (
    NO_FINAL,
    SAME,
    Form,
    closing_degree,
    events_to_bars,
    events_to_form,
    final_degree,
)
from musegen_lib.metrics.key import obeys_key
from musegen_lib.models.melody.sampling import MelodyRequest

TRIES, PART_TRIES = 4, 8  # of a melody, and of one whose parts are to close as well
CLOSING = (0, 7)  # tonic and fifth
# widest leap and range in semitones, by style: at most 2 in 100 training tunes exceed each
REACH = {
    "chinese": (17, 21),
    "german": (12, 17),
    "luxembourg": (12, 17),
    "lorraine": (12, 17),
    "irish": (17, 26),
    "american": (19, 28),
    "scottish": (17, 24),
    "english": (15, 20),
    "european": (15, 20),
}


@runtime_checkable
class MelodyModel(Protocol):
    """What draws melodies."""

    def sample(
        self,
        n: int,
        request: MelodyRequest | Sequence[MelodyRequest],
        generator: torch.Generator,
        forms: Sequence[Form] | None = None,
    ) -> list[MelodyEvents]:
        """Draw n melodies, of one request or each of its own."""


def draw_as_asked(
    model: MelodyModel,
    requests: Sequence[MelodyRequest],
    forms: Sequence[Form],
    generator: torch.Generator,
    tries: int = TRIES,
) -> list[MelodyEvents]:
    """Draw a melody for each request and form; what does not do as asked is drawn again, to a limit.

    That is rejection sampling: what passes is distributed as the model's own melodies that do as asked.
    """
    drawn = model.sample(len(requests), requests, generator, forms)
    for _ in range(tries - 1):
        wrong = [i for i, tune in enumerate(drawn) if not does_as_asked(tune, forms[i])]
        if not wrong:
            break
        fresh = model.sample(len(wrong), [requests[i] for i in wrong], generator, [forms[i] for i in wrong])
        for i, tune in zip(wrong, fresh):
            drawn[i] = tune
    return drawn


def does_as_asked(tune: MelodyEvents, form: Form) -> bool:
    """Whether a melody ends on the degree that its form names, if any, closes its parts, keeps its mode and range."""
    piece = melody_events_to_piece(tune)
    ends = form.final in (NO_FINAL, final_degree(tune)) and parts_close(tune, form)
    return ends and obeys_key(piece) is not False and within_reach(piece)


def within_reach(piece: Piece) -> bool:
    """Whether neither the widest leap nor the range of a melody is one that its style hardly knows, see REACH."""
    pitches = piece.notes["pitch"].astype(int)
    leap, span = REACH[piece.style]
    return bool(np.abs(np.diff(pitches)).max(initial=0) <= leap and np.ptp(pitches) <= span)


def parts_close(tune: MelodyEvents, form: Form) -> bool:
    """Whether every part that is to close does so on the tonic or the fifth."""
    return all(closing_degree(tune, bar) in CLOSING for bar in form.part_ends)


def facts_of_request(piece: Piece, form: Form) -> dict[str, Any]:
    """What a melody was asked for beside what it does: key and mode, form in letters, ending."""
    tune = piece_to_melody_events(piece)
    return {
        "key": piece.key,
        "keeps_mode": obeys_key(piece),
        "form_asked": str(form),
        "form": str(events_to_form(tune)),
        "keeps_form": keeps_form(tune, form),
        "ends_as_asked": final_degree(tune) == form.final,
    } | ({"parts_close": parts_close(tune, form)} if form.part_ends else {})


def keeps_form(tune: MelodyEvents, form: Form) -> bool:
    """Whether every bar that is to return note for note does; a bar that completes a pickup need not."""
    bars = events_to_bars(tune)
    asked = form.with_free_end() if tune.pickup else form
    return all(bars[bar] == bars[bar - asked.lags[bar]] for bar in np.flatnonzero(asked.relations == SAME))
