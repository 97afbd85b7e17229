"""Repeats, endings and jumps of small scores: in which order a musician plays the measures."""

import pytest
from musicxml_snippets import attributes, barline, direction, heard, in_a_row, note, read, score

A4, START, STOP = attributes(), '<tie type="start"/>', '<tie type="stop"/>'
REPEAT, BEGIN = barline('<repeat direction="backward"/>'), barline('<repeat direction="forward"/>', "left")


def bars(letters, *marks):
    """A whole note for each letter; marks are (measure from 0, 0 before or 1 behind its note, what stands there)."""
    made = [[A4 * (at == 0), note(f"{letter}4", 4), ""] for at, letter in enumerate(letters)]
    for at, place, mark in marks:
        made[at][2 * place] += mark
    return score(["".join(each) for each in made])


def bracket(first, numbers, last=None, repeat=True):
    """An ending over measures, with a repeat sign or without."""
    close = f'<ending number="{numbers}" type="{"stop" if repeat else "discontinue"}"/>'
    close += '<repeat direction="backward"/>' * repeat
    begin = barline(f'<ending number="{numbers}" type="start"/>', "left")
    return [(first, 0, begin), (first if last is None else last, 1, barline(close))]


def says(at, words, place=1):
    return at, place, direction(f"<words>{words}</words>")


def sounds(at, what, place=1):
    return at, place, f'<sound {what}="yes"/>'


def order(piece):
    """The letters in the order heard."""
    return "".join("CxDxEFxGxAxB"[pitch - 60] for _, _, pitch in heard(piece))


JUMPS = {  # name: (score, what is heard)
    "repeat": (bars("CDE", (1, 1, REPEAT)), "CDCDE"),
    "repeat from a sign": (bars("CDEF", (1, 0, BEGIN), (2, 1, REPEAT)), "CDEDEF"),
    "three times": (bars("CD", (0, 1, barline('<repeat direction="backward" times="3"/>'))), "CCCD"),
    "endings": (bars("CDE", *bracket(1, 1), *bracket(2, 2, repeat=False)), "CDCE"),
    "endings 1, 2 and 3": (bars("CDE", *bracket(1, "1, 2"), *bracket(2, 3, repeat=False)), "CDCDCE"),
    "endings 1-3 and 4": (bars("CDE", *bracket(1, "1-3"), *bracket(2, 4, repeat=False)), "CDCDCDCE"),
    "a bracket over two measures": (bars("CDEF", *bracket(1, 1, 2), *bracket(3, 2, repeat=False)), "CDECF"),
    "a bracket drawn too short": (
        bars("CDEF", *bracket(1, 1, repeat=False), (2, 1, REPEAT), *bracket(3, 2, repeat=False)),
        "CDECF",
    ),
    "da capo": (bars("CDE", sounds(0, "fine"), sounds(2, "dacapo")), "CDEC"),
    "da capo in words": (bars("CDE", says(0, "Fine"), says(2, "D.C. al Fine")), "CDEC"),
    "words above the measure": (bars("CDE", says(0, "Fine", 0), says(2, "Da Capo al Fine", 0)), "CDEC"),
    "dal segno": (bars("CDEF", sounds(1, "segno", 0), sounds(2, "fine"), sounds(3, "dalsegno")), "CDEFDE"),
    "dal segno in signs": (
        bars("CDEF", (1, 0, direction("<segno/>")), says(2, "Fine"), says(3, "D.S.")),
        "CDEFDE",
    ),
    "coda": (bars("CDEF", sounds(0, "tocoda"), sounds(2, "dacapo"), sounds(3, "coda", 0)), "CDECF"),
    "coda in signs": (
        bars("CDEF", (0, 1, direction("<coda/>")), says(2, "D.C. al Coda"), (3, 0, direction("<coda/>"))),
        "CDECF",
    ),
    "coda in words": (bars("CDEF", says(0, "To Coda"), says(2, "D.C. al Coda"), says(3, "Coda", 0)), "CDECF"),
    "no repeats after a jump": (bars("CDE", (0, 1, REPEAT), sounds(1, "fine"), sounds(2, "dacapo")), "CCDECD"),
    "a segno behind the last note belongs to the next measure": (
        bars("CDEF", (0, 1, direction("<segno/>")), says(3, "D.S.")),
        "CDEFDEF",
    ),
}


@pytest.mark.parametrize("name", JUMPS)
def test_repeats_and_jumps_are_played(name):
    text, expected = JUMPS[name]
    piece, report = read(text)
    assert order(piece) == expected
    assert report.repeats == report.unread == 0
    written, report = read(text, as_written=True)
    assert len(written) == text.count("<pitch>")
    assert report.repeats > 0


def test_a_repeat_sign_in_one_part_holds_for_all():
    text = score([A4 + note("C4", 4) + REPEAT, note("D4", 4)], [A4 + note("C3", 4), note("D3", 4)])
    piece, _ = read(text)
    assert [pitch for *_, pitch in heard(piece.voice(1))] == [48, 48, 50]


def test_a_repeat_sign_inside_a_measure_cuts_it():
    sign = barline('<repeat direction="backward"/>', "middle")
    piece, _ = read(score([A4 + note("C4", 2) + sign + note("D4", 2), note("E4", 4)]))
    assert heard(piece) == in_a_row((2, 60), (2, 60), (2, 62), (4, 64))


def test_ties_lead_into_each_ending():
    text = bars("CCC", *bracket(1, 1), *bracket(2, 2, repeat=False))
    text = text.replace("<voice>", START + STOP + "<voice>")
    assert heard(read(text)[0]) == [(0, 16, 60)]


def test_metre_key_and_tempo_are_played_in_the_order_of_the_measures():
    first = attributes(fifths=0) + '<sound tempo="60"/>' + note("C4", 4)
    second = attributes(fifths=1, time="3/4") + '<sound tempo="90"/>' + note("D4", 3) + REPEAT
    piece, _ = read(score([first, second]))
    assert piece.timeline("metre") == [(0, "4/4"), (16, "3/4"), (28, "4/4"), (44, "3/4")]
    assert piece.timeline("key") == [(0, "C major"), (16, "G major"), (28, "C major"), (44, "G major")]
    assert piece.timeline("tempo_qpm") == [(0, 60), (16, 90), (28, 60), (44, 90)]
