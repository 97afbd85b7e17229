"""The tune encoder: what it must ignore, what it must not, its loss, its batches and the search."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from musegen_lib.cli.main import app
from musegen_lib.cli.similar import similar_file
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.corpus.splits import tune_variants
from musegen_lib.formats.midi.reader import write_midi
from musegen_lib.models.search import borrowed_embeddings as learnt_points
from musegen_lib.models.search import recipe as tune_encoder
from musegen_lib.models.search import similar as recommending
from musegen_lib.models.search.batches import PairBatches
from musegen_lib.models.search.encoder import TuneEncoder, TuneEncoderConfig, encode_rows, info_nce
from musegen_lib.models.search.hum_benchmark import NgramScorer, Notes, corpus_notes, evaluate, make_queries
from musegen_lib.models.search.recipe import (
    TUNE_ENCODER,
    WindowSearch,
    cut_note_windows,
    embed_notes,
    encoder_of,
    melody_notes,
)
from musegen_lib.training.loop import TrainConfig, fit

RNG = np.random.default_rng(0)
TUNES = [Notes(RNG.integers(55, 80, size=40), RNG.choice([0.5, 1.0, 2.0], size=40)) for _ in range(12)]


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return TuneEncoder(TuneEncoderConfig(width=24, dim=16)).eval()


def point(model, notes):
    with torch.no_grad():
        return encode_rows(model, np.asarray(notes.pitches)[None], np.asarray(notes.durations)[None])[0]


def test_key_and_tempo_cannot_matter(small):
    tune = TUNES[0]
    moved = Notes(tune.pitches + 5, tune.durations * 1.7)
    assert np.allclose(point(small, tune), point(small, moved), atol=1e-5)
    assert not np.allclose(point(small, tune), point(small, TUNES[1]), atol=1e-2)
    by_pitch = TuneEncoder(TuneEncoderConfig(width=24, dim=16, reads="pitches")).eval()
    assert not np.allclose(point(by_pitch, tune), point(by_pitch, moved), atol=1e-3)


def test_filling_cannot_matter(small):
    batch = PairBatches(TUNES, range(12), 6, seed=0, most_noise=0.9)(0)
    with torch.no_grad():
        together = small(batch.side(1)).numpy()
    for row in range(6):
        kept = batch.mask[1, row]
        alone = Notes(batch.pitches[1, row][kept].numpy(), batch.durations[1, row][kept].numpy())
        assert np.allclose(point(small, alone), together[row], atol=1e-5)


def test_loss_of_equal_points_is_the_logarithm_of_the_batch():
    same = torch.ones(5, 4) / 2
    assert float(info_nce(same, same, torch.arange(5), 0.1)) == pytest.approx(np.log(5), abs=1e-5)
    assert float(info_nce(same, same, torch.zeros(5, dtype=torch.long), 0.1)) == pytest.approx(0, abs=1e-5)


def test_batches_repeat_and_hold_pairs_of_one_place():
    batches = PairBatches(TUNES, range(12), 64, seed=3, most_noise=0.0)
    one, again = batches(7), batches(7)
    assert (one.pitches == again.pitches).all()
    assert not (one.pitches == batches(8).pitches).all()
    steps = one.pitches.diff(dim=2)
    overlap = [
        any(
            (steps[0, row, max(0, lag) : 15 + min(0, lag)] == steps[1, row, max(0, -lag) : 15 - max(0, lag)]).all()
            for lag in range(-2, 3)
        )
        for row in range(64)
    ]
    assert all(overlap)


def test_training_brings_partners_together():
    torch.manual_seed(0)
    model, batches = TuneEncoder(TuneEncoderConfig(width=24, dim=16)), PairBatches(TUNES, range(12), 24, seed=0)
    before = float(model.loss(batches(999))[0].detach())
    fit(model, batches, [batches(998)], TrainConfig(steps=40, validate_every=40, learning_rate=5e-3, warmup_steps=5))
    assert float(model.loss(batches(999))[0].detach()) < 0.7 * before


def test_windows_cover_a_tune_and_short_ones_are_filled():
    pitches, _, owners = cut_note_windows([TUNES[0], Notes(np.array([60, 62, 64]), np.ones(3))], 4)
    assert owners.tolist() == [0] * 7 + [1]
    assert pitches[6].tolist() == TUNES[0].pitches[-16:].tolist()
    assert pitches[7].tolist() == [60, 62] + [64] * 14


def test_search_finds_a_part_of_a_tune(small):
    search = WindowSearch(TUNES, encoder_of(small), hop=1)
    for number in (0, 5, 11):
        part = Notes(TUNES[number].pitches[9:25] + 3, TUNES[number].durations[9:25])
        scores = search(part)
        assert scores.argmax() == number
        assert scores.max() == pytest.approx(1, abs=1e-4)


def test_the_benchmarks_families_are_not_learnt_from():
    held = {tune for row in tune_variants() for tune in row["tunes"]}
    tunes, families = tune_encoder.families_and_notes(None)
    corpus = load_folk_tunes()
    assert len(tunes) == len(families) == len(corpus) - len(held)
    assert not {families[0]} & set(tune_encoder.families_and_notes("valid")[1])
    learnt, valid = set(families), set(tune_encoder.families_and_notes("valid")[1])
    assert not learnt & valid
    assert not learnt & set(tune_encoder.families_and_notes("test")[1])


def test_the_shipped_net_beats_counting_on_validation():
    pool = corpus_notes(load_folk_tunes(kind="dance"))
    queries = make_queries("valid", 0.2)[::3]
    search = WindowSearch(pool, encoder_of(TUNE_ENCODER.load_once()), hop=4)
    assert evaluate(search, queries)["r@1"] > evaluate(NgramScorer(pool), queries)["r@1"] + 0.1
    assert TUNE_ENCODER.checkpoint.stat().st_size < 2_000_000


def embed_pieces(pieces):
    return embed_notes([melody_notes(piece) for piece in pieces])


def test_embeddings_are_unit_points_of_whole_tunes():
    pieces = [load_folk_tunes()[n] for n in (3, 5000, 12000)]
    points = embed_pieces(pieces)
    assert points.shape == (3, TUNE_ENCODER.config.dim)
    assert np.allclose(np.linalg.norm(points, axis=1), 1, atol=1e-5)
    assert np.allclose(points, recommending.corpus_embeddings()[[3, 5000, 12000]], atol=1e-3)
    assert embed_pieces([]).shape == (0, TUNE_ENCODER.config.dim)
    with pytest.raises(MusegenError, match="1 notes; wanted 3"):
        embed_pieces([Piece.from_notes([(0, 4, 60)])])


def test_points_of_other_lessons_are_unit_points_and_ignore_the_key():
    for points in (learnt_points.vae_points, learnt_points.rnn_points):
        one = points(TUNES[0].pitches[None, :16], TUNES[0].durations[None, :16])
        other = points(TUNES[0].pitches[None, :16] + 2, 3 * TUNES[0].durations[None, :16])
        assert np.allclose(one, other, atol=1e-5)
        assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)


@pytest.fixture
def tune_file(tmp_path):
    piece = load_folk_tunes(kind="dance")[700]
    write_midi(piece.transpose(3), tmp_path / "tune.mid")
    return tmp_path / "tune.mid", piece


def test_similar_names_the_tune_itself_first_in_another_key(tune_file):
    file, piece = tune_file
    found = json.loads(CliRunner().invoke(app, ["recommend", "similar", str(file), "--n", "5", "--json"]).stdout)
    assert found["similar"][0]["id"] == piece.source
    assert [row["rank"] for row in found["similar"]] == [1, 2, 3, 4, 5]
    cosines = [row["cosine"] for row in found["similar"]]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[0] > 0.9
    assert found["seconds"] < 10


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"no midi", "a.mid", "a.mid"),
        (None, "gone.mid", "gone.mid"),
        (b"x", "a.wav", "ending .wav is unknown"),
    ],
)
def test_faults_of_files_are_one_clear_line(tmp_path, content, name, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MusegenError, match=words) as fault:
        similar_file(tmp_path / name)
    assert "\n" not in str(fault.value)


def test_too_few_notes_and_a_wrong_n_are_told(tmp_path):
    write_midi(Piece.from_notes([(0, 4, 60), (4, 4, 62)]), tmp_path / "two.mid")
    with pytest.raises(MusegenError, match="its melody has 2 notes"):
        similar_file(tmp_path / "two.mid")
    with pytest.raises(MusegenError, match="n 0 must lie in 1 to"):
        similar_file(tmp_path / "two.mid", n=0)


def test_a_chord_piece_is_read_by_its_highest_line_and_says_so(tmp_path):
    rows = [(4 * i, 4, pitch, 80, voice) for i in range(20) for voice, pitch in enumerate((72 + i % 5, 60, 48))]
    write_midi(Piece.from_notes(rows), tmp_path / "chords.mid")
    found = similar_file(tmp_path / "chords.mid", 3)
    assert found["notes"] == 20
    assert any("20 of 60 notes" in line for line in found["read"])


def test_config_faults_are_named():
    with pytest.raises(ValueError, match="sizes of at least 1"):
        TuneEncoderConfig(width=0)
    with pytest.raises(ValueError, match="'intervals' or 'pitches'"):
        TuneEncoderConfig(reads="colours")
    with pytest.raises(ValueError, match="no tune has 20 notes"):
        PairBatches([Notes(np.array([60]), np.ones(1))], [0], 2, 0)
    assert encode_rows(TuneEncoder(TuneEncoderConfig()), np.zeros((0, 16), np.int64), np.zeros((0, 16))).shape == (
        0,
        96,
    )


def test_a_tune_is_as_alike_as_its_best_windows_are_on_the_mean_over_the_melodys_windows(monkeypatch):
    windows = np.array([[1, 0], [0.8, 0.6], [1, 0], [0, 1]], dtype=np.float16)  # of tunes 0, 1, 2 and 2
    monkeypatch.setattr(recommending, "tune_points", lambda: {"windows": windows, "first": np.array([0, 1, 2])})
    monkeypatch.setattr(recommending, "encoder_of", lambda net: lambda pitches, durations: np.eye(2)[: len(pitches)])
    melody = Notes(np.arange(60, 78), np.ones(18))  # 18 notes: two windows, at notes 0 and 2
    assert recommending.similar_tunes(melody) == pytest.approx([(1 + 0) / 2, (0.8 + 0.6) / 2, (1 + 1) / 2], abs=1e-3)
