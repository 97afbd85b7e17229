"""A drawn piano keyboard with the numbers of its keys."""

from __future__ import annotations

from musegen_lib.core.keys import PITCH_CLASSES
from musegen_lib.display.network_figures import Drawing, svg_document, svg_text

BLACK = {1, 3, 6, 8, 10}  # pitch classes
WIDE, TALL, SHORT = 50, 150, 92  # pixels: width of a white key, height of a white and of a black one


def keyboard(low: int = 60, high: int = 72, marked: tuple[int, ...] = (60,)) -> Drawing:
    """Draw the keys from a white one to a white one, each with its pitch number, the white ones with their names too.

    Args:
        marked: pitches to colour.
    Raises:
        ValueError: the lowest or highest key is black.
    """
    if {low % 12, high % 12} & BLACK:
        raise ValueError(f"the keys {low} and {high} must be white ones")
    white, black = [], []
    for pitch in range(low, high + 1):
        x = 2 + WIDE * (len(white) // 3)
        if pitch % 12 in BLACK:
            left = x - 15
            fill = "#0072b2" if pitch in marked else "#222"
            black.append(f'<rect x="{left}" y="2" width="30" height="{SHORT}" rx="3" fill="{fill}" stroke="#222"/>')
            black.append(svg_text(x, SHORT - 8, str(pitch), "#fff", 14))
            continue
        fill = "#cfe4f5" if pitch in marked else "#fff"
        white.append(f'<rect x="{x}" y="2" width="{WIDE}" height="{TALL}" rx="4" fill="{fill}" stroke="#333"/>')
        white.append(svg_text(x + WIDE / 2, TALL - 32, PITCH_CLASSES[pitch % 12], "#222", 17))
        white.append(svg_text(x + WIDE / 2, TALL - 10, str(pitch), "#0072b2", 15))
    alt = f"Piano keys numbered {low} to {high} from left to right, black ones included, one semitone a key."
    return Drawing(svg_document(4 + WIDE * (len(white) // 3), TALL + 4, [*white, *black], alt), alt)
