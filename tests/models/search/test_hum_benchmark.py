"""The query-by-humming benchmark: alignment, noise, ranks, and that nothing leaks."""

import numpy as np
import pytest

from data.splits import make
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.corpus.splits import group_by_shared_run, tune_variants
from musegen_lib.models.search import alignment
from musegen_lib.models.search import hum_benchmark as hum


def points(a, b):
    """Best local alignment by the textbook's table, cell by cell."""
    table = np.zeros((len(a) + 1, len(b) + 1))
    for i, x in enumerate(a, start=1):
        for j, y in enumerate(b, start=1):
            match = table[i - 1, j - 1] + (1 if x == y else -1)
            table[i, j] = max(0, match, table[i - 1, j] - 1, table[i, j - 1] - 1)
    return table.max()


def test_alignment_is_the_textbooks():
    rng = np.random.default_rng(0)
    for _ in range(60):
        query, *rest = (rng.integers(-2, 3, size=rng.integers(1, 14)) for _ in range(4))
        wanted = [points(query, row) for row in rest]
        assert alignment.align(query, alignment.stacked(rest)).tolist() == wanted


def test_a_melody_and_its_copy_are_a_pair_across_books_only():
    rng = np.random.default_rng(1)
    a, b = rng.integers(-5, 6, size=40), rng.integers(-5, 6, size=40)
    copy = a.copy()
    copy[::8] += 1
    assert make.find_pairs([a, b, copy], ["x", "y", "y"]) == [(0, 2)]
    assert make.find_pairs([a, b, copy], ["x", "y", "x"]) == []
    assert make.find_pairs([a, b, copy], ["x", "y", "y"], mirrored=True) == []


def test_join_is_a_chain():
    assert make.join([0, 1, 2, 3, 4], [(3, 1), (4, 3)]) == [0, 1, 2, 1, 1]


def sing(p, n=400):
    rng = np.random.default_rng(2)
    pitches = np.tile(np.array([60, 62, 64, 65, 67, 69, 71, 72] * 2), (n, 1))
    return hum.hum_rows(pitches, np.ones(pitches.shape), np.full(n, p), rng)


def test_no_noise_leaves_intervals_and_rhythm():
    pitches, durations, kept = sing(0.0)
    assert kept.all()
    assert (np.diff(pitches, axis=1) == np.diff([60, 62, 64, 65, 67, 69, 71, 72] * 2)).all()
    assert np.allclose(durations, durations[:, :1])
    assert durations.min() < 0.6
    assert durations.max() > 1.8


def test_noise_hits_its_share_of_notes():
    clean = sing(0.0)[2].sum()
    pitches, _, kept = sing(0.3)
    lengths = kept.sum(axis=1)
    assert lengths.sum() == pytest.approx(clean, rel=0.02)  # as many strangers as notes left out
    assert lengths.var() == pytest.approx(16 * 2 * 0.1, rel=0.2)  # 0.1 of each
    assert (kept == (np.arange(kept.shape[1]) < lengths[:, None])).all()  # notes first, filling last
    full = lengths == 16
    intact = np.diff(pitches[full, :16], axis=1) == np.diff([60, 62, 64, 65, 67, 69, 71, 72] * 2)
    assert 0.4 < intact.mean() < 0.75


def test_hum_of_one_is_a_row_of_many():
    notes = hum.Notes(np.arange(60, 76), np.ones(16))
    one = hum.hum(notes, 0.2, np.random.default_rng(5))
    rows = hum.hum_rows(notes.pitches[None], notes.durations[None], np.array([0.2]), np.random.default_rng(5))
    assert one.pitches.tolist() == rows[0][0, rows[2][0]].tolist()
    assert len(one.pitches) == len(one.durations)


def test_families_are_joined_and_kept_apart():
    corpus = load_folk_tunes()
    heads = group_by_shared_run(alignment.corpus_intervals(corpus))
    head_of = dict(zip(corpus.column("id").tolist(), heads))
    rows = tune_variants()
    tunes = [tune for row in rows for tune in row["tunes"]]
    assert len(tunes) == len(set(tunes))
    owner = {head_of[tune]: n for n, row in enumerate(rows) for tune in row["tunes"]}
    assert all(owner[head_of[tune]] == n for n, row in enumerate(rows) for tune in row["tunes"])
    inside = {tune for tune, head in head_of.items() if head in owner}
    assert inside == set(tunes)  # no relative of a family is left outside of it
    assert {row["part"] for row in rows} == {"valid", "test"}
    assert all({a, b} <= set(row["tunes"]) for row in rows for a, b in row["pairs"])


def test_queries_repeat_and_name_versions_in_other_books():
    first, again = hum.make_queries("valid", 0.1), hum.make_queries("valid", 0.1)
    books = load_folk_tunes(kind="dance").column("collection")
    assert len(first) == hum.N_EXCERPTS * sum(row["part"] == "valid" for row in tune_variants())
    for one, other in zip(first, again):
        assert one.notes.pitches.tolist() == other.notes.pitches.tolist()
        assert one.right.any()
        assert (books[one.right] != books[one.tune]).all()
        assert one.out[one.tune]
        assert not (one.right & one.out).any()
    assert not {q.family for q in first} & {q.family for q in hum.make_queries("test", 0.1)}


def test_rank_skips_what_is_out_and_ties_are_lost():
    right, out = np.array([0, 1, 0, 0], bool), np.array([1, 0, 0, 0], bool)
    assert hum.rank_of(np.array([9.0, 3, 2, 1]), right, out) == 1
    assert hum.rank_of(np.array([9.0, 3, 3, 4]), right, out) == 3


@pytest.fixture(scope="module")
def some_queries():
    return hum.make_queries("valid", 0.0)[:45]


def test_floor_counting_and_an_oracle(some_queries):
    pool = hum.corpus_notes(load_folk_tunes(kind="dance"))
    answers = iter(some_queries)

    def oracle(query):
        return next(answers).right.astype(float)

    assert hum.evaluate(oracle, some_queries)["r@1"] == 1
    assert hum.evaluate(hum.RandomScorer(len(pool)), some_queries)["r@10"] < 0.1
    counted = hum.evaluate(hum.NgramScorer(pool), some_queries)
    assert counted["r@1"] > 0.4
    assert counted["r@1_interval"][0] <= counted["r@1"] <= counted["r@1_interval"][1]


def test_alignment_scores_stand_in_the_order_of_the_pool():
    pool, tune = hum.corpus_notes(load_folk_tunes(kind="dance")), 1234
    notes = pool[tune]
    scores = hum.AlignmentScorer(pool)(hum.Notes(notes.pitches[:24], notes.durations[:24]))
    assert scores[tune] == scores.max() == 23


def test_chorale_queries_ask_for_other_settings_of_the_hymn():
    notes, hymns = hum.chorale_notes()
    queries = hum.make_chorale_queries(0.0)
    assert len(notes) == len(hymns) == 365
    assert len(queries) > 100
    for query in queries:
        assert (hymns[query.right] == hymns[query.tune]).all()
        assert not query.right[query.tune]
        assert query.out.sum() == 1


def test_tunes_whose_score_is_just_that_of_one_melody_are_a_pair(monkeypatch):
    tune = np.arange(20) % 7
    for least, pairs in ((1.0, [(0, 1)]), (1.01, [])):  # a copy has one point a note
        monkeypatch.setattr(make, "SAME_MELODY", least)
        assert make.find_pairs([tune, tune.copy()], ["x", "y"]) == pairs


def test_every_hymn_with_two_settings_is_asked_for_the_first_one_too():
    _, hymns = hum.chorale_notes()
    wanted = {hymn for hymn in hymns.tolist() if hymn >= 0 and (hymns == hymn).sum() > 1}
    assert {query.family for query in hum.make_chorale_queries(0.0)} == wanted
    assert 0 in wanted
