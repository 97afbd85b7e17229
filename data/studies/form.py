"""Melodies in forms: how far nets of three seeds and a Markov chain are from real ones, with a form and without."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from data.studies.kept import kept_net
from musegen_lib.core.piece import Piece
from musegen_lib.encodings.melody_events import melody_events_to_piece
from musegen_lib.encodings.melody_form import NEW, Form
from musegen_lib.metrics.melodies import floor_accuracy, melody_figures, melody_report
from musegen_lib.metrics.originality import melody_symbols
from musegen_lib.models.melody.asked import TRIES, MelodyModel, draw_as_asked
from musegen_lib.models.melody.evaluation import GROUPS, request_like, tunes_of_group
from musegen_lib.models.melody.forms import draw_form
from musegen_lib.models.melody.recipe import MARKOV, RNN, copy_detector, form_model, melody_events

SEEDS = (0, 1, 2)
WAYS = ("as asked", "first draw", "shuffled form", "no form")


def melody_form() -> list[dict[str, Any]]:
    """Validation tunes by style and melodies that answer them: who wrote them, and what they were told.

    "as asked" draws again what ends elsewhere or leaves its mode; a "shuffled form" is one with its bars in any order.
    """
    markov = [{"writer": "markov", **row} for row in _rows(MARKOV.load(), "as asked", SEEDS[0], "valid")]
    return _people("valid") + markov + _nets(WAYS, "valid")


def melody_form_test() -> list[dict[str, Any]]:
    """The same on the test tunes, read once, when all was chosen: people, and nets of three seeds."""
    return _people("test") + _nets(("as asked", "no form"), "test")


def _people(part: str) -> list[dict[str, Any]]:
    rows = []
    for group in GROUPS:
        pieces = _real(group, part)
        floor = {"two-sample accuracy": floor_accuracy(pieces)}
        rows.append({"writer": "people", "group": group, "tunes": len(pieces), **_figures(pieces), **floor})
    return rows


def _nets(ways: tuple[str, ...], part: str) -> list[dict[str, Any]]:
    rows = []
    for seed in SEEDS:
        net = kept_net(RNN, seed, "melody-form")
        rows += [{"writer": "rnn", "seed": seed, **row} for way in ways for row in _rows(net, way, seed, part)]
    return rows


def _rows(model: MelodyModel, way: str, seed: int, part: str) -> list[dict[str, Any]]:
    rows = []
    for group in GROUPS:
        requests = [request_like(tune) for tune in tunes_of_group(melody_events(part), group)]
        generator = torch.Generator().manual_seed(seed)
        if way == "no form":
            made = model.sample(len(requests), requests, generator)
        else:
            forms = [draw_form(form_model(), request, generator) for request in requests]
            forms = [shuffled(form, seed) for form in forms] if way == "shuffled form" else forms
            made = draw_as_asked(model, requests, forms, generator, TRIES if way == "as asked" else 1)
        pieces = [melody_events_to_piece(tune) for tune in made]
        report = melody_report(pieces, _real(group, part)) | _figures(pieces)
        rows.append({"told": way, "group": group, **{name: round(value, 4) for name, value in report.items()}})
    return rows


def shuffled(form: Form, seed: int) -> Form:
    """The bars of a form in another order; one that would return to a bar before the first is new."""
    order = np.random.default_rng(seed).permutation(len(form.lags))
    there = form.lags[order] <= np.arange(len(order))
    return Form(np.where(there, form.relations[order], NEW), np.where(there, form.lags[order], 0), form.final)


def _real(group: str, part: str) -> list[Piece]:
    return [melody_events_to_piece(tune) for tune in tunes_of_group(melody_events(part), group)]


def _figures(pieces: list[Piece]) -> dict[str, float]:
    runs = [copy_detector().longest_run(melody_symbols(piece)) for piece in pieces]
    found = melody_figures(pieces) | {
        "copied run": float(np.median(runs)),
        "longest 5 %": float(np.percentile(runs, 95)),
    }
    return {name: round(value, 4) for name, value in found.items()}
