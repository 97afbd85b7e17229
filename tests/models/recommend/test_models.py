"""The recommenders of listeners: the closed forms against sums by hand, the nets against what they must learn."""

import numpy as np
import pytest
import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.models.recommend import models as listeners
from musegen_lib.models.recommend.als import ALS
from musegen_lib.models.recommend.models import EASE, Histories, ItemKNN, Popularity, Recommender
from musegen_lib.models.recommend.nets import (
    HistoryBatch,
    MultVAE,
    MultVAEConfig,
    SessionGRU,
    SessionGRUConfig,
    SessionGRURecommender,
    VAERecommender,
    pad_right,
)

torch.set_num_threads(1)


def heard(*rows, n_items=6, ordered=True):
    return Histories(tuple(np.array(row, dtype=np.int64) for row in rows), n_items, ordered)


def two_camps(n_users=40):
    """Users of even number hear items 0 to 2, the others 3 to 5; one item of each is missing."""
    return heard(*([3 * (u % 2) + i for i in range(3) if i != u // 2 % 3] for u in range(n_users)))


MODELS = {
    "popularity": Popularity,
    "item-kNN": lambda: ItemKNN(k=3, shrink=0.0),
    "EASE": lambda: EASE(l2=1.0),
    "ALS": lambda: ALS(factors=4),
    "VAE": lambda: VAERecommender(MultVAEConfig(hidden_dim=16, latent_dim=4, epochs=60, learning_rate=0.02)),
    "GRU": lambda: SessionGRURecommender(SessionGRUConfig(dim=16, epochs=60, learning_rate=0.02)),
}


def test_the_matrix_marks_what_was_heard_and_nothing_else():
    matrix = heard([1, 4], [], [0], n_items=5).matrix()
    assert matrix.dtype == np.float32
    assert matrix.toarray().tolist() == [[0, 1, 0, 0, 1], [0] * 5, [1, 0, 0, 0, 0]]


@pytest.mark.parametrize("name", MODELS)
def test_each_model_scores_users_it_has_not_met(name):
    model = MODELS[name]()
    assert isinstance(model, Recommender)
    model.fit(two_camps())
    scores = model.score(heard([0], [3, 4], [5]))
    assert scores.shape == (3, 6)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", [name for name in MODELS if name != "popularity"])
def test_each_model_but_popularity_finds_the_camp_of_a_listener(name):
    model = MODELS[name]()
    model.fit(two_camps())
    scores = model.score(heard([0, 1], [3, 4]))
    assert scores[0, 2] > scores[0, 3:].max()
    assert scores[1, 5] > scores[1, :3].max()


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_scores(name):
    one, two = MODELS[name](), MODELS[name]()
    for model in (one, two):
        model.fit(two_camps(20))
    assert np.array_equal(one.score(heard([0], [4])), two.score(heard([0], [4])))


def test_popularity_counts_users():
    model = Popularity()
    model.fit(heard([0, 1], [1], [1, 2], n_items=4))
    assert model.score(heard([3], [0], n_items=4)).tolist() == [[1, 3, 1, 0]] * 2


def test_neighbours_by_hand():
    model = ItemKNN(k=3, shrink=0.0)
    model.fit(heard([0, 1], [0, 1], [0], n_items=3))  # 0: three users, 1: two, both: two
    assert model.score(heard([0], n_items=3))[0] == pytest.approx([0, 2 / np.sqrt(6), 0], abs=1e-6)


def test_shrinking_makes_likeness_on_few_users_small():
    rows = [0, 1], *([2, 3] for _ in range(20))
    plain, shrunk = ItemKNN(shrink=0.0), ItemKNN(shrink=10.0)
    plain.fit(heard(*rows))
    shrunk.fit(heard(*rows))
    assert plain.alike[0, 1] == pytest.approx(plain.alike[2, 3], abs=1e-6)
    assert shrunk.alike[0, 1] < 0.2 < 0.6 < shrunk.alike[2, 3]


def test_only_k_neighbours_are_kept():
    rng = np.random.default_rng(0)
    rows = [np.flatnonzero(rng.random(30) < 0.3) for _ in range(200)]
    model = ItemKNN(k=4)
    model.fit(heard(*rows, n_items=30))
    assert ((model.alike > 0).sum(axis=0) <= 4).all()
    assert (model.alike > 0).sum() >= 100


def test_ease_solves_its_own_problem():
    rng = np.random.default_rng(1)
    data = heard(*(np.flatnonzero(rng.random(5) < 0.5) for _ in range(60)), n_items=5)
    model = EASE(l2=3.0)
    model.fit(data)
    matrix = data.matrix().toarray().astype(float)
    assert np.array_equal(np.diag(model.weights), np.zeros(5))
    for item in range(5):  # ridge regression of an item on the four others
        others = [i for i in range(5) if i != item]
        x = matrix[:, others]
        wanted = np.linalg.solve(x.T @ x + 3 * np.eye(4), x.T @ matrix[:, item])
        assert model.weights[others, item] == pytest.approx(wanted)


@pytest.mark.parametrize("model", [ItemKNN(), EASE()])
def test_a_table_that_does_not_fit_is_refused(model):
    with pytest.raises(MusegenError, match=f"at most {listeners.MAX_ITEMS:,}, not 10,001"):
        model.fit(heard([0], n_items=listeners.MAX_ITEMS + 1))


def test_als_from_another_seed_is_another_model():
    one, two = ALS(factors=4, seed=0), ALS(factors=4, seed=1)
    for model in (one, two):
        model.fit(two_camps(20))
    assert not np.array_equal(one.items, two.items)


@torch.no_grad()
def test_the_vae_scores_a_uniform_decoder_with_the_log_of_the_items():
    net = MultVAE(6, MultVAEConfig(hidden_dim=4, latent_dim=2)).eval()
    torch.nn.init.zeros_(net.decoder[-1].weight)
    torch.nn.init.zeros_(net.decoder[-1].bias)
    torch.nn.init.zeros_(net.moments.weight)
    torch.nn.init.zeros_(net.moments.bias)
    history = torch.tensor([[1.0, 1, 0, 0, 0, 0]])
    assert float(net.loss(HistoryBatch(history, 1.0))[0]) == pytest.approx(2 * np.log(6), abs=1e-5)
    torch.nn.init.ones_(net.moments.bias)  # mean 1, log-variance 1: KL = (1 + e - 1 - 1) / 2 for each of two
    assert float(net.loss(HistoryBatch(history, 1.0))[0]) == pytest.approx(2 * np.log(6) + np.e - 1, abs=1e-4)
    assert float(net.loss(HistoryBatch(history, 0.0))[0]) == pytest.approx(2 * np.log(6), abs=1e-5)


def test_the_gru_reads_order_and_not_the_future():
    net = SessionGRU(6, SessionGRUConfig(dim=8)).eval()
    items = torch.tensor([[0, 1, 2, 3]])
    other = torch.tensor([[0, 1, 5, 3]])
    assert torch.equal(net.states(items)[:, :2], net.states(other)[:, :2])
    assert not torch.allclose(net.states(items)[:, 2:], net.states(other)[:, 2:])


def test_padding_leaves_the_loss_and_the_scores_alone():
    model = SessionGRURecommender(SessionGRUConfig(dim=8, epochs=2))
    model.fit(two_camps(8))
    net = model.net.eval()
    short = pad_right([np.array([0, 1, 2])], 3, 6)
    long = pad_right([np.array([0, 1, 2])], 6, 6)
    assert torch.allclose(net.loss(short)[0], net.loss(long)[0])
    alone, beside = model.score(heard([0, 1])), model.score(heard([0, 1], [0, 1, 2, 3, 4]))
    assert alone[0] == pytest.approx(beside[0], abs=1e-6)


def test_the_gru_learns_an_order_that_neighbours_cannot_see():
    rows = [[(start + i) % 6 for i in range(4)] for start in range(6) for _ in range(10)]  # each item leads to the next
    model = MODELS["GRU"]()
    model.fit(heard(*rows))
    assert model.score(heard([2, 3], [5, 0])).argmax(axis=1).tolist() == [4, 1]


def test_a_long_history_is_trained_on_in_parts():
    model = SessionGRURecommender(SessionGRUConfig(dim=8, window=4, epochs=80, learning_rate=0.02))
    model.fit(heard(list(range(12)), n_items=12))
    assert model.score(heard(list(range(10)), n_items=12)).argmax() == 10


def test_histories_without_order_are_refused_by_the_gru():
    with pytest.raises(ValueError, match="without order"):
        SessionGRURecommender().fit(heard([0, 1], ordered=False))


@pytest.mark.parametrize("name", ["VAE", "GRU"])
def test_a_net_stops_when_it_is_told(name):
    model, epochs = MODELS[name](), []
    model.fit(two_camps(8), lambda epoch: epochs.append(epoch) or epoch == 3)
    assert epochs == [1, 2, 3]


def test_the_weight_of_the_kl_term_rises_in_a_line_to_beta_and_stays(monkeypatch):
    betas, loss = [], MultVAE.loss
    monkeypatch.setattr(MultVAE, "loss", lambda net, batch: betas.append(batch.beta) or loss(net, batch))
    config = MultVAEConfig(hidden_dim=4, latent_dim=2, beta=0.2, anneal_steps=4, batch=4, epochs=3)
    VAERecommender(config).fit(two_camps(8))  # two steps an epoch
    assert betas == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.2, 0.2])
