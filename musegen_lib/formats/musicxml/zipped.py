"""The bytes of a MusicXML file to its elements, with bounds on what they may unfold to. Used by `reader` only."""

from __future__ import annotations

import io
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

from musegen_lib.core.errors import MusegenError, shorten

MAX_BYTES = 16_000_000  # of a file, and of what an .mxl file unpacks to


def read_root(path: Path) -> ET.Element:
    """Parse an .mxl, .musicxml or .xml file; MusegenError for one that is missing, too large or broken."""
    if not path.is_file():
        raise MusegenError(f"{path}: no such file; check the path")
    if path.stat().st_size > MAX_BYTES:
        raise MusegenError(f"{path}: larger than {MAX_BYTES // 10**6} MB; export a shorter score")
    data = path.read_bytes()
    try:
        return _parse(_unzip(data) if data[:2] == b"PK" else data.lstrip())
    except expat.ExpatError as error:
        raise MusegenError(
            f"{path.name}, line {error.lineno}: {expat.ErrorString(error.code)}; export it again"
        ) from None
    except ET.ParseError as error:
        raise MusegenError(f"{path.name}, line {error.position[0]}: {error}; export it again") from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise MusegenError(f"{path.name}: damaged ({shorten(error)}); fetch it again") from None
    except (LookupError, ValueError, OSError, NotImplementedError, RuntimeError) as error:
        raise MusegenError(f"{path.name}: {shorten(error)}") from None


def _unzip(data: bytes) -> bytes:
    """Take the score out of an .mxl file; META-INF/container.xml says which entry it is."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        wanted = [n for n in names if n.endswith((".xml", ".musicxml")) and not n.startswith("META-INF")]
        if "META-INF/container.xml" in names:
            container = _parse(_read_entry(archive, "META-INF/container.xml"))
            roots = [e.get("full-path") for e in container.iter() if e.tag.rpartition("}")[2] == "rootfile"]
            wanted = [name for name in roots if name in names] + wanted
        if not wanted:
            raise ValueError("the zip file holds no score; export it again as .mxl or .musicxml")
        return _read_entry(archive, wanted[0])


def _read_entry(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack one entry, never more than MAX_BYTES of it, whatever size it declares."""
    with archive.open(name) as stream:
        data = b"" if archive.getinfo(name).file_size > MAX_BYTES else stream.read(MAX_BYTES + 1)
    if not 0 < len(data) <= MAX_BYTES:
        raise ValueError(
            f"{name[:80]!r} unpacks to nothing or to more than {MAX_BYTES // 10**6} MB; export a shorter score"
        )
    return data


class _RootReachedError(Exception):
    """The prologue of the XML file is over."""


def _parse(data: bytes) -> ET.Element:
    """Parse XML that declares no entities: a few lines of them can unfold to gigabytes or name other files."""

    def refuse(*_: Any) -> None:
        raise ValueError("the XML declares entities (<!ENTITY), which no score needs; export it again")

    def stop(*_: Any) -> None:
        raise _RootReachedError

    parser = expat.ParserCreate()
    parser.EntityDeclHandler, parser.StartElementHandler = refuse, stop
    with suppress(_RootReachedError):
        parser.Parse(data, True)
    root = ET.fromstring(data)
    if root.tag.startswith("{"):  # a namespace, which MusicXML does not have
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
    return root
