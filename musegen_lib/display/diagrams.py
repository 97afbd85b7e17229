"""Diagrams of networks: boxes with the shapes that leave them, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from musegen_lib.display.figures import STYLE

BOX = {"boxstyle": "round,pad=0.45", "facecolor": "#e8f1f8", "edgecolor": "#0072b2"}
GREY = "#444444"
Place = tuple[float, float]
WIDTH_OF_COLUMN, HEIGHT_OF_ROW = 1.9, 0.95  # inches
BELOW = 0.65  # how far below the last row an arrow runs that leads back


def network_diagram(boxes: Mapping[str, tuple[float, float]], arrows: Sequence[tuple[str, str, str]]) -> Figure:
    """Draw a network from left to right.

    Args:
        boxes: from the words in a box to its column and row, both from 0; row 0 is on top.
        arrows: (from, to, words on the arrow); an arrow to the left runs dashed below all boxes, to the next step.
    Raises:
        ValueError: an arrow names a box that is not there.
    """
    unknown = {name for arrow in arrows for name in arrow[:2]} - set(boxes)
    if unknown:
        raise ValueError(f"no box is called {', '.join(sorted(unknown))}")
    columns, rows = (max(place) for place in zip(*boxes.values(), strict=True))
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=((columns + 1) * WIDTH_OF_COLUMN, (rows + 1.6) * HEIGHT_OF_ROW))
        ax = fig.subplots()
        ax.set(xlim=(-0.5, columns + 0.5), ylim=(rows + BELOW + 0.35, -0.5))
        ax.axis("off")
        drawn = {
            name: ax.text(column, row, name, ha="center", va="center", fontsize=10, bbox=BOX)
            for name, (column, row) in boxes.items()
        }
        for start, end, words in arrows:
            a, b = boxes[start], boxes[end]
            if b[0] < a[0]:
                _draw_back(ax, a, b, rows + BELOW, words)
            else:
                _draw_arrow(ax, drawn[start], drawn[end], a, b, words)
    return fig


def _draw_arrow(ax: Axes, start: Text, end: Text, a: Place, b: Place, words: str) -> None:
    look = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0}
    look |= {"patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch()}
    ax.annotate("", xy=b, xytext=a, arrowprops=look)
    _write(ax, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2 - 0.1, words)


def _draw_back(ax: Axes, a: Place, b: Place, below: float, words: str) -> None:
    ax.plot([a[0], a[0], b[0], b[0]], [a[1] + 0.25, below, below, b[1] + 0.35], "--", color=GREY, linewidth=1)
    ax.annotate("", xy=(b[0], b[1] + 0.2), xytext=(b[0], b[1] + 0.45), arrowprops={"arrowstyle": "-|>", "color": GREY})
    _write(ax, (a[0] + b[0]) / 2, below - 0.06, words)


def _write(ax: Axes, x: float, y: float, words: str) -> None:
    ax.text(x, y, words, ha="center", va="bottom", fontsize=9, color=GREY, style="italic")


def two_voice_gan() -> Figure:
    """The network of lesson 02."""
    boxes = {"noise": (0, 0), "GRU cell": (1, 0), "bass": (2, 1), "soprano": (3, 0)}
    boxes |= {"one eighth": (4, 0.5), "discriminator": (5, 0.5)}
    arrows = [("noise", "GRU cell", "16"), ("GRU cell", "bass", "64"), ("GRU cell", "soprano", "64")]
    arrows += [("bass", "soprano", "35"), ("soprano", "one eighth", "30"), ("bass", "one eighth", "35")]
    arrows += [("one eighth", "GRU cell", "65, for the next eighth"), ("one eighth", "discriminator", "8 x 65")]
    return network_diagram(boxes, arrows)


def four_voice_gan() -> Figure:
    """The network of lesson 02b."""
    boxes = {"noise, 5 rows": (0, 1.5), "GRU cell": (1, 1.5), "bass": (2, 0), "soprano": (2, 1)}
    boxes |= {"tenor": (2, 2), "alto": (2, 3), "one step": (3, 1.5), "discriminator": (4, 1.5)}
    voices = ("bass", "soprano", "tenor", "alto")
    arrows = [("noise, 5 rows", "GRU cell", "5 x 64")] + [("GRU cell", voice, "") for voice in voices]
    arrows += [("bass", "soprano", ""), ("soprano", "tenor", ""), ("tenor", "alto", "")]
    arrows += [(voice, "one step", "54") for voice in voices]
    arrows += [("one step", "discriminator", "16 x 4 x 54"), ("one step", "GRU cell", "for the next step")]
    return network_diagram(boxes, arrows)
