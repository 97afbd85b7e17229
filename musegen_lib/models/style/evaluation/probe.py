"""Can the style still be read off latents? A fresh classifier, trained on what a model says of each interval, tries.

Source: Alain and Bengio 2016, arXiv:1610.01644 (probes; theirs are linear, ours is a small GRU).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F

from musegen_lib.corpus.chinese_german import STYLES
from musegen_lib.encodings.melody_lines import N_INTERVALS
from musegen_lib.models.style.batches import LineBatch, LineBatches
from musegen_lib.models.style.net_recipes import lines_in_batches
from musegen_lib.models.style.vae import StyleClassifier
from musegen_lib.training.steps import follow

PROBE_STEPS, PROBE_RATE = 200, 5e-3
Reader = Callable[[LineBatch], torch.Tensor]  # what a probe is shown of each note, (B, M, F)


def one_hot(batch: LineBatch) -> torch.Tensor:
    """The intervals themselves, for the probe's ceiling."""
    return F.one_hot(batch.intervals, N_INTERVALS).float()


def probe(read: Reader, n_features: int, lines: tuple, seed: int) -> float:
    """Train a classifier on what `read` shows of training melodies; balanced accuracy on the validation melodies."""
    torch.manual_seed(seed)
    net, batches = StyleClassifier(n_features), LineBatches(lines[0][:2], (20, 20), seed + 100)
    shown = map(batches, range(PROBE_STEPS))
    losses = (F.cross_entropy(net(read(batch), batch.mask), batch.styles) for batch in shown)
    follow(losses, net, torch.optim.Adam(net.parameters(), lr=PROBE_RATE))
    hits: list[list[float]] = [[] for _ in STYLES]
    with torch.no_grad():
        for batch in lines_in_batches(lines[1]):
            style = int(batch.styles[0])
            hits[style] += (net(read(batch), batch.mask)[:, :2].argmax(dim=1) == style).float().tolist()
    return round(sum(sum(own) / len(own) for own in hits) / 2, 4)
