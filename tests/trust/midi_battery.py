"""Malformed and extreme MIDI files, made here byte by byte, and the one outcome that each must have.

Classes follow the standard (RP-001) and what was seen to bring down other readers: sizes that lie, numbers without end,
status bytes out of place, times and metres at their limits, notes that never end, a million of them.
"""

from dataclasses import dataclass, field
from itertools import chain

from midi_bytes import BEAT, END, chunk, meta, off, on, program, quantity, song, tempo, track

from musegen_lib.formats.midi.messages import LIMITS


@dataclass(frozen=True)
class Case:
    """A file and its outcome: refused with words of the message, or read as these notes with words of the report.

    Notes are (onset, duration, pitch) in steps of the grid that is chosen; None stands for "too many to list here".
    """

    data: bytes = field(repr=False)
    refused: str = ""
    notes: list | None = None
    report: str = "read completely"


LONG = 2**28 - 1
REFUSED = {
    "text": (b"Dear MIDI,\nhello", "not a MIDI file"),
    "empty": (b"", "not a MIDI file"),
    "header": (song(track())[:13], "ends inside its header"),
    "header length": (b"MThd\0\0\0\2" + bytes(20), "ends inside its header"),
    "no tracks": (song(declared=0), "declares 0 tracks"),
    "too many tracks": (song(*[track()] * 258), "declares 258 tracks where 1 to 257"),
    "tracks beyond bytes": (song(track(), declared=200), "declares 200 tracks but has"),
    "fewer tracks": (song(track(*BEAT), declared=2), "declares 2 tracks but holds 1"),
    "more tracks": (song(track(), track(), declared=1), "declares 1 tracks but holds more"),
    "format 2": (song(track(), form=2), "format 2"),
    "film frames": (song(track(), division=0xE728), "film frames"),
    "no ticks": (song(track(), division=0), "0 ticks"),
    "cut": (song(track(*BEAT))[:-5], "declares 13 bytes and 8 are there"),
    "rubbish chunk": (song(b"\x80\x81\x82\x83\0\0\0\0", declared=1), "where the chunk of track 1 should begin"),
    "long number": (song(chunk(b"\xff\xff\xff\xff\x7f\x90\x3c\x50")), "longer than 4 bytes"),
    "data first": (song(track((0, b"\x3c\x50"))), "data byte 0x3c stands at byte 1 where a status should"),
    "status in data": (song(track((0, b"\x90\x3c\xff"))), "where data should"),
    "status F8": (song(track((0, b"\xf8"))), "status byte 0xf8"),
    "half event": (song(track((0, b"\x90\x3c"), end=False)), "middle of an event"),
    "half delta": (song(chunk(b"\0\x90\x3c\x50\x81")), "middle of an event"),
    "long text": (song(track((0, b"\xff\x01\x7fabc"))), "middle of an event"),
    "ticks": (song(track(*[(LONG, on(60))] * 2), division=32767), "beyond 268,435,455 ticks"),
    "seconds": (song(track((LONG // 2, on(60)))), "after 38.8 hours"),
    "slow": (song(track((0, tempo(2**24 - 1)), (1300, on(60))), division=1), "after 6.1 hours"),
    "huge": (b"MThd" + bytes(LIMITS.file_bytes), "larger than 4,000,000 bytes"),
    "events": (song(chunk(b"\0\xb0\1\1" + b"\0\1\1" * LIMITS.events)), "beyond 300,000 events"),
    "changes": (song(track(*[(1, tempo(500_000))] * (LIMITS.changes + 1))), "50,000 changes of tempo"),
    "notes": (song(chunk(b"\0\x90\x3c\x50" + b"\0\x3c\x50" * (LIMITS.notes + 1))), "200,000 notes"),
    "voices": (
        song(*[track(*[(0, on(60, 80, c)) for c in range(16)], *[(0, off(60, c)) for c in range(16)])] * 17),
        "272 voices",
    ),
}

C4, D4 = (0, 4, 60), (0, 4, 62)


def events(*parts):
    """A track of raw bytes, each part with a delta of 0 unless it is a note of BEAT."""
    return song(track(*[(0, part) for part in parts], *BEAT))


def steady(n, division=480):
    """n notes, one a tick, by running status."""
    return song(chunk(b"\0\x90\x3c\x50" + b"\1\x3c\0\0\x3c\x50" * (n - 1) + b"\1\x3c\0\0\xff\x2f\0"), division=division)


READ = {
    "empty track": Case(song(track()), notes=[]),
    "track of no bytes": Case(song(chunk(b""), track(*BEAT)), notes=[C4], report="missing ends of track added: 1"),
    "256 voiceless tracks": Case(song(*[track()] * 256, track(*BEAT)), notes=[C4]),
    "chunk of another kind of 3 bytes": Case(song(chunk(b"abc", b"XMID"), track(*BEAT), declared=1), notes=[C4]),
    "bytes after the last track": Case(
        song(track(*BEAT)) + b"\0" * 9, notes=[C4], report="bytes after the end ignored: 9"
    ),
    "events after the end": Case(song(track(*BEAT, END, *BEAT)), notes=[C4], report="bytes after the end ignored"),
    "no end of track": Case(song(track(*BEAT, end=False)), notes=[C4], report="missing ends of track added: 1"),
    "quantity in four bytes for 0": Case(
        song(chunk(b"\x80\x80\x80\0" + on(60) + b"\x83\x60" + off(60))), notes=[C4], report="missing ends"
    ),
    "running status after a text": Case(
        song(track(BEAT[0], (0, meta(1, b"x")), (480, b"\x3c\0"))), notes=[C4], report="texts ignored: 1"
    ),
    "running status after a packet": Case(
        song(track(BEAT[0], (0, b"\xf0\1\xf7"), (480, b"\x3c\0"))), notes=[C4], report="exclusive messages ignored: 1"
    ),
    "a meta event of an unknown kind": Case(events(meta(0x7E, b"???")), notes=[C4]),
    "a text of 60 kB": Case(events(meta(1, b"x" * 60_000)), notes=[C4], report="texts ignored: 1"),
    "a title that is no text": Case(events(meta(3, bytes(range(256)))), notes=[C4]),
    "all controllers": Case(
        events(*[bytes([0xB0, n, 127]) for n in range(128)]), notes=[C4], report="controllers ignored: 127; pedal"
    ),
    "the fastest tempo": Case(events(tempo(6001)), notes=[C4]),
    "the slowest tempo": Case(events(tempo(2**24 - 1)), notes=[C4]),
    "a tempo a tick": Case(
        song(track(*[(1, tempo(500_000 + n)) for n in range(400)], (80, on(60)), (480, off(60)))),
        notes=[(4, 4, 60)],
    ),
    "metre 255/64": Case(events(meta(0x58, b"\xff\6\x18\x08")), notes=[C4]),
    "metre 1/64": Case(events(meta(0x58, b"\1\6\x18\x08")), notes=[C4]),
    "a key of 99 sharps": Case(events(meta(0x59, b"\x63\0")), notes=[C4], report="impossible keys ignored: 1"),
    "metre 4/2^32": Case(events(meta(0x58, b"\x04\x20\x18\x08")), notes=[C4], report="impossible metres ignored: 1"),
    "tempo of 2 bytes": Case(events(meta(0x51, b"\x07\xa1")), notes=[C4], report="impossible tempos ignored: 1"),
    "tempo of 10,000 a minute": Case(events(tempo(6000)), notes=[C4], report="impossible tempos ignored: 1"),
    "metre 4/2^255": Case(events(meta(0x58, b"\4\xff\x18\x08")), notes=[C4], report="impossible metres ignored: 1"),
    "metre zero": Case(events(meta(0x58, b"\x00\x02\x18\x08")), notes=[C4], report="impossible metres ignored: 1"),
    "metre of one byte": Case(events(meta(0x58, b"\x04")), notes=[C4], report="impossible metres ignored: 1"),
    "metre of two bytes": Case(events(meta(0x58, b"\x04\x02")), notes=[C4]),
    "tempo zero": Case(events(tempo(0)), notes=[C4], report="impossible tempos ignored: 1"),
    "tempo of four bytes": Case(events(meta(0x51, b"\1\1\1\1")), notes=[C4], report="impossible tempos ignored: 1"),
    "1 tick a beat": Case(song(track((0, on(60)), (1, off(60))), division=1), notes=[C4]),
    "32767 ticks a beat": Case(song(track((0, on(60)), (32767, off(60))), division=32767), notes=[C4]),
    "an onset off every grid": Case(song(track((1, on(60)), (480, off(60)))), notes=[(1, 480, 60)]),
    "note without end": Case(song(track(*BEAT, (0, on(62)))), notes=[C4], report="notes without an end dropped: 1"),
    "end without note": Case(
        song(track((0, off(61)), *BEAT)), notes=[C4], report="note ends without a note ignored: 1"
    ),
    "note of no length": Case(
        song(track((0, on(60)), (0, off(60)))), notes=[(0, 1, 60)], report="no length given one step: 1"
    ),
    "the same note twice at once": Case(
        song(track((0, on(60)), (0, on(60)), (480, off(60)), (0, off(60)))),
        notes=[C4],
        report="dropped for a longer one",
    ),
    "a note struck while it sounds": Case(
        song(track((0, on(60)), (240, on(60)), (240, off(60)), (240, off(60)))),
        notes=[(0, 2, 60), (2, 4, 60)],
        report="ended where their voice strikes the pitch again: 1",
    ),
    "notes that cross tracks": Case(
        song(track((0, on(60))), track((480, off(60)))),
        notes=[],
        report="dropped: 1; note ends without a note ignored: 1",
    ),
    "16 channels in one track": Case(
        song(track(*[(0, on(60, 80, c)) for c in range(16)], *[(480 * (c == 0), off(60, c)) for c in range(16)])),
        notes=[C4] * 16,
    ),
    "velocity 0 as the first event": Case(
        song(track((0, on(60, 0)), *BEAT)), notes=[C4], report="note ends without a note"
    ),
    "three deltas that sum to the last tick": Case(
        song(track((0, tempo(6001)), (LONG // 2, on(60)), (LONG - LONG // 2, off(60))), division=32767), notes=None
    ),
    "silence of six hours": Case(
        song(track((0, tempo(1_000_000)), (21_599, on(60)), (1, off(60))), division=1), notes=[(86_396, 4, 60)]
    ),
    "a program a note": Case(
        song(track(*chain(*[[(0, program(n % 128)), *BEAT] for n in range(3)]))),
        notes=[C4, (4, 4, 60), (8, 4, 60)],
        report="program changes within a voice ignored: 2",
    ),
    "149,000 notes": Case(steady(149_000), notes=None),
}
READ["header longer than the standard's"] = Case(chunk(b"\0\1\0\1\1\xe0" + b"???", b"MThd") + track(*BEAT), notes=[C4])
REFUSED |= {
    "only a name": (b"MThd", "ends inside its header"),
    "header of 5 bytes": (b"MThd\0\0\0\5" + bytes(30), "ends inside its header"),
    "header of 2 GB": (b"MThd\x7f\xff\xff\xff" + bytes(30), "ends inside its header"),
    "format 65535": (song(track(*BEAT), form=65535), "format 65535"),
    "65535 tracks": (song(track(*BEAT), declared=65535), "declares 65535 tracks"),
    "chunk of 4 GB": (song(b"MTrk\xff\xff\xff\xff" + bytes(99)), "declares 4294967295 bytes and 99 are there"),
    "chunk one byte too long": (song(b"MTrk\0\0\0\x0e" + track(*BEAT)[8:]), "declares 14 bytes and 13 are there"),
    "chunk one byte too short": (song(b"MTrk\0\0\0\x0b" + track(*BEAT)[8:]), "middle of an event"),
    "another kind of chunk of 4 GB": (
        song(b"XMID\xff\xff\xff\xff" + bytes(9), track(*BEAT)),
        "declares 4294967295 bytes",
    ),
    "SMPTE 24": (song(track(*BEAT), division=0xE808), "film frames"),
    "SMPTE 25": (song(track(*BEAT), division=0xE728 - 0x0000), "film frames"),
    "SMPTE 29": (song(track(*BEAT), division=0xE350), "film frames"),
    "SMPTE 30 of 0 ticks": (song(track(*BEAT), division=0xE200), "film frames"),
    "a quantity of five bytes": (song(chunk(b"\x81\x80\x80\x80\0" + on(60))), "longer than 4 bytes"),
    "a quantity without end": (song(chunk(b"\xff" * 400)), "longer than 4 bytes"),
    "a text of 2^28 bytes": (song(chunk(b"\0\xff\1" + quantity(LONG) + b"x")), "middle of an event"),
    "running status from nowhere": (song(chunk(b"\0\x3c\x50\0\xff\x2f\0")), "where a status should"),
    "running status from the track before": (song(track(*BEAT), chunk(b"\0\x3c\x50")), "track 2: data byte 0x3c"),
    **{
        f"status {s:02x}": (song(track((0, bytes([s, 0, 0])))), f"status byte {s:#04x}")
        for s in (*range(0xF1, 0xF7), *range(0xF8, 0xFF))
    },
    "half a meta event": (song(chunk(b"\0\xff")), "middle of an event"),
    "half a status": (song(chunk(b"\0\x90")), "middle of an event"),
    "a tick too late": (
        song(track((0, tempo(6001)), (LONG, on(60)), (1, off(60))), division=32767),
        "beyond 268,435,455",
    ),
    "ten huge deltas": (
        song(track(*[(LONG, on(60)), (LONG, off(60))] * 5), division=32767),
        "beyond 268,435,455 ticks",
    ),
    "a second too late": (
        song(track((0, tempo(1_000_000)), (21_600, on(60)), (1, off(60))), division=1),
        "after 6.0 hours",
    ),
    "57 million bars": (
        song(
            track((0, tempo(6001)), (0, meta(0x58, b"\1\6\x18\x08")), (57_000_000, on(60)), (1, off(60))), division=16
        ),
        "57,000,001 bars of 1/64",
    ),
    "a million notes": (steady(1_000_000), "larger than 4,000,000 bytes"),
    "a million notes in the bytes allowed": (
        song(chunk(b"\0\x90\x3c\x50" + b"\0\x3c\x50" * 1_000_000)),
        "beyond 300,000 events or 200,000 notes",
    ),
    "a million texts": (song(chunk(b"\0\xff\1\0" * 999_000)), "beyond 300,000 events"),
}
CASES = {name: Case(data, refused=fault) for name, (data, fault) in REFUSED.items()} | READ
