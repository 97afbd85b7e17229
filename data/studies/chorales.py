"""The long experiments with chorales: the public benchmark, and what the usual split leaks."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from musegen_lib.corpus import load_chorales
from musegen_lib.corpus.splits import SPLITS, chorale_split, hymn_tunes
from musegen_lib.metrics.likelihood import ratio_estimate
from musegen_lib.metrics.voices import beat_pitches
from musegen_lib.models.chorale.frames_recipe import FRAMES
from musegen_lib.models.chorale.recipe import CHORALES, chorale_nll, chorale_steps
from musegen_lib.models.chorale.rnn import ChoraleRNN

SEEDS = (0, 1)


def export_frames(split: str = "jsb") -> dict[str, list[list[list[int]]]]:
    """The chorales in the form of the public benchmark: what sounds on each quarter note."""
    return {part: [_frames(piece) for piece in load_chorales(split, part)] for part in SPLITS}


def _frames(piece: Any) -> list[list[int]]:
    return [sorted({int(pitch) for pitch in row if pitch}) for row in beat_pitches(piece)]


def frames_benchmark() -> list[dict[str, Any]]:
    """Sets of pitches in nats a frame: 8 minutes of training on one core, the usual assignment of pieces, two seeds."""
    rows = []
    with TemporaryDirectory() as folder:
        data, net = Path(folder) / "chorales.json", Path(folder) / "net.safetensors"
        data.write_text(json.dumps(export_frames()), encoding="utf-8")
        for seed in SEEDS:
            card = FRAMES.train(net, seed, data=data)
            rows += [{"seed": seed, "steps": card["steps"], **FRAMES.evaluate(part, net, data)} for part in SPLITS[1:]]
    return rows


def chorale_splits() -> list[dict[str, Any]]:
    """Nats per voice and sixteenth on both splits; on "jsb" apart by whether the hymn tune was in training."""
    with TemporaryDirectory() as folder:
        net = Path(folder) / "chorales-jsb.safetensors"
        CHORALES.train(net, split="jsb")
        return split_rows({"jsb": CHORALES.load(net), "tune": CHORALES.load()})


def split_rows(nets: dict[str, ChoraleRNN]) -> list[dict[str, Any]]:
    """Score each net on the test pieces of the split it was trained on."""
    tunes, parts, rows = hymn_tunes(), chorale_split("jsb"), []
    known = {tunes[name] for name, part in parts.items() if part == "train" and name in tunes}
    for split, model in nets.items():
        pieces = chorale_steps("test", split)
        nll, cells = chorale_nll(model, pieces), np.array([piece.tokens.size for piece in pieces])
        names = load_chorales(split, "test").column("id")
        leaked = np.array([split == "jsb" and tunes.get(name) in known for name in names])
        for which, chosen in (("all", leaked | True), ("tune in training", leaked), ("tune not in training", ~leaked)):
            if chosen.any():
                mean, error = ratio_estimate(nll[chosen], cells[chosen])
                row = {"split": split, "test": which, "pieces": int(chosen.sum())}
                rows.append(row | {"nats_per_note": mean, "standard_error": error})
    return rows
