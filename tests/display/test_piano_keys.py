"""The drawn keyboard, tested by the words in it."""

import re

import pytest

from musegen_lib.display import keyboard


def test_each_key_has_its_number_and_each_white_one_its_name():
    words = re.findall(r"<text[^>]*>([^<]*)</text>", keyboard().svg)
    assert sorted(int(word) for word in words if word.isdigit()) == list(range(60, 73))
    assert [word for word in words if word.isalpha()] == list("CDEFGABC")


def test_a_black_key_lies_between_its_white_ones():
    rows = re.findall(r'<rect x="(\d+)" y="2" width="(\d+)"', keyboard(60, 64).svg)
    places = [int(x) + int(wide) / 2 for x, wide in rows]
    assert places[3:] == [sum(places[:2]) / 2, sum(places[1:3]) / 2]


def test_the_ends_are_white_keys():
    with pytest.raises(ValueError, match="must be white"):
        keyboard(61, 72)
