"""MusicXML out: what is printed, and that the course's reader and music21 read back what was written."""

import random
import re
from fractions import Fraction

import numpy as np
import pytest
from music21_pieces import music21_to_piece
from musicxml_snippets import heard, read

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.note_table import NOTE_DTYPE, clip_overlaps
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.musicxml.reader import piece_to_music21, piece_to_musicxml


def back(piece):
    """The piece written and read again."""
    return read(piece_to_musicxml(piece), steps_per_beat=piece.steps_per_beat, source="")[0]


CHORALE = Piece.from_notes(
    [(0, 4, 67), (4, 9, 68), (13, 5, 70), (20, 16, 66), (0, 36, 48, 80, 1), (4, 6, 50, 80, 1), (6, 10, 55, 80, 1)],
    pickup_steps=4,
    metre="3/4",
    key="C minor",
    title="Übung & <Probe>",
    tempo_qpm=72,
    programs=(56, 128),
)


def test_a_pickup_is_shown_as_a_short_measure_zero():
    from music21 import stream

    measures = piece_to_music21(CHORALE).parts[0].getElementsByClass(stream.Measure)
    assert [(m.number, m.highestTime) for m in measures] == [(0, 1), (1, 3), (2, 3), (3, 2)]
    assert measures[0].paddingLeft == 2


def lengths(piece):
    """Quarter notes in each measure."""
    from music21 import stream

    return [m.highestTime for m in piece_to_music21(piece).parts[0].getElementsByClass(stream.Measure)]


SEEN_BEATS = {  # (metre, eighths as played, z a rest) -> as printed: rests in brackets, "-" before what is tied back
    ("6/8", "1 4 1"): "1 2 -2 1",
    ("6/8", "1 z4 1"): "1 (2) (2) 1",
    ("6/8", "6"): "6",
    ("9/8", "9"): "6 -3",
    ("9/8", "3 z6"): "3 (3) (3)",
    ("9/8", "z9 9"): "(9) 6 -3",
    ("12/8", "z6 3 z3"): "(6) 3 (3)",
    ("4/4", "z3 2 z3"): "(2) (1) 1 -1 (1) (2)",
    ("4/4", "1 2 3 2"): "1 2 1 -2 2",
    ("4/4", "2 4 2"): "2 4 2",
    ("4/4", "6 z2"): "6 (2)",
    ("4/4", "2 z4 z2"): "2 (2) (4)",
    ("2/4", "1 z2 1"): "1 (1) (1) 1",
    ("2/4", "1 2 1"): "1 2 1",
    ("3/4", "1 z2 1 z2"): "1 (1) (1) 1 (2)",
    ("3/4", "1 5"): "1 1 -4",
    ("12/8", "9 z3"): "6 -3 (3)",
    ("3/8", "1 z2"): "1 (2)",
}


@pytest.mark.parametrize(("written", "printed"), SEEN_BEATS.items(), ids=map(" ".join, SEEN_BEATS))
def test_rests_show_the_beats_of_the_bar_and_notes_its_middle(written, printed):
    metre, lengths = written
    rows, now = [], 0
    for length in lengths.split():
        size = 2 * int(length.strip("z"))
        rows += [] if length[0] == "z" else [(now, size, 60)]
        now += size
    part = piece_to_music21(Piece.from_notes(rows, metre=metre)).parts[0]
    found = []
    for note in part.recurse().notesAndRests:
        length = f"{2 * note.quarterLength:g}"
        is_tied = note.tie is not None and note.tie.type != "start"
        found.append(f"({length})" if note.isRest else "-" * is_tied + length)
    assert " ".join(found) == printed


def test_a_pickup_is_cut_at_the_beats_of_the_bar_that_it_ends():
    tune = Piece.from_notes([(0, 8, 60), (8, 12, 62)], metre="6/8", pickup_steps=8)  # four eighths before the bar line
    assert [note.quarterLength for note in piece_to_music21(tune).parts[0].recurse().notes] == [0.5, 1.5, 3]


def test_the_last_bar_completes_the_pickup_or_is_filled_with_a_rest():
    beats = [(4 * beat, 4, 60 + beat) for beat in range(6)]
    tune = Piece.from_notes(beats, metre="3/4", pickup_steps=4)
    assert lengths(tune) == [1, 3, 2]
    assert lengths(Piece.from_notes(beats[:5], metre="3/4", pickup_steps=4)) == [1, 3, 2]  # it ends with a rest
    assert lengths(Piece.from_notes([*beats, (24, 4, 60)], metre="3/4", pickup_steps=4)) == [1, 3, 3]
    assert lengths(tune.excerpt(2)) == [1, 3]
    assert lengths(Piece.from_notes([*beats, (36, 4, 60)], metre="3/4", pickup_steps=4).excerpt(3)) == [1, 3, 3]
    assert lengths(Piece.from_notes(beats[:5], metre="3/4")) == [3, 3]


def test_notes_are_spelled_in_the_key():
    names = {p.name for p in piece_to_music21(CHORALE).parts[0].pitches}
    assert names == {"G", "A-", "B-", "F#"}


def test_only_music_that_ends_has_a_final_bar_line():
    final = b"<bar-style>light-heavy<"
    assert piece_to_musicxml(CHORALE).count(final) == 2  # one a part
    assert final not in piece_to_musicxml(CHORALE.excerpt(2))


def test_the_first_layer_holds_the_high_notes():
    piece = Piece.from_notes([(0, 16, 60), (0, 4, 72), (4, 12, 74)])
    upper, lower = piece_to_music21(piece).parts[0].measure(1).voices
    assert [[p.midi for p in layer.pitches] for layer in (upper, lower)] == [[72, 74], [60]]


def test_writing_twice_gives_the_same_bytes_without_a_date():
    data = piece_to_musicxml(CHORALE)
    assert data == piece_to_musicxml(CHORALE)
    assert b"date" not in data
    assert b"music21" not in data.lower()


def test_a_piece_comes_back_from_musicxml_and_from_music21():
    assert back(CHORALE) == CHORALE
    assert music21_to_piece(piece_to_music21(CHORALE)) == CHORALE


def test_an_empty_piece_and_one_without_title_can_be_written():
    data = piece_to_musicxml(Piece.from_notes([]))
    assert b"movement-title" not in data
    assert len(read(data)[0]) == 0


def test_polyphonic_pieces_of_many_kinds_come_back_exactly():
    generator = random.Random(5)
    for metre in ("4/4", "3/4", "6/8", "3/8", "5/8", None):
        for steps_per_beat in (1, 4, 12):
            rows = [
                (generator.randint(0, 8 * steps_per_beat), generator.randint(1, 3 * steps_per_beat), pitch, 80, i % 3)
                for i, pitch in enumerate(generator.choices(range(40, 80), k=18))
            ]
            piece = Piece(
                clip_overlaps(np.array(rows, dtype=NOTE_DTYPE)),
                steps_per_beat=steps_per_beat,
                metre=metre,
                key=generator.choice([None, "A minor", "Db major", "F# dorian", "E phrygian"]),
                title="x",
                pickup_steps=1 if metre and steps_per_beat > 1 else 0,
                programs=generator.choice([(0, 40, 56), (DRUMS, 5, DRUMS)]),
            )
            assert back(piece) == piece
            assert music21_to_piece(piece_to_music21(piece), steps_per_beat) == piece


def any_piece(generator, steps_per_beat):
    """A random piece with changes of metre, key and tempo, a pickup, and drums."""
    names = ("4/4", "3/4", "6/8", "7/8", "2/2", "3/8")
    metres = [name for name in names if (metre_to_beats(name) * steps_per_beat).denominator == 1]
    metre, span = metres[0], 12 * steps_per_beat
    pickup = generator.randrange(int(metre_to_beats(metre) * steps_per_beat))
    line, changes = pickup + int(metre_to_beats(metre) * steps_per_beat), []
    while line < span:
        changes.append((line, generator.choice(metres[1:])))
        line += 2 * int(metre_to_beats(changes[-1][1]) * steps_per_beat)
    onsets = [generator.randrange(1, span) for _ in range(20)]
    rows = [
        (onset, generator.randint(1, 2 * steps_per_beat), generator.randint(40, 80), 80, number % 2)
        for number, onset in enumerate([*onsets, span, span])
    ]
    return Piece(
        clip_overlaps(np.array(rows, dtype=NOTE_DTYPE)),
        steps_per_beat=steps_per_beat,
        metre=metre,
        metre_changes=changes,
        pickup_steps=pickup,
        key="G major",
        key_changes=[(onset, generator.choice(["C minor", "E major"])) for onset in sorted({onsets[0], onsets[1]})],
        tempo_qpm=90.0,
        tempo_changes=[(onsets[2], 72.5)],
        title="x",
        programs=(generator.choice([0, 40]), generator.choice([56, DRUMS])),
    )


@pytest.mark.parametrize("steps_per_beat", [1, 4, 5, 7, 9, 10, 12, 24, 48])
def test_pieces_on_any_grid_come_back_with_their_changes(steps_per_beat):
    generator = random.Random(steps_per_beat)
    for _ in range(3):
        piece = any_piece(generator, steps_per_beat)
        assert back(piece) == piece


@pytest.mark.parametrize("steps_per_beat", [4, 5, 12])
def test_music21_reads_the_same_notes_metres_keys_and_tempi(steps_per_beat):
    from music21 import converter, key, meter, tempo

    piece = any_piece(random.Random(1), steps_per_beat).replace(programs=(40, 56))
    score = converter.parse(piece_to_musicxml(piece), format="musicxml", forceSource=True)
    theirs = music21_to_piece(score, steps_per_beat)
    assert np.array_equal(theirs.notes, piece.notes)
    assert (theirs.pickup_steps, theirs.programs) == (piece.pickup_steps, piece.programs)
    part = score.parts[0]
    for kind, name, value in (
        (meter.TimeSignature, "metre", lambda sign: sign.ratioString),
        (key.Key, "key", lambda sign: f"{sign.tonic.name.replace('-', 'b')} {sign.mode}"),
        (tempo.MetronomeMark, "tempo_qpm", lambda sign: sign.number),
    ):
        signs = part.recurse().getElementsByClass(kind)
        found = {Fraction(sign.getOffsetInHierarchy(part)): value(sign) for sign in signs}
        assert found == {Fraction(step, steps_per_beat): value for step, value in piece.timeline(name)}


def test_drums_are_unpitched_notes_of_the_instrument_that_is_the_drum():
    from music21 import converter, note

    piece = Piece.from_notes([(0, 4, 36), (4, 4, 42), (8, 4, 38)], programs=(DRUMS,), title="x")
    data = piece_to_musicxml(piece)
    assert re.findall(rb"<midi-unpitched>(\d+)<", data) == [b"37", b"39", b"43"]
    assert b"<sign>percussion</sign>" in data
    assert b"<pitch>" not in data
    score = converter.parse(data, format="musicxml", forceSource=True)
    strokes = list(score.recurse().getElementsByClass(note.Unpitched))
    assert [stroke.displayName for stroke in strokes] == ["F4", "G5", "C5"]
    assert back(piece) == piece


def test_hi_hats_and_cymbals_have_crosses_for_heads():
    rows = [(0, 2, 42), (0, 4, 36), (2, 2, 46), (4, 4, 38), (4, 4, 49)]
    data = piece_to_musicxml(Piece.from_notes(rows, programs=(DRUMS,)))
    heads = re.findall(rb'<instrument id="I1-(\d+)(?:(?!</note>).)*<notehead>(.*?)<', data, re.DOTALL)
    assert heads == [(b"42", b"x"), (b"46", b"circle-x"), (b"49", b"x")]  # the open hi-hat has a circle


def test_triplets_are_printed_as_such_with_a_bracket():
    rows = [(0, 4, 60), (4, 4, 62), (8, 4, 64), (12, 8, 65), (20, 8, 67), (28, 8, 69), (36, 12, 72)]
    data = piece_to_musicxml(Piece.from_notes(rows, steps_per_beat=12)).decode()
    kinds = [re.findall(r"<type>(\w+)<", each)[0] for each in data.split("<note>")[1:]]
    assert kinds == ["eighth"] * 3 + ["quarter"] * 4
    assert data.count("<actual-notes>3<") == 6
    assert re.findall(r'<tuplet\b[^>]*type="(\w+)"', data) == ["start", "stop"] * 2


def test_a_note_between_all_values_is_refused_in_one_line():
    with pytest.raises(MusegenError, match=r"is no note value; move the piece to a grid of 4, 12 or 48"):
        piece_to_musicxml(Piece.from_notes([(0, 1, 60), (1, 2, 62)], steps_per_beat=1023))


def test_notes_over_a_change_of_metre_are_tied_and_come_back_whole():
    piece = Piece.from_notes([(0, 40, 60), (8, 12, 64)], metre="4/4", metre_changes=((16, "3/4"),), title="x")
    data = piece_to_musicxml(piece)
    assert data.count(b'<tie type="start"') == 3
    assert heard(back(piece)) == heard(piece)


def test_a_fermata_stands_over_what_sounds_in_each_voice_and_comes_back():
    rows = [(0, 4, 67), (4, 24, 72), (4, 24, 64), (4, 4, 55, 80, 1), (8, 8, 53, 80, 1), (28, 4, 72)]
    piece = Piece.from_notes(rows, title="x", fermatas=(8,), programs=(0, 0))
    data = piece_to_musicxml(piece)
    marked = [note for note in data.split(b"<note") if b'<fermata type="upright"' in note]
    assert [re.findall(rb"<step>(\w)<", note) for note in marked] == [[b"E"], [b"F"]]
    assert back(piece) == piece


@pytest.mark.parametrize("pickup", [0, 2])
def test_a_last_bar_cut_short_is_beamed_from_its_bar_line(pickup):
    eighths = [(pickup + 2 * i, 2, 67 + i % 5) for i in range(6)]
    last = [(pickup + 12 + 2 * i, 2, 67 + i) for i in range(3)]
    rows = [(0, 2, 62)] * bool(pickup) + eighths + last + [(pickup + 18, 4, 67)]
    text = piece_to_musicxml(Piece.from_notes(rows, metre="6/8", pickup_steps=pickup)).decode()
    bar = text.split("<measure ")[-1]
    assert re.findall(r"<beam [^>]*>(\w+)</beam>", bar) == ["begin", "continue", "end"]
