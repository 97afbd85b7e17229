"""Baselines of style transfer: they change what they say, no more notes than allowed, and the greedy step is greedy."""

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES, load_held_out, load_side, marked_ends, other_style
from musegen_lib.metrics.content import content_report, notes_kept
from musegen_lib.models.style.baselines import (
    AWAY_WEIGHT,
    MOVES,
    _gains,
    best_scale,
    counted,
    counted_between_ends,
    nearest_target,
    pasted_durations,
    random_target,
    snapped,
    transfer_trigram,
    transposed,
)
from musegen_lib.models.style.budget import allowed_changes
from musegen_lib.models.style.trigram import IntervalTrigram

IN_PLACE = (snapped, counted, counted_between_ends)
ODD = [Piece.from_notes([]), Piece.from_notes([(0, 4, 60)]), Piece.from_notes([(0, 2, 127), (2, 2, 126), (4, 2, 0)])]


def tunes(style, n=6):
    return list(load_held_out(style, "valid")[:n])


@pytest.mark.parametrize("rewrite", IN_PLACE)
@pytest.mark.parametrize("to", STYLES)
def test_no_more_notes_change_than_the_amount_allows_and_rhythm_stays(rewrite, to):
    for piece in [*tunes(other_style(to)), *ODD]:
        assert np.array_equal(rewrite(piece, to, 0.0, 0).notes, piece.notes)
        made = rewrite(piece, to, 0.2, 0)
        assert int((made.notes["pitch"] != piece.notes["pitch"]).sum()) <= allowed_changes(len(piece), 0.2)
        for name in ("onset_steps", "duration_steps"):
            assert np.array_equal(made.notes[name], piece.notes[name])


def test_phrase_ends_stay_where_they_are_to_stay():
    for piece in tunes("german"):
        ends = marked_ends(piece)
        made = counted_between_ends(piece, "chinese", 0.4, 0)
        assert np.array_equal(made.notes["pitch"][ends], piece.notes["pitch"][ends])
        assert notes_kept(piece, made) < 1


def test_gains_are_the_differences_of_whole_scores():
    score = transfer_trigram("chinese").log_prob - AWAY_WEIGHT * transfer_trigram("german").log_prob
    model = IntervalTrigram(log_prob=score)
    piece = tunes("german", 1)[0].excerpt(3)
    pitch = piece.notes["pitch"].astype(np.int64)
    gains, whole = _gains(pitch, score), -model.nats(piece).sum()
    for note in range(len(pitch)):
        for number, move in enumerate(MOVES):
            notes = piece.notes.copy()
            notes["pitch"][note] = pitch[note] + move
            assert gains[note, number] == pytest.approx(-model.nats(piece.replace(notes=notes)).sum() - whole)


def test_snapping_leaves_only_notes_of_the_scale():
    piece = Piece.from_notes([(4 * k, 4, p) for k, p in enumerate([60, 62, 64, 65, 67, 69, 71, 72])])
    scale = best_scale(piece, "chinese")
    assert scale.sum() == 5
    assert scale[snapped(piece, "chinese", 1.0, 0).notes["pitch"] % 12].all()
    assert np.array_equal(snapped(piece, "german", 1.0, 0).notes, piece.notes)


def test_a_random_tune_depends_on_seed_and_piece_only():
    piece = tunes("german", 1)[0]
    assert random_target(piece, "chinese", 1.0, 0) == random_target(piece, "chinese", 1.0, 0)
    assert len({random_target(piece, "chinese", 1.0, seed).source for seed in range(5)}) > 1
    assert random_target(piece, "chinese", 1.0, 0).style == "chinese"


def test_the_nearest_tune_of_a_tune_moved_up_is_that_tune_moved_up():
    tune = load_side("chinese", "transfer", "train")[17]
    assert np.array_equal(nearest_target(tune.transpose(3), "chinese", 1.0, 0).notes, tune.transpose(3).notes)


@pytest.mark.parametrize("to", STYLES)
def test_the_nearest_tune_is_a_real_one_on_the_same_first_pitch_and_nearer_than_a_random_one(to):
    for piece in tunes(other_style(to), 2):
        near, far = (find(piece, to, 1.0, 0) for find in (nearest_target, random_target))
        assert (near.style, near.notes["pitch"][0]) == (to, piece.notes["pitch"][0])
        assert sum(content_report(piece, near).values()) > sum(content_report(piece, far).values())


def test_pasting_keeps_the_number_of_notes_and_transposing_every_interval():
    piece = tunes("german", 1)[0]
    assert len(pasted_durations(piece, "chinese", 1.0, 0)) == len(piece)
    assert set(np.diff(transposed(piece, "chinese", 1.0, 0).notes["pitch"].astype(int) - piece.notes["pitch"])) == {0}


def test_an_amount_outside_zero_to_one_is_refused():
    with pytest.raises(ValueError, match="largest share"):
        counted(tunes("german", 1)[0], "chinese", 1.2, 0)
