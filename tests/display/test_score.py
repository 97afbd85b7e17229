"""Engraving: the same picture each time, every note on it, nothing from outside."""

import re

import pytest

from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.display.score import MARK_COLOUR, engrave, score

JIG = Piece.from_notes(
    [(0, 2, 67), (2, 2, 72), (4, 2, 74), (6, 2, 76), (8, 6, 72), (14, 12, 67)],
    metre="6/8",
    key="C major",
    pickup_steps=2,
    title="Jig <b>",
)


def noteheads(svg):
    return len(re.findall(r'class="notehead"', svg))


def coloured_heads(svg):
    """Note heads inside a note element that has the colour of marks."""
    notes = re.split(r'<g [^>]*class="note"', svg)[1:]
    return sum(MARK_COLOUR in note[: note.index(">")] for note in notes)


def test_the_same_piece_gives_the_same_svg():
    assert engrave(JIG) == engrave(JIG)


def test_every_note_has_a_head():
    assert noteheads(engrave(JIG)) == len(JIG)


def test_a_note_tied_over_a_bar_line_has_two_heads():
    tied = Piece.from_notes([(0, 12, 60), (12, 8, 62), (20, 12, 64)], metre="4/4")
    assert noteheads(engrave(tied)) == 4


def test_four_voices_stand_on_four_staves():
    chord = Piece.from_notes([(0, 16, pitch, 80, voice) for voice, pitch in enumerate((72, 67, 60, 48))])
    assert len(re.findall(r'class="staff"', engrave(chord))) == 4


def test_a_pickup_is_a_short_first_bar():
    assert len(re.findall(r'class="measure"', engrave(JIG))) == 3


def test_nothing_is_loaded_from_elsewhere_and_no_title_breaks_the_markup():
    svg = engrave(JIG)
    links = {link for link in re.findall(r'https?://[^"\s<]+', svg) if not link.startswith("http://www.w3.org/")}
    assert links == set()
    assert "Jig <b>" not in svg
    assert 'role="img" aria-label="Score of Piece(&#x27;Jig &lt;b&gt;&#x27;' in svg


def test_labels_of_instruments_and_tempo_are_left_out():
    assert not re.search(r">(Voice|Pno|Piano)\b|=100<", engrave(JIG))


def test_marked_notes_and_no_others_are_coloured():
    assert coloured_heads(engrave(JIG, marked=[1, 4])) == 2
    assert MARK_COLOUR not in engrave(JIG)


def test_of_two_voices_in_unison_only_the_marked_one_is_coloured():
    unison = Piece.from_notes([(0, 4, 60), (0, 4, 60, 80, 1), (4, 4, 62)])
    assert coloured_heads(engrave(unison, marked=[1])) == 1


def test_what_is_tied_to_a_marked_note_is_coloured_with_it():
    tied = Piece.from_notes([(0, 12, 60), (12, 8, 62), (20, 12, 60)])
    assert coloured_heads(engrave(tied, marked=[1])) == 2


def test_notes_off_the_quarter_grid_are_found_too():
    triplets = Piece.from_notes([(4 * i, 4, 60 + i) for i in range(12)], steps_per_beat=12)
    assert coloured_heads(engrave(triplets, marked=[1, 2, 5])) == 3


def test_several_staves_are_joined_by_a_bracket():
    assert 'class="grpSym"' in engrave(Piece.from_notes([(0, 16, 72), (0, 16, 60, 80, 1)]))
    assert 'class="grpSym"' not in engrave(JIG)


def test_only_the_last_bar_line_is_double():
    strokes = [line[: line.index("</g>")].count("<path") for line in engrave(JIG).split('class="barLine"')[1:]]
    assert strokes == [1, 1, 2]


def test_two_scores_on_one_page_share_no_id():
    ids = [set(re.findall(r'\bid="([^"]+)"', engrave(piece))) for piece in (JIG, JIG.transpose(2))]
    assert not ids[0] & ids[1]


def test_a_long_piece_is_cut_to_a_page():
    long = Piece.from_notes([(16 * i, 16, 60 + i % 5) for i in range(80)])
    svg = engrave(long, marked=[79])
    assert noteheads(svg) == 64
    assert "its first 64 bars" in svg


@pytest.mark.parametrize("piece", [Piece.from_notes([]), Piece.from_notes([(0, 4, 60)], metre=None)])
def test_a_piece_without_notes_or_metre_is_engraved_too(piece):
    assert engrave(piece).startswith("<svg")


def test_a_score_shows_itself_as_svg_and_in_words():
    bundle = score(JIG)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml"}
    assert "6 notes" in bundle["text/plain"]


def test_a_fermata_is_drawn_over_each_staff():
    rows = [(4 * beat, 4, pitch, 80, voice) for beat in range(4) for voice, pitch in enumerate((72, 60))]
    assert engrave(Piece.from_notes(rows, fermatas=(12,))).count('class="fermata"') == 2
    assert 'class="fermata"' not in engrave(JIG)


def strokes(svg):
    """How many lines each bar line consists of."""
    return [line[: line.index("</g>")].count("<path") for line in svg.split('class="barLine"')[1:]]


def test_the_bar_line_at_the_end_is_double_only_where_the_music_ends():
    assert strokes(engrave(JIG.excerpt(2))) == [1, 1]
    assert strokes(engrave(JIG.excerpt(2).transpose(1).voice(0))) == [1, 1]
    assert strokes(engrave(JIG.excerpt(2, first_bar=1))) == [1, 2]


def test_drums_stand_on_a_staff_of_percussion_with_crosses_for_hi_hats():
    svg = engrave(Piece.from_notes([(0, 4, 42), (4, 4, 38)], programs=(DRUMS,)))
    assert {"E069", "E0A9"} <= set(re.findall(r"(E\w{3})-", svg))  # the glyphs of the clef and of the cross
