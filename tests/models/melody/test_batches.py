"""Batches of melodies: every event is kept, shares of processes, epochs, transposition, and what is told."""

import numpy as np
import pytest
from tiny_tunes import make_tune, make_tunes

from musegen_lib.encodings.melody_events import END_ID, FIRST_PITCH_ID, N_PITCH_IDS, REST_ID, MelodyEvents
from musegen_lib.models.melody.batches import MelodyBatches, collate

TUNES = make_tunes(11, seed=4)


def rows_of(batch):
    """Each tune of a batch as plain lists, without its padding."""
    columns = batch.pitch_ids, batch.durations, batch.onsets, batch.time_left
    labels = zip(batch.mask, batch.styles.tolist(), batch.metres.tolist())
    return [(*(column[b][m].tolist() for column in columns), *rest) for b, (m, *rest) in enumerate(labels)]


def test_collate_keeps_every_event_and_shifts_each_tune_by_its_own_interval():
    tune = make_tune([(5, 4), (REST_ID, 2), (7, 1)], "irish", "6/8", pickup=2)  # the pickup starts at step 10 of 12
    [plain, shifted] = rows_of(collate([tune, tune], shifts=[0, -3]))
    assert plain == ([5, REST_ID, 7, END_ID], [4, 2, 1, 0], [10, 14, 16, 17], [0, 0, 0, 0], 4, 4)
    assert shifted == ([2, REST_ID, 4, END_ID], *plain[1:])


def test_collate_counts_the_time_left_of_a_tune_that_is_told():
    tune = make_tune([(5, 10), (6, 12), (7, 14)], "irish", "6/8", pickup=2)  # starts at steps 10, 20, 32, ends at 46
    long = make_tune([(5, 12)] * 40, "irish", "6/8")
    told, untold, counted = rows_of(collate([tune, tune, long], told=[True, False, True]))
    assert told[2:4] == ([10, 20, 32, 46], [33 + 3, 26 + 1, 14 + 1, 1])  # 36 steps left are 3 bars; then steps count
    assert untold[3] == [0] * 4
    assert counted[3][:9] == [65] * 8 + [33 + 32]  # 32 bars and more count alike
    assert counted[3][-4:] == [33 + 3, 25, 13, 1]


def test_batches_tell_about_half_of_the_tunes_how_long_they_are():
    batches = MelodyBatches(TUNES, 5, seed=1)
    told = [bool(row[3][0]) for step in range(40) for row in rows_of(batches(step))]
    assert len(told) == 200
    assert 70 < sum(told) < 130


def test_a_batch_is_a_pure_function_of_its_step():
    forwards, backwards = MelodyBatches(TUNES, 3, seed=1), MelodyBatches(TUNES[::-1], 3, seed=1)
    seen = {step: rows_of(forwards(step)) for step in range(8)}
    assert {step: rows_of(forwards(step)) for step in reversed(range(8))} == seen
    assert [rows_of(MelodyBatches(TUNES, 3, seed=2)(step)) for step in range(8)] != list(seen.values())
    lengths = [[len(row[0]) for row in rows_of(backwards(step))] for step in range(8)]
    assert lengths == [[len(row[0]) for row in rows] for rows in seen.values()]


@pytest.mark.parametrize("world_size", [2, 3, 5])
def test_the_shares_of_all_processes_are_the_whole_batch(world_size):
    batches = MelodyBatches(TUNES, 5, seed=1)
    whole = rows_of(batches(3))
    shares = [rows_of(batches(3, rank, world_size)) for rank in range(world_size)]
    assert [len(share) for share in shares] == [len(whole[rank::world_size]) for rank in range(world_size)]
    assert sorted(row for share in shares for row in share) == sorted(whole)


def test_an_epoch_shows_no_tune_twice_and_the_next_one_comes_in_another_order():
    tunes = [make_tune([(20, 2)] * n) for n in range(1, 12)]  # eleven tunes told apart by their length
    batches = MelodyBatches(tunes, 3, seed=1)
    epochs = [[len(row[0]) for step in range(3 * e, 3 * e + 3) for row in rows_of(batches(step))] for e in range(20)]
    assert all(len(set(epoch)) == 9 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 3
    assert set().union(*epochs) == set(range(2, 13))  # the two left over are not always the same


def test_transposition_moves_sounding_pitches_alone_and_as_far_as_the_range_allows():
    tunes = {
        "low": [(FIRST_PITCH_ID + 1, 1), (REST_ID, 1), (8, 1)],
        "high": [(N_PITCH_IDS - 2, 2), (REST_ID, 1), (38, 1)],
        "whole range": [(FIRST_PITCH_ID, 3), (N_PITCH_IDS - 1, 1)],
        "middle": [(20, 4), (21, 1)],
    }
    batches = MelodyBatches([make_tune(rows) for rows in tunes.values()], 4, seed=0, max_shift=4)
    shifts = {name: set() for name in tunes}
    for step in range(80):
        for ids, durations, *_ in rows_of(batches(step)):
            name = list(tunes)[durations[0] - 1]  # the first duration tells which tune it is
            before = np.array([pitch for pitch, _ in tunes[name]] + [END_ID])
            sounding = before >= FIRST_PITCH_ID
            moved = np.array(ids)
            assert np.array_equal(moved[~sounding], before[~sounding])
            shifts[name] |= set((moved - before)[sounding].tolist())
            assert len(set((moved - before)[sounding].tolist())) == 1
    assert shifts == {
        "low": set(range(-1, 5)),
        "high": set(range(-4, 2)),
        "whole range": {0},
        "middle": set(range(-4, 5)),
    }


def test_too_few_tunes_for_one_batch_are_refused():
    with pytest.raises(ValueError, match="11 tunes do not fill a batch of 12; choose a smaller batch"):
        MelodyBatches(TUNES, 12, seed=0)


def test_more_processes_than_tunes_in_a_batch_are_refused():
    with pytest.raises(ValueError, match="4 processes cannot share a batch of 3"):
        MelodyBatches(TUNES, 3, seed=0)(0, rank=1, world_size=4)


def test_the_tunes_of_these_tests_cover_rests_pickups_and_unlike_lengths():
    assert any(REST_ID in tune.pitch_ids for tune in TUNES)
    assert len({len(tune.pitch_ids) for tune in TUNES}) > 3
    assert sum(tune.pickup > 0 for tune in TUNES) > 5
    assert all(isinstance(tune, MelodyEvents) for tune in TUNES)
