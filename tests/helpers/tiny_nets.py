"""Every net of the course, tiny, and what the contract needs to know of it. A new net joins by one Case."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from tiny_batches import (
    LONGER,
    N_ITEMS,
    NOW,
    OTHER,
    PITCHES,
    SETS,
    bar_noise,
    bars,
    cells,
    chorales_of_two_futures,
    conditions,
    filling_loss,
    fluency_rows,
    frames,
    histories,
    lines,
    marked_tune,
    moves_of,
    pairs,
    rolls,
    sessions,
    some_hidden,
    style_gan_loss,
    told_apart,
    tunes_of_two_futures,
    two_tunes,
    voices,
    weighed,
    windows,
    windows_of_two_futures,
)

from musegen_lib.models.chorale.batches import collate_steps
from musegen_lib.models.chorale.frames import FrameNet, FramesConfig
from musegen_lib.models.chorale.infill import ChoraleInfill, InfillConfig, gibbs
from musegen_lib.models.chorale.phrase_ends import PhraseEnds, PhraseEndsConfig
from musegen_lib.models.chorale.phrase_ends_recipe import collate_marked
from musegen_lib.models.chorale.rnn import ChoraleConfig, ChoraleRNN
from musegen_lib.models.chorale.sampling import ChoraleRequest, sample_chorales
from musegen_lib.models.gan import nets as gan
from musegen_lib.models.gan import sketch
from musegen_lib.models.melody.rnn import MelodyRNN, MelodyRNNConfig
from musegen_lib.models.melody.sampling import MelodyRequest
from musegen_lib.models.recommend import nets as recommend
from musegen_lib.models.search.encoder import TuneEncoder, TuneEncoderConfig
from musegen_lib.models.style import gan as style_gan
from musegen_lib.models.style.evaluation.language_model import StyleFluency, StyleFluencyConfig
from musegen_lib.models.style.evaluation.roll_classifier import (
    RollClassifier,
    RollClassifierConfig,
)
from musegen_lib.models.style.rnn import StyleRNN, StyleRNNConfig
from musegen_lib.models.style.vae import StyleVAE, StyleVAEConfig, StyleVAEEnsemble
from musegen_lib.models.vae.encoders_decoders import MelodyVAEConfig
from musegen_lib.models.vae.vae import MelodyVAE


def own_loss(net, batch):
    return net.loss(batch)[0]


@dataclass(frozen=True)
class Case:
    """A net, and how it is asked.

    Args:
        make: the net of a config.
        batch: what it learns from; two rows of unlike length where rows can be padded.
        answer: what the net says of a batch, axes (B, T, ...) where there are steps.
        loss: how it learns: by its own loss, or in a test of adversarial training.
        real: the loss by which padding is tried, where rows can be padded; their time is axis `time`.
        future: two batches that are one before step NOW; up to that step `answer` must not tell them apart.
        learns: share of the first loss that is left after 80 steps on one batch; None: no loss to go down.
        idle: weights that no loss reaches, by design.
        zero: the size that is tried at 0.
    """

    make: Callable[[Any], Any]
    config: Any
    batch: Callable[[], Any]
    answer: Callable[[Any, Any], torch.Tensor]
    loss: Callable[[Any, Any], torch.Tensor] = own_loss
    real: Callable[[Any, Any], torch.Tensor] | None = None
    time: int = 1
    future: Callable[[], tuple[Any, Any]] | None = None
    draw: Callable[[Any, torch.Generator], Any] | None = None
    learns: float | None = 0.5
    idle: frozenset[str] = frozenset()
    zero: str = "hidden_dim"

    def net(self, seed=0):
        torch.manual_seed(seed)
        return self.make(self.config).eval()


# How nets are asked


def flat(*tensors):
    return torch.cat([tensor.flatten() for tensor in tensors])


STYLE = {"hidden_dim": 8, "interval_dim": 5, "register_dim": 4, "rhythm_dim": 3, "style_dim": 4, "dropout": 0.3}
STYLE_VAE = StyleVAEConfig(**STYLE, latent_dim=3, encoder_dim=6, free_nats=0.0)
BAR = gan.BarGANConfig(noise_dim=6, hidden_dim=7, n_relations=2, judge_dim=5)
SKETCH = sketch.SketchConfig(noise_dim=5, hidden_dim=6)

CASES = {
    "MelodyRNN": Case(
        MelodyRNN,
        MelodyRNNConfig("gru", hidden_dim=7, n_layers=2, embedding_dim=6, dropout=0.5),
        two_tunes,
        lambda net, batch: net(batch)[0],
        real=own_loss,
        future=tunes_of_two_futures,
        draw=lambda net, g: [t.pitch_ids.tolist() for t in net.sample(2, MelodyRequest(bars=2), g)],
    ),
    "ChoraleRNN": Case(
        ChoraleRNN,
        ChoraleConfig(hidden_dim=10, n_layers=2, embedding_dim=4, head_dim=9, dropout=0.5),
        lambda: collate_steps([voices(5), voices(9, 1)], told=["soprano", "nothing"]),
        lambda net, batch: net(batch)[:, :, 0],  # the voice that is decided first
        real=own_loss,
        future=chorales_of_two_futures,
        draw=lambda net, g: [s.tokens.tolist() for s in sample_chorales(net, 2, ChoraleRequest(bars=1), g)],
        idle=frozenset({"heads.0.relation.weight"}),  # the first voice to be decided knows no other
    ),
    "PhraseEnds": Case(
        PhraseEnds,
        PhraseEndsConfig(),
        lambda: collate_marked([marked_tune()]),
        lambda net, batch: net(batch.features),
        zero="n_values",
    ),
    "ChoraleInfill": Case(
        ChoraleInfill,
        InfillConfig(hidden_dim=10, embedding_dim=4, head_dim=9, dropout=0.5),
        lambda: collate_steps([voices(5), voices(9, 1)]),
        lambda net, batch: net(batch, some_hidden(batch)),
        real=filling_loss,
        draw=lambda net, g: gibbs(net, voices(5), np.ones((5, 4), dtype=bool), g, sweeps=2)[-1].tokens.tolist(),
        learns=0.8,  # what is hidden changes from step to step
    ),
    "FrameNet": Case(
        FrameNet,
        FramesConfig(hidden_dim=8, embedding_dim=4, dropout=0.5),
        lambda: frames(SETS[:3], SETS),
        lambda net, batch: net(batch.ids)[:, :, 0],  # the highest pitch
        real=own_loss,
        future=lambda: (frames(SETS), frames([*SETS[:NOW], [70, 50, 40], [66]])),
    ),
    "BarGenerator": Case(
        gan.BarGenerator,
        BAR,
        bar_noise,
        lambda net, noise: net(*noise),
        loss=weighed,
        draw=lambda net, g: net.draw(2, g).tolist(),
        learns=None,
        idle=frozenset({"motion.0"}),  # the first voice to be placed moves against no other
    ),
    "BarDiscriminator": Case(
        gan.BarDiscriminator,
        BAR,
        bars,
        lambda net, x: flat(*net(net.see(x))),
        loss=told_apart,
        idle=frozenset({"whole.weight", "whole.bias"}),  # which join several bars
        zero="judge_dim",
    ),
    "SketchGenerator": Case(
        sketch.SketchGenerator,
        SKETCH,
        lambda: (torch.randn(3, 5, generator=torch.Generator().manual_seed(0)),),
        lambda net, noise: net(*noise),
        loss=weighed,
        draw=lambda net, g: net.draw(2, g).tolist(),
        learns=None,
    ),
    "SketchDiscriminator": Case(
        sketch.SketchDiscriminator, SKETCH, cells, lambda net, x: flat(*net(net.see(x))), loss=told_apart
    ),
    "MelodyVAE": Case(
        MelodyVAE,
        MelodyVAEConfig(latent_dim=4, embedding_dim=3, encoder_dim=6, decoder_dim=9, head_dim=5),
        windows,
        lambda net, batch: net.decode(torch.full((len(batch.tokens), 4), 0.3), batch.tokens),
        future=windows_of_two_futures,
        draw=lambda net, g: net.sample(2, g, draw_tokens=True).tolist(),
        learns=0.8,
        zero="latent_dim",
    ),
    "StyleRNN": Case(
        StyleRNN,
        StyleRNNConfig(**STYLE),
        lambda: lines(PITCHES, LONGER),
        lambda net, batch: net(batch),
        real=own_loss,
        future=lambda: (lines(PITCHES), lines(OTHER)),
    ),
    "StyleVAE": Case(
        StyleVAE,
        STYLE_VAE,
        lambda: lines(PITCHES, LONGER),
        lambda net, batch: net.given(batch).steps(batch, None)[0],
        real=own_loss,
    ),
    "StyleVAEEnsemble": Case(
        StyleVAEEnsemble,
        STYLE_VAE,
        lambda: lines(PITCHES, LONGER),
        lambda net, batch: net.given(batch).steps(batch, None)[0],
        loss=lambda net, batch: sum(part.loss(batch)[0] for part in net.nets),
    ),
    "StyleGAN": Case(
        style_gan.StyleGAN,
        style_gan.StyleGANConfig(hidden_dim=7, rhythm_dim=3, critic_dim=6),
        conditions,
        moves_of,
        loss=style_gan_loss,
        draw=lambda net, g: style_gan.draw_moves(moves_of(net, conditions()), g).tolist(),
        learns=0.9,
    ),
    "StyleFluency": Case(
        StyleFluency,
        StyleFluencyConfig(hidden_dim=7, interval_dim=5, ratio_dim=3, dropout=0.4),
        lambda: fluency_rows(PITCHES, LONGER),
        lambda net, batch: net(batch)[0],
        real=own_loss,
        future=lambda: (fluency_rows(PITCHES), fluency_rows(OTHER)),
    ),
    "RollClassifier": Case(
        RollClassifier,
        RollClassifierConfig(channels=2, dropout=0.2),
        rolls,
        lambda net, batch: net(batch.rolls),
        zero="channels",
    ),
    "TuneEncoder": Case(
        TuneEncoder,
        TuneEncoderConfig(width=8, n_layers=2, n_heads=2, dim=5),
        pairs,
        lambda net, batch: net(batch.side(0)),
        real=own_loss,
        time=2,
        zero="width",
    ),
    "MultVAE": Case(
        partial(recommend.MultVAE, N_ITEMS),
        recommend.MultVAEConfig(hidden_dim=6, latent_dim=3),
        histories,
        lambda net, batch: net(batch.heard),
        learns=0.9,  # of items that were heard alike, none is likelier
        zero="latent_dim",
    ),
    "SessionGRU": Case(
        partial(recommend.SessionGRU, N_ITEMS),
        recommend.SessionGRUConfig(dim=8),
        sessions,
        lambda net, items: net.logits(net.states(items)),
        real=own_loss,
        future=lambda: (torch.tensor([[0, 1, 2, 3, 4, 5]]), torch.tensor([[0, 1, 2, 3, 6, 0]])),
        zero="dim",
    ),
}
