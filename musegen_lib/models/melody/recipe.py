"""Recipes of the two melody models of the first lesson: Markov chains and the recurrent net."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.keys import spell_key
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import FOLK_TERMS, corpus_fingerprint, load_folk_tunes
from musegen_lib.corpus.build import DANCE_STYLES, tempo_for
from musegen_lib.encodings.melody_events import (
    METRE_STEPS,
    METRES,
    MODES,
    N_DURATIONS,
    N_PITCH_IDS,
    NO_TONIC,
    STYLES,
    MelodyEvents,
    corpus_to_melody_events,
    melody_events_to_piece,
)
from musegen_lib.encodings.melody_form import Form
from musegen_lib.metrics.key import guess_key
from musegen_lib.metrics.likelihood import nats_per_note
from musegen_lib.metrics.originality import CopyDetector, corpus_to_symbols
from musegen_lib.models.melody.asked import PART_TRIES, TRIES, draw_as_asked
from musegen_lib.models.melody.batches import MelodyBatch, MelodyBatches, collate
from musegen_lib.models.melody.evaluation import melody_table
from musegen_lib.models.melody.forms import FormModel, bars_of_form, draw_form
from musegen_lib.models.melody.markov import MarkovConfig, MelodyMarkov
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig
from musegen_lib.models.melody.sampling import MelodyRequest
from musegen_lib.training import loop as training
from musegen_lib.training.checkpoints import read_card, write_checkpoint
from musegen_lib.training.pretrained import ShippedNet, train_command

ORDERS = (1, 2, 3, 4)
BACKOFFS = (1.0, 3.0, 6.0, 10.0, 16.0, 25.0)


@lru_cache(maxsize=3)
def melody_events(part: str) -> list[MelodyEvents]:
    """The folk tunes of a part of the split that the melody models can hold."""
    return corpus_to_melody_events(load_folk_tunes(part=part))


@lru_cache(maxsize=1)
def form_model() -> FormModel:
    """A model of the forms of the training tunes."""
    return FormModel.fit(melody_events("train"))


@lru_cache(maxsize=1)
def copy_detector() -> CopyDetector:
    """A detector of runs copied from the training tunes."""
    return CopyDetector(corpus_to_symbols(load_folk_tunes(part="train")))


def score_tunes(nll: np.ndarray, tunes: Sequence[MelodyEvents]) -> dict[str, float]:
    """Nats, bits and perplexity a note over tunes, with the standard error over tunes."""
    return nats_per_note(nll, np.array([tune.n_notes for tune in tunes]))


def usual_labels(tunes: Sequence[MelodyEvents]) -> dict[str, dict[str, Any]]:
    """The most frequent key of each style, and the most frequent pickup, in steps, of each style and metre.

    Of pickups only those count which the last bar completes, since that is how we ask for tunes. A style writes its
    endings to fit its pickups: asked for others, a model ends away from home more often.
    """
    keys: dict[str, Counter[str]] = defaultdict(Counter)
    pickups: dict[str, Counter[int]] = defaultdict(Counter)
    for tune in tunes:
        style = STYLES[tune.style]
        if tune.tonic != NO_TONIC:
            keys[style][spell_key(tune.tonic, MODES[tune.mode])] += 1
        if tune.durations.sum() % METRE_STEPS[tune.metre] == 0:
            pickups[f"{style} {METRES[tune.metre]}"][tune.pickup] += 1
    return {
        "usual_keys": {name: counts.most_common(1)[0][0] for name, counts in sorted(keys.items())},
        "usual_pickups": {name: counts.most_common(1)[0][0] for name, counts in sorted(pickups.items())},
    }


def request_from(controls: dict[str, Any]) -> MelodyRequest:
    """Build a request; MusegenError names a control that melodies do not know."""
    unknown = controls.keys() - MelodyRequest.__dataclass_fields__.keys()
    if unknown:
        raise MusegenError(
            f"{', '.join(sorted(unknown))}: melodies know {', '.join(MelodyRequest.__dataclass_fields__)}"
        )
    return MelodyRequest(**controls)


class Plan(NamedTuple):
    """What melodies are asked for, the form of each, and the generator that draws them then."""

    request: MelodyRequest
    forms: list[Form]
    generator: torch.Generator


class MelodyRecipe:
    """What both melody models share: turning drawn events into titled pieces."""

    name = ""
    about = ""
    keeps_key = False  # whether the model heeds the key that is asked for

    def generate(self, n: int, seed: int, **controls: Any) -> list[Piece]:
        """Write n playable melodies."""
        return self.write(self.plan(n, seed, **controls), seed)

    def write(self, plan: Plan, seed: int) -> list[Piece]:
        """Write a melody for each form of a plan; `seed` is named in their sources."""
        request, forms, generator = plan
        n, tries = len(forms), PART_TRIES if any(form.part_ends for form in forms) else TRIES
        drawn = draw_as_asked(self.load(), [request] * n, forms, generator, tries if self.keeps_key else 1)
        kind = "dance" if request.style in DANCE_STYLES else "song"
        labels = {"tempo_qpm": float(tempo_for(kind, request.metre)), "source": f"musegen {self.name}, seed {seed}"}
        titles = (f"{self.name} {request.style} {number}" for number in range(1, n + 1))
        made = [
            melody_events_to_piece(tune, title=title, licence=FOLK_TERMS, **labels)
            for tune, title in zip(drawn, titles)
        ]
        return made if self.keeps_key else [piece.replace(key=guess_key(piece)) for piece in made]

    def plan(self, n: int, seed: int, **controls: Any) -> Plan:
        """What the n melodies of a seed are asked for."""
        if controls.get("form") and "bars" not in controls:
            controls["bars"] = bars_of_form(controls["form"], controls.get("style", MelodyRequest.style))
        request = request_from(controls)
        request = replace(request, **self.usual_wishes(request) | controls)
        generator = torch.Generator().manual_seed(seed)
        return Plan(request, [draw_form(form_model(), request, generator) for _ in range(n)], generator)

    def usual_wishes(self, request: MelodyRequest) -> dict[str, Any]:
        """Key and pickup as they are most often in the style and metre of the request."""
        usual = self.usual()
        key = usual.get("usual_keys", {}).get(request.style, request.key)
        return {"key": key, "pickup": usual.get("usual_pickups", {}).get(f"{request.style} {request.metre}", 0)}


class MarkovRecipe(MelodyRecipe):
    """Markov chains are counted on the spot, in two seconds; nothing is stored."""

    name = "markov"
    about = "A Markov chain of order 4 wrote this: it has counted which note follows which in thousands of folk tunes."

    def usual(self) -> dict[str, dict[str, Any]]:
        """Counted on the spot."""
        return usual_labels(melody_events("train"))

    @lru_cache(maxsize=1)  # noqa: B019  one recipe lives as long as the program
    def load(self) -> MelodyMarkov:
        """Count the training tunes."""
        return MelodyMarkov(MarkovConfig()).fit(melody_events("train"))

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Refuse: there is nothing to keep."""
        raise MusegenError("markov: needs no training; its counts are made from the corpus at each use")

    def evaluate(self, split: str) -> dict[str, Any]:
        """Score every order, its back-off chosen on the validation tunes, beside the uniform floor."""
        tunes = melody_events(split)
        orders = {f"order_{order}": self._evaluate_order(order, tunes) for order in ORDERS}
        best = min(orders, key=lambda name: orders[name]["nats_per_note"])
        return {
            "model": self.name,
            "split": split,
            "tunes": len(tunes),
            "notes": sum(tune.n_notes for tune in tunes),
            "uniform": float(np.log(N_PITCH_IDS * (N_DURATIONS - 1))),
            **orders,
            "best": best,
            "nats_per_note": orders[best]["nats_per_note"],
            "music": melody_table(self.load(), tunes, form_model()),
        }

    def _evaluate_order(self, order: int, tunes: list[MelodyEvents]) -> dict[str, float]:
        model = MelodyMarkov(MarkovConfig(order)).fit(melody_events("train"))
        valid = {backoff: model.with_backoff(backoff).nll(melody_events("valid")).sum() for backoff in BACKOFFS}
        chosen = min(valid, key=valid.get)
        return {"backoff": chosen} | score_tunes(model.with_backoff(chosen).nll(tunes), tunes)


class RNNRecipe(ShippedNet, MelodyRecipe):
    """The recurrent net of the course's first page."""

    name = "rnn"
    about = "A recurrent network (LSTM) wrote this, having read thousands of folk tunes note by note."
    keeps_key = True
    net = MelodyRNN
    config = MelodyRNNConfig()
    training = training.TrainConfig(steps=6000)
    batch_size = 32

    def usual(self) -> dict[str, dict[str, Any]]:
        """As counted when the net was trained, from the card; empty where a card has none."""
        card = read_card(self.checkpoint)
        return {name: card.get(name, {}) for name in ("usual_keys", "usual_pickups")}

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train on the folk tunes; a run that was stopped goes on from its last validation."""
        batches = MelodyBatches(melody_events("train"), self.batch_size, seed)
        model, run = self.fitted(batches, tunes_in_batches(melody_events("valid")), out, seed, steps, minutes)
        card = {
            "about": self.about,
            "recipe": train_command(self.name, seed, self.training, steps, minutes),
            "data": f"folk tunes, part train, {len(melody_events('train')):,} tunes: {FOLK_TERMS}",
            "data_fingerprint": corpus_fingerprint("folk"),
            "seed": seed,
            "valid_nats_per_note": round(run.best_loss, 4),
            "best_step": run.best_step,
            **usual_labels(melody_events("train")),
        }
        write_checkpoint(out, model, card)
        return card

    def evaluate(self, split: str, path: Path | None = None) -> dict[str, Any]:
        """Score held-out tunes note by note."""
        tunes, model = melody_events(split), self.load(path)
        return {
            "model": self.name,
            "split": split,
            "tunes": len(tunes),
            "notes": sum(tune.n_notes for tune in tunes),
            **score_tunes(rnn_nll(model, tunes), tunes),
            "music": melody_table(model, tunes, form_model()),
        }


@torch.no_grad()
def rnn_nll(model: MelodyRNN, tunes: Sequence[MelodyEvents]) -> np.ndarray:
    """(N,) negative log-likelihood of each tune in nats."""
    model.eval()
    order = sorted(range(len(tunes)), key=lambda i: len(tunes[i].pitch_ids))
    nll = np.zeros(len(tunes))
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        nll[rows] = model.event_nll(collate([tunes[i] for i in rows])).sum(dim=1).numpy()
    return nll


def tunes_in_batches(tunes: Sequence[MelodyEvents], size: int = 64) -> list[MelodyBatch]:
    """Batch tunes of like length, in a fixed order."""
    ordered = sorted(tunes, key=lambda tune: len(tune.pitch_ids))
    return [collate(ordered[start : start + size]) for start in range(0, len(ordered), size)]


MARKOV, RNN = MarkovRecipe(), RNNRecipe()
