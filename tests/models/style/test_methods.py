"""The nets of lesson 5 as rewriters: budget and rhythm are kept, the lead of the target grows."""

import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES, load_held_out, other_style
from musegen_lib.encodings.melody_lines import piece_to_line
from musegen_lib.metrics.content import notes_kept, rhythm_kept
from musegen_lib.models.style import methods
from musegen_lib.models.style.beam_search import contrast_per_note
from musegen_lib.models.style.methods import by_rnn
from musegen_lib.models.style.net_recipes import STYLE_RNN, STYLE_VAE_ENSEMBLE


@pytest.mark.parametrize("to", STYLES)
def test_few_notes_move_and_the_target_leads_by_more(to):
    target, source = STYLES.index(to), STYLES.index(other_style(to))
    for piece in list(load_held_out(other_style(to), "valid"))[:3]:
        made = by_rnn(STYLE_RNN.load_once(), piece, to, 0.2, 0)
        assert notes_kept(piece, made) >= 0.8
        assert rhythm_kept(piece, made) == 1
        before, after = contrast_per_note(
            STYLE_RNN.load_once(), list(map(piece_to_line, (piece, made))), target, source
        )
        assert after > before


def test_no_budget_and_a_single_note_leave_the_piece_alone():
    piece = load_held_out("german", "valid")[0]
    assert np.array_equal(by_rnn(STYLE_RNN.load_once(), piece, "chinese", 0.0, 0).notes, piece.notes)
    one = Piece.from_notes([(0, 4, 60)])
    assert by_rnn(STYLE_RNN.load_once(), one, "chinese", 1.0, 0) is one


def test_each_direction_has_the_contrast_that_was_chosen_for_it_on_validation(monkeypatch):
    used = {}

    def note_contrast(model, piece, to, amount, contrast):
        used[to] = contrast
        return piece

    monkeypatch.setattr(methods, "by_content", note_contrast)
    net = STYLE_VAE_ENSEMBLE.load_once()
    for to in STYLES:
        methods.by_ensemble(net, Piece.from_notes([(0, 4, 60)]), to, 0.2, 0)
    assert used == {"chinese": 0.5, "german": 0.6}  # swapped, no other test would tell
