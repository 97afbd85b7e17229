"""The grammar of MIDI files: header, chunks, variable-length quantities and events, with every length checked.

Source: Standard MIDI Files 1.0 (MIDI Manufacturers Association, RP-001).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from musegen_lib.core.errors import MusegenError

AGAIN = "export it again from the program that made it"
COPY = "the copy is incomplete, fetch the file again"
SPLIT = "split the music into several files"
END_OF_TRACK = 0x12F  # meta events are numbered 256 + type here


@dataclass(frozen=True)
class MidiLimits:
    """What a file may hold at most; the largest that passes is read in about a second."""

    file_bytes: int = 4_000_000
    events: int = 300_000
    notes: int = 200_000
    changes: int = 50_000  # of tempo, metre and key
    tracks: int = 257  # one that leads and 256 voices
    voices: int = 256  # `Piece` numbers voices in one byte
    ticks: int = 2**28 - 1  # the longest wait that one event can state
    seconds: float = 6 * 3600.0


LIMITS = MidiLimits()


def one_line(text: str) -> str:
    """Return text from a stranger without line breaks, control characters or half characters."""
    return "".join(c if c.isprintable() else "?" for c in text)


def read_header(data: bytes) -> tuple[int, int, int]:
    """Return the number of tracks, the ticks per quarter note and the position behind the header."""
    if len(data) > LIMITS.file_bytes:
        raise MusegenError(f"larger than {LIMITS.file_bytes:,} bytes; {SPLIT}")
    if data[:4] != b"MThd":
        raise MusegenError(f"not a MIDI file: it begins with {data[:4]!r}, not with b'MThd'; choose a .mid file")
    length = int.from_bytes(data[4:8], "big")
    if len(data) < 14 or not 6 <= length <= len(data) - 8:
        raise MusegenError(f"ends inside its header, after {len(data)} bytes; {COPY}")
    form, n_tracks, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    if form > 1:
        raise MusegenError(f"MIDI format {form} is not one piece; save it as format 0 or 1")
    if not 1 <= n_tracks <= LIMITS.tracks:
        raise MusegenError(f"declares {n_tracks} tracks where 1 to {LIMITS.tracks} are read; {AGAIN}")
    if n_tracks * 8 > len(data) - 8 - length:
        raise MusegenError(f"declares {n_tracks} tracks but has {len(data) - 8 - length} bytes for them; {COPY}")
    if division & 0x8000:
        raise MusegenError("counts time in film frames (SMPTE), not in beats; save it with ticks per quarter note")
    if division == 0:
        raise MusegenError(f"divides the quarter note into 0 ticks; {AGAIN}")
    return n_tracks, division, 8 + length


def read_chunks(data: bytes, pos: int, n_tracks: int, counts: Counter[str]) -> Iterator[bytes]:
    """Yield the bytes inside each track chunk; other kinds of chunk are skipped, as the standard asks."""
    found = 0
    while pos + 8 <= len(data) and (found < n_tracks or data[pos : pos + 4] == b"MTrk"):
        kind, length = data[pos : pos + 4], int.from_bytes(data[pos + 4 : pos + 8], "big")
        if found == n_tracks:
            raise MusegenError(f"declares {n_tracks} tracks but holds more; {AGAIN}")
        if not (kind.isascii() and kind.decode().isprintable()):
            raise MusegenError(f"has {kind!r} where the chunk of track {found + 1} should begin; {AGAIN}")
        pos += 8
        if pos + length > len(data):
            raise MusegenError(f"track {found + 1} declares {length} bytes and {len(data) - pos} are there; {COPY}")
        if kind == b"MTrk":
            found += 1
            yield data[pos : pos + length]
        pos += length
    if found < n_tracks:
        raise MusegenError(f"declares {n_tracks} tracks but holds {found}; {COPY}")
    counts["stray_bytes"] += len(data) - pos


def bytes_to_quantity(body: bytes, pos: int) -> tuple[int, int]:
    """Read a variable-length quantity: seven bits a byte, the high bit set on all but the last, four bytes at most."""
    value = 0
    for here in range(pos, pos + 4):
        byte = body[here]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, here + 1
    raise MusegenError(f"the number at byte {pos} is longer than 4 bytes; {AGAIN}")


def quantity_to_bytes(value: int) -> bytes:
    """Write a number below 2^28 as a variable-length quantity.

    >>> quantity_to_bytes(200).hex()
    '8148'
    """
    if not 0 <= value < 2**28:
        raise MusegenError(f"{value:,} ticks between two events are more than MIDI can state; shorten the rest")
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def read_events(body: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield (tick, status, begin, data begin, end) up to the end of the track.

    Running status outlives meta and system exclusive events: the standard says no, many old files say yes.
    """
    pos = tick = status = running = 0
    while pos < len(body) and status != END_OF_TRACK:
        delta, begin = (body[pos], pos + 1) if body[pos] < 0x80 else bytes_to_quantity(body, pos)
        tick += delta
        status, start = (body[begin], begin + 1) if body[begin] >= 0x80 else (running, begin)
        if 0x80 <= status < 0xF0:
            running = status
            pos = start + (1 if 0xC0 <= status < 0xE0 else 2)
            if body[start] >= 0x80 or body[pos - 1] >= 0x80:
                raise MusegenError(f"a status byte stands at byte {start} where data should; {AGAIN}")
        elif status in (0xF0, 0xF7, 0xFF):
            status = 0x100 + body[start] if status == 0xFF else status
            length, start = bytes_to_quantity(body, start + (status > 0xFF))
            pos = start + length
            if pos > len(body):
                raise IndexError
        elif status == 0:
            raise MusegenError(f"data byte {body[begin]:#04x} stands at byte {begin} where a status should; {AGAIN}")
        else:
            raise MusegenError(f"status byte {status:#04x} at byte {begin} has no place in a file; {AGAIN}")
        yield tick, status, begin, start, pos
