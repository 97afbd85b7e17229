"""The page: self-contained, complete, and never half-written."""

import re

import pytest

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import expressive
from musegen_lib.core.piece import Piece
from musegen_lib.display import gallery
from musegen_lib.display.gallery import GalleryItem, slug, write_gallery
from musegen_lib.formats.midi.reader import read_midi

TUNE = Piece.from_notes([(0, 4, 60), (4, 4, 64), (8, 8, 67)], title="Tune", key="C major")
ITEMS = [GalleryItem(TUNE, "A & B", "Written <by hand>.", {"key fit": "100 %"}), GalleryItem(TUNE, "Second", "Again.")]


@pytest.fixture
def page(tmp_path):
    return write_gallery(ITEMS, tmp_path / "out", title="Title", intro="Hello.")


def test_each_item_has_its_picture_score_player_facts_and_file(page):
    text = page.read_text()
    assert text.count("<article") == text.count("<audio") == len(ITEMS)
    assert text.count('role="img"') == 2 * len(ITEMS)
    assert "<dt>key fit</dt><dd>100 %</dd>" in text


def test_the_midi_files_read_back_as_the_pieces_played(page, tmp_path):
    links = re.findall(r'href="([^"#]+\.mid)" download', page.read_text())
    assert links == ["01-a-b.mid", "02-second.mid"]
    assert all(read_midi(page.parent / link)[0] == expressive(TUNE) for link in links)
    bare = write_gallery(ITEMS[:1], tmp_path / "bare", title="Title", intro="Hello.", expression=False)
    assert read_midi(bare.parent / links[0])[0] == TUNE


def test_nothing_is_loaded_from_elsewhere(page):
    text = page.read_text()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    assert "<script" not in text
    assert "autoplay" not in text


def test_words_of_the_items_cannot_break_the_page(page):
    assert "A &amp; B" in page.read_text()
    assert "Written &lt;by hand&gt;." in page.read_text()


def test_a_failure_leaves_the_older_page_and_foreign_files_alone(page, monkeypatch):
    (page.parent / "mine.txt").write_text("keep")
    before = {file.name: file.read_bytes() for file in page.parent.iterdir()}
    monkeypatch.setattr(gallery, "engrave", lambda piece: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_gallery(ITEMS, page.parent, title="New", intro="New")
    assert {file.name: file.read_bytes() for file in page.parent.iterdir()} == before


def test_an_empty_gallery_is_refused(tmp_path):
    with pytest.raises(MusegenError, match="no pieces"):
        write_gallery([], tmp_path, title="", intro="")


def test_a_heading_of_signs_alone_still_names_a_file():
    assert slug("***") == "piece"
