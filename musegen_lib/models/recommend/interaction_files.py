"""The bytes of a file of interactions: what is no text is named, and the encoding is found."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from musegen_lib.core.errors import MusegenError

MAX_LINES = 5_000_000
MAX_LINE = 1_000_000  # characters; a list of 100,000 items fits
AS_TABLE = "save it as a text of lines user,item,count,time"
FOREIGN = (  # first bytes, what they are, what to do: texts, then binary files
    (
        (b"<?xml", "XML", AS_TABLE),
        (b"<!doctype", "HTML", AS_TABLE),
        (b"<html", "HTML", AS_TABLE),
        (b"%%matrixmarket", "a MatrixMarket file", AS_TABLE),
        (b"@relation", "an ARFF file", AS_TABLE),
        (b"%pdf", "a PDF", AS_TABLE),
        (b"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself: git lfs pull"),
    ),
    (
        (b"\x1f\x8b", "packed with gzip", "unpack it first"),
        (b"BZh", "packed with bzip2", "unpack it first"),
        (b"\xfd7zXZ", "packed with xz", "unpack it first"),
        (b"\x28\xb5\x2f\xfd", "packed with zstd", "unpack it first"),
        (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
        (b"Rar!", "a rar archive", "unpack it first"),
        (b"PAR1", "a Parquet file", AS_TABLE),
        (b"ARROW1", "an Arrow file", AS_TABLE),
        (b"FEA1", "a Feather file", AS_TABLE),
        (b"ORC", "an ORC file", AS_TABLE),
        (b"\x89HDF", "an HDF5 file", AS_TABLE),
        (b"SQLite format 3", "an SQLite database", AS_TABLE),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save it there as CSV or as text with tabs"),
        (b"\x93NUMPY", "a NumPy array", AS_TABLE),
        (b"%PDF", "a PDF", AS_TABLE),
        *((bytes([0x80, protocol]), "a Python pickle", AS_TABLE) for protocol in (2, 3, 4, 5)),
    ),
)
JSON_STARTS = (b'{"', b'[{"', b'[["', b'["', b"[{", b"[[", b"{}", b"[]")
BOMS = (  # the longer first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
OTHER = "cp1252"  # read so where the bytes are no UTF-8: other bytes stay other names


def refuse_foreign(path: Path) -> None:
    """MusegenError for a file that is no table of text; it says what it is and what to do."""
    with path.open("rb") as file:
        head = file.read(4096)
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if head.startswith(b"PK\x03\x04"):
        if any(part in head for part in (b"xl/", b"[Content_Types]", b"opendocument")):
            raise MusegenError("is a workbook of Excel or LibreOffice; save it there as CSV or as text with tabs")
        raise MusegenError("is a zip archive; unpack it first")
    if head[257:262] == b"ustar":
        raise MusegenError("is a tar archive; unpack it first")
    if "".join(text[:40].decode("latin-1").split()).encode("latin-1").startswith(JSON_STARTS):
        raise MusegenError(f"is JSON; {AS_TABLE}")
    is_binary = any(byte < 9 for byte in head) or not _is_utf8(iter([head]), final=False)
    for start, what, advice in FOREIGN[is_binary]:
        if head.startswith(start) or (not is_binary and text.lower().startswith(start)):
            raise MusegenError(f"is {what}; {advice}")


def find_encoding(path: Path) -> str:
    """The name of the encoding: by its mark, by the zeros of UTF-16, else UTF-8, or OTHER where most is not UTF-8."""
    with path.open("rb") as file:
        head = file.read(4096)
        for mark, name in BOMS:
            if head.startswith(mark):
                return name
        for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
            if len(head) > 3 and 2 * zeros.count(0) > len(zeros) and head.count(0) < 1.2 * zeros.count(0):
                return name
        file.seek(0)
        if _is_utf8(iter(lambda: file.read(1 << 20), b"")):
            return "utf-8"
        file.seek(0)
        good = bad = 0
        for raw in iter(lambda: file.readline(MAX_LINE + 1), b""):
            if not raw.isascii():
                whole = _is_utf8(iter([raw]))
                good, bad = good + whole, bad + (not whole)
        return "utf-8" if 10 * good > bad else OTHER


def _is_utf8(chunks: Iterator[bytes], final: bool = True) -> bool:
    """Whether bytes, read in parts, are UTF-8; where they are not final, the last letter may be cut."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            decoder.decode(chunk)
        decoder.decode(b"", final)
    except UnicodeDecodeError:
        return False
    return True


def text_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Each line with its number, without its end, which may be that of any system; what cannot be decoded is marked.

    Raises:
        MusegenError: there are more than MAX_LINES, or a line has more than MAX_LINE characters.
    """
    errors = "replace" if "16" in encoding or "32" in encoding else "surrogateescape"
    with path.open(encoding=encoding, errors=errors) as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), ""), start=1):
            if number > MAX_LINES:
                raise MusegenError(f"has more than {MAX_LINES:,} lines; take a part of them")
            if len(line) > MAX_LINE:
                raise MusegenError(f"line {number} has more than {MAX_LINE:,} characters; write one interaction a line")
            yield number, line.rstrip("\r\n")
