"""What a transfer is measured by: known outcomes have known figures, real tunes set the scale."""

import numpy as np
import pytest

from musegen_lib.corpus.chinese_german import STYLES, load_held_out, load_side, other_style
from musegen_lib.models.style.baselines import counted, random_target, unchanged
from musegen_lib.models.style.evaluation.measures import (
    COPIED_RUN,
    copied,
    evaluate_method,
    evaluate_pieces,
    fluency,
    real_tunes,
)

NAMES = {
    *(f"judged {name}" for name in ("pitch", "rhythm", "combined", "rolls")),
    *("notes kept", "contour kept", "rhythm kept", "chroma cosine"),
    *("nats a note", "nats recurrent", "nats rhythm", "in one scale", "copied", "longest run", "tunes"),
}


def tunes(style, n=12):
    return list(load_held_out(style, "valid")[:n])


@pytest.mark.parametrize("to", STYLES)
def test_unchanged_tunes_keep_all_and_a_target_tune_is_judged_as_one_and_is_copied(to):
    pieces = tunes(other_style(to))
    same, other = (evaluate_method(rewrite, to, 0.2, pieces, 0) for rewrite in (unchanged, random_target))
    assert same.keys() == other.keys() == NAMES
    assert [same[name] for name in ("notes kept", "contour kept", "rhythm kept", "chroma cosine")] == pytest.approx(
        [1.0] * 4
    )
    assert same["judged combined"] < 0.2
    assert other["judged combined"] > 0.8
    assert (other["copied"], other["notes kept"]) > (0.9, 0)
    assert other["longest run"] >= COPIED_RUN
    assert same["copied"] < 0.2


@pytest.mark.parametrize("to", STYLES)
def test_real_tunes_of_the_target_are_the_most_fluent(to):
    real, source = real_tunes(to), fluency(tunes(other_style(to)), to)
    assert real["nats a note"] < source["nats a note"] - 0.4
    assert real["nats recurrent"] < source["nats recurrent"] - 0.4
    assert real["judged combined"] > 0.95
    assert real["copied"] < 0.15


def test_a_training_tune_is_a_copy_and_a_copied_run_does_not_depend_on_the_key():
    tune = next(piece for piece in load_side("german", "transfer", "train") if len(piece) > COPIED_RUN)
    assert copied([tune.transpose(1)], "german")["copied"] == 1
    short = tune.replace(notes=tune.notes[: COPIED_RUN - 1])
    assert copied([short], "german")["copied"] == 0


def test_the_outcome_is_measured_against_the_tune_it_came_from():
    pieces = tunes("german", 4)
    made = [counted(piece, "chinese", 0.2, 0) for piece in pieces]
    right, wrong = evaluate_pieces(pieces, made, "chinese"), evaluate_pieces(pieces, made[::-1], "chinese")
    assert right["notes kept"] > 0.75 > wrong["notes kept"]
    assert np.isclose(right["nats a note"], wrong["nats a note"])
