"""The fields of `Piece` in MIDI: as events where MIDI has one, and all of them exactly in one text event.

The text is "musegen:" and JSON. Read back, it is a stranger's claim: a field counts only if its type and range are
right and it agrees with the events and notes beside it, which other software may have changed since.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from operator import itemgetter
from typing import Any

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.keys import FIFTHS_ABOVE_MAJOR, LINE_OF_FIFTHS, church_key, metre_to_beats
from musegen_lib.core.piece import CHANGES, DRUMS, Piece
from musegen_lib.formats.changes import tidy
from musegen_lib.formats.grid import FINEST
from musegen_lib.formats.midi.scan import DEFAULT_TEMPO, FASTEST_TEMPO, MARKER, SLOWEST_TEMPO, ScanFacts

MAX_LABEL_BYTES = 65_536
_C = LINE_OF_FIFTHS.index("C")


def piece_to_labels(piece: Piece) -> dict[str, Any]:
    """Return every field by name, and the voice number of each track; MusegenError if a file cannot hold one."""
    labels = piece.labels | {
        "steps_per_beat": int(piece.steps_per_beat),
        "tempo_qpm": float(piece.tempo_qpm),
        "pickup_steps": int(piece.pickup_steps),
        "programs": [int(program) for program in piece.programs],
        "metre_changes": [list(change) for change in piece.metre_changes],
        "key_changes": [list(change) for change in piece.key_changes],
        "tempo_changes": [[step, float(tempo)] for step, tempo in piece.tempo_changes],
        "voices": np.unique(piece.notes["voice"]).tolist(),
    }
    for name in CHANGES.values():
        if not labels[name]:  # the usual file stays as short as it was
            del labels[name]
    wrong = [name for name, is_right in IS_RIGHT.items() if not is_right(labels.get(name, []))]
    if wrong or len(json.dumps(labels)) > MAX_LABEL_BYTES:
        raise MusegenError(f"{', '.join(wrong) or 'labels of this length'} cannot be written to MIDI; change the piece")
    return labels


def labels_to_events(labels: dict[str, Any]) -> list[tuple[int, bytes]]:
    """Return (step, meta event) of a file of ours, at step 0 MIDI's own events before our text."""
    title = labels["title"].encode("utf-8")
    events = [(0, b"\x03" + title)] if title else []
    events += [(step, b"\x51" + tempo.to_bytes(3, "big")) for step, tempo in tempo_events(labels)]
    events += [(step, _metre_to_bytes(metre)) for step, metre in metre_events(labels)]
    events += [(step, bytes([0x59, sharps % 256, minor])) for step, (sharps, minor) in key_events(labels)]
    events.append((0, b"\x01" + MARKER + json.dumps(labels, sort_keys=True).encode("ascii")))
    return sorted(events, key=itemgetter(0))


def tempo_events(labels: dict[str, Any]) -> list[tuple[int, int]]:
    """(step, microseconds a quarter note), rounded to what MIDI can say."""
    return tidy([(step, _tempo_to_microseconds(tempo)) for step, tempo in _timeline(labels, "tempo_qpm")])


def metre_events(labels: dict[str, Any], with_pickup: bool = True) -> list[tuple[int, str]]:
    """(step, metre); a pickup is a first bar in a metre of its own, since MIDI has no other way to shift the bar lines.

    >>> metre_events({"metre": "3/4", "pickup_steps": 4, "steps_per_beat": 4})
    [(0, '1/4'), (4, '3/4')]
    """
    metres = [
        (step, metre and "/".join(str(int(part)) for part in metre.split("/")))
        for step, metre in _timeline(labels, "metre")
    ]
    (_, metre), *changes = metres
    pickup = labels.get("pickup_steps", 0)
    short = _length_to_metre(pickup, labels.get("steps_per_beat", 1))
    first = [(0, metre)]
    if with_pickup and metre and short and (not changes or pickup < changes[0][0]):
        first = [(0, short), (pickup, metre)]
    return tidy([(step, metre) for step, metre in [*first, *changes] if metre])


def key_events(labels: dict[str, Any]) -> list[tuple[int, tuple[int, int]]]:
    """(step, (sharps, 1 for minor)) of the keys that MIDI can say."""
    signatures = [(step, key_to_signature(key)) for step, key in _timeline(labels, "key")]
    return tidy([(step, signature) for step, signature in signatures if signature is not None])


def _timeline(labels: dict[str, Any], name: str) -> list[tuple[int, Any]]:
    return [(0, labels.get(name)), *map(tuple, labels.get(CHANGES[name], ()))]


def _length_to_metre(steps: int, steps_per_beat: int) -> str:
    """Name a bar of this length, '' where MIDI cannot."""
    length = Fraction(steps, 4 * steps_per_beat)
    lower = max(4, length.denominator)
    upper = length * lower
    return f"{upper}/{lower}" if 0 < upper < 256 and lower in (4, 8, 16, 32, 64) else ""


def _metre_to_bytes(metre: str) -> bytes:
    upper, lower = map(int, metre.split("/"))
    clocks = max(1, 36 if upper % 3 == 0 and upper > 3 and lower == 8 else 96 // lower)  # between metronome clicks
    return bytes([0x58, upper, lower.bit_length() - 1, clocks, 8])


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
    claimed = {name: [] for name in CHANGES.values()} | claimed
    right = {name: claimed[name] for name, is_right in IS_RIGHT.items() if name in claimed and is_right(claimed[name])}
    right = {name: value for name, value in right.items() if _agrees(name, right, facts, ticks)}
    for group in TOGETHER:
        if not all(name in right for name in group):
            right = {name: value for name, value in right.items() if name not in group}
    return right, tuple(name for name in IS_RIGHT if name not in right)


def _agrees(name: str, labels: dict[str, Any], facts: ScanFacts, ticks: np.ndarray) -> bool:
    value, per_beat = labels[name], labels.get("steps_per_beat", 1)

    def same(ours: list[tuple[int, Any]], theirs: list[tuple[int, Any]]) -> bool:
        return [(step * facts.ticks_per_beat, what) for step, what in ours] == [
            (tick * per_beat, what) for tick, what in tidy(theirs)
        ]

    if name == "steps_per_beat":
        return not (ticks * value % facts.ticks_per_beat).any()
    if name == "tempo_qpm":
        return same(tempo_events(labels), facts.tempos or [(0, DEFAULT_TEMPO)])
    if name == "metre":
        return any(same(metre_events(labels, with_pickup), facts.metres) for with_pickup in (True, False))
    if name == "key":
        return same(key_events(labels), [(tick, (sharps, minor)) for tick, sharps, minor in facts.keys])
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
    tonic, _, mode = (church_key(key) or "").partition(" ")
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


def _is_table(is_value: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether a list holds (step, value) in time order, all behind the start."""

    def is_right(table: Any) -> bool:
        if not isinstance(table, list) or not all(isinstance(row, list) and len(row) == 2 for row in table):
            return False
        steps = [step for step, _ in table]
        return (
            all(map(_is_int(1, 2**31 - 1), steps))
            and sorted(set(steps)) == steps
            and all(is_value(v) for _, v in table)
        )

    return is_right


def _is_tempo(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < 10_000


def _is_key(value: Any) -> bool:
    return value is None or _is_text(value)


TOGETHER = (  # believed together or not at all
    ("programs", "voices"),
    ("pickup_steps", "steps_per_beat", "metre", "metre_changes"),
    ("tempo_qpm", "tempo_changes"),
    ("key", "key_changes"),
)
IS_RIGHT: dict[str, Callable[[Any], bool]] = {
    "steps_per_beat": _is_int(1, FINEST),
    "tempo_qpm": _is_tempo,
    "metre": _is_metre,
    "key": _is_key,
    "title": _is_text,
    "style": _is_text,
    "source": _is_text,
    "licence": _is_text,
    "pickup_steps": _is_int(0, 2**31 - 1),
    "metre_changes": _is_table(_is_metre),
    "key_changes": _is_table(_is_key),
    "tempo_changes": _is_table(_is_tempo),
    "programs": _is_list(0, DRUMS),
    "voices": lambda value: _is_list(0, 255)(value) and sorted(set(value)) == value,
}
