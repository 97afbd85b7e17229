"""Which notes are heard in small scores of every kind, worked out by hand, in quarter notes.

Where readers differ the MusicXML 4.0 specification decides. music21 and partitura were asked as well.
"""

import pytest
from musicxml_snippets import attributes, direction, heard, in_a_row, note, notes, read, score

from musegen_lib.core.piece import DRUMS

A4, START, STOP = attributes(), '<tie type="start"/>', '<tie type="stop"/>'
TIED = "<notations><tied type='{}'/></notations>"
BACK, FORTH = "<backup><duration>{}</duration></backup>", "<forward><duration>{}</duration></forward>"
REPEATED = '<attributes><measure-style><measure-repeat type="{}">{}</measure-repeat></measure-style></attributes>'
MEASURE_REST = '<note><rest measure="yes"/><duration>{}</duration><voice>1</voice></note>'
DURATIONS = {
    "divisions 1": (score([A4 + notes("C4 D4 E4 F4")]), in_a_row((1, 60), (1, 62), (1, 64), (1, 65))),
    "divisions 10080": (
        score([attributes(divisions=10080) + note("C4", 3360) * 3 + note("D4", 1440) * 7 + note("E4", 20160)]),
        in_a_row(*[("1/3", 60)] * 3, *[("1/7", 62)] * 7, (2, 64)),
    ),
    "odd divisions": (
        score([attributes(divisions=11) + note("C4", 1) + note("D4", 10)]),
        in_a_row(("1/11", 60), ("10/11", 62)),
    ),
    "divisions change": (
        score([attributes(divisions=3) + note("C4", 1) * 3 + attributes(divisions=8, time="") + note("D4", 1) * 8]),
        in_a_row(*[("1/3", 60)] * 3, *[("1/8", 62)] * 8),
    ),
    "decimals": (
        score([A4 + note("C4", "0.25") * 2 + note("D4", "0.5")]),
        in_a_row(("1/4", 60), ("1/4", 60), ("1/2", 62)),
    ),
    "decimal divisions": (score([attributes(divisions="0.5") + note("C4", "0.5") * 2]), in_a_row((1, 60), (1, 60))),
    "quintuplet": (
        score([attributes(divisions=5) + note("C4", 1) * 5 + note("D4", 15)]),
        in_a_row(*[("1/5", 60)] * 5, (3, 62)),
    ),
    "nested tuplet": (
        score([attributes(divisions=15) + note("C4", 1) * 15 + note("D4", 45)]),
        in_a_row(*[("1/15", 60)] * 15, (3, 62)),
    ),
    "128ths": (
        score([attributes(divisions=32) + note("C4", 1) * 4 + note("D4", 28)]),
        in_a_row(*[("1/32", 60)] * 4, ("7/8", 62)),
    ),
    "double dots": (
        score([attributes(divisions=4) + note("C4", 7) + note("D4", 1)]),
        in_a_row(("7/4", 60), ("1/4", 62)),
    ),
}

LAYERS = {
    "chord": (
        score([A4 + note("C4", 2) + note("E4", 2, chord=True) + note("G4", 2)]),
        [(0, 2, 60), (0, 2, 64), (2, 2, 67)],
    ),
    "chord of two lengths": (
        score([A4 + note("C4", 2) + note("E4", 1, chord=True) + note("G4", 2)]),
        [(0, 2, 60), (0, 1, 64), (2, 2, 67)],
    ),
    "two layers": (
        score([A4 + note("C5", 4) + BACK.format(4) + FORTH.format(1) + notes("E4 F4", voice="2")]),
        [(0, 4, 72), (1, 1, 64), (2, 1, 65)],
    ),
    "forward at the end": (
        score([A4 + note("C4", 3) + FORTH.format(1), note("D4", 4)]),
        [(0, 3, 60), (4, 4, 62)],
    ),
    "backup too far": (score([A4 + note("C4", 1) + BACK.format(9) + note("E4", 1)]), [(0, 1, 60), (0, 1, 64)]),
    "layer ends early": (
        score([A4 + note("C4", 4) + BACK.format(4) + note("E4", 1, voice="2"), note("D4", 4)]),
        [(0, 4, 60), (0, 1, 64), (4, 4, 62)],
    ),
    "rest": (score([A4 + note("C4") + note("r") + note("D4")]), [(0, 1, 60), (2, 1, 62)]),
    "unison held": (
        score([A4 + note("E4", 4) + BACK.format(4) + note("C4", 2, voice="2") + note("E4", 2, voice="2")]),
        [(0, 2, 60), (0, 4, 64)],
    ),
    "unison that outlasts": (
        score([A4 + note("E4", 2) + BACK.format(1) + note("E4", 2, voice="2")]),
        [(0, 1, 64), (1, 2, 64)],
    ),
    "unison twice tied": (
        score(
            [
                A4 + note("E4", 4, START) + BACK.format(4) + note("E4", 4, START, voice="2"),
                note("E4", 2, STOP) + BACK.format(2) + note("E4", 4, STOP, voice="2"),
            ]
        ),
        [(0, 8, 64)],
    ),
    "hidden": (score([A4 + note("C4").replace("<note>", '<note print-object="no">')]), [(0, 1, 60)]),
    "cue": (score([A4 + note("C4").replace("<note>", "<note><cue/>") + note("D4")]), [(1, 1, 62)]),
    "grace": (
        score([A4 + "<note><grace/><pitch><step>A</step><octave>4</octave></pitch></note>" + note("D4")]),
        [(0, 1, 62)],
    ),
}

TIES = {
    "over the bar": (score([A4 + note("C4", 4, START), note("C4", 2, STOP)]), [(0, 6, 60)]),
    "tied without tie": (
        score([A4 + note("C4", 4, TIED.format("start")), note("C4", 2, TIED.format("stop"))]),
        [(0, 6, 60)],
    ),
    "let ring": (score([A4 + note("C4", 2, TIED.format("let-ring")) + note("C4", 2)]), [(0, 2, 60), (2, 2, 60)]),
    "slur is no tie": (
        score([A4 + note("C4", 2, "<notations><slur type='start'/></notations>") + note("C4", 2)]),
        [(0, 2, 60), (2, 2, 60)],
    ),
    "to another layer": (
        score([A4 + note("C4", 4, START), note("E4", 4) + BACK.format(4) + note("C4", 1, STOP, voice="2")]),
        [(0, 5, 60), (4, 4, 64)],
    ),
    "one note of a chord": (
        score([A4 + note("C4", 4, START) + note("E4", 4, chord=True), note("C4", 1, STOP) + note("E4", 1, chord=True)]),
        [(0, 5, 60), (0, 4, 64), (4, 1, 64)],
    ),
    "spelt anew": (score([A4 + note("C#4", 4, START), note("Db4", 4, STOP)]), [(0, 8, 61)]),
    "a stop without a start": (score([A4 + note("C4", 4), note("C4", 4, STOP)]), [(0, 4, 60), (4, 4, 60)]),
}

MEASURES = {
    "empty in one part": (
        score([A4 + note("C4", 4), note("D4", 4), note("E4", 4)], [A4 + note("C3", 4), "", note("G3", 4)]),
        [(0, 4, 60), (0, 4, 48), (4, 4, 62), (8, 4, 64), (8, 4, 55)],
    ),
    "empty in all": (score([attributes(time="3/4") + note("C4", 3), "", note("D4", 3)]), [(0, 3, 60), (6, 3, 62)]),
    "measure rest too long": (
        score([attributes(time="3/4") + note("C4", 3), MEASURE_REST.format(4), note("D4", 3)]),
        [(0, 3, 60), (6, 3, 62)],
    ),
    "rests that overflow": (
        score([A4 + note("C4", 4), note("D4", 4)], [A4 + note("r", 4) + note("r", 4), note("E3", 4)]),
        [(0, 4, 60), (4, 4, 62), (4, 4, 52)],
    ),
    "one part short": (
        score([A4 + note("C4", 4), note("D4", 4)], [A4 + note("C3", 2), note("E3", 4)]),
        [(0, 4, 60), (0, 2, 48), (4, 4, 62), (4, 4, 52)],
    ),
    "one part has fewer measures": (
        score([A4 + note("C4", 4), note("D4", 4)], [A4 + note("C3", 4)]),
        [(0, 4, 60), (0, 4, 48), (4, 4, 62)],
    ),
    "measure repeat": (
        score(
            [
                A4 + notes("C4 D4 E4 F4"),
                REPEATED.format("start", 1),
                REPEATED.format("stop", "") + note("G4", 4),
            ]
        ),
        in_a_row((1, 60), (1, 62), (1, 64), (1, 65), (1, 60), (1, 62), (1, 64), (1, 65), (4, 67)),
    ),
    "multiple rest": (
        score(
            [
                A4
                + "<attributes><measure-style><multiple-rest>2</multiple-rest></measure-style></attributes>"
                + MEASURE_REST.format(4),
                MEASURE_REST.format(4),
                note("C4", 4),
            ]
        ),
        [(8, 4, 60)],
    ),
}

PITCHES = {
    "clarinet in B flat": ("<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>", "D4", [60]),
    "piccolo": ("<transpose><chromatic>0</chromatic><octave-change>1</octave-change></transpose>", "C4", [72]),
    "bass clarinet": (
        "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic><octave-change>-1</octave-change></transpose>",
        "D4",
        [48],
    ),
    "octave clef": (
        "<clef><sign>G</sign><line>2</line><clef-octave-change>-1</clef-octave-change></clef>",
        "C4",
        [60],
    ),
    "doubled below": ("<transpose><chromatic>0</chromatic><double/></transpose>", "C4", [48, 60]),
    "doubled above": ('<transpose><chromatic>0</chromatic><double above="yes"/></transpose>', "C4", [60, 72]),
    "another staff": ('<transpose number="2"><chromatic>-2</chromatic></transpose>', "C4", [60]),
}

READ = {**DURATIONS, **LAYERS, **TIES, **MEASURES}


@pytest.mark.parametrize("name", READ)
def test_notes_are_heard_as_written(name):
    text, expected = READ[name]
    piece, report = read(text)
    assert sorted(heard(piece)) == sorted(expected)
    assert report.notes_moved == report.notes_dropped == 0


@pytest.mark.parametrize("name", PITCHES)
def test_pitches_are_those_that_sound(name):
    inside, written, expected = PITCHES[name]
    assert [pitch for *_, pitch in heard(read(score([attributes(inside) + note(written)]))[0])] == expected


def test_an_octave_line_does_not_move_what_is_written_as_it_sounds():
    line = direction('<octave-shift type="down" size="8"/>')
    assert heard(read(score([A4 + line + note("C6")]))[0]) == [(0, 1, 84)]


def on_staff(number, *written):
    return "".join(written).replace("</voice>", f"</voice><staff>{number}</staff>")


def test_each_staff_of_a_part_is_a_voice_and_the_upper_one_comes_first():
    low, high = on_staff(2, note("C3", 2), note("C4", 2)), on_staff(1, note("C4", 4))
    piece, report = read(score([A4 + note("G4", 4)], [A4 + low + BACK.format(4) + high]))
    assert [heard(piece.voice(voice)) for voice in range(3)] == [
        [(0, 4, 67)],
        [(0, 4, 60)],
        [(0, 2, 48), (2, 2, 60)],
    ]
    assert report.unisons == 0  # both staves have the C


def test_a_staff_is_split_once_more_by_percussion():
    piece, _ = read(score([A4 + on_staff(2, note("C3", 2)) + note("xC5", 1) + note("C5", 1)]))
    assert piece.programs == (0, DRUMS, 0)
    assert [pitch for *_, pitch in heard(piece.voice(2))] == [48]


def test_a_tie_leads_from_staff_to_staff():
    piece, _ = read(score([A4 + on_staff(1, note("C4", 4, START)), on_staff(2, note("C4", 4, STOP))]))
    assert (heard(piece), piece.n_voices) == ([(0, 8, 60)], 1)
