"""Pictures of lesson 2: two densities and the best answer between them, points in a plane, paths of a small game."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from musegen_lib.display.figures import STYLE, Picture, picture

REAL, GENERATED = "#0072b2", "#d55e00"  # the same through the lesson


def density_picture(
    x: Float[np.ndarray, "N"],
    p: Float[np.ndarray, "N"],
    q: Float[np.ndarray, "N"],
    jensen_shannon: float,
    wasserstein: float,
) -> Picture:
    """Draw the densities of real and generated points, the share of real ones at each place, and the two distances."""
    largest = np.log(2)
    told = f"Jensen-Shannon {abs(jensen_shannon):.3f} of at most {largest:.3f}, Wasserstein {abs(wasserstein):.2f}"
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(7.5, 2.7))
        ax = fig.subplots()
        ax.fill_between(x, p, color=REAL, alpha=0.45, label="real, p(x)")
        ax.fill_between(x, q, color=GENERATED, alpha=0.45, label="generated, q(x)")
        ax.plot(x, p / (p + q), "k--", label="best answer, D*(x)")
        ax.set(xlim=(-4, 10), ylim=(0, 1.05), xlabel="x", ylabel="density and D*")
        ax.set_title(told, fontsize=12, fontweight="bold")
        ax.legend(loc="upper right", fontsize=9, framealpha=1)
    apart = abs(x[np.argmax(p)] - x[np.argmax(q)])
    return picture(fig, f"Two bell curves whose centres are {apart:.0f} apart, and the best answer. {told}.")


def cloud_picture(
    points: Float[np.ndarray, "N 2"], homes: Float[np.ndarray, "M 2"], what: str, radius: float
) -> Picture:
    """Draw a cloud of points, and around each home the circle in which a point counts as near."""
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(4.2, 4))
        ax = fig.subplots()
        ax.plot(*np.asarray(points).T, ".", color=GENERATED, markersize=3, alpha=0.6)
        for x, y in np.asarray(homes).tolist():
            ax.add_patch(mpl.patches.Circle((x, y), radius, fill=False, color=REAL, linewidth=1.5))
        ax.set(
            xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), aspect="equal", xlabel="first coordinate", ylabel="second coordinate"
        )
    return picture(fig, f"{what}: a cloud of points beside {len(homes)} small circles that stand on one large circle.")


def path_picture(path: Float[np.ndarray, "N 2"], what: str, size: float) -> Picture:
    """Draw how the two numbers of the smallest GAN move, `size` to each side of the cross where they should end."""
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(4.2, 4))
        ax = fig.subplots()
        ax.plot(*path.T, color=GENERATED, linewidth=1)
        ax.plot(*path[0], "o", color=GENERATED)
        ax.plot(0, 0, "k+", markersize=14)
        ax.set(xlim=(-size, size), ylim=(-size, size), aspect="equal")
        ax.set(xlabel="theta, what the generator makes", ylabel="psi, what the discriminator believes")
    return picture(
        fig, f"{what}: the path starts at a dot one unit from the cross at zero and ends {_far(path):.2f} away."
    )


def bar_cells_picture(rows: Mapping[str, Int[np.ndarray, "T"]], what: str) -> Picture:
    """Draw lines of pitches over the eighths of a few bars, one colour a voice."""
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(7.5, 2.6))
        ax = fig.subplots()
        for number, (voice, line) in enumerate(rows.items()):
            ax.stairs(line, np.arange(len(line) + 1), baseline=None, linewidth=3, color=(REAL, GENERATED)[number % 2])
            ax.text(len(line) + 0.1, line[-1], voice, va="center")
        for bar in range(0, len(line) + 1, 8):
            ax.axvline(bar, color="0.8", linewidth=0.8)
        ax.set(ylim=(33, 85), xlim=(0, len(line) + 2.5), xlabel="eighths", ylabel="pitch")
        ax.set_xticks(range(0, len(line) + 1, 8))
        ax.set_yticks([36, 48, 60, 72, 84], ["C2", "C3", "C4", "C5", "C6"])
    return picture(fig, what)


def _far(path: np.ndarray) -> float:
    return float(np.hypot(*path[-1]))
