"""The VAE of two styles: latents, reversed gradient, decoding step by step, and the shipped weights as a rewriter."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES, load_held_out, other_style
from musegen_lib.encodings.melody_lines import piece_to_line
from musegen_lib.metrics.content import notes_kept, rhythm_kept
from musegen_lib.models.style.attribute_vector import piece_to_steps
from musegen_lib.models.style.batches import lines_to_batch
from musegen_lib.models.style.net_recipes import STYLE_VAE, STYLE_VAE_ENSEMBLE, lines_in_batches, transfer_lines
from musegen_lib.models.style.transfer import find_method
from musegen_lib.models.style.vae import Reverse, StyleVAE, StyleVAEConfig, StyleVAEEnsemble

TUNE = Piece.from_notes([(0, 4, 60), (4, 2, 62), (6, 2, 64), (8, 4, 65), (12, 4, 60)])
SMALL = StyleVAEConfig(
    hidden_dim=7, interval_dim=5, register_dim=4, rhythm_dim=3, style_dim=2, encoder_dim=6, latent_dim=3
)


@pytest.fixture
def model():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return StyleVAE(SMALL).eval()


def test_the_encoder_reads_no_style_and_no_padding(model):
    short, long = piece_to_line(TUNE).cut(0, 3), piece_to_line(TUNE)
    alone = model.encode(lines_to_batch([short], [0]))[0]
    beside = model.encode(lines_to_batch([short, long], [1, 0]))[0]
    assert torch.allclose(alone[0], beside[0, :2], atol=1e-6)


def test_the_reversed_gradient_is_minus_the_gradient():
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    (3 * Reverse.apply(x, 0.5)).sum().backward()
    assert x.grad.tolist() == [-1.5, -1.5]


def test_the_classifier_learns_while_the_encoder_unlearns(model):
    batch = lines_to_batch([piece_to_line(TUNE), piece_to_line(TUNE).with_pitches([60, 57, 55, 53, 60])], [0, 1])
    style = model.terms(batch)[2]
    style.backward()
    forward = model.classifier.head.weight.grad.clone(), model.to_latent.weight.grad.clone()
    model.zero_grad()
    model.config = replace(SMALL, reversal=-1.0)  # an encoder that helps the classifier
    model.terms(batch)[2].backward()
    assert torch.allclose(model.classifier.head.weight.grad, forward[0])
    assert torch.allclose(model.to_latent.weight.grad, -forward[1])


@torch.no_grad()
def test_only_the_kl_beyond_the_free_nats_is_charged(model):
    batch = lines_to_batch([piece_to_line(TUNE)], [0])
    reconstruction, kl, _ = model.terms(batch)
    for free in (0.0, float(kl) / 2, float(kl) + 1):
        model.config = replace(SMALL, free_nats=free)
        assert model.loss(batch)[0].item() == pytest.approx(
            float(reconstruction) + max(0.0, float(kl) - free), abs=1e-5
        )


@torch.no_grad()
def test_given_the_latents_steps_one_by_one_give_the_whole(model):
    line = piece_to_line(TUNE)
    whole = lines_to_batch([line], [1])
    given = model.given(whole)
    logits, state, single = given.steps(whole, None)[0], None, []
    for note in range(4):
        rhythm = {name: getattr(whole, name)[:, note : note + 2] for name in ("durations", "places", "left")}
        read = {name: getattr(whole, name)[:, note : note + 1] for name in ("before", "register", "intervals", "mask")}
        step, state = given.steps(replace(whole, **rhythm, **read), state)
        single.append(step)
    assert torch.allclose(torch.cat(single, dim=1), logits, atol=1e-5)
    chosen = torch.log_softmax(logits, dim=-1).gather(2, whole.intervals[..., None]).sum()
    assert given.log_prob(whole).item() == pytest.approx(chosen.item(), abs=1e-5)


def test_the_shipped_latents_help_and_a_wrong_style_hurts():
    model = STYLE_VAE.load_once()
    batch = lines_in_batches(tuple(side[:40] for side in transfer_lines("valid")[:2]))[0]
    with torch.no_grad():
        own = model.terms(batch)[0]
        wrong = model.terms(replace(batch, styles=1 - batch.styles))[0]
        mixed = model.decoder.steps_with(batch, model.encode(batch)[0].roll(1, dims=0), None)[0]
    nll = torch.nn.functional.cross_entropy(mixed.transpose(1, 2), batch.intervals, reduction="none")
    assert own < (nll * batch.mask).sum() / batch.mask.sum() - 0.05
    assert own < wrong - 0.05


@torch.no_grad()
def test_an_ensemble_writes_the_mean_of_its_nets_and_each_goes_on_from_its_own_state():
    torch.manual_seed(0)
    ensemble = StyleVAEEnsemble(SMALL).eval()
    whole = lines_to_batch([piece_to_line(TUNE)], [1])
    each = [net.given(whole).steps(whole, None)[0].log_softmax(dim=-1) for net in ensemble.nets]
    together, state = ensemble.given(whole).steps(whole, None)
    assert torch.allclose(together, sum(each) / len(each), atol=1e-6)
    assert not torch.allclose(each[0], each[1])
    assert [int(place[0, 0, 0]) for place in state[2::3]] == [whole.before.shape[1]] * len(ensemble.nets)


def test_the_shipped_ensemble_has_three_nets_that_differ():
    first, second, third = (net.to_latent.weight for net in STYLE_VAE_ENSEMBLE.load_once().nets)
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)
    assert not torch.equal(first, third)


def test_an_ensemble_is_trained_from_seeds_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    card = STYLE_VAE_ENSEMBLE.train(tmp_path / "three.safetensors", seed=1, steps=2)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [f"style-vae-seed{k}" for k in (3, 4, 5)]
    assert card["recipe"] == "musegen train style-vae-ensemble --seed 1 --steps 2"


@pytest.mark.parametrize("method", ["vae", "vae-ensemble", "vae-attribute"])
@pytest.mark.parametrize("to", STYLES)
def test_few_notes_move_and_the_rhythm_stays(method, to):
    rewrite = find_method(method)
    for piece in list(load_held_out(other_style(to), "valid"))[:2]:
        made = rewrite(piece, to, 0.2, 0)
        assert 1 > notes_kept(piece, made) >= 0.8
        assert rhythm_kept(piece, made) == 1
        assert np.array_equal(made.notes, rewrite(piece, to, 0.2, 1).notes)


@pytest.mark.parametrize("method", ["vae", "vae-attribute"])
def test_strange_melodies_work(method):
    rewrite = find_method(method)
    one = Piece.from_notes([(0, 4, 60)])
    assert len(rewrite(one, "chinese", 0.5, 0)) == 1
    for pitches in ((0, 1, 0, 2), (127, 126, 127, 120)):
        edge = Piece.from_notes([(4 * i, 4, pitch) for i, pitch in enumerate(pitches)])
        made = rewrite(edge, "german", 1.0, 0)
        assert made.notes["pitch"].min() >= 0
        assert made.notes["pitch"].max() <= 127
    assert np.array_equal(rewrite(TUNE, "chinese", 0.0, 0).notes, TUNE.notes)


def test_the_tokens_of_a_tune_hold_its_notes_where_they_are_said_to_lie():
    tune = Piece.from_notes([(0, 2, 30), (2, 4, 62), (6, 20, 100), (30, 4, 60)], metre="4/4", pickup_steps=2)
    tokens, onsets, ids = piece_to_steps(tune)
    assert len(tokens) % 32 == 0
    assert onsets.tolist() == [30, 32, 36, 60]
    assert tokens[onsets].tolist() == ids.tolist()
    assert len(set(((ids - 2 + 48 - tune.notes["pitch"].astype(int)) % 12).tolist())) == 1  # one way home for all
    moved = piece_to_steps(tune.transpose(-3))[2]  # from another key the same tokens, octaves aside
    assert ((moved - ids) % 12 == 0).all()
