"""What every model promises. A new melody model joins by one line in MODELS, and in NETS if it is trained by steps."""

from dataclasses import FrozenInstanceError, replace
from functools import partial

import numpy as np
import pytest
import torch
from overfitting import overfit
from tiny_tunes import make_tune, make_tunes

from musegen_lib.encodings.melody_events import (
    END_ID,
    FIRST_PITCH_ID,
    N_PITCH_IDS,
    REST_ID,
    MelodyEvents,
    is_playable,
    melody_events_to_piece,
)
from musegen_lib.models.melody.batches import MelodyBatches, collate
from musegen_lib.models.melody.markov import MarkovConfig, MarkovStream, MelodyMarkov
from musegen_lib.models.melody.recipe import rnn_nll
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig, RNNStream
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
def test_the_config_is_frozen(name):
    config = MODELS[name][0]().config
    field = next(iter(vars(config)))
    with pytest.raises(FrozenInstanceError):
        setattr(config, field, None)


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


# Markov chains


def test_markov_probabilities_of_every_context_sum_to_one():
    stream = MarkovStream(make_markov(3), 2)
    for pitch, duration in ((2, 1), (43, 64), (REST_ID, 7), (10, 3)):  # seen and unseen contexts
        assert stream.pitch_logits().exp().sum(-1).tolist() == pytest.approx([1, 1], abs=1e-5)
        both = torch.tensor([pitch, 5])
        assert stream.duration_logits(both).exp().sum(-1).tolist() == pytest.approx([1, 1], abs=1e-5)
        stream.push(both, torch.tensor([duration, 2]))


def test_markov_counts_are_those_of_a_table_made_by_hand():
    tune = make_tune([(10, 4), (12, 4), (10, 2)])  # then END
    model = MelodyMarkov(MarkovConfig(order=1, backoff=1.0)).fit([tune])
    stream = MarkovStream(model, 1)
    stream.push(torch.tensor([10]), torch.tensor([4]))
    # Without context: 4 events of 3 types, p0(12) = (1 + 3/44) / (4 + 3). After pitch 10: 12 and END, once each:
    # p1 = (1 + 2 p0) / (2 + 2). After pitch 10 of duration 4: 12 alone: p2 = (1 + p1) / (1 + 1).
    p0 = (1 + 3 / 44) / 7
    p1 = (1 + 2 * p0) / 4
    assert float(stream.pitch_logits()[0, 12].exp()) == pytest.approx((1 + p1) / 2)


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
def test_padding_leaves_the_loss_alone(make):
    model, short, long = make(), TUNES[0], make_tune([(5, 2)] * 12)
    padded = model.event_nll(collate([short, long]))[0]
    length = len(short.pitch_ids)
    torch.testing.assert_close(padded[:length], model.event_nll(collate([short]))[0])
    assert not padded[length:].any()


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
def test_one_batch_can_be_overfitted(make):
    model, batch = make(), collate(TUNES[:3])
    losses = overfit(model, batch, steps=60, rate=0.03)
    assert losses[-1] < 0.25 * losses[0]


@each_net
def test_every_weight_learns_from_a_batch(make):
    model = make()
    model.loss(collate(TUNES, told=[True, *[False] * 10]))[0].backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()] == []


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


# Batches


def rows_of(batch):
    """Each tune of a batch as plain lists, without its padding."""
    columns = batch.pitch_ids, batch.durations, batch.onsets, batch.time_left
    labels = zip(batch.mask, batch.styles.tolist(), batch.metres.tolist())
    return [(*(column[b][m].tolist() for column in columns), *rest) for b, (m, *rest) in enumerate(labels)]


def test_collate_keeps_every_event_and_shifts_each_tune_by_its_own_interval():
    tune = make_tune([(5, 4), (REST_ID, 2), (7, 1)], "irish", "6/8", pickup=2)  # the pickup starts at step 10 of 12
    [plain, shifted] = rows_of(collate([tune, tune], shifts=[0, -3]))
    assert plain == ([5, REST_ID, 7, END_ID], [4, 2, 1, 0], [10, 14, 16, 17], [0, 0, 0, 0], 4, 4)
    assert shifted == ([2, REST_ID, 4, END_ID], *plain[1:])


def test_collate_counts_the_time_left_of_a_tune_that_is_told():
    tune = make_tune([(5, 10), (6, 12), (7, 14)], "irish", "6/8", pickup=2)  # starts at steps 10, 20, 32, ends at 46
    long = make_tune([(5, 12)] * 40, "irish", "6/8")
    told, untold, counted = rows_of(collate([tune, tune, long], told=[True, False, True]))
    assert told[2:4] == ([10, 20, 32, 46], [33 + 3, 26 + 1, 14 + 1, 1])  # 36 steps left are 3 bars; then steps count
    assert untold[3] == [0] * 4
    assert counted[3][:9] == [65] * 8 + [33 + 32]  # 32 bars and more count alike
    assert counted[3][-4:] == [33 + 3, 25, 13, 1]


def test_batches_tell_about_half_of_the_tunes_how_long_they_are():
    batches = MelodyBatches(TUNES, 5, seed=1)
    told = [bool(row[3][0]) for step in range(40) for row in rows_of(batches(step))]
    assert len(told) == 200
    assert 70 < sum(told) < 130


def test_a_batch_is_a_pure_function_of_its_step():
    forwards, backwards = MelodyBatches(TUNES, 3, seed=1), MelodyBatches(TUNES[::-1], 3, seed=1)
    seen = {step: rows_of(forwards(step)) for step in range(8)}
    assert {step: rows_of(forwards(step)) for step in reversed(range(8))} == seen
    assert [rows_of(MelodyBatches(TUNES, 3, seed=2)(step)) for step in range(8)] != list(seen.values())
    lengths = [[len(row[0]) for row in rows_of(backwards(step))] for step in range(8)]
    assert lengths == [[len(row[0]) for row in rows] for rows in seen.values()]


@pytest.mark.parametrize("world_size", [2, 3, 5])
def test_the_shares_of_all_processes_are_the_whole_batch(world_size):
    batches = MelodyBatches(TUNES, 5, seed=1)
    whole = rows_of(batches(3))
    shares = [rows_of(batches(3, rank, world_size)) for rank in range(world_size)]
    assert [len(share) for share in shares] == [len(whole[rank::world_size]) for rank in range(world_size)]
    assert sorted(row for share in shares for row in share) == sorted(whole)


def test_an_epoch_shows_no_tune_twice_and_the_next_one_comes_in_another_order():
    tunes = [make_tune([(20, 2)] * n) for n in range(1, 12)]  # eleven tunes told apart by their length
    batches = MelodyBatches(tunes, 3, seed=1)
    epochs = [[len(row[0]) for step in range(3 * e, 3 * e + 3) for row in rows_of(batches(step))] for e in range(20)]
    assert all(len(set(epoch)) == 9 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 3
    assert set().union(*epochs) == set(range(2, 13))  # the two left over are not always the same


def test_transposition_moves_sounding_pitches_alone_and_as_far_as_the_range_allows():
    tunes = {
        "low": [(FIRST_PITCH_ID + 1, 1), (REST_ID, 1), (8, 1)],
        "high": [(N_PITCH_IDS - 2, 2), (REST_ID, 1), (38, 1)],
        "whole range": [(FIRST_PITCH_ID, 3), (N_PITCH_IDS - 1, 1)],
        "middle": [(20, 4), (21, 1)],
    }
    batches = MelodyBatches([make_tune(rows) for rows in tunes.values()], 4, seed=0, max_shift=4)
    shifts = {name: set() for name in tunes}
    for step in range(80):
        for ids, durations, *_ in rows_of(batches(step)):
            name = list(tunes)[durations[0] - 1]  # the first duration tells which tune it is
            before = np.array([pitch for pitch, _ in tunes[name]] + [END_ID])
            sounding = before >= FIRST_PITCH_ID
            moved = np.array(ids)
            assert np.array_equal(moved[~sounding], before[~sounding])
            shifts[name] |= set((moved - before)[sounding].tolist())
            assert len(set((moved - before)[sounding].tolist())) == 1
    assert shifts == {
        "low": set(range(-1, 5)),
        "high": set(range(-4, 2)),
        "whole range": {0},
        "middle": set(range(-4, 5)),
    }


def test_too_few_tunes_for_one_batch_are_refused():
    with pytest.raises(ValueError, match="11 tunes do not fill a batch of 12; choose a smaller batch"):
        MelodyBatches(TUNES, 12, seed=0)


def test_more_processes_than_tunes_in_a_batch_are_refused():
    with pytest.raises(ValueError, match="4 processes cannot share a batch of 3"):
        MelodyBatches(TUNES, 3, seed=0)(0, rank=1, world_size=4)


def test_the_tunes_of_these_tests_cover_rests_pickups_and_unlike_lengths():
    assert any(REST_ID in tune.pitch_ids for tune in TUNES)
    assert len({len(tune.pitch_ids) for tune in TUNES}) > 3
    assert sum(tune.pickup > 0 for tune in TUNES) > 5
    assert all(isinstance(tune, MelodyEvents) for tune in TUNES)
