"""Melodies that do as asked: drawn again where they do not, and told beside what was asked."""

from collections import defaultdict

import numpy as np
import torch
from tiny_tunes import make_tune

from musegen_lib.corpus import load_folk_tunes
from musegen_lib.encodings.melody_events import METRES, STYLES, melody_events_to_piece
from musegen_lib.encodings.melody_form import NEW, SAME, Form, parse_form
from musegen_lib.models.melody.asked import (
    REACH,
    does_as_asked,
    draw_as_asked,
    facts_of_request,
    keeps_form,
    parts_close,
    within_reach,
)
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig, RNNStream
from musegen_lib.models.melody.sampling import MelodyRequest

C, E_FLAT, E, G = 14, 17, 18, 21  # pitch ids
FREE = Form(np.array([NEW, NEW]), np.array([0, 0]), final=0)
REQUEST = MelodyRequest(metre="2/4", key="C major", bars=2)


def tune_in_c(*pitches):
    return make_tune([(pitch, 16 // len(pitches)) for pitch in pitches], metre="2/4", key="C major")


class Script:
    """Plays back tunes in turn."""

    def __init__(self, *tunes):
        self.tunes = list(tunes)

    def sample(self, n, request, generator, forms=None):
        assert len(request) == len(forms) == n
        return [self.tunes.pop(0) for _ in range(n)]


def drawn(*script, tries):
    model = Script(*script)
    return draw_as_asked(model, [REQUEST] * 2, [FREE] * 2, torch.Generator(), tries), model.tunes


HOME, AWAY, MINOR = tune_in_c(E, C), tune_in_c(C, G), tune_in_c(E_FLAT, C)


def test_a_melody_does_as_asked_if_it_ends_where_it_should_in_its_mode():
    assert [does_as_asked(tune, FREE) for tune in (HOME, AWAY, MINOR)] == [True, False, False]
    assert does_as_asked(AWAY, Form(FREE.relations, FREE.lags))  # no ending was asked for


def test_a_melody_that_leaps_or_spans_wider_than_its_style_does_not_do_as_asked():
    low, octave, tenth, high = C, C + 12, C + 16, C + 24
    assert within_reach(melody_events_to_piece(tune_in_c(low, octave)))
    wide = [tune_in_c(low, tenth, low, low), tune_in_c(low, octave, high, octave, low)]
    assert [does_as_asked(tune, FREE) for tune in wide] == [False, False]


def test_the_limits_are_those_of_the_training_tunes():
    leaps, spans = defaultdict(list), defaultdict(list)
    for tune in load_folk_tunes(part="train"):
        pitches = tune.notes["pitch"].astype(int)
        leaps[tune.style].append(np.abs(np.diff(pitches)).max())
        spans[tune.style].append(np.ptp(pitches))
    assert set(REACH) == set(STYLES) == set(leaps)
    for style, limits in REACH.items():
        for limit, measured in zip(limits, (leaps[style], spans[style]), strict=True):
            assert np.mean(np.array(measured) > limit) <= 0.02 < np.mean(np.array(measured) > limit - 1), style


def test_only_what_does_not_do_as_asked_is_drawn_again():
    tunes, left = drawn(AWAY, HOME, MINOR, HOME, HOME, tries=4)
    assert tunes == [HOME, HOME]
    assert len(left) == 1


def test_drawing_again_has_a_limit_and_keeps_the_last():
    tunes, left = drawn(AWAY, HOME, MINOR, HOME, tries=2)
    assert tunes == [MINOR, HOME]
    assert len(left) == 1


def test_a_bar_that_should_return_and_does_not_is_seen():
    form = parse_form("AA", 2)
    assert keeps_form(tune_in_c(C, C), form)
    assert not keeps_form(tune_in_c(C, E), form)
    facts = facts_of_request(melody_events_to_piece(tune_in_c(C, E)), form)
    assert (facts["form_asked"], facts["form"], facts["keeps_form"]) == ("a a", "a a'", False)


def test_a_part_closes_on_tonic_or_fifth_whatever_upbeat_follows():
    form = Form(FREE.relations, FREE.lags, final=0, part_ends=(0, 1))
    assert [parts_close(tune_in_c(*pitches), form) for pitches in ((G, C), (C, C), (E, C))] == [True, True, False]
    upbeat = make_tune([(C, 2), (C, 6), (E, 2), (C, 6)], metre="2/4", key="C major", pickup=2)
    assert parts_close(upbeat, form)
    assert not parts_close(make_tune([(C, 2), (E, 6), (C, 2), (C, 6)], metre="2/4", key="C major", pickup=2), form)


def test_a_melody_whose_part_stays_open_is_drawn_again_and_told():
    closed, opened = tune_in_c(G, C), tune_in_c(E, C)
    form = Form(FREE.relations, FREE.lags, final=0, part_ends=(0, 1))
    assert draw_as_asked(Script(opened, closed), [REQUEST], [form], torch.Generator(), tries=2) == [closed]
    assert facts_of_request(melody_events_to_piece(opened), form)["parts_close"] is False
    assert "parts_close" not in facts_of_request(melody_events_to_piece(opened), FREE)


def make_net():
    torch.manual_seed(0)
    return MelodyRNN(MelodyRNNConfig(hidden_dim=7, embedding_dim=6)).eval()


def test_each_melody_may_have_a_request_of_its_own():
    requests = [MelodyRequest("irish", "6/8", "D minor", 2, 5), MelodyRequest("chinese", "2/4", "G zhi", 0, 3)]
    tunes = make_net().sample(2, requests, torch.Generator().manual_seed(3))
    assert [(STYLES[t.style], METRES[t.metre], t.tonic, t.pickup) for t in tunes] == [
        ("irish", "6/8", 2, 2),
        ("chinese", "2/4", 7, 0),
    ]
    assert [int(tune.durations.sum()) for tune in tunes] == [60, 24]


def test_a_melody_among_others_is_scored_as_it_is_alone():
    requests = [MelodyRequest("irish", "6/8", "D minor", 2, 5), MelodyRequest("chinese", "2/4", "G zhi", 0, 4)]
    forms = [parse_form("A", 5), parse_form("AA", 4)]
    together = RNNStream(make_net(), 2, requests, forms)
    for row in (0, 1):
        alone = RNNStream(make_net(), 1, requests[row], forms[row : row + 1])
        assert torch.allclose(together.pitch_logits()[row], alone.pitch_logits()[0], atol=1e-5)


def test_a_bar_that_the_last_one_repeats_is_written_as_an_ending():
    form = parse_form("AAB", 6)
    assert form.closing_bars == {5}
    returning = Form(np.array([NEW, SAME, NEW, SAME]), np.array([0, 1, 0, 2]))
    assert returning.closing_bars == {3, 1, 0}
    stream = RNNStream(make_net(), 2, MelodyRequest(metre="2/4", bars=4), [returning, parse_form("AB", 4)])
    assert stream.written.to_close().tolist() == [3 * 8, 0]
