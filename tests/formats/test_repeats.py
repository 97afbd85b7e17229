"""Order of play, against what a musician reads; a letter is a measure of four ticks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musegen_lib.formats.repeats import Measure, play_changes, play_notes, playing_order


def measures(n, **signs):
    """n measures; signs by their number, such as m1={"times": 2}."""
    row = [Measure(4 * i, 4 * i + 4) for i in range(n)]
    for name, values in signs.items():
        row[int(name[1:])] = replace(row[int(name[1:])], **values)
    return row


def letters(row):
    """The order of play in letters: 'AAB'."""
    return "".join(chr(65 + t // 4) for start, stop in playing_order(row) for t in range(start, stop, 4))


TWICE, BEGIN = {"times": 2}, {"repeat_begins": True}


@pytest.mark.parametrize(
    ("row", "order"),
    [
        (measures(3), "ABC"),
        (measures(2, m0=TWICE), "AAB"),
        (measures(2, m0={"times": 3}), "AAAB"),
        (measures(4, m1=BEGIN, m2=TWICE), "ABCBCD"),
        (measures(4, m1=TWICE, m3=TWICE), "ABABCDCD"),  # a sign without partner goes back to the last one
        (measures(3, m1={"endings": (1,)} | TWICE, m2={"endings": (2,)}), "ABAC"),
        (measures(3, m1={"endings": (1,)}, m2={"endings": (2,)}), "ABAC"),  # the sign forgotten
        (measures(3, m1={"endings": (1,)} | TWICE, m2={"endings": (2,)} | TWICE), "ABAC"),
        (measures(3, m1={"endings": (1, 2, 3)} | TWICE, m2={"endings": (4,)}), "ABABABAC"),
        (measures(3, m1={"endings": (1,)} | TWICE), "ABAC"),  # a first ending alone
        (measures(5, m1={"endings": (1,)} | TWICE, m2={"endings": (2,)}, m4=TWICE), "ABACDEDE"),
        (measures(5, m1={"endings": (1,)}, m2={"endings": (1,)} | TWICE, m3={"endings": (2,)}), "ABCADE"),
        (measures(3, m0={"is_fine": True}, m2={"jump": "da capo"}), "ABCA"),
        (measures(3, m0=TWICE | {"is_fine": True}, m2={"jump": "da capo"}), "AABCA"),
        (measures(4, m1={"is_segno": True, "is_fine": True}, m3={"jump": "dal segno"}), "ABCDB"),
        (measures(4, m0={"to_coda": True}, m2={"jump": "da capo"}, m3={"is_coda": True}), "ABCAD"),
        (measures(3, m2={"jump": "da capo"}), "ABCABC"),
        (measures(4, m1={"endings": (1,)} | TWICE, m2={"endings": (2,)}, m3={"jump": "da capo"}), "ABACDACD"),
    ],
)
def test_measures_are_played_in_the_order_a_musician_reads(row, order):
    assert letters(row) == order


def test_more_than_can_be_played_is_refused():
    with pytest.raises(ValueError, match="--as-written"):
        playing_order(measures(1, m0={"times": 10_000}))


def test_a_note_over_a_repeat_goes_on_where_the_music_does():
    tied = [(0, 2, 60), (2, 6, 62), (6, 8, 64)]  # 62 is held from the first measure into the second
    assert play_notes(tied, playing_order(measures(2, m0=TWICE))) == [
        [0, 2, 60], [2, 4, 62], [4, 6, 60], [6, 10, 62], [10, 12, 64],
    ]  # fmt: skip


def test_a_note_that_reaches_into_another_ending_is_struck_anew_or_goes_on():
    spans = [(0, 4), (8, 12)]
    assert play_notes([(0, 4, 60), (6, 10, 62)], spans) == [[0, 4, 60], [4, 6, 62]]
    assert play_notes([(0, 4, 62), (6, 10, 62)], spans) == [[0, 6, 62]]


def test_each_span_begins_with_what_is_in_force_there():
    changes = [(0, "4/4"), (4, "3/4")]
    assert play_changes(changes, [(0, 8), (0, 8)]) == [(0, "4/4"), (4, "3/4"), (8, "4/4"), (12, "3/4")]
