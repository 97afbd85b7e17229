"""What a musician hears in small scores of every kind: onsets and lengths in quarter notes, worked out by hand.

Where readers differ the MusicXML 4.0 specification decides. music21 and partitura were asked as well.
"""

from fractions import Fraction

import pytest
from musicxml_snippets import attributes, barline, direction, note, notes, score

from musegen_lib.core.piece import DRUMS
from musegen_lib.formats.musicxml.reader import musicxml_to_piece


@pytest.fixture
def read(tmp_path):
    def write_and_read(text, **options):
        file = tmp_path / "x.musicxml"
        file.write_text(text, encoding="utf-8")
        return musicxml_to_piece(file, **options)

    return write_and_read


def heard(piece):
    """Notes as (onset, length, pitch) in quarter notes."""
    return [
        (Fraction(onset, piece.steps_per_beat), Fraction(duration, piece.steps_per_beat), pitch)
        for onset, duration, pitch, *_ in piece.notes.tolist()
    ]


def row(*notes):
    """Notes that follow each other without rests, from (length, pitch)."""
    onset, found = Fraction(0), []
    for length, pitch in notes:
        found.append((onset, Fraction(length), pitch))
        onset += Fraction(length)
    return found


A4, START, STOP = attributes(), '<tie type="start"/>', '<tie type="stop"/>'
TIED = "<notations><tied type='{}'/></notations>"
BACK, FORTH = "<backup><duration>{}</duration></backup>", "<forward><duration>{}</duration></forward>"
MEASURE_REST = '<note><rest measure="yes"/><duration>{}</duration><voice>1</voice></note>'
DOUBLE = attributes("<transpose><chromatic>0</chromatic><double/></transpose>")
FIRST = barline('<ending number="{}" type="start"/>', "left")
CLOSE = barline('<ending number="{}" type="stop"/><repeat direction="backward"/>')
LAST = barline('<ending number="{}" type="discontinue"/>')
REPEAT, BEGIN = barline('<repeat direction="backward"/>'), barline('<repeat direction="forward"/>', "left")


def bars(text, *marks):
    """One measure of a whole note a letter; marks are texts put into measures, as (number from 0, place, text)."""
    made = [(A4 if at == 0 else "") + "{0}" + note(f"{letter}4", 4) + "{1}" for at, letter in enumerate(text)]
    for at, place, mark in marks:
        made[at] = made[at].replace("{%d}" % place, mark + "{%d}" % place)
    return score([each.replace("{0}", "").replace("{1}", "") for each in made])


def order(piece):
    """The letters in the order heard."""
    return "".join("CxDxEFxGxAxB"[pitch - 60] for _, _, pitch in heard(piece))


DURATIONS = {
    "divisions 1": (score([A4 + notes("C4 D4 E4 F4")]), row((1, 60), (1, 62), (1, 64), (1, 65))),
    "divisions 10080": (
        score([attributes(divisions=10080) + note("C4", 3360) * 3 + note("D4", 1440) * 7 + note("E4", 20160)]),
        row(*[("1/3", 60)] * 3, *[("1/7", 62)] * 7, (2, 64)),
    ),
    "odd divisions": (
        score([attributes(divisions=11) + note("C4", 1) + note("D4", 10)]),
        row(("1/11", 60), ("10/11", 62)),
    ),
    "divisions change": (
        score([attributes(divisions=3) + note("C4", 1) * 3 + attributes(divisions=8, time="") + note("D4", 1) * 8]),
        row(*[("1/3", 60)] * 3, *[("1/8", 62)] * 8),
    ),
    "decimals": (score([A4 + note("C4", "0.25") * 2 + note("D4", "0.5")]), row(("1/4", 60), ("1/4", 60), ("1/2", 62))),
    "decimal divisions": (score([attributes(divisions="0.5") + note("C4", "0.5") * 2]), row((1, 60), (1, 60))),
    "quintuplet": (
        score([attributes(divisions=5) + note("C4", 1) * 5 + note("D4", 15)]),
        row(*[("1/5", 60)] * 5, (3, 62)),
    ),
    "nested tuplet": (
        score([attributes(divisions=15) + note("C4", 1) * 15 + note("D4", 45)]),
        row(*[("1/15", 60)] * 15, (3, 62)),
    ),
    "128ths": (score([attributes(divisions=32) + note("C4", 1) * 4 + note("D4", 28)]), row(*[("1/32", 60)] * 4, ("7/8", 62))),
    "double dots": (score([attributes(divisions=4) + note("C4", 7) + note("D4", 1)]), row(("7/4", 60), ("1/4", 62))),
}  # fmt: skip

LAYERS = {
    "chord": (score([A4 + note("C4", 2) + note("E4", 2, chord=True) + note("G4", 2)]), [(0, 2, 60), (0, 2, 64), (2, 2, 67)]),
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
}  # fmt: skip

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
                '<attributes><measure-style><measure-repeat type="start">1</measure-repeat></measure-style></attributes>',
                '<attributes><measure-style><measure-repeat type="stop"/></measure-style></attributes>' + note("G4", 4),
            ]
        ),
        row((1, 60), (1, 62), (1, 64), (1, 65), (1, 60), (1, 62), (1, 64), (1, 65), (4, 67)),
    ),
    "multiple rest": (
        score(
            [
                A4 + "<attributes><measure-style><multiple-rest>2</multiple-rest></measure-style></attributes>"
                + MEASURE_REST.format(4), MEASURE_REST.format(4), note("C4", 4),
            ]
        ),
        [(8, 4, 60)],
    ),
}  # fmt: skip

PITCHES = {
    "clarinet in B flat": ("<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>", "D4", [60]),
    "piccolo": ("<transpose><chromatic>0</chromatic><octave-change>1</octave-change></transpose>", "C4", [72]),
    "bass clarinet": (
        "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic><octave-change>-1</octave-change></transpose>",
        "D4",
        [48],
    ),
    "octave clef": (
        "<clef><sign>G</sign><line>2</line><clef-octave-change>-1</clef-octave-change></clef>", "C4", [60],
    ),
    "doubled below": ("<transpose><chromatic>0</chromatic><double/></transpose>", "C4", [48, 60]),
    "doubled above": ('<transpose><chromatic>0</chromatic><double above="yes"/></transpose>', "C4", [60, 72]),
    "another staff": ('<transpose number="2"><chromatic>-2</chromatic></transpose>', "C4", [60]),
}  # fmt: skip

READ = {**DURATIONS, **LAYERS, **TIES, **MEASURES}


@pytest.mark.parametrize("name", READ)
def test_notes_are_heard_as_written(read, name):
    text, expected = READ[name]
    piece, report = read(text)
    assert sorted(heard(piece)) == sorted(expected)
    assert report.notes_moved == report.notes_dropped == 0


@pytest.mark.parametrize("name", PITCHES)
def test_pitches_are_those_that_sound(read, name):
    inside, written, expected = PITCHES[name]
    assert [pitch for *_, pitch in heard(read(score([attributes(inside) + note(written)]))[0])] == expected


def test_an_octave_line_does_not_move_what_is_written_as_it_sounds(read):
    line = direction('<octave-shift type="down" size="8"/>')
    assert heard(read(score([A4 + line + note("C6")]))[0]) == [(0, 1, 84)]


def test_a_change_of_instrument_changes_the_transposition(read):
    b_flat = attributes("<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>", fifths=2)
    a = attributes("<transpose><diatonic>-2</diatonic><chromatic>-3</chromatic></transpose>", fifths=-3, time="")
    piece, _ = read(score([b_flat + note("D4", 4), a + note("Eb4", 4)]))
    assert [pitch for *_, pitch in heard(piece)] == [60, 60]
    assert piece.timeline("key") == [(0, "C major")]


def key(inside):
    return score([f"<attributes><divisions>1</divisions><key>{inside}</key></attributes>" + note("C4", 4)])


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<fifths>2</fifths>", "D major"),
        ("<fifths>-3</fifths><mode>minor</mode>", "C minor"),
        ("<fifths>-7</fifths><mode>minor</mode>", "Ab minor"),
        ("<cancel>2</cancel><fifths>0</fifths><mode>dorian</mode>", "D dorian"),
        ("<fifths>1</fifths><mode>none</mode>", "G major"),
        ("<key-step>F</key-step><key-alter>1</key-alter><key-step>C</key-step><key-alter>1</key-alter>", "D major"),
        ("<key-step>B</key-step><key-alter>-1</key-alter>", "F major"),
        ("<key-step>G</key-step><key-alter>1</key-alter>", None),
    ],
)
def test_keys_have_names(read, inside, expected):
    piece, report = read(key(inside))
    assert piece.key == expected
    assert (report.unread == 1) == (expected is None)
    assert bool(report.remarks) == (
        (expected is not None and "<mode>" not in inside.replace("none", "")) or "none" in inside
    )


@pytest.mark.parametrize(
    ("transpose", "fifths", "sounding"),
    [
        ("<diatonic>-1</diatonic><chromatic>-2</chromatic>", 2, "C major"),
        ("<diatonic>-4</diatonic><chromatic>-7</chromatic>", 0, "F major"),
        ("<diatonic>-5</diatonic><chromatic>-9</chromatic>", 6, "A major"),
        ("<chromatic>3</chromatic>", 0, "Eb major"),
        ("<diatonic>0</diatonic><chromatic>-2</chromatic>", 2, "C major"),
        ("<diatonic>-1</diatonic><chromatic>-2</chromatic>", -6, "E major"),
    ],
)
def test_keys_of_transposing_parts_are_those_that_sound(read, transpose, fifths, sounding):
    part = attributes(f"<transpose>{transpose}</transpose>", fifths=fifths) + note("C4", 4)
    assert read(score([part]))[0].key == sounding


def test_keys_change_and_those_of_a_second_staff_are_counted(read):
    change = '<attributes><key number="1"><fifths>1</fifths><mode>major</mode></key><key number="2"><fifths>4</fifths></key></attributes>'
    piece, report = read(score([attributes(fifths=0) + note("C4", 4), change + note("C4", 4)]))
    assert piece.timeline("key") == [(0, "C major"), (16, "G major")]
    assert report.staff_keys == 1


@pytest.mark.parametrize(
    ("inside", "expected", "beats"),
    [
        (' symbol="cut"><beats>2</beats><beat-type>2</beat-type>', "2/2", 4),
        ("><beats>3+2</beats><beat-type>8</beat-type>", "5/8", 2.5),
        ("><beats>2</beats><beat-type>4</beat-type><beats>3</beats><beat-type>8</beat-type>", "7/8", 3.5),
        (
            "><beats>3</beats><beat-type>4</beat-type><interchangeable><beats>6</beats><beat-type>8</beat-type>"
            "</interchangeable>",
            "3/4",
            3,
        ),
        ("><senza-misura/>", None, 11),
        ("><beats>2.5</beats><beat-type>4</beat-type>", "5/8", 2.5),
    ],
)
def test_metres_of_every_kind_are_read(read, inside, expected, beats):
    first = f"<attributes><divisions>1</divisions><time{inside}</time></attributes>"
    piece, _ = read(score([first + note("C4", beats), note("C4", beats)]))
    assert piece.timeline("metre") == [(0, expected)]


def test_metres_change_where_a_measure_says_so(read):
    change = "<attributes><time><beats>{}</beats><beat-type>4</beat-type></time></attributes>"
    text = score(
        [A4 + note("C4", 4), change.format(3) + note("D4", 3), note("E4", 3), change.format(4) + note("F4", 4)]
    )
    piece, _ = read(text)
    assert piece.timeline("metre") == [(0, "4/4"), (16, "3/4"), (40, "4/4")]
    assert piece.bar_onsets.tolist() == [0, 16, 28, 40]


@pytest.mark.parametrize(
    ("measures", "pickup", "metres", "lines"),
    [
        (["1:4/4", "4", "4"], 1, ["4/4"], [0, 1, 5]),
        (["1:1/4", "3:3/4", "3"], 1, ["3/4"], [0, 1, 4]),
        (["4:4/4", "2", "2", "4"], 0, ["4/4"], [0, 4, 8]),  # a bar in two measures, as at a repeat sign
        (["4:4/4", "5", "4"], 0, ["4/4", "5/4", "4/4"], [0, 4, 9]),
        (["4:4/4", "1", "4", "4"], 0, ["4/4", "1/4", "4/4"], [0, 4, 5, 9]),
        (["4:4/4", "4", "3"], 0, ["4/4"], [0, 4, 8]),  # the upbeat is missing at the end
        (["1:4/4", "4", "3", "1", "4"], 1, ["4/4"], [0, 1, 5, 9]),
        (["2:2/4", "2", "4:4/4"], 0, ["2/4", "4/4"], [0, 2, 4]),
    ],
)
def test_bar_lines_stand_where_measures_begin(read, measures, pickup, metres, lines):
    made = []
    for each in measures:
        beats, _, time = each.partition(":")
        made.append((attributes(time=time) if time else "") + note("C4", beats))
    piece, report = read(score(made))
    assert (piece.pickup_steps, [value for _, value in piece.timeline("metre")]) == (pickup * 4, metres)
    assert (piece.bar_onsets / 4).tolist() == lines
    assert report.odd_bars == 0


def test_a_bar_whose_length_no_metre_has_is_counted(read):
    _, report = read(score([attributes(divisions=3) + note("C4", 12), note("D4", 10), note("E4", 12)]))
    assert report.odd_bars == 1


def tempo_at_start(mark):
    return score([A4 + mark + note("C4", 4), note("D4", 4)])


METRONOME = "<metronome><beat-unit>{}</beat-unit>{}<per-minute>{}</per-minute></metronome>"


@pytest.mark.parametrize(
    ("mark", "tempo", "unread"),
    [
        ('<sound tempo="72.5"/>', 72.5, 0),
        (direction(METRONOME.format("quarter", "", "60")), 60, 0),
        (direction(METRONOME.format("quarter", "<beat-unit-dot/>", "60")), 90, 0),
        (direction(METRONOME.format("quarter", "<beat-unit-dot/><beat-unit-dot/>", "60")), 105, 0),
        (direction(METRONOME.format("half", "", "60")), 120, 0),
        (direction(METRONOME.format("eighth", "", "c. 120")), 60, 0),
        (direction(METRONOME.format("16th", "", "240")), 60, 0),
        (direction(METRONOME.format("quarter", "", "92,5")), 92.5, 0),
        (direction(METRONOME.format("quarter", "", "100-112")), 100, 0),
        (direction(METRONOME.format("quarter", "", "lively")), 100, 1),
        (direction(METRONOME.format("half", "", "60"), '<sound tempo="66"/>'), 66, 0),
        (direction("<words>Allegro</words>"), 100, 0),
        ('<sound tempo="0"/>', 100, 1),
    ],
)
def test_tempi_are_quarter_notes_a_minute(read, mark, tempo, unread):
    piece, report = read(tempo_at_start(mark))
    assert piece.timeline("tempo_qpm") == [(0, tempo)]
    assert report.unread == unread


def test_tempi_change_where_they_stand_or_where_their_offset_puts_them(read):
    sound = '<sound tempo="{}"/>'
    text = score(
        [
            A4
            + sound.format(60)
            + notes("C4 D4")
            + direction("<words>faster</words>", sound.format(90))
            + notes("E4 F4"),
            direction("<words>a</words>", sound.format(120), '<offset sound="yes">2</offset>') + note("C4", 4),
            direction("<words>a</words>", sound.format(150), "<offset>2</offset>") + note("C4", 4),
            '<sound tempo="180"><offset>1</offset></sound>' + note("C4", 4),
        ]
    )
    assert read(text)[0].timeline("tempo_qpm") == [(0, 60), (8, 90), (24, 120), (32, 150), (52, 180)]


def test_a_tempo_above_the_first_full_bar_holds_for_the_pickup(read):
    assert read(score([A4 + note("C4"), '<sound tempo="66"/>' + note("D4", 4)]))[0].timeline("tempo_qpm") == [(0, 66)]


def test_one_note_value_becomes_another(read):
    mark = direction("<metronome><beat-unit>quarter</beat-unit><beat-unit>half</beat-unit></metronome>")
    text = score([A4 + '<sound tempo="60"/>' + note("C4", 4), mark + note("D4", 4)])
    assert read(text)[0].timeline("tempo_qpm") == [(0, 60), (16, 120)]


JUMPS = {
    "repeat": (bars("CDE", (1, 1, REPEAT)), "CDCDE"),
    "repeat from a sign": (bars("CDEF", (1, 0, BEGIN), (2, 1, REPEAT)), "CDEDEF"),
    "three times": (bars("CD", (0, 1, barline('<repeat direction="backward" times="3"/>'))), "CCCD"),
    "endings": (bars("CDE", (1, 0, FIRST.format(1)), (1, 1, CLOSE.format(1)), (2, 0, FIRST.format(2)), (2, 1, LAST.format(2))), "CDCE"),
    "endings 1, 2 and 3": (bars("CDE", (1, 0, FIRST.format("1, 2")), (1, 1, CLOSE.format("1, 2")), (2, 0, FIRST.format(3)), (2, 1, LAST.format(3))), "CDCDCE"),
    "endings 1-3 and 4": (bars("CDE", (1, 0, FIRST.format("1-3")), (1, 1, CLOSE.format("1-3")), (2, 0, FIRST.format(4)), (2, 1, LAST.format(4))), "CDCDCDCE"),
    "a bracket over two measures": (
        bars("CDEF", (1, 0, FIRST.format(1)), (2, 1, CLOSE.format(1)), (3, 0, FIRST.format(2)), (3, 1, LAST.format(2))), "CDECF",
    ),
    "a bracket drawn too short": (
        bars("CDEF", (1, 0, FIRST.format(1)), (1, 1, LAST.format(1)), (2, 1, REPEAT), (3, 0, FIRST.format(2)), (3, 1, LAST.format(2))), "CDECF",
    ),
    "da capo": (bars("CDE", (0, 1, '<sound fine="yes"/>'), (2, 1, '<sound dacapo="yes"/>')), "CDEC"),
    "da capo in words": (bars("CDE", (0, 1, direction("<words>Fine</words>")), (2, 1, direction("<words>D.C. al Fine</words>"))), "CDEC"),
    "words above the measure": (bars("CDE", (0, 0, direction("<words>Fine</words>")), (2, 0, direction("<words>Da Capo al Fine</words>"))), "CDEC"),
    "dal segno": (bars("CDEF", (1, 0, '<sound segno="a"/>'), (2, 1, '<sound fine="yes"/>'), (3, 1, '<sound dalsegno="a"/>')), "CDEFDE"),
    "dal segno in signs": (bars("CDEF", (1, 0, direction("<segno/>")), (2, 1, direction("<words>Fine</words>")), (3, 1, direction("<words>D.S.</words>"))), "CDEFDE"),
    "coda": (
        bars("CDEF", (0, 1, '<sound tocoda="a"/>'), (2, 1, '<sound dacapo="yes"/>'), (3, 0, '<sound coda="a"/>')), "CDECF",
    ),
    "coda in signs": (
        bars("CDEF", (0, 1, direction("<coda/>")), (2, 1, direction("<words>D.C. al Coda</words>")), (3, 0, direction("<coda/>"))), "CDECF",
    ),
    "coda in words": (
        bars("CDEF", (0, 1, direction("<words>To Coda</words>")), (2, 1, direction("<words>D.C. al Coda</words>")), (3, 0, direction("<words>Coda</words>"))), "CDECF",
    ),
    "no repeats after a jump": (bars("CDE", (0, 1, REPEAT), (1, 1, '<sound fine="yes"/>'), (2, 1, '<sound dacapo="yes"/>')), "CCDECD"),
    "a segno behind the last note belongs to the next measure": (
        bars("CDEF", (0, 1, direction("<segno/>")), (3, 1, direction("<words>D.S.</words>"))), "CDEFDEF",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", JUMPS)
def test_repeats_and_jumps_are_played(read, name):
    text, expected = JUMPS[name]
    piece, report = read(text)
    assert order(piece) == expected
    assert report.repeats == report.unread == 0
    written, report = read(text, as_written=True)
    assert len(written) == text.count("<pitch>")
    assert report.repeats > 0


def test_a_repeat_sign_in_one_part_holds_for_all(read):
    text = score([A4 + note("C4", 4) + REPEAT, note("D4", 4)], [A4 + note("C3", 4), note("D3", 4)])
    piece, _ = read(text)
    assert [pitch for *_, pitch in heard(piece.voice(1))] == [48, 48, 50]


def test_a_repeat_sign_inside_a_measure_cuts_it(read):
    sign = barline('<repeat direction="backward"/>', "middle")
    piece, _ = read(score([A4 + note("C4", 2) + sign + note("D4", 2), note("E4", 4)]))
    assert heard(piece) == row((2, 60), (2, 60), (2, 62), (4, 64))


def test_ties_lead_into_each_ending(read):
    text = bars("CCC", (1, 0, FIRST.format(1)), (1, 1, CLOSE.format(1)), (2, 0, FIRST.format(2)))
    text = text.replace("<voice>", START + STOP + "<voice>")
    assert heard(read(text)[0]) == [(0, 16, 60)]


def test_metre_key_and_tempo_are_played_in_the_order_of_the_measures(read):
    first = attributes(fifths=0) + '<sound tempo="60"/>' + note("C4", 4)
    second = attributes(fifths=1, time="3/4") + '<sound tempo="90"/>' + note("D4", 3) + REPEAT
    piece, _ = read(score([first, second]))
    assert piece.timeline("metre") == [(0, "4/4"), (16, "3/4"), (28, "4/4"), (44, "3/4")]
    assert piece.timeline("key") == [(0, "C major"), (16, "G major"), (28, "C major"), (44, "G major")]
    assert piece.timeline("tempo_qpm") == [(0, 60), (16, 90), (28, 60), (44, 90)]


KIT = "".join(
    [
        "<part-name>Drums</part-name>",
        '<score-instrument id="K"><instrument-name>Bass Drum</instrument-name></score-instrument>',
        '<score-instrument id="S"><instrument-name>Snare</instrument-name></score-instrument>',
        '<midi-instrument id="K"><midi-channel>10</midi-channel><midi-unpitched>37</midi-unpitched></midi-instrument>',
        '<midi-instrument id="S"><midi-channel>10</midi-channel><midi-unpitched>39</midi-unpitched></midi-instrument>',
    ]
)


def test_each_stroke_is_the_drum_of_its_instrument(read):
    beats = note("xF4", 1, '<instrument id="K"/>') + note("xC5", 1, '<instrument id="S"/>')
    piece, report = read(score([A4 + note("C4", 4)], [A4 + beats], headers=("<part-name>Flute</part-name>", KIT)))
    assert piece.programs == (73, DRUMS)
    assert heard(piece.voice(1)) == row((1, 36), (1, 38))
    assert report.drum_notes == 2


def test_strokes_without_a_drum_are_those_of_their_name_or_line(read):
    named = KIT.replace("<midi-unpitched>37</midi-unpitched>", "")
    piece, report = read(score([A4 + note("xF4", 1, '<instrument id="K"/>')], headers=(named,)))
    assert (heard(piece), report.drums_guessed) == ([(0, 1, 36)], 0)
    piece, report = read(score([A4 + notes("xF4 xC5 xG5")], headers=("<part-name>Drumset</part-name>",)))
    assert ([pitch for *_, pitch in heard(piece)], report.drums_guessed) == ([36, 38, 42], 3)
    assert piece.programs == (DRUMS,)


def test_a_part_of_notes_and_strokes_becomes_two_voices(read):
    piece, _ = read(score([A4 + note("C4") + note("xC5")]))
    assert piece.programs == (0, DRUMS)
    assert [(*each[:3], each[4]) for each in piece.notes.tolist()] == [(0, 4, 60, 0), (4, 4, 38, 1)]


def test_pitched_notes_on_the_channel_of_percussion_are_drums_and_not_transposed(read):
    kit = '<part-name>D</part-name><midi-instrument id="K"><midi-channel>10</midi-channel></midi-instrument>'
    part = attributes("<transpose><chromatic>-12</chromatic></transpose>") + note("C2")
    piece, _ = read(score([part], headers=(kit,)))
    assert (piece.programs, heard(piece)) == ((DRUMS,), [(0, 1, 36)])


@pytest.mark.parametrize(
    ("header", "program"),
    [
        ("<part-name>Violin</part-name>", 40),
        ("<part-name>Soprano</part-name>", 0),
        ('<part-name>x</part-name><midi-instrument id="I"><midi-program>57</midi-program></midi-instrument>', 56),
        ('<part-name>x</part-name><midi-instrument id="I"><midi-program>0</midi-program></midi-instrument>', 0),
        (
            '<part-name>x</part-name><score-instrument id="I"><instrument-name>y</instrument-name>'
            "<instrument-sound>wind.flutes.flute</instrument-sound></score-instrument>",
            73,
        ),
    ],
)
def test_programs_come_from_the_file_or_from_a_name_of_general_midi(read, header, program):
    assert read(score([A4 + note("C4")], headers=(header,)))[0].programs == (program,)


def test_the_instrument_that_plays_most_gives_the_program_and_the_others_are_counted(read):
    two = '<part-name>x</part-name><midi-instrument id="A"><midi-program>41</midi-program></midi-instrument>'
    two += '<midi-instrument id="B"><midi-program>46</midi-program></midi-instrument>'
    played = note("C4", 1, '<instrument id="A"/>') + note("D4", 1, '<instrument id="B"/>') * 2
    piece, report = read(score([A4 + played], headers=(two,)))
    assert (piece.programs, report.other_programs) == ((45,), 1)


def test_what_is_left_out_is_counted_in_plain_words(read):
    grace = "<note><grace/><pitch><step>A</step><octave>4</octave></pitch></note>"
    trill = note("C4", 1, "<notations><ornaments><trill-mark/></ornaments></notations>")
    quarter_tone = note("C4").replace("</step>", "</step><alter>0.5</alter>")
    slash = '<attributes><measure-style><slash type="start"/></measure-style></attributes>'
    cue = note("C4").replace("<note>", "<note><cue/>")
    _, report = read(score([A4 + grace * 2 + trill + quarter_tone + slash + cue]))
    assert str(report) == (
        "grace notes left out: 2; cue notes left out: 1; ornaments read as their plain notes: 1; "
        "notes between two semitones moved to one: 1; signs not understood and passed over: 1"
    )


def test_a_grid_that_is_asked_for_says_what_it_moved(read):
    piece, report = read(score([attributes(divisions=3) + note("C4", 1) * 3]), steps_per_beat=4)
    assert piece.steps_per_beat == 4
    assert report.notes_moved > 0


def test_other_metres_of_other_parts_are_counted(read):
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
