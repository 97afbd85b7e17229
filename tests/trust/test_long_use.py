"""Nothing stays open and nothing piles up; `make fuzz` does the same with 2,000 pieces and 500 players."""

import sys

import pytest
from long_use import GROWTH, megabytes, open_files

from musegen_lib.core.piece import Piece
from musegen_lib.display.sound import player
from musegen_lib.formats.abc.reader import parse_abc, piece_to_abc
from musegen_lib.formats.midi.reader import read_midi, write_midi

PROC = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts in /proc")


def use(folder, turns):
    """Write, read and play some music; memory after each quarter."""
    sizes = []
    for turn in range(turns):
        piece = Piece.from_notes([(n, 2, 48 + (5 * n + turn) % 30) for n in range(32)], tempo_qpm=240.0)
        write_midi(piece, folder / "tune.mid")
        assert read_midi(folder / "tune.mid")[0] == piece
        parse_abc(piece_to_abc(piece.replace(notes=piece.notes[::2])))
        player(piece, "a scale", seconds=2)
        if (turn + 1) % (turns // 4) == 0:
            sizes.append(megabytes())
    return sizes


@PROC
def test_music_leaves_no_file_open_and_memory_flat(tmp_path):
    before = open_files()
    sizes = use(tmp_path, 20)
    assert open_files() <= before
    assert max(sizes[1:]) < GROWTH * sizes[0]


@PROC
def test_an_open_file_is_seen(tmp_path):
    before = open_files()
    with open(tmp_path / "left", "w"):
        assert open_files() - before == {str(tmp_path / "left")}
    assert open_files() <= before
