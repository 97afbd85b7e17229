import pytest
import torch

from musegen_lib.training.sampling import sample

LOGITS = torch.tensor([[0.0, 1.0, 2.0, 3.0], [3.0, 0.0, 0.0, -5.0]])  # (B, V) = (2, 4)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def drawn(logits, n=4000, **how):
    """Tokens that n draws from one row of logits give."""
    return sample(torch.tensor([logits]).repeat(n, 1), generator(), **how)


def shares(tokens, n_tokens=4):
    return torch.bincount(tokens, minlength=n_tokens) / len(tokens)


def test_tokens_are_drawn_as_often_as_their_softmax_says():
    logits = [0.0, 1.0, 2.0, -1.0]
    wanted = torch.softmax(torch.tensor(logits), dim=0)
    assert shares(drawn(logits, 20_000)) == pytest.approx(wanted, abs=0.015)


def test_temperature_divides_the_logits():
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0])
    found = shares(drawn(logits.tolist(), 20_000, temperature=2.0))
    assert found == pytest.approx(torch.softmax(logits / 2, dim=0), abs=0.015)


def test_temperature_0_takes_the_likeliest_allowed_token_of_each_row():
    mask = torch.tensor([[True, True, True, False], [True, True, False, True]])
    assert sample(LOGITS, generator(), temperature=0.0).tolist() == [3, 0]
    assert sample(LOGITS, generator(), mask, temperature=0.0).tolist() == [2, 0]


def test_top_k_keeps_k_tokens_and_0_or_too_many_keeps_all():
    assert set(drawn([0.0, 1.0, 2.0, 1.5], top_k=2).tolist()) == {2, 3}
    assert set(drawn([0.0, 1.0, 2.0, 1.5], top_k=1).tolist()) == {2}
    for top_k in (0, 9):
        assert set(drawn([0.0, 1.0, 2.0, 1.5], top_k=top_k).tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.3, {1}), (0.5, {1}), (0.51, {1, 3}), (0.8, {1, 3}), (1.0, {0, 1, 2, 3})]
)
def test_top_p_keeps_the_smallest_set_that_has_the_probability(top_p, kept):
    logits = torch.log(torch.tensor([0.125, 0.5, 0.0625, 0.3125])).tolist()
    assert set(drawn(logits, top_p=top_p).tolist()) == kept


def test_the_mask_comes_before_top_k():
    mask = torch.tensor([[True, False, True, False]]).repeat(4000, 1)
    assert set(drawn([0.0, 9.0, 1.0, 9.0], mask=mask, top_k=2).tolist()) == {0, 2}


@pytest.mark.parametrize("temperature", [0.0, 1e-6, 1.0, 50.0])
@pytest.mark.parametrize("lowest", [-1e9, -3e38, -torch.inf])
def test_what_the_model_rules_out_is_still_drawn_if_nothing_else_is_allowed(temperature, lowest):
    mask = torch.tensor([[False, True, True]]).repeat(500, 1)
    tokens = drawn([3e38, lowest, lowest], 500, mask=mask, temperature=temperature)
    assert set(tokens.tolist()) == ({1} if temperature == 0 else {1, 2})


def test_a_low_temperature_does_not_overflow():
    assert set(drawn([1e38, 0.0, 2e38, -1e38], temperature=1e-3).tolist()) == {2}


def test_same_seed_same_draw_and_other_seed_another():
    logits = torch.zeros(50, 7)
    assert torch.equal(sample(logits, generator(3)), sample(logits, generator(3)))
    assert not torch.equal(sample(logits, generator(3)), sample(logits, generator(4)))


def test_the_logits_and_the_mask_are_left_as_they_were():
    logits, mask = LOGITS.clone(), torch.tensor([[True, False, True, True]]).repeat(2, 1)
    sample(logits, generator(), mask, 0.5, top_k=2, top_p=0.9)
    assert torch.equal(logits, LOGITS)
    assert mask.sum() == 6


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"temperature": -1.0}, "temperature -1.0"),
        ({"top_k": -2}, "top_k -2"),
        ({"top_p": 0.0}, r"top_p 0.0 in \(0, 1\]"),
        ({"top_p": 1.5}, "top_p 1.5"),
        ({"mask": torch.tensor([[True] * 4, [False] * 4])}, "a row of the mask allows no token at all"),
    ],
)
def test_wrong_wishes_are_named(how, message):
    with pytest.raises(ValueError, match=message):
        sample(LOGITS, generator(), **how)
