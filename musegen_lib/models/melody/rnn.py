"""Recurrent language model of melodies. Heard in notebooks/00_first_music.ipynb, taught in notebooks/04_rnn.ipynb.

Axes: B tunes, T events, D model width. Each step reads one event (pitch, duration), where the next event falls in its
bar, what began 1, 2, 4 and 8 bars before that place, and the tune's style and metre; it scores the next pitch, then,
knowing that pitch, its duration. It may also be told a plan: the key, and how much time is left, so that it can lead a
tune home. In training half of the tunes come without it; likelihoods are always computed without it.
Source: pitch, then duration, as in Mozer 1994; LSTM of Hochreiter and Schmidhuber 1997; looking back by whole bars as
in the Lookback RNN of Waite 2016 (Magenta), whose lags are 1 and 2 bars.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

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
from musegen_lib.models.melody.batches import N_BAR_PLACES, N_COUNTS, START_ID, MelodyBatch, bar_places, count_down
from musegen_lib.models.melody.sampling import MelodyRequest, sample_melodies

BARS_A_PHRASE = 8
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


@dataclass(frozen=True)
class Plan:
    """What holds for a whole tune: style, metre, and the key if it is told."""

    styles: Int[Tensor, "B"]
    metres: Int[Tensor, "B"]
    tonics: Int[Tensor, "B"]
    modes: Int[Tensor, "B"]

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
        self.key = nn.Embedding((NO_TONIC + 1) * len(MODES), width)
        self.degree = nn.Embedding(13, width)  # of the note before: semitones above the tonic, 12 = not told
        inner = config.dropout if config.n_layers > 1 else 0.0
        self.cell = CELLS[config.cell](width, config.hidden_dim, config.n_layers, batch_first=True, dropout=inner)
        self.dropout = nn.Dropout(config.dropout)
        self.pitch_head = nn.Linear(config.hidden_dim + width, N_PITCH_IDS)
        self.degree_head = nn.Linear(config.hidden_dim + width, 13)  # the same choice, relative to the tonic
        self.duration_head = nn.Sequential(
            nn.Linear(config.hidden_dim + 2 * width, 2 * width), nn.ReLU(), nn.Linear(2 * width, N_DURATIONS)
        )

    def read(self, pitch_ids: Tensor, durations: Tensor, place: Tensor, plan: Plan) -> Float[Tensor, "B T D"]:
        """Embed the event before each step together with the place of the step's own event."""
        degree = plan.degrees(pitch_ids)
        event = self.pitch(pitch_ids) + self.duration(durations) + self.degree(degree)
        return self.dropout(event + place)

    def places(self, onsets: Tensor, back: tuple[Tensor, Tensor], left: Tensor, plan: Plan) -> Float[Tensor, "B T D"]:
        """Embed where each event starts: its place in bar and phrase, what began there in earlier bars, the plan.

        Args:
            back: (B, T, lags) pitch ids and durations of what began whole bars before; START_ID and 0 for nothing.
        """
        bar_steps = torch.tensor(METRE_STEPS, device=onsets.device)[plan.metres].unsqueeze(1)  # (B, 1)
        in_bar = bar_places(onsets, plan.metres)
        lag = torch.arange(len(LAGS), device=onsets.device)
        earlier = self.back_pitch(lag * (N_PITCH_IDS + 1) + back[0]) + self.back_duration(lag * N_DURATIONS + back[1])
        whole = self.style(plan.styles) + self.key(plan.tonics * len(MODES) + plan.modes)  # (B, D)
        here = self.in_bar(in_bar) + self.bar(onsets // bar_steps % BARS_A_PHRASE) + self.time_left(left)
        return here + earlier.sum(dim=2) + whole.unsqueeze(1)

    def forward(self, batch: MelodyBatch) -> tuple[Float[Tensor, "B T 44"], Float[Tensor, "B T 65"]]:
        """Return pitch and duration logits; those at t have read the events before t (and, for durations, pitch t)."""
        plan = Plan(batch.styles, batch.metres, batch.tonics, batch.modes)
        place = self.places(batch.onsets, batch.looked_back(), batch.time_left, plan)  # (B, T, D)
        inputs = self.read(*batch.before(), place, plan)
        hidden, _ = self.cell(inputs)  # (B, T, D)
        hidden = self.dropout(hidden)
        return self.score_pitch(hidden, place, plan), self.score_duration(hidden, place, batch.pitch_ids)

    def score_pitch(self, hidden: Tensor, place: Tensor, plan: Plan) -> Float[Tensor, "B T 44"]:
        """Pitch logits from the state and the place of the event; a known tonic adds what its scale degree earns."""
        features = torch.cat([hidden, place], dim=-1)
        degrees = plan.degrees(torch.arange(N_PITCH_IDS, device=hidden.device).expand(len(hidden), -1))  # (B, 44)
        by_degree = self.degree_head(features).gather(2, degrees.unsqueeze(1).expand(-1, hidden.shape[1], -1))
        return self.pitch_head(features) + by_degree

    def score_duration(self, hidden: Tensor, place: Tensor, pitch_ids: Tensor) -> Float[Tensor, "B T 65"]:
        """Duration logits from the state, the place and the pitch of the event."""
        return self.duration_head(torch.cat([hidden, place, self.pitch(pitch_ids)], dim=-1))

    def event_nll(self, batch: MelodyBatch) -> Float[Tensor, "B T"]:
        """Negative log-likelihood of each event in nats; 0 where mask is False."""
        return batch.event_nll(*self(batch))

    def loss(self, batch: MelodyBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats per note over the batch, and `weight`, the notes it is the mean of."""
        n_notes = batch.n_notes
        return self.event_nll(batch).sum() / n_notes, {"weight": float(n_notes)}

    @torch.no_grad()
    def sample(self, n: int, request: MelodyRequest, generator: torch.Generator) -> list[MelodyEvents]:
        """Draw n playable melodies."""
        self.eval()
        return sample_melodies(RNNStream(self, n, request), n, request, generator)


class RNNStream:
    """n melodies that a MelodyRNN is writing: one cell step an event, fed exactly what `forward` reads."""

    def __init__(self, model: MelodyRNN, n: int, request: MelodyRequest):
        self.model = model
        tonic, mode = key_to_ids(request.key)
        labels = STYLES.index(request.style), METRES.index(request.metre), tonic, mode
        self.plan = Plan(*(torch.full((n,), label) for label in labels))
        self.now = torch.full((n, 1), request.first_step)  # step of the next event
        self.end = request.last_step
        self.state = None
        self.written: list[dict[int, tuple[int, int]]] = [{} for _ in range(n)]  # onset -> pitch id, duration
        self._advance(torch.full((n,), START_ID), torch.zeros(n, dtype=torch.long))

    def pitch_logits(self) -> Float[Tensor, "n 44"]:
        """Score the next pitch id of each melody."""
        return self.model.score_pitch(self.hidden, self.place, self.plan)[:, 0]

    def duration_logits(self, pitch_ids: Int[Tensor, "n"]) -> Float[Tensor, "n 65"]:
        """Score the duration of the event whose pitch ids are given."""
        return self.model.score_duration(self.hidden, self.place, pitch_ids.unsqueeze(1))[:, 0]

    def push(self, pitch_ids: Int[Tensor, "n"], durations: Int[Tensor, "n"]) -> None:
        """Append one event to each melody."""
        for row, event in enumerate(zip(self.now[:, 0].tolist(), pitch_ids.tolist(), durations.tolist())):
            self.written[row].setdefault(event[0], event[1:])
        self.now = self.now + durations.unsqueeze(1)
        self._advance(pitch_ids, durations)

    def _advance(self, pitch_ids: Tensor, durations: Tensor) -> None:
        metre = int(self.plan.metres[0])
        left = count_down(self.now, self.end, metre)
        self.place = self.model.places(self.now, self._looked_back(metre), left, self.plan)  # (n, 1, D)
        inputs = self.model.read(pitch_ids.unsqueeze(1), durations.unsqueeze(1), self.place, self.plan)
        self.hidden, self.state = self.model.cell(inputs, self.state)

    def _looked_back(self, metre: int) -> tuple[Tensor, Tensor]:
        steps = [lag * METRE_STEPS[metre] for lag in LAGS]
        rows = zip(self.written, self.now[:, 0].tolist())
        found = torch.tensor([[[event.get(now - lag, (START_ID, 0)) for lag in steps]] for event, now in rows])
        return found[..., 0], found[..., 1]  # (n, 1, lags)
