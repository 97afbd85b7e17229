"""Variations and paths through the codes of the shipped VAE, from Python and from the command line."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from musegen_lib.cli.convert import convert_file
from musegen_lib.cli.main import app
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.encodings.arrays import FIRST_PITCH
from musegen_lib.encodings.melody_windows import WINDOW_STEPS, held_out_windows, piece_to_window
from musegen_lib.encodings.tune_chain import piece_to_chain
from musegen_lib.formats.midi.reader import read_midi, write_midi
from musegen_lib.models.registry import RECIPES
from musegen_lib.models.vae.interpolate import (
    crossfade,
    neighbours,
    path_between,
    path_between_tunes,
    slerp,
    vary_tune,
)
from musegen_lib.models.vae.recipe import prior_windows, whole_bars

TUNE = [(0, 4, 67), (4, 4, 69), (8, 4, 71), (12, 4, 74), (16, 6, 72), (22, 2, 71), (24, 8, 69)]
END = [(96, 16, 66), (112, 8, 69), (120, 8, 67)]
OTHER = [(0, 2, 62), (2, 2, 64), (4, 4, 66), (8, 8, 69), (16, 4, 66), (20, 4, 64), (24, 8, 62)]


@pytest.fixture(scope="module")
def vae():
    return RECIPES["vae"].load_once()


@pytest.fixture
def files(tmp_path):
    paths = tmp_path / "a.mid", tmp_path / "b.mid"
    for path, notes in zip(paths, (TUNE, OTHER)):
        write_midi(Piece.from_notes(notes), path)
    return paths


def later(notes, steps):
    return [(onset + steps, duration, pitch) for onset, duration, pitch in notes]


def run(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_an_arc_has_its_ends_and_keeps_equal_lengths():
    a, b = torch.tensor([3.0, 0.0, 0.0]), torch.tensor([0.0, 0.0, 3.0])
    torch.testing.assert_close(slerp(a, b, 0.0), a)
    torch.testing.assert_close(slerp(a, b, 1.0), b)
    assert [round(float(slerp(a, b, t).norm()), 4) for t in (0.2, 0.5, 0.8)] == [3.0] * 3
    assert float(slerp(a, 2 * b, 0.5).norm()) == pytest.approx(4.5)
    torch.testing.assert_close(slerp(a, a, 0.3), a)
    torch.testing.assert_close(slerp(a, -a, 0.5), torch.zeros(3))  # opposite: through the middle


def test_a_crossfade_moves_each_token_once():
    a, b = np.zeros(WINDOW_STEPS, dtype=np.int64), np.full(WINDOW_STEPS, 20)
    faded = crossfade(a, b, 5, np.random.default_rng(0))
    assert (faded == 20).sum(axis=1).tolist() == [0, 8, 16, 24, 32]
    assert (np.diff(faded, axis=0) >= 0).all()


def test_the_shipped_net_gives_back_nine_notes_of_ten(vae):
    windows = held_out_windows("valid").tokens[::8]
    with torch.no_grad():
        written = vae.write(vae.encode(torch.from_numpy(windows))[0]).numpy()
    struck = windows >= FIRST_PITCH
    assert (written == windows)[struck].mean() > 0.9
    shifted = np.roll(windows, 1, axis=0)  # the round trip of another window scores what chance scores
    assert (written == shifted)[shifted >= FIRST_PITCH].mean() < 0.3


def test_a_path_begins_and_ends_at_the_round_trips(vae):
    a, b = (piece_to_window(Piece.from_notes(notes))[0] for notes in (TUNE, OTHER))
    walk = path_between(vae, a, b, 4)
    assert walk.shape == (4, WINDOW_STEPS)
    with torch.no_grad():
        ends = vae.write(vae.encode(torch.from_numpy(np.stack([a, b])))[0]).numpy()
    assert np.array_equal(walk[[0, -1]], ends)


def test_neighbours_lose_notes_with_distance(vae):
    window, _ = piece_to_window(Piece.from_notes(TUNE))
    struck, kept = window >= FIRST_PITCH, []
    for distance in (0.0, 0.5, 2.0):
        made = neighbours(vae, window, 30, distance, torch.Generator().manual_seed(0))
        kept.append((made == window)[:, struck].mean())
    assert kept[0] > kept[1] > kept[2]


def test_windows_of_the_prior_are_never_silent_and_become_whole_bars(vae):
    for tokens in prior_windows(vae, 40, torch.Generator().manual_seed(0)):
        assert (tokens >= FIRST_PITCH).any()
        assert RECIPES["vae"].to_piece(tokens, "t", 0).n_steps == WINDOW_STEPS
    silent = np.ones(WINDOW_STEPS, dtype=np.int64)
    assert np.array_equal(whole_bars(silent), silent)


def test_generate_writes_the_same_playable_bytes_for_the_same_seed(tmp_path):
    reports = [run("generate", "vae", "--n", 6, "--seed", 3, "--out", tmp_path / name) for name in "ab"]
    assert reports[0]["validity"] == 1.0
    first, second = ([p.read_bytes() for p in sorted((tmp_path / name).iterdir())] for name in "ab")
    assert first == second
    assert len(set(first)) == 6
    other = run("generate", "vae", "--n", 6, "--seed", 4, "--out", tmp_path / "c")
    assert [p.read_bytes() for p in sorted((tmp_path / "c").iterdir())] != first
    assert other["validity"] == 1.0


def test_generate_refuses_what_the_vae_cannot_be_told():
    with pytest.raises(MusegenError, match="style: the vae knows temperature and key only"):
        RECIPES["vae"].generate(1, 0, style="irish")


def test_equal_windows_of_a_tune_stay_equal_in_its_variations(vae):
    refrain = piece_to_chain(Piece.from_notes([*TUNE, *((o + 32, d, p) for o, d, p in OTHER), *later(TUNE, 64), *END]))[
        0
    ]
    assert np.array_equal(refrain.windows[0], refrain.windows[2])
    for made in vary_tune(vae, refrain, 5, 0.5, torch.Generator().manual_seed(0)):
        assert np.array_equal(made.windows[0], made.windows[2])
        assert not np.array_equal(made.windows[0], made.windows[1])


def test_variations_differ_from_the_tune_and_from_each_other_and_end_as_it_ends(vae):
    tune = piece_to_chain(Piece.from_notes([*TUNE, *later(TUNE, 32)], key="G major"))[0]
    for distance in (0.1, 0.5):
        made = vary_tune(vae, tune, 12, distance, torch.Generator().manual_seed(0))
        assert len({one.tokens.tobytes() for one in [tune, *made]}) == len(made) + 1
        assert all(one.tokens[-8:].tolist() == tune.tokens[-8:].tolist() for one in made)
    assert len(made) == 12
    assert vary_tune(vae, tune, 3, 0.0, torch.Generator().manual_seed(0)) == []


def test_a_path_between_tunes_starts_and_ends_with_them_in_one_key(vae):
    first = piece_to_chain(Piece.from_notes([*TUNE, *later(TUNE, 32), *later(TUNE, 64)], key="G major"))[0]
    second = piece_to_chain(Piece.from_notes([*OTHER, *later(END, -64)], key="D major"))[0]
    path = path_between_tunes(vae, first, second, 5)
    assert [len(one.windows) for one in path] == [2] * 5
    assert np.array_equal(path[0].windows, first.windows[[0, 2]])
    assert np.array_equal(path[-1].windows, second.windows)
    assert {(one.shift - first.shift) % 12 for one in path} == {0}
    assert path[0].shift == first.shift != second.shift
    assert abs(path[-1].shift - second.shift) <= 6  # in the octave that it came in
    assert [one.windows[-1, -8] for one in path] == [first.windows[-1, -8]] * 3 + [second.windows[-1, -8]] * 2


def test_vary_writes_n_complete_pieces_the_same_for_the_same_seed(tmp_path):
    tune = Piece.from_notes(
        [(0, 4, 62), *later(TUNE, 4), *later(OTHER, 36)], pickup_steps=4, tempo_qpm=90, key="G major"
    )
    write_midi(tune, tmp_path / "a.mid")
    arguments = ("vary", tmp_path / "a.mid", "--n", 5, "--distance", 0.4, "--seed", 1, "--expression", "none", "--out")
    reports = [run(*arguments, tmp_path / name) for name in "xy"]
    assert reports[0]["validity"] == 1.0
    assert len(reports[0]["pieces"]) == 5
    assert all(0 <= row["notes_kept"] <= 1 for row in reports[0]["pieces"])
    assert any("pickup of 4 sixteenths" in line for line in reports[0]["read"])
    x, y = ([p.read_bytes() for p in sorted((tmp_path / name).iterdir())] for name in "xy")
    assert x == y
    assert len(set(x)) == 5
    made = read_midi(sorted((tmp_path / "x").iterdir())[0])[0]
    assert (made.metre, made.key, round(made.tempo_qpm)) == ("4/4", "G major", 90)
    assert made.title == "a, variation 1"
    assert made.n_steps / made.steps_per_beat == tune.n_steps / 4
    assert (made.n_steps / made.steps_per_beat) % 4 in (0, 1)


def test_a_variation_becomes_a_score_with_a_title_a_key_and_a_final_bar_line(files, tmp_path):
    run("vary", files[0], "--n", 1, "--expression", "none", "--out", tmp_path / "v")
    convert_file(tmp_path / "v/a_variation_001.mid", "musicxml", tmp_path / "v.musicxml")
    text = (tmp_path / "v.musicxml").read_text(encoding="utf-8")
    assert "a, variation 1" in text
    assert "<fifths>0</fifths>" in text  # TUNE ends on A and holds neither F nor F sharp
    assert "light-heavy" in text


def test_vary_tells_of_fewer_variations_than_were_asked_for_and_refuses_none(files, tmp_path, monkeypatch):
    report = run("vary", files[0], "--n", 400, "--distance", 0.2, "--out", tmp_path / "few")
    n = len(report["pieces"])
    assert 0 < n < 400
    assert f"at distance 0.2 only {n} different variations were found" in report["read"]
    for distance, said in (("0", "new; choose a larger one"), ("10", "that can be sung; choose a smaller one")):
        if distance == "10":
            monkeypatch.setattr("musegen_lib.cli.vary.vary_tune", lambda *_: [])
        args = ["vary", str(files[0]), "--distance", distance, "--out", str(tmp_path / "none")]
        result = CliRunner().invoke(app, args)
        assert isinstance(result.exception, MusegenError)
        assert f"at distance {distance} the net writes nothing {said}, 0.2 to 1" in str(result.exception)
    assert not (tmp_path / "none").exists()


def test_what_is_told_of_a_file_is_told_once_where_it_is_given_twice(files, tmp_path):
    write_midi(Piece.from_notes(TUNE, metre="3/4"), files[0])
    report = run("interpolate", files[0], files[0], "--steps", 2, "--out", tmp_path / "way")
    assert sum("metre 3/4" in line for line in report["read"]) == 1


def test_interpolate_writes_the_path_and_says_what_it_did_to_its_ends(files, tmp_path):
    write_midi(Piece.from_notes([*OTHER, *later(TUNE, 32)]), files[1])
    report = run("interpolate", *files, "--steps", 4, "--out", tmp_path / "way")
    assert report["validity"] == 1.0
    assert sorted(p.name for p in (tmp_path / "way").iterdir()) == [f"a_to_b_{i:03d}.mid" for i in range(1, 5)]
    told = " ".join(report["read"])
    assert "the beginning and the last two bars are taken: 32 sixteenths" in told
    assert "b: moved by +" in told or "b: moved by -" in told
    write_midi(Piece.from_notes(OTHER, metre="3/4"), files[1])
    result = CliRunner().invoke(app, ["interpolate", *map(str, files), "--out", str(tmp_path / "none")])
    assert "a.mid is in 4/4, b.mid in 3/4: their bars do not fit together" in str(result.exception)


def test_foreign_files_are_refused_in_one_line(tmp_path):
    write_midi(Piece.from_notes([(4000, 4, 60)]), tmp_path / "late.mid")
    result = CliRunner().invoke(app, ["vary", str(tmp_path / "late.mid"), "--out", str(tmp_path / "v")])
    assert isinstance(result.exception, MusegenError)
    assert "no melody in its first 64 bars" in str(result.exception)
