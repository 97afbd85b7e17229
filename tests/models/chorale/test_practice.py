"""Practice: which tokens move in parallel, and that a net unlearns them."""

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from musegen_lib.encodings.chorale_steps import FIRST_PITCH, LOW, N_TOKENS, ChoraleSteps, steps_to_piece
from musegen_lib.metrics.voices import FIFTH, OCTAVE, count_parallels
from musegen_lib.models.chorale.batches import collate_steps
from musegen_lib.models.chorale.practice import MOST, WEIGHT, Practice, parallel_tokens
from musegen_lib.models.chorale.recipe import chorale_steps
from musegen_lib.models.chorale.rnn import ChoraleConfig, ChoraleRNN

TINY = ChoraleConfig(hidden_dim=10, n_layers=1, embedding_dim=4, head_dim=9, dropout=0.0)
PITCHES = ChoraleRNN(TINY).heads[0].pitches


def chords(*rows):
    """A batch of one piece that strikes these chords, a step each."""
    tokens = np.array(rows) - LOW + FIRST_PITCH
    return collate_steps([ChoraleSteps(tokens, 0, 0, "4/4", 0)], ["soprano"])


def unwanted(batch, step, voice):
    return sorted(PITCHES[parallel_tokens(batch.grid, PITCHES)[0, step, voice]].tolist())


def test_a_bass_that_would_follow_the_soprano_in_fifths_or_octaves_is_unwanted():
    fifths = chords((72, 64, 60, 53), (74, 64, 60, 53))  # soprano C to D over F: G would be a fifth below again
    assert unwanted(fifths, 1, 3) == [55, 67, 81]  # 81: above it
    octaves = chords((72, 64, 60, 48), (71, 64, 60, 48))  # soprano C to B over C
    assert unwanted(octaves, 1, 3) == [35, 47]
    assert unwanted(octaves, 0, 3) == []


@pytest.mark.parametrize("second", [(72, 64, 60, 53), (71, 64, 60, 53)], ids=["soprano stays", "soprano falls"])
def test_nothing_above_is_unwanted_where_the_soprano_does_not_rise(second):
    found = unwanted(chords((72, 64, 60, 53), second), 1, 3)
    assert all(pitch < 53 for pitch in found)
    assert (52 in found) == (second[0] == 71)


def test_tokens_of_real_music_are_unwanted_as_often_as_the_metric_counts_parallels():
    pieces = chorale_steps("valid")[:20]
    counted = marked = 0
    for steps in pieces:
        batch = collate_steps([steps], ["soprano"])
        found = parallel_tokens(batch.grid, PITCHES)
        marked += int((found & one_hot(batch.tokens, N_TOKENS).bool()).sum())
        piece = steps_to_piece(steps)
        counted += sum(count_parallels(piece, size)[0] for size in (FIFTH, OCTAVE))
    assert 0 < marked <= counted <= 2 * marked  # a token in parallel with two voices counts once


def test_a_step_of_practice_takes_more_from_parallels_than_a_step_of_likelihood():
    batch = chords((72, 64, 60, 53), (71, 65, 62, 50), (72, 64, 60, 53), (71, 65, 62, 50))
    left = {}
    for practising in (True, False):
        torch.manual_seed(0)
        net = ChoraleRNN(TINY)
        loss, _ = (Practice(net) if practising else net).loss(batch)
        loss.backward()
        with torch.no_grad():
            for weights in net.parameters():
                weights -= 1e-3 * (0 if weights.grad is None else weights.grad)
            left[practising] = float((net(batch).softmax(3) * parallel_tokens(batch.grid, PITCHES)).sum())
    assert left[True] < left[False]


class Certain(ChoraleRNN):
    """Writes the tokens it is given, whatever it reads."""

    def __init__(self, tokens):
        super().__init__(TINY)
        self.tokens = tokens

    def forward(self, batch):
        return 1000.0 * one_hot(self.tokens, N_TOKENS)


def test_parallels_cost_much_unless_bach_wrote_them():
    fifths, plain = chords((72, 64, 60, 53), (74, 65, 57, 55)), chords((72, 64, 60, 53), (74, 65, 57, 50))
    assert float(Practice(Certain(fifths.tokens)).loss(fifths)[0]) == pytest.approx(0, abs=1e-6)
    wrong = Certain(fifths.tokens)
    extra = float(Practice(wrong).loss(plain)[0]) - float(wrong.loss(plain)[0])
    assert extra == pytest.approx(-WEIGHT * np.log(1 - MOST) / float(plain.scored.sum()), rel=1e-3)
