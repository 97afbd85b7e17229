"""What is read must be shown and written in time: bars and pages are bounded in every reader."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_battery import CASES

from musegen_lib.cli.convert import convert_file
from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.core.limits import MAX_BARS, MAX_WRITTEN, refuse_endless, refuse_long_page
from musegen_lib.core.piece import Piece
from musegen_lib.display.score import engrave
from musegen_lib.formats.abc.reader import parse_abc, piece_to_abc, tune_to_piece
from musegen_lib.formats.files import check_files
from musegen_lib.formats.midi.reader import parse_midi, write_midi
from musegen_lib.formats.musicxml.reader import musicxml_to_piece

BOMB = CASES["57 million bars"].data
SCORE = (
    '<score-partwise><part-list/><part id="P1"><measure><attributes><divisions>1</divisions><time><beats>1</beats>'
    "<beat-type>{}</beat-type></time></attributes><note><pitch><step>C</step><octave>4</octave>"
    "</pitch><duration>90000</duration></note></measure></part>"
    "</score-partwise>"
)


def test_a_tiny_file_with_57_million_bars_is_refused_at_once(tmp_path):
    """Before there was this bound, naming the piece took 150 s and 4 GB, and writing it down did not end."""
    assert len(BOMB) < 100
    (tmp_path / "bomb.mid").write_bytes(BOMB)
    started = time.process_time()
    [(_, ok, message)] = check_files([tmp_path / "bomb.mid"])
    assert not ok
    assert message.endswith("has 57,000,001 bars of 1/64, more than 50,000; correct the metre or split it")
    assert time.process_time() - started < 2


def test_abc_and_musicxml_have_the_same_bound(tmp_path):
    [tune] = parse_abc("X:1\nM:1/64\nL:1/1\nK:C\n" + "z9999|" * 2 + "C|", "x.abc")
    with pytest.raises(MusegenError, match=r"^x\.abc, line 1: tune X:1: has 1,279,936 bars of 1/64, more than 50,000"):
        tune_to_piece(tune)
    (tmp_path / "x.xml").write_text(SCORE.format(64))
    with pytest.raises(MusegenError, match=r"^x\.xml: has 1,440,000 bars of 1/64, more than 50,000"):
        musicxml_to_piece(tmp_path / "x.xml")
    (tmp_path / "x.xml").write_text(SCORE.format(1))
    assert musicxml_to_piece(tmp_path / "x.xml")[0].metre == "1/1"


@pytest.mark.parametrize("metre", ["4/4", None, "1/64"])
def test_the_bound_on_bars_is_exact_and_holds_without_a_metre_and_on_a_grid_too_coarse_for_it(metre):
    beats = MAX_BARS // 16 if metre == "1/64" else 4 * MAX_BARS
    refuse_endless(Piece.from_notes([(beats - 1, 1, 60)], metre=metre, steps_per_beat=1))
    with pytest.raises(MusegenError, match=rf"has 50,0\d\d bars of {metre or '4/4'}, more than 50,000"):
        refuse_endless(Piece.from_notes([(beats, 1, 60)], metre=metre, steps_per_beat=1))


def test_bars_of_every_metre_count():
    changes = ((4, "1/64"), (8, "4/4"))
    with pytest.raises(MusegenError, match=r"has 50,065 bars of 4/4, 1/64, more than 50,000"):
        refuse_endless(Piece.from_notes([(4 * 49_999 + 8, 4, 60)], metre_changes=changes, steps_per_beat=1))


def test_a_piece_that_is_written_is_not_too_long_to_be_read():
    long = Piece.from_notes([(0, 1, 60), (MAX_BARS - 1, 1, 60)], metre="1/4", steps_per_beat=1, tempo_qpm=9000.0)
    with pytest.raises(MusegenError, match="more than 50,000"):
        parse_midi(BOMB, "bomb")
    longer = long.replace(notes=Piece.from_notes([(MAX_BARS, 1, 60)]).notes)
    assert long.n_bars == MAX_BARS
    with pytest.raises(MusegenError, match="has 50,001 bars of 1/4"):
        write_midi(longer, "never.mid")


def test_a_page_counts_notes_bars_of_every_voice_and_notes_over_bar_lines():
    page = Piece.from_notes([(16 * n, 16, 60, 80, 0) for n in range(MAX_WRITTEN // 4)])
    refuse_long_page(page, "abc")  # a note, its bar and the line it reaches: three times 5,000
    with pytest.raises(MusegenError, match=r"has 20,007 notes and bars to write as abc, more than 20,000; cut out"):
        refuse_long_page(Piece.from_notes([(16 * n, 16, 60) for n in range(6_669)]), "abc")
    held = Piece.from_notes([(0, 16 * 160, pitch) for pitch in range(128)])
    with pytest.raises(MusegenError, match="has 20,768 notes and bars"):
        refuse_long_page(held, "png")
    voices = Piece.from_notes([(16 * 99, 1, 60, 80, 255)])
    with pytest.raises(MusegenError, match="has 25,601 notes and bars"):
        refuse_long_page(voices, "musicxml")


@pytest.mark.parametrize("to", ["abc", "musicxml", "png", "svg"])
def test_a_long_file_is_not_begun_to_be_written_down(tmp_path, to):
    crowd = Piece.from_notes([(n // 128, 1, n % 128) for n in range(20_000)])
    write_midi(crowd, tmp_path / "crowd.mid")
    with pytest.raises(MusegenError, match=r"^crowd\.mid: .*has 21,260 notes and bars to write as"):
        convert_file(tmp_path / "crowd.mid", to, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_long_piece_has_its_first_bars_engraved():
    long = Piece.from_notes([(16 * n, 16, 60) for n in range(MAX_WRITTEN)])
    assert "its first 64 bars" in engrave(long)


@settings(derandomize=True, deadline=None, database=None)
@given(
    st.integers(0, 90), st.integers(0, 40), st.sampled_from(["4/4", "3/8", "1/64", "7/16", None]), st.integers(1, 12)
)
def test_bars_are_counted_as_they_would_be_written_out(length, pickup, metre, grid):
    notes = [(0, length, 60)] if length else []
    piece = Piece.from_notes(notes, metre=metre, pickup_steps=pickup, steps_per_beat=grid)
    assert piece.n_bars == len(piece.bar_onsets)


def test_many_bars_and_notes_are_written_as_abc_in_a_moment():
    piece = Piece.from_notes([(n, 1, 60 + n % 2) for n in range(16_000)])
    started = time.process_time()
    [tune] = parse_abc(piece_to_abc(piece))
    assert np.array_equal(tune_to_piece(tune)[0].notes, piece.notes)
    assert time.process_time() - started < 12  # bar lines are looked up, not searched for each note


def test_a_strangers_text_in_a_message_is_one_short_line():
    assert shorten("a\n\tb\x00\ud800") == "a b??"
    assert shorten("x" * 999) == "x" * 157 + "..."
