"""Two nets that recommend: a VAE over whole histories, and a GRU over their order. In notebooks/06b_listeners.ipynb.

Sources: Liang et al. 2018, "Variational autoencoders for collaborative filtering", arXiv:1802.05814; Hidasi et al.
2016, "Session-based recommendations with recurrent neural networks", arXiv:1511.06939, here with a full softmax in
place of their sampled pairwise losses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from musegen_lib.core.configs import require_sizes
from musegen_lib.models.recommend.models import Histories
from musegen_lib.training.steps import follow

AfterEpoch = Callable[[int], bool]  # told how many epochs are over; True ends the training
CLIP_NORM = 5.0


@dataclass(frozen=True)
class MultVAEConfig:
    """Sizes and training of a MultVAE."""

    hidden_dim: int = 256
    latent_dim: int = 64  # Z
    dropout: float = 0.5  # share of a history that the encoder is not shown
    beta: float = 0.2  # weight of the KL term at the end
    anneal_steps: int = 400  # the weight rises from 0 in a line
    likelihood: str = "multinomial"  # or "logistic", one yes or no an item: the lesson compares them
    learning_rate: float = 2e-3
    batch: int = 128
    epochs: int = 60
    seed: int = 0

    def __post_init__(self) -> None:
        require_sizes(self)


@dataclass(frozen=True)
class HistoryBatch:
    """Histories of users, and the weight of the KL term at this step."""

    heard: Float[Tensor, "B I"]  # 1 where an item was heard
    beta: float


class MultVAE(nn.Module):
    """p(history) = multinomial(softmax(decoder(z))), z ~ N(0, 1); the encoder reads the history with items dropped."""

    def __init__(self, n_items: int, config: MultVAEConfig):
        super().__init__()
        self.config = config
        self.encoder = nn.Sequential(nn.Linear(n_items, config.hidden_dim), nn.Tanh())
        self.moments = nn.Linear(config.hidden_dim, 2 * config.latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(config.latent_dim, config.hidden_dim), nn.Tanh(), nn.Linear(config.hidden_dim, n_items)
        )

    def encode(self, heard: Float[Tensor, "B I"]) -> tuple[Float[Tensor, "B Z"], Float[Tensor, "B Z"]]:
        """Mean and log-variance of the latent."""
        shown = F.dropout(F.normalize(heard), self.config.dropout, self.training)
        mean, log_var = self.moments(self.encoder(shown)).chunk(2, dim=-1)
        return mean, log_var

    def forward(self, heard: Float[Tensor, "B I"]) -> Float[Tensor, "B I"]:
        """Logits of all items from the mean of the latent."""
        return self.decoder(self.encode(heard)[0])

    def loss(self, batch: HistoryBatch) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Negative bound in nats a user, the KL term weighted by beta, and how many users that is the mean of."""
        heard = batch.heard
        mean, log_var = self.encode(heard)
        logits = self.decoder(mean + torch.randn_like(mean) * (0.5 * log_var).exp())
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(dim=1)  # (B,)
        if self.config.likelihood == "logistic":
            nll = F.binary_cross_entropy_with_logits(logits, heard, reduction="none").sum(dim=1)
        else:
            nll = -(F.log_softmax(logits, dim=1) * heard).sum(dim=1)
        return (nll + batch.beta * kl).mean(), {"weight": float(len(heard))}


class VAERecommender:
    """A MultVAE in the form of a recommender."""

    def __init__(self, config: MultVAEConfig | None = None):
        self.config = config or MultVAEConfig()

    def fit(self, heard: Histories, after_epoch: AfterEpoch = lambda epoch: False) -> None:
        """Train from the seed of the configuration."""
        torch.manual_seed(self.config.seed)
        self.net, step = MultVAE(heard.n_items, self.config), 0
        matrix = torch.from_numpy(heard.matrix().toarray())  # (U, I)

        def losses() -> Iterator[Tensor]:
            nonlocal step
            for users in torch.randperm(len(matrix)).split(self.config.batch):
                step += 1
                beta = self.config.beta * min(1.0, step / self.config.anneal_steps)
                yield self.net.loss(HistoryBatch(matrix[users], beta))[0]

        _train(self.net, losses, self.config.learning_rate, self.config.epochs, after_epoch)

    @torch.no_grad()
    def score(self, heard: Histories) -> Float[np.ndarray, "U I"]:
        """Logits."""
        return self.net.eval()(torch.from_numpy(heard.matrix().toarray())).numpy()


@dataclass(frozen=True)
class SessionGRUConfig:
    """Sizes and training of a SessionGRU."""

    dim: int = 64  # D
    dropout: float = 0.3
    window: int = 50  # T, items that are read
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    batch: int = 64
    epochs: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        require_sizes(self)


class SessionGRU(nn.Module):
    """p(next item | items so far) = softmax(items · state); the same vectors are read and compared with."""

    def __init__(self, n_items: int, config: SessionGRUConfig):
        super().__init__()
        self.config, self.n_items = config, n_items
        self.items = nn.Embedding(n_items + 1, config.dim, padding_idx=n_items)  # the last one pads
        self.gru = nn.GRU(config.dim, config.dim, batch_first=True)
        self.bias = nn.Parameter(torch.zeros(n_items))
        nn.init.normal_(self.items.weight, std=0.1)

    def states(self, items: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """What the net knows after each item."""
        shown = F.dropout(self.items(items), self.config.dropout, self.training)
        return F.dropout(self.gru(shown)[0], self.config.dropout, self.training)

    def logits(self, states: Float[Tensor, "... D"]) -> Float[Tensor, "... I"]:
        """Logits of the item that follows each state."""
        return states @ self.items.weight[:-1].T + self.bias

    def loss(self, items: Int[Tensor, "B N"]) -> tuple[Float[Tensor, ""], dict[str, float]]:
        """Nats an item, and how many items that is the mean of.

        The first N - 1 are read, the last N - 1 predicted. Padding, the dear part, has no logits.
        """
        follows = items[:, 1:]
        real = follows < self.n_items
        nats = F.cross_entropy(self.logits(self.states(items[:, :-1])[real]), follows[real])
        return nats, {"weight": float(real.sum())}


class SessionGRURecommender:
    """A SessionGRU in the form of a recommender; it needs histories in order."""

    def __init__(self, config: SessionGRUConfig | None = None):
        self.config = config or SessionGRUConfig()

    def fit(self, heard: Histories, after_epoch: AfterEpoch = lambda epoch: False) -> None:
        """Train from the seed of the configuration; ValueError where the histories have no order."""
        if not heard.ordered:
            raise ValueError("histories without order: a session model has nothing to read")
        torch.manual_seed(self.config.seed)
        self.net = SessionGRU(heard.n_items, self.config)
        size = self.config.window
        starts = ((items, at) for items in heard.sequences for at in range(0, len(items) - 1, size))
        parts = [items[at : at + size + 1] for items, at in starts]
        table = pad_right(parts, size + 1, heard.n_items)  # (N, T + 1)

        def losses() -> Iterator[Tensor]:
            for rows in torch.randperm(len(table)).split(self.config.batch):
                batch = table[rows]
                yield self.net.loss(batch[:, : int((batch < heard.n_items).sum(dim=1).max())])[0]

        settings = self.config.learning_rate, self.config.epochs, after_epoch, self.config.weight_decay
        _train(self.net, losses, *settings)

    @torch.no_grad()
    def score(self, heard: Histories) -> Float[np.ndarray, "U I"]:
        """Logits of what follows the last item of each history; a history without items counts as one of padding."""
        self.net.eval()
        recent = [items[-self.config.window :] for items in heard.sequences]
        table = pad_right(recent, max(1, *map(len, recent)), heard.n_items)
        last = torch.tensor([max(0, len(items) - 1) for items in recent])
        return self.net.logits(self.net.states(table)[torch.arange(len(table)), last]).numpy()


def pad_right(sequences: list[np.ndarray], length: int, padding: int) -> Int[Tensor, "N T"]:
    """Sequences as rows, filled up on their right."""
    table = torch.full((len(sequences), length), padding)
    for row, items in zip(table, sequences):
        row[: len(items)] = torch.from_numpy(np.asarray(items))
    return table


def _train(
    net: nn.Module,
    losses: Callable[[], Iterator[Tensor]],
    learning_rate: float,
    epochs: int,
    after_epoch: AfterEpoch,
    weight_decay: float = 0.0,
) -> None:
    """Adam over some epochs; afterwards the net is still in training mode, and `score` switches dropout off.

    `losses` is one epoch, a loss a batch. Order and dropout come from one stream of random numbers that the fit seeds.
    """
    optimizer = torch.optim.AdamW(net.parameters(), lr=learning_rate, weight_decay=weight_decay)
    for epoch in range(1, epochs + 1):
        net.train()
        follow(losses(), net, optimizer, CLIP_NORM)
        if after_epoch(epoch):
            break
