"""Chorales in phrases: how the nets of three seeds end theirs, beside Bach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales
from musegen_lib.encodings.chorale_phrases import Ends
from musegen_lib.encodings.chorale_steps import steps_to_piece
from musegen_lib.metrics.cadences import cadence_report
from musegen_lib.metrics.voices import voice_rules
from musegen_lib.models.chorale.phrase_ends_recipe import phrases_of
from musegen_lib.models.chorale.recipe import CHORALES, KEYS, chorale_nll, chorale_steps, score_chorales
from musegen_lib.models.chorale.rnn import ChoraleRNN
from musegen_lib.models.chorale.sampling import ChoraleRequest, harmonise_steps, sample_chorales

SEEDS = (0, 1, 2)
N_FREE, N_BARS = 100, 12
KEPT = ("parallel fifths", "parallel octaves", "voice crossing", "triads and sevenths")


def chorale_phrases() -> list[dict[str, Any]]:
    """The 54 test chorales as Bach wrote them and as nets of three seeds harmonise them; a hundred of the nets' own.

    First draws, no rule in the sampler. "marked" tells the net Bach's fermatas, "found" those that `phrase-ends` finds
    in the melody; both are measured at Bach's. Own chorales of 12 bars are measured at the phrase ends of their plans.
    """
    bach, test = list(load_chorales(part="test")), chorale_steps("test")
    marked = [steps.ends for steps in test]
    melodies = {"marked": test, "found": [replace(s, ends=phrases_of(piece.voice(0))) for s, piece in zip(test, bach)]}
    rows = [{"harmony": "Bach", **_measures(bach, marked)}]
    for seed in SEEDS:
        net, generator = _trained(seed), torch.Generator().manual_seed(0)
        nats = score_chorales(chorale_nll(net, test), test)["nats_per_note"]
        rows.append({"harmony": "likelihood", "seed": seed, "nats_per_note": round(nats, 4)})
        for name, told in melodies.items():
            made = harmonise_steps(net, told, ChoraleRequest(), generator)
            rows.append({"harmony": name, "seed": seed, **_measures(list(map(steps_to_piece, made)), marked)})
        keys = [KEYS[i % len(KEYS)] for i in range(N_FREE)]
        own = sample_chorales(net, N_FREE, ChoraleRequest(bars=N_BARS), generator, keys=keys)
        ends = [steps.ends for steps in own]
        rows.append({"harmony": "own", "seed": seed, **_measures(list(map(steps_to_piece, own)), ends)})
    return rows


def _trained(seed: int) -> ChoraleRNN:
    """The net of a seed, trained by the recipe unless an earlier run has kept it."""
    path = Path("runs") / f"chorale-phrases-{seed}.safetensors"
    if not path.exists():
        CHORALES.train(path, seed)
    return CHORALES.load(path)


def _measures(pieces: list[Piece], ends: list[Ends]) -> dict[str, Any]:
    rules = voice_rules(pieces)
    found = cadence_report(pieces, [[onset for onset, _ in of_piece] for of_piece in ends])
    found |= {name: rules[name] for name in KEPT}
    return {name: [round(estimate.mean, 2), round(estimate.standard_error, 2)] for name, estimate in found.items()}
