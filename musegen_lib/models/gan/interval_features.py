"""What a discriminator of four-voice music sees: pitches, and the intervals between them, with gradients.

Axes: B bars in a batch, T steps, 4 voices from soprano to bass, K tokens (HOLD, REST, pitches as in
`encodings.chorale_steps`), F features. Tokens come one-hot, or as the straight-through outputs of a generator; every
step here is a sum or a product, so a gradient passes.

A pitch is written as the hands of nine clocks, which turn once every 12, 6, 4, 3, 2.4 and 2 semitones (together they
tell all pitch classes apart) and every 24, 48 and 96 (register). Turning one pitch's clock back by another's leaves a
clock that shows their interval: the same at every transposition.
"""

from __future__ import annotations

import math
from itertools import combinations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from musegen_lib.encodings.chorale_steps import FIRST_PITCH, HIGH, HOLD, LOW, N_VOICES, REST

N_PITCHES = HIGH - LOW + 1
N_BAR_TOKENS = FIRST_PITCH + N_PITCHES
PERIODS = (12.0, 6.0, 4.0, 3.0, 2.4, 2.0, 24.0, 48.0, 96.0)
_CLASS_OF = F.one_hot(torch.arange(N_PITCHES) % 12, 12).float()  # (P, 12)
_INTERVAL_OF = F.one_hot((torch.arange(12).unsqueeze(1) - torch.arange(12)).flatten() % 12, 12).float()  # (144, 12)
_UPPER, _LOWER = zip(*combinations(range(N_VOICES), 2))
PARALLEL_GAIN = 3.0  # parallels are rare: a feature that is seldom 1 must be large to be learnt
N_PARALLELS = 12 * len(_UPPER)  # features of parallel motion
N_FEATURES = 2 * len(PERIODS) * (N_VOICES + len(_UPPER) + N_VOICES) + N_PARALLELS + 2 * N_VOICES


def sounding(tokens: Float[Tensor, "B T 4 K"]) -> Float[Tensor, "B T 4 P1"]:
    """One-hot pitch that sounds in each voice and step; the last of the N_PITCHES + 1 places is silence."""
    held = tokens[..., HOLD : HOLD + 1]
    begun = torch.cat([tokens[..., FIRST_PITCH:], tokens[..., REST : REST + 1]], dim=-1)
    now = F.one_hot(torch.full(tokens[:, 0, :, 0].shape, N_PITCHES), N_PITCHES + 1).to(tokens)  # (B, 4, P1) silence
    steps = []
    for step in range(tokens.shape[1]):
        now = held[:, step] * now + begun[:, step]
        steps.append(now)
    return torch.stack(steps, dim=1)


def clocks() -> Float[Tensor, "P W2"]:
    """Cosine and sine of each pitch on the W clocks of PERIODS."""
    angle = torch.outer(torch.arange(LOW, HIGH + 1).float(), 2 * math.pi / torch.tensor(PERIODS))
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def turned_back(a: Float[Tensor, "... W2"], b: Float[Tensor, "... W2"]) -> Float[Tensor, "... W2"]:
    """Clocks of the interval from b up to a; all hands are 0 where either is silent.

    >>> table = clocks()
    >>> bool(torch.allclose(turned_back(table[7], table[0]), turned_back(table[40], table[33]), atol=1e-5))
    True
    """
    (ax, ay), (bx, by) = a.chunk(2, dim=-1), b.chunk(2, dim=-1)
    return torch.cat([ax * bx + ay * by, ay * bx - ax * by], dim=-1)


def pitch_classes(sound: Float[Tensor, "... P1"]) -> Float[Tensor, "... 12"]:
    """Sum pitches over octaves; class 0 is that of LOW, and silence has none."""
    return sound[..., :N_PITCHES] @ _CLASS_OF.to(sound)


def interval_classes(upper: Float[Tensor, "... 12"], lower: Float[Tensor, "... 12"]) -> Float[Tensor, "... 12"]:
    """How surely `upper` stands each interval class above `lower`.

    >>> interval_classes(torch.eye(12)[7], torch.eye(12)[0]).argmax().item()
    7
    """
    return (upper.unsqueeze(-1) * lower.unsqueeze(-2)).flatten(-2) @ _INTERVAL_OF.to(upper)


def directions(now: Float[Tensor, "... P1"], before: Float[Tensor, "... P1"]) -> Float[Tensor, "... 3"]:
    """How surely a voice went down, stayed or went up; all 0 where it is or was silent."""
    pitch, last = now[..., :N_PITCHES], before[..., :N_PITCHES]
    below = last.cumsum(dim=-1)
    up, stayed = (pitch * (below - last)).sum(dim=-1), (pitch * last).sum(dim=-1)
    down = (pitch * (last.sum(dim=-1, keepdim=True) - below)).sum(dim=-1)
    return torch.stack([down, stayed, up], dim=-1)


def parallel_motion(sound: Float[Tensor, "B T 4 P1"]) -> Float[Tensor, "B T 6 12"]:
    """For each pair of voices, how surely both move and keep their interval: one number an interval class.

    1 at 7 is a pair in parallel fifths, at 0 in octaves or unisons; 0 in the first step and where a voice rests.
    """
    pitch, classes = sound[..., :N_PITCHES], pitch_classes(sound)  # (B, T, 4, 12)
    interval = interval_classes(classes[:, :, list(_UPPER)], classes[:, :, list(_LOWER)])  # (B, T, 6, 12)
    stays = (pitch[:, 1:] * pitch[:, :-1]).sum(dim=-1)  # (B, T - 1, 4)
    both_move = (1 - stays[:, :, list(_UPPER)]) * (1 - stays[:, :, list(_LOWER)])
    kept = interval[:, 1:] * interval[:, :-1] * both_move.unsqueeze(-1)
    return F.pad(kept, (0, 0, 0, 0, 1, 0))


def interval_features(tokens: Float[Tensor, "B T 4 K"]) -> Float[Tensor, "B T F"]:
    """Clocks of the four pitches, the six intervals between voices, the four moves since the last step; parallel motion
    of the six pairs; onsets and silences.
    """
    sound = sounding(tokens)
    hands = sound[..., :N_PITCHES] @ clocks().to(tokens)  # (B, T, 4, 2W)
    between = turned_back(hands[:, :, list(_UPPER)], hands[:, :, list(_LOWER)])  # (B, T, 6, 2W)
    moves = F.pad(turned_back(hands[:, 1:], hands[:, :-1]), (0, 0, 0, 0, 1, 0))
    onsets, silent = tokens[..., FIRST_PITCH:].sum(dim=-1), sound[..., N_PITCHES]
    parallels = PARALLEL_GAIN * parallel_motion(sound)
    seen = [hands, between, moves, parallels]
    return torch.cat([*(part.flatten(2) for part in seen), onsets, silent], dim=-1)
