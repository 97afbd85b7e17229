"""Keys of which the file gives the accidentals only, as most programs write them: major or minor by the last note."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from musegen_lib.core.keys import FIFTHS, TONIC_PITCH_CLASS
from musegen_lib.formats.musicxml.attributes import Key

NamedKey = tuple[str, Key]  # name as it sounds, major where the file states no mode; as written


def last_low_note(notes: Int[np.ndarray, "N 5"]) -> int | None:
    """The lowest pitch that sounds when the last note has begun; rows are onset, offset, pitch and anything.

    >>> last_low_note(np.array([[0, 8, 40, 0, 0], [0, 4, 64, 0, 0], [4, 8, 67, 0, 0]]))
    40
    """
    if not len(notes):
        return None
    last = notes[:, 0].max()
    return int(notes[notes[:, 1] > last, 2].min())


def choose_modes(keys: Sequence[tuple[int, NamedKey]], last: int | None) -> tuple[list[tuple[int, str]], list[str]]:
    """Read a key without a mode as the relative minor where its tonic is the last low note, else as major.

    Args:
        keys: (time, key).
        last: from `last_low_note`.
    Returns:
        (time, name), and a remark where the name is a guess: any but the major key on the last low note.

    >>> choose_modes([(0, ("G major", Key(1, None)))], 40)
    ([(0, 'E minor')], ['no mode in the file: read as E minor by its last low note'])
    """
    named, guesses = [], {}
    for time, (name, key) in keys:
        if key.mode is None and last is not None:
            minor = _relative_minor(name)
            if _is_tonic(last, minor):
                name = minor
                guesses[f"{name} by its last low note"] = True
            elif not _is_tonic(last, name):
                guesses[name] = True
        named.append((time, name))
    return named, [f"no mode in the file: read as {', '.join(guesses)}"] if guesses else []


def _relative_minor(major: str) -> str:
    """The minor key with the same accidentals.

    >>> _relative_minor("Eb major"), _relative_minor("C# major")
    ('C minor', 'A# minor')
    """
    tonic = major.partition(" ")[0]
    return Key(FIFTHS.index(tonic[0]) - 1 + 7 * (tonic.count("#") - tonic.count("b")), "minor").name


def _is_tonic(pitch: int, key: str) -> bool:
    return TONIC_PITCH_CLASS.get(key.partition(" ")[0]) == pitch % 12
