"""The small networks of notebooks/04_rnn.ipynb from three seeds: no memory, tanh, one gate, one gate told the form.

The class is the one of the lesson, with a gate from the start; only `told` tunes are drawn along forms of the lesson's
Markov chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musegen_lib import load_folk_tunes
from musegen_lib.encodings.song_tokens import song_windows
from musegen_lib.training.steps import follow

SEEDS = (0, 1, 2)
KINDS = ("none", "tanh", "gate", "told")
N, NOTHING = 48, 48  # tokens: 0 hold, 1 rest, then pitches from 42 up; NOTHING: the form brings nothing back
STEPS, BATCH, RATE, BARS = 600, 64, 4e-3, 8
CHANGED = (1, 2, 4, 8, 16, 32)  # steps ago


def windows(part: str) -> Tensor:
    """(n, 64) all windows of eight bars that begin every four bars in German songs in 4/4."""
    return torch.from_numpy(song_windows(load_folk_tunes("german", part=part)))


def lags_of(row: Tensor) -> list[int]:
    """For each bar, how many bars before an equal one stands (the first of all); 0 where the bar is new."""
    bars = [tuple(bar) for bar in row.view(-1, 8).tolist()]
    return [number - bars.index(bar) for number, bar in enumerate(bars)]


def brought_back(row: Tensor, lags: list[int]) -> Tensor:
    """(T,) at each step the token that the form brings back, or NOTHING."""
    bars = row.view(-1, 8)
    told = [bars[n - lag] if lag else torch.full((8,), NOTHING) for n, lag in enumerate(lags)]
    return torch.cat(told)


class Memory(nn.Module):
    """The network of the lesson."""

    def __init__(self, kind: str, width: int = 96):
        super().__init__()
        self.kind, self.width = kind, width
        self.note = nn.Embedding(N, 32)
        self.place = nn.Embedding(8, 32)
        self.told = nn.Embedding(N + 1, 32)
        self.write = nn.Linear(32 + width, width)
        self.gate = nn.Linear(32 + width, width)
        self.out = nn.Linear(32 + width, N)

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        if self.kind == "none":
            h = torch.zeros_like(h)
        both = torch.cat([x, h], dim=1)
        new = torch.tanh(self.write(both))
        if self.kind in ("none", "tanh"):
            return new
        keep = torch.sigmoid(self.gate(both))
        return keep * h + (1 - keep) * new

    def read(self, before: Tensor, told: Tensor) -> Tensor:
        place = torch.arange(before.shape[1]) % 8
        return self.note(before) + self.place(place) + self.told(told)

    def forward(self, tokens: Tensor, told: Tensor) -> Tensor:
        x = self.read(F.pad(tokens, (1, 0), value=1)[:, :-1], told)
        h, states = torch.zeros(len(x), self.width), []
        for t in range(x.shape[1]):
            h = self.step(x[:, t], h)
            states.append(h)
        return self.out(torch.cat([x, torch.stack(states, dim=1)], dim=2))


def told_of(kind: str, rows: Tensor) -> Tensor:
    """What a net of this kind is told about each window."""
    if kind != "told":
        return torch.full_like(rows, NOTHING)
    return torch.stack([brought_back(row, lags_of(row)) for row in rows])


def train(kind: str, seed: int, rows: Tensor, steps: int = STEPS) -> Memory:
    """Train one network."""
    torch.manual_seed(seed)
    net, told = Memory(kind), told_of(kind, rows)
    follow(_losses(net, rows, told, steps), net, torch.optim.Adam(net.parameters(), lr=RATE), clip_norm=1.0)
    return net


def _losses(net: Memory, rows: Tensor, told: Tensor, steps: int) -> Iterator[Tensor]:
    for _ in range(steps):
        pick = torch.randint(len(rows), (BATCH,))
        yield F.cross_entropy(net(rows[pick], told[pick]).flatten(0, 1), rows[pick].flatten())


@torch.no_grad()
def nats(net: Memory, rows: Tensor) -> float:
    """Nats per eighth of held-out windows."""
    return F.cross_entropy(net(rows, told_of(net.kind, rows)).flatten(0, 1), rows.flatten()).item()


@torch.no_grad()
def effect(net: Memory, rows: Tensor, ago: int) -> float:
    """Kullback-Leibler divergence of the last prediction when the pitch that many steps ago is another one."""
    rows = rows[rows[:, 63 - ago] > 1]
    told = told_of("gate", rows)
    other = rows.clone()
    other[:, 63 - ago] += torch.where(other[:, 63 - ago] < 30, 2, -2)
    before, after = (F.log_softmax(net(r, told)[:, 63], dim=1) for r in (rows, other))
    return (before.exp() * (before - after)).sum(dim=1).mean().item()


class Forms:
    """A Markov chain over lags: the next depends on the one before and on the number of the bar."""

    def __init__(self, rows: Tensor):
        self.counts = np.full((BARS, BARS, BARS), 1e-9)  # bar, lag before, lag
        for row in rows:
            before = 0
            for bar, lag in enumerate(lags_of(row)):
                self.counts[bar, before, lag] += 1
                before = lag

    def draw(self, rng: np.random.Generator) -> list[int]:
        lags = [0]
        for bar in range(1, BARS):
            p = self.counts[bar, lags[-1]] * (np.arange(BARS) <= bar)
            lags.append(int(rng.choice(BARS, p=p / p.sum())))
        return lags


@torch.no_grad()
def write(net: Memory, n: int, seed: int, forms: list[list[int]] | None = None) -> Tensor:
    """(n, 64) windows drawn note by note, along forms if there are any."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.ones(n, 64, dtype=torch.long)
    h = torch.zeros(n, net.width)
    for t in range(64):
        told = torch.full((n,), NOTHING)
        for i, lags in enumerate(forms or []):
            if lags[t // 8]:
                told[i] = rows[i, t - 8 * lags[t // 8]]
        before = rows[:, t - 1] if t else torch.ones(n, dtype=torch.long)
        x = net.note(before) + net.place.weight[t % 8] + net.told(told)
        h = net.step(x, h)
        rows[:, t] = torch.multinomial(net.out(torch.cat([x, h], dim=1)).softmax(1), 1, generator=generator)[:, 0]
    return rows


def returns(rows: Tensor, lag: int) -> float:
    """Share of the bars that equal the one `lag` bars before."""
    bars = rows.view(len(rows), BARS, 8)
    return (bars[:, lag:] == bars[:, :-lag]).all(dim=2).float().mean().item()


def asked(forms: list[list[int]], lag: int) -> float:
    """Share of the bars that their forms ask to equal the one `lag` bars before."""
    return float(np.mean([lags[bar] == lag for lags in forms for bar in range(lag, BARS)]))


def kept(rows: Tensor, forms: list[list[int]]) -> float:
    """Share of the bars that are to return and do."""
    bars = rows.view(len(rows), BARS, 8)
    pairs = [(i, n, n - lag) for i, lags in enumerate(forms) for n, lag in enumerate(lags) if lag]
    return float(np.mean([bool((bars[i, n] == bars[i, source]).all()) for i, n, source in pairs]))


def small_memory() -> list[dict[str, Any]]:
    """The lesson's small networks: nats per eighth, the effect of a changed note, bars that return, three seeds."""
    rows, valid = windows("train"), windows("valid")
    real = {f"returns_{lag}": round(returns(valid, lag), 4) for lag in (2, 4)}
    found: list[dict[str, Any]] = [{"kind": "real", "windows": len(valid), "train_windows": len(rows), **real}]
    for kind in KINDS:
        for seed in SEEDS:
            net = train(kind, seed, rows)
            rng, chain = np.random.default_rng(seed), Forms(rows)
            forms = [chain.draw(rng) for _ in range(400)] if kind == "told" else None
            made = write(net, 400, seed, forms)
            row = {"kind": kind, "seed": seed, "valid_nats": round(nats(net, valid), 4)}
            row |= {f"returns_{lag}": round(returns(made, lag), 4) for lag in (2, 4)}
            if forms:
                row |= {"asked_4": round(asked(forms, 4), 4), "kept": round(kept(made, forms), 4)}
            row["effect"] = [[ago, round(effect(net, valid, ago), 5)] for ago in CHANGED]
            found.append(row)
    return found
