"""Small MusicXML scores, written from short texts, and what is heard in them."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from musegen_lib.core.piece import Piece
from musegen_lib.formats.musicxml.reader import musicxml_to_piece
from musegen_lib.formats.report import NotationReport

PITCH = re.compile(r"([A-G])([#b]*)(-?\d)")


def note(name: str, duration: object = 1, inside: str = "", chord: bool = False, voice: str = "1") -> str:
    """A note such as "F#4", a rest "r", or a line of a percussion staff "xC5"; `inside` goes behind the voice."""
    if name == "r":
        what = "<rest/>"
    elif name[0] == "x":
        what = (
            f"<unpitched><display-step>{name[1]}</display-step><display-octave>{name[2]}</display-octave></unpitched>"
        )
    else:
        step, signs, octave = PITCH.fullmatch(name).groups()
        alter = f"<alter>{signs.count('#') - signs.count('b')}</alter>" if signs else ""
        what = f"<pitch><step>{step}</step>{alter}<octave>{octave}</octave></pitch>"
    parts = "<chord/>" * chord + what + f"<duration>{duration}</duration>"
    ties = "".join(re.findall("<tie .*?/>", inside))
    return f"<note>{parts}{ties}<voice>{voice}</voice>{re.sub('<tie .*?/>', '', inside)}</note>"


def notes(text: str, duration: object = 1, **more: object) -> str:
    """Several notes of one duration: "C4 E4 G4"."""
    return "".join(note(name, duration, **more) for name in text.split())


def attributes(inside: str = "", divisions: object = 1, time: str = "4/4", fifths: int | None = None) -> str:
    """<attributes>; an empty time leaves the metre out."""
    beats, _, unit = time.partition("/")
    metre = f"<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>" if time else ""
    key = f"<key><fifths>{fifths}</fifths><mode>major</mode></key>" if fifths is not None else ""
    return f"<attributes><divisions>{divisions}</divisions>{key}{metre}{inside}</attributes>"


def direction(kind: str, sound: str = "", offset: str = "") -> str:
    """<direction> with one direction type."""
    return f"<direction><direction-type>{kind}</direction-type>{offset}{sound}</direction>"


def barline(inside: str, location: str = "right") -> str:
    """<barline>."""
    return f'<barline location="{location}">{inside}</barline>'


def score(*parts: list[str] | tuple[str, list[str]], headers: tuple[str, ...] = ()) -> str:
    """A partwise score; a part is a list of measures; a measure that begins with "<measure" brings its own tag."""
    listed, bodies = [], []
    for number, measures in enumerate(parts, start=1):
        header = headers[number - 1] if number <= len(headers) else f"<part-name>Part {number}</part-name>"
        listed.append(f'<score-part id="P{number}">{header}</score-part>')
        body = "".join(
            each if each.startswith("<measure") else f'<measure number="{at}">{each}</measure>'
            for at, each in enumerate(measures, start=1)
        )
        bodies.append(f'<part id="P{number}">{body}</part>')
    return (
        '<?xml version="1.0" encoding="UTF-8"?><score-partwise version="4.0">'
        f"<part-list>{''.join(listed)}</part-list>{''.join(bodies)}</score-partwise>"
    )


def read(text: str | bytes, **options: Any) -> tuple[Piece, NotationReport]:
    """`musicxml_to_piece` of a text."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "x.musicxml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return musicxml_to_piece(file, **options)


def heard(piece: Piece) -> list[tuple[Fraction, Fraction, int]]:
    """Notes as (onset, length, pitch) in quarter notes."""
    return [
        (Fraction(onset, piece.steps_per_beat), Fraction(duration, piece.steps_per_beat), pitch)
        for onset, duration, pitch, *_ in piece.notes.tolist()
    ]


def in_a_row(*notes: tuple[Any, int]) -> list[tuple[Fraction, Fraction, int]]:
    """Notes that follow each other without rests, from (length, pitch)."""
    onset, found = Fraction(0), []
    for length, pitch in notes:
        found.append((onset, Fraction(length), pitch))
        onset += Fraction(length)
    return found
