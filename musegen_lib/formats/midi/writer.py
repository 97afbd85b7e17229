"""`Piece` to the bytes of a MIDI file. The bytes are laid here, not by a library: they are the same on every run, and
voices keep their tracks, channels and order.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import note_delays
from musegen_lib.core.limits import refuse_endless
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.midi.labels import labels_to_events, piece_to_labels
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
        lead = _lead_track(labels_to_events(labels), ticks_per_step)
        tracks = [_chunk(lead), *_voice_tracks(piece, labels["voices"], ticks_per_step)]
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


def _voice_tracks(piece: Piece, voices: list[int], ticks_per_step: int) -> Iterator[bytes]:
    n_pitched, delays = 0, _delay_ticks(piece, ticks_per_step)
    for voice in voices:
        program = piece.program(voice)
        if program == DRUMS:
            channel, port = DRUM_CHANNEL, 0
        else:
            port, slot = divmod(n_pitched, len(PITCHED_CHANNELS))
            channel, n_pitched = PITCHED_CHANNELS[slot], n_pitched + 1
        start = _meta(0x21, bytes([port])) if port else b""
        start += bytes([0, 0xC0 | channel, program % DRUMS])
        own = piece.notes["voice"] == voice
        yield _chunk(start + _notes_to_events(piece.notes[own], delays[own], channel, ticks_per_step))


def _delay_ticks(piece: Piece, ticks_per_step: int) -> np.ndarray:
    """(N,) ticks after its step at which each note begins, less than half a step; notes end on the grid."""
    onsets = piece.notes["onset_steps"].astype(np.int64)
    ticks_per_second = ticks_per_step / np.diff(piece.seconds_at(np.column_stack([onsets, onsets + 1])))[:, 0]
    return (note_delays(piece) * ticks_per_second).astype(int)


def _notes_to_events(notes: np.ndarray, delays: np.ndarray, channel: int, ticks_per_step: int) -> bytes:
    """Write the notes of one voice; at equal times ends come before beginnings, so that repeated notes pair rightly."""
    events = []
    for (onset, duration, pitch, velocity, _), delay in zip(notes.tolist(), delays.tolist()):
        events.append((onset * ticks_per_step + delay, 1, bytes([0x90 | channel, pitch, velocity])))
        events.append(((onset + duration) * ticks_per_step, 0, bytes([0x80 | channel, pitch, 64])))
    events.sort()
    ticks = [0, *(tick for tick, _, _ in events)]
    return b"".join(quantity_to_bytes(tick - last) + event for last, (tick, _, event) in zip(ticks, events))
