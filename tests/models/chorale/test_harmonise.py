"""Three voices below a melody: the melody stays, the command writes a file, a bad melody is one line."""

import json
import subprocess
import sys

import pytest

from musegen_lib.cli.main import main
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import find_piece
from musegen_lib.formats.midi.reader import read_midi, write_midi
from musegen_lib.metrics.voices import voice_rules
from musegen_lib.models.chorale.faults import keep_best
from musegen_lib.models.chorale.harmonise import harmonise, in_quarters, melody_for_soprano
from musegen_lib.models.facts import facts_of, is_playable_chorale
from musegen_lib.models.registry import RECIPES

MELODY = Piece.from_notes([(0, 4, 67), (4, 4, 69), (8, 4, 71), (12, 4, 72), (16, 8, 69), (24, 8, 67)], key="G major")


@pytest.mark.parametrize("method", ["gibbs", "ancestral"])
def test_the_melody_stays_and_three_voices_join_it(method):
    made = harmonise(MELODY, seed=1, method=method)[0]
    soprano = made.notes[made.notes["voice"] == 0]
    assert soprano[["onset_steps", "duration_steps", "pitch"]].tolist() == (
        MELODY.notes[["onset_steps", "duration_steps", "pitch"]].tolist()
    )
    assert {0, 1, 2, 3} == set(made.notes["voice"].tolist())
    assert made == harmonise(MELODY, seed=1, method=method)[0]
    assert made != harmonise(MELODY, seed=2, method=method)[0]


@pytest.mark.parametrize(("metre", "by"), [("4/2", 2), ("3/1", 4), ("3/2", 2)])
def test_a_tune_in_halves_is_harmonised_as_the_same_tune_in_quarters(metre, by):
    notes = MELODY.notes.copy()
    for name in ("onset_steps", "duration_steps"):
        notes[name] *= by
    count = metre.partition("/")[0]
    small = harmonise(MELODY.replace(metre=f"{count}/4"), seed=1)[0]
    large = harmonise(MELODY.replace(notes=notes, metre=metre), seed=1, ends=stretched_ends(small, by))[0]
    assert large.metre == metre
    assert large.fermatas == tuple(by * step for step in small.fermatas)
    for name in ("onset_steps", "duration_steps"):
        assert large.notes[name].tolist() == (by * small.notes[name]).tolist()
    assert large.notes["pitch"].tolist() == small.notes["pitch"].tolist()


def stretched_ends(piece, by):
    """Phrase ends of a harmonised piece, from its fermatas, all times multiplied."""
    soprano = piece.notes[piece.notes["voice"] == 0]
    sung = zip(soprano["onset_steps"].tolist(), soprano["duration_steps"].tolist())
    return tuple((by * onset, by * (onset + length)) for onset, length in sung if onset in piece.fermatas)


def test_halves_with_notes_too_short_to_divide_stay_as_they_are():
    notes = MELODY.notes.copy()
    notes["onset_steps"][1], notes["duration_steps"][0] = 5, 5
    melody = melody_for_soprano(MELODY.replace(notes=notes))
    assert in_quarters(melody, "4/2") == (melody, 1)
    assert in_quarters(melody, None) == (melody, 1)


@pytest.mark.parametrize("octaves", [-2, -1, 1, 2])
def test_a_melody_elsewhere_is_moved_by_octaves(octaves):
    assert (
        melody_for_soprano(MELODY.transpose(12 * octaves)).tokens.tolist() == melody_for_soprano(MELODY).tokens.tolist()
    )


@pytest.mark.parametrize(
    ("piece", "fault"),
    [
        (Piece.from_notes([]), "holds no notes"),
        (
            Piece.from_notes([(0, 4, 20), (4, 4, 100)]),
            "cannot be a soprano: it spans 80 semitones, the net's pitches 51",
        ),
        (Piece.from_notes([(0, 5000, 60)]), "5000 steps; at most 4000"),
        (MELODY.replace(steps_per_beat=3), "3 steps a beat"),
    ],
)
def test_a_melody_that_cannot_be_a_soprano_is_refused_in_one_line(piece, fault):
    with pytest.raises(MusegenError, match=fault):
        harmonise(piece)


def test_an_unknown_method_names_those_there_are():
    with pytest.raises(MusegenError, match="use gibbs or ancestral"):
        harmonise(MELODY, method="magic")


def test_a_chinese_song_gets_a_harmony_of_mostly_chords():
    song = find_piece("han1.abc#516").excerpt(8)
    made = [harmonise(song, seed, draws=8)[0] for seed in range(3)]
    assert voice_rules(made)["triads and sevenths"].mean > 70


def test_of_several_harmonies_the_one_with_the_fewest_faults_is_kept():
    song = find_piece("han1.abc#516").excerpt(8)
    best, drawn = harmonise(song, seed=2, n=2, draws=4), harmonise(song, seed=2, n=8)
    assert best == keep_best(drawn, 4)
    assert best != [drawn[0], drawn[4]]


def test_the_command_writes_the_file_and_says_what_it_made(tmp_path, monkeypatch, capsys):
    write_midi(MELODY, tmp_path / "in.mid")
    monkeypatch.setattr(
        sys, "argv", ["musegen", "harmonise", str(tmp_path / "in.mid"), "--out", str(tmp_path / "out.mid"), "--json"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    said = json.loads(capsys.readouterr().out)
    piece, _ = read_midi(tmp_path / "out.mid")
    assert (ended.value.code, piece.n_voices, len(piece)) == (0, 4, said["notes"])


def test_shipped_chorales_are_playable_and_a_piece_that_is_not_is_found_out():
    made = RECIPES["rnn-chorales"].generate(6, seed=0, bars=4)
    assert all(facts_of(piece)["playable"] for piece in made)
    assert len({piece.key for piece in made}) == 6
    assert not is_playable_chorale(made[0].voice(0))
    assert not is_playable_chorale(made[0].excerpt(2).replace(steps_per_beat=8))


@pytest.mark.parametrize(("metre", "bars"), [("2/4", 9), ("5/4", 2), ("4/4", 40)])
def test_a_harmony_in_whole_bars_of_its_metre_is_playable(metre, bars):
    n_steps = bars * int(metre[0]) * 4
    chord = [(0, 4, 60), (0, 4, 64), (0, 4, 67), (0, 4, 72)]
    rows = [(on, length, pitch, 80, 3 - i) for on in range(0, n_steps, 4) for i, (_, length, pitch) in enumerate(chord)]
    assert is_playable_chorale(Piece.from_notes(rows, metre=metre))
    assert not is_playable_chorale(Piece.from_notes(rows[:-4], metre=metre))


def test_an_unknown_wish_names_those_there_are():
    with pytest.raises(MusegenError, match="style: chorales are asked for metre, key, bars, temperature"):
        RECIPES["rnn-chorales"].generate(1, seed=0, style="irish")


def test_a_mode_that_chorales_lack_is_refused_not_replaced():
    with pytest.raises(MusegenError, match="key 'A yu': chorales are written in major, minor, dorian, mixolydian"):
        RECIPES["rnn-chorales"].generate(1, seed=0, key="A yu")


def test_the_command_perform_plays_on(tmp_path):
    write_midi(MELODY, tmp_path / "in.mid")
    words = ["perform", str(tmp_path / "in.mid"), "--out", str(tmp_path / "out.mid"), "--bars", "2", "--json"]
    found = subprocess.run([sys.executable, "-m", "musegen_lib", *words], capture_output=True, text=True, check=True)
    said = json.loads(found.stdout)
    piece, _ = read_midi(tmp_path / "out.mid")
    assert said["p99_ms"] > 0
    assert piece.seconds == pytest.approx(said["seconds"], abs=0.1)
