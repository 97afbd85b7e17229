"""Figures by their data, and the rule that each one is described in words."""

import io

import matplotlib.image
import numpy as np
import pytest
from matplotlib import pyplot

from musegen_lib.core.piece import Piece
from musegen_lib.display import figures as show

DUET = Piece.from_notes([(0, 4, 72), (4, 4, 74), (0, 8, 60, 80, 1)], title="Duet")


def bars(fig):
    return [patch for patch in fig.axes[0].patches if patch.get_height() < 1]


def test_a_piano_roll_has_one_bar_a_note_where_the_note_is():
    found = {(bar.get_x(), round(bar.get_y() + bar.get_height() / 2)) for bar in bars(show.piano_roll(DUET))}
    assert found == {(0, 72), (4, 74), (0, 60)}


def test_voices_differ_in_colour_and_in_pattern():
    looks = {(bar.get_facecolor(), bar.get_hatch()) for bar in bars(show.piano_roll(DUET))}
    assert len(looks) == 2
    assert len({hatch for _, hatch in looks}) == 2


def test_several_pieces_are_drawn_one_below_the_other():
    fig = show.piano_roll(DUET, DUET.voice(1).replace(title="Bass"))
    assert [ax.get_title() for ax in fig.axes] == ["Duet", "Bass"]
    assert [sum(patch.get_height() < 1 for patch in ax.patches) for ax in fig.axes] == [3, 1]


def test_showing_closes_a_figure_of_pyplot(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    fig = pyplot.figure(figsize=(1, 1))
    assert show.show(fig, "An empty figure, shown once.") is None
    assert [picture.alt for picture in shown] == ["An empty figure, shown once."]
    assert not pyplot.fignum_exists(fig.number)


def test_bars_are_numbered_from_one_and_a_pickup_is_bar_zero():
    ticks = [t.get_text() for t in show.piano_roll(DUET).axes[0].get_xticklabels()]
    upbeat = show.piano_roll(DUET.replace(pickup_steps=4)).axes[0].get_xticklabels()
    assert ticks == ["1"]
    assert [t.get_text() for t in upbeat] == ["0", "1"]


@pytest.mark.parametrize("alt", ["", "a roll", " " * 30])
def test_a_figure_without_a_sentence_is_refused(alt):
    with pytest.raises(ValueError, match="too short"):
        show.picture(show.piano_roll(DUET), alt)


def test_a_picture_is_a_small_png_with_its_words():
    picture = show.picture(show.piano_roll(DUET), "Piano roll of a duet of two voices.")
    data, metadata = picture._repr_mimebundle_()
    assert len(data["image/png"]) < 60_000
    assert matplotlib.image.imread(io.BytesIO(data["image/png"])).shape[2] in (3, 4)
    assert data["text/plain"] == metadata["image/png"]["alt"] == "Piano roll of a duet of two voices."


def test_the_same_figure_gives_the_same_bytes():
    first, second = (show.picture(show.piano_roll(DUET), "Piano roll of a duet.").png for _ in range(2))
    assert first == second


def test_curves_are_named_and_hold_their_data():
    fig = show.curves([1, 2, 3], {"train": [3, 2, 1], "valid": [3, 2.5, 2.6]}, "step", "nats")
    axes = fig.axes[0]
    assert [list(line.get_ydata()) for line in axes.lines] == [[3, 2, 1], [3, 2.5, 2.6]]
    assert {text.get_text().strip() for text in axes.texts} == {"train", "valid"}
    assert len({line.get_linestyle() for line in axes.lines}) == 2


def test_names_of_curves_that_end_together_do_not_overlap():
    fig = show.curves([0, 1], {"a": [0, 1], "b": [2, 1], "c": [1, 1]}, "step", "nats")
    heights = sorted(text.get_position()[1] for text in fig.axes[0].texts)
    assert min(np.diff(heights)) > 0.05


def test_a_piece_without_notes_is_drawn_too():
    assert bars(show.piano_roll(Piece.from_notes([]))) == []


def test_a_bar_chart_has_a_bar_a_name_the_first_on_top_and_its_lines():
    fig = show.bars({"chain": 2.86, "network": 2.12}, "nats per note", {"chain": 0.02}, {"chance level": 7.94})
    axes = fig.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [2.86, 2.12]
    assert axes.yaxis_inverted()
    assert {"2.86", "2.12", "chance level"} <= {text.get_text() for text in axes.texts}
    assert axes.get_xlabel() == "nats per note"


def test_points_show_each_seed_their_mean_and_an_error_bar():
    values, errors = {"a": [1.0, 2.0, 3.0], "b": [0.0, 0.0, 0.3]}, {"a": 0.5, "b": 0.1}
    fig = show.points(values, "difference", errors, ("reference", 0))
    ax = fig.axes[0]
    assert [line.get_xdata().tolist() for line in ax.lines if len(line.get_xdata()) == 3] == [[1, 2, 3], [0, 0, 0.3]]
    means = [line.get_xdata().tolist() for line in ax.lines if line.get_marker() == "D"]
    assert np.allclose(means, [[2], [0.1]])
    bar = ax.collections[0].get_segments()[0]
    assert bar[:, 0].tolist() == [1.5, 2.5]
    assert [text.get_text() for text in ax.texts] == ["reference"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
