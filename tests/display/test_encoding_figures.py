"""Pictures of encodings, tested by what they draw."""

import numpy as np

from musegen_lib.core.piano_roll_svg import VOICE_COLOURS
from musegen_lib.display.encoding_figures import event_figure, grid_figure, share_figure, token_figure


def words(fig, number=0):
    return [text.get_text() for text in fig.axes[number].texts]


def test_tokens_stand_one_bar_a_row_and_struck_ones_are_dark():
    fig = token_figure(np.array([14, 0, 1, 16, 0, 0]), steps_per_row=4)
    assert words(fig) == ["14", "0", "1", "16", "0", "0"]
    ax = fig.axes[0]
    assert [ax.patches[3].get_x(), ax.patches[4].get_x(), ax.patches[4].get_y()] == [3, 0, 1]
    assert [text.get_color() for text in ax.texts] == ["white", "0.35", "0.35", "white", "0.35", "0.35"]


def test_an_event_is_as_wide_as_it_is_long():
    fig = event_figure(np.array([[60, 4], [0, 2], [62, 8]]))
    assert words(fig) == ["60\n4", "0\n2", "62\n8"]
    assert np.allclose([patch.get_width() for patch in fig.axes[0].patches], [3.8, 1.8, 7.8])


def test_a_grid_has_a_row_a_voice():
    fig = grid_figure(np.array([[60, 48], [-60, 0]]), ["soprano", "bass"])
    assert words(fig) == ["60", "48", "-60", "0"]
    faces = [patch.get_facecolor()[:3] for patch in fig.axes[0].patches]
    assert len(set(faces)) == 4  # two voices struck, one held, one silent
    assert VOICE_COLOURS[0] != VOICE_COLOURS[1]


def test_shares_are_written_in_percent_table_by_table():
    shares = np.array([[[0.0, 0.126]], [[0.5, 1.0]]])
    fig = share_figure(shares, ["roll"], ["start", "length"], ["tunes", "chorales"], "lost")
    assert words(fig, 0) == ["0 %", "13 %"]
    assert words(fig, 1) == ["50 %", "100 %"]
