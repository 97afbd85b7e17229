"""Counting with back-off against a small network, on pitches of folk tunes: notebooks/01b_first_network.ipynb.

All read the same tunes and the same n pitches before each note, and all spread their probability over the same 42
pitches. Seed s takes the tunes s, s + 3, s + 6, ... of the training part, so no result hangs on one choice of tunes.
The strength m of the back-off is chosen on other training tunes.
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

LOWEST, PITCHES = 48, 42  # 48 to 89 as 0 to 41
BEFORE = PITCHES  # stands before the tune: a symbol of the context, never one that may come
SEEDS = (0, 1, 2)
STRENGTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
STEPS = {4: (800, 2400, 8000), 8: (8000,)}  # of training, by context; the lesson shows the first
Nats = dict[tuple[str, int, int], np.ndarray]  # cell, context and steps of training: nats of each note


def first_network() -> list[dict[str, Any]]:
    """Counting and a network in nats per note on the same tunes; gaps are paired, to back-off with four pitches."""
    rows, tunes, valid = [], load_folk_tunes(part="train"), load_folk_tunes(part="valid")
    gaps: dict[tuple[str, int, int], list[np.ndarray]] = {}
    for seed in SEEDS:
        train, chosen_on = tunes[seed::3], tunes[(seed + 1) % 3 :: 30]
        found: Nats = {}
        for context in (1, 2, 3, 4, 8):
            (data, _), (other, _), (tested, tune) = (contexts(part, context) for part in (train, chosen_on, valid))
            counted, facts = counting(Counts(data), other, tested)
            found |= {(cell, context, 0): nats for cell, nats in counted.items()}
            rows.append({"cell": "facts", "seed": seed, "context": context, **_rounded(facts)})
            for steps, nats in trained(seed, data, tested, STEPS.get(context, ())).items():
                found["network", context, steps] = nats
        for name, nats in found.items():
            gap = nats - found["back-off, m chosen", 4, 0]
            gaps.setdefault(name, []).append(gap)
            numbers = {"valid_nats": nats.mean(), "gap": gap.mean(), "standard_error": standard_error(gap, tune)}
            if name[0] == "network":
                closest = nats - found["back-off by variety", name[1], 0]
                numbers |= {"minus_by_variety": closest.mean(), "its_standard_error": standard_error(closest, tune)}
            rows.append({**_named(name), "seed": seed, **_rounded(numbers)})
    for name, of_seeds in gaps.items():
        gap = np.mean(of_seeds, axis=0)
        numbers = {"mean_gap": gap.mean(), "error_of_mean": standard_error(gap, tune)}
        rows.append(_named(name) | _rounded(numbers))
    return rows


def contexts(pieces: Sequence[Piece], n: int) -> tuple[np.ndarray, np.ndarray]:
    """(notes, n + 1) pitches, the last one to be guessed, and (notes,) the tune that each is from."""
    rows = []
    for piece in pieces:
        pitches = np.concatenate([np.full(n, BEFORE), piece.notes["pitch"].astype(int) - LOWEST])
        rows.append(np.lib.stride_tricks.sliding_window_view(pitches, n + 1))
    return np.concatenate(rows), np.repeat(np.arange(len(rows)), list(map(len, rows)))


class Counts:
    """How often each context, and each context with the pitch after it, stands in the training rows."""

    def __init__(self, train: np.ndarray):
        self.levels = []
        for n in range(train.shape[1]):
            whole = np.unique(keys(train[:, -1 - n :]), return_counts=True)
            context = np.unique(keys(train[:, -1 - n : -1]), return_counts=True)
            types = np.unique(whole[0] // (PITCHES + 1), return_counts=True)
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
    return rows @ (PITCHES + 1) ** np.arange(rows.shape[1])[::-1] if rows.shape[1] else np.zeros(len(rows), int)


def _look_up(counted: tuple[np.ndarray, np.ndarray], wanted: np.ndarray) -> np.ndarray:
    names, counts = counted
    place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return np.where(names[place] == wanted, counts[place], 0)


def backed_off(levels: list[tuple[np.ndarray, ...]], m: float, by_types: bool = False) -> np.ndarray:
    """p_n = (count_n(x) + w p_{n-1}(x)) / (count_n + w), where p before the first count is 1 of 42.

    The weight w is m, or m times how many different pitches have followed the context (Witten and Bell 1991).
    """
    found = np.full(len(levels[0][0]), 1 / PITCHES)
    for total, together, types in levels:
        weight = m * np.maximum(types, 1) if by_types else m
        found = (together + weight * found) / (total + weight)
    return found


def plus_one(levels: list[tuple[np.ndarray, ...]]) -> np.ndarray:
    """The longest context alone, with 1 added to each of its 42 counts."""
    total, together, _ = levels[-1]
    return (together + 1) / (total + PITCHES)


def best_strength(levels: list[tuple[np.ndarray, ...]], by_types: bool = False) -> int:
    """The strength of the back-off that suits these tunes best."""
    nats = {m: round(float(-np.log(backed_off(levels, m, by_types)).mean()), 4) for m in STRENGTHS}
    return min(STRENGTHS, key=lambda m: (nats[m], m))


def counting(counts: Counts, other: np.ndarray, rows: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Nats of each note by four ways of counting; the strengths chosen on `other`, and the share of unseen contexts."""
    chosen_on, tested = counts.of(other), counts.of(rows)
    best, best_by_types = best_strength(chosen_on), best_strength(chosen_on, by_types=True)
    probabilities = {
        "add one": plus_one(tested),
        "back-off, m = 16": backed_off(tested, 16),
        "back-off, m chosen": backed_off(tested, best),
        "back-off by variety": backed_off(tested, best_by_types, by_types=True),
    }
    unseen = float(np.mean(tested[-1][0] == 0))
    facts = {"strength": best, "strength_by_types": best_by_types, "share_unseen": unseen}
    return {name: -np.log(p) for name, p in probabilities.items()}, facts


def trained(seed: int, train: np.ndarray, rows: np.ndarray, steps: Sequence[int]) -> dict[int, np.ndarray]:
    """One training: nats of each note after each number of steps."""
    torch.manual_seed(seed)
    context = train.shape[1] - 1
    net = nn.Sequential(nn.Linear((PITCHES + 1) * context, 64), nn.Tanh(), nn.Linear(64, PITCHES))
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    data, found = torch.from_numpy(train.copy()), {}
    for step in range(1, max(steps, default=0) + 1):
        batch = data[torch.randint(len(data), (512,))]
        loss = F.cross_entropy(net(one_hot(batch)), batch[:, -1])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step in steps:
            found[step] = network_nats(net, rows)
    return found


def one_hot(rows: torch.Tensor) -> torch.Tensor:
    """(B, n 43) a 1 at each pitch before, 0 elsewhere."""
    return F.one_hot(rows[:, :-1], PITCHES + 1).flatten(1).float()


@torch.no_grad()
def network_nats(net: nn.Module, rows: np.ndarray) -> np.ndarray:
    """Nats of each row's last pitch."""
    parts = torch.from_numpy(rows.copy()).split(8192)
    return torch.cat([F.cross_entropy(net(one_hot(part)), part[:, -1], reduction="none") for part in parts]).numpy()


def standard_error(gap: np.ndarray, tune: np.ndarray) -> float:
    """Of the mean over notes of a difference, where a whole tune is what is drawn again."""
    sums = np.bincount(tune, gap - gap.mean())
    return float(np.sqrt(np.sum(sums**2) * len(sums) / (len(sums) - 1)) / len(gap))


def _named(name: tuple[str, int, int]) -> dict[str, Any]:
    cell, context, steps = name
    return {"cell": cell, "context": context} | ({"steps": steps} if steps else {})


def _rounded(numbers: dict[str, float]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in numbers.items()}
