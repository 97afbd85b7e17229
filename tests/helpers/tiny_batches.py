"""Small batches of every kind that the nets of the course read, and losses for nets that have none of their own."""

from dataclasses import replace

import numpy as np
import torch
from tiny_tunes import make_tune, make_tunes
from torch.nn.functional import one_hot

from musegen_lib.core.piece import Piece
from musegen_lib.encodings.chorale_steps import FIRST_PITCH, HOLD, LOW, REST, VOICE_RANGES, ChoraleSteps
from musegen_lib.encodings.melody_lines import piece_to_line
from musegen_lib.models.chorale.batches import collate_steps
from musegen_lib.models.chorale.frame_batches import collate_frames, frames_to_ids
from musegen_lib.models.gan import nets as gan
from musegen_lib.models.gan.sketch import BAR_CELLS
from musegen_lib.models.melody.batches import collate
from musegen_lib.models.recommend import nets as recommend
from musegen_lib.models.search.encoder import PairBatch
from musegen_lib.models.style import gan as style_gan
from musegen_lib.models.style.batches import lines_to_batch
from musegen_lib.models.style.evaluation.language_model import pieces_to_batch
from musegen_lib.models.style.evaluation.roll_classifier import (
    ROLL_PITCHES,
    ROLL_STEPS,
    RollBatch,
)
from musegen_lib.models.vae.batches import WindowBatch
from musegen_lib.training.adversarial import LOSSES

NOW = 3  # the step from which two futures differ; its answer must not have read it yet
N_ITEMS = 7


# Music of every form, two rows of unlike length


def two_tunes():
    return collate([make_tunes(3, seed=4)[0], make_tune([(5, 2)] * 24)], told=[True, False], told_form=[True, True])


def tunes_of_two_futures():
    rows = [(3, 1), (30, 2), (4, 3), (9, 4), (40, 2), (12, 6)]
    return tuple(collate([make_tune(rows[:NOW] + [(p + by, d) for p, d in rows[NOW:]])]) for by in (0, 2))


def voices(n_steps, seed=0):
    rng = np.random.default_rng(seed)
    columns = [rng.integers(low, high + 1, n_steps) - LOW + FIRST_PITCH for low, high in VOICE_RANGES]
    tokens = np.stack(columns, axis=1)
    tokens[1], tokens[3, 2] = HOLD, REST
    return ChoraleSteps(tokens, 7, 0, "4/4", 4, ((n_steps - 2, n_steps),))


def chorales_of_two_futures():
    piece = voices(9)
    return collate_steps([piece]), collate_steps(
        [replace(piece, tokens=np.concatenate([piece.tokens[:NOW], voices(6, 5).tokens]))]
    )


def marked_tune():
    """A melody of three phrases that end on the longest notes, and one bool a note."""
    ends = np.arange(12) % 4 == 3
    rows = [(2 * i + 2 * (i // 4), 2 + 2 * int(end), 60 + i % 5) for i, end in enumerate(ends)]
    return Piece.from_notes(rows, key="C major"), ends


def some_hidden(batch):
    """Cells to fill in that do not depend on how long the batch is."""
    steps = torch.arange(batch.tokens.shape[1])[:, None] + torch.arange(4)
    return (steps % 3 == 0)[None] & batch.mask[..., None]


def filling_loss(net, batch):
    hidden = some_hidden(batch)
    return net(batch, hidden).masked_fill(~hidden[..., None], 0.0).nan_to_num(neginf=0.0).square().sum()


def frames(*rows):
    return collate_frames([frames_to_ids(row) for row in rows])


SETS = [[60, 55], [62], [], [64, 57, 48], [65]]


def tune(pitches):
    return Piece.from_notes([(4 * k, 4, pitch) for k, pitch in enumerate(pitches)])


PITCHES, LONGER = (60, 62, 64, 60, 67, 65, 60), (55, 57, 59, 60, 62, 64, 62, 60, 62)
OTHER = (*PITCHES[: NOW + 1], 65, 60, 62)  # so that interval NOW is another


def lines(*rows):
    return lines_to_batch([piece_to_line(tune(row)) for row in rows], [0, 1][: len(rows)])


def fluency_rows(*rows):
    return pieces_to_batch([tune(row) for row in rows], [0, 1][: len(rows)])


def pairs():
    rng = torch.Generator().manual_seed(0)
    mask = torch.arange(12) < torch.tensor([8, 12, 9])[:, None]
    pitches = torch.randint(50, 80, (2, 3, 12), generator=rng)
    return PairBatch(pitches, torch.rand(2, 3, 12, generator=rng) + 0.5, mask.expand(2, 3, 12), torch.arange(3))


def rolls():
    data = torch.rand(6, 2, ROLL_STEPS, ROLL_PITCHES, generator=torch.Generator().manual_seed(0))
    return RollBatch(data, torch.tensor([0.0, 1.0] * 3), torch.ones(6))


def windows():
    return WindowBatch(torch.randint(2, 40, (3, 32), generator=torch.Generator().manual_seed(0)), torch.tensor(0.1))


def windows_of_two_futures():
    one = windows()
    return one, replace(one, tokens=torch.cat([one.tokens[:, :NOW], one.tokens[:, NOW:].flip(1)], dim=1))


def histories():
    return recommend.HistoryBatch(
        (torch.rand(4, N_ITEMS, generator=torch.Generator().manual_seed(0)) < 0.4).float(), 0.2
    )


def sessions():
    return recommend.pad_right([np.array([0, 1, 2, 3]), np.array([4, 5, 6, 0, 1, 2])], 6, N_ITEMS)


# What has no loss of its own: adversarial training


def cells():
    return (torch.rand(4, BAR_CELLS, generator=torch.Generator().manual_seed(0)) < 0.1).float()


def bars():
    ids = torch.randint(0, gan.N_BAR_TOKENS, (3, 16, 4), generator=torch.Generator().manual_seed(0))
    return one_hot(ids, gan.N_BAR_TOKENS).float()


def told_apart(critic, real):
    """The discriminator's loss: half of the rows are real, the others made."""
    scores = critic(critic.see(real))
    return sum(LOSSES["non-saturating"].discriminator(level[::2], level[1::2]) for level in scores)


def weighed(net, noise):
    """Some number that every output of a generator moves."""
    made = net(*noise)
    return (made * torch.linspace(-1, 1, made[0].numel()).view(made[0].shape)).sum()


def bar_noise():
    net = gan.BarGenerator(gan.BarGANConfig(noise_dim=6, hidden_dim=7, n_relations=2))
    return net.draw_noise(3, torch.Generator().manual_seed(0))


def conditions():
    return style_gan.lines_to_conditions([piece_to_line(tune(row)) for row in (PITCHES, LONGER)])


def moves_of(net, score):
    return net.mover(score, torch.tensor([0, 1]), torch.tensor([0.1, 0.3]))


def style_gan_loss(net, score):
    torch.manual_seed(0)
    made = style_gan.move(score, style_gan.draw_moves(moves_of(net, score)))
    own = torch.tensor([1, 0])
    scores = (net.critic(style_gan.claim(melodies, own))[0] for melodies in (score, made))
    return LOSSES["non-saturating"].discriminator(*scores)
