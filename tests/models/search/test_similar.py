"""Index, map and taste of lesson 6."""

import numpy as np
import pytest

from musegen_lib.models.search.borrowed_embeddings import VAE
from musegen_lib.models.search.hum_benchmark import Notes
from musegen_lib.models.search.inverted_file import InvertedFile, best_of
from musegen_lib.models.search.map import hover_map, principal_components
from musegen_lib.models.search.recipe import embed_notes
from musegen_lib.models.search.similar import notes_to_piece
from musegen_lib.models.search.taste import Ngrams, centre_of, pick, windows_to_notes, write_windows

RNG = np.random.default_rng(0)


def unit(points):
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


POINTS = unit(RNG.normal(size=(30, 8)).repeat(20, axis=0) + 0.3 * RNG.normal(size=(600, 8)))


def test_all_cells_give_the_exact_answer():
    index = InvertedFile(POINTS, n_cells=16)
    for query in POINTS[::97]:
        exact = best_of(POINTS @ query, 10)
        assert index.nearest(query, 10, n_cells=16).tolist() == exact.tolist()
        assert exact.tolist() == np.argsort(-(POINTS @ query), kind="stable")[:10].tolist()


def test_more_cells_find_more():
    index, found = InvertedFile(POINTS, n_cells=16), []
    for cells in (1, 4, 16):
        hits = [set(best_of(POINTS @ q, 10)) & set(index.nearest(q, 10, cells)) for q in POINTS[::13]]
        found.append(np.mean([len(hit) / 10 for hit in hits]))
    assert found[0] < found[1] <= found[2] == 1
    assert found[0] > 0.3


def test_components_are_numpys():
    places, share = principal_components(POINTS, 3)
    _, values, directions = np.linalg.svd(POINTS - POINTS.mean(axis=0), full_matrices=False)
    assert np.allclose(np.abs(places), np.abs((POINTS - POINTS.mean(axis=0)) @ directions[:3].T), atol=1e-4)
    assert share.tolist() == pytest.approx((values**2 / (values**2).sum())[:3].tolist(), rel=1e-4)


def test_a_map_is_small_safe_and_says_every_title():
    places = RNG.normal(size=(2000, 2))
    drawn = hover_map(places, ["song", "dance"] * 1000, [f"tune <{n}> & co" for n in range(2000)], "a map of tunes")
    svg = drawn._repr_mimebundle_()["text/html"]
    assert len(svg) < 300_000
    assert svg.count("<circle") == 2000 + 2
    assert "tune &lt;7&gt; &amp; co" in svg
    assert "<script" not in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_windows_around_a_centre_lie_nearer_to_it_than_those_of_the_prior():
    vae = VAE.load_once().eval()
    centre = np.ones(vae.config.latent_dim)
    near, far = (write_windows(vae, c, 24, seed=0, width=w) for c, w in ((centre, 0.3), (0 * centre, 1.0)))
    assert near.shape == far.shape == (24, 32)
    assert write_windows(vae, centre, 24, 0, 0.3).tolist() == near.tolist()
    points = [embed_notes(windows_to_notes(tokens)) for tokens in (near, far)]
    taste = centre_of(points[0])
    assert (points[0] @ taste).mean() > (points[1] @ taste).mean() + 0.05
    picked = embed_notes(windows_to_notes(pick(far, taste, 4))) @ taste
    assert picked.tolist() == pytest.approx(sorted((points[1] @ taste).tolist(), reverse=True)[:4], abs=1e-5)


def test_ngrams_judge_runs_and_not_keys():
    tunes = [Notes(RNG.integers(55, 75, size=30), np.ones(30)) for _ in range(6)]
    judge = Ngrams(tunes)
    points = judge([tunes[0], Notes(tunes[0].pitches + 4, tunes[0].durations), tunes[1]])
    assert points[0] @ points[1] == pytest.approx(1, abs=1e-5)
    assert points[0] @ points[2] < 0.5


def test_a_query_can_be_heard():
    piece = notes_to_piece(Notes(np.array([60, 64]), np.array([1.01, 0.001])), "hummed")
    assert [tuple(note)[:3] for note in piece.notes.tolist()] == [(0, 12, 60), (12, 1, 64)]
