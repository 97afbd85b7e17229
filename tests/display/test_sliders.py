"""A slider without a script."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import notebook_checks
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook, new_output

from musegen_lib.core.piece import Piece
from musegen_lib.display.figures import picture
from musegen_lib.display.score import score
from musegen_lib.display.sliders import states
from musegen_lib.display.sound import player

TUNE = Piece.from_notes([(0, 4, 60), (4, 4, 64)], metre="4/4", title="Two notes")


class Tags(HTMLParser):
    """Opening tags with their attributes, and whether each is closed."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("input", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def of(self, name):
        return [attrs for tag, attrs in self.tags if tag == name]


def two():
    return states({0.5: "<p>calm</p>", 1.0: "<p>wild</p>"}, "Temperature", start=1.0)


def test_each_state_has_a_radio_button_with_its_label_and_one_is_chosen():
    tags = Tags(two()._repr_html_())
    buttons = tags.of("input")
    assert tags.open == []
    assert [button["type"] for button in buttons] == ["radio", "radio"]
    assert len({button["name"] for button in buttons}) == 1  # one group: the arrow keys move in it
    assert [label["for"] for label in tags.of("label")] == [button["id"] for button in buttons]
    assert ["checked" in button for button in buttons] == [False, True]


def test_the_style_shows_the_panel_of_the_checked_button_alone():
    source = two()._repr_html_()
    own = Tags(source).of("fieldset")[0]["id"]
    assert f"#{own}>div{{display:none}}" in source
    for i, button in enumerate(Tags(source).of("input")):
        assert f"#{button['id']}:checked~.state-{i}" in source
    assert not re.search(r"(?m)^[^#@ ]*[.#](?!states-)\w+[^{}]*\{", source)  # no rule reaches what lies outside


def test_a_picture_a_player_and_a_score_can_be_states():
    drawing = picture(Figure(), alt="An empty drawing, for <nobody> to see")
    shown = states({"a": [drawing, player(TUNE, "Two notes")], "b": score(TUNE)}, "Forms")
    source = shown._repr_html_()
    assert Tags(source).of("img")[0]["alt"] == "An empty drawing, for <nobody> to see"
    assert len(notebook_checks.PLAYER.findall(source)) == 1
    assert "<svg" in source
    cell = new_code_cell("x", outputs=[new_output("display_data", shown._repr_mimebundle_())])
    assert notebook_checks.faults_of_outputs(new_notebook(cells=[cell])) == []


def test_readers_who_do_not_see_it_get_the_words():
    shown = states({"a & b": player(TUNE, "Two notes"), "c": "<p>calm</p>"}, "Tunes <2>")
    assert repr(shown) == "Tunes <2>\n[a & b] Player(Two notes, 2.0 s)\n[c] <p>calm</p>"
    assert "a &amp; b</label>" in shown._repr_html_()
    assert "<legend>Tunes &lt;2&gt;</legend>" in shown._repr_html_()


def test_ids_are_of_the_content_in_this_process_and_in_the_next():
    code = (
        "from musegen_lib.display.sliders import states\n"
        "print(states({0.5: '<p>calm</p>', 1.0: '<p>wild</p>'}, 'Temperature', start=1.0)._repr_html_())"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert again.rstrip("\n") == two()._repr_html_()
    other = states({0.5: "<p>calm</p>", 1.0: "<p>lost</p>"}, "Temperature")
    assert Tags(other._repr_html_()).of("fieldset")[0]["id"] not in again


@pytest.mark.parametrize(
    ("contents", "start", "fault"),
    [
        ({"a": "x"}, None, "two states"),
        ({"a": "x", "b": "y"}, "c", "none of the states a, b"),
        ({"a": "x", "b": 3}, None, "3 cannot be a state"),
    ],
)
def test_contents_that_are_no_states_are_refused(contents, start, fault):
    with pytest.raises(ValueError, match=fault):
        states(contents, "Title", start)
