"""A phrase of any kind as four voices, for a net that plays on from it."""

from __future__ import annotations

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece, pitched_notes
from musegen_lib.encodings.arrays import grid_to_piece, piece_to_roll
from musegen_lib.encodings.chorale_steps import (
    CHORALE_METRES,
    HIGH,
    HOLD,
    LOW,
    N_VOICES,
    REST,
    STEPS_PER_BEAT,
    VOICE_RANGES,
    ChoraleSteps,
    piece_to_steps,
    tokens_to_grid,
)
from musegen_lib.metrics.key import guess_key
from musegen_lib.models.chorale.harmonise import LONGEST_STEPS, harmonise

OUR_TUNE = (  # onset, duration, pitch
    *((0, 4, 67), (4, 4, 71), (8, 4, 74), (12, 4, 71), (16, 6, 72), (22, 2, 71), (24, 8, 69)),
    *((32, 4, 67), (36, 4, 69), (40, 4, 71), (44, 4, 67), (48, 4, 69), (52, 4, 66), (56, 8, 67)),
)


def our_phrase() -> Piece:
    """Four bars for those who have none: written for this course, free for any use."""
    labels = {"title": "our phrase", "source": "written for this course", "licence": "CC0-1.0"}
    return Piece.from_notes(OUR_TUNE, key="G major", tempo_qpm=96.0, **labels)


def four_voices(seed: Piece, number: int = 0) -> ChoraleSteps:
    """The seed phrase for four voices, filled up to whole bars by holding its end.

    Four voices of one note at a time stay as they are. A melody is harmonised, with `number` as the seed. Anything
    else, such as piano music, is thinned out to the highest note of each step, the lowest, and two between them, each
    moved by octaves into its voice's range.

    Raises:
        MusegenError: no notes but drums, another grid than sixteenths, or too long.
    """
    piece = _to_sing(seed)
    roll, _ = piece_to_roll(piece)
    if roll.sum(axis=1).max() == 1:
        piece = harmonise(piece, number)[0]
    elif not _is_for_four(piece):
        labels = {"metre": piece.metre, "pickup_steps": piece.pickup_steps, "key": piece.key}
        piece = grid_to_piece(_thinned(piece), **labels)
    steps = piece_to_steps(piece.replace(key=piece.key or guess_key(piece)))
    n_bar = CHORALE_METRES[steps.metre]
    rest = np.full((-len(steps.tokens) % n_bar, N_VOICES), HOLD)
    rest[:, tokens_to_grid(steps.tokens)[-1] == 0] = REST
    return ChoraleSteps(np.vstack([steps.tokens, rest]), steps.tonic, steps.mode, steps.metre, steps.pickup % n_bar)


def _to_sing(seed: Piece) -> Piece:
    """The seed without drums, if it can be read at all."""
    name = seed.title or "the phrase"
    piece = seed.replace(notes=pitched_notes(seed))
    if not len(piece):
        raise MusegenError(f"{name}: holds no notes to play on from")
    if piece.steps_per_beat != STEPS_PER_BEAT:
        raise MusegenError(f"{name}: has {piece.steps_per_beat} steps a beat; wanted sixteenths, {STEPS_PER_BEAT}")
    if piece.n_steps > LONGEST_STEPS:
        raise MusegenError(f"{name}: {piece.n_steps} steps; at most {LONGEST_STEPS} are played on from")
    return piece


def _is_for_four(piece: Piece) -> bool:
    """True for four voices of one note at a time whose pitches the net knows."""
    notes = [piece.notes[piece.notes["voice"] == voice] for voice in range(piece.n_voices)]
    alone = all((n["onset_steps"][1:] >= (n["onset_steps"] + n["duration_steps"])[:-1]).all() for n in notes)
    inside = piece.notes["pitch"].min() >= LOW and piece.notes["pitch"].max() <= HIGH
    return bool(piece.n_voices == N_VOICES and alone and inside)


def _thinned(piece: Piece) -> np.ndarray:
    """(T, 4) +pitch where a voice strikes, -pitch where it holds, 0 in a rest."""
    roll, onset_roll = piece_to_roll(piece)
    grid = np.zeros((len(roll), N_VOICES), dtype=np.int64)
    source = np.zeros_like(grid)  # the pitches before they are moved
    for step, row in enumerate(roll):
        pitches = np.flatnonzero(row)[::-1].tolist()  # from high to low
        chosen = {0: pitches[:1], 3: pitches[1:][-1:]} | dict(zip((1, 2), ([pitch] for pitch in _inner(pitches))))
        for voice, pitch in ((voice, pitch) for voice, found in chosen.items() for pitch in found):
            source[step, voice] = pitch
            held = step > 0 and source[step - 1, voice] == pitch and not onset_roll[step, pitch]
            grid[step, voice] = _into_range(pitch, *VOICE_RANGES[voice]) * (-1 if held else 1)
    return grid


def _inner(pitches: list[int]) -> list[int]:
    """At most two notes between the highest and the lowest, rather new to the chord than doubling it.

    >>> _inner([72, 67, 64, 48, 36]), _inner([72, 60, 48])
    ([67, 64], [60])
    """
    outer = {pitch % 12 for pitch in (*pitches[:1], *pitches[-1:])}
    inner = sorted(pitches[1:-1], key=lambda pitch: pitch % 12 in outer)
    second = [pitch for pitch in inner[1:] if pitch % 12 != inner[0] % 12] or inner[1:]
    return sorted(inner[:1] + second[:1], reverse=True)


def _into_range(pitch: int, low: int, high: int) -> int:
    """Move by whole octaves; a voice's range is wider than one.

    >>> _into_range(30, 36, 64), _into_range(100, 57, 81)
    (42, 76)
    """
    return pitch + 12 * (max(0, -((pitch - low) // 12)) + min(0, (high - pitch) // 12))
