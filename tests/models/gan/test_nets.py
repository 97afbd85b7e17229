"""Lesson 2: what a discriminator sees, the nets, the encodings, the floors."""

import numpy as np
import pytest
import torch

from data.studies.gan_variants import (
    DeterministicGenerator,
    OneShotGenerator,
    PlainDiscriminator,
    WholeBarDiscriminator,
)
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales
from musegen_lib.encodings.chorale_steps import FIRST_PITCH, HOLD, LOW, REST, ChoraleSteps, tokens_to_grid
from musegen_lib.models.facts import is_playable_chorale
from musegen_lib.models.gan.baselines import ChordChain, cells_to_tokens, mix_voices
from musegen_lib.models.gan.batches import (
    BarBatches,
    bar_windows,
    one_hot,
    to_white_keys,
    tokens_to_pieces,
    windows_to_cells,
    windows_to_tokens,
)
from musegen_lib.models.gan.interval_features import N_PITCHES, PERIODS, interval_features, sounding
from musegen_lib.models.gan.nets import (
    BarDiscriminator,
    BarGANConfig,
    BarGenerator,
    straight_through,
    with_spectral_norm,
)
from musegen_lib.models.gan.sketch import SketchConfig, SketchDiscriminator, SketchGenerator

TINY = BarGANConfig(n_bars=2, noise_dim=6, hidden_dim=10, n_relations=3, judge_dim=7)
VOICES = (72, 67, 60, 48)


def make_tokens(n=5, n_bars=1, seed=0):
    """Random windows that open with a note in every voice."""
    rng = np.random.default_rng(seed)
    shape = n, 16 * n_bars, 4
    pitches = rng.integers(-4, 5, shape) + np.array(VOICES) - LOW + FIRST_PITCH
    tokens = np.where(rng.random(shape) < 0.5, pitches, np.where(rng.random(shape) < 0.8, HOLD, REST))
    tokens[:, 0] = pitches[:, 0]
    return tokens


def make_generator(config=TINY, seed=0):
    torch.manual_seed(seed)
    return BarGenerator(config)


# What is seen


def test_sounding_agrees_with_the_decoded_grid():
    tokens = make_tokens()
    pitch = np.stack([np.abs(tokens_to_grid(row)) for row in tokens])
    found = sounding(one_hot(tokens)).argmax(dim=-1).numpy()
    assert (np.where(found == N_PITCHES, 0, found + LOW) == pitch).all()


def test_intervals_between_voices_and_over_time_are_the_same_in_every_key_and_pitches_are_not():
    tokens = make_tokens()
    higher = np.where(tokens >= FIRST_PITCH, tokens + 3, tokens)
    a, b = interval_features(one_hot(tokens)), interval_features(one_hot(higher))
    pitches = 2 * len(PERIODS) * 4
    assert torch.allclose(a[..., pitches:], b[..., pitches:], atol=1e-4)
    assert not torch.allclose(a[..., :pitches], b[..., :pitches], atol=0.1)


def test_two_intervals_look_different_and_silence_shows_none():
    fifth, fourth = (one_hot(np.array([[[p - LOW + 2, q - LOW + 2, 1, 1]]])) for p, q in ((67, 60), (65, 60)))
    n, start = 2 * len(PERIODS), 2 * len(PERIODS) * 4
    a, b = interval_features(fifth)[0, 0, start:], interval_features(fourth)[0, 0, start:]
    assert (a[:n] - b[:n]).abs().max() > 0.5
    assert not a[n : 6 * n].any()  # every other pair has a silent voice


def test_a_gradient_reaches_every_token_through_a_hold():
    tokens = np.full((1, 3, 4), HOLD)
    tokens[0, 0] = 20
    x = one_hot(tokens).requires_grad_()
    interval_features(x)[0, 2].square().sum().backward()
    assert x.grad[0, 0, :, 20].abs().min() > 0


# The nets


def test_the_generator_writes_one_hot_tokens_and_opens_every_voice_with_a_note():
    made = make_generator().draw(64, torch.Generator().manual_seed(1))
    assert made.shape == (64, 32, 4, N_PITCHES + 2)
    assert ((made == 0) | (made == 1)).all()
    assert (made.sum(dim=-1) == 1).all()
    assert (made[:, 0, :, FIRST_PITCH:].sum(dim=-1) == 1).all()


def test_the_same_seed_draws_the_same_and_another_seed_another():
    net = make_generator()
    a, b, c = (net.draw(3, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_a_phrase_shares_half_of_its_noise_over_bars():
    noise, _ = make_generator().draw_noise(4)
    assert torch.equal(noise[:, 0, :, :3], noise[:, 1, :, :3])
    assert not torch.isclose(noise[:, 0, :, 3:], noise[:, 1, :, 3:]).any()


def test_later_noise_leaves_earlier_steps_alone():
    net = make_generator()
    noise, gumbel = net.draw_noise(8, torch.Generator().manual_seed(0))
    before = net(noise, gumbel)
    noise[:, 1], gumbel[:, 20:] = -noise[:, 1], 0.0
    after = net(noise, gumbel)
    assert torch.equal(before[:, :16], after[:, :16])
    assert not torch.equal(before[:, 16:], after[:, 16:])


def test_noise_of_the_soprano_cannot_change_the_bass_within_the_first_step():
    net = make_generator()
    noise, gumbel = net.draw_noise(64, torch.Generator().manual_seed(0))
    before = net(noise, gumbel)
    noise[:, :, 1] = 5 * torch.randn_like(noise[:, :, 1])
    after = net(noise, gumbel)
    assert torch.equal(before[:, 0, 3], after[:, 0, 3])
    assert not torch.equal(before[:, 0, 0], after[:, 0, 0])


def test_gradients_of_the_judge_reach_all_weights_of_the_generator():
    net, judge = make_generator(), BarDiscriminator(TINY)
    sum(level.sum() for level in judge(judge.see(net.draw(4)))).backward()
    weights = [p for p in net.parameters() if p.numel()]  # the voice that is placed first is led by none
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in weights)


def test_relations_move_with_the_pitch_that_is_heard():
    net = make_generator()
    with torch.no_grad():
        for head in net.heads:
            head.weight.zero_()
            head.bias.zero_()
            head.bias[N_PITCHES + 2 :] = 1.0
    heard = torch.zeros(1, 2, N_PITCHES + 1)
    heard[0, 0, 20] = heard[0, 1, 25] = 1
    from musegen_lib.models.gan.nets import _bank

    low, high = net._logits(0, torch.zeros(2, 10), heard, _bank(net.shapes[0]))
    assert torch.allclose(low[2:47], high[7:52])
    assert low.std() > 0.1


def test_straight_through_is_hard_ahead_and_soft_behind():
    logits = torch.tensor([[0.0, 2.0, -1.0]], requires_grad=True)
    hard = straight_through(logits)
    assert hard.tolist() == [[0, 1, 0]]
    (hard * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    soft = torch.softmax(logits.detach(), dim=-1)
    wanted = soft * (torch.tensor([1.0, 2.0, 3.0]) - (soft * torch.tensor([1.0, 2.0, 3.0])).sum())
    assert torch.allclose(logits.grad, wanted)


def test_the_discriminator_judges_steps_beats_bars_and_the_whole():
    judge = BarDiscriminator(TINY)
    scores = judge(judge.see(one_hot(make_tokens(3, n_bars=2))))
    assert [tuple(s.shape) for s in scores] == [(3, 32), (3, 8), (3, 2), (3, 1)]
    one = BarDiscriminator(BarGANConfig(judge_dim=7))
    assert len(one(one.see(one_hot(make_tokens(3))))) == 3


def test_spectral_norm_bounds_every_layer():
    judge = with_spectral_norm(SketchDiscriminator(SketchConfig(hidden_dim=5)))
    for _ in range(200):
        judge(torch.rand(2, 784))
    judge.eval()
    for layer in (judge.layers[0], judge.layers[2]):
        assert torch.linalg.svdvals(layer.weight)[0].item() == pytest.approx(1.0, abs=1e-3)


def test_the_sketch_is_the_formula_and_draws_between_zero_and_one():
    net = SketchGenerator(SketchConfig(noise_dim=3, hidden_dim=4))
    noise = torch.randn(2, 3)
    first, _, last = net.layers
    by_hand = torch.tanh(noise @ first.weight.T + first.bias) @ last.weight.T + last.bias
    assert torch.allclose(net(noise), by_hand, atol=1e-6)
    cells = net.draw(5, torch.Generator().manual_seed(0))
    assert cells.shape == (5, 784)
    assert cells.min() > 0
    assert cells.max() < 1


@pytest.mark.parametrize("make", [OneShotGenerator, DeterministicGenerator])
def test_trial_generators_write_legal_bars(make):
    torch.manual_seed(0)
    config = BarGANConfig(noise_dim=6, hidden_dim=10, n_relations=0)
    made = make(config).draw(9, torch.Generator().manual_seed(0))
    assert made.shape == (9, 16, 4, N_PITCHES + 2)
    assert (made.sum(dim=-1) == 1).all()
    assert all(map(is_playable_chorale, tokens_to_pieces(made.argmax(dim=-1).numpy())))


def test_trial_discriminators_judge_less_and_see_less():
    config = BarGANConfig(judge_dim=7)
    whole, plain = WholeBarDiscriminator(config), PlainDiscriminator(config)
    tokens = one_hot(make_tokens(2))
    assert [tuple(s.shape) for s in whole(whole.see(tokens))] == [(2, 1)]
    hidden = slice(2 * len(PERIODS) * 4, -8)
    assert not plain.see(tokens)[..., hidden].any()
    assert whole.see(tokens)[..., hidden].any()


# Windows and floors


def test_windows_begin_on_bar_lines_and_know_their_piece():
    pieces = load_chorales(part="valid")
    windows, works = bar_windows(pieces, n_bars=2)
    assert len(windows) == len(works)
    assert (np.diff(works) >= 0).all()
    assert {w.steps_per_bar for w in windows} == {16}
    assert max(w.n_steps for w in windows) == 32
    first = next(p for p in pieces if p.steps_per_bar == 16)
    start = first.pickup_steps
    at_start = first.notes[first.notes["onset_steps"] == start]["pitch"]
    assert set(at_start) <= set(windows[0].notes[windows[0].notes["onset_steps"] == 0]["pitch"])


def test_tokens_decode_to_the_window_on_the_white_keys():
    windows, _ = bar_windows(load_chorales(part="valid"))
    tokens = windows_to_tokens(windows)
    for window, piece in list(zip(windows, tokens_to_pieces(tokens)))[::40]:
        a, b = window.notes, piece.notes
        assert (a["onset_steps"] == b["onset_steps"]).all()
        assert (a["duration_steps"] == b["duration_steps"]).all()
        moved = b["pitch"].astype(int) - a["pitch"].astype(int)
        assert len(set(moved)) == 1
        assert abs(moved[0]) <= 12
    black = np.isin((tokens[tokens >= FIRST_PITCH] - FIRST_PITCH + LOW) % 12, (1, 3, 6, 8, 10)).mean()
    assert black < 0.12


def test_to_white_keys_stays_in_the_table():
    low = ChoraleSteps(np.full((2, 4), FIRST_PITCH + 1), tonic=5, mode=0, metre="4/4", pickup=0)
    assert to_white_keys(low).tokens.min() >= FIRST_PITCH


def test_cells_read_as_voices_give_the_chord_back():
    piece = Piece.from_notes([(0, 8, p, 80, v) for v, p in enumerate(VOICES)] + [(8, 8, 71, 80, 0)], metre="4/4")
    tokens = cells_to_tokens(windows_to_cells([piece]))[0]
    assert (tokens[0] == np.array(VOICES) - LOW + FIRST_PITCH).all()
    assert (tokens[1:8] == HOLD).all()
    assert tokens[8, 0] == 71 - LOW + FIRST_PITCH
    assert (cells_to_tokens(np.zeros((1, 784), dtype=bool)) == REST).all()


def test_mixed_voices_keep_every_line():
    tokens = make_tokens(7)
    mixed = mix_voices(tokens, np.random.default_rng(0))
    for voice in range(4):
        lines = [sorted(map(tuple, table[:, :, voice].tolist())) for table in (tokens, mixed)]
        assert lines[0] == lines[1]
    assert not (mixed == tokens).all()


def test_the_chord_chain_takes_only_steps_that_training_took():
    tokens = windows_to_tokens(bar_windows(load_chorales(part="valid"))[0])
    chain = ChordChain(tokens)
    made = chain.sample(20, np.random.default_rng(0))
    taken = {(t, *np.abs(tokens_to_grid(b))[t - 1], *b[t]) for b in tokens for t in range(1, 16)}
    for bar in made:
        sung = np.abs(tokens_to_grid(bar))
        assert all((t, *sung[t - 1], *bar[t]) in taken for t in range(1, 16))


def test_batches_depend_on_seed_and_step_alone():
    batches = BarBatches(make_tokens(30), 8, seed=3)
    assert torch.equal(batches(5), batches(5))
    assert not torch.equal(batches(5), batches(6))
    assert batches(0).shape == (8, 16, 4, N_PITCHES + 2)
    assert BarBatches(np.ones((4, 784), dtype=bool), 3)(0).dtype == torch.float32
