"""The long experiments with melodies: cells, memory, data and width, counting, and how far a net can copy."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from data.studies.copy_task import CopyNet, copy_task
from data.studies.melody_baselines import in_all_keys, markov_nats, unigram_nats
from data.studies.plain_lm import CELLS, MelodyLM, MelodyLMConfig
from musegen_lib.encodings.melody_events import N_DURATIONS, N_PITCH_IDS, MelodyEvents
from musegen_lib.models.melody.batches import MelodyBatches
from musegen_lib.models.melody.recipe import BACKOFFS, ORDERS, melody_events, tunes_in_batches
from musegen_lib.training import loop as training
from musegen_lib.training.steps import follow

SEEDS = (0, 1, 2)
MEMORIES = (1, 2, 4, 8, 16, 32, 64, None)  # inputs the state may go back; None: all
TUNES = (300, 1000, 3000, None)  # training tunes; None: all
WIDTHS = (16, 64, 128, 256)
TRAINED = 40  # steps: the largest distance met in training
DISTANCES = (0, 5, 10, 20, TRAINED, 80, 160, 320)
SETTINGS = training.TrainConfig(steps=1200, warmup_steps=50, validate_every=100, patience=4, weight_decay=0.02)
RATES = (1e-3, 3e-3, 1e-2, 3e-2)  # of which each cell gets its own best
BEST_RATES = {"rnn": 1e-2, "gru": 3e-2, "lstm": 3e-2}  # as melody-cells found them
CONTEXT_RATE = 1e-2  # of all cells in melody-context, which compares a cell with itself
BATCH, RATE_STEPS, RATE_SEED, COPY_STEPS = 32, 300, 100, 3000
EQUAL_WIDTHS = {"rnn": 255, "gru": 149, "lstm": 128}  # of about as many parameters
WIDER_RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)  # so that the best one is not at the edge
NEAR, FAR = 4, 16  # events


def melody_cells() -> list[dict[str, Any]]:
    """Melodies in nats a note: tanh RNN, GRU and LSTM of one width, each at the learning rate that suits it best.

    Rows: the floors; the short trials of learning rates, of another seed; one a cell and seed with its curve over steps
    and seconds, and with its score when the memory of the trained net is cut short. The test tunes are scored once, by
    the first LSTM, which was to be the net of the lesson before any was trained.
    """
    rows, train, valid = melody_baselines(), melody_events("train"), melody_events("valid")
    for cell in CELLS:
        trials = rate_trials(cell)
        rows += trials
        rate = min(trials, key=lambda trial: trial["trial_nats"])["rate"]
        for seed in SEEDS:
            net, row = train_lm(MelodyLMConfig(cell), train, seed, rate)
            row["nats_by_memory"] = [[memory, lm_nats(net, valid[::4], memory)] for memory in MEMORIES]
            if (cell, seed) == ("lstm", SEEDS[0]):
                row["test_nats"] = lm_nats(net, melody_events("test"))
            rows.append(row)
    return rows


def rate_trials(
    cell: str, rates: Sequence[float] = RATES, config: MelodyLMConfig | None = None
) -> list[dict[str, Any]]:
    """Score a cell after short runs at several learning rates."""
    settings = training.replace(SETTINGS, steps=RATE_STEPS, validate_every=RATE_STEPS)
    train, config = melody_events("train"), config or MelodyLMConfig(cell)
    nats = [train_lm(config, train, RATE_SEED, rate, settings)[1]["valid_nats"] for rate in rates]
    return [{"cell": cell, "rate": rate, "trial_nats": found} for rate, found in zip(rates, nats)]


def melody_equal() -> list[dict[str, Any]]:
    """Melodies in nats per note: tanh RNN, GRU and LSTM of equal parameters, each at its own best learning rate.

    Rows: the trials of learning rates; one a cell and seed. Then LSTMs that are used to a memory cut short, at the rate
    of the race: nats by memory on every fourth validation tune, and with 16 events of which the oldest 12 are those of
    another tune ("foreign").
    """
    rows, train, valid = [], melody_events("train"), melody_events("valid")
    for cell in ("lstm", "gru", "rnn"):
        config = MelodyLMConfig(cell, hidden_dim=EQUAL_WIDTHS[cell])
        trials = rate_trials(cell, WIDER_RATES, config)
        rows += trials
        rate = min(trials, key=lambda trial: trial["trial_nats"])["rate"]
        rows += [{"part": "race", **train_lm(config, train, seed, rate)[1]} for seed in SEEDS]
        if cell == "lstm":
            for seed in SEEDS:
                net, row = train_lm(MelodyLMConfig(cell, memories=MEMORIES[:-1]), train, seed, rate)
                row["nats_by_memory"] = [[memory, lm_nats(net, valid[::4], memory)] for memory in MEMORIES]
                rows.append({"part": "context", **row, "foreign": foreign_nats(net, valid[::4])})
    return rows


@torch.no_grad()
def foreign_nats(net: MelodyLM, tunes: Sequence[MelodyEvents]) -> float:
    """Nats per note after NEAR events of the tune itself and, before them, the FAR - NEAR of another tune."""
    net.eval()
    total = 0.0
    for batch in tunes_in_batches(tunes):
        x = net.read(batch)
        windows = F.pad(x, (0, 0, FAR - 1, 0)).unfold(1, FAR, 1).transpose(2, 3)  # (B, T, FAR, E)
        old = windows.roll(1, dims=0)[:, :, : FAR - NEAR]
        windows = torch.cat([old, windows[:, :, FAR - NEAR :]], dim=2)
        hidden = net.cell(windows.flatten(0, 1))[0].unflatten(0, x.shape[:2])[:, :, -1]
        with_pitch = torch.cat([hidden, net.pitch(batch.pitch_ids)], dim=-1)
        total += float(batch.event_nll(net.pitch_head(hidden), net.duration_head(with_pitch)).sum())
    return round(total / sum(tune.n_notes for tune in tunes), 4)


def melody_context() -> list[dict[str, Any]]:
    """Melodies in nats a note against the number of events that may be read, by nets used to a memory cut short.

    In training the state is emptied every 1, 2, 4, ... events, or never. Every fourth validation tune is scored.
    Rows: Markov chains, whose order is that number of events, then one a cell and seed.
    """
    train, valid = melody_events("train"), melody_events("valid")[::4]
    rows = [{"cell": "markov", "memory": order, "nats": markov_nats(order, train, valid, BACKOFFS)} for order in ORDERS]
    for cell, seed in product(CELLS, SEEDS):
        net, row = train_lm(MelodyLMConfig(cell, memories=MEMORIES[:-1]), train, seed, CONTEXT_RATE)
        rows.append(row | {"nats_by_memory": [[memory, lm_nats(net, valid, memory)] for memory in MEMORIES]})
    return rows


def melody_sizes() -> list[dict[str, Any]]:
    """Melodies in nats a note against the number of training tunes (LSTM and Markov) and the width of an LSTM."""
    rows, train, valid = [], melody_events("train"), melody_events("valid")
    for n_tunes in TUNES:
        for seed in SEEDS:
            tunes = some_of(train, n_tunes, seed)
            rows.append({"by": "tunes", **train_lm(MelodyLMConfig(), tunes, seed)[1]})
            markov = min(markov_nats(order, tunes, valid, BACKOFFS) for order in ORDERS)
            rows.append({"by": "tunes", "cell": "markov", "seed": seed, "tunes": len(tunes), "valid_nats": markov})
    full = {row["seed"]: row for row in rows if (row["cell"], row["tunes"]) == ("lstm", len(train))}
    for config in (MelodyLMConfig(hidden_dim=width) for width in WIDTHS):
        for seed in SEEDS:
            row = full[seed] if config == MelodyLMConfig() else train_lm(config, train, seed)[1]
            rows.append({**row, "by": "width"})
    return rows


def some_of(tunes: list[MelodyEvents], n: int | None, seed: int) -> list[MelodyEvents]:
    """n tunes drawn by the seed; None: all of them."""
    return [tunes[i] for i in np.random.default_rng(seed).permutation(len(tunes))[:n]] if n else tunes


def melody_counting() -> list[dict[str, Any]]:
    """Markov chains in nats a note on the tunes of melody-sizes, as they are and in all keys up to 5 semitones away.

    The nets of that study are trained on transposed tunes, so counting has to have them, too.
    """
    rows, train, valid = [], melody_events("train"), melody_events("valid")
    for n_tunes in TUNES:
        for seed in SEEDS if n_tunes else SEEDS[:1]:
            tunes = some_of(train, n_tunes, seed)
            for shift, counted in ((0, tunes), (5, in_all_keys(tunes))):
                row = {"cell": "markov", "seed": seed, "tunes": len(tunes), "transposed_by": shift}
                nats = {order: round(markov_nats(order, counted, valid, BACKOFFS), 4) for order in ORDERS}
                rows.append(row | {"order": min(nats, key=nats.get), "valid_nats": min(nats.values())})
    return rows


def melody_baselines() -> list[dict[str, Any]]:
    """What counting scores on the validation tunes."""
    train, valid = melody_events("train"), melody_events("valid")
    uniform = float(np.log(N_PITCH_IDS * (N_DURATIONS - 1)))
    nats = {"uniform": uniform, "unigram": unigram_nats(train, valid)}
    nats |= {f"markov {order}": markov_nats(order, train, valid, BACKOFFS) for order in ORDERS}
    return [{"cell": name, "valid_nats": round(value, 4)} for name, value in nats.items()]


def train_lm(
    config: MelodyLMConfig,
    tunes: Sequence[MelodyEvents],
    seed: int,
    rate: float | None = None,
    settings: training.TrainConfig | None = None,
) -> tuple[MelodyLM, dict[str, Any]]:
    """Train one net and tell how it went; the seconds are those of the processor, validations included."""
    torch.manual_seed(seed)
    settings = training.replace(settings or SETTINGS, seed=seed, learning_rate=rate or BEST_RATES[config.cell])
    net, started, clock = MelodyLM(config), time.process_time(), []
    batches = MelodyBatches(tunes, BATCH, seed)

    def timed(step: int, rank: int = 0, world_size: int = 1) -> Any:
        clock.append(time.process_time() - started)
        return batches(step, rank, world_size)

    run = training.fit(net, timed, tunes_in_batches(melody_events("valid")), settings)
    seconds = [round(clock[min(step, len(clock) - 1)], 1) for step in run.valid_steps]
    return net, {
        "cell": config.cell,
        "seed": seed,
        "tunes": len(tunes),
        "hidden_dim": config.hidden_dim,
        "parameters": sum(p.numel() for p in net.parameters()),
        "rate": settings.learning_rate,
        "valid_nats": round(run.best_loss, 4),
        "curve": [[step, s, round(loss, 4)] for step, s, loss in zip(run.valid_steps, seconds, run.valid_loss)],
    }


@torch.no_grad()
def lm_nats(net: MelodyLM, tunes: Sequence[MelodyEvents], memory: int | None = None) -> float:
    """Nats a note of tunes, the state going back over so many inputs only."""
    net.eval()
    nll = sum(float(net.event_nll(batch, memory).sum()) for batch in tunes_in_batches(tunes))
    return round(nll / sum(tune.n_notes for tune in tunes), 4)


def copy_distance() -> list[dict[str, Any]]:
    """Share of symbols given back right, for a string read 0 to 320 steps ago; chance is one in eight.

    Training begins with no distance and widens it up to 40; 80 and more are further than the net has ever had to reach.
    """
    rows = []
    for cell, seed in product(CELLS, SEEDS):
        net, test = train_copy_net(cell, seed), torch.Generator().manual_seed(99)
        for distance in DISTANCES:
            right = copied_right(net, distance, test)
            rows.append({"cell": cell, "seed": seed, "distance": distance, "right": right})
    return rows


@torch.no_grad()
def copied_right(net: CopyNet, distance: int, generator: torch.Generator, n: int = 1000) -> float:
    """Share of the symbols of n fresh strings that the net gives back."""
    inputs, string = copy_task(n, distance, generator)
    return round(float((net(inputs).argmax(dim=2) == string).float().mean()), 4)


def train_copy_net(cell: str, seed: int) -> CopyNet:
    """Train on distances from 0 to a limit that grows to TRAINED over the first four fifths of the steps."""
    torch.manual_seed(seed)
    net, generator = CopyNet(cell), torch.Generator().manual_seed(seed)

    def loss(step: int) -> torch.Tensor:
        limit = int(TRAINED * min(1, step / (0.8 * COPY_STEPS)))
        distance = int(torch.randint(limit + 1, (), generator=generator))
        inputs, string = copy_task(64, distance, generator)
        return F.cross_entropy(net(inputs).flatten(0, 1), string.flatten())

    follow(map(loss, range(COPY_STEPS)), net, torch.optim.Adam(net.parameters(), lr=1e-3), clip_norm=1.0)
    return net
