"""Chorales in phrases: how the nets of three seeds end theirs, beside Bach."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from data.studies.kept import kept_net
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales
from musegen_lib.encodings.chorale_phrases import Ends
from musegen_lib.encodings.chorale_steps import steps_to_piece
from musegen_lib.metrics.cadences import cadence_report
from musegen_lib.metrics.voices import voice_rules
from musegen_lib.models.chorale.batches import ChoraleBatches
from musegen_lib.models.chorale.phrase_ends_recipe import phrases_of
from musegen_lib.models.chorale.practice import PRACTICE, PRACTICE_SEEDS, Practice
from musegen_lib.models.chorale.recipe import CHORALES, KEYS, chorale_nll, chorale_steps, score_chorales
from musegen_lib.models.chorale.rnn import ChoraleRNN
from musegen_lib.models.chorale.sampling import ChoraleRequest, harmonise_steps, sample_chorales
from musegen_lib.training import loop as training

SEEDS = (0, 1, 2)
N_FREE, N_BARS = 100, 12
PRACTICE_DRAWS = (0, 1, 2)
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
        net, generator = kept_net(CHORALES, seed, "chorale-phrases"), torch.Generator().manual_seed(0)
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


def chorale_practice() -> list[dict[str, Any]]:
    """Nets of three seeds before practice, after 100 more steps without the unlikelihood, and after 100 with it.

    Both ways of going on start from the same weights and read the same batches. Rows: likelihood on the test chorales,
    the test sopranos harmonised and a hundred chorales of its own, in three draws each; first draws, no rule.
    """
    return [row for seed in SEEDS for row in practice_of(seed)]


def practice_of(seed: int) -> list[dict[str, Any]]:
    """The rows of one seed."""
    rows, test = [], chorale_steps("test")
    marked = [steps.ends for steps in test]
    for way in ("before", "plain steps", "unlikelihood"):
        net = _before_practice(seed)
        if way != "before":
            _go_on(net, 4.0 if way == "unlikelihood" else 0.0, seed)
        nats = score_chorales(chorale_nll(net, test), test)["nats_per_note"]
        rows.append({"way": way, "music": "likelihood", "nats_per_note": round(nats, 4)})
        for draw in PRACTICE_DRAWS:
            generator = torch.Generator().manual_seed(draw)
            made = list(map(steps_to_piece, harmonise_steps(net, test, ChoraleRequest(), generator)))
            rows.append({"way": way, "music": "harmonised", "draw": draw, **_measures(made, marked)})
            keys = [KEYS[i % len(KEYS)] for i in range(N_FREE)]
            own = sample_chorales(net, N_FREE, ChoraleRequest(bars=N_BARS), generator, keys=keys)
            ends = [steps.ends for steps in own]
            rows.append({"way": way, "music": "own", "draw": draw, **_measures(list(map(steps_to_piece, own)), ends)})
    return [{"seed": seed, **row} for row in rows]


def _go_on(net: ChoraleRNN, weight: float, seed: int) -> None:
    """Train for the steps of PRACTICE with this weight of the unlikelihood; the last weights are kept."""
    batches = ChoraleBatches(chorale_steps("train"), CHORALES.batch_size, PRACTICE_SEEDS)
    settings = training.replace(PRACTICE, validate_every=PRACTICE.steps, seed=seed)
    training.fit(Practice(net, weight), batches, CHORALES.valid_batches(), settings)


def _before_practice(seed: int) -> ChoraleRNN:
    """The recipe's net without its practice, trained unless an earlier run has kept it."""
    path = Path("runs") / f"chorale-unpractised-{seed}.pt"
    torch.manual_seed(seed)
    net, train = ChoraleRNN(CHORALES.config), chorale_steps("train")
    if path.exists():
        net.load_state_dict(torch.load(path))
    else:
        batches = ChoraleBatches(train, CHORALES.batch_size, seed)
        training.fit(net, batches, CHORALES.valid_batches(), training.replace(CHORALES.training, seed=seed))
        path.parent.mkdir(exist_ok=True)
        torch.save(net.state_dict(), path)
    net.planner.learn(train)
    return net


def _measures(pieces: list[Piece], ends: list[Ends]) -> dict[str, Any]:
    rules = voice_rules(pieces)
    found = cadence_report(pieces, [[onset for onset, _ in of_piece] for of_piece in ends])
    found |= {name: rules[name] for name in KEPT}
    return {name: [round(estimate.mean, 2), round(estimate.standard_error, 2)] for name, estimate in found.items()}
