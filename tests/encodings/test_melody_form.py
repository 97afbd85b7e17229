"""Forms of melodies: found in the notes, written in letters, laid out from a wish."""

import numpy as np
import pytest
from tiny_tunes import make_tune, make_tunes

from musegen_lib.core.errors import MusegenError
from musegen_lib.encodings.melody_events import REST_ID
from musegen_lib.encodings.melody_form import (
    NEW,
    NOT_TOLD,
    SAME,
    SAME_RHYTHM,
    events_to_bars,
    events_to_form,
    form_of_events,
    parse_form,
)

A, A_HIGHER, B = [(10, 4), (12, 4)], [(11, 4), (15, 4)], [(14, 2), (15, 6)]  # bars of 2/4


def tune_of(*bars, pickup=0):
    return make_tune([event for bar in bars for event in bar], metre="2/4", pickup=pickup)


@pytest.mark.parametrize(
    ("bars", "form"),
    [
        ((A, B, A, B), "a b a b"),
        ((A, A_HIGHER, A), "a a' a"),
        ((A, B, A_HIGHER, A_HIGHER), "a b a' a'"),
        ((A, B, A, A), "a b a a"),
        ((A,), "a"),
    ],
)
def test_letters_say_what_returns(bars, form):
    assert str(events_to_form(tune_of(*bars))) == form


def test_a_repetition_that_goes_on_keeps_its_distance():
    form = events_to_form(tune_of(A, A, B, A, A))
    assert form.lags.tolist() == [0, 1, 0, 3, 3]  # bar 4 equals bars 3, 1 and 0: it goes on from bar 3
    assert form.relations.tolist() == [NEW, SAME, NEW, SAME, SAME]


def test_a_pickup_belongs_to_no_bar_and_a_last_bar_that_completes_it_is_new():
    tune = tune_of([(9, 2)], A, A, [(10, 6)], pickup=2)
    assert str(events_to_form(tune)) == "a a b"
    relations, sources = form_of_events(tune)
    assert relations[0].tolist() == [NOT_TOLD, NEW]
    assert sources.tolist() == [-1, -1, -1, 1, 2, -1, -1]
    assert parse_form("AA", 4).with_free_end().relations.tolist() == [NEW, NEW, SAME, NEW]


def test_a_bar_into_which_a_note_runs_neither_returns_nor_is_returned_to():
    tune = make_tune([(10, 12), (12, 4), (10, 12), (12, 4)], metre="2/4")
    assert events_to_bars(tune)[1] is None
    assert events_to_form(tune).relations[1] == NEW


def test_a_rest_is_part_of_the_rhythm():
    assert str(events_to_form(tune_of([(10, 4), (REST_ID, 4)], [(10, 4), (12, 4)]))) == "a b"


def test_each_event_is_told_the_event_that_returns():
    relations, sources = form_of_events(tune_of(A, B, A))
    assert relations.tolist()[-3:] == [[SAME, NOT_TOLD], [SAME, NOT_TOLD], [NOT_TOLD, NOT_TOLD]]
    assert sources.tolist() == [-1, -1, -1, -1, 0, 1, -1]


def test_a_form_found_in_any_tune_points_to_equal_bars():
    for tune in make_tunes(30, seed=5, low=8, high=9):
        bars, form = events_to_bars(tune), events_to_form(tune)
        for bar in np.flatnonzero(form.relations == SAME):
            assert bars[bar] == bars[bar - form.lags[bar]]
        assert ((form.lags == 0) == (form.relations == NEW)).all()


def test_a_wish_is_laid_out_in_equal_sections():
    form = parse_form("AABB", 16)
    assert str(form) == "a b c d a b c d e f g h e f g h"
    assert form.whole_bars == {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
    varied = parse_form("ABA'", 12)
    assert varied.relations.tolist() == [NEW] * 8 + [SAME] * 2 + [SAME_RHYTHM] * 2
    assert varied.lags.tolist() == [0] * 8 + [8] * 4


@pytest.mark.parametrize(
    ("form", "bars", "message"),
    [("AA B", 16, "write a letter"), ("", 8, "write a letter"), ("AAB", 16, "equal sections")],
)
def test_a_form_that_cannot_be_laid_out_is_refused(form, bars, message):
    with pytest.raises(MusegenError, match=message):
        parse_form(form, bars)
