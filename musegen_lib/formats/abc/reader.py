"""ABC, the text notation of folk tunes: `read_abc` and `parse_abc` to tunes, `tune_to_piece`, `piece_to_abc`.

A `Tune` is the file as written, its melody without chords and layers; `tune_to_piece` gives all notes as they sound,
repeats, endings, jumps and parts played out. Words, and decorations other than fermatas, are left out; grace notes,
chord symbols, macros and signs that are not understood are left out and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.limits import MAX_NOTES, TICKS_PER_BEAT
from musegen_lib.formats.abc.fields import parse_key, parse_metre
from musegen_lib.formats.abc.notes import FINE_PER_TICK
from musegen_lib.formats.abc.playing import tune_to_piece
from musegen_lib.formats.abc.text import decode, name_content
from musegen_lib.formats.abc.tunes import TuneReader, read_tunes
from musegen_lib.formats.abc.voices import VoiceReader
from musegen_lib.formats.abc.writer import piece_to_abc

__all__ = ["Tune", "parse_abc", "piece_to_abc", "read_abc", "tune_to_piece"]

MAX_BYTES = 8_000_000
MAX_TUNES = 20_000

NoteRow = tuple[int, int, int]  # onset_ticks, duration_ticks, pitch


@dataclass(frozen=True)
class Tune:
    """One tune of an ABC file; times are ticks, TICKS_PER_BEAT = 48 a quarter note, fractions rounded down.

    Args:
        key: such as "G major" or "D dorian", None where the K: field names none.
        metre: such as "6/8", None for M:none.
        fields: header values by letter, as written, in order.
        voices: notes of each voice that has any; one note at a time, ties merged.
        bars: (onset, length) of what lies between written bar lines; Essen writes none at line ends.
        phrase_ends: where the lines of music end.
        n_offgrid: notes whose onset or duration is no whole number of ticks.
        line: where the tune starts in its file.
        parts: the voices with all that they sound, for `tune_to_piece`.
        counts: how often what was left out, by phrase.
        signs: the first that were not understood, each with its line.
    """

    number: int
    titles: tuple[str, ...]
    key: str | None
    metre: str | None
    rhythm: str
    origin: str
    fields: dict[str, tuple[str, ...]]
    voices: tuple[tuple[NoteRow, ...], ...]
    bars: tuple[tuple[int, int], ...]
    phrase_ends: tuple[int, ...]
    length_ticks: int
    metre_changes: int
    key_changes: int
    n_offgrid: int
    n_grace: int
    source: str
    line: int
    parts: tuple[VoiceReader, ...] = field(repr=False, compare=False)
    counts: Counter[str] = field(repr=False, compare=False)
    signs: tuple[str, ...] = field(repr=False, compare=False)

    @property
    def notes(self) -> tuple[NoteRow, ...]:
        """The melody: notes of the first voice."""
        return self.voices[0]

    @property
    def n_voices(self) -> int:
        """Number of voices with notes, at least 1."""
        return len(self.voices)

    @property
    def pickup_ticks(self) -> int:
        """Length of the incomplete first bar: where most written bar lines fall, counted in whole bars."""
        if self.metre is None or len(self.bars) < 2:
            return 0
        bar_ticks = int(metre_to_beats(self.metre) * TICKS_PER_BEAT)
        phases = Counter(onset % bar_ticks for onset, _ in self.bars[1:])
        return phases.most_common(1)[0][0]


def read_abc(path: str | Path, faults: list[str] | None = None) -> list[Tune]:
    """Read every tune of an ABC file, in UTF-8 or Latin-1 or a mixture of both line by line.

    Args:
        faults: takes one line for each tune that cannot be read, if others can.
    Raises:
        MusegenError: no such file, too large, or not ABC; the message names the file and the line.
    """
    path = Path(path)
    if not path.is_file():
        raise MusegenError(f"{path}: no such file; check the path")
    if path.stat().st_size > MAX_BYTES:
        raise MusegenError(f"{path}: larger than {MAX_BYTES // 10**6} MB; split the collection into several files")
    data = path.read_bytes()
    other = name_content(data)
    if other:
        raise MusegenError(f"{path.name}: {other}")
    return parse_abc(decode(data), path.name, faults)


def parse_abc(text: str, name: str = "<text>", faults: list[str] | None = None) -> list[Tune]:
    """Read every tune in a text; `name` stands for the file in messages, `faults` takes those of tunes left out.

    >>> [tune] = parse_abc("X:1\\nK:D\\n=f f|f")
    >>> tune.notes  # the natural lasts until the bar line
    ((0, 24, 77), (24, 24, 77), (48, 24, 78))
    """
    tunes, bad, n_notes = [], [], 0
    for reader in read_tunes(text, name):
        tune = reader if isinstance(reader, MusegenError) else _finish(reader, name)
        if isinstance(tune, MusegenError):
            bad.append(tune)
            continue
        tunes.append(tune)
        n_notes += sum(map(len, tune.voices))
        if n_notes > MAX_NOTES or len(tunes) + len(bad) > MAX_TUNES:
            limit = f"{MAX_NOTES:,} notes and {MAX_TUNES:,} tunes"
            raise MusegenError(f"{name}, line {reader.line}: a file may hold {limit}; split the collection")
    if bad and not tunes:
        raise bad[0]
    if faults is not None:
        faults += map(str, bad)
    if not tunes:
        raise MusegenError(
            f"{name}: no line starts with X: and a number, so this is not ABC; add a line X:1, or check the file"
        )
    return tunes


def _finish(reader: TuneReader, name: str) -> Tune | MusegenError:
    fields = {letter: tuple(values) for letter, values in reader.fields.items()}
    number = re.match(r"\d*", fields.get("X", ("1",))[0])[0] or "0"
    if reader.voice is None or len(number) > 9:
        fault = "has too long a number" if reader.voice else "has no K: field; add one, such as K:C, before the music"
        return MusegenError(f"{name}, line {reader.line}: tune X:{number[:9]} {fault}")
    voices = [voice for voice in reader.voices.values() if voice.sounding] or [reader.voice]
    for voice in voices:
        voice.finish()
    first = voices[0]
    return Tune(
        number=int(number),
        titles=fields.get("T", ()),
        key=parse_key(fields["K"][0]).name,
        metre=parse_metre(fields.get("M", ("",))[-1]),
        rhythm=fields.get("R", ("",))[-1],
        origin=fields.get("O", ("",))[-1],
        fields=fields,
        voices=tuple(_to_ticks(voice.notes) for voice in voices),
        bars=tuple(_to_ticks(first.bars)),
        phrase_ends=tuple(end // FINE_PER_TICK for end in first.phrase_ends),
        length_ticks=first.now // FINE_PER_TICK,
        metre_changes=first.metre_changes,
        key_changes=first.key_changes,
        n_offgrid=sum(bool(o % FINE_PER_TICK or d % FINE_PER_TICK) for v in voices for o, d, _ in v.notes),
        n_grace=sum(voice.n_grace for voice in voices),
        source=name,
        line=reader.line,
        parts=tuple(voices),
        counts=reader.counts,
        signs=tuple(reader.signs),
    )


def _to_ticks(rows: Iterable[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Turn onset and duration from fine ticks to ticks; what follows them stays."""
    return tuple((row[0] // FINE_PER_TICK, max(1, row[1] // FINE_PER_TICK), *row[2:]) for row in rows)
