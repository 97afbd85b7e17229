"""Pictures of arrays that hold music: tokens step by step, events note by note, a grid of voices, shares in a table."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from musegen_lib.core.piano_roll_svg import VOICE_COLOURS
from musegen_lib.display.figures import STYLE

HELD, SILENT = "#cfe2f3", "#ffffff"
HOLD_TOKEN, REST_TOKEN = 0, 1


def token_figure(tokens: Int[np.ndarray, "T"], steps_per_row: int = 16) -> Figure:
    """Draw one cell a token, one bar a row: dark where a note is struck, pale where it is held, white in a rest."""
    n_rows = -(-len(tokens) // steps_per_row)
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(8, 0.8 + 0.45 * n_rows))
        ax = fig.subplots()
        for step, token in enumerate(np.asarray(tokens).tolist()):
            row, column = divmod(step, steps_per_row)
            _cell(ax, column, row, token, token not in (HOLD_TOKEN, REST_TOKEN), token == HOLD_TOKEN, VOICE_COLOURS[0])
        ax.set(xlim=(0, steps_per_row), ylim=(n_rows, 0), xlabel="step of the bar (sixteenth notes)", ylabel="bar")
        ax.set_xticks(np.arange(0, steps_per_row, 4) + 0.5, range(1, steps_per_row + 1, 4))
        ax.set_yticks(np.arange(n_rows) + 0.5, range(1, n_rows + 1))
    return fig


def event_figure(events: Int[np.ndarray, "N 2"], steps_per_bar: int = 16) -> Figure:
    """Draw one box an event, as wide as the event is long: the pitch above, the duration below."""
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(8, 1.3))
        ax = fig.subplots()
        now = 0
        for number, (pitch, duration) in enumerate(np.asarray(events).tolist()):
            colour = (VOICE_COLOURS[0], VOICE_COLOURS[2])[number % 2] if pitch else SILENT
            ax.add_patch(Rectangle((now + 0.1, 0), duration - 0.2, 1, facecolor=colour, edgecolor="white"))
            ink = "white" if pitch else "black"
            ax.text(now + duration / 2, 0.5, f"{pitch}\n{duration}", ha="center", va="center", color=ink, fontsize=9)
            now += duration
        ax.set(xlim=(0, now), ylim=(0, 1), yticks=[], xlabel="bar")
        ax.spines["left"].set_visible(False)
        starts = range(0, now, steps_per_bar)
        ax.set_xticks(starts, range(1, len(starts) + 1))
    return fig


def grid_figure(grid: Int[np.ndarray, "T voices"], names: Sequence[str]) -> Figure:
    """Draw a voice grid: one row a voice, dark where a pitch is struck, pale where it is held."""
    n_steps, n_voices = grid.shape
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(8, 0.8 + 0.45 * n_voices))
        ax = fig.subplots()
        for step, voice in np.ndindex(grid.shape):
            cell = int(grid[step, voice])
            _cell(ax, step, voice, cell, cell > 0, cell < 0, VOICE_COLOURS[voice % 4])
        ax.set(xlim=(0, n_steps), ylim=(n_voices, 0), xlabel="step (sixteenth notes)")
        ax.set_xticks(np.arange(0, n_steps, 4) + 0.5, range(1, n_steps + 1, 4))
        ax.set_yticks(np.arange(n_voices) + 0.5, names)
    return fig


def _cell(ax: mpl.axes.Axes, x: int, y: int, text: int, struck: bool, held: bool, colour: str) -> None:
    face = colour if struck else HELD if held else SILENT
    ax.add_patch(Rectangle((x, y), 1, 1, facecolor=face, edgecolor="0.7", linewidth=0.6))
    ink = "white" if struck else "0.35"
    ax.text(x + 0.5, y + 0.5, str(text), ha="center", va="center", color=ink, fontsize=8)


def share_figure(
    shares: np.ndarray, rows: Sequence[str], columns: Sequence[str], titles: Sequence[str], label: str
) -> Figure:
    """Draw tables of shares side by side, each cell with its number: the darker, the more.

    Args:
        shares: (tables, rows, columns) between 0 and 1.
        titles: what stands above each table.
        label: what a share is of.
    """
    with mpl.rc_context(STYLE):
        fig = Figure(figsize=(8.6, 1.5 + 0.5 * len(rows)))
        axes = fig.subplots(1, len(titles), sharey=True, squeeze=False)[0]
        for ax, values, title in zip(axes, shares, titles, strict=True):
            image = ax.imshow(values, cmap="YlOrBr", vmin=0, vmax=1, aspect="auto")
            for row, column in np.ndindex(values.shape):
                value = values[row, column]
                ink = "white" if value > 0.55 else "black"
                ax.text(column, row, f"{100 * value:.0f} %", ha="center", va="center", color=ink)
            ax.set_xticks(range(len(columns)), columns)
            ax.set_yticks(range(len(rows)), rows)
            ax.set_title(title, fontsize=11)
            ax.spines[:].set_visible(False)
        fig.colorbar(image, ax=list(axes), label=label)
    return fig
