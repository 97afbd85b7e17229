"""The trade-off of style transfer in one picture: what is kept against how it is judged."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musegen_lib.models.style.evaluation.table import KEPT, REAL, SURE

MARKERS, LINES = "ovs^DPX*", ("-", "--", ":", "-.")


def draw_trade_off(rows: list[dict[str, Any]], classifier: str = "judged combined", kept: str = "notes kept") -> Figure:
    """Draw the rows of the study transfer-curves: a panel for each direction, a curve for each method.

    A curve runs over the amounts, through the mean over seeds, in a band from the lowest seed to the highest; baselines
    are points, real target tunes a line across, and the corner that the lesson aims at is shaded.
    """
    directions = list(dict.fromkeys(row["to"] for row in rows))
    fig = Figure(figsize=(5.2 * len(directions), 4.4), layout="constrained")
    axes = fig.subplots(1, len(directions), sharey=True, squeeze=False)[0]
    methods = list(dict.fromkeys(row["method"] for row in rows if row["kind"] == "method"))
    for ax, to in zip(axes, directions, strict=True):
        here = [row for row in rows if row["to"] == to]
        ax.fill_between([KEPT, 1.02], SURE, 1.04, color="0.92", zorder=0)
        for number, method in enumerate(methods):
            _draw_curve(ax, curve_of(here, method, classifier, kept), method, number)
        _draw_points(ax, [row for row in here if row["kind"] == "baseline"], classifier, kept)
        for row in (row for row in here if row["method"] == REAL):
            ax.axhline(row[classifier], color="0.5", linewidth=0.8)
            ax.text(1.0, row[classifier], "real target tunes", fontsize=7, color="0.35", va="bottom", ha="right")
        ax.set_xscale("function", functions=(lambda x: np.sign(x) * np.abs(x) ** 3, np.cbrt))  # most happens near 1
        ax.set(title=f"to {to}", xlabel=f"{kept}, share", xlim=(-0.25, 1.01), ylim=(-0.03, 1.06))
        ax.set_xticks([0, 0.4, 0.6, 0.7, 0.8, 0.9, 1])
        ax.grid(alpha=0.3)
    axes[0].set_ylabel(f"{classifier} as the target, share of tunes")
    axes[0].legend(loc="lower left", bbox_to_anchor=(0.01, 0.1), fontsize=8)
    return fig


def curve_of(rows: list[dict[str, Any]], method: str, classifier: str, kept: str) -> dict[str, np.ndarray]:
    """Points of a method's curve, one an amount: mean of what is kept; mean, lowest and highest share believed."""
    mine = [row for row in rows if row["method"] == method]
    amounts = sorted({row["amount"] for row in mine})
    judged = [[row[classifier] for row in mine if row["amount"] == amount] for amount in amounts]
    return {
        "amount": np.array(amounts),
        "kept": np.array([np.mean([row[kept] for row in mine if row["amount"] == amount]) for amount in amounts]),
        "mean": np.array([np.mean(seeds) for seeds in judged]),
        "low": np.array([min(seeds) for seeds in judged]),
        "high": np.array([max(seeds) for seeds in judged]),
    }


def _draw_curve(ax: Axes, curve: dict[str, np.ndarray], method: str, number: int) -> None:
    style = {"marker": MARKERS[number % len(MARKERS)], "linestyle": LINES[number % len(LINES)], "markersize": 5}
    (line,) = ax.plot(curve["kept"], curve["mean"], label=method, **style)
    if (curve["high"] > curve["low"]).any():
        ax.fill_between(curve["kept"], curve["low"], curve["high"], color=line.get_color(), alpha=0.2, linewidth=0)


def _draw_points(ax: Axes, rows: list[dict[str, Any]], classifier: str, kept: str) -> None:
    label_at = {"left": -1.0, "right": -1.0}  # height of the last label that is aligned so
    for row in sorted(rows, key=lambda row: row[classifier]):
        ax.plot(row[kept], row[classifier], "kx", markersize=6)
        align, shift = ("right", -6) if row[kept] > 0.8 else ("left", 6)
        label_at[align] = max(row[classifier], label_at[align] + 0.04)
        place = {"xytext": (shift, -4), "textcoords": "offset points", "ha": align}
        ax.annotate(row["method"], (row[kept], label_at[align]), fontsize=8, **place)
