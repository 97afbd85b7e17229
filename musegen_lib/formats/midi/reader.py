"""MIDI files to `Piece` and back: the one reader for MIDI bytes from outside. Writing and reading back is exact.

Where the standard leaves the reading open: a note-off ends the oldest note of its pitch that still sounds on its
channel and track; a zero-length note gets one step; of two notes of a voice with one pitch and onset the longer stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from symusic import Score

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import replacing
from musegen_lib.core.piece import NOTE_DTYPE, Piece, clip_overlaps
from musegen_lib.formats.midi.labels import MAX_STEPS_PER_BEAT, read_labels, signature_to_key
from musegen_lib.formats.midi.messages import LIMITS, one_line
from musegen_lib.formats.midi.scan import DEFAULT_TEMPO, DRUM_CHANNEL, ScanFacts, scan
from musegen_lib.formats.midi.writer import piece_to_midi

__all__ = ["MidiReport", "check_midi", "parse_midi", "piece_to_midi", "read_midi", "write_midi"]

GRIDS = (4, 12, 24, 48)  # steps per beat to try, coarsest first
MAX_TITLE = 200  # characters kept of a stranger's title


def _count(phrase: str) -> Any:
    return field(default=0, metadata={"phrase": phrase})


@dataclass(frozen=True)
class MidiReport:
    """What reading a file dropped, clipped, quantised or ignored; `str` says so in a line."""

    notes_moved: int = _count("notes moved onto the grid")
    largest_move_beats: float = 0.0
    notes_lengthened: int = _count("notes shorter than a step lengthened to one")
    zero_length_notes: int = _count("notes of no length given one step")
    notes_trimmed: int = _count("notes ended where their voice strikes the pitch again")
    notes_merged: int = _count("notes dropped for a longer one of the same voice, pitch and onset")
    unended_notes: int = _count("notes without an end dropped")
    stray_note_offs: int = _count("note ends without a note ignored")
    tempo_changes: int = _count("tempo changes averaged")
    metre_changes: int = _count("metre changes ignored")
    key_changes: int = _count("key changes ignored")
    bad_keys: int = _count("impossible keys ignored")
    program_changes: int = _count("program changes within a voice ignored")
    controllers: int = _count("controllers ignored")
    pedals: int = _count("pedal movements ignored")
    pitch_bends: int = _count("pitch bends ignored")
    pressures: int = _count("key pressures ignored")
    sysex: int = _count("system exclusive messages ignored")
    texts: int = _count("texts ignored")
    ends_added: int = _count("missing ends of track added")
    stray_bytes: int = _count("bytes after the end ignored")
    drum_notes: int = 0  # kept, so `str` leaves them out
    labels_ignored: tuple[str, ...] = ()  # fields of our own text event that are wrong or contradict the file

    def __str__(self) -> str:
        parts = [
            f"{count.metadata['phrase']}: {getattr(self, count.name)}"
            for count in fields(self)
            if "phrase" in count.metadata and getattr(self, count.name)
        ]
        if self.notes_moved:
            parts[0] += f" (by at most {self.largest_move_beats:.3g} beats)"
        if self.labels_ignored:
            parts.append(f"musegen labels ignored: {', '.join(self.labels_ignored)}")
        return "; ".join(parts) or "nothing repaired"


def read_midi(path: str | os.PathLike[str], steps_per_beat: int | None = None) -> tuple[Piece, MidiReport]:
    """Read a MIDI file; see `parse_midi`. MusegenError also if there is no such file or it cannot be opened."""
    path = Path(path)
    try:
        if not path.is_file():  # a pipe or a device could block for ever
            raise MusegenError(f"{one_line(str(path))}: not a file; check the path")
        with path.open("rb") as file:
            data = file.read(LIMITS.file_bytes + 1)
    except OSError as fault:
        raise MusegenError(f"{one_line(str(path))}: cannot be read ({fault.strerror}); check the path") from None
    return parse_midi(data, str(path), steps_per_beat)


def parse_midi(data: bytes, name: str, steps_per_beat: int | None = None) -> tuple[Piece, MidiReport]:
    """Read the bytes of a MIDI file into a piece: one voice for each channel of each track that plays notes.

    Args:
        name: what error messages call the file.
        steps_per_beat: the grid to move the notes onto; None takes the coarsest of 4, 12, 24, 48 and the file's own
            ticks that holds every onset and offset exactly, or the one a `Piece` was written with.
    Returns:
        the piece, in the file's mean tempo and first metre, and what was lost or repaired on the way.
    Raises:
        MusegenError: the file is damaged or out of bounds (`MidiLimits`).
    """
    if steps_per_beat is not None and not 1 <= steps_per_beat <= MAX_STEPS_PER_BEAT:
        raise MusegenError(f"steps_per_beat {steps_per_beat}: MIDI counts 1 to 32,767; choose one of them")
    facts = scan(data, name)
    try:
        table = _pair_notes(facts)
        labels, ignored = read_labels(facts, table[:, :2])
        grid = steps_per_beat or labels.get("steps_per_beat") or _coarsest_grid(table[:, :2], facts.ticks_per_beat)
        notes, counts = _table_to_notes(table, grid, facts.ticks_per_beat, labels.get("voices"))
        known, changes = _read_fields(facts, int(table[:, 1].max(initial=0)))
        known |= {name: value for name, value in labels.items() if name != "voices"}
        if "pickup_steps" in labels:
            known["pickup_steps"] = round(labels["pickup_steps"] * grid / labels["steps_per_beat"])
        piece = Piece(notes, **known | {"steps_per_beat": grid})
    except ValueError as fault:
        raise MusegenError(f"{one_line(name)}: {fault}") from None
    return piece, MidiReport(**counts, **changes, **+facts.counts, labels_ignored=ignored)


def _pair_notes(facts: ScanFacts) -> np.ndarray:
    """Return (N, 5) int64: onset and offset in ticks, pitch, velocity, index into `facts.voices`."""
    try:
        tracks = [track for track in Score.from_midi(facts.clean).tracks if len(track.notes)]
    except RuntimeError as fault:
        raise MusegenError(f"symusic cannot read it ({one_line(str(fault))}); export it again") from None
    if [len(track.notes) for track in tracks] != [voice.n_notes for voice in facts.voices]:
        raise MusegenError("symusic finds other notes than the scan; please report this file")
    table = [np.zeros((0, 5), dtype=np.int64)]
    for v, track in enumerate(tracks):
        columns = track.notes.numpy()
        onset = columns["time"].astype(np.int64)
        offset = onset + columns["duration"]
        table.append(np.column_stack([onset, offset, columns["pitch"], columns["velocity"], np.full(len(onset), v)]))
    notes = np.concatenate(table)
    low, high = [0, 0, 0, 1, 0], [facts.end_tick, facts.end_tick, 127, 127, 255]
    if (notes < low).any() or (notes > high).any() or (notes[:, 1] < notes[:, 0]).any():
        raise MusegenError("a note is out of range; please report this file")
    return notes


def _coarsest_grid(ticks: np.ndarray, ticks_per_beat: int) -> int:
    exact = (grid for grid in GRIDS if not (ticks * grid % ticks_per_beat).any())
    return next(exact, ticks_per_beat)


def _table_to_notes(
    table: np.ndarray, grid: int, ticks_per_beat: int, voices: list[int] | None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Move notes onto the grid, half a step upwards, and keep one note a voice and pitch at a time."""
    ticks = table[:, :2]
    steps = (2 * ticks * grid + ticks_per_beat) // (2 * ticks_per_beat)
    if steps.max(initial=0) > 2**31 - 2:
        raise MusegenError(f"is too long for {grid} steps per beat; choose a coarser grid")
    moves = np.abs(steps * ticks_per_beat - ticks * grid).max(axis=1, initial=0) / (grid * ticks_per_beat)
    instant, short = ticks[:, 0] == ticks[:, 1], steps[:, 0] == steps[:, 1]
    notes = np.zeros(len(table), dtype=NOTE_DTYPE)
    notes["onset_steps"], notes["duration_steps"] = steps[:, 0], np.maximum(1, steps[:, 1] - steps[:, 0])
    notes["pitch"], notes["velocity"] = table[:, 2], table[:, 3]
    notes["voice"] = table[:, 4] if voices is None else np.array(voices, dtype=np.uint8)[table[:, 4]]
    clipped = clip_overlaps(notes)
    counts = {
        "notes_moved": int((moves > 0).sum()),
        "largest_move_beats": float(moves.max(initial=0)),
        "zero_length_notes": int(instant.sum()),
        "notes_lengthened": int((short & ~instant).sum()),
        "notes_merged": len(notes) - len(clipped),
        "notes_trimmed": _count_shorter(clipped, notes),
    }
    return clipped, counts


def _count_shorter(clipped: np.ndarray, notes: np.ndarray) -> int:
    """Count the notes that `clip_overlaps` cut, given its result and what it was given."""
    order = np.lexsort((-notes["duration_steps"], notes["onset_steps"], notes["pitch"], notes["voice"]))
    strikes = notes[order][["voice", "pitch", "onset_steps"]]
    longest = np.concatenate([strikes[:1] == strikes[:1], strikes[1:] != strikes[:-1]])  # the first of each strike
    return int((clipped["duration_steps"] < notes[order][longest]["duration_steps"]).sum())


def _read_fields(facts: ScanFacts, last_tick: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the fields of `Piece` that MIDI has events for, and how many changes of them were passed over."""
    spans = facts.tempo_spans(last_tick)
    microseconds = facts.tempos[0][1] if facts.tempos else DEFAULT_TEMPO
    if spans:
        microseconds = sum(ticks * tempo for ticks, tempo in spans) / sum(ticks for ticks, _ in spans)
    metres, keys = [metre for _, metre in facts.metres] or ["4/4"], [key[1:] for key in facts.keys]
    known = {
        "tempo_qpm": 60e6 / microseconds,
        "metre": metres[0],
        "key": signature_to_key(*keys[0]) if keys else None,
        "title": _decode_title(facts.title),
        "programs": tuple(voice.piece_program for voice in facts.voices),
    }
    counts = {
        "tempo_changes": max(0, len(spans) - 1),
        "metre_changes": sum(metre != metres[0] for metre in metres),
        "key_changes": sum(key != keys[0] for key in keys),
        "drum_notes": sum(voice.n_notes for voice in facts.voices if voice.channel == DRUM_CHANNEL),
    }
    return known, counts


def _decode_title(title: bytes) -> str:
    try:
        text = title.decode("utf-8")
    except UnicodeDecodeError:
        text = title.decode("latin-1")  # older files; it reads any byte
    return "".join(c for c in text if c.isprintable()).strip()[:MAX_TITLE]


def write_midi(piece: Piece, path: str | os.PathLike[str]) -> None:
    """Write a piece to a file in one stroke: a failure leaves what was there. MusegenError if the folder is missing."""
    path, data = Path(path), piece_to_midi(piece)
    try:
        if path.is_dir() or not path.parent.is_dir():
            raise MusegenError(f"{one_line(str(path))}: no such folder, or no file name; make the folder first")
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except OSError as fault:
        raise MusegenError(f"{one_line(str(path))}: cannot be written ({fault.strerror}); check the folder") from None


def check_midi(paths: Iterable[str | os.PathLike[str]]) -> list[tuple[str, bool, str]]:
    """Read each file and return (path, ok, one line): the piece and its report, or the fault. No file stops it."""
    verdicts = []
    for path in paths:
        try:
            piece, report = read_midi(path)
            verdicts.append((str(path), True, one_line(f"{piece!r}; {report}")))
        except MusegenError as fault:
            verdicts.append((str(path), False, str(fault)))
    return verdicts
