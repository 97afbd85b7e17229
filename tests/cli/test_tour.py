"""The first page, from the corpus and the shipped weights."""

import re

import pytest

from musegen_lib.cli import tour
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import plain
from musegen_lib.corpus import find_piece
from musegen_lib.encodings.melody_events import is_playable
from musegen_lib.formats.midi.reader import read_midi


def test_the_page_shows_a_real_and_a_made_piece_with_what_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(tour, "REAL", tour.REAL[1:2])
    monkeypatch.setattr(tour, "WISHES", tour.WISHES[1:2])
    monkeypatch.setattr(tour, "TUNES_DRAWN", 3)
    text = tour.make_tour(tmp_path / "out").read_text()
    real, made = sorted((tmp_path / "out").glob("*.mid"))
    assert plain(read_midi(real)[0]) == find_piece("han1.abc#516").excerpt(8)
    assert is_playable(read_midi(made)[0])
    assert "3 of the 3 tunes drawn" in text
    assert re.search(
        r"Longest run of notes also found in a training tune: \d+ of \d+ \(real tunes it never saw: 8,", text
    )
    assert "first 8 bars" in text


def test_a_sound_font_that_is_none_is_told_of_before_the_work(tmp_path):
    (tmp_path / "a.sf2").write_bytes(b"RIFF, but no more")
    with pytest.raises(MusegenError, match=r"a\.sf2: not a SoundFont 2 file"):
        tour.make_tour(tmp_path / "out", soundfont=tmp_path / "a.sf2")
    assert not (tmp_path / "out").exists()


def test_every_piece_of_the_page_is_in_the_corpus():
    assert [find_piece(name).source for _, name, _ in tour.REAL] == [name for _, name, _ in tour.REAL]
