"""Cold start: recommend a tune that nobody has heard, by its notes; and a hybrid of notes and listeners.

The bridge is a regression: from the content of a tune (its notes) to its point among the listeners (ALS). Beware of a
circle: if simulated tastes were made of the very features that the regression reads, it would find what we hid. Here
tastes are made of the catalogue and of noise (listener_worlds.py), content is made of melodic intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge

from musegen_lib.core.piece import Piece
from musegen_lib.metrics.ranking import recall_at, standard_error
from musegen_lib.models.recommend.als import ALS
from musegen_lib.models.recommend.models import Histories
from musegen_lib.models.recommend.protocol import keep_core, split_histories, to_histories
from musegen_lib.models.recommend.simulator import Simulation

CONTENT_DIM = 64
COLD = 0.2  # share of the tunes that nobody has heard
RIDGE = (0.1, 1.0, 10.0, 100.0)
K = 20
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)  # weights of the notes that validation chooses from


def tune_content(pieces: Sequence[Piece]) -> Float[np.ndarray, "N D"]:
    """Interval trigrams, weighted by TF-IDF and cut to 64 columns; rows of length 1. No key, metre or range in it.

    The tune encoder of lesson 06 gives rows of the same form and can take its place.
    """
    words = [" ".join(f"i{step}" for step in np.diff(piece.notes["pitch"].astype(int))) for piece in pieces]
    table = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 3), sublinear_tf=True).fit_transform(words)
    rows = TruncatedSVD(min(CONTENT_DIM, table.shape[1] - 1, len(pieces) - 1), random_state=0).fit_transform(table)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def hide_tunes(heard: Histories, seed: int, share: float = COLD) -> tuple[Histories, Histories, np.ndarray]:
    """Take a share of the items out of all histories; what is left, what was taken out, and the items, (C,)."""
    rng = np.random.default_rng(seed)
    cold = np.sort(rng.choice(heard.n_items, round(share * heard.n_items), replace=False))
    hidden = np.isin(np.arange(heard.n_items), cold)
    left = tuple(row[~hidden[row]] for row in heard.sequences)
    taken = tuple(row[hidden[row]] for row in heard.sequences)
    return replace(heard, sequences=left), replace(heard, sequences=taken), cold


def points_from_notes(
    points: Float[np.ndarray, "I F"], content: Float[np.ndarray, "I D"], known: np.ndarray, seed: int = 0
) -> tuple[Float[np.ndarray, "I F"], float]:
    """Regress points on content where points are known; the points of all tunes, and the R² on held-out known tunes.

    The strength of the ridge is chosen on a fifth of the known tunes.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(known)
    valid, train = order[: len(order) // 5], order[len(order) // 5 :]
    fits = [Ridge(alpha=alpha).fit(content[train], points[train]) for alpha in RIDGE]
    scored = [fit.score(content[valid], points[valid]) for fit in fits]
    best = int(np.argmax(scored))
    return Ridge(alpha=RIDGE[best]).fit(content[known], points[known]).predict(content), float(scored[best])


def cold_start(world: Simulation, content: Float[np.ndarray, "I D"], seed: int) -> list[dict[str, Any]]:
    """R@20 among unheard tunes alone, one row a method.

    Methods: random; "popularity", the listeners' later counts, which nobody could know (it is a peek, printed as
    such); the mean point of the heard tunes; the notes; the notes with the rows of content shuffled, a floor that
    shows a leak; the catalogue that tastes were made of, a ceiling for content.
    """
    heard = to_histories(world.played)
    left, taken, cold = hide_tunes(heard, seed)
    users = np.array([len(a) > 0 and len(b) > 0 for a, b in zip(left.sequences, taken.sequences)])
    left, taken = left.take(np.flatnonzero(users)), taken.take(np.flatnonzero(users))
    warm = np.setdiff1d(np.flatnonzero(np.asarray(left.matrix().sum(axis=0)).ravel()), cold)
    model = ALS(factors=16, l2=5.0, alpha=1.0, seed=seed)
    model.fit(left)
    listeners, relevant = model.place(left), taken.matrix().toarray()[:, cold] > 0
    rng = np.random.default_rng(seed)
    shuffled = content[rng.permutation(len(content))]
    scores = {"random": rng.random(relevant.shape)}
    scores["popularity (a peek)"] = np.tile(relevant.sum(axis=0), (len(relevant), 1)).astype(float)
    for name, rows in {"notes": content, "notes, shuffled": shuffled, "traits (a ceiling)": world.traits}.items():
        points, _ = points_from_notes(model.items, rows, warm, seed)
        scores[name] = listeners @ points[cold].T
    return [_row(name, recall_at(table, relevant, K)) for name, table in scores.items()]


def _row(name: str, recall: np.ndarray) -> dict[str, Any]:
    return {"method": name, "recall": round(float(recall.mean()), 4), "error": round(standard_error(recall), 4)}


def hybrid(world: Simulation, content: Float[np.ndarray, "I D"], seed: int) -> list[dict[str, Any]]:
    """R@20 among all tunes but the known ones: listeners (ALS), notes alone, both; weight chosen on validation."""
    heard, items = keep_core(to_histories(world.played))
    split = split_histories(heard, seed)
    content = content[items]

    def halves(known: Histories) -> tuple[np.ndarray, np.ndarray]:
        model = ALS(factors=16, l2=5.0, alpha=1.0, seed=seed)
        model.fit(known)
        points, _ = points_from_notes(model.items, content, np.arange(len(items)), seed)
        listeners = model.place(known)
        return listeners @ model.items.T, listeners @ points.T

    on_valid = halves(split.train)
    tried = {share: _recall(blend(*on_valid, share), split.train, split.valid).mean() for share in SHARES}
    share = max(tried, key=tried.get)
    by_listeners, by_notes = halves(split.known)
    tables = {"listeners": by_listeners, "notes alone": by_notes, "hybrid": blend(by_listeners, by_notes, share)}
    rows = [_row(name, _recall(table, split.known, split.test)) for name, table in tables.items()]
    return [row | ({"share": share} if row["method"] == "hybrid" else {}) for row in rows]


def _recall(scores: np.ndarray, known: Histories, wanted: Histories) -> np.ndarray:
    scores = np.where(known.matrix().toarray() > 0, -np.inf, scores)
    return recall_at(scores, wanted.matrix().toarray() > 0, K)


def blend(listeners: Float[np.ndarray, "U I"], notes: Float[np.ndarray, "U I"], share: float) -> np.ndarray:
    """(U, I) scores of a hybrid: each half to mean 0, deviation 1 within a listener; the notes weighted by share."""
    pair = listeners, notes
    one, two = ((half - half.mean(axis=1, keepdims=True)) / half.std(axis=1, keepdims=True) for half in pair)
    return (1 - share) * one + share * two
