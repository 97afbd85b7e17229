"""Reading any file: by its ending, for notation, for models."""

from __future__ import annotations

import os

import pytest

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.files import check_files, read_for_model, read_piece
from musegen_lib.formats.midi.reader import write_midi


def test_check_gives_a_verdict_for_each_file_and_never_dies(tmp_path):
    write_midi(Piece.from_notes([(0, 4, 60)]), tmp_path / "good.mid")
    (tmp_path / "rubbish.mid").write_bytes(bytes(range(256)))
    (tmp_path / "folder.mid").mkdir()
    os.mkfifo(tmp_path / "pipe.mid")
    names = ["good.mid", "rubbish.mid", "folder.mid", "pipe.mid", "missing.mid", "x" * 300 + ".mid", "a\0b.mid"]
    verdicts = check_files([tmp_path / name for name in names])
    assert [ok for _, ok, _ in verdicts] == [True] + [False] * 6
    assert [path for path, _, _ in verdicts] == [str(tmp_path / name) for name in names]
    assert verdicts[0][2].endswith("; read completely")
    assert "not a MIDI file" in verdicts[1][2]
    assert all("not a file" in message for _, _, message in verdicts[2:5])
    assert not any("\n" in message for _, _, message in verdicts)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    write_midi(Piece.from_notes([(0, 4, 60)]), tmp_path / "a.mid")
    (tmp_path / "a.mid").chmod(0)
    assert "cannot be read" in check_files([tmp_path / "a.mid"])[0][2]


def test_models_get_sixteenths_without_percussion_and_are_told_what_was_done(tmp_path):
    band = Piece.from_notes(
        [(0, 4, 36, 90, 0), (0, 4, 60, 90, 1), (4, 4, 62, 90, 1), (8, 2, 64, 90, 1)],
        programs=(DRUMS, 40),
        steps_per_beat=8,
        metre_changes=((8, "3/4"),),
    )
    write_midi(band, tmp_path / "band.mid")
    piece, lines = read_for_model(tmp_path / "band.mid")
    assert [note[:3] for note in piece.notes.tolist()] == [(0, 2, 60), (2, 2, 62), (4, 1, 64)]
    assert lines == [
        "band.mid: notes of percussion left out: 1",
        "band.mid: the metre changes; models count bars of 4/4, the first, throughout",
    ]
    assert read_piece(tmp_path / "band.mid")[0] == band


def test_a_file_of_percussion_alone_is_no_melody(tmp_path):
    write_midi(Piece.from_notes([(0, 4, 42)], programs=(DRUMS,)), tmp_path / "hat.mid")
    with pytest.raises(MusegenError, match=r"^hat\.mid: holds percussion only \(1 notes\); give a file with a melody"):
        read_for_model(tmp_path / "hat.mid")


def test_an_unknown_ending_and_a_folder_are_named(tmp_path):
    with pytest.raises(
        MusegenError, match=r"^a\.doc: the ending \.doc is unknown; give a file that ends in one of \.mid"
    ):
        read_piece(tmp_path / "a.doc")
    with pytest.raises(MusegenError, match="a folder; give a file"):
        read_piece(tmp_path)
