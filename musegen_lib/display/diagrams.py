"""Diagrams of networks: boxes with the shapes that leave them, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from musegen_lib.display.figures import STYLE

BOX = {"boxstyle": "round,pad=0.45", "facecolor": "#e8f1f8", "edgecolor": "#0072b2"}
WIDTH_OF_COLUMN, HEIGHT_OF_ROW = 1.9, 0.95  # inches
BENT = 0.35  # how far an arrow bends that leads back


def network_diagram(boxes: Mapping[str, tuple[float, float]], arrows: Sequence[tuple[str, str, str]]) -> Figure:
    """Draw a network from left to right.

    Args:
        boxes: from the words in a box to its column and row, both from 0; row 0 is on top.
        arrows: (from, to, words on the arrow); an arrow to the left is bent and dashed, for it leads to the next step.
    Raises:
        ValueError: an arrow names a box that is not there.
    """
    unknown = {name for arrow in arrows for name in arrow[:2]} - set(boxes)
    if unknown:
        raise ValueError(f"no box is called {', '.join(sorted(unknown))}")
    columns, rows = (max(place) for place in zip(*boxes.values(), strict=True))
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=((columns + 1) * WIDTH_OF_COLUMN, (rows + 1) * HEIGHT_OF_ROW))
        ax = fig.subplots()
        ax.set(xlim=(-0.5, columns + 0.5), ylim=(rows + 0.6, -0.6))
        ax.axis("off")
        drawn = {
            name: ax.text(column, row, name, ha="center", va="center", fontsize=10, bbox=BOX)
            for name, (column, row) in boxes.items()
        }
        for start, end, words in arrows:
            _draw_arrow(ax, drawn[start], drawn[end], boxes[start], boxes[end], words)
    return fig


def _draw_arrow(ax, start, end, a: tuple[float, float], b: tuple[float, float], words: str) -> None:
    is_back = b[0] < a[0]
    look = {"arrowstyle": "-|>", "color": "#444444", "linestyle": "--" if is_back else "-"}
    look |= {"patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch(), "shrinkA": 0, "shrinkB": 0}
    look["connectionstyle"] = f"arc3,rad={BENT if is_back else 0}"
    ax.annotate("", xy=b, xytext=a, arrowprops=look)
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + (BENT * (b[0] - a[0]) / 2 if is_back else -0.12))
    ax.text(*middle, words, ha="center", va="bottom", fontsize=9, color="#444444", style="italic")
