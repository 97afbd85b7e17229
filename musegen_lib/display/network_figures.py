"""Drawings of networks in SVG: a 2-2-1 network with its numbers, a chain of layers.

Letters are 13 pixels high or more in the text column of the book, which is 688 pixels wide on a laptop.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from musegen_lib.display.sliders import States, states

FORWARD, BACKWARD, LINE = "#0072b2", "#d55e00", "#777"
WIDTH, HEIGHT, RADIUS = 760, 350, 23
PLACES = {  # of the nodes of a network with two inputs, two hidden neurons and one output
    "x1": (48, 90),
    "x2": (48, 245),
    "a1": (236, 90),
    "a2": (236, 245),
    "h1": (352, 90),
    "h2": (352, 245),
    "s": (522, 167),
    "p": (638, 167),
    "L": (727, 167),
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
            parts.append(svg_text((x + u) / 2, y - 8, name, "#555", 15))
            continue
        share = 0.5 if end == "s" else 0.42 if y == v else 0.36  # near the start, where crossing edges are apart
        parts += _numbers(x + share * (u - x), y + share * (v - y) + 2, name, values, slopes)
    for name, (x, y) in PLACES.items():
        parts.append(f'<circle cx="{x}" cy="{y}" r="{RADIUS}" fill="#fff" stroke="#333" stroke-width="1.5"/>')
        parts.append(svg_text(x, y + 6, name, "#222", 17))
        below = y - RADIUS - 24 if name == "x1" else y + RADIUS + 17  # the edges of x1 lie below it
        if name in values:
            parts.append(svg_text(x, below, f"{values[name]:.2f}", FORWARD, 15))
        if name in slopes:
            parts.append(svg_text(x, below + 17, f"{slopes[name]:+.2f}", BACKWARD, 15))
    parts.append(svg_text(90, HEIGHT - 8, "blue: value", FORWARD, 15))
    parts.append(svg_text(290, HEIGHT - 8, "orange: gradient of the loss", BACKWARD, 15))
    return Drawing(svg_document(WIDTH, HEIGHT, parts, alt), alt)


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
    tall = 36 if name in slopes else 19
    parts = [f'<rect x="{x - 45}" y="{y - 15}" width="90" height="{tall}" fill="#fff" opacity="0.93"/>']
    parts.append(svg_text(x, y, f"{name} = {values[name]:.2f}", FORWARD, 15))
    if name in slopes:
        parts.append(svg_text(x, y + 17, f"{slopes[name]:+.2f}", BACKWARD, 15))
    return parts


def layer_chain(
    boxes: Sequence[tuple[str, str]], links: Sequence[str], alt: str, loops: Mapping[int, str] | None = None
) -> Drawing:
    """Draw layers from left to right: each box with what it holds and its shape, each arrow with what it does.

    `loops` names boxes, by number, that also feed themselves, and what they hand on.
    """
    wide, gap, tall = 102, 58, 64
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
        parts += [svg_text(x + wide / 2, 58, name, "#222", 14), svg_text(x + wide / 2, 80, shape, FORWARD, 14)]
        if number < len(links):
            parts.append(
                f'<path d="M{x + wide} 62H{x + wide + gap - 2}" stroke="#333" stroke-width="1.5" '
                'marker-end="url(#tip)"/>'
            )
            for line, word in enumerate(links[number].split("|")):
                parts.append(svg_text(x + wide + gap / 2, 53 + 30 * line, word, "#333", 14))
    for number, word in (loops or {}).items():
        x = 4 + number * (wide + gap) + wide / 2
        parts.append(
            f'<path d="M{x + 26} 30C{x + 26} 2 {x - 26} 2 {x - 26} 28" fill="none" stroke="#333" stroke-width="1.5" '
            'marker-end="url(#tip)"/>'
        )
        parts.append(svg_text(x, 2, word, "#333", 14))
    if loops:
        parts = ['<g transform="translate(0 16)">', *parts, "</g>"]
    return Drawing(svg_document(8 + len(boxes) * (wide + gap) - gap, 140 if loops else 124, parts, alt), alt)


def svg_text(x: float, y: float, words: str, colour: str, size: int) -> str:
    """Words centred at a place."""
    font = f'font-family="sans-serif" font-size="{size}" text-anchor="middle"'
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{colour}" {font}>{html.escape(words)}</text>'


def svg_document(width: float, height: float, parts: Sequence[str], alt: str) -> str:
    """A whole picture, with the words that replace it."""
    label = html.escape(alt, quote=True)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
    return f'{head}aria-label="{label}" style="background:#fff">{"".join(parts)}</svg>'
