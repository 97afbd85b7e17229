"""Can anyone distinguish generated pieces from real ones? A classifier that tries, and a distance between two clouds.

Both see only the features they are given (`metrics.features`): "cannot tell" means "cannot tell by these".
scikit-learn is imported where it is used: it takes as long as torch, and recipes import this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Shaped

from musegen_lib.metrics.likelihood import ratio_estimate

N_FOLDS = 5


@dataclass(frozen=True)
class TwoSampleResult:
    """Balanced accuracy of telling two sets apart; 0.5 = cannot tell, 1 = never wrong.

    Args:
        accuracy: mean over seeds.
        seed_spread: standard deviation over seeds: other folds, other start. It says nothing about other pieces.
        standard_error: over pieces, at the first seed: what other test pieces might give. Other training pieces add to
            it, so look at two halves of one real set as well.
        accuracies: one a seed.
    """

    accuracy: float
    seed_spread: float
    standard_error: float
    accuracies: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.accuracy:.3f} ± {self.standard_error:.3f} (seeds ± {self.seed_spread:.3f})"


def classifier_two_sample(
    real: Shaped[np.ndarray, "N D"],
    fake: Shaped[np.ndarray, "M D"],
    real_pieces: Int[np.ndarray, "N"] | None = None,
    fake_pieces: Int[np.ndarray, "M"] | None = None,
    classifier: str = "logistic",
    n_seeds: int = 5,
) -> TwoSampleResult:
    """Train a classifier on four fifths of the pieces, test it on the others, five times over, for each seed.

    Args:
        real, fake: features, one row a bar or piece.
        real_pieces, fake_pieces: the piece each row comes from; rows of one piece stay in one fold. None: each row is a
            piece. A number that is in both means a pair (a fake made from that real piece): both stay in one fold.
        classifier: "logistic" (standardised, L2 with C = 1: sums of features, right for tens of pieces) or "trees"
            (100 boosted trees of at most 8 leaves: also combinations of features, wants hundreds of rows).
    Returns:
        balanced accuracy = mean of the share of real rows called real and of fake rows called fake, so that 0.5 is
        blind guessing whatever N and M. A little under 0.5 is chance, too.
    Raises:
        ValueError: fewer than five pieces in a set, or an unknown classifier.
    Source: Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests" (arXiv:1610.06545), with groups.
    """
    real_ids = np.arange(len(real)) if real_pieces is None else real_pieces
    first_free = 1 + max(real_ids, default=0)
    fake_ids = first_free + np.arange(len(fake)) if fake_pieces is None else fake_pieces
    if min(len(np.unique(real_ids)), len(np.unique(fake_ids))) < N_FOLDS:
        raise ValueError(
            f"{len(np.unique(real_ids))} real and {len(np.unique(fake_ids))} fake pieces: {N_FOLDS} of each are needed"
        )
    x, groups = np.concatenate([real, fake]), np.concatenate([real_ids, fake_ids])
    is_real = np.arange(len(x)) < len(real)
    right = [_predict(x, is_real, groups, classifier, seed) == is_real for seed in range(n_seeds)]
    accuracies = tuple(float((r[is_real].mean() + r[~is_real].mean()) / 2) for r in right)
    error = np.hypot(*(_recall_error(right[0][side], groups[side]) for side in (is_real, ~is_real))) / 2
    spread = float(np.std(accuracies, ddof=1)) if n_seeds > 1 else float("nan")
    return TwoSampleResult(float(np.mean(accuracies)), spread, float(error), accuracies)


def frechet_distance(reference: Shaped[np.ndarray, "N D"], generated: Shaped[np.ndarray, "M D"]) -> float:
    """Squared Frechet distance between Gaussians fitted to two feature tables.

    d2 = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), after every column is centred and scaled by the reference (one
    that is constant there is only centred). S1 and S2 are Ledoit-Wolf covariances: shrunk towards a sphere the more,
    the fewer the rows. From 0 (same mean and covariance) up, in squared reference standard deviations.
    Caution: biased upwards, the more the fewer the rows: two halves of one real set are not at 0. Compare only at equal
    N and M, beside `frechet_floor`. It sees means and covariances, nothing else. Features that hardly vary in the
    reference weigh as much as the others, so a few wide leaps can make most of a large distance.
    Raises:
        ValueError: fewer than two rows.
    Source: Heusel et al. 2017 (FID, arXiv:1706.08500), on our stated features where they use Inception.

    >>> table = np.random.default_rng(0).normal(size=(50, 3))
    >>> round(frechet_distance(table, table), 6)
    0.0
    """
    if min(len(reference), len(generated)) < 2:
        raise ValueError(f"{len(reference)} and {len(generated)} rows: a covariance needs at least two")
    from sklearn.covariance import ledoit_wolf

    spread = reference.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    a, b = ((table - reference.mean(axis=0)) / scale for table in (reference, generated))
    s1, s2 = ledoit_wolf(a)[0], ledoit_wolf(b)[0]
    root = _square_root(s1)
    cross = np.sqrt(np.clip(np.linalg.eigvalsh(root @ s2 @ root), 0, None)).sum()  # tr (S1 S2)^(1/2)
    shift = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
    return float(max(0.0, shift + np.trace(s1) + np.trace(s2) - 2 * cross))


def frechet_floor(
    reference: Shaped[np.ndarray, "N D"], n: int, rng: np.random.Generator, n_draws: int = 10
) -> tuple[float, float]:
    """Mean and standard deviation of the Frechet distance between two disjoint random sets of n real rows.

    What a perfect generator scores with n rows against n. Draws overlap between repeats, so the deviation is a guide.
    Raises:
        ValueError: the reference has fewer than 2 n rows.
    """
    if len(reference) < 2 * n:
        raise ValueError(f"the reference has {len(reference)} rows; two sets of {n} need {2 * n}")
    found = []
    for _ in range(n_draws):
        order = rng.permutation(len(reference))
        found.append(frechet_distance(reference[order[:n]], reference[order[n : 2 * n]]))
    return float(np.mean(found)), float(np.std(found))


def _predict(x: np.ndarray, is_real: np.ndarray, groups: np.ndarray, classifier: str, seed: int) -> np.ndarray:
    from sklearn.model_selection import StratifiedGroupKFold

    guess = np.zeros(len(x), dtype=bool)
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(x, is_real, groups):
        guess[test] = _make(classifier, seed).fit(x[train], is_real[train]).predict(x[test])
    return guess


def _make(classifier: str, seed: int):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if classifier == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    if classifier == "trees":
        return HistGradientBoostingClassifier(max_leaf_nodes=8, class_weight="balanced", random_state=seed)
    raise ValueError(f"classifier {classifier!r} is unknown; use 'logistic' or 'trees'")


def _recall_error(right: np.ndarray, pieces: np.ndarray) -> float:
    """Standard error of the share of right rows, rows of one piece counted together."""
    _, piece = np.unique(pieces, return_inverse=True)
    return ratio_estimate(np.bincount(piece, weights=right), np.bincount(piece)).standard_error


def _square_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
