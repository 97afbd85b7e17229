"""What melody models promise beyond tests/models/test_contract.py: drawing and scoring agree, labels are heard.

A new melody model joins by one line in MODELS, and in NETS if it is trained by steps.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from tiny_tunes import make_tune, make_tunes

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import MELODY_LOW
from musegen_lib.encodings.melody_events import (
    END_ID,
    REST_ID,
    is_playable,
    melody_events_to_piece,
)
from musegen_lib.models.melody.batches import collate
from musegen_lib.models.melody.markov import MarkovConfig, MarkovStream, MelodyMarkov
from musegen_lib.models.melody.recipe import rnn_nll
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig, RNNStream, next_pitches
from musegen_lib.models.melody.sampling import MelodyRequest, sample_melodies

TUNES = make_tunes(11, seed=4)


def make_markov(order):
    return MelodyMarkov(MarkovConfig(order, backoff=2.0)).fit(make_tunes(40, seed=9))


def make_rnn(cell, n_layers, seed=0):
    torch.manual_seed(seed)
    config = MelodyRNNConfig(cell, hidden_dim=7, n_layers=n_layers, embedding_dim=6, dropout=0.5)
    return MelodyRNN(config).eval()


def markov_stream(model, n, request):
    return MarkovStream(model, n)


def told_nll(model, tunes):
    """Nats of each tune for a net that is told how long it is, as it is when it draws."""
    with torch.no_grad():
        return model.event_nll(collate(tunes, told=[True] * len(tunes))).sum(dim=1).numpy()


NETS = {f"{cell} {layers}": partial(make_rnn, cell, layers) for cell in ("rnn", "gru", "lstm") for layers in (1, 2)}
MODELS = {  # how to make one, to score tunes, to score them knowing what drawing knows, to draw event by event
    "markov 1": (partial(make_markov, 1), MelodyMarkov.nll, MelodyMarkov.nll, markov_stream),
    "markov 3": (partial(make_markov, 3), MelodyMarkov.nll, MelodyMarkov.nll, markov_stream),
    **{name: (make, rnn_nll, told_nll, RNNStream) for name, make in NETS.items()},
}
REQUESTS = {
    "usual": MelodyRequest(),
    "pickup": MelodyRequest("chinese", "6/8", pickup=5, bars=3),
    "one bar": MelodyRequest("irish", "9/8", bars=1),
    "likeliest": MelodyRequest("german", "2/4", temperature=0.0, bars=5),
    "narrow": MelodyRequest("european", "3/8", pickup=1, bars=9, temperature=0.7, top_k=3, top_p=0.8),
}
each_model = pytest.mark.parametrize("name", MODELS)
each_net = pytest.mark.parametrize("make", NETS.values(), ids=NETS)


def draw(model, seed, request=REQUESTS["usual"], n=3):
    tunes = model.sample(n, request, torch.Generator().manual_seed(seed))
    return [(tune.pitch_ids.tolist(), tune.durations.tolist()) for tune in tunes]


def request_of(tune):
    """The request that a tune could answer."""
    piece = melody_events_to_piece(tune)
    request = MelodyRequest(piece.style, piece.metre, piece.key, tune.pickup)
    return replace(request, bars=(int(tune.onsets[-1]) - request.first_step) // request.bar_steps)


# Drawing and scoring: every model


@each_model
def test_the_same_seed_draws_the_same_melodies_and_another_seed_others(name):
    model = MODELS[name][0]()
    first = draw(model, seed=1)
    torch.rand(3)  # the generator alone decides
    assert draw(model, seed=1) == first
    assert draw(model, seed=2) != first
    assert len({str(tune) for tune in first}) == 3


@each_model
@pytest.mark.parametrize("wish", REQUESTS)
def test_every_drawn_melody_is_playable_and_of_the_length_asked_for(name, wish):
    request = REQUESTS[wish]
    for tune in MODELS[name][0]().sample(5, request, torch.Generator().manual_seed(3)):
        piece = melody_events_to_piece(tune)
        assert is_playable(piece)
        assert (piece.style, piece.metre, piece.pickup_steps) == (request.style, request.metre, request.pickup)
        assert piece.n_steps == request.bars * request.bar_steps
        assert tune.pitch_ids.tolist().count(END_ID) == 1
        assert tune.pitch_ids[-1] == END_ID


@each_model
def test_temperature_zero_draws_one_melody_whatever_the_seed(name):
    model = MODELS[name][0]()
    assert draw(model, 1, REQUESTS["likeliest"], n=1) == draw(model, 2, REQUESTS["likeliest"], n=1)


@each_model
def test_the_likelihood_of_a_melody_is_the_sum_of_the_steps_it_is_drawn_by(name):
    make, _, nll, stream = MODELS[name]
    model = make()
    drawn = model.sample(2, REQUESTS["pickup"], torch.Generator().manual_seed(5))
    tunes = [*TUNES, *drawn]  # tunes of nine styles and metres, and some the model drew
    with torch.no_grad():
        steps = [step_by_step_nll(stream(model, 1, request_of(tune)), tune) for tune in tunes]
    assert nll(model, tunes) == pytest.approx(steps, rel=1e-5)


def step_by_step_nll(stream, tune):
    """Nats of a finished tune by the logits that drawing it would have used, at temperature 1 and without masks."""
    nats = 0.0
    for pitch_id, duration in zip(tune.pitch_ids.tolist(), tune.durations.tolist()):
        pitch = torch.tensor([pitch_id])
        nats -= float(stream.pitch_logits().log_softmax(-1)[0, pitch_id])
        if pitch_id != END_ID:
            nats -= float(stream.duration_logits(pitch).log_softmax(-1)[0, duration])
        stream.push(pitch, torch.tensor([duration]))
    return nats


@each_model
def test_melodies_drawn_side_by_side_do_not_hear_each_other(name):
    make, *_, stream = MODELS[name]
    model, request = make(), REQUESTS["usual"]
    rows = torch.tensor([[5, 30, REST_ID], [9, 2, 41]])  # two melodies of three events
    durations = torch.tensor([[1, 4, 2], [8, 3, 6]])
    with torch.no_grad():
        both, alone = stream(model, 2, request), stream(model, 1, request)
        for step in range(3):
            both.push(rows[:, step], durations[:, step])
            alone.push(rows[1:, step], durations[1:, step])
        torch.testing.assert_close(both.pitch_logits()[1:], alone.pitch_logits())
        next_ids = torch.tensor([7, 40])
        torch.testing.assert_close(both.duration_logits(next_ids)[1:], alone.duration_logits(next_ids[1:]))


@each_model
def test_scores_do_not_depend_on_the_company_or_the_order_of_tunes(name):
    make, nll, *_ = MODELS[name]
    model = make()
    together = nll(model, TUNES)
    assert together.shape == (11,)
    assert nll(model, TUNES[::-1])[::-1] == pytest.approx(together, rel=1e-5)
    assert [nll(model, [tune])[0] for tune in TUNES] == pytest.approx(together, rel=1e-5)


@each_model
def test_an_opening_is_kept_and_continued(name):
    make, *_, stream = MODELS[name]
    opening = make_tune([(20, 4), (22, 2), (REST_ID, 2), (24, 4)], metre="4/4")
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        tunes = sample_melodies(stream(make(), 2, MelodyRequest()), 2, MelodyRequest(), generator, opening)
    for tune in tunes:
        assert tune.pitch_ids[:4].tolist() == [20, 22, REST_ID, 24]
        assert tune.durations[:4].tolist() == [4, 2, 2, 4]
        assert len(tune.pitch_ids) > 5


# Nets that are trained by steps


@each_net
def test_zero_weights_in_the_heads_give_log_44_plus_log_65_nats_an_event(make):
    model = make()
    for weight in (*model.pitch_head.parameters(), *model.duration_head.parameters()):
        torch.nn.init.zeros_(weight)
    batch = collate(TUNES[:3])
    nll = model.event_nll(batch)
    sounding = batch.mask & (batch.pitch_ids != END_ID)
    assert nll[sounding].tolist() == pytest.approx([np.log(44) + np.log(65)] * int(sounding.sum()))
    assert nll[batch.pitch_ids == END_ID].tolist() == pytest.approx([np.log(44)] * 3)  # END has no duration


@each_net
def test_the_loss_is_nats_per_note_and_its_weight_the_notes(make):
    model, tunes = make(), [make_tune([(5, 4), (REST_ID, 2), (7, 1)]), make_tune([(9, 3)])]
    loss, parts = model.loss(collate(tunes))
    assert parts == {"weight": 3.0}  # neither rests nor ENDs are notes, though both are scored
    assert float(loss.detach()) == pytest.approx(rnn_nll(model, tunes).sum() / 3, rel=1e-5)


@each_net
def test_what_lies_in_the_padding_leaves_the_loss_alone(make):
    model, batch = make(), collate([TUNES[0], make_tune([(5, 2)] * 12)])
    other = {
        "pitch_ids": torch.where(batch.mask, batch.pitch_ids, 17),
        "durations": torch.where(batch.mask, batch.durations, 5),
        "onsets": torch.where(batch.mask, batch.onsets, 33),
        "time_left": torch.where(batch.mask, batch.time_left, 3),
    }
    dirty = replace(batch, **other)
    assert dirty.n_notes == batch.n_notes
    torch.testing.assert_close(model.loss(dirty)[0], model.loss(batch)[0])


@each_net
@pytest.mark.parametrize("first", [0, 1, 4])
def test_the_future_leaves_the_present_alone(make, first):
    model = make()
    rows = [(3, 1), (30, 2), (4, 3), (9, 4), (40, 2), (12, 6), (2, 1)]
    changed = rows[:first] + [(43 - pitch, 7 - duration) for pitch, duration in rows[first:]]
    one, two = collate([make_tune(rows)]), collate([make_tune(changed)])
    (pitch_a, duration_a), (pitch_b, duration_b) = model(one), model(two)
    now = first + 1  # the pitch of event `first` is scored before it is known; its duration knows its pitch
    assert torch.equal(pitch_a[:, :now], pitch_b[:, :now])
    assert torch.equal(duration_a[:, :first], duration_b[:, :first])
    assert not torch.isclose(pitch_a[:, now], pitch_b[:, now]).all()  # and the past does count
    assert not torch.isclose(duration_a[:, first], duration_b[:, first]).all()


@each_net
def test_how_many_bars_are_left_is_heard_and_likelihoods_do_without_it(make):
    model, tune = make(), make_tune([(5, 12), (7, 12)])
    untold, told = model(collate([tune]))[0], model(collate([tune], told=[True]))[0]
    assert not torch.isclose(untold, told).all()
    assert rnn_nll(model, [tune])[0] == pytest.approx(float(model.event_nll(collate([tune])).detach().sum()))


@each_net
@pytest.mark.parametrize("label", ["style", "metre", "pickup"])
def test_style_metre_and_pickup_are_heard_from_the_first_note(make, label):
    model, tune = make(), make_tune([(5, 2), (7, 2)], "german", "3/4", 0)
    other = replace(tune, **{label: getattr(tune, label) + 1})
    one, two = model(collate([tune]))[0], model(collate([other]))[0]
    assert not torch.isclose(one[:, 0], two[:, 0]).all()


@each_net
def test_drawing_switches_dropout_off(make):
    model = make()
    expected = draw(model, seed=1)
    assert draw(model.train(), seed=1) == expected


@pytest.mark.parametrize(
    "wrong",
    [{"cell": "lstn"}, {"hidden_dim": 0}, {"n_layers": 0}, {"embedding_dim": -1}, {"dropout": 1.0}],
    ids=str,
)
def test_a_config_that_makes_no_net_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}=.*needs a cell of lstm, gru, rnn"):
        MelodyRNNConfig(**wrong)


def test_the_chances_of_the_next_pitch_add_up_and_hang_on_the_notes_before():
    model = MelodyRNN(MelodyRNNConfig(hidden_dim=5, embedding_dim=4))
    up, down = (
        next_pitches(model, Piece.from_notes([(0, 4, 60), (4, 4, pitch)], metre="3/4", key="C major"))
        for pitch in (62, 59)
    )
    assert sum(up.values()) == pytest.approx(1)
    assert min(up) == MELODY_LOW
    assert up != down
