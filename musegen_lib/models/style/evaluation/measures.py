"""One call that measures a transfer method: how it is heard, what it kept, how fluently it sings, whether it copies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Bool

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import load_held_out, load_side
from musegen_lib.metrics.content import content_report
from musegen_lib.metrics.originality import CopyDetector, corpus_to_symbols, melody_symbols
from musegen_lib.metrics.tonality import scale_consistency
from musegen_lib.models.style.baselines import Rewriter
from musegen_lib.models.style.evaluation.classifier_recipes import NGRAM_CLASSIFIER, ROLL_CLASSIFIER, classifier_tunes
from musegen_lib.models.style.evaluation.language_model_recipe import FLUENCY
from musegen_lib.models.style.evaluation.ngram_classifier import VIEWS, NgramClassifier
from musegen_lib.models.style.trigram import IntervalTrigram

COPIED_RUN = 10  # notes; real held-out tunes seldom share so many with a training tune


@lru_cache(maxsize=1)
def ngram_classifier() -> NgramClassifier:
    """The first classifier: n-grams and logistic regression, fitted by the recipe style-judges."""
    return NGRAM_CLASSIFIER.load_once().classifier()


@lru_cache(maxsize=2)
def fluency_model(style: str) -> IntervalTrigram:
    """Trigram of the side "judge", which no transfer method counts."""
    return IntervalTrigram().fit(classifier_tunes(style, "train"))


@lru_cache(maxsize=2)
def copy_detector(style: str) -> CopyDetector:
    """Finds runs of the tunes that transfer methods learn from."""
    return CopyDetector(corpus_to_symbols(load_side(style, "transfer", "train")))


def nats_a_note(pieces: Sequence[Piece], style: str) -> float:
    """Mean surprise at an interval under the style's trigram, every interval of all pieces weighing the same."""
    model = fluency_model(style)
    nats = np.concatenate([np.zeros(0), *(model.nats(piece) for piece in pieces)])
    return float(nats.mean()) if len(nats) else float("nan")


def fluency(pieces: Sequence[Piece], style: str) -> dict[str, float]:
    """Mean nats a note in the style: of intervals by the trigram, of intervals and of rhythm by the recurrent net.

    The net reads the rhythm too, so that its intervals are those that fit this rhythm. NaN without any interval. Beside
    them the share of notes on one diatonic scale, since no n-gram hears a change of key.
    """
    steps = FLUENCY.load_once().nats(pieces, style)
    recurrent = steps.mean(axis=0) if len(steps) else np.full(2, np.nan)
    return {
        "nats a note": nats_a_note(pieces, style),
        "nats recurrent": float(recurrent[0]),
        "nats rhythm": float(recurrent[1]),
        "in one scale": float(np.mean([scale_consistency(piece) for piece in pieces])),
    }


def classify_pieces(pieces: Sequence[Piece], to: str) -> dict[str, float]:
    """Share of the pieces that each classifier takes for `to`."""
    return {name: float(said.mean()) for name, said in believed(pieces, to).items()}


def believed(pieces: Sequence[Piece], to: str) -> dict[str, Bool[np.ndarray, "P"]]:
    """Which pieces are judged as `to` (more sure than not): by counting, in each view, and by the net on rolls."""
    heard = {view: ngram_classifier().probability(pieces, to, view) for view in VIEWS}
    heard["rolls"] = ROLL_CLASSIFIER.load_once().probability(pieces, to)
    return {f"judged {name}": sure > 0.5 for name, sure in heard.items()}


def copied(pieces: Sequence[Piece], to: str) -> dict[str, float]:
    """Share of pieces with a run of COPIED_RUN notes of a tune of the target that methods learn from; longest run."""
    runs = [copy_detector(to).longest_run(melody_symbols(piece)) for piece in pieces]
    return {"copied": float(np.mean(np.array(runs) >= COPIED_RUN)), "longest run": float(np.mean(runs))}


def evaluate_pieces(befores: Sequence[Piece], afters: Sequence[Piece], to: str) -> dict[str, Any]:
    """Measure outcomes of a transfer; means over pieces.

    Returns:
        judged pitch, rhythm, combined, rolls: share judged as `to`; the measures of `content_report`; those of
        `fluency` and of `copied`; and the number of tunes.
    """
    rows = [content_report(before, after) for before, after in zip(befores, afters, strict=True)]
    content = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return classify_pieces(afters, to) | content | fluency(afters, to) | copied(afters, to) | {"tunes": len(afters)}


def evaluate_method(rewrite: Rewriter, to: str, amount: float, pieces: Sequence[Piece], seed: int) -> dict[str, Any]:
    """Rewrite melodies of the other style and measure the outcome as `evaluate_pieces` does."""
    return evaluate_pieces(pieces, [rewrite(piece, to, amount, seed) for piece in pieces], to)


def real_tunes(to: str, part: str = "valid") -> dict[str, Any]:
    """What real held-out tunes of a style score: the ceiling of the classifiers, the floor of nats and of copying."""
    pieces = list(load_held_out(to, part))
    return classify_pieces(pieces, to) | fluency(pieces, to) | copied(pieces, to) | {"tunes": len(pieces)}
