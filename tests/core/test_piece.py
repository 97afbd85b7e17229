import copy
import xml.etree.ElementTree as ElementTree
from dataclasses import FrozenInstanceError
from fractions import Fraction

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.note_table import NOTE_DTYPE, clip_overlaps
from musegen_lib.core.piano_roll_svg import piece_to_svg
from musegen_lib.core.piece import DRUMS, Piece

QUICK = settings(derandomize=True, deadline=None, database=None, max_examples=80)


def rows(piece):
    return [row[:3] for row in piece.notes.tolist()]


@pytest.fixture
def upbeat():
    """A pickup of one beat, then two bars of 4/4; the E is tied over the bar line at step 20."""
    notes = [(0, 4, 60), (4, 14, 62), (18, 6, 64), (24, 12, 65)]
    return Piece.from_notes(notes, pickup_steps=4, key="C major", title="upbeat")


# What a piece holds


def test_notes_are_kept_by_onset_then_voice_then_pitch():
    piece = Piece.from_notes([(4, 1, 60), (0, 1, 72, 80, 0), (0, 1, 50, 80, 1), (0, 1, 64, 80, 0)])
    assert [(n[0], n[4], n[2]) for n in piece.notes.tolist()] == [(0, 0, 64), (0, 0, 72), (0, 1, 50), (4, 0, 60)]


def test_notes_are_a_read_only_copy():
    table = np.array([(0, 4, 60, 80, 0)], dtype=NOTE_DTYPE)
    piece = Piece(table)
    table["pitch"] = 61
    assert rows(piece) == [(0, 4, 60)]
    with pytest.raises(ValueError, match="read-only"):
        piece.notes["pitch"] = 61
    with pytest.raises(FrozenInstanceError):
        piece.title = "other"


def test_a_row_without_velocity_and_voice_gets_80_and_0():
    assert Piece.from_notes([(0, 4, 60)]).notes.tolist() == [(0, 4, 60, 80, 0)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((0, 4, 128), "pitch 128.*pitch must lie in 0-127"),
        ((0, 4, -1), "pitch -1.*pitch must lie in 0-127"),
        ((0, 4, 60, 0), "velocity 0, voice 0.*velocity in 1-127"),
        ((0, 4, 60, 128), "velocity 128.*velocity in 1-127"),
        ((0, 4, 60, 80, 256), "voice 256.*voice in 0-255"),
        ((-1, 4, 60), r"note \(-1, 4, 60, 80, 0\).*onset must be at least 0"),
        ((0, 0, 60), r"note \(0, 0, 60, 80, 0\).*duration at least 1"),
    ],
)
def test_a_note_out_of_range_is_named(row, message):
    with pytest.raises(ValueError, match=message):
        Piece.from_notes([(8, 1, 70), row])


def test_a_voice_cannot_strike_a_pitch_it_is_sounding_but_another_voice_can():
    with pytest.raises(ValueError, match=r"note \(3, 2, 60, 80, 0\) strikes a pitch that its voice is still sounding"):
        Piece.from_notes([(0, 4, 60), (3, 2, 60)])
    assert len(Piece.from_notes([(0, 4, 60), (4, 2, 60), (3, 2, 60, 80, 1), (3, 2, 61)])) == 4


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"steps_per_beat": 0}, "steps_per_beat 0"),
        ({"pickup_steps": -1}, "pickup_steps -1"),
        ({"tempo_qpm": 0.0}, "tempo_qpm 0.0"),
        ({"tempo_qpm": float("nan")}, "tempo_qpm nan"),
        ({"programs": (0, 129)}, r"programs \(0, 129\) must lie in 0-127, or be 128"),
        ({"metre": "waltz"}, "metre 'waltz' is not of the form '4/4'"),
        ({"metre": "0/4"}, "metre '0/4' is not of the form"),
        ({"metre": "4/5"}, "metre '4/5': the lower number must be a power of two"),
    ],
)
def test_a_wrong_label_is_named(field, message):
    with pytest.raises(ValueError, match=message):
        Piece.from_notes([(0, 4, 60)], **field)


def test_replace_checks_like_a_new_piece(upbeat):
    assert upbeat.replace(title="new").title == "new"
    assert rows(upbeat.replace(title="new")) == rows(upbeat)
    with pytest.raises(ValueError, match="metre '4'"):
        upbeat.replace(metre="4")


def test_pieces_are_equal_if_notes_and_every_label_are():
    piece = Piece.from_notes([(0, 4, 60), (4, 4, 62)], title="a")
    assert piece == Piece.from_notes([(4, 4, 62), (0, 4, 60)], title="a")
    assert piece == copy.deepcopy(piece)
    others = [piece.replace(title="b"), piece.replace(tempo_qpm=90.0), piece.transpose(1), piece.excerpt(0)]
    assert all(piece != other for other in others)
    assert piece != "a"
    with pytest.raises(TypeError, match="unhashable"):
        hash(piece)


# Measures


@pytest.mark.parametrize(
    ("metre", "beats"), [("4/4", 4), ("2/2", 4), ("6/8", 3), ("3/16", Fraction(3, 4)), ("7/8", Fraction(7, 2))]
)
def test_a_bar_is_measured_in_quarter_notes(metre, beats):
    assert metre_to_beats(metre) == beats


def test_a_bar_that_the_grid_cannot_hold_has_no_length_in_steps():
    assert Piece.from_notes([(0, 4, 60)], metre="3/16", steps_per_beat=2).steps_per_bar is None
    assert Piece.from_notes([(0, 4, 60)], metre="3/16", steps_per_beat=4).steps_per_bar == 3
    assert Piece.from_notes([(0, 4, 60)], metre=None).steps_per_bar is None


def test_bars_begin_at_0_and_at_every_bar_line_before_the_end(upbeat):
    assert upbeat.bar_onsets.tolist() == [0, 4, 20]  # the piece ends on the bar line at 36
    assert Piece.from_notes([(0, 17, 60)]).bar_onsets.tolist() == [0, 16]
    assert Piece.from_notes([(0, 16, 60)]).bar_onsets.tolist() == [0]
    assert Piece.from_notes([(0, 3, 60)], pickup_steps=4).bar_onsets.tolist() == [0]
    assert Piece.from_notes([(0, 99, 60)], metre=None).bar_onsets.tolist() == [0]
    assert Piece.from_notes([]).bar_onsets.tolist() == []


def test_length_is_where_the_longest_note_ends_and_seconds_follow_the_tempo():
    piece = Piece.from_notes([(0, 12, 48, 80, 2), (4, 2, 60)], tempo_qpm=90.0)
    assert (piece.n_steps, piece.n_voices) == (12, 3)
    assert piece.seconds == pytest.approx(2.0)  # 3 beats at 90
    empty = Piece.from_notes([])
    assert (empty.n_steps, empty.n_voices, empty.seconds, len(empty)) == (0, 0, 0, 0)


def test_repr_counts_in_the_singular_and_the_plural(upbeat):
    assert repr(upbeat) == "Piece('upbeat': 4 notes, 3 bars of 4/4, C major, 5.4 s)"
    assert repr(Piece.from_notes([(0, 4, 60)], metre=None)) == "Piece('': 1 note, no metre, 0.6 s)"


# Changes


def test_transposing_moves_notes_and_key(upbeat):
    moved = upbeat.transpose(7)
    assert [row[2] for row in rows(moved)] == [67, 69, 71, 72]
    assert moved.key == "G major"
    assert moved.transpose(-7) == upbeat


@pytest.mark.parametrize(
    ("key", "semitones", "new"),
    [
        ("C major", 1, "Db major"),
        ("C major", 6, "F# major"),
        ("A minor", 4, "C# minor"),  # Db minor would need eight flats
        ("A minor", 11, "G# minor"),
        ("A minor", 1, "Bb minor"),
        ("D dorian", -1, "C# dorian"),
        ("G# minor", 12, "G# minor"),
        ("F lydian", 2, "G lydian"),
        ("B locrian", 7, "F# locrian"),
        ("C", 2, "D"),
        ("pelog", 2, "pelog"),
        (None, 2, None),
    ],
)
def test_a_transposed_key_has_at_most_six_sharps_or_five_flats(key, semitones, new):
    assert Piece.from_notes([(0, 4, 60)], key=key).transpose(semitones).key == new


def test_transposing_leaves_drums_alone():
    piece = Piece.from_notes([(0, 4, 60), (0, 4, 36, 80, 1), (0, 4, 40, 80, 2)], programs=(0, DRUMS))
    assert piece.transpose(-3).notes["pitch"].tolist() == [57, 36, 37]


def test_transposing_out_of_midi_says_where_to():
    with pytest.raises(ValueError, match="transposing by 7 moves pitches to 67-130, outside 0-127"):
        Piece.from_notes([(0, 4, 60), (4, 4, 123)]).transpose(7)


def test_a_voice_alone_becomes_voice_0_and_keeps_its_program():
    piece = Piece.from_notes([(0, 4, 60), (0, 8, 48, 70, 1)], programs=(40, 42))
    assert piece.voice(1).notes.tolist() == [(0, 8, 48, 70, 0)]
    assert piece.voice(1).programs == (42,)
    assert len(piece.voice(5)) == 0


def test_voices_beyond_the_programs_play_piano():
    piece = Piece.from_notes([(0, 4, 60)], programs=[40])
    assert (piece.program(0), piece.program(1), piece.programs) == (40, 0, (40,))


def test_an_excerpt_clips_notes_at_both_ends(upbeat):
    assert rows(upbeat.excerpt(1, first_bar=1)) == [(0, 14, 62), (14, 2, 64)]
    assert rows(upbeat.excerpt(1, first_bar=2)) == [(0, 4, 64), (4, 12, 65)]


def test_bar_0_of_an_excerpt_is_the_pickup(upbeat):
    assert rows(upbeat.excerpt(1)) == [(0, 4, 60)]
    assert upbeat.excerpt(2).pickup_steps == 4
    assert upbeat.excerpt(2, first_bar=1).pickup_steps == 0
    assert upbeat.excerpt(2, first_bar=1).bar_onsets.tolist() == [0, 16]


def test_an_excerpt_ends_with_the_piece(upbeat):
    assert upbeat.excerpt(99) == upbeat
    assert len(upbeat.excerpt(4, first_bar=99)) == 0
    assert len(Piece.from_notes([]).excerpt(4)) == 0


def test_an_excerpt_is_cut_unless_it_reaches_the_end(upbeat):
    assert upbeat.excerpt(2).is_cut
    assert upbeat.excerpt(2).excerpt(2).transpose(1).is_cut
    assert not upbeat.excerpt(99, first_bar=1).is_cut


def test_fermatas_move_with_what_is_cut_out(upbeat):
    piece = upbeat.replace(fermatas=(20, 4, 4))
    assert piece.fermatas == piece.transpose(2).fermatas == (4, 20)
    assert piece.excerpt(1).fermatas == ()
    assert piece.excerpt(2, first_bar=1).fermatas == (0, 16)
    assert piece.excerpt(2, first_bar=2).fermatas == (0,)
    with pytest.raises(ValueError, match="fermatas: step -1 lies before the start"):
        upbeat.replace(fermatas=(3, -1))


# Overlaps


def clip(*notes):
    return sorted(clip_overlaps(np.array(list(notes), dtype=NOTE_DTYPE)).tolist())


def test_a_note_is_cut_where_its_voice_strikes_the_pitch_again():
    assert clip((0, 9, 60, 80, 0), (4, 9, 60, 80, 0)) == [(0, 4, 60, 80, 0), (4, 9, 60, 80, 0)]


def test_other_pitches_and_other_voices_do_not_cut():
    notes = [(0, 9, 60, 80, 0), (4, 9, 61, 80, 0), (4, 9, 60, 80, 1)]
    assert clip(*notes) == sorted(notes)


def test_of_twins_the_longer_stays():
    assert clip((0, 2, 60, 70, 0), (0, 5, 60, 90, 0), (0, 3, 60, 80, 0)) == [(0, 5, 60, 90, 0)]


def test_clipping_nothing_gives_nothing():
    assert clip() == []


@QUICK
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.integers(60, 61), st.just(80), st.integers(0, 1))))
def test_clipped_notes_always_make_a_piece_with_the_same_strikes(notes):
    piece = Piece(clip_overlaps(np.array(notes, dtype=NOTE_DTYPE)))  # raises if two notes still overlap
    assert {(n[0], n[2], n[4]) for n in piece.notes.tolist()} == {(n[0], n[2], n[4]) for n in notes}


# pretty_midi there and back

NOTES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(1, 60), st.integers(0, 127), st.integers(1, 127), st.integers(0, 2))
)


@QUICK
@given(
    NOTES, st.sampled_from([1, 3, 4, 12, 48]), st.sampled_from([47.0, 100.0, 133.3]), st.sampled_from(["3/4", "6/8"])
)
def test_pretty_midi_there_and_back_is_exact_on_the_grid(notes, steps_per_beat, tempo, metre):
    table = clip_overlaps(np.array(notes, dtype=NOTE_DTYPE))
    piece = Piece(table, steps_per_beat=steps_per_beat, tempo_qpm=tempo, metre=metre)
    back = Piece.from_pretty_midi(piece.to_pretty_midi(), steps_per_beat)
    assert back.notes.tolist() == piece.notes.tolist()
    assert (back.metre, back.programs) == (metre, (0,) * piece.n_voices)
    assert back.tempo_qpm == pytest.approx(tempo, rel=1e-6)


def test_pretty_midi_gets_programs_drums_and_seconds():
    piece = Piece.from_notes([(4, 2, 60), (0, 1, 36, 90, 2)], programs=(40, 41, DRUMS), tempo_qpm=60.0)
    score = piece.to_pretty_midi()
    assert [(i.program, i.is_drum, len(i.notes)) for i in score.instruments] == [
        (40, False, 1),
        (41, False, 0),
        (0, True, 1),
    ]
    assert (score.instruments[0].notes[0].start, score.instruments[0].notes[0].end) == (1.0, 1.5)
    assert Piece.from_pretty_midi(score, metre="4/4", tempo_qpm=60.0) == piece


def test_of_two_pretty_midi_notes_that_round_to_one_onset_the_longer_stays():
    score = pretty_midi.PrettyMIDI(initial_tempo=60.0)
    instrument = pretty_midi.Instrument(0)
    instrument.notes = [pretty_midi.Note(90, 60, 0.0, 2.0), pretty_midi.Note(70, 60, 0.02, 0.5)]
    score.instruments.append(instrument)
    assert Piece.from_pretty_midi(score).notes.tolist() == [(0, 8, 60, 90, 0)]


def test_an_empty_pretty_midi_gives_an_empty_piece():
    assert len(Piece.from_pretty_midi(pretty_midi.PrettyMIDI())) == 0


# Pictures


def test_a_picture_has_a_rectangle_a_note_and_a_line_a_bar(upbeat):
    svg = ElementTree.fromstring(piece_to_svg(upbeat))
    tags = [child.tag.rpartition("}")[2] for child in svg]
    assert (tags.count("rect"), tags.count("path")) == (1 + 4, 3)  # the first rectangle is the paper


def test_higher_notes_stand_higher_and_later_notes_further_right(upbeat):
    svg = ElementTree.fromstring(piece_to_svg(upbeat))
    boxes = [child for child in svg if child.tag.endswith("rect")][1:]
    x, y = [float(box.get("x")) for box in boxes], [float(box.get("y")) for box in boxes]
    assert x == sorted(x)
    assert y == sorted(y, reverse=True)


def test_a_title_cannot_break_out_of_the_picture():
    title = """</svg><script>alert("&'")</script>"""
    svg = piece_to_svg(Piece.from_notes([(0, 4, 60)], title=title))
    assert "<script" not in svg
    assert ElementTree.fromstring(svg).get("aria-label").startswith(f"Piano roll of Piece({title!r}")


def test_the_same_piece_gives_the_same_picture(upbeat):
    assert piece_to_svg(upbeat) == piece_to_svg(copy.deepcopy(upbeat))
    assert upbeat._repr_mimebundle_() == {"text/plain": repr(upbeat), "image/svg+xml": piece_to_svg(upbeat)}
    ElementTree.fromstring(piece_to_svg(Piece.from_notes([])))
