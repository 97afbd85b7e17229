"""Figures: piano rolls, tables of numbers, curves. All through `show(fig, alt=...)`, readable by the colour-blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from musegen_lib.paths import replacing
from musegen_lib.piece import PITCH_CLASSES, Piece
from musegen_lib.roll_svg import VOICE_COLOURS

STYLE = {
    "figure.dpi": 80,
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

    display(picture(fig, alt))


def picture(fig: Figure, alt: str) -> Picture:
    """Turn a figure into a picture with alternative text; ValueError if the text says too little."""
    if len(alt) < MIN_ALT_CHARACTERS:
        raise ValueError(f"alt text {alt!r} is too short: say in a sentence what the figure shows")
    file = BytesIO()
    fig.savefig(file, format="png", metadata={"Software": None})
    return Picture(file.getvalue(), alt)


def piano_roll(piece: Piece) -> Figure:
    """Draw a piece: bars of time to the right, pitch upwards, voices told apart by colour and pattern."""
    with mpl.rc_context(STYLE):
        fig = Figure()
        ax = fig.subplots()
        for onset, duration, pitch, _, voice in piece.notes.tolist():
            look = {"color": VOICE_COLOURS[voice % 4], "hatch": HATCHES[voice % 4], "edgecolor": "white"}
            ax.barh(pitch, duration - 0.15, left=onset, height=0.85, linewidth=0.5, **look)
        lines = piece.bar_onsets.tolist()
        every = max(1, len(lines) // 12)
        ax.vlines(lines, *ax.get_ylim(), color="0.8", linewidth=0.8, zorder=0)
        numbers = range(0 if piece.pickup_steps else 1, len(lines) + 1)
        ax.set_xticks(lines[::every], [str(number) for number, _ in zip(numbers, lines)][::every])
        named = [
            pitch for pitch in range(128) if pitch % 12 in (0, 7) and ax.get_ylim()[0] <= pitch <= ax.get_ylim()[1]
        ]
        ax.set_yticks(named, [pitch_name(pitch) for pitch in named])
        ax.set(
            xlabel="bar" if piece.metre else "step", ylabel="pitch", title=piece.title, xlim=(0, max(1, piece.n_steps))
        )
    return fig


def pitch_name(pitch: int) -> str:
    """Name a MIDI pitch.

    >>> pitch_name(60), pitch_name(78)
    ('C4', 'F#5')
    """
    return f"{PITCH_CLASSES[pitch % 12]}{pitch // 12 - 1}"


def transition_matrix(table: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw a table of shares, rows first: how often `names[column]` follows `names[row]`."""
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(5.4, 4.6))
        ax = fig.subplots()
        image = ax.imshow(table, cmap="viridis")
        ax.set_xticks(range(len(names)), names)
        ax.set_yticks(range(len(names)), names)
        ax.set(xlabel="next", ylabel="this")
        fig.colorbar(image, label="share of the row")
    return fig


def curves(x: Sequence[float], lines: Mapping[str, Sequence[float]], xlabel: str, ylabel: str) -> Figure:
    """Draw lines over one axis, each named at its end and with its own dashes."""
    dashes = ("-", "--", "-.", ":")
    with mpl.rc_context(STYLE):
        fig = Figure()
        ax = fig.subplots()
        for number, (name, y) in enumerate(lines.items()):
            (line,) = ax.plot(x, y, dashes[number % 4], linewidth=2)
            ax.annotate(f" {name}", (x[-1], y[-1]), color=line.get_color(), va="center")
        ax.margins(x=0.02)
        ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(min(x), max(x) + 0.25 * (max(x) - min(x))))
    return fig


def write_piano_roll(piece: Piece, path: Path) -> None:
    """Write the piano roll as a PNG file, whole or not at all."""
    png = picture(piano_roll(piece), f"Piano roll of {piece!r}").png
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(png)
