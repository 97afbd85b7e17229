import numpy as np
import pytest

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.metrics.originality import LONGEST_RUN, CopyDetector, corpus_to_symbols, melody_symbols


def melody(pitches, durations=None, **labels):
    durations = durations or [4] * len(pitches)
    onsets = np.cumsum([0, *durations])[:-1].tolist()
    return Piece.from_notes(zip(onsets, durations, pitches), **labels)


def longest_common_run(a, b):
    """Compare everything with everything."""
    best, lengths = 0, [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            if x == y:
                lengths[i + 1][j + 1] = lengths[i][j] + 1
                best = max(best, lengths[i + 1][j + 1])
    return best


SCALE = melody([60, 62, 64, 65, 67, 69, 71, 72], [4, 2, 2, 4, 4, 8, 4, 4])


def detector(*pieces):
    return CopyDetector([melody_symbols(piece) for piece in pieces])


@pytest.mark.parametrize("n_symbols", [1, 2, 3, 6])
def test_the_longest_run_is_that_of_a_comparison_of_all_with_all(n_symbols):
    rng = np.random.default_rng(n_symbols)
    for _ in range(25):
        collection = [rng.integers(0, n_symbols, rng.integers(0, 14)) for _ in range(5)]
        found = CopyDetector(collection)
        for query in [rng.integers(0, n_symbols + 1, rng.integers(0, 12)) for _ in range(4)]:
            run = max(longest_common_run(query.tolist(), other.tolist()) for other in collection)
            assert found.longest_run(query) == (run + 1 if run else 0)


def test_runs_near_the_limit_are_counted_like_short_ones():
    rng = np.random.default_rng(0)
    melodies = [rng.integers(0, 2, 90) for _ in range(4)]
    for length in (31, 32, 33, 63, 64):
        query = np.concatenate([[7], melodies[2][10 : 10 + length], [7]])
        assert CopyDetector(melodies).longest_run(query) == length + 1


def test_tunes_that_begin_alike_are_told_apart_after_40_steps():
    rng = np.random.default_rng(0)
    melodies = [np.concatenate([np.arange(40), rng.integers(0, 40, 24)]) for _ in range(12)]
    found = CopyDetector(melodies)
    assert [found.longest_run(melody) for melody in melodies] == [65] * 12


def test_a_run_longer_than_the_limit_counts_as_the_limit():
    assert CopyDetector([np.arange(100)]).longest_run(np.arange(100)) == LONGEST_RUN + 1


def test_a_transposed_copy_is_found():
    assert detector(melody([60, 59, 60]), SCALE).longest_run(melody_symbols(SCALE.transpose(5))) == 8


def test_a_copy_on_a_finer_grid_is_found():
    finer = Piece.from_notes([(2 * o, 2 * d, p) for o, d, p, *_ in SCALE.notes.tolist()], steps_per_beat=8)
    assert detector(SCALE).longest_run(melody_symbols(finer)) == 8


def test_a_copy_in_another_rhythm_is_not():
    even = melody(SCALE.notes["pitch"].tolist(), [3] * 8)
    assert detector(SCALE).longest_run(melody_symbols(even)) == 0


def test_the_last_note_may_be_of_any_length_since_no_step_leaves_it():
    longer = melody(SCALE.notes["pitch"].tolist(), [*SCALE.notes["duration_steps"][:-1].tolist(), 16])
    assert detector(SCALE).longest_run(melody_symbols(longer)) == 8


def test_part_of_a_tune_is_found_inside_another():
    quote = melody([50, 65, 67, 69, 71, 40], [1, 4, 4, 8, 4, 1])
    assert detector(SCALE).longest_run(melody_symbols(quote)) == 4


def test_no_run_crosses_from_one_tune_to_the_next():
    symbols = melody_symbols(SCALE)
    assert CopyDetector([symbols[:3], symbols[3:]]).longest_run(symbols) == 4 + 1
    assert CopyDetector([symbols[3:], symbols[:3]]).longest_run(symbols) == 4 + 1


def test_nothing_is_shared_with_one_note_or_with_a_new_step():
    assert detector(SCALE).longest_run(melody_symbols(melody([60]))) == 0
    assert detector(SCALE).longest_run(melody_symbols(melody([60, 90]))) == 0
    assert detector(melody([60]), melody([])).longest_run(melody_symbols(SCALE)) == 0


def test_symbols_tell_an_interval_and_a_duration_apart():
    steps = [melody([60, 61], [4, 4]), melody([61, 60], [4, 4]), melody([60, 61], [5, 4]), melody([0, 127], [4, 4])]
    assert len({int(melody_symbols(step)[0]) for step in steps}) == len(steps)
    assert melody_symbols(melody([0, 127, 0], [1, 1, 1])).min() > 0  # never the -1 that ends a melody


def test_a_corpus_gives_the_same_symbols_as_its_pieces():
    corpus = load_folk_tunes()
    chosen = np.zeros(len(corpus), dtype=bool)
    chosen[np.random.default_rng(0).choice(len(corpus), 300, replace=False)] = True
    chosen[-1] = True
    corpus = corpus.select(chosen)
    for piece, symbols in zip(corpus, corpus_to_symbols(corpus), strict=True):
        assert melody_symbols(piece).tolist() == symbols.tolist()


def test_a_real_tune_is_found_in_its_own_collection_and_not_without_it():
    chinese = load_folk_tunes(region="chinese")
    symbols = corpus_to_symbols(chinese)[:200]
    query = symbols[100]
    assert CopyDetector(symbols).longest_run(query) == min(len(query), LONGEST_RUN) + 1
    without = CopyDetector(symbols[:100] + symbols[101:]).longest_run(query)
    assert without == max(longest_common_run(query.tolist(), s.tolist()) for s in symbols[:100] + symbols[101:]) + 1
    assert without < len(query)


def test_too_many_different_steps_are_refused():
    with pytest.raises(ValueError, match="70001 different steps are more than the detector's 65,535"):
        CopyDetector([np.arange(70_000)])


def test_more_steps_than_two_bytes_can_number_are_refused():
    assert CopyDetector([np.arange(65_534)]).longest_run(np.array([65_532, 65_533])) == 3
    with pytest.raises(ValueError, match="65536 different steps are more than the detector's 65,535"):
        CopyDetector([np.arange(65_535)])
