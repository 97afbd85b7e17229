"""Figures: piano rolls, tables of numbers, curves. All through `show(fig, alt=...)`, readable by the colour-blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from musegen_lib.core.keys import PITCH_CLASSES
from musegen_lib.core.paths import replacing
from musegen_lib.core.piano_roll_svg import VOICE_COLOURS
from musegen_lib.core.piece import Piece

STYLE = {
    "figure.dpi": 100,
    "figure.figsize": (8, 3.2),
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=VOICE_COLOURS),
    "font.size": 11,
    "svg.hashsalt": "musegen",
}
HATCHES = (None, "///", "...", "xxx")  # voices differ by pattern too
MIN_ALT_CHARACTERS = 20


@dataclass(frozen=True)
class Picture:
    """A finished figure with the words that replace it for readers who do not see it."""

    png: bytes
    alt: str

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        return {"text/plain": self.alt, "image/png": self.png}, {"image/png": {"alt": self.alt}}


def show(fig: Figure, alt: str) -> None:
    """Show a figure in a notebook; `alt` says in a sentence what is to be seen."""
    from IPython.display import display
    from matplotlib import pyplot

    display(picture(fig, alt))
    pyplot.close(fig)  # a figure made by pyplot would be shown again at the end of the cell


def picture(fig: Figure, alt: str) -> Picture:
    """Turn a figure into a picture with alternative text; ValueError if the text says too little."""
    if len(alt.strip()) < MIN_ALT_CHARACTERS:
        raise ValueError(f"alt text {alt!r} is too short: say in a sentence what the figure shows")
    file = BytesIO()
    fig.savefig(file, format="png", metadata={"Software": None})
    return Picture(file.getvalue(), alt)


def piano_roll(*pieces: Piece) -> Figure:
    """Draw pieces, one below the other: bars of time to the right, pitch upwards, voices told apart by colour and
    pattern.
    """
    with mpl.rc_context(STYLE):
        width, height = STYLE["figure.figsize"]
        fig = Figure(figsize=(width, height * len(pieces)))
        for ax, piece in zip(fig.subplots(len(pieces), squeeze=False)[:, 0], pieces):
            _draw_notes(ax, piece)
            _name_bars_and_pitches(ax, piece)
    return fig


def _draw_notes(ax: Axes, piece: Piece) -> None:
    for onset, duration, pitch, _, voice in piece.notes.tolist():
        look = {"color": VOICE_COLOURS[voice % 4], "hatch": HATCHES[voice % 4], "edgecolor": "white"}
        ax.barh(pitch, duration - 0.15, left=onset, height=0.85, linewidth=0.5, **look)


def _name_bars_and_pitches(ax: Axes, piece: Piece) -> None:
    lines = piece.bar_onsets.tolist()
    for line in lines:
        ax.axvline(line, color="0.8", linewidth=0.8, zorder=0)
    first = 0 if piece.pickup_steps else 1
    every = max(1, len(lines) // 12)
    ax.set_xticks(lines[::every], [str(first + number) for number in range(0, len(lines), every)])
    low, high = ax.get_ylim()
    named = [pitch for pitch in range(128) if pitch % 12 in (0, 7) and low <= pitch <= high]
    ax.set_yticks(named, [pitch_name(pitch) for pitch in named])
    time = "bar" if piece.metre else "step"
    ax.set(xlabel=time, ylabel="pitch", title=piece.title, xlim=(0, max(1, piece.n_steps)))


def pitch_name(pitch: int) -> str:
    """Name a MIDI pitch.

    >>> pitch_name(60), pitch_name(78)
    ('C4', 'F#5')
    """
    return f"{PITCH_CLASSES[pitch % 12]}{pitch // 12 - 1}"


def curves(x: Sequence[float], lines: Mapping[str, Sequence[float]], xlabel: str, ylabel: str) -> Figure:
    """Draw lines over one axis, each named at its end and with its own dashes."""
    dashes = ("-", "--", "-.", ":")
    with mpl.rc_context(STYLE):
        fig = Figure()
        ax = fig.subplots()
        drawn = [ax.plot(x, y, dashes[n % 4], linewidth=2)[0] for n, y in enumerate(lines.values())]
        ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(min(x), max(x)))
        ends = ax.transAxes.inverted().transform([ax.transData.transform((x[-1], y[-1])) for y in lines.values()])[:, 1]
        for name, line, height in zip(lines, drawn, _spread(ends)):
            ax.text(1.01, height, name, color=line.get_color(), va="center", transform=ax.transAxes)
    return fig


def bars(
    values: Mapping[str, float],
    xlabel: str,
    errors: Mapping[str, float] | None = None,
    lines: Mapping[str, float] | None = None,
) -> Figure:
    """Draw one horizontal bar a name, with its number.

    Args:
        values: from the name to the length of its bar, the first on top.
        errors: half the width of an error bar, such as a standard error; the label has to say which.
        lines: names and places of dashed lines, such as a baseline or chance level.
    """
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(8, 0.9 + 0.45 * len(values)))
        ax = fig.subplots()
        errors = errors or {}
        ax.barh(list(values), list(values.values()), xerr=[errors.get(name, 0) for name in values], height=0.6)
        ax.invert_yaxis()
        ax.set_xlabel(xlabel)
        right = max(value + errors.get(name, 0) for name, value in values.items())
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # so that a dashed line does not cross a number
        for row, (name, value) in enumerate(values.items()):
            place = max(value, 0) + errors.get(name, 0) + 0.01 * right
            ax.text(place, row, f"{value:.3g}", va="center", bbox=paper)
        for name, place in (lines or {}).items():
            ax.axvline(place, color="black", linestyle="--", linewidth=1)
            ax.annotate(name, (place, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=9)
    return fig


def points(
    values: Mapping[str, Sequence[float]], xlabel: str, errors: Mapping[str, float], line: tuple[str, float]
) -> Figure:
    """Draw repeated measurements as dots, one row a name, with their mean and an error bar around it.

    Bars have to start at 0; dots do not, so this is for differences that are small beside the numbers themselves.

    Args:
        values: from the name to one number a repetition, such as a seed; the first name on top.
        errors: half the width of the error bar; the label has to say which.
        line: the name and place of a dashed line to compare with.
    """
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(8, 1.2 + 0.42 * len(values)))
        ax = fig.subplots()
        for row, (name, found) in enumerate(values.items()):
            mean = float(np.mean(found))
            ax.plot(found, [row + 0.22] * len(found), "o", color="0.55", markersize=4)
            ax.errorbar(mean, row, xerr=errors[name], fmt="D", color=VOICE_COLOURS[0], markersize=6, capsize=5)
            ax.axhline(row, color="0.9", linewidth=0.8, zorder=0)
        ax.set_yticks(range(len(values)), list(values))
        ax.axvline(line[1], color="black", linestyle="--", linewidth=1)
        ax.annotate(line[0], (line[1], 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=11)
        ax.set(xlabel=xlabel, ylim=(len(values) - 0.4, -0.6))
    return fig


def _spread(heights: Sequence[float], gap: float = 0.08) -> list[float]:
    """Move heights apart, so that words at them do not overlap.

    >>> _spread([0.5, 0.1, 0.5])
    [0.5, 0.1, 0.58]
    """
    placed = [float(height) for height in heights]
    order = sorted(range(len(placed)), key=placed.__getitem__)
    for below, above in pairwise(order):
        placed[above] = max(placed[above], placed[below] + gap)
    return placed


def write_piano_roll(piece: Piece, path: Path) -> None:
    """Write the piano roll as a PNG file, whole or not at all."""
    png = picture(piano_roll(piece), f"Piano roll of {piece!r}").png
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(png)
