from fractions import Fraction

import numpy as np
import pytest
import torch
from tiny_tunes import make_tune, make_tunes

from musegen_lib.encodings.melody_events import (
    END_ID,
    N_DURATIONS,
    N_PITCH_IDS,
    REST_ID,
    is_playable,
    melody_events_to_piece,
)
from musegen_lib.models.melody import recipe as melody
from musegen_lib.models.melody.markov import BEFORE, MarkovConfig, MarkovStream, MelodyMarkov
from musegen_lib.models.melody.sampling import MelodyRequest

# Two pitches to and fro, then the end: four events. In contexts the nearest symbol stands first: duration, then pitch.
TOY = make_tune([(2, 4), (3, 4), (2, 4)])
AFTER_2 = [4, 2]  # after pitch id 2 that lasted 4 steps


def toy_model(order=1, backoff=1.0):
    return MelodyMarkov(MarkovConfig(order, backoff)).fit([TOY])


def pitch_probs(model, context):
    """Probability of each of the 44 pitch ids after a context."""
    contexts = np.tile(np.array(context, dtype=np.int64), (N_PITCH_IDS, 1))
    return model.pitch_table.probability(contexts, np.arange(N_PITCH_IDS))


def step_by_step(model, tune):
    """Nats of a tune, from the logits that sampling draws from."""
    stream, total = MarkovStream(model, 1), 0.0
    for pitch_id, duration in zip(tune.pitch_ids.tolist(), tune.durations.tolist()):
        pitch = torch.tensor([pitch_id])
        total -= float(stream.pitch_logits()[0, pitch_id])
        if pitch_id != END_ID:
            total -= float(stream.duration_logits(pitch)[0, duration])
            stream.push(pitch, torch.tensor([duration]))
    return total


def log_likelihoods(model, tunes):
    return [step_by_step(model, tune) for tune in tunes]


# Counted by hand


@pytest.mark.parametrize("b", [1, 3])
def test_witten_bell_by_hand_on_four_events(b):
    def mix(count, total, types, lower):
        return (count + b * types * lower) / (total + b * types)

    uniform = Fraction(1, N_PITCH_IDS)
    p0 = {x: mix(n, 4, 3, uniform) for x, n in {2: 2, 3: 1, END_ID: 1, 9: 0}.items()}  # events: 2, 3, 2, END
    p1 = {x: mix(n, 3, 3, p0[x]) for x, n in {2: 1, 3: 1, END_ID: 1, 9: 0}.items()}  # after a duration of 4: 3, 2, END
    p2 = {x: mix(n, 2, 2, p1[x]) for x, n in {2: 0, 3: 1, END_ID: 1, 9: 0}.items()}  # and after pitch id 2: 3, END
    model = toy_model(backoff=float(b))
    found = pitch_probs(model, AFTER_2)
    assert [found[x] for x in p2] == pytest.approx([float(p) for p in p2.values()])
    unseen_pitch = pitch_probs(model, [4, 30])
    assert [unseen_pitch[x] for x in p1] == pytest.approx([float(p) for p in p1.values()])
    unseen_duration = pitch_probs(model, [7, 2])
    assert [unseen_duration[x] for x in p0] == pytest.approx([float(p) for p in p0.values()])


def test_the_first_event_is_counted_after_the_beginning():
    almost_counts = toy_model(backoff=1e-9)
    assert pitch_probs(almost_counts, [BEFORE, BEFORE])[2] == pytest.approx(1)


def test_without_backoff_the_model_is_its_counts_and_with_all_of_it_uniform():
    counts = pitch_probs(toy_model(backoff=1e-9), AFTER_2)
    assert counts[[3, END_ID, 2]] == pytest.approx([0.5, 0.5, 0], abs=1e-6)
    assert pitch_probs(toy_model(backoff=1e9), AFTER_2) == pytest.approx(np.full(N_PITCH_IDS, 1 / N_PITCH_IDS))
    nats = toy_model(order=3, backoff=1e9).nll([TOY])
    assert nats == pytest.approx(4 * np.log(N_PITCH_IDS) + 3 * np.log(N_DURATIONS))


def test_order_0_counts_without_context():
    found = pitch_probs(toy_model(order=0, backoff=1e-9), [])
    assert found[[2, 3, END_ID]] == pytest.approx([0.5, 0.25, 0.25])
    assert toy_model(order=0, backoff=1e-9).nll([TOY]) == pytest.approx(4 * 1.5 * np.log(2))  # durations are certain


# Probabilities


@pytest.mark.parametrize("order", [0, 1, 2, 4])
def test_probabilities_over_all_targets_sum_to_1_after_seen_and_unseen_contexts(order):
    tunes = make_tunes(12, high=6)
    model = MelodyMarkov(MarkovConfig(order, 3.0)).fit(tunes)
    seen, _, _ = model._rows(tunes)
    unseen = np.random.default_rng(0).integers(0, 128, (30, 2 * order))
    for context in [*seen, *unseen]:
        assert pitch_probs(model, context).sum() == pytest.approx(1)
        for pitch_id in (REST_ID, 3, 40):
            contexts = np.tile([pitch_id, *context], (N_DURATIONS, 1))
            durations = model.duration_table.probability(contexts, np.arange(N_DURATIONS))
            assert durations.sum() == pytest.approx(1)
            assert durations.min() > 0


@pytest.mark.parametrize("order", [1, 2, 3])
def test_order_k_reads_k_events_and_ignores_those_before(order):
    recent = [(4, 2), (3, 1), (2, 3)][:order]
    far, other = [(2, 1), *recent], [(4, 3), *recent]  # unlike before the last k events, and in what follows
    tunes = [*make_tunes(30, high=4), make_tune([*far, (3, 1)]), make_tune([*other, (4, 1)])]
    for reach in (order, order + 1):
        streams = MarkovStream(MelodyMarkov(MarkovConfig(reach, 0.1)).fit(tunes), 2)
        for a, b in zip(far, other):
            streams.push(torch.tensor([a[0], b[0]]), torch.tensor([a[1], b[1]]))
        pitch, duration = streams.pitch_logits(), streams.duration_logits(torch.tensor([3, 3]))
        assert torch.equal(pitch[0], pitch[1]) == (reach == order)
        assert torch.equal(duration[0], duration[1]) == (reach == order)


def test_the_duration_depends_on_the_pitch_it_belongs_to():
    model = MelodyMarkov(MarkovConfig(1, 1e-6)).fit([make_tune([(2, 4), (3, 8)]), make_tune([(3, 8), (2, 4)])])
    logits = MarkovStream(model, 2).duration_logits(torch.tensor([2, 3]))
    assert logits.argmax(dim=1).tolist() == [4, 8]


def test_events_never_seen_have_finite_nats():
    strange = make_tune([(40, 64), (REST_ID, 33), (41, 1)])
    nats = toy_model(order=4, backoff=16.0).nll([strange])
    assert np.isfinite(nats).all()
    assert nats[0] > toy_model(order=4, backoff=16.0).nll([TOY])[0]


def test_a_longer_context_fits_the_training_tunes_better():
    tunes = make_tunes(20, high=5)
    nats = [MelodyMarkov(MarkovConfig(order, 1.0)).fit(tunes).nll(tunes).sum() for order in range(4)]
    assert nats == sorted(nats, reverse=True)
    assert len(set(nats)) == 4


# nll, logits and samples agree


@pytest.mark.parametrize("order", [0, 1, 3])
def test_the_nats_of_a_tune_are_its_steps_by_the_logits_that_sampling_draws_from(order):
    model = MelodyMarkov(MarkovConfig(order, 2.0)).fit(make_tunes(15, high=8))
    drawn = model.sample(4, MelodyRequest(bars=2), torch.Generator().manual_seed(0))
    tunes = [*drawn, *make_tunes(4, seed=9)]
    assert model.nll(tunes) == pytest.approx(log_likelihoods(model, tunes), rel=1e-5)


def test_nats_of_a_tune_do_not_depend_on_its_company():
    tunes = make_tunes(6)
    model = MelodyMarkov(MarkovConfig(2)).fit(tunes)
    assert [model.nll([tune])[0] for tune in tunes] == pytest.approx(model.nll(tunes))
    assert model.nll(tunes[::-1]) == pytest.approx(model.nll(tunes)[::-1])


def test_samples_are_playable_and_the_same_seed_gives_the_same():
    model = MelodyMarkov(MarkovConfig(3, 1.0)).fit(make_tunes(15))
    request = MelodyRequest(style="irish", metre="6/8", pickup=2, bars=3)
    first, again = (
        [melody_events_to_piece(tune) for tune in model.sample(3, request, torch.Generator().manual_seed(5))]
        for _ in range(2)
    )
    assert first == again
    assert all(is_playable(piece) and piece.style == "irish" for piece in first)


def test_a_chain_without_choice_plays_its_tune():
    model = MelodyMarkov(MarkovConfig(2, 1e-9)).fit([make_tune([(14, 4), (16, 4), (18, 8)])])
    drawn = model.sample(2, MelodyRequest(metre="4/4", bars=1), torch.Generator().manual_seed(0))
    assert [tune.pitch_ids.tolist() for tune in drawn] == [[14, 16, 18, END_ID]] * 2


# Back-off


def test_with_backoff_shares_the_counts_and_leaves_the_model_alone():
    tunes = make_tunes(10)
    model = MelodyMarkov(MarkovConfig(2, 1.0)).fit(tunes)
    before = model.nll(tunes)
    other = model.with_backoff(10.0)
    assert other.config == MarkovConfig(2, 10.0)
    assert other.pitch_table.seen is model.pitch_table.seen
    assert other.duration_table.children is model.duration_table.children
    assert other.nll(tunes) == pytest.approx(MelodyMarkov(MarkovConfig(2, 10.0)).fit(tunes).nll(tunes))
    assert model.nll(tunes).tolist() == before.tolist()
    assert (other.nll(tunes) > before).all()  # back-off takes from what was counted


# The recipe


def test_the_recipe_takes_the_backoff_and_the_order_that_are_best_on_validation(monkeypatch):
    parts = {"train": make_tunes(20, high=6), "valid": make_tunes(9, seed=1, high=6)}
    monkeypatch.setattr(melody, "melody_events", lambda part: parts[part])
    found = melody.MarkovRecipe().evaluate("valid")
    notes = sum(tune.n_notes for tune in parts["valid"])
    for order in melody.ORDERS:
        nats = {
            b: MelodyMarkov(MarkovConfig(order, b)).fit(parts["train"]).nll(parts["valid"]).sum() / notes
            for b in melody.BACKOFFS
        }
        assert found[f"order_{order}"]["backoff"] == min(nats, key=nats.get) != max(nats, key=nats.get)
        assert found[f"order_{order}"]["nats_per_note"] == pytest.approx(min(nats.values()))
    assert found["nats_per_note"] == min(found[f"order_{order}"]["nats_per_note"] for order in melody.ORDERS)
    assert found[found["best"]]["nats_per_note"] == found["nats_per_note"]


def test_the_backoff_is_not_chosen_on_the_tunes_that_are_scored(monkeypatch):
    parts = {"train": make_tunes(20, high=6), "valid": make_tunes(9, seed=1, high=6)}
    parts["test"] = parts["train"]  # for these the least back-off is best
    monkeypatch.setattr(melody, "melody_events", lambda part: parts[part])
    recipe = melody.MarkovRecipe()
    valid, test = recipe.evaluate("valid"), recipe.evaluate("test")
    chosen = [test[f"order_{order}"]["backoff"] for order in melody.ORDERS]
    assert chosen == [valid[f"order_{order}"]["backoff"] for order in melody.ORDERS]
    assert max(chosen) > min(melody.BACKOFFS)


# Drawing event by event


def test_markov_probabilities_of_every_context_sum_to_one():
    stream = MarkovStream(MelodyMarkov(MarkovConfig(3, backoff=2.0)).fit(make_tunes(40, seed=9)), 2)
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
