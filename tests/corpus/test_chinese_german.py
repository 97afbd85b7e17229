"""The two sides of the style pair: no file on both, parts apart, phrase ends read from marks or from the music."""

import numpy as np
import pytest

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import (
    CLASSIFIER_FILES,
    SIDES,
    STYLES,
    load_held_out,
    load_side,
    marked_ends,
    other_style,
    phrase_ends,
)


def ids(corpus):
    return set(corpus.column("id").tolist())


@pytest.mark.parametrize("style", STYLES)
def test_no_source_file_is_on_both_sides_and_every_judge_file_is_used(style):
    files = [{name.split(".")[0] + "." for name in ids(load_side(style, side))} for side in SIDES]
    assert not files[0] & files[1]
    assert files[0] == set(CLASSIFIER_FILES[style])


@pytest.mark.parametrize("style", STYLES)
def test_parts_are_apart_and_held_out_tunes_were_trained_on_by_nobody(style):
    held_out, parts = ids(load_held_out(style)), [ids(load_side(style, side, "train")) for side in SIDES]
    assert not held_out & (parts[0] | parts[1])
    assert not ids(load_held_out(style, "valid")) & (held_out | parts[0] | parts[1])
    assert held_out <= ids(load_side(style, "judge")) | ids(load_side(style, "transfer"))


def test_held_out_tunes_are_equally_many_and_the_same_each_time():
    assert len(load_held_out("chinese")) == len(load_held_out("german")) > 100
    rows = load_held_out("german").rows
    load_held_out.cache_clear()
    assert np.array_equal(rows, load_held_out("german").rows)


def test_a_corpus_tune_has_its_marks_and_a_foreign_one_is_read():
    corpus = load_side("german", "judge", "valid")
    tune = corpus[0]
    assert marked_ends(tune)[:-1].tolist() == corpus.marks(0)[:-1].tolist()
    assert marked_ends(tune.replace(source="mine")).tolist() == phrase_ends(tune).tolist()


def test_a_phrase_ends_before_a_rest_and_at_the_end():
    piece = Piece.from_notes([(0, 4, 60), (4, 4, 62), (12, 4, 64), (16, 4, 65)])
    assert phrase_ends(piece).tolist() == [False, True, False, True]
    assert phrase_ends(Piece.from_notes([])).shape == (0,)
    assert phrase_ends(Piece.from_notes([(0, 1, 60)])).tolist() == [True]


def test_unknown_names_are_answered_with_those_there_are():
    with pytest.raises(MusegenError, match="choose one of chinese, german"):
        load_side("irish", "judge")
    with pytest.raises(MusegenError, match="choose one of judge, transfer"):
        load_side("german", "critic")
    assert other_style("german") == "chinese"
