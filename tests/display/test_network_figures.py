"""Drawings of networks, tested by the words in them."""

import re

from musegen_lib.display.network_figures import (
    EDGES,
    PLACES,
    backprop_slider,
    computation_graph,
    layer_chain,
)

NODES = [*PLACES, "w11", "w12", "w21", "w22", "v1", "v2"]
VALUES = {name: number / 10 for number, name in enumerate(NODES)}


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_a_graph_shows_each_value_and_only_the_known_slopes():
    graph = computation_graph(VALUES, {"s": 0.7213, "w21": -0.68}, "A graph")
    found = texts(graph.svg)
    assert {"w21 = 1.10", "+0.72", "-0.68"} <= set(found)
    assert sum(word[0] in "+-" for word in found) == 2
    assert graph.svg.count("<path") == len(EDGES)
    assert repr(graph) == "A graph"


def test_the_slider_ends_with_every_slope():
    slider = backprop_slider(VALUES, dict.fromkeys([*PLACES, *VALUES], 0.5))
    assert slider.names[0] == "inputs"
    assert slider.names[-1] == "← w"
    assert texts(slider.panels[0]).count("+0.50") == 0
    assert texts(slider.panels[-1]).count("+0.50") == len(VALUES) - 2  # none for the inputs


def test_a_chain_has_a_box_a_layer_and_an_arrow_between():
    chain = layer_chain([("in", "(B, 2)"), ("out", "(B, 1)")], ["Linear|tanh"], "Two layers")
    assert texts(chain.svg) == ["in", "(B, 2)", "Linear", "tanh", "out", "(B, 1)"]


def test_letters_can_be_read_in_the_column_of_the_book():
    boxes = [("4 pitches", "(B, 4)"), ("one-hot", "(B, 172)"), ("hidden", "(B, 64)"), ("logits", "(B, 42)")]
    chain = layer_chain([*boxes, ("probabilities", "(B, 42)")], ["43 cells|each", "Linear", "Linear", "softmax"], "x")
    graph = computation_graph(VALUES, VALUES, "A graph")
    for svg, column in ((chain.svg, 688), (graph.svg, 662)):  # the second stands in a slider
        scale = min(1, column / float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1]))
        assert min(map(int, re.findall(r'font-size="(\d+)"', svg))) * scale > 12.8
