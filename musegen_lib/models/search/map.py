"""A map of many tunes: principal components, and a picture whose dots say their titles without any script."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

WIDTH, HEIGHT, MARGIN = 720, 520, 16
COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e")
LONGEST_TITLE = 40


def principal_components(points: np.ndarray, n: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """(N, n) places of the points along the directions in which they differ most, and each direction's share.

    >>> places, share = principal_components(np.array([[0.0, 0], [2, 0], [4, 0]]), 1)
    >>> np.abs(places[:, 0]).tolist(), share.tolist()
    ([2.0, 0.0, 2.0], [1.0])
    """
    pca = PCA(n, svd_solver="covariance_eigh")
    return pca.fit_transform(points.astype(np.float64)), pca.explained_variance_ratio_


@dataclass(frozen=True)
class HoverMap:
    """An SVG; hold the pointer over a dot to read its title. Works in any page, without a kernel or a script."""

    svg: str
    alt: str

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self.svg, "text/plain": self.alt}


def hover_map(places: np.ndarray, groups: Sequence[str], titles: Sequence[str], alt: str) -> HoverMap:
    """Draw dots at (N, 2) places, coloured by group, each with its title."""
    low, high = places.min(axis=0), places.max(axis=0)
    at = (places - low) / np.maximum(high - low, 1e-9) * [WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN] + MARGIN
    names, parts = sorted(set(groups)), []
    for number, name in enumerate(names):
        dots = [_dot(x, HEIGHT - y, title) for (x, y), title, group in zip(at, titles, groups) if group == name]
        parts.append(f'<g fill="{COLOURS[number % len(COLOURS)]}" fill-opacity=".7">{"".join(dots)}</g>')
    legend = "".join(
        f'<circle cx="{WIDTH + 12}" cy="{24 + 20 * n}" r="5" fill="{COLOURS[n % len(COLOURS)]}"/>'
        f'<text x="{WIDTH + 24}" y="{29 + 20 * n}" font-size="14" fill="currentColor">{html.escape(name)}</text>'
        for n, name in enumerate(names)
    )
    head = f'<svg viewBox="0 0 {WIDTH + 130} {HEIGHT}" width="100%" role="img" xmlns="http://www.w3.org/2000/svg">'
    return HoverMap(f"{head}<title>{html.escape(alt)}</title>{''.join(parts)}{legend}</svg>", alt)


def _dot(x: float, y: float, title: str) -> str:
    return f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3"><title>{html.escape(title[:LONGEST_TITLE])}</title></circle>'
