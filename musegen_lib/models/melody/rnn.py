"""Recurrent language model of melodies. Heard in notebooks/00_first_music.ipynb, taught in notebooks/04_rnn.ipynb.

Axes: B tunes, T events, D model width. Each step reads one event (pitch, duration), where the next event falls in its
bar, what began 1, 2, 4 and 8 bars before that place, and the tune's style and metre; it scores the next pitch, then,
knowing that pitch, its duration. It may also be told a plan: the key, and how much time is left, so that it can lead a
tune home; and a form: which bars return, with the event that stood at this place in the earlier bar. In training
nearly half of the tunes come without both; likelihoods are always computed without both.
Source: pitch, then duration, as in Mozer 1994; LSTM of Hochreiter and Schmidhuber 1997; looking back by whole bars as
in the Lookback RNN of Waite 2016 (Magenta), whose lags are 1 and 2 bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import MELODY_LOW
from musegen_lib.encodings.melody_events import (
    FIRST_PITCH_ID,
    LAGS,
    METRE_STEPS,
    METRES,
    MODES,
    N_DURATIONS,
    N_PITCH_IDS,
    NO_TONIC,
    STYLES,
    MelodyEvents,
    key_to_ids,
)
from musegen_lib.encodings.melody_form import NO_FINAL, Form
from musegen_lib.models.melody.batches import N_BAR_PLACES, N_COUNTS, START_ID, MelodyBatch, bar_places, count_down
from musegen_lib.models.melody.sampling import MelodyRequest, each_request, sample_melodies
from musegen_lib.models.melody.written import Written

BARS_A_PHRASE = 8
N_RELATIONS = 4  # of a bar to an earlier one, NOT_TOLD included
Events = tuple[Tensor, Tensor]  # pitch ids, durations
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


@dataclass(frozen=True)
class Plan:
    """What holds for a whole tune: style, metre, and, if they are told, the key and the degree of the last note."""

    styles: Int[Tensor, "B"]
    metres: Int[Tensor, "B"]
    tonics: Int[Tensor, "B"]
    modes: Int[Tensor, "B"]
    finals: Int[Tensor, "B"]

    def degrees(self, pitch_ids: Int[Tensor, "B N"]) -> Int[Tensor, "B N"]:
        """Semitones above the tonic, 0 to 11; 12 for what is no pitch, and where the key is not told."""
        tonics = self.tonics.unsqueeze(1)
        degree = (pitch_ids - FIRST_PITCH_ID + MELODY_LOW - tonics) % 12
        no_pitch = (pitch_ids < FIRST_PITCH_ID) | (pitch_ids == START_ID)
        return torch.where(no_pitch | (tonics == NO_TONIC), 12, degree)


@dataclass(frozen=True)
class MelodyRNNConfig:
    """Sizes of a MelodyRNN."""

    cell: str = "lstm"  # or "gru" or "rnn"
    hidden_dim: int = 384  # D
    n_layers: int = 1
    embedding_dim: int = 96
    dropout: float = 0.2

    def __post_init__(self) -> None:
        sizes = self.hidden_dim, self.n_layers, self.embedding_dim
        if self.cell not in CELLS or min(sizes) < 1 or not 0 <= self.dropout < 1:
            raise ValueError(f"{self}: needs a cell of {', '.join(CELLS)}, sizes of at least 1, a dropout in [0, 1)")


class MelodyRNN(nn.Module):
    """p(tune) = product over events of p(pitch | all events before) p(duration | this pitch, all events before)."""

    def __init__(self, config: MelodyRNNConfig):
        super().__init__()
        self.config = config
        width = config.embedding_dim
        self.pitch = nn.Embedding(N_PITCH_IDS + 1, width)
        self.duration = nn.Embedding(N_DURATIONS, width)
        self.style = nn.Embedding(len(STYLES), width)
        self.in_bar = nn.Embedding(N_BAR_PLACES, width)  # where in the bar of this metre
        self.bar = nn.Embedding(BARS_A_PHRASE, width)
        self.back_pitch = nn.Embedding(len(LAGS) * (N_PITCH_IDS + 1), width)
        self.back_duration = nn.Embedding(len(LAGS) * N_DURATIONS, width)
        self.time_left = nn.Embedding(N_COUNTS, width)
        self.tonic = nn.Embedding(NO_TONIC + 1, width)
        self.mode = nn.Embedding(len(MODES) + 1, width)  # the last: not told
        self.final = nn.Embedding(NO_FINAL + 1, width)
        self.degree = nn.Embedding(13, width)  # of the note before: semitones above the tonic, 12 = not told
        self.relation = nn.Embedding(2 * N_RELATIONS, width)  # of this bar and of the next to earlier bars
        self.source_pitch = nn.Embedding(N_PITCH_IDS + 1, width)  # of the event that returns here
        self.source_duration = nn.Embedding(N_DURATIONS, width)
        inner = config.dropout if config.n_layers > 1 else 0.0
        self.cell = CELLS[config.cell](width, config.hidden_dim, config.n_layers, batch_first=True, dropout=inner)
        self.dropout = nn.Dropout(config.dropout)
        hidden_width = config.hidden_dim + width
        self.pitch_head = nn.Linear(hidden_width, N_PITCH_IDS)
        self.degree_head = nn.Linear(hidden_width, 13)  # the same choice, relative to the tonic
        self.copy = nn.Linear(hidden_width, 2)  # what the pitch and the duration of the returning event earn
        self.close = nn.Linear(hidden_width, 1)  # what the degree earns on which the tune is to end
        self.duration_head = nn.Sequential(
            nn.Linear(hidden_width + width, 2 * width), nn.ReLU(), nn.Linear(2 * width, N_DURATIONS)
        )

    def read(self, pitch_ids: Tensor, durations: Tensor, place: Tensor, plan: Plan) -> Float[Tensor, "B T D"]:
        """Embed the event before each step together with the place of the step's own event."""
        degree = plan.degrees(pitch_ids)
        event = self.pitch(pitch_ids) + self.duration(durations) + self.degree(degree)
        return self.dropout(event + place)

    def places(
        self, onsets: Tensor, back: Events, left: Tensor, plan: Plan, form: tuple[Tensor, Events] | None = None
    ) -> Float[Tensor, "B T D"]:
        """Embed where each event starts: its place in bar and phrase, what began there in earlier bars, plan and form.

        Args:
            back: (B, T, lags) pitch ids and durations of what began whole bars before; START_ID and 0 for nothing.
            form: relations (B, T, 2) as in `MelodyBatch`, and (B, T) the event that returns here; None: not told.
        """
        bar_steps = torch.tensor(METRE_STEPS, device=onsets.device)[plan.metres].unsqueeze(1)  # (B, 1)
        in_bar = bar_places(onsets, plan.metres)
        lag = torch.arange(len(LAGS), device=onsets.device)
        earlier = self.back_pitch(lag * (N_PITCH_IDS + 1) + back[0]) + self.back_duration(lag * N_DURATIONS + back[1])
        modes = torch.where(plan.tonics == NO_TONIC, len(MODES), plan.modes)
        whole = self.style(plan.styles) + self.tonic(plan.tonics) + self.mode(modes) + self.final(plan.finals)  # (B, D)
        here = self.in_bar(in_bar) + self.bar(onsets // bar_steps % BARS_A_PHRASE) + self.time_left(left)
        return here + earlier.sum(dim=2) + whole.unsqueeze(1) + self.told_form(form)

    def told_form(self, form: tuple[Tensor, Events] | None) -> Tensor:
        """Embed what the bar of each event, and the next bar, are to earlier ones, and the event that returns here."""
        if form is None:
            nothing = torch.zeros(1, 1, dtype=torch.long, device=self.relation.weight.device)
            form = nothing.expand(1, 1, 2), (nothing + START_ID, nothing)
        relations, (pitch_ids, durations) = form
        said = self.relation(relations + relations.new_tensor([0, N_RELATIONS])).sum(dim=-2)
        return said + self.source_pitch(pitch_ids) + self.source_duration(durations)

    def forward(self, batch: MelodyBatch) -> tuple[Float[Tensor, "B T 44"], Float[Tensor, "B T 65"]]:
        """Return pitch and duration logits; those at t have read the events before t (and, for durations, pitch t)."""
        plan = Plan(batch.styles, batch.metres, batch.tonics, batch.modes, batch.finals)
        back, source = batch.looked_up(batch.back), batch.looked_up(batch.sources)
        place = self.places(batch.onsets, back, batch.time_left, plan, (batch.relations, source))  # (B, T, D)
        inputs = self.read(*batch.before(), place, plan)
        hidden, _ = self.cell(inputs)  # (B, T, D)
        hidden = self.dropout(hidden)
        pitch_logits = self.score_pitch(hidden, place, plan, source[0])
        return pitch_logits, self.score_duration(hidden, place, plan, batch.pitch_ids, source[1])

    def score_pitch(
        self, hidden: Tensor, place: Tensor, plan: Plan, returning: Tensor | None = None
    ) -> Float[Tensor, "B T 44"]:
        """Pitch logits from the state and the place of the event; a known tonic adds what its scale degree earns.

        Args:
            returning: (B, T) pitch id of the event that returns here, START_ID for none; it earns more or less.
        """
        features = torch.cat([hidden, place], dim=-1)
        degrees = plan.degrees(torch.arange(N_PITCH_IDS, device=hidden.device).expand(len(hidden), -1))  # (B, 44)
        final = F.one_hot(plan.finals, 13) * (plan.finals != NO_FINAL).unsqueeze(1)  # (B, 13)
        closing = final.unsqueeze(1) * self.close(features)  # (B, T, 13)
        by_degree = (self.degree_head(features) + closing).gather(
            2, degrees.unsqueeze(1).expand(-1, hidden.shape[1], -1)
        )
        logits = self.pitch_head(features) + by_degree
        if returning is None:
            return logits
        return logits + F.one_hot(returning, N_PITCH_IDS + 1)[..., :-1] * self.copy(features)[..., :1]

    def score_duration(
        self, hidden: Tensor, place: Tensor, plan: Plan, pitch_ids: Tensor, returning: Tensor | None = None
    ) -> Float[Tensor, "B T 65"]:
        """Duration logits from the state, the place and the pitch of the event; a duration that returns earns more."""
        features = torch.cat([hidden, place], dim=-1)
        chosen = self.pitch(pitch_ids) + self.degree(plan.degrees(pitch_ids))
        logits = self.duration_head(torch.cat([features, chosen], dim=-1))
        if returning is None:
            return logits
        return logits + F.one_hot(returning, N_DURATIONS) * (returning > 0).unsqueeze(-1) * self.copy(features)[..., 1:]

    def event_nll(self, batch: MelodyBatch) -> Float[Tensor, "B T"]:
        """Negative log-likelihood of each event in nats; 0 where mask is False."""
        return batch.event_nll(*self(batch))

    def loss(self, batch: MelodyBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats per note over the batch, and `weight`, the notes it is the mean of."""
        n_notes = batch.n_notes
        return self.event_nll(batch).sum() / n_notes, {"weight": float(n_notes)}

    @torch.no_grad()
    def sample(
        self,
        n: int,
        request: MelodyRequest | Sequence[MelodyRequest],
        generator: torch.Generator,
        forms: Sequence[Form] | None = None,
    ) -> list[MelodyEvents]:
        """Draw n playable melodies, each in its form if they are given."""
        self.eval()
        return sample_melodies(RNNStream(self, n, request, forms), n, request, generator, forms=forms)


class RNNStream:
    """n melodies that a MelodyRNN is writing: one cell step an event, fed exactly what `forward` reads."""

    def __init__(
        self,
        model: MelodyRNN,
        n: int,
        request: MelodyRequest | Sequence[MelodyRequest],
        forms: Sequence[Form] | None = None,
    ):
        self.model = model
        requests = each_request(n, request)
        labels = [(STYLES.index(r.style), METRES.index(r.metre), *key_to_ids(r.key)) for r in requests]
        finals = torch.tensor([form.final for form in forms] if forms else [NO_FINAL] * n)
        self.plan = Plan(*torch.tensor(labels).T, finals)
        self.written = Written(requests, forms)
        self.ends, self.widths = (
            torch.tensor([[getattr(r, name)] for r in requests]) for name in ("last_step", "bar_steps")
        )
        self.state = None
        self._advance(torch.full((n,), START_ID), torch.zeros(n, dtype=torch.long))

    def pitch_logits(self) -> Float[Tensor, "n 44"]:
        """Score the next pitch id of each melody."""
        return self.model.score_pitch(self.hidden, self.place, self.plan, self.source[0])[:, 0]

    def duration_logits(self, pitch_ids: Int[Tensor, "n"]) -> Float[Tensor, "n 65"]:
        """Score the duration of the event whose pitch ids are given."""
        chosen = pitch_ids.unsqueeze(1)
        return self.model.score_duration(self.hidden, self.place, self.plan, chosen, self.source[1])[:, 0]

    def push(self, pitch_ids: Int[Tensor, "n"], durations: Int[Tensor, "n"]) -> None:
        """Append one event to each melody."""
        self.written.push(pitch_ids, durations)
        self._advance(pitch_ids, durations)

    def _advance(self, pitch_ids: Tensor, durations: Tensor) -> None:
        now = self.written.now.unsqueeze(1)  # (n, 1)
        heard_last = now + self.written.to_close().unsqueeze(1)  # a bar that the last one repeats closes like it
        left, relations = count_down(heard_last, self.ends, self.widths), self.written.relations().unsqueeze(1)
        back = self.written.at(torch.tensor(LAGS).expand(len(now), -1))
        self.source = self.written.at(self.written.lags().unsqueeze(1))  # (n, 1) each
        back = tuple(column.unsqueeze(1) for column in back)  # (n, 1, lags)
        self.place = self.model.places(now, back, left, self.plan, (relations, self.source))  # (n, 1, D)
        inputs = self.model.read(pitch_ids.unsqueeze(1), durations.unsqueeze(1), self.place, self.plan)
        self.hidden, self.state = self.model.cell(inputs, self.state)


@torch.no_grad()
def next_pitches(model: MelodyRNN, piece: Piece, bars: int = 8) -> dict[int, float]:
    """What the net gives each pitch after the notes of a melody without rests, if a pitch comes at all.

    Args:
        piece: its metre and, if they are told, its style and key hold for the request.
        bars: how long the whole tune is to be.
    """
    told = {name: value for name, value in (("style", piece.style), ("key", piece.key)) if value}
    stream = RNNStream(model.eval(), 1, MelodyRequest(metre=piece.metre, bars=bars, **told))
    for _, duration, pitch, *_ in piece.notes.tolist():
        stream.push(torch.tensor([pitch - MELODY_LOW + FIRST_PITCH_ID]), torch.tensor([duration]))
    chances = torch.softmax(stream.pitch_logits()[0, FIRST_PITCH_ID:].double(), dim=0)
    return {MELODY_LOW + i: chance for i, chance in enumerate(chances.tolist())}
