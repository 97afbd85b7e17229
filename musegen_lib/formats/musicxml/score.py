"""A MusicXML score as it is written, and how to find it in the elements of a file. Used by `reader` only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from xml.etree import ElementTree as ET

from musegen_lib.core.errors import MusegenError, shorten
from musegen_lib.core.limits import MAX_NOTES, TICKS_PER_BEAT
from musegen_lib.formats.bars import bar_ticks
from musegen_lib.formats.grid import to_steps
from musegen_lib.formats.musicxml.attributes import Key
from musegen_lib.formats.musicxml.instruments import Instrument, program_of, says_instrument
from musegen_lib.formats.musicxml.measures import Layout, lay_out
from musegen_lib.formats.musicxml.notes import Fragment, merge_ties, units_per_beat
from musegen_lib.formats.musicxml.parts import PartReader

MAX_MEASURES = 100_000  # of all parts together


@dataclass(frozen=True)
class Part:
    """One part of a score.

    Args:
        fragments: its notes as written, in units from the start; pitches as they sound.
        length_ticks: where its last measure ends.
        n_voices: layers written in it; several make it polyphonic, and so do chords.
        instrument: that of most of its pitched notes.
    """

    name: str
    fragments: tuple[Fragment, ...]
    units_per_beat: int
    length_ticks: int
    n_voices: int
    has_chords: bool
    n_grace: int
    instrument: Instrument

    @cached_property
    def notes(self) -> tuple[tuple[int, int, int, bool], ...]:
        """(onset_ticks, duration_ticks, pitch, has a fermata), sorted; ties are merged and times rounded to ticks."""
        found = []
        for onset, offset, pitch, _, fermata, _ in merge_ties(self.fragments):
            start, stop = (to_steps(time, TICKS_PER_BEAT, self.units_per_beat) for time in (onset, offset))
            found.append((start, max(1, stop - start), pitch, bool(fermata)))
        return tuple(found)

    @property
    def program(self) -> int | None:
        """General MIDI program of its pitched notes; None where the file names no instrument that is known."""
        return program_of(self.instrument, self.name)

    @property
    def is_unknown(self) -> bool:
        """Whether it has pitched notes and the name of an instrument, but no program is known for that."""
        is_named = any(map(says_instrument, (self.name, self.instrument.name, self.instrument.sound)))
        return is_named and self.program is None and not all(each.is_drum for each in self.fragments)

    @property
    def is_melody(self) -> bool:
        """True if at most one note sounds at a time."""
        return all(a[0] + a[1] <= b[0] for a, b in zip(self.notes, self.notes[1:]))


@dataclass(frozen=True)
class ParsedScore:
    """A MusicXML file as written; of several metres and keys `metre` and `key` are the first.

    Args:
        written_key: the first key, not yet moved to where a transposing instrument sounds.
        pickup_ticks: length of a first measure that is shorter than its metre, in ticks, 48 a quarter note.
        counts: fields of `NotationReport` that are not about the grid.
    """

    title: str
    source: str
    metre: str | None
    written_key: Key | None
    pickup_ticks: int
    parts: tuple[Part, ...]
    units_per_beat: int
    layout: Layout
    counts: dict[str, int]
    remarks: tuple[str, ...]

    @property
    def key(self) -> str | None:
        """Such as 'A minor'; None where the file states no mode."""
        return self.written_key.name if self.written_key and self.written_key.mode else None


def parse_score(root: ET.Element, name: str) -> ParsedScore:
    """Read the elements of a file called `name`; MusegenError names the place of a fault."""
    if root.tag not in ("score-partwise", "score-timewise"):
        raise MusegenError(
            f"{name}: the root is <{shorten(root.tag, 40)}>, not <score-partwise>; export it as partwise MusicXML"
        )
    units, is_exact = units_per_beat(root)
    readers = _read_parts(root, units, name)
    layout = lay_out(readers, units)
    first_bar, metre = layout.starts[min(1, len(layout.starts) - 1)], layout.metres[0][1] if layout.metres else None
    counts = sum((reader.counts for reader in readers), Counter())
    counts["other_programs"] = sum(reader.notes_of_others for reader in readers)
    counts["other_metres"] = layout.n_other_metres
    return ParsedScore(
        title=" ".join((root.findtext("work/work-title") or root.findtext("movement-title") or "").split()),
        source=name,
        metre=metre,
        written_key=layout.keys[0][1][1] if layout.keys else None,
        pickup_ticks=to_steps(first_bar, TICKS_PER_BEAT, units) if first_bar < bar_ticks(metre, units) else 0,
        parts=tuple(_finish(reader, layout, units) for reader in readers),
        units_per_beat=units,
        layout=layout,
        counts=dict(+counts),
        remarks=("times finer than a millionth of a beat are rounded",) * (not is_exact),
    )


def _read_parts(root: ET.Element, units: int, name: str) -> list[PartReader]:
    headers = {e.get("id"): e for e in root.findall("part-list/score-part")}
    ids = [e.get("id") for e in root.findall("part")]
    if len(set(ids)) < len(ids):
        raise MusegenError(f"{name}: two parts have one id; give each <part> the id of its own <score-part>")
    readers: dict[str | None, PartReader] = {}
    pitches: dict[Any, tuple[int, bool]] = {}
    n_notes = 0
    for n_measures, (part, measure, content) in enumerate(_contents(root), start=1):
        if n_measures > MAX_MEASURES:
            raise MusegenError(f"{name}: more than {MAX_MEASURES:,} measures in its parts; export a shorter score")
        if part not in readers:
            readers[part] = PartReader(headers.get(part), units, pitches)
        reader = readers[part]
        try:
            reader.read_measure(content, MAX_NOTES - n_notes)
        except (ValueError, TypeError, OverflowError) as error:
            place = shorten(f"part {part}, measure {measure.get('number')}", 60)
            raise MusegenError(f"{name}, {place}: {shorten(error)}") from None
        n_notes += len(reader.measures[-1].fragments)
    return list(readers.values())


def _contents(root: ET.Element) -> Iterator[tuple[str | None, ET.Element, ET.Element]]:
    """Yield (id of a part, a measure, the element that holds its notes) of a score, partwise or timewise."""
    if root.tag == "score-partwise":
        for part in root.findall("part"):
            yield from ((part.get("id"), measure, measure) for measure in part.findall("measure"))
    else:
        for measure in root.findall("measure"):
            yield from ((part.get("id"), measure, part) for part in measure.findall("part"))


def _finish(reader: PartReader, layout: Layout, units: int) -> Part:
    fragments = [
        Fragment(start + onset, start + offset, *more)
        for start, measure in zip(layout.starts, reader.measures)
        for onset, offset, *more in measure.fragments
    ]
    return Part(
        name=reader.name,
        fragments=tuple(fragments),
        units_per_beat=units,
        length_ticks=to_steps(layout.starts[len(reader.measures)], TICKS_PER_BEAT, units),
        n_voices=max(1, len(reader.layers)),
        has_chords=reader.has_chords,
        n_grace=reader.counts["grace_notes"],
        instrument=reader.main_instrument,
    )
