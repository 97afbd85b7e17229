"""Recipe of `phrase-ends`: learn from the fermatas of chorale sopranos and from the phrase marks of folk songs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import CHORALE_TERMS, FOLK_TERMS, load_chorales, load_folk_tunes
from musegen_lib.encodings.arrays import skyline
from musegen_lib.encodings.chorale_phrases import Ends, ends_of_notes
from musegen_lib.models.chorale.phrase_ends import (
    PhraseEnds,
    PhraseEndsBatch,
    PhraseEndsConfig,
    find_phrase_ends,
    precision_recall_f1,
    told_features,
)
from musegen_lib.training import loop as training
from musegen_lib.training.pretrained import ShippedNet

Marked = tuple[Piece, Bool[np.ndarray, "N"]]
MELODIES = 64  # of a batch, half of them chorales
LONG = 2.0  # times the median: what the rule of long notes calls long


@lru_cache(maxsize=6)
def marked_sopranos(part: str) -> list[Marked]:
    """Sopranos of chorales, one bool a note: it has a fermata. Those without any are left out."""
    corpus = load_chorales(part=part)
    sopranos = [(piece, piece.notes["voice"] == 0, corpus.marks(i)) for i, piece in enumerate(corpus)]
    return [(piece.replace(notes=piece.notes[top]), marks[top]) for piece, top, marks in sopranos if marks[top].any()]


@lru_cache(maxsize=6)
def marked_songs(part: str) -> list[Marked]:
    """Folk songs whose collector marked more phrases than one, one bool a note: it ends a phrase."""
    corpus = load_folk_tunes(kind="song", part=part)
    songs = [(piece, corpus.marks(i)) for i, piece in enumerate(corpus)]
    return [(piece, marks) for piece, marks in songs if marks.sum() > 1]


class PhraseBatches:
    """Notes of chorales and of songs, equally many melodies of each; batch k depends on the seed and on k alone."""

    def __init__(self, kinds: Sequence[Sequence[Marked]], seed: int):
        self.kinds, self.seed = kinds, seed

    def __call__(self, step: int, rank: int = 0, world_size: int = 1) -> PhraseEndsBatch:
        """Draw melodies."""
        rng = np.random.default_rng([self.seed, step])
        drawn = [kind[i] for kind in self.kinds for i in rng.integers(0, len(kind), MELODIES // len(self.kinds))]
        return collate_marked(drawn[rank::world_size])


def collate_marked(melodies: Sequence[Marked]) -> PhraseEndsBatch:
    """Put the notes of melodies in a row; the last of each, whose answer is known, is left out."""
    features = np.concatenate([told_features(melody, ends)[:-1] for melody, ends in melodies])
    ends = np.concatenate([ends[:-1] for _, ends in melodies])
    return PhraseEndsBatch(torch.from_numpy(features), torch.from_numpy(ends))


class PhraseEndsRecipe(ShippedNet):
    """The model that finds phrase ends in melodies which mark none."""

    name = "phrase-ends"
    about = "A logistic regression marked the ends of phrases, having read chorale melodies and folk songs."
    net = PhraseEnds
    config = PhraseEndsConfig()
    training = training.TrainConfig(steps=600, learning_rate=3e-2, validate_every=100)

    def train(self, out: Path, seed: int = 0, steps: int | None = None, minutes: float | None = None) -> dict[str, Any]:
        """Train, and keep the best of the validations."""
        kinds, valid = ([read(part) for read in (marked_sopranos, marked_songs)] for part in ("train", "valid"))
        held_out = [collate_marked(valid[0]), collate_marked(valid[1][: len(valid[0])])]
        model, run = self.fitted(PhraseBatches(kinds, seed), held_out, out, seed, steps, minutes)
        data = f"{len(kinds[0])} chorale melodies ({CHORALE_TERMS}); {len(kinds[1])} songs ({FOLK_TERMS})"
        return self.save_trained(out, model, run, data, seed, steps, minutes)

    def evaluate(self, split: str) -> dict[str, Any]:
        """Precision, recall and F1 on held-out melodies, beside two rules: every four bars, and long notes."""
        model = self.load_once()
        ways: dict[str, Callable[[Piece], np.ndarray]] = {
            self.name: lambda melody: find_phrase_ends(model, melody),
            "every 4 bars": every_four_bars,
            "long notes": long_notes,
        }
        return {
            kind: {name: [round(x, 3) for x in score(way, melodies)] for name, way in ways.items()}
            for kind, melodies in (("chorales", marked_sopranos(split)), ("songs", marked_songs(split)))
        }


def score(way: Callable[[Piece], np.ndarray], melodies: Sequence[Marked]) -> tuple[float, float, float]:
    """Precision, recall and F1 of a way to find phrase ends."""
    return precision_recall_f1([way(melody) for melody, _ in melodies], [ends for _, ends in melodies])


def every_four_bars(melody: Piece) -> Bool[np.ndarray, "N"]:
    """True for the last note that begins before each fourth bar line, counted with the pickup, and for the last."""
    period = 4 * int(melody.steps_per_bar or 4 * melody.steps_per_beat)
    number = (melody.notes["onset_steps"].astype(np.int64) - melody.notes["onset_steps"][0]) // period
    return np.append(number[1:] > number[:-1], True)


def long_notes(melody: Piece) -> Bool[np.ndarray, "N"]:
    """True for notes before a rest or at least LONG times the median length, and for the last."""
    onset, length = (melody.notes[name].astype(np.int64) for name in ("onset_steps", "duration_steps"))
    rest = np.append(onset[1:] > (onset + length)[:-1], True)
    return rest | (length >= LONG * np.median(length))


def phrases_of(piece: Piece) -> Ends:
    """Phrase ends of the melody of any piece, found by the shipped model."""
    melody = skyline(piece)
    return ends_of_notes(melody, find_phrase_ends(PHRASE_ENDS.load_once(), melody))


PHRASE_ENDS = PhraseEndsRecipe()
