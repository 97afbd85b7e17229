"""MIDI files to `Piece` and back: the one reader for MIDI bytes from outside. Writing and reading back is exact.

Where the standard leaves the reading open: a note-off ends the oldest note of its pitch that still sounds on its
channel and track; a zero-length note gets one step; of two notes of a voice with one pitch and onset the longer stays.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from symusic import Score

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.limits import refuse_endless
from musegen_lib.core.paths import replacing
from musegen_lib.core.piece import CHANGES, Piece
from musegen_lib.formats.changes import changes_to_steps, fold_pickup, tidy
from musegen_lib.formats.grid import FINEST, coarsest_grid, table_to_notes, to_steps
from musegen_lib.formats.midi.labels import read_labels
from musegen_lib.formats.midi.messages import LIMITS, one_line
from musegen_lib.formats.midi.scan import ScanFacts, scan
from musegen_lib.formats.midi.timeline import signature_to_key, tempos_to_steps, two_at_once
from musegen_lib.formats.midi.writer import piece_to_midi
from musegen_lib.formats.report import Report, count

__all__ = ["MidiReport", "parse_midi", "piece_to_midi", "read_midi", "write_midi"]

MAX_TITLE = 200  # characters kept of a stranger's title
FAR_BEATS = 64  # an end of the file so far behind the last note is worth a remark


@dataclass(frozen=True)
class MidiReport(Report):
    """What reading a file dropped, clipped, moved, repaired or ignored; `str` says so in a line."""

    zero_length_notes: int = count("notes of no length given one step")
    unended_notes: int = count("notes without an end dropped")
    stray_note_offs: int = count("note ends without a note ignored")
    bad_keys: int = count("impossible keys ignored")
    bad_metres: int = count("impossible metres ignored")
    bad_tempos: int = count("impossible tempos ignored")
    program_changes: int = count("program changes within a voice ignored")
    controllers: int = count("controllers ignored")
    pedals: int = count("pedal movements ignored")
    pitch_bends: int = count("pitch bends ignored")
    pressures: int = count("key pressures ignored")
    sysex: int = count("system exclusive messages ignored")
    texts: int = count("texts ignored")
    ends_added: int = count("missing ends of track added")
    stray_bytes: int = count("bytes after the end ignored")


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
        the piece with all changes of tempo, metre and key, and what was lost or repaired on the way.
    Raises:
        MusegenError: the file is damaged or out of bounds (`MidiLimits`).
    """
    if steps_per_beat is not None and not 1 <= steps_per_beat <= FINEST:
        raise MusegenError(f"steps_per_beat {steps_per_beat}: MIDI counts 1 to 32,767; choose one of them")
    facts = scan(data, name)
    try:
        table = _pair_notes(facts)
        labels, ignored = read_labels(facts, table)
        if labels.get("expression"):
            labels["expression"] = labels["expression"][0]
            table[:, 0] -= table[:, 0] * labels["steps_per_beat"] % facts.ticks_per_beat // labels["steps_per_beat"]
        grid = steps_per_beat or labels.get("steps_per_beat") or coarsest_grid(table[:, :2], facts.ticks_per_beat)
        if "voices" in labels:
            table[:, 4] = np.array(labels.pop("voices"))[table[:, 4]]
        notes, counts = table_to_notes(table, grid, facts.ticks_per_beat)
        known, remarks = _read_fields(facts, int(table[:, 1].max(initial=0)), grid)
        piece = Piece(notes, **known | _on_grid(labels, grid) | {"steps_per_beat": grid})
        refuse_endless(piece)
    except ValueError as fault:
        raise MusegenError(f"{one_line(name)}: {fault}") from None
    if "metre" not in labels and piece.pickup_steps:
        remarks.append(f"a first bar of {facts.metres[0][1]} before {piece.metre} is read as a pickup")
    remarks += [f"musegen labels ignored: {', '.join(ignored)}"] * bool(ignored)
    counts["zero_length_notes"] = int((table[:, 0] == table[:, 1]).sum())
    return piece, MidiReport(**counts, **+facts.counts, remarks=tuple(remarks))


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
    low, high = [0, 0, 0, 1, 0], [facts.last_tick, facts.last_tick, 127, 127, 255]
    if (notes < low).any() or (notes > high).any() or (notes[:, 1] < notes[:, 0]).any():
        raise MusegenError("a note is out of range; please report this file")
    return notes


def _read_fields(facts: ScanFacts, last_tick: int, grid: int) -> tuple[dict[str, Any], list[str]]:
    """Return the fields of `Piece` that MIDI has events for, and remarks on what had to be decided."""
    per_beat = facts.ticks_per_beat
    keys = [(tick, signature_to_key(sharps, minor)) for tick, sharps, minor in facts.keys]
    metres, pickup = fold_pickup(tidy(facts.metres, last_tick), per_beat, last_tick)
    known: dict[str, Any] = {
        "title": _decode_title(facts.title),
        "programs": tuple(voice.piece_program for voice in facts.voices),
        "pickup_steps": to_steps(pickup, grid, per_beat),
    }
    known["metre"], known["metre_changes"] = changes_to_steps(metres, "4/4", grid, per_beat)
    known["key"], known["key_changes"] = changes_to_steps(tidy(keys, last_tick), None, grid, per_beat)
    tempos = tidy(facts.tempos, last_tick)
    known["tempo_qpm"], known["tempo_changes"] = tempos_to_steps(tempos, grid, per_beat, last_tick)
    remarks = two_at_once("metre", facts.metres) + two_at_once("key", keys)
    if facts.end_tick - last_tick > FAR_BEATS * per_beat:
        remarks.append("an end far behind the last note ignored")
    return known, remarks


def _on_grid(labels: dict[str, Any], grid: int) -> dict[str, Any]:
    """The labels of our text event, times moved from the grid they were written on."""
    written = labels.get("steps_per_beat", grid)
    moved = labels | {
        name: tuple((to_steps(step, grid, written), value) for step, value in labels[name])
        for name in CHANGES.values()
        if name in labels
    }
    if "fermatas" in labels:
        moved["fermatas"] = [to_steps(step, grid, written) for step in labels["fermatas"]]
    if "pickup_steps" in labels:
        moved["pickup_steps"] = to_steps(labels["pickup_steps"], grid, written)
    return moved


def _decode_title(title: bytes) -> str:
    try:
        text = title.decode("utf-8")
    except UnicodeDecodeError:
        text = title.decode("latin-1")  # older files; it reads any byte
    return "".join(c for c in text if c.isprintable()).strip()[:MAX_TITLE]


def write_midi(piece: Piece, path: str | os.PathLike[str]) -> None:
    """Write a piece to a file in one stroke: a failure leaves what was there. A missing folder is made.

    Raises:
        MusegenError: MIDI cannot hold the piece, or no file can be there.
    """
    path, data = Path(path), piece_to_midi(piece)
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except MusegenError:
        raise
    except (OSError, ValueError) as fault:
        why = getattr(fault, "strerror", None) or fault
        raise MusegenError(f"{one_line(str(path))}: cannot be written ({why}); check the folder") from None
