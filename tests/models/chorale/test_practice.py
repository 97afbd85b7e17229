"""Practice: which tokens move in parallel, and that a net unlearns them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from musegen_lib.encodings.chorale_steps import FIRST_PITCH, LOW, N_TOKENS, ChoraleSteps, steps_to_piece
from musegen_lib.metrics.voices import FIFTH, OCTAVE, count_parallels
from musegen_lib.models.chorale.batches import collate_steps
from musegen_lib.models.chorale.practice import PRACTICE_TOLD, Practice, parallel_tokens, practise
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


def test_practice_teaches_a_net_to_avoid_parallels():
    torch.manual_seed(0)
    net = ChoraleRNN(TINY)
    batch = chords((72, 64, 60, 53), (74, 65, 57, 50), (72, 64, 60, 53), (74, 65, 57, 50))

    def chance():
        with torch.no_grad():
            return float((net(batch).softmax(3) * parallel_tokens(batch.grid, PITCHES)).sum())

    before = chance()
    practise(net, lambda step, rank=0, world_size=1: batch, [batch], seed=0, share=0.4)
    assert chance() < before / 2


def test_what_bach_wrote_is_not_unwanted():
    torch.manual_seed(0)
    net = ChoraleRNN(TINY)
    batch = chords((72, 64, 60, 53), (74, 65, 57, 55))  # fifths, written
    only = replace(batch, mask=batch.mask & torch.tensor([[False, True, False]]))
    with torch.no_grad():
        loss, parts = Practice(net).loss(only)
    assert parts["weight"] == 3
    others = [pitch for pitch in unwanted(batch, 1, 3) if pitch != 55]
    assert others == [67, 81]
    assert float(loss) > float(net.loss(only)[0])


def test_practice_tells_each_piece_something_known():
    assert sum(PRACTICE_TOLD.values()) == pytest.approx(1)
