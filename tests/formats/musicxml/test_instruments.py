"""Percussion, programs, and what a report counts; files in every encoding."""

import pytest
from musicxml_snippets import attributes, heard, in_a_row, note, notes, read, score

from musegen_lib.core.piece import DRUMS
from musegen_lib.formats.musicxml.reader import musicxml_to_piece

A4 = attributes()
KIT = "".join(
    [
        "<part-name>Drums</part-name>",
        '<score-instrument id="K"><instrument-name>Bass Drum</instrument-name></score-instrument>',
        '<score-instrument id="S"><instrument-name>Snare</instrument-name></score-instrument>',
        '<midi-instrument id="K"><midi-channel>10</midi-channel><midi-unpitched>37</midi-unpitched></midi-instrument>',
        '<midi-instrument id="S"><midi-channel>10</midi-channel><midi-unpitched>39</midi-unpitched></midi-instrument>',
    ]
)


def test_each_stroke_is_the_drum_of_its_instrument():
    beats = note("xF4", 1, '<instrument id="K"/>') + note("xC5", 1, '<instrument id="S"/>')
    piece, report = read(score([A4 + note("C4", 4)], [A4 + beats], headers=("<part-name>Flute</part-name>", KIT)))
    assert piece.programs == (73, DRUMS)
    assert heard(piece.voice(1)) == in_a_row((1, 36), (1, 38))
    assert str(report) == "read completely"


def test_strokes_without_a_drum_are_those_of_their_name_or_line():
    named = KIT.replace("<midi-unpitched>37</midi-unpitched>", "")
    piece, report = read(score([A4 + note("xF4", 1, '<instrument id="K"/>')], headers=(named,)))
    assert (heard(piece), report.drums_guessed) == ([(0, 1, 36)], 0)
    piece, report = read(score([A4 + notes("xF4 xC5 xG5")], headers=("<part-name>Drumset</part-name>",)))
    assert ([pitch for *_, pitch in heard(piece)], report.drums_guessed) == ([36, 38, 42], 3)
    assert piece.programs == (DRUMS,)


def test_a_part_of_notes_and_strokes_becomes_two_voices():
    piece, _ = read(score([A4 + note("C4") + note("xC5")]))
    assert piece.programs == (0, DRUMS)
    assert [(*each[:3], each[4]) for each in piece.notes.tolist()] == [(0, 4, 60, 0), (4, 4, 38, 1)]


def test_pitched_notes_on_the_channel_of_percussion_are_drums_and_not_transposed():
    kit = '<part-name>D</part-name><midi-instrument id="K"><midi-channel>10</midi-channel></midi-instrument>'
    part = attributes("<transpose><chromatic>-12</chromatic></transpose>") + note("C2")
    piece, _ = read(score([part], headers=(kit,)))
    assert (piece.programs, heard(piece)) == ((DRUMS,), [(0, 1, 36)])


@pytest.mark.parametrize(
    ("header", "program"),
    [
        ("<part-name>Violin</part-name>", 40),
        ("<part-name>Soprano</part-name>", 53),
        ('<part-name>x</part-name><midi-instrument id="I"><midi-program>57</midi-program></midi-instrument>', 56),
        ('<part-name>x</part-name><midi-instrument id="I"><midi-program>0</midi-program></midi-instrument>', 0),
        (
            '<part-name>x</part-name><score-instrument id="I"><instrument-name>y</instrument-name>'
            "<instrument-sound>wind.flutes.flute</instrument-sound></score-instrument>",
            73,
        ),
    ],
)
def test_programs_come_from_the_file_or_from_a_name_of_general_midi(header, program):
    assert read(score([A4 + note("C4")], headers=(header,)))[0].programs == (program,)


@pytest.mark.parametrize(
    ("names", "program"),
    [
        ("Flute 1,Flöte", 73),
        ("Violin I,Vln. 1", 40),
        ("Violoncello", 42),
        ("Clarinet in Bb,B-flat Clarinet", 71),
        ("Guitar", 24),
        ("Electric Bass,Bass Guitar", 33),
        ("Horn in F,Corno in F", 60),
        ("Trumpet in B-flat", 56),
        ("Voice,Tenor", 53),
        ("Corno inglese", 69),
        ("Klavier,Piano", 0),
    ],
)
def test_names_of_scores_are_known(names, program):
    for name in names.split(","):
        piece, report = read(score([A4 + note("C4")], headers=(f"<part-name>{name}</part-name>",)))
        assert (piece.program(0), report.instruments_unknown) == (program, 0), name


@pytest.mark.parametrize(
    ("sound", "program"),
    [
        ("wind.reed.clarinet.bflat", 71),
        ("wind.reed.saxophone.tenor", 66),
        ("brass.trombone.tenor", 57),
        ("wind.reed.english-horn", 69),
        ("pluck.bass.electric", 33),
        ("strings.violin", 40),
        ("voice.soprano", 53),
    ],
)
def test_names_of_sounds_are_read_whole(sound, program):
    header = f'<score-instrument id="I"><instrument-sound>{sound}</instrument-sound></score-instrument>'
    assert read(score([A4 + note("C4")], headers=(header,)))[0].programs == (program,) * bool(program)


@pytest.mark.parametrize(("name", "n_unknown"), [("Zink", 1), ("Part 1", 0), ("P2", 0), ("", 0), ("Piano", 0)])
def test_names_that_are_not_known_are_counted(name, n_unknown):
    piece, report = read(score([A4 + note("C4")], headers=(f"<part-name>{name}</part-name>",)))
    assert (piece.program(0), report.instruments_unknown) == (0, n_unknown)


def test_the_instrument_that_plays_most_gives_the_program_and_the_others_are_counted():
    two = '<part-name>x</part-name><midi-instrument id="A"><midi-program>41</midi-program></midi-instrument>'
    two += '<midi-instrument id="B"><midi-program>46</midi-program></midi-instrument>'
    played = note("C4", 1, '<instrument id="A"/>') + note("D4", 1, '<instrument id="B"/>') * 2
    piece, report = read(score([A4 + played], headers=(two,)))
    assert (piece.programs, report.other_programs) == ((45,), 1)


def test_what_is_left_out_is_counted_in_plain_words():
    grace = "<note><grace/><pitch><step>A</step><octave>4</octave></pitch></note>"
    trill = note("C4", 1, "<notations><ornaments><trill-mark/></ornaments></notations>")
    quarter_tone = note("C4").replace("</step>", "</step><alter>0.5</alter>")
    slash = '<attributes><measure-style><slash type="start"/></measure-style></attributes>'
    cue = note("C4").replace("<note>", "<note><cue/>")
    _, report = read(score([A4 + grace * 2 + trill + quarter_tone + slash + cue]))
    assert str(report) == (
        "grace notes left out: 2; cue notes left out: 1; ornaments read as their plain notes: 1; "
        "notes between two semitones moved to one: 1; "
        "signs not understood and passed over: 1"
    )


def test_a_grid_that_is_asked_for_says_what_it_moved():
    piece, report = read(score([attributes(divisions=3) + note("C4", 1) * 3]), steps_per_beat=4)
    assert piece.steps_per_beat == 4
    assert report.notes_moved > 0


def test_other_metres_of_other_parts_are_counted():
    _, report = read(score([A4 + note("C4", 4)], [attributes(time="12/8") + note("C3", 4)]))
    assert report.other_metres == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_files_are_read_in_their_encoding(tmp_path, encoding):
    text = score([A4 + note("C4")], headers=("<part-name>Flöte</part-name>",)).replace("UTF-8", encoding[:6].strip("-"))
    (tmp_path / "x.xml").write_bytes(text.replace("utf-8", "UTF-8").encode(encoding))
    assert len(musicxml_to_piece(tmp_path / "x.xml")[0]) == 1


def test_a_namespace_and_a_line_before_the_declaration_do_no_harm(tmp_path):
    text = "\n" + score([A4 + note("C4")]).replace("<score-partwise", '<score-partwise xmlns="http://x.invalid/m"')
    (tmp_path / "x.xml").write_text(text)
    assert len(musicxml_to_piece(tmp_path / "x.xml")[0]) == 1
