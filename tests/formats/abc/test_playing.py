"""From tune to piece: what sounds, when, and what the report says of the rest."""

import pytest

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import DRUMS
from musegen_lib.formats.abc.bars import Bar, to_measures
from musegen_lib.formats.abc.reader import parse_abc, read_abc, tune_to_piece

LETTERS = dict(zip((60, 62, 64, 65, 67, 69, 71), "CDEFGAB"))


def play(music, header="M:4/4\nL:1/4\nK:C", **options):
    return tune_to_piece(parse_abc(f"X:1\n{header}\n{music}\n")[0], **options)


def rows(music, **options):
    """(onset, length, pitch) in quarter notes."""
    piece, _ = play(music, **options)
    grid = piece.steps_per_beat
    return [(n["onset_steps"] / grid, n["duration_steps"] / grid, n["pitch"]) for n in piece.notes]


def letters(music, **options):
    return "".join(LETTERS[pitch] for *_, pitch in rows(music, **options))


@pytest.mark.parametrize(
    ("music", "order"),
    [
        ("|:C4:|D4|", "CCD"),
        ("C4:|D4:|", "CCDD"),
        ("|:C4::D4:|", "CCDD"),
        ("|:C4:|:D4:|", "CCDD"),
        ("|:C4|D4:|:E4:|", "CDCDEE"),
        ("|::C4::|D4|", "CCCD"),
        ("|:C4|1D4:|2E4|]F4|", "CDCEF"),
        ("|:C4|[1D4:|[2E4||F4|", "CDCEF"),
        ("|:C4|1,3D4:|2,4E4:|F4|]", "CDCECDCEF"),
        ("|:C4|1-3D4:|4E4|F4|]", "CDCDCDCEF"),
        ("|:C2[1D2:|[2E2|F4|]", "CDCEF"),
        ("C4||D4:||E4|", "CDCDE"),
        ("A4:|B4||C4||D4:|", "AABCDD"),  # no sign begins the last repeat: it begins at the double bar
        ("C4||:D4:||E4|", "CDDE"),
        ("C4||\n:D4:|", "CDD"),
        ("C4|[|]:|\n|:D4[|]:|", "CCDD"),
        ("|:C4|D4:|1E4|", "CDCDE"),
        ("C4|D4!fine!|E4!D.C.!|", "CDECD"),
        ('C4|D4"Fine"|E4"^D.C. al Fine"|]', "CDECD"),
        ("C4|!segno!D4|E4!fine!|F4!D.S.alfine!|", "CDEFDE"),
        ("C4|D4!dacoda!|E4!D.C.alcoda!|!coda!F4|", "CDECDF"),
        ('C4|SD4|OE4|"D.S. al Coda"F4|OG4|', "CDEFDEG"),
        ("P:A\nC4|\nP:B\nD4|", "CD"),
    ],
)
def test_bars_are_played_in_the_order_a_musician_reads(music, order):
    assert letters(music) == order


@pytest.mark.parametrize(
    ("order", "expected"), [("AABB", "CCDD"), ("A3", "CCC"), ("(AB)2A", "CDCDC"), ("A2.B2", "CCDD"), ("BA", "DC")]
)
def test_parts_are_played_in_the_order_of_the_header(order, expected):
    assert letters("P:A\nC4|\nP:B\nD4|", header=f"M:4/4\nP:{order}\nL:1/4\nK:C") == expected


def test_parts_marked_before_the_first_voice_count():
    header = "M:4/4\nP:ABA\nL:1/4\nK:C"
    assert letters("P:A\n[V:1]C4|\nP:B\n[V:1]D4|", header=header) == "CDC"


def test_notes_that_are_never_reached_are_counted():
    assert str(play("P:A\nC4|\nP:B\nD4|", header="P:A\nL:1/4\nK:C")[1]).endswith("never reach: 1")


def test_more_parts_than_can_be_played_are_refused_in_one_line():
    with pytest.raises(MusegenError, match=r"the parts of P:A9999B9999 are more than .*; read it --as-written"):
        play("P:A\nC|\nP:B\nD|", header="P:A9999B9999\nL:1/4\nK:C")


def test_changes_behind_the_last_note_are_left_out():
    piece, _ = play("C4|[M:3/4][K:G][Q:1/4=60]z3|")
    assert not piece.metre_changes + piece.key_changes + piece.tempo_changes


def test_more_than_can_be_played_is_refused_in_one_line():
    with pytest.raises(MusegenError, match=r"line 1: tune X:1: repeats make more than .*; read it --as-written"):
        play("|:C:|\n" * 6000)


def test_layers_sound_together_and_the_longer_of_a_unison_stays():
    assert rows("C4&E2G2|D4") == [(0, 4, 60), (0, 2, 64), (2, 2, 67), (4, 4, 62)]
    piece, report = play("E4&E2z2|")
    assert (len(piece), report.unisons) == (1, 1)
    two_bars_back = rows("G4 F4|E6 E2&&(D8|C6) C2|", header="M:4/4\nL:1/8\nK:C")
    assert {(0, 4, 62), (4, 3, 60), (7, 1, 60)} < set(two_bars_back)


def test_ties_hold_the_notes_of_a_chord_one_by_one():
    assert rows("[C-E]2[CG]2|") == [(0, 4, 60), (0, 2, 64), (2, 2, 67)]
    assert rows("[CE]2-[CE]2|") == [(0, 4, 60), (0, 4, 64)]


def test_a_tie_into_a_second_ending_strikes_the_note_anew():
    assert rows("|:C4|1D4-:|2D4|") == [(0, 4, 60), (4, 4, 62), (8, 4, 60), (12, 4, 62)]


@pytest.mark.parametrize(
    ("key", "sounds"),
    [
        ("C clef=treble-8", 48),
        ("C treble+8", 72),
        ("C clef=bass", 60),
        ("C octave=1 transpose=-2", 70),
        ("C middle=d", 60),
    ],
)
def test_clefs_and_fields_of_the_key_say_how_it_sounds(key, sounds):
    assert rows("C4|", header=f"L:1/4\nK:{key}")[0][2] == sounds


def test_a_voice_sounds_as_its_field_says_and_the_key_with_it():
    piece, _ = play("[V:1]D4|\n[V:2]D4|", header="L:1/4\nV:1 transpose=-2\nV:2 clef=treble-8\nK:D")
    assert piece.notes["pitch"].tolist() == [60, 50]
    assert piece.key == "C major"
    assert rows("C2|\n%%MIDI transpose 3\nC2|") == [(0, 2, 60), (2, 2, 63)]


def test_percussion_and_instruments_are_kept():
    piece, _ = play("V:1\n%%MIDI program 40\nC4|\nV:2 clef=perc\n%%MIDI channel 10\nC,,4|\nV:3 perc\nD,,4|")
    assert piece.programs == (40, DRUMS, DRUMS)
    assert piece.notes["pitch"].tolist() == [60, 36, 38]


@pytest.mark.parametrize(
    ("field", "qpm"),
    [
        ("1/4=120", 120),
        ("3/8=60", 90),
        ("120", 60),
        ('"Allegro" 1/4=96', 96),
        ("1/4 3/8 1/4 3/8=40", 200),
        ("C=100", 50),
        ("C3=40", 60),
        ('1/4=60 "x" % 9', 60),
        ('"Allegro"', 100),
        ("1/4", 100),
    ],
)
def test_tempi_count_quarter_notes_a_minute(field, qpm):
    piece, report = play("C4|", header=f"L:1/8\nQ:{field}\nK:C")
    assert piece.tempo_qpm == qpm
    assert ("tempo marks without a number: 1" in str(report)) == (qpm == 100)


def test_changes_come_back_with_the_repeat():
    piece, _ = play("|:C4[Q:1/4=60][M:3/4]|D3:|", header="M:4/4\nQ:1/4=120\nL:1/4\nK:C")
    assert piece.tempo_changes == ((16, 60.0), (28, 120.0), (44, 60.0))
    assert piece.metre_changes == ((16, "3/4"), (28, "4/4"), (44, "3/4"))


@pytest.mark.parametrize(
    ("music", "pickup", "metres", "lines"),
    [
        ("G|CDEF|GABc|", 1, ["4/4"], [0, 1, 5]),
        ("CDEF|GABc|", 0, ["4/4"], [0, 4]),
        ("CDEF|GAB|cdef|gfed|c4|", 0, ["4/4", "3/4", "4/4"], [0, 4, 7, 11, 15]),
        ("DCDEF|GABc|cdef|gfed|", 0, ["5/4", "4/4"], [0, 5, 9, 13]),
        ("G|CDEF|GAB|cdef|gfe|", 1, ["4/4", "3/4", "4/4"], [0, 1, 5, 8, 12]),
        ("CDEF|[M:3/4]CDE|[M:4/4]CDEF|", 0, ["4/4", "3/4", "4/4"], [0, 4, 7]),
        ("[M:3/4]CDE|[M:4/4]CDEF|GABc|", 0, ["3/4", "4/4"], [0, 3, 7]),
        ("[M:1/4]G|\nM:3/4\nCDE|DCB|", 1, ["3/4"], [0, 1, 4]),
        ("CDEF|GA\nBc|cdef|", 0, ["4/4"], [0, 4, 8]),  # a line may end within a bar
        ("CDEF|GABc\ncdef|gfed|", 0, ["4/4"], [0, 4, 8, 12]),  # or write no bar line at its end
        ("CDEF|GA||Bc|cdef|", 0, ["4/4"], [0, 4, 8]),  # a double bar between the halves of a bar
        ("CDEF|GABcdefga|", 0, ["4/4"], [0, 4, 8, 12]),
        ("CDEF|GABcd|", 0, ["4/4", "5/4"], [0, 4]),
        ("CDEF|GA|B|", 0, ["4/4"], [0, 4]),
        ("CDEFGABc", 0, ["4/4"], [0, 4]),
        ("CDEFGABcde", 0, ["4/4"], [0, 4, 8]),
        ("|:A|BCDE|FGA:|cdef|", 1, ["4/4", "3/4", "4/4"], [0, 1, 5, 9, 13, 16]),
        ("|:A|BCDE|FGA:||:A|BCDE|FGA:|", 1, ["4/4"], [0, 1, 5, 9, 13, 17, 21, 25, 29]),
        ("|:A|BCDE|FGAB:|cdef|", 1, ["4/4", "1/4", "4/4"], [0, 1, 5, 9, 10, 14, 18]),
    ],
)
def test_bar_lines_stand_where_they_are_written(music, pickup, metres, lines):
    piece, report = play(music)
    assert (piece.pickup_steps, [metre for _, metre in piece.timeline("metre")]) == (4 * pickup, metres)
    assert (piece.bar_onsets / 4).tolist() == lines
    assert report.odd_bars == 0


def test_endings_of_two_lengths_keep_their_bar_lines_as_written():
    piece, report = play("|:A|BCDE|1FGA:|2FGAB|", as_written=True)
    assert (piece.bar_onsets / 4).tolist() == [0, 1, 5, 8]
    assert "bars of another length than the metre: 1" in str(report)
    assert "another length" not in str(play("|:A|BCDE|1FGA:|2FGA|")[1])


def test_a_bar_whose_length_no_metre_has_is_counted():
    assert play("C4|DEFG(3:2:1c|C4|")[1].odd_bars == 1
    assert play("C4|DEFG(3:2:1c|")[1].odd_bars == 0  # no bar line follows that could be off


def test_a_pickup_stays_one_where_it_is_repeated():
    piece, _ = play("|:G|CDE|DCB|C2:|", header="M:3/4\nL:1/4\nK:C")
    assert (piece.pickup_steps, piece.n_bars) == (4, 7)


@pytest.mark.parametrize(
    ("music", "header", "n_signs"),
    [
        ("|:C4:|D4!D.C.!|", "", 2),
        ("|:C4|1D4:|2E4|", "", 1),
        ("C4|D4||", "", 0),
        ("P:A\nC4|\nP:B\nD4|", "P:ABA\n", 1),
        ("P:A\nC4|\nP:B\nD4|", "P:AB\n", 0),
        ("|:C:|\n" * 6000, f"P:{'A9999' * 20}\n", 6000),
    ],
)
def test_repeats_left_as_written_are_counted(music, header, n_signs):
    assert play(music, header=f"{header}M:4/4\nL:1/4\nK:C", as_written=True)[1].repeats == n_signs
    if n_signs < 6000:
        assert play(music, header=f"{header}M:4/4\nL:1/4\nK:C")[1].repeats == 0


def test_letters_that_are_no_notes_are_not_read():
    music = '!trill!C uvT.~D ["Am"!f!E] y2 F !5!G\nw: A B C\ns: A B\n+: A B C\n[r:A B]A [I:text A]B|'
    assert letters(music) == "CDEFGAB"


def test_music_between_signs_that_break_lines_is_music():
    assert letters("CDEF!GABC!D4") == "CDEFGABCD"


def test_what_is_passed_over_is_counted():
    report = str(play('"Am"C 3 D # E\n', header="m:~n=n\nL:1/4\nK:C")[1])
    for line in ("chord symbols left out: 1", "macros (m:) not expanded: 1", "numbers that follow no note, ignored: 1"):
        assert line in report
    assert "signs not understood and passed over: 1" in report


@pytest.mark.parametrize(("rule", "second"), [("", 65), ("%%propagate-accidentals pitch\n", 66)])
def test_accidentals_hold_in_other_octaves_where_the_file_says_so(rule, second):
    piece, report = play("^fF|", header=f"{rule}L:1/4\nK:C")
    assert piece.notes["pitch"].tolist() == [78, second]
    assert ("in another octave of the bar: 1" in str(report)) == (second == 65)


def test_tunes_without_numbers_are_read_and_so_is_free_text_passed_over():
    tunes = parse_abc("T:one\nK:C\nCD|\n\nSome words of a | song\n\nT:two\nK:G\nF|\n")
    assert [tune.titles for tune in tunes] == [("one",), ("two",)]
    assert [len(tune.notes) for tune in tunes] == [2, 1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_are_found(tmp_path, encoding, end):
    (tmp_path / "x.abc").write_bytes(end.join(["X:1", "T:Mädchen", "K:C", "CD|", ""]).encode(encoding))
    [tune] = read_abc(tmp_path / "x.abc")
    assert (tune_to_piece(tune)[0].title, len(tune.notes)) == ("Mädchen", 2)


def test_titles_are_read_with_their_accents():
    assert play("C|", header='T:M\\"uller \\% 5 % a remark\nK:C')[0].title == "Müller % 5"


@pytest.mark.parametrize(
    ("music", "fermatas", "remark"),
    [
        ("CD!fermata!E2|HF4|]", (2, 4), ""),
        ("|:CDHE2|1 HF4:|2 G4|]", (2, 4, 10), ""),  # played twice, without what only the first ending has
        ("CD[HCE]2|+fermata+[FA]4-|[FA]4|]", (2, 4), ""),
        ("H(3CDE HE>F HG2-|G4|]", (0, 2, 4), ""),
        ("CD HE2 & HG,4|", (2,), ""),  # a voice may still move to the pause
        ("CDE!fermata!z|F4!fermata!|]", (), "fermatas over rests and bar lines left out: 2"),
    ],
)
def test_fermatas_stand_over_the_notes_as_they_are_played(music, fermatas, remark):
    piece, report = play(music, steps_per_beat=12)
    assert [step / 12 for step in piece.fermatas] == list(fermatas)
    assert (remark in str(report)) if remark else "fermata" not in str(report)


def test_the_letter_h_is_no_fermata_where_the_tune_says_so():
    assert play("HC4|", header="M:4/4\nL:1/4\nU: H = !trill!\nK:C")[0].fermatas == ()


def test_measures_carry_the_signs_at_their_ends():
    bars = [Bar(0, "|:", ""), Bar(4, "|", "1"), Bar(8, ":|", "2"), Bar(12, "||", "")]
    found = to_measures(bars, [(12, "da capo")], 16)
    assert [(m.repeat_begins, m.times, m.endings, m.jump) for m in found] == [
        (True, 1, (), ""),
        (False, 2, (1,), ""),
        (False, 1, (2,), ""),
        (True, 1, (), "da capo"),
    ]
