"""A diagram holds its boxes and arrows, and says which box is missing."""

import pytest

from musegen_lib.display.diagrams import network_diagram

BOXES = {"noise": (0, 0), "state": (1, 0), "bar": (2, 0)}


def test_boxes_and_the_words_on_arrows_are_drawn():
    ax = network_diagram(BOXES, [("noise", "state", "16"), ("state", "bar", "8 x 65"), ("bar", "state", "next")]).axes[
        0
    ]
    words = {text.get_text() for text in ax.texts}
    assert words >= {"noise", "state", "bar", "16", "8 x 65", "next"}
    (dashed,) = ax.lines  # the way back runs below the boxes
    assert min(dashed.get_ydata()) > 0


def test_an_arrow_to_no_box_is_refused():
    with pytest.raises(ValueError, match="no box is called drums"):
        network_diagram(BOXES, [("noise", "drums", "")])
