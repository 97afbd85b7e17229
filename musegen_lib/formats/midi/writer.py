"""`Piece` to the bytes of a MIDI file. The bytes are laid here, not by a library: they are the same on every run, and
voices keep their tracks, channels and order.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import note_delays
from musegen_lib.core.limits import refuse_endless
from musegen_lib.core.note_table import NOTE_DTYPE
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.midi.labels import digest, labels_to_events, piece_to_labels
from musegen_lib.formats.midi.messages import quantity_to_bytes
from musegen_lib.formats.midi.scan import DRUM_CHANNEL, scan

TICKS_PER_BEAT = 480  # or the next multiple of the grid
PITCHED_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]


def piece_to_midi(piece: Piece) -> bytes:
    """Return a format 1 file: a leading track, then one for each voice that has notes. Same piece, same bytes.

    Ticks per quarter note are the smallest multiple of the grid from 480 up. Voices 16 and on share the 15 pitched
    channels, on tracks of their own with another port. Tempos are rounded to whole microseconds a quarter note, at
    least 3.58 a minute; our own reader takes the exact one, like all that MIDI has no event for, from a text event.

    Raises:
        MusegenError: MIDI cannot hold the piece, or our reader would refuse it (`MidiLimits`).
    """
    name = f"piece {repr(piece.title)[:60]}"
    try:
        refuse_endless(piece)
        labels = piece_to_labels(piece)
        ticks_per_step = -(-TICKS_PER_BEAT // labels["steps_per_beat"])
        rows = _note_rows(piece, ticks_per_step)
        if piece.expression is not None:
            labels["expression"] = [piece.expression, digest(rows)]
        lead = _lead_track(labels_to_events(labels), ticks_per_step)
        tracks = [_chunk(lead), *_voice_tracks(piece, labels["voices"], rows)]
    except MusegenError as fault:
        raise MusegenError(f"{name}: {fault}") from None
    sizes = (1, len(tracks), labels["steps_per_beat"] * ticks_per_step)
    data = b"".join([b"MThd\0\0\0\6", *(size.to_bytes(2, "big") for size in sizes), *tracks])
    scan(data, name)
    return data


def _lead_track(events: list[tuple[int, bytes]], ticks_per_step: int) -> bytes:
    steps = [0, *(step for step, _ in events)]
    return b"".join(
        quantity_to_bytes((step - last) * ticks_per_step) + _meta(event[0], event[1:])[1:]
        for last, (step, event) in zip(steps, events)
    )


def _meta(kind: int, payload: bytes) -> bytes:
    return bytes([0, 0xFF, kind]) + quantity_to_bytes(len(payload)) + payload


def _chunk(events: bytes) -> bytes:
    events += b"\0\xff\x2f\0"
    return b"MTrk" + len(events).to_bytes(4, "big") + events


def _voice_tracks(piece: Piece, voices: list[int], rows: np.ndarray) -> Iterator[bytes]:
    n_pitched = 0
    for voice in voices:
        program = piece.program(voice)
        if program == DRUMS:
            channel, port = DRUM_CHANNEL, 0
        else:
            port, slot = divmod(n_pitched, len(PITCHED_CHANNELS))
            channel, n_pitched = PITCHED_CHANNELS[slot], n_pitched + 1
        start = _meta(0x21, bytes([port])) if port else b""
        start += bytes([0, 0xC0 | channel, program % DRUMS])
        yield _chunk(start + _notes_to_events(rows[piece.notes["voice"] == voice], channel))


def _note_rows(piece: Piece, ticks_per_step: int) -> np.ndarray:
    """(N, 4): onset and offset in ticks, pitch, velocity; onsets late by less than half a step, offsets on the grid."""
    onsets, durations, pitches, velocities = (piece.notes[name].astype(np.int64) for name in NOTE_DTYPE.names[:4])
    ticks_per_second = ticks_per_step / np.diff(piece.seconds_at(np.column_stack([onsets, onsets + 1])))[:, 0]
    delays = np.floor(note_delays(piece) * ticks_per_second + 1e-6).astype(np.int64)  # a whole number may fall short
    begin, end = onsets * ticks_per_step + delays, (onsets + durations) * ticks_per_step
    return np.column_stack([begin, end, pitches, velocities])


def _notes_to_events(rows: np.ndarray, channel: int) -> bytes:
    """Write the notes of one voice; at equal times ends come before beginnings, so that repeated notes pair rightly."""
    events = []
    for begin, end, pitch, velocity in rows.tolist():
        events.append((begin, 1, bytes([0x90 | channel, pitch, velocity])))
        events.append((end, 0, bytes([0x80 | channel, pitch, 64])))
    events.sort()
    ticks = [0, *(tick for tick, _, _ in events)]
    return b"".join(quantity_to_bytes(tick - last) + event for last, (tick, _, event) in zip(ticks, events))
