"""Drawings of networks: a 2-2-1 network with its numbers, a chain of layers, surprise note by note."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from musegen_lib.core.piece import Piece
from musegen_lib.display.figures import STYLE, pitch_name
from musegen_lib.display.sliders import States, states

FORWARD, BACKWARD, LINE = "#0072b2", "#d55e00", "#777"
WIDTH, HEIGHT, RADIUS = 760, 312, 21
PLACES = {  # of the nodes of a network with two inputs, two hidden neurons and one output
    "x1": (50, 80),
    "x2": (50, 220),
    "a1": (240, 80),
    "a2": (240, 220),
    "h1": (370, 80),
    "h2": (370, 220),
    "s": (520, 150),
    "p": (620, 150),
    "L": (715, 150),
}
EDGES = {  # the name of an edge's weight, or the function that it stands for
    ("x1", "a1"): "w11",
    ("x2", "a1"): "w12",
    ("x1", "a2"): "w21",
    ("x2", "a2"): "w22",
    ("a1", "h1"): "tanh",
    ("a2", "h2"): "tanh",
    ("h1", "s"): "v1",
    ("h2", "s"): "v2",
    ("s", "p"): "sigmoid",
    ("p", "L"): "loss",
}
FUNCTIONS = {"tanh", "sigmoid", "loss"}
STAGES = {  # of a walk through the graph: what becomes known; a minus sign marks gradients
    "inputs": "w11 w12 w21 w22 v1 v2 x1 x2",
    "sums": "a1 a2",
    "tanh": "h1 h2",
    "output": "s p L",
    "← output": "-L -p -s",
    "← v and h": "-v1 -v2 -h1 -h2",
    "← sums": "-a1 -a2",
    "← w": "-w11 -w12 -w21 -w22",
}


@dataclass(frozen=True)
class Drawing:
    """A drawing in SVG with the words that replace it for readers who do not see it."""

    svg: str
    alt: str

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.alt, "image/svg+xml": self.svg}


def computation_graph(values: Mapping[str, float], slopes: Mapping[str, float], alt: str) -> Drawing:
    """Draw the graph of a 2-2-1 network with the numbers known so far.

    Args:
        values: from the names of nodes (x1 x2 a1 a2 h1 h2 s p L) and weights (w11 w12 w21 w22 v1 v2) to numbers.
        slopes: from the same names to the gradient of the loss; drawn below the value.
        alt: what the drawing shows, in a sentence.
    """
    parts = []
    for (start, end), name in EDGES.items():
        (x, y), (u, v) = PLACES[start], PLACES[end]
        parts.append(f'<path d="M{x} {y}L{u} {v}" stroke="{LINE}" stroke-width="1.5"/>')
        if name in FUNCTIONS:
            parts.append(_text((x + u) / 2, y - 8, name, LINE, 12))
            continue
        share = 0.42 if y == v or end == "s" else 0.36  # near the start, where crossing edges are apart
        parts += _numbers(x + share * (u - x), y + share * (v - y) + 2, name, values, slopes)
    for name, (x, y) in PLACES.items():
        parts.append(f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="#fff" stroke="#333" stroke-width="1.5"/>')
        parts.append(_text(x, y + 5, name, "#222", 15))
        below = y - RADIUS - 21 if name == "x1" else y + RADIUS + 15  # the edges of x1 lie below it
        if name in values:
            parts.append(_text(x, below, f"{values[name]:.2f}", FORWARD, 13))
        if name in slopes:
            parts.append(_text(x, below + 15, f"{slopes[name]:+.2f}", BACKWARD, 13))
    parts.append(_text(90, HEIGHT - 6, "blue: value", FORWARD, 13))
    parts.append(_text(270, HEIGHT - 6, "orange: gradient of the loss", BACKWARD, 13))
    return Drawing(_svg(WIDTH, HEIGHT, parts, alt), alt)


def backprop_slider(values: Mapping[str, float], slopes: Mapping[str, float]) -> States:
    """The graph step by step: first the values from left to right, then the gradients back; names as above."""
    drawn, seen = {}, []
    for stage, names in STAGES.items():
        seen += names.split()
        known = {name: values[name] for name in seen if name[0] != "-"}
        back = {name[1:]: slopes[name[1:]] for name in seen if name[0] == "-"}
        drawn[stage] = computation_graph(known, back, f"Graph of the network up to the stage: {stage}.")
    return states(drawn, "Forward, then backward", start="← w")


def _numbers(x: float, y: float, name: str, values: Mapping[str, float], slopes: Mapping[str, float]) -> list[str]:
    """Name, value and slope of a weight, on a white ground over its edge."""
    tall = 32 if name in slopes else 17
    parts = [f'<rect x="{x - 37}" y="{y - 13}" width="74" height="{tall}" fill="#fff" opacity="0.93"/>']
    parts.append(_text(x, y, f"{name} = {values[name]:.2f}", FORWARD, 12))
    if name in slopes:
        parts.append(_text(x, y + 15, f"{slopes[name]:+.2f}", BACKWARD, 12))
    return parts


def layer_chain(
    boxes: Sequence[tuple[str, str]], links: Sequence[str], alt: str, loops: Mapping[int, str] | None = None
) -> Drawing:
    """Draw layers from left to right: each box with what it holds and its shape, each arrow with what it does.

    `loops` names boxes, by number, that also feed themselves, and what they hand on.
    """
    wide, gap, tall = 118, 62, 64
    parts = [
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#333"/></marker></defs>'
    ]
    for number, (name, shape) in enumerate(boxes):
        x = 4 + number * (wide + gap)
        parts.append(
            f'<rect x="{x}" y="30" width="{wide}" height="{tall}" rx="8" fill="#e8f1fa" stroke="{FORWARD}" '
            'stroke-width="1.5"/>'
        )
        parts += [_text(x + wide / 2, 58, name, "#222", 13), _text(x + wide / 2, 78, shape, FORWARD, 13)]
        if number < len(links):
            parts.append(
                f'<path d="M{x + wide} 62H{x + wide + gap - 2}" stroke="#333" stroke-width="1.5" '
                'marker-end="url(#tip)"/>'
            )
            for line, word in enumerate(links[number].split("|")):
                parts.append(_text(x + wide + gap / 2, 52 + 28 * line, word, "#333", 11))
    for number, word in (loops or {}).items():
        x = 4 + number * (wide + gap) + wide / 2
        parts.append(
            f'<path d="M{x + 26} 30C{x + 26} 2 {x - 26} 2 {x - 26} 28" fill="none" stroke="#333" stroke-width="1.5" '
            'marker-end="url(#tip)"/>'
        )
        parts.append(_text(x, 0, word, "#333", 11))
    if loops:
        parts = ['<g transform="translate(0 16)">', *parts, "</g>"]
    return Drawing(_svg(8 + len(boxes) * (wide + gap) - gap, 140 if loops else 124, parts, alt), alt)


def _text(x: float, y: float, words: str, colour: str, size: int) -> str:
    font = f'font-family="sans-serif" font-size="{size}" text-anchor="middle"'
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}" {font}>{html.escape(words)}</text>'


def _svg(width: float, height: float, parts: Sequence[str], alt: str) -> str:
    label = html.escape(alt, quote=True)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
    return f'{head}aria-label="{label}" style="background:#fff">{"".join(parts)}</svg>'


def surprise_figure(piece: Piece, nats: Mapping[str, Sequence[float]], highest: float = 6.0) -> Figure:
    """Draw a melody once a model, each note in the colour of its surprise and with the number beside it."""
    colours, scale = mpl.colormaps["plasma_r"], mpl.colors.Normalize(0, highest)
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(8.6, 0.5 + 2.3 * len(nats)))
        axes = fig.subplots(len(nats), 1, sharex=True, squeeze=False)[:, 0]
        for ax, (name, values) in zip(axes, nats.items(), strict=True):
            for (onset, duration, pitch, *_), value in zip(piece.notes.tolist(), values, strict=True):
                look = {"color": colours(scale(value)), "edgecolor": "0.3", "linewidth": 0.5}
                ax.barh(pitch, duration - 0.15, left=onset, height=0.85, **look)
                ax.text(onset + duration / 2, pitch + 0.6, f"{value:.1f}", ha="center", va="bottom", fontsize=8)
            pitches = piece.notes["pitch"].astype(int)
            ax.set(ylim=(pitches.min() - 1, pitches.max() + 2.5), ylabel="pitch", title=name)
            ax.set_yticks(np.unique(pitches), [pitch_name(int(pitch)) for pitch in np.unique(pitches)], fontsize=8)
            for line in piece.bar_onsets.tolist():
                ax.axvline(line, color="0.8", linewidth=0.8, zorder=0)
        first = 0 if piece.pickup_steps else 1
        lines = piece.bar_onsets.tolist()
        axes[-1].set_xticks(lines, [str(first + number) for number in range(len(lines))])
        axes[-1].set(xlabel="bar", xlim=(0, piece.n_steps))
        fig.colorbar(mpl.cm.ScalarMappable(scale, colours), ax=list(axes), label="surprise (nats)")
    return fig
