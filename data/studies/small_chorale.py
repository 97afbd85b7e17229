"""The small network of notebooks/04b_real_time.ipynb, three seeds: voices in turn or alone, phrase ends told or not.

A chorale is read once a beat, moved to the tonic C; voices stand in the order in which they are decided: soprano
(given), bass, alto, tenor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musegen_lib import load_chorales
from musegen_lib.core.piece import Piece
from musegen_lib.encodings.song_tokens import shift_to_c
from musegen_lib.metrics.cadences import cadence_report
from musegen_lib.metrics.voices import beat_pitches, voice_rules
from musegen_lib.models.chorale.recipe import chorale_steps
from musegen_lib.training.steps import follow

SEEDS = (0, 1, 2)
DESIGNS = {"in turn, told": (True, True), "alone, told": (False, True), "in turn, not told": (True, False)}
STEPS, BATCH, RATE, BEATS = 200, 32, 4e-3, 32
TURNS = [0, 3, 1, 2]
LOWEST, N, NOT_TOLD = 29, 60, 9
TEMPERATURE = 0.5


def chorales(part: str) -> list[tuple[Tensor, Tensor]]:
    """Frames (T, 4) and beats to the next phrase end (T,), of each chorale."""
    found = []
    for piece, steps in zip(load_chorales(part=part), chorale_steps(part), strict=True):
        shift = shift_to_c(piece)
        pitches = beat_pitches(piece)[:, TURNS]
        frames = torch.tensor((pitches + shift - LOWEST).clip(1, N - 1) * (pitches > 0))
        ends = [onset // 4 for onset, _ in steps.ends]
        left = [min([end - t for end in ends if end >= t] or [8]) for t in range(len(frames))]
        found.append((frames, torch.tensor(left).clamp(max=8)))
    return found


class Four(nn.Module):
    """The network of the lesson."""

    def __init__(self, hears: bool = True, width: int = 128):
        super().__init__()
        self.hears = hears
        self.pitch = nn.Embedding(N, 24)
        self.left = nn.Embedding(10, 24)
        self.cell = nn.GRU(7 * 24, width, batch_first=True)
        self.heads = nn.ModuleList(nn.Linear(width + 24 * n, N) for n in (1, 2, 3))

    def read(self, frames: Tensor, left: Tensor) -> Tensor:
        before = F.pad(frames, (0, 0, 1, 0))[:, :-1]
        ahead = F.pad(frames[:, 1:, :1], (0, 0, 0, 1))
        heard = torch.cat([before, frames[:, :, :1], ahead], dim=2)
        return torch.cat([self.pitch(heard).flatten(2), self.left(left)], dim=2)

    def scores(self, h: Tensor, known: Tensor) -> Tensor:
        n = known.shape[-1]
        if not self.hears:
            known = torch.cat([known[..., :1], torch.zeros_like(known[..., 1:])], dim=-1)
        return self.heads[n - 1](torch.cat([h, self.pitch(known).flatten(-2)], dim=-1))

    def forward(self, frames: Tensor, left: Tensor) -> Tensor:
        h = self.cell(self.read(frames, left))[0]
        return torch.stack([self.scores(h, frames[..., :n]) for n in (1, 2, 3)], dim=2)


def train(net: Four, told: bool, steps: int = STEPS) -> Four:
    """Train on windows of 32 beats."""
    pieces = [piece for piece in chorales("train") if len(piece[0]) >= BEATS]
    cut = [(f[i : i + BEATS], n[i : i + BEATS]) for f, n in pieces for i in range(0, len(f) - BEATS + 1, 8)]
    frames, left = (torch.stack(part) for part in zip(*cut, strict=True))
    left = left if told else torch.full_like(left, NOT_TOLD)
    follow(_losses(net, frames, left, steps), net, torch.optim.Adam(net.parameters(), lr=RATE), clip_norm=1.0)
    return net


def _losses(net: Four, frames: Tensor, left: Tensor, steps: int) -> Iterator[Tensor]:
    for _ in range(steps):
        pick = torch.randint(len(frames), (BATCH,))
        scores = net(frames[pick], left[pick])
        yield F.cross_entropy(scores.flatten(0, 2), frames[pick][..., 1:].flatten())


@torch.no_grad()
def nats(net: Four, pieces: list[tuple[Tensor, Tensor]], told: bool) -> float:
    """Nats per lower voice and beat."""
    total = cells = 0.0
    for frames, left in pieces:
        left = left if told else torch.full_like(left, NOT_TOLD)
        scores = net(frames[None], left[None])
        total += F.cross_entropy(scores.flatten(0, 2), frames[:, 1:].flatten(), reduction="sum").item()
        cells += frames[:, 1:].numel()
    return total / cells


@torch.no_grad()
def harmonise(net: Four, soprano: Tensor, left: Tensor, generator: torch.Generator) -> Tensor:
    """(T, 4) frames below a soprano (T,)."""
    frames = torch.zeros(len(soprano), 4, dtype=torch.long)
    frames[:, 0], state = soprano, None
    for t in range(len(soprano)):
        x = net.read(frames[None], left[None])[:, t : t + 1]
        h, state = net.cell(x, state)
        for n in (1, 2, 3):
            p = torch.softmax(net.scores(h[0, 0], frames[t, :n]) / TEMPERATURE, dim=0)
            frames[t, n] = torch.multinomial(p, 1, generator=generator)
    return frames


def to_piece(frames: Tensor) -> Piece:
    """One chord a beat; a pitch that stays is held."""
    notes = []
    for column, voice in enumerate(TURNS):
        for beat, pitch in enumerate(frames[:, column].tolist()):
            if pitch:
                notes.append((4 * beat, 4, pitch + LOWEST, 80, voice))
    return Piece.from_notes(notes, metre="4/4", tempo_qpm=90.0)


def small_chorale() -> list[dict[str, Any]]:
    """The lesson's small network below the sopranos of the validation chorales, designs and seeds, beside Bach."""
    valid = chorales("valid")
    ends = [[4 * t for t in (left == 0).nonzero()[:, 0].tolist()] for _, left in valid]
    rows: list[dict[str, Any]] = [{"design": "Bach", **_measures([to_piece(frames) for frames, _ in valid], ends)}]
    for design, (hears, told) in DESIGNS.items():
        for seed in SEEDS:
            torch.manual_seed(seed)
            net = train(Four(hears), told)
            generator = torch.Generator().manual_seed(seed)
            made = [
                to_piece(harmonise(net, f[:, 0], n if told else torch.full_like(n, NOT_TOLD), generator))
                for f, n in valid
            ]
            row = {"design": design, "seed": seed, "valid_nats": round(nats(net, valid, told), 4)}
            rows.append(row | _measures(made, ends))
    return rows


def _measures(pieces: list[Piece], ends: list[list[int]]) -> dict[str, float]:
    found = cadence_report(pieces, ends) | voice_rules(pieces)
    names = (
        "triads and sevenths",
        "triads at phrase ends",
        "V-I at phrase ends",
        "parallel fifths",
        "parallel octaves",
    )
    return {name: round(found[name].mean, 2) for name in names}
