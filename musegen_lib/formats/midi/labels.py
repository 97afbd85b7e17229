"""The fields of `Piece` in MIDI: as events where MIDI has one, and all of them exactly in one text event.

The text is "musegen:" and JSON. Read back, it is a stranger's claim: a field counts only if its type and range are
right and it agrees with the events and notes beside it, which other software may have changed since.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.keys import FIFTHS_ABOVE_MAJOR, LINE_OF_FIFTHS, metre_to_beats
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.midi.scan import DEFAULT_TEMPO, FASTEST_TEMPO, MARKER, SLOWEST_TEMPO, ScanFacts

MAX_LABEL_BYTES = 65_536
MAX_STEPS_PER_BEAT = 32_767  # MIDI's finest division of a quarter note
_C = LINE_OF_FIFTHS.index("C")


def piece_to_labels(piece: Piece) -> dict[str, Any]:
    """Return every field by name, and the voice number of each track; MusegenError if a file cannot hold one."""
    labels = piece.labels | {
        "steps_per_beat": int(piece.steps_per_beat),
        "tempo_qpm": float(piece.tempo_qpm),
        "pickup_steps": int(piece.pickup_steps),
        "programs": [int(program) for program in piece.programs],
        "voices": np.unique(piece.notes["voice"]).tolist(),
    }
    wrong = [name for name, is_right in IS_RIGHT.items() if not is_right(labels[name])]
    if wrong or len(json.dumps(labels)) > MAX_LABEL_BYTES:
        raise MusegenError(f"{', '.join(wrong) or 'labels of this length'} cannot be written to MIDI; change the piece")
    return labels


def labels_to_events(labels: dict[str, Any]) -> list[bytes]:
    """Return the meta events, without their times, that open a file of ours; MIDI's own events come before our text."""
    title, metre = labels["title"].encode("utf-8"), labels["metre"]
    signature = key_to_signature(labels["key"])
    events = [b"\x03" + title] if title else []
    events.append(b"\x51" + _tempo_to_microseconds(labels["tempo_qpm"]).to_bytes(3, "big"))
    if metre is not None:
        upper, lower = map(int, metre.split("/"))
        clocks = max(1, 36 if upper % 3 == 0 and upper > 3 and lower == 8 else 96 // lower)  # between metronome clicks
        events.append(bytes([0x58, upper, lower.bit_length() - 1, clocks, 8]))
    if signature is not None:
        events.append(bytes([0x59, signature[0] % 256, signature[1]]))
    return [*events, b"\x01" + MARKER + json.dumps(labels, sort_keys=True).encode("ascii")]


def read_labels(facts: ScanFacts, ticks: np.ndarray) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields of our text event that can be believed, and the names of those that cannot.

    Args:
        ticks: (N, 2) onset and offset of every note.
    """
    if facts.marker is None:
        return {}, ()
    try:
        claimed = json.loads(facts.marker.decode("ascii")) if len(facts.marker) <= MAX_LABEL_BYTES else None
    except (ValueError, RecursionError):
        claimed = None
    if not isinstance(claimed, dict):
        return {}, ("all",)
    right = {name: claimed[name] for name, is_right in IS_RIGHT.items() if name in claimed and is_right(claimed[name])}
    right = {name: value for name, value in right.items() if _agrees(name, right, facts, ticks)}
    for name, needed in (("programs", "voices"), ("voices", "programs"), ("pickup_steps", "steps_per_beat")):
        if needed not in right:
            right.pop(name, None)
    return right, tuple(name for name in IS_RIGHT if name not in right)


def _agrees(name: str, labels: dict[str, Any], facts: ScanFacts, ticks: np.ndarray) -> bool:
    value = labels[name]
    if name == "steps_per_beat":
        return not (ticks * value % facts.ticks_per_beat).any()
    if name == "tempo_qpm":
        return {tempo for _, tempo in facts.tempos or [(0, DEFAULT_TEMPO)]} == {_tempo_to_microseconds(value)}
    if name == "metre":
        written = [] if value is None else ["/".join(str(int(part)) for part in value.split("/"))]
        return [metre for _, metre in facts.metres[:1]] == written
    if name == "key":
        return (facts.keys[0][1:] if facts.keys else None) == key_to_signature(value)
    if name == "title":
        return facts.title == value.encode("utf-8")
    if name == "voices":
        programs = dict(enumerate(labels.get("programs", [])))
        return [programs.get(v, 0) for v in value] == [voice.piece_program for voice in facts.voices]
    return True


def key_to_signature(key: str | None) -> tuple[int, int] | None:
    """Return (sharps, or flats below 0; 1 for minor), None where MIDI cannot say it. Modes keep their accidentals.

    >>> key_to_signature("C minor"), key_to_signature("D dorian"), key_to_signature("G# major")
    ((-3, 1), (0, 0), None)
    """
    tonic, _, mode = (key or "").partition(" ")
    if tonic not in LINE_OF_FIFTHS or mode not in FIFTHS_ABOVE_MAJOR:
        return None
    sharps = LINE_OF_FIFTHS.index(tonic) - _C - FIFTHS_ABOVE_MAJOR[mode]
    return (sharps, int(mode == "minor")) if -7 <= sharps <= 7 else None


def signature_to_key(sharps: int, minor: int) -> str:
    """Name a key signature: (-3, 1) is "C minor"."""
    return f"{LINE_OF_FIFTHS[sharps + _C + 3 * minor]} {'minor' if minor else 'major'}"


def _tempo_to_microseconds(tempo_qpm: float) -> int:
    """Microseconds a quarter note, within what MIDI and our reader allow: 3.58 to 9,998 quarter notes a minute."""
    return min(max(round(60e6 / max(tempo_qpm, 1.0)), FASTEST_TEMPO), SLOWEST_TEMPO)


def _is_int(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _is_list(low: int, high: int) -> Callable[[Any], bool]:
    is_int = _is_int(low, high)
    return lambda value: isinstance(value, list) and all(map(is_int, value))


def _is_metre(value: Any) -> bool:
    try:
        return value is None or (isinstance(value, str) and metre_to_beats(value) > 0)
    except ValueError:
        return False


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)  # halves of characters


IS_RIGHT: dict[str, Callable[[Any], bool]] = {
    "steps_per_beat": _is_int(1, MAX_STEPS_PER_BEAT),
    "tempo_qpm": lambda value: type(value) in (int, float) and 0 < value < 10_000,
    "metre": _is_metre,
    "key": lambda value: value is None or _is_text(value),
    "title": _is_text,
    "style": _is_text,
    "source": _is_text,
    "licence": _is_text,
    "pickup_steps": _is_int(0, 2**31 - 1),
    "programs": _is_list(0, DRUMS),
    "voices": lambda value: _is_list(0, 255)(value) and sorted(set(value)) == value,
}
