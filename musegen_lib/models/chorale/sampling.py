"""Chorales step by step: a stream of steps from a ChoraleRNN, free or below a given soprano."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.progress import progress
from musegen_lib.encodings.chorale_steps import (
    CHORALE_METRES,
    END,
    FIRST_PITCH,
    HOLD,
    LEFT_BEATS,
    LOW,
    N_VOICES,
    STEPS_PER_BEAT,
    ChoraleSteps,
    beats_left,
    step_places,
)
from musegen_lib.encodings.melody_events import MODES, NO_TONIC, key_to_ids
from musegen_lib.models.chorale.rnn import LAGS, ORDER, ChoraleRNN, forbidden
from musegen_lib.training.sampling import sample

Rules = Callable[[int, Tensor, Tensor], Tensor]  # voice, before (n, 4), decided (n, turn) -> (n, V) True = allowed
LONGEST = 32  # bars; a piece that found no end is led to one there


@dataclass(frozen=True)
class ChoraleRequest:
    """What to write: metre, key, pickup (sixteenth steps), length in bars, and how daring it may be.

    Without `bars` the net decides when to end. A pickup and the shortened last bar count as one bar.
    """

    metre: str = "4/4"
    key: str = "G major"
    pickup: int = 4
    bars: int | None = None
    temperature: float = 1.0
    top_p: float = 0.9  # the likeliest tokens that together have this probability

    def __post_init__(self) -> None:
        if self.metre not in CHORALE_METRES:
            raise MusegenError(
                f"metre {self.metre!r} is unknown to chorales; choose one of {', '.join(CHORALE_METRES)}"
            )
        if key_to_ids(self.key)[0] == NO_TONIC:
            raise MusegenError(f"key {self.key!r} is unknown; write it like 'G major', modes are {', '.join(MODES)}")
        if self.bars is not None and not 1 <= self.bars <= LONGEST:
            raise MusegenError(f"{self.bars} bars: ask for 1 to {LONGEST}")
        if not 0 <= self.pickup < CHORALE_METRES[self.metre]:
            raise MusegenError(f"a pickup of {self.pickup} steps does not fit a bar of {CHORALE_METRES[self.metre]}")

    @property
    def n_steps(self) -> int | None:
        """Steps from first to last, None where the net decides."""
        return None if self.bars is None else self.bars * CHORALE_METRES[self.metre]


class ChoraleStream:
    """n chorales in the making: one GRU step and four small decisions a sixteenth.

    Args:
        n_steps: how long the pieces will be, told to the net; None: not told.
        rules: may forbid tokens: gets the turn's voice, the signed pitches before (n, 4), those decided in this step
            (n, turn) in ORDER, and returns (n, V) True = allowed.
        keys: a key for each piece, in place of the request's.
    """

    def __init__(
        self,
        model: ChoraleRNN,
        n: int,
        request: ChoraleRequest,
        n_steps: int | None = None,
        rules: Rules | None = None,
        keys: Sequence[str] | None = None,
    ):
        self.model, self.request, self.n_steps, self.rules = model.eval(), request, n_steps, rules
        self.end = n_steps or LONGEST * CHORALE_METRES[request.metre]  # where it is cut off at the latest
        ids = [key_to_ids(key) for key in keys or [request.key] * n]
        self.key = torch.tensor([tonic for tonic, _ in ids]), torch.tensor([mode for _, mode in ids])
        self.history = torch.zeros(n, max(LAGS), N_VOICES, dtype=torch.long)  # signed pitches, the last step first
        self.state: Tensor | None = None
        self.step = 0

    @torch.no_grad()
    def advance(
        self, generator: torch.Generator, given: Sequence[int | None] = (None,) * N_VOICES
    ) -> Int[Tensor, "n 4"]:
        """Decide the next sixteenth and return its tokens, soprano first.

        Args:
            given: a token for each voice that is not free.
        """
        n, request = len(self.history), self.request
        before = self.history[:, :1]
        earlier = self.history[:, [lag - 1 for lag in LAGS]].flatten(1).unsqueeze(1)  # (n, 1, 4 x lags)
        place = torch.full((n, 1), int(step_places(self.step, request.metre, request.pickup)))
        left = torch.full((n, 1), self._beats_left())
        context, voices, self.state = self.model.read(earlier, place, left, self.key, self.state)
        known = torch.zeros(n, 1, 0, dtype=torch.long)
        tokens = torch.zeros(n, N_VOICES, dtype=torch.long)
        for turn, voice in enumerate(ORDER):
            if given[voice] is None:
                logits = self.model.score(turn, context, voices, known, before, self.key[0])[:, 0]
                draw = request.temperature, 0, request.top_p
                tokens[:, voice] = sample(logits, generator, self._allowed(voice, known), *draw)
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
        allowed[:, END] &= self._may_end()
        if self.rules is not None:
            allowed &= self.rules(voice, before, known[:, 0])
        return allowed

    def _beats_left(self) -> int:
        """What the net is told: the truth, or nothing; a piece that finds no end is led to one in the last beats."""
        told = self.n_steps is not None or self.end - self.step < LEFT_BEATS * STEPS_PER_BEAT
        return int(beats_left(np.array(self.step), self.end)) if told else 0

    def _may_end(self) -> bool:
        if self.n_steps is not None:
            return False  # the caller counts
        return (
            self.step > 0 and self.step % CHORALE_METRES[self.request.metre] == 0
        )  # the last bar completes the pickup


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
) -> list[ChoraleSteps]:
    """Draw n chorales; each ends where it was asked to, or where the net wrote END on a full bar.

    Args:
        rules, keys: as of a ChoraleStream.

    Raises:
        MusegenError: n is below 1.
    """
    if n < 1:
        raise MusegenError(f"cannot draw {n} chorales; ask for at least 1")
    stream = ChoraleStream(model, n, request, request.n_steps, rules, keys)
    written, ended = [], torch.zeros(n, dtype=torch.bool)
    while stream.step < stream.end and not ended.all():
        written.append(stream.advance(generator))
        ended |= written[-1][:, 0] == END
    tokens = torch.stack(written, dim=1).numpy()  # (n, T, 4)
    return [_cut_at_end(rows, request, key) for rows, key in zip(tokens, keys or [request.key] * n)]


def harmonise_steps(
    model: ChoraleRNN, melody: Int[np.ndarray, "T"], request: ChoraleRequest, generator: torch.Generator, n: int = 1
) -> list[ChoraleSteps]:
    """Write alto, tenor and bass below soprano tokens (T,), step by step, n times; the net is told the length only."""
    stream = ChoraleStream(model, n, request, len(melody))
    tokens = [stream.advance(generator, (int(token), None, None, None)) for token in progress(melody, "harmonising")]
    return [_cut_at_end(rows, request) for rows in torch.stack(tokens, dim=1).numpy()]


def _cut_at_end(tokens: np.ndarray, request: ChoraleRequest, key: str | None = None) -> ChoraleSteps:
    ends = np.flatnonzero(tokens[:, 0] == END)
    kept = tokens[: ends[0]] if len(ends) else tokens
    return ChoraleSteps(kept, *key_to_ids(key or request.key), request.metre, request.pickup)
