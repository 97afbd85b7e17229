"""The small networks of lessons 04 and 04b: what they are told, and what their measures count."""

import numpy as np
import torch

from data.studies import small_chorale, small_memory

ROW = torch.tensor([20, *[0] * 7, 22, *[0] * 7] * 2 + [24, *[0] * 7] * 4)  # A B A B C C C C


def test_lags_point_to_the_first_equal_bar_and_bring_its_tokens_back():
    assert small_memory.lags_of(ROW) == [0, 0, 2, 2, 0, 1, 2, 3]
    told = small_memory.brought_back(ROW, small_memory.lags_of(ROW))
    assert told[:16].eq(small_memory.NOTHING).all()
    assert torch.equal(told[16:32], ROW[16:32])


def test_returns_and_kept_bars_are_counted():
    rows = torch.stack([ROW, torch.arange(64)])
    assert np.isclose(small_memory.returns(rows, 2), (2 + 2) / 12)
    assert small_memory.kept(rows, [[0, 0, 2, 0, 0, 0, 0, 0]] * 2) == 0.5
    assert small_memory.asked([[0] * 4 + [4] * 4, [0] * 8], 4) == 0.5


def test_a_chain_of_forms_draws_what_it_has_counted():
    chain = small_memory.Forms(torch.stack([ROW] * 3))
    assert chain.draw(np.random.default_rng(0)) == small_memory.lags_of(ROW)


def test_writing_gives_what_reading_in_one_pass_scores():
    torch.manual_seed(0)
    net = small_memory.Memory("gate", width=8)
    rows = small_memory.write(net, 2, seed=1)
    other = rows.clone()
    other[:, 40] = 5
    told = small_memory.told_of("gate", rows)
    with torch.no_grad():
        before, after = net(rows, told), net(other, told)
    assert torch.allclose(before[:, :41], after[:, :41])
    assert not torch.allclose(before[:, 41], after[:, 41])


def test_heads_alone_hear_the_soprano_only():
    torch.manual_seed(0)
    frames = torch.randint(1, small_chorale.N, (1, 5, 4))
    other = frames.clone()
    other[:, -1, 1] = 3  # another bass in the last beat
    left = torch.zeros(1, 5, dtype=torch.long)
    for hears, same in ((False, True), (True, False)):
        net = small_chorale.Four(hears, width=8)
        with torch.no_grad():
            assert torch.allclose(net(frames, left)[0, -1, 1], net(other, left)[0, -1, 1]) == same
            assert torch.allclose(net(frames, left)[0, -1, 0], net(other, left)[0, -1, 0])
