"""Interpolation in the latent space of the melody VAE: variations of a melody, paths between two.

First of single windows, (T,) tokens with T = 32, then of whole tunes, which are chains of W windows in one key.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.progress import progress
from musegen_lib.encodings.arrays import FIRST_PITCH
from musegen_lib.encodings.melody_windows import OCTAVE, widest_leap
from musegen_lib.encodings.tune_chain import TuneChain
from musegen_lib.models.vae.measures import write_windows
from musegen_lib.models.vae.vae import MelodyVAE

MOST_ROUNDS = 20  # draws of all variations before fewer than were asked for are given


def slerp(a: Float[Tensor, "Z"], b: Float[Tensor, "Z"], share: float) -> Float[Tensor, "Z"]:
    """The point at `share` of the way from a to b along an arc; length changes evenly from |a| to |b|.

    Codes of the prior lie near a sphere: a straight line would cut through its empty middle.
    Source: White 2016, arXiv:1609.04468; as there, but lengths are kept apart from directions.

    >>> slerp(torch.tensor([2.0, 0.0]), torch.tensor([0.0, 2.0]), 0.5).tolist()
    [1.4142135381698608, 1.4142135381698608]
    """
    lengths = a.norm(), b.norm()
    angle = torch.arccos((a @ b / (lengths[0] * lengths[1])).clamp(-1, 1))
    if angle < 1e-4 or angle > np.pi - 1e-4:  # nearly one direction, or opposite: there is no arc to choose
        return torch.lerp(a, b, share)
    arc = torch.sin((1 - share) * angle) * a / lengths[0] + torch.sin(share * angle) * b / lengths[1]
    return arc / torch.sin(angle) * torch.lerp(*lengths, share)


@torch.no_grad()
def path_between(
    model: MelodyVAE, start: Int[np.ndarray, "32"], end: Int[np.ndarray, "32"], n_steps: int
) -> Int[np.ndarray, "n 32"]:
    """n_steps windows from the round trip of one window to that of another."""
    mean, _ = model.encode(torch.from_numpy(np.stack([start, end])))
    z = torch.stack([slerp(mean[0], mean[1], step / (n_steps - 1)) for step in range(n_steps)])
    return model.write(z).numpy()


@torch.no_grad()
def neighbours(
    model: MelodyVAE, window: Int[np.ndarray, "32"], n: int, distance: float, generator: torch.Generator
) -> Int[np.ndarray, "n 32"]:
    """Windows from codes around a window's own, moved by noise of deviation `distance` in every unit.

    A silent one is drawn again, at most a hundred times.
    """
    mean, _ = model.encode(torch.from_numpy(window).unsqueeze(0))
    found: list[np.ndarray] = []
    for _ in range(100):
        written = model.write(mean + distance * torch.randn(n, mean.shape[1], generator=generator)).numpy()
        found += [row for row in written if (row >= FIRST_PITCH).any()]
        if len(found) >= n:
            return np.stack(found[:n])
    raise MusegenError(f"at distance {distance:g} the net writes silence; choose a smaller one")


def crossfade(
    start: Int[np.ndarray, "32"], end: Int[np.ndarray, "32"], n_steps: int, rng: np.random.Generator
) -> Int[np.ndarray, "n 32"]:
    """The baseline for a path: tokens of one window replaced by the other's, one after the other in random order."""
    order = rng.permutation(len(start))
    rank = np.argsort(order, kind="stable")
    return np.stack([np.where(rank < round(len(start) * k / (n_steps - 1)), end, start) for k in range(n_steps)])


@torch.no_grad()
def vary_tune(
    model: MelodyVAE, tune: TuneChain, n: int, distance: float, generator: torch.Generator
) -> list[TuneChain]:
    """Up to n tunes, all different and none the tune itself, from codes around its own; fewer where no more are found.

    Every window moves by noise of deviation `distance` in every unit, equal windows by the same: what returns in the
    tune returns in its variations. The pickup and the last note stay. A variation with a silent window is drawn again,
    and one with a leap over an octave and wider than the tune's.
    """
    mean, _ = model.encode(torch.from_numpy(tune.windows))  # (W, Z)
    kinds = np.unique(tune.windows, axis=0, return_inverse=True)[1].reshape(-1)  # (W,) equal windows, equal numbers
    found, widest = {tune.tokens.tobytes(): tune}, max(OCTAVE, widest_leap(tune.tokens))
    for _ in progress(range(MOST_ROUNDS), "draws"):
        noise = torch.randn(n, kinds.max() + 1, mean.shape[1], generator=generator)[:, kinds]  # (n, W, Z)
        written = write_windows(model, (mean + distance * noise).flatten(0, 1)).reshape(n, *tune.windows.shape)
        for made in map(tune.written, written):
            if np.array_equal(sounds(made.windows), sounds(tune.windows)) and widest_leap(made.tokens) <= widest:
                found.setdefault(made.tokens.tobytes(), made)
        if len(found) > n:
            break
    return list(found.values())[1 : n + 1]


@torch.no_grad()
def path_between_tunes(model: MelodyVAE, first: TuneChain, second: TuneChain, n_steps: int) -> list[TuneChain]:
    """n_steps tunes from one to another, both among them, all in the key of the first and as long as the shorter.

    Windows are paired in their order; of the longer tune the first ones count and the last. The nearer end lends its
    pickup, its last note and its octave.
    """
    n_windows = min(len(first.windows), len(second.windows))
    shift = first.shift + 12 * round((second.shift - first.shift) / 12)
    first, second = first.shortened(n_windows), replace(second.shortened(n_windows), shift=shift)
    start, end = (model.encode(torch.from_numpy(tune.windows))[0] for tune in (first, second))
    path = [first]
    for share in [step / (n_steps - 1) for step in range(1, n_steps - 1)]:
        z = torch.stack([slerp(a, b, share) for a, b in zip(start, end)])
        path.append((first if share <= 0.5 else second).written(model.write(z).numpy()))
    return [*path, second]


def sounds(windows: Int[np.ndarray, "W 32"]) -> np.ndarray:
    """Which windows are not silent, (W,)."""
    return (windows >= FIRST_PITCH).any(axis=1)
