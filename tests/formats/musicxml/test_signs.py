"""Keys, metres, bar lines and tempi of small scores."""

import pytest
from musicxml_snippets import attributes, direction, heard, note, notes, read, score

A4 = attributes()


def test_a_change_of_instrument_changes_the_transposition():
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
        ("<fifths>0</fifths>", "C major"),
        ("<fifths>-3</fifths><mode>minor</mode>", "C minor"),
        ("<fifths>-7</fifths><mode>minor</mode>", "Ab minor"),
        ("<cancel>2</cancel><fifths>0</fifths><mode>dorian</mode>", "D dorian"),
        ("<fifths>1</fifths><mode>none</mode>", "G major"),
        ("<key-step>F</key-step><key-alter>1</key-alter><key-step>C</key-step><key-alter>1</key-alter>", "D major"),
        ("<key-step>B</key-step><key-alter>-1</key-alter>", "F major"),
        ("<key-step>G</key-step><key-alter>1</key-alter>", None),
    ],
)
def test_keys_have_names(inside, expected):
    piece, report = read(key(inside))
    assert piece.key == expected
    assert (report.unread == 1) == (expected is None)
    is_stated = "<mode>" in inside and "none" not in inside
    guess = () if is_stated or expected in ("C major", None) else (f"no mode in the file: read as {expected}",)
    assert report.remarks == guess


@pytest.mark.parametrize(
    ("music", "expected", "remark"),
    [
        (note("C4") + note("G4", 3), "G major", ""),
        (note("G4") + note("E4", 3), "E minor", "no mode in the file: read as E minor by its last low note"),
        (note("G4") + note("B4", 3), "G major", "no mode in the file: read as G major"),
        (
            note("E3", 4) + note("G4", 4, chord=True),
            "E minor",
            "no mode in the file: read as E minor by its last low note",
        ),
        (
            note("E3", 4)
            + "<backup><duration>4</duration></backup>"
            + note("D5", 2, voice="2")
            + note("G5", 2, voice="2"),
            "E minor",
            "no mode in the file: read as E minor by its last low note",
        ),
        (note("xE4", 4), "G major", ""),
    ],
)
def test_a_key_without_a_mode_is_read_by_the_last_low_note(music, expected, remark):
    signature = "<attributes><divisions>1</divisions><key><fifths>1</fifths></key></attributes>"
    piece, report = read(score([signature + music]))
    assert (piece.key, "; ".join(report.remarks)) == (expected, remark)


def test_each_of_several_keys_without_a_mode_is_read_by_the_last_low_note():
    part = [
        f"<attributes><divisions>1</divisions><key><fifths>{fifths}</fifths></key></attributes>" + note("G3", 4)
        for fifths in (-2, 1, 2, -2)
    ]
    piece, report = read(score(part))
    assert [key for _, key in piece.timeline("key")] == ["G minor", "G major", "D major", "G minor"]
    assert report.remarks == ("no mode in the file: read as G minor by its last low note, D major",)


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
def test_keys_of_transposing_parts_are_those_that_sound(transpose, fifths, sounding):
    part = attributes(f"<transpose>{transpose}</transpose>", fifths=fifths) + note("C4", 4)
    assert read(score([part]))[0].key == sounding


def test_keys_change_and_those_of_a_second_staff_are_counted():
    change = '<attributes><key number="1"><fifths>1</fifths><mode>major</mode></key>'
    change += '<key number="2"><fifths>4</fifths></key></attributes>'
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
def test_metres_of_every_kind_are_read(inside, expected, beats):
    first = f"<attributes><divisions>1</divisions><time{inside}</time></attributes>"
    piece, _ = read(score([first + note("C4", beats), note("C4", beats)]))
    assert piece.timeline("metre") == [(0, expected)]


def test_metres_change_where_a_measure_says_so():
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
        (["3:3/4", "4:4/4", "4"], 0, ["3/4", "4/4"], [0, 3, 7]),
        (["4:4/4", "5"], 0, ["4/4", "5/4"], [0, 4]),
    ],
)
def test_bar_lines_stand_where_measures_begin(measures, pickup, metres, lines):
    made = []
    for each in measures:
        beats, _, time = each.partition(":")
        made.append((attributes(time=time) if time else "") + note("C4", beats))
    piece, report = read(score(made))
    assert (piece.pickup_steps, [value for _, value in piece.timeline("metre")]) == (pickup * 4, metres)
    assert (piece.bar_onsets / 4).tolist() == lines
    assert report.odd_bars == 0
    assert ("another length" in str(report)) == (len(metres) > 1 and ":" not in "".join(measures[1:]))


def test_a_bar_whose_length_no_metre_has_is_counted():
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
def test_tempi_are_quarter_notes_a_minute(mark, tempo, unread):
    piece, report = read(tempo_at_start(mark))
    assert piece.timeline("tempo_qpm") == [(0, tempo)]
    assert report.unread == unread


def test_tempi_change_where_they_stand_or_where_their_offset_puts_them():
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


def test_a_tempo_above_the_first_full_bar_holds_for_the_pickup():
    assert read(score([A4 + note("C4"), '<sound tempo="66"/>' + note("D4", 4)]))[0].timeline("tempo_qpm") == [(0, 66)]


def test_one_note_value_becomes_another():
    mark = direction("<metronome><beat-unit>quarter</beat-unit><beat-unit>half</beat-unit></metronome>")
    text = score([A4 + '<sound tempo="60"/>' + note("C4", 4), mark + note("D4", 4)])
    assert read(text)[0].timeline("tempo_qpm") == [(0, 60), (16, 120)]
