"""Make damaged files fit to be read in their outer form again, so that the damage inside reaches the inner rooms."""

from __future__ import annotations

import re

from tiny_fonts import sine_font

FONT_CHUNK = re.compile(rb"(ifil|smpl|phdr|pbag|pgen|inst|ibag|igen|shdr)")
TAG = re.compile(rb"<(/?)([A-Za-z][\w-]*)([^<>]*?)(/?)>")
NO_TEXT = re.compile(rb"<|[^\x09\x0a\x20-\x7e]|&(?!\w+;)")


def mend_midi(data: bytes) -> bytes:
    """Give every track chunk its true length, and the header the true number of tracks."""
    head, *bodies = data.split(b"MTrk")
    tracks = [b"MTrk" + len(body[4:]).to_bytes(4, "big") + body[4:] for body in bodies]
    if len(head) < 14:
        head = b"MThd\0\0\0\6\0\1\0\1\1\xe0"
    return head[:10] + (len(tracks) % 65536).to_bytes(2, "big") + head[12:14] + b"".join(tracks)


def mend_font(data: bytes) -> bytes:
    """Give every chunk of a sound font its true length, made even; those that are gone are taken from a sound one."""
    _, *parts = FONT_CHUNK.split(sine_font() + data)
    bodies = {name: body[4:] + b"\0" * (len(body) % 2) for name, body in zip(parts[::2], parts[1::2])}
    chunks = b"".join(name + len(body).to_bytes(4, "little") + body for name, body in bodies.items())
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"sfbk" + chunks


def mend_xml(data: bytes) -> bytes:
    """One element with all that is open closed in order; closing tags and signs that belong to nothing are dropped."""
    parts, open_tags, last = [], [], 0
    for match in TAG.finditer(data):
        closing, name, _, single = match.groups()
        if open_tags:
            parts.append(NO_TEXT.sub(b"", data[last : match.start()]))
        last = match.end()
        if closing and name in open_tags:
            while (top := open_tags.pop()) != name:
                parts.append(b"</" + top + b">")
            parts.append(match[0])
        elif not closing and (open_tags or not parts):
            open_tags += [] if single else [name]
            parts.append(match[0])
    return b"".join([*parts, *(b"</" + name + b">" for name in reversed(open_tags))])
