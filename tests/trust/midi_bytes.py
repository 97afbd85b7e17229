"""A builder of MIDI bytes, good and bad. It shares no code with the library."""

import struct

END = (0, b"\xff\x2f\x00")


def quantity(n):
    groups = [n & 127]
    while n := n >> 7:
        groups.append(n & 127 | 128)
    return bytes(reversed(groups))


def chunk(body, kind=b"MTrk"):
    return kind + struct.pack(">I", len(body)) + body


def track(*events, end=True):
    """Events are (delta in ticks, bytes)."""
    return chunk(b"".join(quantity(delta) + event for delta, event in [*events, *[END] * end]))


def song(*tracks, form=1, declared=None, division=480):
    n_tracks = len(tracks) if declared is None else declared
    return chunk(struct.pack(">HHH", form, n_tracks, division), b"MThd") + b"".join(tracks)


def on(pitch, velocity=80, channel=0):
    return bytes([0x90 | channel, pitch, velocity])


def off(pitch, channel=0):
    return bytes([0x80 | channel, pitch, 0])


def program(number, channel=0):
    return bytes([0xC0 | channel, number])


def meta(kind, payload):
    return bytes([0xFF, kind]) + quantity(len(payload)) + payload


def tempo(microseconds):
    return meta(0x51, microseconds.to_bytes(3, "big"))


BEAT = [(0, on(60)), (480, off(60))]  # one quarter note C4
