"""Text in ABC files: bytes of several encodings, and letters written as marks and entities."""

from __future__ import annotations

import html
import re
import unicodedata

_ACCENTS = {
    "`": "\u0300",
    "'": "\u0301",
    "^": "\u0302",
    "~": "\u0303",
    '"': "\u0308",
    "c": "\u0327",
    "v": "\u030c",
    "u": "\u0306",
    "=": "\u0304",
    ".": "\u0307",
    ";": "\u0328",
    "H": "\u030b",
    "r": "\u030a",
}
_LETTERS = {"aa": "å", "AA": "Å", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "ss": "ß", "/o": "ø", "/O": "Ø"}
_LETTERS |= {
    "/d": "đ",
    "/D": "Đ",
    "/l": "ł",
    "/L": "Ł",
    "dh": "ð",
    "DH": "Ð",
    "th": "þ",
    "TH": "Þ",
    "%": "%",
    "&": "&",
    "\\": "\\",
}
OTHER_CONTENTS = {  # by their first bytes
    b"MThd": "MIDI; rename it .mid",
    b"PK\x03\x04": "a zip archive; if that is compressed MusicXML, rename it .mxl",
    b"%PDF": "a PDF, in which music is a picture; give a file of ABC",
}
_COMMENT = re.compile(r"(?<!\\)%")
_MARKED = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|(" + "|".join(map(re.escape, _LETTERS)) + r")|([`'^~\"cvu=.;Hr])([A-Za-z]))"
)


def plain_text(text: str) -> str:
    r"""A title or a word with its accents in place.

    >>> plain_text(r"M\"adchen, \'etude, na\u00efve, \aase &amp; Gar\ccon")
    'Mädchen, étude, naïve, åse & Garçon'
    """
    return html.unescape(_MARKED.sub(_letter, _COMMENT.split(text)[0].rstrip()))


def _letter(match: re.Match[str]) -> str:
    code, letter, accent, base = match.groups()
    if code:
        return chr(int(code, 16)) if not 0xD800 <= int(code, 16) < 0xE000 else "?"
    return (letter and _LETTERS[letter]) or unicodedata.normalize("NFC", base + _ACCENTS[accent])


def name_content(data: bytes) -> str:
    """What the bytes of a file hold that is not ABC, and what to do; empty where they may be ABC."""
    start = data[:4000].replace(b"\0", b"").lower()
    if b"<score-" in start or (b"<?xml" in start and b"<html" not in start):
        return "holds XML; if it is MusicXML, rename it .musicxml"
    for magic, content in OTHER_CONTENTS.items():
        if data.startswith(magic):
            return f"holds {content}"
    if not data.strip():
        return "is empty; check the file"
    return "" if _utf_16(data) or b"\0" not in data[:4000] else "is no text, as ABC is; check the file"


def decode(data: bytes) -> str:
    """Bytes of a file as text: UTF-16 by its mark or its zeros, else UTF-8 or Latin-1 line by line."""
    if _utf_16(data):
        return data.decode(_utf_16(data), errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "\n".join(_decode_line(line) for line in data.replace(b"\r\n", b"\n").split(b"\n"))


def _utf_16(data: bytes) -> str:
    """The kind of UTF-16, empty for other encodings: by its mark, or by zeros in most letters, all on one side."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    first, second = data[:4000:2].count(0), data[1:4000:2].count(0)
    if max(first, second) * 4 < len(data[:4000]) or min(first, second) * 8 > max(first, second):
        return ""
    return "utf-16-be" if first > second else "utf-16-le"


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return line.decode("latin-1")
