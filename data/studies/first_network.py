"""Counting with back-off against a small network, on pitches of folk tunes: notebooks/01b_first_network.ipynb.

Both read the same tunes and the same n pitches before each note. Seed s takes the tunes s, s + 3, s + 6, ... of the
training part, so no result hangs on one choice of tunes. The strength m of the back-off is chosen on other training
tunes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.load import load_folk_tunes

V = 43  # pitches 48 to 89 as 1 to 42, and 0 before the tune
SEEDS = (0, 1, 2)
STRENGTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
STEPS = {4: (800, 2400, 8000), 8: (8000,)}  # of training, by context; the lesson shows the first


def first_network() -> list[dict[str, Any]]:
    """Counting and a network in nats per note, both on the same tunes and with the same context of 4 or 8 pitches."""
    rows, tunes, valid = [], load_folk_tunes(part="train"), load_folk_tunes(part="valid")
    for seed in SEEDS:
        train, chosen_on = tunes[seed::3], tunes[(seed + 1) % 3 :: 30]
        for context in (1, 2, 3, 4, 8):
            counting = counting_cell(*(contexts(part, context)[0] for part in (train, chosen_on, valid)))
            rows.append({"cell": "counting", "seed": seed, "context": context, **_rounded(counting)})
        for context, steps in STEPS.items():
            rows += network_cells(seed, context, steps, train, chosen_on, valid)
    return rows


def contexts(pieces: Sequence[Piece], n: int) -> tuple[np.ndarray, np.ndarray]:
    """(notes, n + 1) pitches, the last one to be guessed, and (notes,) the tune that each is from."""
    rows = []
    for piece in pieces:
        pitches = np.concatenate([np.zeros(n, int), piece.notes["pitch"].astype(int) - 47])
        rows.append(np.lib.stride_tricks.sliding_window_view(pitches, n + 1))
    return np.concatenate(rows), np.repeat(np.arange(len(rows)), list(map(len, rows)))


class Counts:
    """How often each context, and each context with the pitch after it, stands in the training rows."""

    def __init__(self, train: np.ndarray):
        self.levels = []
        for n in range(train.shape[1]):
            whole = np.unique(keys(train[:, -1 - n :]), return_counts=True)
            context = np.unique(keys(train[:, -1 - n : -1]), return_counts=True)
            types = np.unique(whole[0] // V, return_counts=True)
            self.levels.append((context, whole, types))

    def of(self, rows: np.ndarray) -> list[tuple[np.ndarray, ...]]:
        """For each length of context: its count, its count with the row's last pitch, how many pitches followed it."""
        found = []
        for n, (context, whole, types) in enumerate(self.levels):
            before, all_of_it = keys(rows[:, -1 - n : -1]), keys(rows[:, -1 - n :])
            found.append((_look_up(context, before), _look_up(whole, all_of_it), _look_up(types, before)))
        return found


def keys(rows: np.ndarray) -> np.ndarray:
    """One number a row."""
    return rows @ V ** np.arange(rows.shape[1])[::-1] if rows.shape[1] else np.zeros(len(rows), int)


def _look_up(counted: tuple[np.ndarray, np.ndarray], wanted: np.ndarray) -> np.ndarray:
    names, counts = counted
    place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return np.where(names[place] == wanted, counts[place], 0)


def backed_off(levels: list[tuple[np.ndarray, ...]], m: float, by_types: bool = False) -> np.ndarray:
    """p_n = (count_n(x) + w p_{n-1}(x)) / (count_n + w), where p before the first count is 1 of 42.

    The weight w is m, or m times how many different pitches have followed the context (Witten and Bell 1991).
    """
    found = np.full(len(levels[0][0]), 1 / (V - 1))
    for total, together, types in levels:
        weight = m * np.maximum(types, 1) if by_types else m
        found = (together + weight * found) / (total + weight)
    return found


def best_strength(levels: list[tuple[np.ndarray, ...]], by_types: bool = False) -> int:
    """The strength of the back-off that suits these tunes best."""
    nats = {m: round(float(-np.log(backed_off(levels, m, by_types)).mean()), 4) for m in STRENGTHS}
    return min(STRENGTHS, key=lambda m: (nats[m], m))


def counting_cell(train: np.ndarray, chosen_on: np.ndarray, valid: np.ndarray) -> dict[str, float]:
    """Nats per note with 1 added to every count and with back-off, and the share of notes after an unseen context."""
    counts = Counts(train)
    other, tested = counts.of(chosen_on), counts.of(valid)
    best, best_by_types = best_strength(other), best_strength(other, by_types=True)
    total, together, _ = tested[-1]
    return {
        "strength": best,
        "valid_nats": -np.log(backed_off(tested, best)).mean(),
        "strength_by_types": best_by_types,
        "valid_nats_by_types": -np.log(backed_off(tested, best_by_types, by_types=True)).mean(),
        "valid_nats_at_16": -np.log(backed_off(tested, 16)).mean(),
        "valid_nats_plus_one": -np.log((together + 1) / (total + V)).mean(),
        "share_unseen": np.mean(total == 0),
    }


def network_cells(
    seed: int,
    context: int,
    steps: Sequence[int],
    train: Sequence[Piece],
    chosen_on: Sequence[Piece],
    valid: Sequence[Piece],
) -> list[dict[str, Any]]:
    """One training, measured after each number of steps, beside counting with the same context, tune by tune."""
    (rows, _), (other, _), (tested, tune) = (contexts(part, context) for part in (train, chosen_on, valid))
    counts = Counts(rows)
    counting = -np.log(backed_off(counts.of(tested), best_strength(counts.of(other))))
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(V * context, 64), nn.Tanh(), nn.Linear(64, V))
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    data, cells = torch.from_numpy(rows.copy()), []
    for step in range(1, max(steps) + 1):
        batch = data[torch.randint(len(data), (512,))]
        loss = F.cross_entropy(net(one_hot(batch)), batch[:, -1])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step in steps:
            nats = network_nats(net, tested)
            by_tune = [np.bincount(tune, nll) / np.bincount(tune) for nll in (nats, counting)]
            gap = by_tune[0] - by_tune[1]
            numbers = {
                "valid_nats": nats.mean(),
                "minus_counting": gap.mean(),
                "standard_error": gap.std(ddof=1) / np.sqrt(len(gap)),
            }
            cell = {"cell": "network", "seed": seed, "context": context, "steps": step}
            cells.append(cell | _rounded(numbers))
    return cells


def one_hot(rows: torch.Tensor) -> torch.Tensor:
    """(B, n V) a 1 at each pitch before, 0 elsewhere."""
    return F.one_hot(rows[:, :-1], V).flatten(1).float()


@torch.no_grad()
def network_nats(net: nn.Module, rows: np.ndarray) -> np.ndarray:
    """Nats of each row's last pitch."""
    parts = torch.from_numpy(rows.copy()).split(8192)
    return torch.cat([F.cross_entropy(net(one_hot(part)), part[:, -1], reduction="none") for part in parts]).numpy()


def _rounded(numbers: dict[str, float]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in numbers.items()}
