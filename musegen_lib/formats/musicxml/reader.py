"""MusicXML, the exchange format of notation programs: `read_musicxml`, and by way of music21 `piece_to_musicxml`.

What is read: partwise scores, plain or zipped (.mxl), with ties merged. Left out: grace and cue notes, repeats are not
played out, and of several metres, keys and tempi the first counts.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

import numpy as np

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.core.keys import FIFTHS, FIFTHS_ABOVE_MAJOR, metre_to_beats
from musegen_lib.core.limits import MAX_NOTES, TICKS_PER_BEAT
from musegen_lib.core.piece import NOTE_DTYPE, Piece, clip_overlaps
from musegen_lib.formats.musicxml.parts import (
    FINE_PER_BEAT,
    Part,
    PartReader,
    read_number,
    to_ticks,
)
from musegen_lib.formats.musicxml.writer import piece_to_music21, piece_to_musicxml

__all__ = [
    "ParsedScore",
    "Part",
    "musicxml_to_piece",
    "piece_to_music21",
    "piece_to_musicxml",
    "read_musicxml",
]

MAX_BYTES = 16_000_000  # of a file, and of what an .mxl file unpacks to


@dataclass(frozen=True)
class ParsedScore:
    """A MusicXML file; times are ticks, 48 a quarter note. `n_sharps` is negative for flats, None if no key is set."""

    title: str
    source: str
    metre: str | None
    n_sharps: int | None
    mode: str | None
    tempo_qpm: float | None
    pickup_ticks: int
    parts: tuple[Part, ...]

    @property
    def key(self) -> str | None:
        """Such as 'A minor'; None where the file states no mode."""
        if self.n_sharps is None or self.mode not in FIFTHS_ABOVE_MAJOR:
            return None
        place = self.n_sharps + FIFTHS_ABOVE_MAJOR[self.mode] + 1
        return FIFTHS[place % 7] + ("#" * (place // 7) if place >= 0 else "b" * -(place // 7)) + f" {self.mode}"


def read_musicxml(path: str | Path) -> ParsedScore:
    """Read an .mxl, .musicxml or .xml file.

    Raises:
        MusegenError: no such file, too large, broken, or not MusicXML; the message names the file and the place.
    """
    path = Path(path)
    if not path.is_file():
        raise MusegenError(f"{path}: no such file; check the path")
    if path.stat().st_size > MAX_BYTES:
        raise MusegenError(f"{path}: larger than {MAX_BYTES // 10**6} MB; export a shorter score")
    data = path.read_bytes()
    try:
        root = _parse(_unzip(data) if data[:2] == b"PK" else data)
        return _read_score(root, path.name)
    except MusegenError:
        raise
    except expat.ExpatError as error:
        raise MusegenError(
            f"{path.name}, line {error.lineno}: {expat.ErrorString(error.code)}; export it again"
        ) from None
    except ET.ParseError as error:
        raise MusegenError(f"{path.name}, line {error.position[0]}: {error}; export it again") from None
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise MusegenError(f"{path.name}: {shorten(error)}") from None


def musicxml_to_piece(score: ParsedScore | str | Path, steps_per_beat: int = 4, **labels: Any) -> Piece:
    """Round a score to the grid, one voice a part; further labels of Piece are keyword arguments.

    A part with chords or several voices stays one voice: of notes of one pitch that overlap the first is shortened.
    In a melody the first of the notes that round to one step stays, and ends where the next one starts.
    """
    score = score if isinstance(score, ParsedScore) else read_musicxml(score)
    found = {
        "metre": score.metre,
        "key": score.key,
        "title": score.title,
        "source": score.source,
        "tempo_qpm": score.tempo_qpm or 100.0,
        "pickup_steps": round(score.pickup_ticks * steps_per_beat / TICKS_PER_BEAT),
        "programs": tuple(part.program or 0 for part in score.parts),
    }
    tables = [_part_to_table(part, number, steps_per_beat) for number, part in enumerate(score.parts)]
    notes = np.concatenate(tables) if tables else np.zeros(0, dtype=NOTE_DTYPE)
    return Piece(notes, steps_per_beat=steps_per_beat, **found | labels)


def _part_to_table(part: Part, voice: int, steps_per_beat: int) -> np.ndarray:
    if voice > 255:
        raise MusegenError("a piece holds at most 256 parts; export fewer")
    ticks = np.array([note[:3] for note in part.notes], dtype=np.int64).reshape(-1, 3)
    start, stop = (
        (2 * t * steps_per_beat + TICKS_PER_BEAT) // (2 * TICKS_PER_BEAT)
        for t in (ticks[:, 0], ticks[:, :2].sum(axis=1))
    )
    notes = np.zeros(len(ticks), dtype=NOTE_DTYPE)
    notes["onset_steps"], notes["duration_steps"] = start, np.maximum(1, stop - start)
    notes["pitch"], notes["velocity"], notes["voice"] = ticks[:, 2], 80, voice
    if part.is_melody:
        notes = notes[np.diff(notes["onset_steps"], prepend=-1) > 0]
        room = np.diff(notes["onset_steps"], append=np.iinfo(np.int32).max)
        notes["duration_steps"] = np.minimum(notes["duration_steps"], room)
    return clip_overlaps(notes)


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
    return ET.fromstring(data)


def _read_score(root: ET.Element, name: str) -> ParsedScore:
    if root.tag != "score-partwise":
        raise MusegenError(
            f"{name}: the root is <{root.tag[:40]}>, not <score-partwise>; export it as partwise MusicXML"
        )
    headers = {e.get("id"): e for e in root.iter("score-part")}
    readers = []
    for element in root.findall("part"):
        readers.append(PartReader(headers.get(element.get("id")), MAX_NOTES - sum(len(r.notes) for r in readers)))
        for measure in element.findall("measure"):
            try:
                readers[-1].read_measure(measure)
            except (ValueError, TypeError, OverflowError) as error:
                place = f"part {element.get('id')}, measure {measure.get('number')}"
                raise MusegenError(f"{name}, {place}: {error}") from None
    first = readers[0] if readers else PartReader(None, 0)
    first_bar = first.first_measure or 0
    bar = metre_to_beats(first.metre) * FINE_PER_BEAT if first.metre else 0
    tempo = next((read_number(e.get("tempo"), 0, 1e9) for e in root.iter("sound") if e.get("tempo")), 0.0)
    return ParsedScore(
        title=" ".join((root.findtext("work/work-title") or root.findtext("movement-title") or "").split()),
        source=name,
        metre=first.metre,
        n_sharps=first.n_sharps,
        mode=first.mode,
        tempo_qpm=round(tempo, 6) if 1e-6 < tempo < 10_000 else None,
        pickup_ticks=to_ticks(first_bar) if first_bar < bar else 0,
        parts=tuple(reader.finish() for reader in readers),
    )
