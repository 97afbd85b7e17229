"""The model of forms, and melodies that are drawn in a form."""

import numpy as np
import pytest
import torch
from tiny_tunes import make_tune

from musegen_lib.encodings.melody_events import REST_ID, is_playable, melody_events_to_piece
from musegen_lib.encodings.melody_form import MAX_LAG, NEW, SAME, events_to_bars, events_to_form, parse_form
from musegen_lib.models.melody.forms import FormModel, kind_of
from musegen_lib.models.melody.markov import MarkovConfig, MelodyMarkov
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig
from musegen_lib.models.melody.sampling import MelodyRequest

PERIOD = [10, 11, 12, 13, 10, 11, 12, 14]  # a pitch a bar: a b c d a b c e
TUNES = [make_tune([(pitch + shift, 8) for pitch in PERIOD], metre="2/4") for shift in range(9)]


def make_net():
    torch.manual_seed(0)
    return MelodyRNN(MelodyRNNConfig(hidden_dim=7, embedding_dim=6)).eval()


def make_markov():
    return MelodyMarkov(MarkovConfig(2)).fit(TUNES)


def test_a_form_seen_often_is_drawn_often():
    model, generator = FormModel.fit(TUNES, backoff=0.1), torch.Generator().manual_seed(0)
    drawn = [str(model.sample(8, kind_of(1, 0), generator)) for _ in range(20)]
    assert drawn.count("a a' a' a' a b c a'") == 0
    assert max(drawn.count(form) for form in drawn) > 12


def test_probabilities_of_all_forms_of_two_bars_sum_to_one():
    model = FormModel.fit(TUNES)
    one, other = make_tune([(10, 8), (10, 8)], metre="2/4"), make_tune([(10, 8), (11, 8)], metre="2/4")
    new = make_tune([(10, 8), (11, 4), (12, 4)], metre="2/4")
    p = np.exp(-model.nll([one, other, new]))
    states_beyond = 1 - p.sum()  # lags that reach before the first bar have their smoothing share
    assert 0 < states_beyond < 0.5
    assert model.nll([one, new])[0] == pytest.approx(model.nll([one])[0])


def test_a_drawn_bar_returns_only_to_a_bar_that_is_there():
    model, generator = FormModel.fit(TUNES, backoff=100.0), torch.Generator().manual_seed(1)
    for _ in range(20):
        form = model.sample(20, 0, generator)
        assert (form.lags <= np.arange(20)).all()
        assert form.lags.max() <= MAX_LAG
        assert ((form.lags == 0) == (form.relations == NEW)).all()


@pytest.mark.parametrize("make", [make_net, make_markov])
@pytest.mark.parametrize(("metre", "pickup"), [("2/4", 0), ("6/8", 2), ("3/4", 4)])
def test_bars_that_a_form_says_return_are_written_note_for_note(make, metre, pickup):
    forms = [parse_form("AABA", 8), parse_form("ABAB", 8), parse_form("AA'BA", 8)]
    request = MelodyRequest(metre=metre, pickup=pickup, bars=8)
    for form, tune in zip(forms, make().sample(3, request, torch.Generator().manual_seed(4), forms)):
        bars = events_to_bars(tune)
        assert is_playable(melody_events_to_piece(tune))
        for bar in np.flatnonzero(form.relations == SAME)[: -1 if pickup else None]:
            source = bars[bar - form.lags[bar]]
            assert source is not None
            if all(pitch != REST_ID for _, pitch, _ in source):  # a rest neither follows a rest nor ends a tune
                assert bars[bar] == source
        assert events_to_form(tune).relations[0] == NEW


def test_a_net_that_is_told_a_form_scores_otherwise_than_one_that_is_not():
    from musegen_lib.models.melody.batches import collate

    net = make_net()
    with torch.no_grad():
        untold, told = (net.event_nll(collate(TUNES[:1], told_form=[tell])) for tell in (False, True))
    assert not torch.allclose(untold, told)
