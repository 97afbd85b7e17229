"""Files that people wrote for other programs, or by hand: what is no music stays silent, what is music is heard."""

import time

import pytest

from musegen_lib.core.errors import MusegenError
from musegen_lib.formats.abc.reader import parse_abc, read_abc, tune_to_piece

HEADER = "X:1\nT:t\nM:4/4\nL:1/4\nQ:1/4=120\nK:C\n"
SCALE = [60, 62, 64, 65]


def play(music, **changed):
    """The first tune of a text with other header values by letter."""
    header = HEADER
    for letter, value in changed.items():
        header = "".join(
            f"{letter}:{value}\n" if line.startswith(f"{letter}:") else line for line in header.splitlines(True)
        )
    return tune_to_piece(parse_abc(header + music)[0])


def pitches(music, **changed):
    return play(music, **changed)[0].notes["pitch"].tolist()


@pytest.mark.parametrize(
    ("sign", "text"),
    [
        ("CDEF|GABc !fine!|c4 !D.C. al fine!|]", 'CDEF|GABc "fine"|c4 "D.C. al fine"|]'),
        ("CDEF|GABc +fine+|c4 +D.C. al fine+|]", 'CDEF|GABc "fine"|c4 "D.C. al fine"|]'),
        ("!segno!C4|D4 !To Coda!|E4 !D.S. al Coda!|!coda!F4|]", '!segno!C4|D4"To Coda"|E4"D.S. al Coda"|!coda!F4|]'),
        ("CDEF|c4 !D. C.!|]", 'CDEF|c4 "D.C."|]'),
        ("CDEF|!p dolce!GABc|]", "CDEF|GABc|]"),
        ("!poco rit.!CDEF|]", "CDEF|]"),
    ],
)
def test_words_between_exclamation_marks_are_no_notes_and_jumps_are_taken(sign, text):
    assert pitches(sign) == pitches(text)


@pytest.mark.parametrize("music", ["CDEF|!GABc|", "CDEF!GABc|", "!CDEF GABc!", "!C D E F! G A B c", "CDEF|GABc!"])
def test_exclamation_marks_that_break_lines_are_passed_over(music):
    assert pitches(music) == [*SCALE, 67, 69, 71, 72]


@pytest.mark.parametrize("kind", ["text", "ps", "svg", "text justify"])
def test_blocks_for_other_programs_are_skipped(kind):
    block = f"%%begin{kind}\nA B C D | E F\n\nX:5 is my number\nK:G\n%%end{kind.split()[0]}\n"
    for text in (block + HEADER + "CDEF|", HEADER.replace("K:", block + "K:") + "CDEF|", HEADER + block + "CDEF|"):
        [tune] = parse_abc(text)
        assert [pitch for _, _, pitch in tune.notes] == SCALE


@pytest.mark.parametrize(
    "line",
    ["| Date | Place |", "|Tom|Bob|Ann|", "| 12 | 1888 |", "|---|---|", "A Day in Maine | 1900", "Words | words"],
)
def test_free_text_behind_an_empty_line_is_no_music_though_it_has_bars(line):
    assert pitches(f"CDEF|]\n\n{line}\n") == SCALE


def test_music_behind_an_empty_line_is_read():
    assert pitches('CDEF|]\n\n"Am"G2 !trill!A2|[K:Gmix] "slowly"c4|]\n') == [*SCALE, 67, 69, 72]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_a_chord_in_which_the_file_ends_is_kept(end):
    assert pitches("CDEF|GA[Bd" + end) == [*SCALE, 67, 69, 71, 74]
    assert pitches("CDE[F" + end) == SCALE


@pytest.mark.parametrize(
    "value", ["1/4=ca. 120", "1/4=c120", "1/4=~120", "1/4:120", "1/4 = about 120", "Allegro 1/4=120"]
)
def test_tempi_are_read_as_people_write_them(value):
    piece, report = play("CDEF|", Q=value)
    assert (piece.tempo_qpm, str(report)) == (120, "read completely")


@pytest.mark.parametrize("value", ["1/8 = 1/4", "1/4=99999", "brisk"])
def test_what_is_no_tempo_is_counted(value):
    piece, report = play("CDEF|", Q=value)
    assert (piece.tempo_qpm, report.remarks) == (100, ("tempo marks without a number: 1",))


def test_tempi_that_nobody_plays_are_told():
    assert "tempi below 10 or above 1,000 quarter notes a minute: 1" in str(play("CDEF|", Q="1/4=5")[1])


@pytest.mark.parametrize("voices", ["V:1\nV:2\nK:C\n", "K:C\n"])
def test_channels_of_the_header_are_those_of_the_voices_in_order(voices):
    text = "X:1\n%%MIDI program 1 73\n%%MIDI program 2 42\n" + voices + "V:1\nCDEF|\nV:2\nCDEF|\n"
    assert tune_to_piece(parse_abc(text)[0])[0].programs == (73, 42)


def test_units_are_read_with_spaces_and_other_values_counted():
    assert parse_abc(HEADER.replace("1/4\nQ", "1 / 8\nQ") + "CDEF|")[0].notes[-1] == (72, 24, 65)
    for value in ("eighth", "0.25"):
        assert str(play("CDEF|", L=value)[1]) == "values of L: that are no fraction such as 1/8, ignored: 1"
    assert str(play("[L:quarter]CDEF|")[1]) == "values of L: that are no fraction such as 1/8, ignored: 1"


@pytest.mark.parametrize(("value", "metre"), [("2/4+3/8", "7/8"), ("2/4 + 3/8", "7/8"), ("6 / 8", "6/8")])
def test_metres_are_added(value, metre):
    assert play("Z|Z|C3|", M=value)[0].metre == metre


@pytest.mark.parametrize(
    ("key", "name", "first"),
    [("B♭", "Bb major", 60), ("F♯m", "F# minor", 61), ("C shift=CD", "D major", 62), ("C t=-12", "C major", 48)],
)
def test_keys_are_read_with_their_signs_and_shifts(key, name, first):
    piece, report = play("CDE|", K=key)
    assert (piece.key, piece.notes["pitch"][0], str(report)) == (name, first, "read completely")


def test_what_a_field_says_of_the_sound_is_counted_where_it_is_not_taken():
    assert str(play("CDE|", K="C sound=D")[1]) == "sound= of K: and V: ignored: 1"


def test_lines_of_decorations_and_remarks_are_no_notes():
    assert pitches("CDEF|\nd:!trill! * *\nr:a bad cadence\n") == SCALE
    assert pitches("CDE\nF:|\n") == SCALE * 2


def test_a_whole_rest_without_a_metre_is_a_bar_of_four_quarters():
    assert parse_abc("X:1\nM:none\nL:1/4\nK:C\nCZD")[0].notes[-1] == (5 * 48, 48, 62)


def test_letters_written_for_web_pages_are_read():
    html = "<html><body><pre>\n" + HEADER + 'C&gt;D E2|["1st"F4|]\n</pre></body></html>\n'
    assert parse_abc(html)[0].notes[:2] == ((0, 72, 60), (72, 24, 62))
    assert pitches("CDEF|]\n</pre></body></html>") == SCALE
    assert parse_abc("<pre>\n" + HEADER + "C<DE>F|\n</pre>")[0].notes[0][1] == 24


def test_endings_may_have_text():
    for first, second in (("1st", "2nd"), ("1.", "2."), ("1", "2")):
        assert pitches(f'|:C4|["{first}" D4:|["{second}" E4|]') == [60, 62, 60, 64]
    assert pitches('["2"CE]4|') == [60, 64]


def test_signs_that_are_not_understood_are_named_with_their_line():
    piece, report = play("CDEH|cd\nH2|? ;|")
    assert (len(piece), report.unread) == (5, 4)
    assert report.remarks == ("signs not understood: 'H' (line 7), 'H2' (line 8), '?' (line 8), ...",)
    piece, report = play("HC2 HTD2|E4 H|]")
    assert piece.fermatas == (0, 8)
    assert report.remarks == ("fermatas over rests and bar lines left out: 1",)


GOOD, BAD = "X:1\nK:C\nCDEF|\n\n", "X:2\nT:no key\nCDEF|\n\n"


@pytest.mark.parametrize("bad", [BAD, "X:2\nL:1/0\nK:C\nC\n\n", "X:2\nK:C\nC99999999999\n\n"])
def test_a_bad_tune_leaves_the_others_alone(bad):
    faults = []
    assert len(parse_abc(GOOD + bad + GOOD, "x.abc", faults)) == len(parse_abc(GOOD + bad + GOOD)) == 2
    assert len(faults) == 1
    assert faults[0].startswith("x.abc, line ")
    with pytest.raises(MusegenError, match="line"):
        parse_abc(bad)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"MThd\0\0\0\6", "holds MIDI; rename it .mid"),
        (b"<?xml version='1.0'?><score-partwise/>", "holds XML"),
        ("<?xml version='1.0'?><score-partwise/>".encode("utf-16"), "holds XML"),
        (b"PK\3\4\0\0", "holds a zip archive"),
        (b"\x89PNG\r\n\0\0\0\r", "is no text"),
        (b" \n", "is empty"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path, data, message):
    (tmp_path / "x.abc").write_bytes(data)
    with pytest.raises(MusegenError, match=rf"^x\.abc: {message}"):
        read_abc(tmp_path / "x.abc")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_letters_without_a_mark_are_read(tmp_path, encoding):
    (tmp_path / "x.abc").write_bytes(("“Lied”\n" + HEADER + "CDEF|\n").encode(encoding))
    assert len(read_abc(tmp_path / "x.abc")[0].notes) == 4


@pytest.mark.parametrize(
    "junk", ["d:" + " " * 50_000 + "|", "| " + "iC" * 50_000, '|C["1' * 20_000, "|C" + "[K:" * 30_000]
)
def test_junk_behind_a_tune_takes_linear_time(junk):
    start = time.process_time()
    parse_abc(HEADER + "C\n\n" + junk)
    assert time.process_time() - start < 2
