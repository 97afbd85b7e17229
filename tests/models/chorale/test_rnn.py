"""Four voices: the encoding, the net that writes them, the net that fills them in."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from overfitting import overfit

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_chorales
from musegen_lib.encodings.chorale_steps import (
    END,
    FIRST_PITCH,
    HIGH,
    HOLD,
    LOW,
    MARGIN,
    N_TOKENS,
    REST,
    VOICE_RANGES,
    ChoraleSteps,
    beats_left,
    piece_to_steps,
    step_places,
    steps_to_piece,
    tokens_to_grid,
    transpose_range,
    transpose_steps,
)
from musegen_lib.encodings.melody_events import NO_TONIC
from musegen_lib.models.chorale.batches import ChoraleBatches, collate_steps
from musegen_lib.models.chorale.infill import (
    KNOWN,
    ChoraleInfill,
    InfillConfig,
    gibbs,
    hide_at_random,
    turned,
    visible_grid,
)
from musegen_lib.models.chorale.recipe import chorale_nll, chorale_steps
from musegen_lib.models.chorale.rnn import AHEAD, LAGS, ORDER, ChoraleConfig, ChoraleRNN
from musegen_lib.models.chorale.sampling import (
    ChoraleRequest,
    ChoraleStream,
    draw_tokens,
    harmonise_steps,
    sample_chorales,
)

TINY = ChoraleConfig(hidden_dim=10, n_layers=2, embedding_dim=4, head_dim=9, dropout=0.5)


def make_steps(n_steps, seed=0, metre="4/4", pickup=4, tonic=7):
    """Random voices: a pitch in range, a rest, or a hold where something sounds."""
    rng = np.random.default_rng(seed)
    tokens = np.zeros((n_steps, 4), dtype=np.int64)
    for voice, (low, high) in enumerate(VOICE_RANGES):
        struck = rng.integers(low, high + 1, n_steps) - LOW + FIRST_PITCH
        tokens[:, voice] = np.where(rng.random(n_steps) < 0.4, struck, np.where(rng.random(n_steps) < 0.2, REST, HOLD))
        for step in range(n_steps):
            if tokens[step, voice] == HOLD and (step == 0 or tokens[step - 1, voice] == REST):
                tokens[step, voice] = REST
    return ChoraleSteps(tokens, tonic, 0, metre, pickup, ((n_steps - 2, n_steps),))


def make_net(seed=0, config=TINY):
    torch.manual_seed(seed)
    return ChoraleRNN(config).eval()


def make_filler(seed=0):
    torch.manual_seed(seed)
    return ChoraleInfill(InfillConfig(hidden_dim=10, embedding_dim=4, head_dim=9, dropout=0.5)).eval()


PIECES = [make_steps(length, seed) for seed, length in enumerate((5, 16, 9))]


# Encoding


def test_every_chorale_comes_back_from_its_tokens():
    for piece in load_chorales():
        steps = piece_to_steps(piece)
        back = steps_to_piece(steps)
        assert back.notes[["onset_steps", "duration_steps", "pitch", "voice"]].tolist() == (
            piece.notes[["onset_steps", "duration_steps", "pitch", "voice"]].tolist()
        )
        assert back.pickup_steps == piece.pickup_steps
        assert steps.tokens.max() < END


def test_a_piece_on_another_grid_or_out_of_range_is_refused():
    with pytest.raises(ValueError, match="2 steps a beat"):
        piece_to_steps(Piece.from_notes([(0, 1, 60)], steps_per_beat=2))
    with pytest.raises(ValueError, match="sings 90"):
        piece_to_steps(Piece.from_notes([(0, 1, 90)]))


def test_places_count_from_the_bar_line_and_metres_do_not_share_them():
    assert step_places(np.arange(6), "4/4", 4).tolist() == [12, 13, 14, 15, 0, 1]
    assert step_places(np.arange(3), "3/4", 0).tolist() == [16, 17, 18]


def test_the_beats_left_end_in_one_and_never_say_not_told():
    assert beats_left(np.arange(9), 8).tolist() == [3, 3, 3, 3, 2, 2, 2, 2, 1]
    assert beats_left(np.array([0]), 4000).tolist() == [24]


@pytest.mark.parametrize("piece", load_chorales(part="valid")[:6], ids=lambda piece: piece.title)
def test_a_transposition_moves_notes_and_tonic_and_stays_near_the_ranges(piece):
    steps = piece_to_steps(piece)
    for by in transpose_range(steps):
        moved = steps_to_piece(transpose_steps(steps, by))
        assert (moved.notes["pitch"].astype(int) - piece.notes["pitch"] == by).all()
        for voice, (low, high) in enumerate(VOICE_RANGES):
            sung = moved.notes["pitch"][moved.notes["voice"] == voice]
            assert sung.min() >= low - MARGIN
            assert sung.max() <= high + MARGIN


def test_batches_close_each_piece_with_end_and_tell_only_what_is_asked():
    batch = collate_steps(PIECES, told=["length", "plan", "nothing"])
    for row, piece in enumerate(PIECES):
        n = len(piece.tokens)
        assert int(batch.tokens[row, n, 0]) == END
        assert batch.mask[row].sum() == n + 1
        assert np.array_equal(batch.grid[row, :n].numpy(), tokens_to_grid(piece.tokens))
    assert batch.time_left[0, 5] == 1
    assert batch.time_left[0, 0] == 3
    assert batch.phrases[1, 13:17].tolist() == [5, 1, 1, 0]
    assert not batch.phrases[[0, 2]].any()
    assert not batch.time_left[2].any()
    assert batch.n_cells == 4 * (5 + 16 + 9)


def test_a_soprano_that_is_known_is_not_scored_and_of_an_end_the_soprano_alone():
    batch = collate_steps(PIECES[:2], told=["soprano", "nothing"])
    assert batch.scored.sum(dim=1).tolist() == [[0, 5, 5, 5], [17, 16, 16, 16]]


def test_pieces_whose_plan_is_told_are_named_by_the_key_they_end_in():
    pieces = [replace(piece, tonic=9, mode=1) for piece in chorale_steps("valid")]
    batch = ChoraleBatches(pieces, 12, 0)(0)
    planned = batch.phrases.any(dim=1) & ~batch.sees_soprano
    assert planned.any()
    for row in planned.nonzero()[:, 0]:
        n_steps = int(batch.mask[row].sum()) - 1
        last = int(batch.grid[row, n_steps - 1, 3].abs())
        assert not last or int(batch.tonics[row]) in (last % 12, NO_TONIC)


def test_the_same_step_gives_the_same_batch_and_moves_pieces_as_a_whole():
    one, again, other = (ChoraleBatches(PIECES, 3, seed)(4) for seed in (1, 1, 2))
    assert torch.equal(one.tokens, again.tokens)
    assert not torch.equal(one.tokens, other.tokens) or not torch.equal(one.time_left, other.time_left)


# The net that writes


def test_logits_at_t_ignore_the_present_voices_to_come_and_the_future():
    net, piece = make_net(), make_steps(12, 3)
    changed = piece.tokens.copy()
    changed[6:, ORDER[2]] = 30  # from step 6 on the alto and the tenor sing something else
    changed[6:, ORDER[3]] = 20
    other = replace(piece, tokens=changed)
    with torch.no_grad():
        a, b = net(collate_steps([piece])), net(collate_steps([other]))
    assert torch.equal(a[0, :6], b[0, :6])
    assert torch.equal(a[0, 6, list(ORDER[:3])], b[0, 6, list(ORDER[:3])])
    assert not torch.equal(a[0, 6, ORDER[3]], b[0, 6, ORDER[3]])  # the tenor hears the alto
    assert not torch.equal(a[0, 7, 0], b[0, 7, 0])


def test_a_known_soprano_is_read_a_bar_ahead_and_no_further():
    net, piece = make_net(), make_steps(40, 3)
    changed = piece.tokens.copy()
    changed[30, 0] = 41 if changed[30, 0] != 41 else 42
    with torch.no_grad():
        a, b = (net(collate_steps([replace(piece, tokens=t)], ["soprano"]))[0, :, 3] for t in (piece.tokens, changed))
    differ = (a != b).any(dim=1).nonzero()[0]
    assert int(differ) == 30 - AHEAD[-1]


def test_padding_leaves_the_likelihood_alone():
    net = make_net()
    with torch.no_grad():
        together = net.cell_nll(collate_steps(PIECES)).sum(dim=(1, 2))
    assert together.numpy() == pytest.approx(chorale_nll(net, PIECES), rel=1e-5)


def test_one_batch_can_be_overfitted():
    torch.manual_seed(0)
    net = ChoraleRNN(ChoraleConfig(hidden_dim=48, n_layers=1, embedding_dim=8, head_dim=48, dropout=0.0))
    losses = overfit(net, collate_steps(PIECES), steps=151, rate=1e-2)
    assert losses[-1] < 0.1 * losses[0]


def test_nothing_is_held_that_does_not_sound_and_only_the_soprano_can_end():
    batch = collate_steps(PIECES)
    with torch.no_grad():
        logits = make_net()(batch)
    assert torch.isinf(logits[:, 0, :, HOLD]).all()  # nothing sounds before the first step
    assert torch.isinf(logits[:, :, 1:, END]).all()
    assert torch.isfinite(logits[:, :, 0, END]).all()


@pytest.mark.parametrize("told", ["plan", "soprano"])
def test_a_stream_draws_from_what_forward_scores(told):
    net, request = make_net(), ChoraleRequest("3/4", "D minor", 4)
    frame = replace(make_steps(12, 8), metre="3/4")
    given = (None if told == "plan" else frame.tokens[:, 0].tolist(), None, None, None)
    seen = []
    net.score, score = lambda *a: seen.append(score(*a)) or seen[-1], net.score

    def draw(generator):
        stream = ChoraleStream(net, [frame], request, told)
        return torch.stack(
            [stream.advance(generator, [row and row[step] for row in given])[0] for step in range(12)]
        ).numpy()

    drawn = draw(torch.Generator().manual_seed(5))
    del net.score
    assert np.array_equal(drawn, draw(torch.Generator().manual_seed(5)))
    with torch.no_grad():
        logits = net(collate_steps([replace(frame, tokens=drawn)], [told]))[0]
    turns = [(step, voice) for step in range(12) for voice in ORDER if given[voice] is None]
    assert len(seen) == len(turns)
    for (step, voice), scores in zip(turns, seen):
        assert torch.allclose(scores[0, 0], logits[step, voice], atol=1e-5)


def test_a_voice_strikes_as_often_as_the_net_has_it_and_low_temperature_picks_the_likeliest_pitch():
    logits = torch.full((1, N_TOKENS), -20.0)
    logits[0, HOLD], logits[0, FIRST_PITCH : FIRST_PITCH + 2] = 1.0, torch.tensor([0.2, 0.0])
    allowed, generator = torch.ones(4000, N_TOKENS, dtype=torch.bool), torch.Generator().manual_seed(0)
    request = ChoraleRequest(temperature=0.1)
    drawn = draw_tokens(logits.expand(4000, -1), generator, allowed, request)
    holds = np.exp(1) / (np.exp(1) + np.exp(0.2) + 1)
    assert (drawn == HOLD).float().mean() == pytest.approx(holds, abs=0.03)
    assert (drawn == FIRST_PITCH).sum() > 5 * (drawn == FIRST_PITCH + 1).sum()
    allowed[:, HOLD] = False
    assert (draw_tokens(logits.expand(4000, -1), generator, allowed, request) != HOLD).all()


def test_the_same_seed_draws_the_same_chorales_and_another_seed_others():
    def draw(seed):
        request = ChoraleRequest(bars=2)
        return [
            steps.tokens.tolist()
            for steps in sample_chorales(make_net(), 3, request, torch.Generator().manual_seed(seed))
        ]

    assert draw(1) == draw(1) != draw(2)


def test_a_chorale_is_as_long_as_it_was_asked_to_be_as_its_plan_or_ends_on_a_full_bar():
    net = make_net()
    asked = sample_chorales(net, 2, ChoraleRequest("3/4", pickup=0, bars=3), torch.Generator().manual_seed(0))
    assert [len(steps.tokens) for steps in asked] == [36, 36]
    assert all(steps.ends[-1][1] == 36 for steps in asked)
    net.planner.bars[:] = torch.eye(32)[[2, 4]]  # pieces of three bars in 4/4, of five in 3/4
    assert [len(steps.tokens) for steps in sample_chorales(net, 1, ChoraleRequest(), torch.Generator())] == [48]
    with torch.no_grad():
        net.heads[0].token.bias[END] += 3  # an untrained net would seldom end
    free = sample_chorales(net, 4, ChoraleRequest(), torch.Generator().manual_seed(0), told="nothing")
    assert all(len(steps.tokens) % 16 == 0 for steps in free)
    assert any(len(steps.tokens) < 40 * 16 for steps in free)
    assert all((steps.tokens != END).all() for steps in free)


def test_rules_can_forbid_tokens():
    def no_high(voice, before, known):
        allowed = torch.ones(len(before), N_TOKENS, dtype=torch.bool)
        allowed[:, 70 - LOW + FIRST_PITCH : END] = False
        return allowed

    request = ChoraleRequest(bars=2)
    drawn = sample_chorales(make_net(), 2, request, torch.Generator().manual_seed(0), rules=no_high)
    assert max(steps.tokens.max() for steps in drawn) < 70 - LOW + FIRST_PITCH


@pytest.mark.parametrize(
    ("wish", "fault"),
    [
        ({"metre": "5/4"}, "metre '5/4' is unknown"),
        ({"key": "H major"}, "key 'H major' is unknown"),
        ({"bars": 0}, "0 bars"),
        ({"pickup": 16}, "pickup of 16"),
    ],
)
def test_an_impossible_wish_is_one_line(wish, fault):
    with pytest.raises(MusegenError, match=fault):
        ChoraleRequest(**wish)


def test_harmonising_keeps_the_soprano():
    melody = make_steps(20, 8)
    for steps in harmonise_steps(make_net(), [melody] * 3, ChoraleRequest(), torch.Generator().manual_seed(0)):
        assert np.array_equal(steps.tokens[:, 0], melody.tokens[:, 0])
        assert (steps.tokens[:, 1:] >= FIRST_PITCH).any()


def test_zero_weights_give_every_allowed_token_its_uniform_share():
    net = make_net()
    with torch.no_grad():
        for weights in net.parameters():
            weights.zero_()
    silence = ChoraleSteps(np.full((6, 4), REST), 0, 0, "4/4", 0)
    soprano, others = np.log(N_TOKENS - 1), np.log(N_TOKENS - 2)  # nothing to hold; only the soprano may end
    assert chorale_nll(net, [silence]) == pytest.approx([7 * soprano + 18 * others], rel=1e-5)


# The net that fills in


def test_a_hidden_cell_is_not_read_not_even_through_its_holds():
    tokens = torch.tensor([[[40, 30, 20, 10], [HOLD] * 4, [HOLD] * 4]])
    hidden = torch.zeros_like(tokens, dtype=torch.bool)
    hidden[0, 0, 0] = hidden[0, 1, 1] = True
    grid, known = visible_grid(tokens, hidden)
    assert grid[0, :, 0].tolist() == [0, 0, 0]
    assert [KNOWN[i] for i in known[0, :, 0]] == ["nothing", "that it holds", "that it holds"]
    assert grid[0, :, 1].tolist() == [30 - FIRST_PITCH + LOW, 0, 0]
    assert grid[0, :, 2].tolist() == [20 - FIRST_PITCH + LOW, -(20 - FIRST_PITCH + LOW), -(20 - FIRST_PITCH + LOW)]
    net, piece = make_filler(), make_steps(12, 2)
    other = ChoraleSteps(piece.tokens.copy(), piece.tonic, piece.mode, piece.metre, piece.pickup)
    other.tokens[4:8, 2] = 25
    cells = torch.zeros(1, 13, 4, dtype=torch.bool)
    cells[0, 4:8, 2] = True
    cells[0, 8, 2] = bool(piece.tokens[8, 2] == HOLD)
    with torch.no_grad():
        a, b = (net(collate_steps([p]), cells) for p in (piece, other))
    assert torch.equal(a, b)


def test_the_filler_reads_both_ways_and_ignores_padding():
    net = make_filler()
    cells = torch.zeros(1, 17, 4, dtype=torch.bool)
    cells[0, 8:12, 1] = True
    piece = make_steps(16, 4)
    late = ChoraleSteps(piece.tokens.copy(), piece.tonic, piece.mode, piece.metre, piece.pickup)
    late.tokens[15, 0] = 44
    with torch.no_grad():
        a, b = (net(collate_steps([p]), cells) for p in (piece, late))
        assert not torch.allclose(a[0, 8, 1], b[0, 8, 1])
        batch = collate_steps([piece, make_steps(30, 5)])
        wide = torch.zeros(2, 31, 4, dtype=torch.bool)
        wide[0, :17] = cells
        assert torch.allclose(net(batch, wide)[0, :17], a[0], atol=1e-5)


def test_rows_are_turned_within_their_length():
    x, mask = torch.arange(8.0).view(2, 4, 1), torch.tensor([[True, True, True, False], [True] * 4])
    assert turned(x, mask)[:, :, 0].tolist() == [[2, 1, 0, 3], [7, 6, 5, 4]]
    assert torch.equal(turned(turned(x, mask), mask), x)


def test_what_is_hidden_varies_and_is_never_nothing():
    torch.manual_seed(0)
    cells = torch.ones(400, 16, 4, dtype=torch.bool)
    cells[:, 12:] = False
    hidden = hide_at_random(cells)
    assert hidden.flatten(1).any(dim=1).all()
    assert not hidden[:, 12:].any()
    share = hidden[:, :12].float().mean(dim=(1, 2))
    assert share.min() < 0.15
    assert share.max() > 0.9
    assert torch.equal(hidden[:, 0], hidden[:, 3])  # whole beats
    all_but_soprano = hidden[:, :12, 1:].flatten(1).all(dim=1) & ~hidden[:, :, 0].any(dim=1)
    assert all_but_soprano.any()


def test_gibbs_keeps_what_is_not_free_and_holds_nothing_that_does_not_sound():
    start, free = make_steps(18, 6), np.ones((18, 4), dtype=bool)
    free[:, 0] = False

    def draw(seed):
        return gibbs(make_filler(), start, free, torch.Generator().manual_seed(seed), sweeps=5, n=2)

    for steps in draw(1):
        assert np.array_equal(steps.tokens[:, 0], start.tokens[:, 0])
        silent = np.vstack([np.full((1, 4), True), tokens_to_grid(steps.tokens)[:-1] == 0])
        assert not ((steps.tokens == HOLD) & silent).any()
    assert [s.tokens.tolist() for s in draw(1)] == [s.tokens.tolist() for s in draw(1)]
    assert [s.tokens.tolist() for s in draw(1)] != [s.tokens.tolist() for s in draw(2)]


def test_the_fillers_loss_counts_hidden_cells_of_real_steps_only():
    torch.manual_seed(3)
    loss, parts = make_filler().loss(collate_steps(PIECES))
    assert 1 <= parts["weight"] <= 4 * (5 + 16 + 9)
    assert loss.item() == pytest.approx(np.log(N_TOKENS), rel=0.3)


def test_lags_start_with_the_step_before():
    assert LAGS[0] == 1  # `read` takes the voices of the step before from the first lag
    assert HIGH - LOW + FIRST_PITCH + 2 == N_TOKENS
