"""The model of forms, and melodies that are drawn in a form."""

import re

import numpy as np
import pytest
import torch
from tiny_tunes import make_tune

from musegen_lib.corpus.build import DANCE_FOLDERS, corpus_dir
from musegen_lib.encodings.melody_events import REST_ID, STYLES, is_playable, melody_events_to_piece
from musegen_lib.encodings.melody_form import MAX_LAG, NEW, SAME, events_to_bars, events_to_form, parse_form
from musegen_lib.models.melody.forms import SIGNED, FormModel, bars_of_form, draw_form, kind_of
from musegen_lib.models.melody.markov import MarkovConfig, MelodyMarkov
from musegen_lib.models.melody.recipe import RNN
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig
from musegen_lib.models.melody.sampling import MelodyRequest
from musegen_lib.models.melody.written import Written

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


def wished(form, bars, style="german", model=None, seed=0):
    request = MelodyRequest(style, "2/4", bars=bars, form=form)
    return draw_form(model or FormModel.fit(TUNES, backoff=0.01), request, torch.Generator().manual_seed(seed))


def test_what_parts_that_return_at_once_end_in_is_counted():
    literal = make_tune([(pitch, 8) for pitch in PERIOD[:4] * 2], metre="2/4")
    with_upbeat = make_tune([(9, 4), *[(pitch, 8) for pitch in PERIOD[:7]], (14, 4)], metre="2/4", pickup=4)
    endings = FormModel.fit([*TUNES, literal, with_upbeat]).endings
    assert {STYLES[style]: counts.tolist() for style, counts in endings.items()} == {"german": [1, 9, 0]}


def test_a_part_that_returns_at_once_ends_as_training_tunes_do_and_later_note_for_note():
    form = wished("AABA", 16)
    assert [form.relations[4:8].tolist(), form.relations[12:].tolist()] == [[SAME, SAME, SAME, NEW], [SAME] * 4]


def test_bars_return_inside_a_part_and_at_the_end_of_another_as_in_training():
    one, two = wished("A", 8), wished("AB", 8)
    assert np.flatnonzero(one.relations == SAME).tolist() == [4, 5, 6]
    assert np.flatnonzero(two.relations == SAME).tolist() == [6]  # bars 4 and 5 would make part B another A
    assert (one.lags[4], two.lags[6]) == (4, 4)


@pytest.mark.parametrize(
    ("style", "bars", "ends"),
    [("irish", 32, (7, 15, 23, 31)), ("irish", 16, ()), ("german", 32, ())],
)
def test_only_parts_of_eight_bars_in_dances_are_to_close(style, bars, ends):
    assert wished("AABB", bars, style).part_ends == ends


def test_a_part_of_a_dance_seldom_has_a_second_ending():
    model = FormModel.fit(TUNES)
    new = [wished("AA", 16, "irish", model, seed).relations[-1] == NEW for seed in range(200)]
    assert 2 < sum(new) < 30


def test_second_endings_are_as_frequent_as_signs_of_repeat_in_the_jigs_of_the_corpus():
    files = [file for folder in DANCE_FOLDERS for file in (corpus_dir() / folder).glob("*.abc")]
    tunes = [tune for file in files for tune in file.read_text(errors="ignore").split("\nX:")]
    jigs = [re.sub(r"(?m)^[A-Za-z]:.*|%.*", "", tune) for tune in tunes if re.search(r"(?m)^M:\s*6/8", tune)]
    signs = sum(len(re.findall(r":\||::|:\]", jig)) for jig in jigs)
    second = sum(len(re.findall(r"[\[|]\s*2", jig)) for jig in jigs)
    assert (signs - second, second) == pytest.approx(SIGNED[:2], rel=0.1)


@pytest.mark.parametrize(
    ("form", "style", "bars"),
    [
        ("AABB", "irish", 32),
        ("AA'B", "scottish", 24),
        ("ABAC", "irish", 16),
        ("AABA", "german", 16),
        ("AABBCCDDEE", "irish", 60),
    ],
)
def test_a_form_without_bars_has_the_length_of_its_kind(form, style, bars):
    assert bars_of_form(form, style) == bars
    assert RNN.plan(1, 0, form=form, style=style)[0].bars == bars


def test_bars_that_are_asked_for_count_more_than_the_length_of_a_form():
    assert RNN.plan(1, 0, form="AABB", style="irish", bars=16)[0].bars == 16


def test_a_note_has_room_to_the_next_line_of_a_bar_that_returns():
    requests = [MelodyRequest(metre="2/4", bars=4), MelodyRequest(metre="2/4", bars=4, pickup=2)] * 2
    written = Written(requests, [parse_form("AA", 4)] * 2 + [parse_form("AB", 4)] * 2)
    assert written.room().tolist() == [8, 2, 10**6, 10**6]
    written.push(torch.full((4,), 10), torch.tensor([5, 3, 5, 3]))
    assert written.room().tolist() == [3, 7, 10**6, 10**6]
