"""Experiments too long for a lesson: `musegen study NAME` runs one, data/studies keeps its numbers, lessons draw them.

Each study trains small nets from several seeds on one core and writes every raw number. A lesson reads the file with
`read_study`; anyone can run the study again.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from musegen_lib import training
from musegen_lib.errors import MusegenError
from musegen_lib.events import N_DURATIONS, N_PITCH_IDS, MelodyEvents
from musegen_lib.models.markov import MarkovConfig, MelodyMarkov
from musegen_lib.models.melody_batches import MelodyBatches
from musegen_lib.models.melody_lm import CELLS, MelodyLM, MelodyLMConfig
from musegen_lib.paths import committed, replacing
from musegen_lib.recipes.melody import BACKOFFS, ORDERS, in_batches, melody_events

SEEDS = (0, 1, 2)
MEMORIES = (1, 2, 4, 8, 16, 32, 64, None)  # inputs the state may go back; None: all
TUNES = (300, 1000, 3000, None)  # training tunes; None: all
WIDTHS = (16, 32, 64, 128, 256)
DISTANCES = (0, 5, 10, 20, 40)
SETTINGS = training.TrainConfig(
    steps=1200, learning_rate=3e-3, warmup_steps=50, validate_every=100, patience=4, weight_decay=0.02
)
BATCH = 32


def run_study(name: str, out: Path | None = None) -> dict[str, Any]:
    """Run a study on one core and write its file; returns what was written."""
    if name not in STUDIES:
        raise MusegenError(f"study {name!r} is unknown; choose one of {', '.join(STUDIES)}")
    torch.set_num_threads(1)
    started = time.monotonic()
    found = {
        "study": name,
        "command": f"musegen study {name}",
        "about": (STUDIES[name].__doc__ or "").partition("\n")[0],
        "seeds": list(SEEDS),
        "versions": {package: version(package).partition("+")[0] for package in ("torch", "numpy", "music21")},
        "rows": STUDIES[name](),
        "minutes_on_one_core": round((time.monotonic() - started) / 60, 1),
    }
    path = out or committed(f"studies/{name}.json")
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def read_study(name: str) -> list[dict[str, Any]]:
    """The rows of a study as it was last run."""
    path = committed(f"studies/{name}.json")
    try:
        return json.loads(path.read_text(encoding="utf-8"))["rows"]
    except (OSError, ValueError, KeyError) as fault:
        raise MusegenError(f"{path.name}: no readable study; run musegen study {name}") from fault


def melody_cells() -> list[dict[str, Any]]:
    """Melodies in nats a note: tanh RNN, GRU and LSTM of one width, with all and with part of their memory.

    Rows: the floors, then one a cell and seed with its curve over steps and seconds. The test tunes are scored once, by
    the first LSTM.
    """
    rows, valid, test = melody_floors(), melody_events("valid"), melody_events("test")
    for cell in CELLS:
        for seed in SEEDS:
            net, row = train_lm(MelodyLMConfig(cell), melody_events("train"), seed)
            row["nats_by_memory"] = [[memory, lm_nats(net, valid, memory)] for memory in MEMORIES]
            if (cell, seed) == ("lstm", SEEDS[0]):
                row["test_nats"] = lm_nats(net, test)
            rows.append(row)
    return rows


def melody_sizes() -> list[dict[str, Any]]:
    """Melodies in nats a note against the number of training tunes (LSTM and Markov) and the width of an LSTM."""
    rows, train, valid = [], melody_events("train"), melody_events("valid")
    for n_tunes in TUNES:
        for seed in SEEDS:
            chosen = np.random.default_rng(seed).permutation(len(train))[:n_tunes]
            tunes = [train[i] for i in chosen]
            rows.append({"by": "tunes", **train_lm(MelodyLMConfig(), tunes, seed)[1]})
            markov = min(markov_nats(order, tunes, valid) for order in ORDERS)
            rows.append({"by": "tunes", "cell": "markov", "seed": seed, "tunes": len(tunes), "valid_nats": markov})
    for width in WIDTHS:
        rows += [{"by": "width", **train_lm(MelodyLMConfig(hidden_dim=width), train, seed)[1]} for seed in SEEDS]
    return rows


def melody_floors() -> list[dict[str, Any]]:
    """What counting scores on the validation tunes."""
    train, valid = melody_events("train"), melody_events("valid")
    uniform = float(np.log(N_PITCH_IDS * (N_DURATIONS - 1)))
    rows = [{"cell": "uniform", "valid_nats": uniform}, {"cell": "unigram", "valid_nats": unigram_nats(train, valid)}]
    return rows + [{"cell": f"markov {order}", "valid_nats": markov_nats(order, train, valid)} for order in ORDERS]


def unigram_nats(train: Sequence[MelodyEvents], tunes: Sequence[MelodyEvents]) -> float:
    """Nats a note if every event is drawn from one table of pitches and durations, each pair counted once more."""
    pairs = Counter(pair for tune in train for pair in zip(tune.pitch_ids.tolist(), tune.durations.tolist()))
    total = sum(pairs.values()) + N_PITCH_IDS * (N_DURATIONS - 1)
    nll = [
        -np.log((pairs[pair] + 1) / total) for t in tunes for pair in zip(t.pitch_ids.tolist(), t.durations.tolist())
    ]
    return float(sum(nll) / sum(tune.n_notes for tune in tunes))


def markov_nats(order: int, train: Sequence[MelodyEvents], valid: Sequence[MelodyEvents]) -> float:
    """Nats a note of a Markov chain with the back-off that suits the validation tunes best."""
    model = MelodyMarkov(MarkovConfig(order)).fit(list(train))
    n_notes = sum(tune.n_notes for tune in valid)
    return float(min(model.with_backoff(backoff).nll(list(valid)).sum() for backoff in BACKOFFS) / n_notes)


def train_lm(config: MelodyLMConfig, tunes: Sequence[MelodyEvents], seed: int) -> tuple[MelodyLM, dict[str, Any]]:
    """Train one net by SETTINGS and tell how it went."""
    torch.manual_seed(seed)
    net, started, clock = MelodyLM(config), time.monotonic(), []
    batches = MelodyBatches(tunes, BATCH, seed)

    def timed(step: int, rank: int = 0, world_size: int = 1) -> Any:
        clock.append(time.monotonic() - started)
        return batches(step, rank, world_size)

    run = training.fit(net, timed, in_batches(melody_events("valid")), training.replace(SETTINGS, seed=seed))
    seconds = [round(clock[min(step, len(clock) - 1)], 1) for step in run.valid_steps]
    return net, {
        "cell": config.cell,
        "seed": seed,
        "tunes": len(tunes),
        "hidden_dim": config.hidden_dim,
        "parameters": sum(p.numel() for p in net.parameters()),
        "valid_nats": run.best_loss,
        "curve": [list(point) for point in zip(run.valid_steps, seconds, run.valid_loss)],
    }


@torch.no_grad()
def lm_nats(net: MelodyLM, tunes: Sequence[MelodyEvents], memory: int | None = None) -> float:
    """Nats a note of tunes, the state going back over so many inputs only."""
    net.eval()
    nll = sum(float(net.event_nll(batch, memory).sum()) for batch in in_batches(tunes))
    return nll / sum(tune.n_notes for tune in tunes)


# Copying at a distance

N_SYMBOLS, STRING = 8, 4
BLANK, GO = N_SYMBOLS, N_SYMBOLS + 1


def copy_task(n: int, distance: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Strings of 4 symbols, then blanks, then GO: inputs (n, T) and the string to give back (n, 4).

    The net answers at GO and at the three steps after it, where it reads its own target one step late.
    """
    string = torch.randint(N_SYMBOLS, (n, STRING), generator=generator)
    gap = torch.full((n, distance), BLANK)
    return torch.cat([string, gap, torch.full((n, 1), GO), string[:, :-1]], dim=1), string


class Copier(torch.nn.Module):
    """A cell and one layer of logits."""

    def __init__(self, cell: str, hidden_dim: int = 64):
        super().__init__()
        self.embed = torch.nn.Embedding(N_SYMBOLS + 2, 16)
        self.cell = CELLS[cell](16, hidden_dim, batch_first=True)
        self.head = torch.nn.Linear(hidden_dim, N_SYMBOLS)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Logits (n, 4, symbols) of the last four steps."""
        return self.head(self.cell(self.embed(inputs))[0][:, -STRING:])


def copy_distance() -> list[dict[str, Any]]:
    """Share of the first symbol given back right, for a string read 0 to 40 steps ago; chance is one in eight."""
    rows = []
    for cell in CELLS:
        for seed in SEEDS:
            net, test = train_copier(cell, seed), torch.Generator().manual_seed(99)
            for distance in DISTANCES:
                inputs, string = copy_task(1000, distance, test)
                with torch.no_grad():
                    right = (net(inputs).argmax(dim=2) == string)[:, 0].float().mean()
                rows.append({"cell": cell, "seed": seed, "distance": distance, "right": float(right)})
    return rows


def train_copier(cell: str, seed: int, steps: int = 3000) -> Copier:
    """Train on distances drawn from 0 to the largest."""
    torch.manual_seed(seed)
    net, generator = Copier(cell), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(steps):
        distance = int(torch.randint(max(DISTANCES) + 1, (), generator=generator))
        inputs, string = copy_task(64, distance, generator)
        loss = F.cross_entropy(net(inputs).flatten(0, 1), string.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    return net


STUDIES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "melody-cells": melody_cells,
    "melody-sizes": melody_sizes,
    "copy-distance": copy_distance,
}
