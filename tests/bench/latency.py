"""How long the net that plays live thinks about a sixteenth, on one core."""

from __future__ import annotations

import numpy as np
import torch

from musegen_lib.encodings.chorale_steps import CHORALE_METRES, ChoraleSteps
from musegen_lib.models.chorale.live import Clock, latency
from musegen_lib.models.chorale.perform import perform
from musegen_lib.models.chorale.rnn import ChoraleRNN


def measure_latency(model: ChoraleRNN, seed: ChoraleSteps, bars: int = 16, runs: int = 5) -> dict[str, float]:
    """How long a sixteenth takes on one core, after a short performance to warm up.

    Returns:
        means of `latency` over runs that differ in their number, p50_sd_ms and p99_sd_ms over the runs, the longest
        of all sixteenths as max_ms, and the numbers of runs and sixteenths.
    """
    threads, found = torch.get_num_threads(), []
    torch.set_num_threads(1)
    try:
        for number in range(-1, runs):
            clock = Clock()
            for _ in clock.pace(perform(model, seed, bars if number >= 0 else 1, max(number, 0))):
                pass
            found.append(latency(clock.thought))
    finally:
        torch.set_num_threads(threads)
    table = {name: np.array([run[name] for run in found[1:]]) for name in found[0]}
    spread = {f"{p}_sd_ms": float(table[f"{p}_ms"].std(ddof=1)) for p in ("p50", "p99") if runs > 1}
    sizes = {
        "max_ms": float(table["max_ms"].max()),
        "runs": runs,
        "sixteenths": runs * bars * CHORALE_METRES[seed.metre],
    }
    return {name: float(values.mean()) for name, values in table.items()} | spread | sizes
