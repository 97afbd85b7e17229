"""The budget: rounded down whatever floats do, and kept by every method at every length."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen_lib.core.piece import Piece
from musegen_lib.corpus.chinese_german import STYLES
from musegen_lib.models.style.budget import allowed_changes
from musegen_lib.models.style.gan import StyleGAN, StyleGANConfig
from musegen_lib.models.style.method_names import METHODS
from musegen_lib.models.style.rnn import StyleRNN, StyleRNNConfig
from musegen_lib.models.style.transfer import find_method
from musegen_lib.models.style.vae import StyleVAE, StyleVAEConfig, StyleVAEEnsemble

SIZES = {"hidden_dim": 7, "interval_dim": 5, "register_dim": 4, "rhythm_dim": 3, "style_dim": 2}
SMALL = StyleVAEConfig(**SIZES, encoder_dim=6, latent_dim=3)
UNTRAINED = {  # untrained nets want to move as much as they may
    "gan": lambda: StyleGAN(StyleGANConfig(hidden_dim=7, rhythm_dim=3, critic_dim=6)),
    "rnn": lambda: StyleRNN(StyleRNNConfig(**SIZES)),
    "vae": lambda: StyleVAE(SMALL),
    "vae-ensemble": lambda: StyleVAEEnsemble(SMALL),
}


def rewriter(method):
    """The method with a small net, where it may be of any size."""
    torch.manual_seed(0)
    return find_method(method, UNTRAINED[method]().eval() if method in UNTRAINED else None)


@pytest.mark.parametrize(
    ("n_notes", "amount", "allowed"),
    [(15, 0.2, 3), (10, 0.3, 3), (100, 0.29, 29), (19, 0.2, 3), (4, 0.2, 0), (7, 1.0, 7), (7, 0.0, 0), (0, 0.5, 0)],
)
def test_the_share_is_rounded_down_to_whole_notes_and_floats_take_none_away(n_notes, amount, allowed):
    assert allowed_changes(n_notes, amount) == allowed


@given(n_notes=st.integers(0, 500), hundredths=st.integers(0, 100))
def test_hundredths_are_rounded_down_exactly(n_notes, hundredths):
    assert allowed_changes(n_notes, hundredths / 100) == n_notes * hundredths // 100


@pytest.mark.parametrize("amount", [-0.1, 1.2, float("nan")])
def test_an_amount_outside_zero_to_one_is_refused(amount):
    with pytest.raises(ValueError, match="largest share"):
        allowed_changes(10, amount)


@pytest.mark.parametrize("method", METHODS)
def test_no_method_changes_more_notes_than_the_amount_says(method):
    rewrite = rewriter(method)

    @settings(max_examples=12, deadline=None, derandomize=True, database=None)
    @given(
        pitches=st.lists(st.integers(48, 84), min_size=1, max_size=20),
        amount=st.one_of(st.sampled_from([0.05, 0.1, 0.2, 0.3, 0.5]), st.floats(0, 0.6)),
        to=st.sampled_from(STYLES),
    )
    def check(pitches, amount, to):
        piece = Piece.from_notes([(4 * k, 4, pitch) for k, pitch in enumerate(pitches)])
        changed = np.count_nonzero(rewrite(piece, to, amount, 0).notes["pitch"] != piece.notes["pitch"])
        assert changed <= amount * len(piece) + 1e-9

    check()


def test_a_share_that_is_just_too_small_for_one_note_more_is_rounded_down():
    assert allowed_changes(10, 0.2999) == 2
    assert allowed_changes(1000, 0.19999) == 199
