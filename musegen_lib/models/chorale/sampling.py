"""Chorales step by step: a stream of steps from a ChoraleRNN, free or below a given soprano."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.progress import progress
from musegen_lib.encodings.chorale_steps import (
    CHORALE_METRES,
    CHORALE_MODES,
    END,
    FIRST_PITCH,
    HOLD,
    LOW,
    N_TOKENS,
    N_VOICES,
    REST,
    ChoraleSteps,
    chorale_key,
)
from musegen_lib.encodings.melody_events import NO_TONIC
from musegen_lib.models.chorale.batches import collate_steps
from musegen_lib.models.chorale.phrase_plan import LONGEST
from musegen_lib.models.chorale.rnn import LAGS, ORDER, ChoraleRNN
from musegen_lib.models.chorale.voice_heads import forbidden
from musegen_lib.training.sampling import sample

Rules = Callable[[int, Tensor, Tensor], Tensor]  # voice, before (n, 4), decided (n, turn) -> (n, V) True = allowed
STRIKE_TEMPERATURE = 0.8  # of all voices; at 1.0 a voice too often comes late to the end of a phrase
STRIKES = torch.tensor([FIRST_PITCH <= token < END for token in range(N_TOKENS)])


@dataclass(frozen=True)
class ChoraleRequest:
    """What to write: metre, key, pickup (sixteenth steps), length in bars, and how daring it may be.

    Without `bars` a length is drawn from those of the training chorales. A pickup and the shortened last bar count as
    one bar.
    """

    metre: str = "4/4"
    key: str = "G major"
    pickup: int = 4
    bars: int | None = None
    temperature: float = 0.5  # of the pitches, as in `draw_tokens`
    top_p: float = 0.95  # the likeliest that together have this probability

    def __post_init__(self) -> None:
        if self.metre not in CHORALE_METRES:
            raise MusegenError(
                f"metre {self.metre!r} is unknown to chorales; choose one of {', '.join(CHORALE_METRES)}"
            )
        if chorale_key(self.key)[0] == NO_TONIC:
            modes = ", ".join(CHORALE_MODES)
            raise MusegenError(f"key {self.key!r} is unknown; write it like 'G major', modes are {modes}")
        if self.bars is not None and not 1 <= self.bars <= LONGEST:
            raise MusegenError(f"{self.bars} bars: ask for 1 to {LONGEST}")
        if not 0 <= self.pickup < CHORALE_METRES[self.metre]:
            raise MusegenError(f"a pickup of {self.pickup} steps does not fit a bar of {CHORALE_METRES[self.metre]}")


class ChoraleStream:
    """n chorales in the making: one GRU step and four small decisions a sixteenth.

    Args:
        frames: what is known of each piece: key, metre, pickup, number of steps; its soprano and the ends of its
            phrases if `told` says so. The tokens of free voices do not matter.
        told: how much of it the net is told, a key of TOLD.
        rules: may forbid tokens: gets the turn's voice, the signed pitches before (n, 4), those decided in this step
            (n, turn) in ORDER, and returns (n, V) True = allowed.
    """

    def __init__(
        self,
        model: ChoraleRNN,
        frames: Sequence[ChoraleSteps],
        request: ChoraleRequest,
        told: str = "plan",
        rules: Rules | None = None,
    ):
        self.model, self.request, self.rules = model.eval(), request, rules
        self.may_end = told == "nothing"
        self.frame = collate_steps(frames, [told] * len(frames))
        with torch.no_grad():
            self.outlook = model.outlook(self.frame)  # (n, T + 1, D)
        self.history = torch.zeros(len(frames), max(LAGS), N_VOICES, dtype=torch.long)  # signed, the last step first
        self.state: Tensor | None = None
        self.step = 0

    @torch.no_grad()
    def advance(self, generator: torch.Generator, given: Sequence[Any] = (None,) * N_VOICES) -> Int[Tensor, "n 4"]:
        """Decide the next sixteenth and return its tokens, soprano first.

        Args:
            given: a token, or one a piece, for each voice that is not free.
        """
        n = len(self.history)
        before, tonics = self.history[:, :1], self.frame.tonics
        earlier = self.history[:, [lag - 1 for lag in LAGS]].flatten(1).unsqueeze(1)  # (n, 1, 4 x lags)
        outlook = self.outlook[:, self.step : self.step + 1]
        context, voices, self.state = self.model.read(earlier, outlook, tonics, self.state)
        known = torch.zeros(n, 1, 0, dtype=torch.long)
        tokens = torch.zeros(n, N_VOICES, dtype=torch.long)
        for turn, voice in enumerate(ORDER):
            if given[voice] is None:
                logits = self.model.score(turn, context, voices, known, before, tonics)[:, 0]
                tokens[:, voice] = draw_tokens(logits, generator, self._allowed(voice, known), self.request)
            else:
                tokens[:, voice] = given[voice]
            now = token_to_signed(tokens[:, voice], before[:, 0, voice])
            known = torch.cat([known, now.view(n, 1, 1)], dim=2)
        self.history = torch.cat([known[:, :, [ORDER.index(v) for v in range(N_VOICES)]], self.history[:, :-1]], dim=1)
        self.step += 1
        return tokens

    def _allowed(self, voice: int, known: Tensor) -> Bool[Tensor, "n V"]:
        before = self.history[:, 0]
        allowed = ~forbidden(voice, before[:, voice])
        # the last bar completes the pickup
        allowed[:, END] &= self.may_end and self.step > 0 and self.step % CHORALE_METRES[self.request.metre] == 0
        if self.rules is not None:
            allowed &= self.rules(voice, before, known[:, 0])
        return allowed


def draw_tokens(
    logits: Float[Tensor, "n V"], generator: torch.Generator, allowed: Bool[Tensor, "n V"], request: ChoraleRequest
) -> Int[Tensor, "n"]:
    """Draw whether a voice strikes, at STRIKE_TEMPERATURE, then which pitch, at the request's temperature and top_p.

    One low temperature for both would seldom tie a note over a beat: a suspension begins with an unlikely hold.
    """
    chance = torch.softmax(logits.masked_fill(~allowed, -torch.inf), dim=1)[:, STRIKES].sum(dim=1)
    either = torch.stack([chance, 1 - chance]).clamp(min=0) ** (1 / STRIKE_TEMPERATURE)  # (2, n)
    strikes = either[0] / either.sum(dim=0)
    struck = (torch.rand(len(logits), generator=generator) < strikes).unsqueeze(1)  # (n, 1)
    chosen = allowed & (struck == STRIKES)
    chosen = torch.where(chosen.any(dim=1, keepdim=True), chosen, allowed)  # a share that rounds to 0 or 1
    sharper = torch.where(struck, logits / max(request.temperature, 1e-6), logits)
    return sample(sharper, generator, chosen, top_p=request.top_p)


def token_to_signed(tokens: Int[Tensor, "n"], before: Int[Tensor, "n"]) -> Int[Tensor, "n"]:
    """Signed pitch of a token, knowing the voice's signed pitch one step earlier; 0 for REST and END."""
    struck = torch.where((tokens >= FIRST_PITCH) & (tokens != END), tokens - FIRST_PITCH + LOW, 0)
    return torch.where(tokens == HOLD, -before.abs(), struck)


def sample_chorales(
    model: ChoraleRNN,
    n: int,
    request: ChoraleRequest,
    generator: torch.Generator,
    rules: Rules | None = None,
    keys: Sequence[str] | None = None,
    told: str = "plan",
    draws: int = 1,
) -> list[ChoraleSteps]:
    """Draw n chorales, each along a plan of its own.

    Args:
        rules: as of a ChoraleStream.
        keys: a key for each piece, in place of the request's.
        told: "nothing" draws without a plan, for nets that have not learnt from plans: a piece then ends where the net
            writes END on a full bar.
        draws: chorales along each plan, one after another, n * draws in all.

    Raises:
        MusegenError: n is below 1.
    """
    if n < 1:
        raise MusegenError(f"cannot draw {n} chorales; ask for at least 1")
    plans = [make_frame(model, request, key, generator, told) for key in keys or [request.key] * n]
    frames = [plan for plan in plans for _ in range(draws)]
    stream = ChoraleStream(model, frames, request, told, rules)
    written, ended = [], torch.zeros(len(frames), dtype=torch.bool)
    for _ in progress(range(max(len(frame.tokens) for frame in frames)), "steps"):
        written.append(stream.advance(generator))
        ended |= written[-1][:, 0] == END
        if ended.all():
            break
    tokens = torch.stack(written, dim=1).numpy()  # (n, T, 4)
    return [_cut_at_end(rows, frame) for rows, frame in zip(tokens, frames)]


def make_frame(
    model: ChoraleRNN, request: ChoraleRequest, key: str, generator: torch.Generator, told: str
) -> ChoraleSteps:
    """An empty piece of the asked length, or of one that is drawn, with its phrase ends."""
    bar = CHORALE_METRES[request.metre]
    n_steps, ends = LONGEST * bar, ()
    if told == "plan":
        bars = request.bars or model.planner.draw_bars(request.metre, 1, generator)[0]
        n_steps = bars * bar
        ends = model.planner.draw_ends(request.metre, request.pickup, n_steps, generator)
    tokens = np.full((n_steps, N_VOICES), REST)
    return ChoraleSteps(tokens, *chorale_key(key), request.metre, request.pickup, ends)


def harmonise_steps(
    model: ChoraleRNN, melodies: Sequence[ChoraleSteps], request: ChoraleRequest, generator: torch.Generator
) -> list[ChoraleSteps]:
    """Write alto, tenor and bass below the soprano of each piece; the net knows it from the start."""
    stream = ChoraleStream(model, melodies, request, "soprano")
    soprano = stream.frame.tokens[:, :-1, 0].unbind(1)  # (n,) each
    written = [stream.advance(generator, (tokens, None, None, None)) for tokens in progress(soprano, "harmonising")]
    return [_cut_at_end(rows, melody) for rows, melody in zip(torch.stack(written, dim=1).numpy(), melodies)]


def _cut_at_end(tokens: np.ndarray, frame: ChoraleSteps) -> ChoraleSteps:
    tokens = tokens[: len(frame.tokens)]
    ends = np.flatnonzero(tokens[:, 0] == END)
    return replace(frame, tokens=tokens[: ends[0]] if len(ends) else tokens)
