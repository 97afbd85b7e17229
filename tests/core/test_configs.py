"""What a config of a net must be."""

from dataclasses import dataclass

import pytest

from musegen_lib.core.configs import require_sizes


@dataclass(frozen=True)
class Config:
    hidden_dim: int = 3
    n_relations: int = 2
    seed: int = 0
    dropout: float = 0.0
    negatives: bool = False

    def __post_init__(self):
        require_sizes(self, may_be_zero=("n_relations",))


def test_seeds_switches_and_what_may_be_zero_may_be_zero():
    Config(seed=0, negatives=False, n_relations=0, dropout=0.99)


@pytest.mark.parametrize("wrong", [{"hidden_dim": 0}, {"hidden_dim": -1}, {"dropout": 1.0}, {"dropout": -0.1}], ids=str)
def test_a_size_below_one_and_a_dropout_that_leaves_nothing_are_refused_by_the_config_they_make(wrong):
    with pytest.raises(ValueError, match=r"Config\(.*\): needs sizes of at least 1 and a dropout in \[0, 1\)"):
        Config(**wrong)
