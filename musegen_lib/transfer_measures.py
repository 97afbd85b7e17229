"""One call that judges a transfer method: how it is heard, what it kept, how fluently it sings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Int

from musegen_lib.metrics.originality import CopyDetector, corpus_to_symbols, melody_symbols
from musegen_lib.metrics.tonality import scale_consistency
from musegen_lib.metrics.transfer import content_report
from musegen_lib.models.style_counts import VIEWS, GramJudge, IntervalTrigram
from musegen_lib.piece import Piece
from musegen_lib.recipes.style import GRAM_JUDGE, ROLL_JUDGE, judge_tunes
from musegen_lib.style_pair import load_side
from musegen_lib.transfer_baselines import Rewriter


@lru_cache(maxsize=1)
def gram_judge() -> GramJudge:
    """The first judge: n-grams and logistic regression, fitted by the recipe style-judges."""
    return GRAM_JUDGE.load_once().judge()


@lru_cache(maxsize=2)
def copy_detector(style: str) -> CopyDetector:
    """Finds what is shared with the tunes that transfer methods learnt from."""
    return CopyDetector(corpus_to_symbols(load_side(style, "transfer", "train")))


def shared_runs(pieces: Sequence[Piece], style: str) -> Int[np.ndarray, "B"]:
    """Notes of the longest run that each piece shares with a training tune of the style, in any key."""
    return np.array([copy_detector(style).longest_run(melody_symbols(piece)) for piece in pieces])


@lru_cache(maxsize=2)
def fluency_model(style: str) -> IntervalTrigram:
    """Trigram of the judge's side, which no transfer method counts."""
    return IntervalTrigram().fit(judge_tunes(style, "train"))


def nats_a_note(pieces: Sequence[Piece], style: str) -> float:
    """Mean surprise at an interval under the style's trigram, every interval of all pieces weighing the same."""
    model = fluency_model(style)
    nats = np.concatenate([np.zeros(0), *(model.nats(piece) for piece in pieces)])
    return float(nats.mean()) if len(nats) else float("nan")


def judge_pieces(pieces: Sequence[Piece], to: str) -> dict[str, float]:
    """Share of the pieces judged as `to` (more sure than not): by counting, in each view, and by the net on rolls."""
    heard = {view: gram_judge().probability(pieces, to, view) for view in VIEWS}
    heard["rolls"] = ROLL_JUDGE.load_once().probability(pieces, to)
    return {f"judged {name}": float((sure > 0.5).mean()) for name, sure in heard.items()}


def evaluate_method(rewrite: Rewriter, to: str, amount: float, pieces: Sequence[Piece], seed: int) -> dict[str, Any]:
    """Rewrite melodies of the other style and measure the outcome; means over pieces.

    Returns:
        judged pitch, rhythm, combined, rolls: share judged as `to`; the measures of `content_report`;
        nats a note under the target's trigram, the share of notes in one scale, the notes
        of the longest run shared with a training tune of the target, and the number of tunes.
    """
    made = [rewrite(piece, to, amount, seed) for piece in pieces]
    rows = [content_report(before, after) for before, after in zip(pieces, made, strict=True)]
    content = {name: float(np.mean([row[name] for row in rows])) for name in content_report(made[0], made[0])}
    fluency = {"nats a note": nats_a_note(made, to), "in one scale": float(np.mean([*map(scale_consistency, made)]))}
    fluency["longest shared run"] = float(shared_runs(made, to).mean())
    return judge_pieces(made, to) | content | fluency | {"tunes": len(made)}
