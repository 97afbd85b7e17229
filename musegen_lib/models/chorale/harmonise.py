"""Three voices below a given melody: `musegen harmonise`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import CHANGES, Piece
from musegen_lib.corpus import CHORALE_TERMS
from musegen_lib.encodings.arrays import skyline
from musegen_lib.encodings.chorale_phrases import Ends
from musegen_lib.encodings.chorale_steps import (
    CHORALE_METRES,
    HIGH,
    HOLD,
    LOW,
    N_VOICES,
    REST,
    VOICE_RANGES,
    ChoraleSteps,
    piece_to_steps,
    shrink_steps,
    steps_to_piece,
    stretch_steps,
)
from musegen_lib.metrics.key import guess_key
from musegen_lib.models.chorale.faults import keep_best
from musegen_lib.models.chorale.infill import ChoraleInfill, gibbs
from musegen_lib.models.chorale.phrase_ends_recipe import phrases_of
from musegen_lib.models.chorale.recipe import CHORALES, HARMONISER
from musegen_lib.models.chorale.rnn import ChoraleRNN
from musegen_lib.models.chorale.sampling import ChoraleRequest, harmonise_steps

HARMONISE_METHODS = ("gibbs", "ancestral")
LONGEST_STEPS = 4_000  # sixteenths of a melody


def harmonise(
    piece: Piece,
    seed: int = 0,
    method: str = "ancestral",
    temperature: float = 0.5,
    n: int = 1,
    model: ChoraleRNN | ChoraleInfill | None = None,
    ends: Ends | None = None,
    draws: int = 1,
) -> list[Piece]:
    """Keep the melody as soprano and write alto, tenor and bass, n times.

    Args:
        piece: on sixteenths; of more than one voice the highest notes are the melody. It is moved by octaves, or
            else by semitones, into the range of a soprano.
        method: "ancestral" writes the three voices once, sixteenth by sixteenth, knowing the whole melody and its
            phrase ends; "gibbs" draws them anew many times, reading them both ways.
        model: the net of the method; None takes the shipped one.
        ends: of the phrases, as in `encodings.chorale_phrases`; None finds them in the melody.
        draws: harmonies drawn for each one kept, the one with the fewest `harmony_faults`, the first of equals.
    Raises:
        MusegenError: an unknown method, no notes, another grid, or a melody too long or too wide for one voice.
    """
    if method not in HARMONISE_METHODS:
        raise MusegenError(f"method {method!r} is unknown; use {' or '.join(HARMONISE_METHODS)}")
    melody = melody_for_soprano(piece)
    melody, by = in_quarters(replace(melody, ends=phrases_of(piece) if ends is None else ends), piece.metre)
    generator = torch.Generator().manual_seed(seed)
    if method == "gibbs":
        free = np.ones_like(melody.tokens, dtype=bool)
        free[:, 0] = False
        made = gibbs(model or HARMONISER.load_once(), melody, free, generator, temperature=temperature, n=n * draws)
    else:
        made = _ancestral(model or CHORALES.load_once(), melody, temperature, generator, n * draws)
    labels = {
        "title": f"{piece.title}, harmonised" if piece.title else "harmonised",
        "source": f"musegen harmonise, {method}, seed {seed}" + (f"; melody: {piece.source}" if piece.source else ""),
        "licence": f"{piece.licence}; harmony: {CHORALE_TERMS}" if piece.licence else CHORALE_TERMS,
        "style": "chorale",
        "tempo_qpm": piece.tempo_qpm,
        **{changes: getattr(piece, changes) for changes in CHANGES.values() if changes != "key_changes"},
        "metre": piece.metre,
    }
    written = [steps_to_piece(stretch_steps(steps, by), **labels) for steps in made]
    return keep_best(written, draws)


def in_quarters(melody: ChoraleSteps, metre: str | None) -> tuple[ChoraleSteps, int]:
    """The melody with the beat of its metre as a quarter, and what its note values were divided by.

    The net has only read chorales that move in quarters: below the halves of 4/2 it writes two chords a note. A melody
    whose shortest notes would be too short stays as it is.
    """
    unit = int(metre.partition("/")[2]) if metre else 4
    if unit >= 4:
        return melody, 1
    try:
        return shrink_steps(melody, 4 // unit), 4 // unit
    except ValueError:
        return melody, 1


def melody_for_soprano(piece: Piece) -> ChoraleSteps:
    """The melody as a piece for four voices of which three are silent, in a soprano's range."""
    if piece.n_steps > LONGEST_STEPS:
        raise MusegenError(
            f"{piece.title or 'the melody'}: {piece.n_steps} steps; at most {LONGEST_STEPS} are harmonised"
        )
    melody = skyline(piece)
    if not len(melody):
        raise MusegenError(f"{piece.title or 'the melody'}: holds no notes to harmonise")
    key = piece.key or guess_key(melody)
    moved = melody.replace(key=key).transpose(_into_range(melody))
    try:
        steps = piece_to_steps(moved)
    except ValueError as fault:
        raise MusegenError(f"{piece.title or 'the melody'}: cannot be a soprano ({fault})") from fault
    tokens = np.full((len(steps.tokens), N_VOICES), REST)
    tokens[:, 0] = steps.tokens[:, 0]
    return replace(steps, tokens=tokens)


def _into_range(melody: Piece) -> int:
    """Semitones to move by, of all that the net's pitches allow: into the range of a soprano, by octaves if they do.

    A melody too wide for a soprano goes where the least of it is outside.
    """
    low, high = VOICE_RANGES[0]
    lowest, highest = int(melody.notes["pitch"].min()), int(melody.notes["pitch"].max())

    def price(by: int) -> tuple[int, bool, int, int]:
        outside = max(0, low - lowest - by) + max(0, highest + by - high)
        return outside, by % 12 != 0, abs(low + high - lowest - highest - 2 * by), abs(by)

    held = [by for by in range(-127, 128) if lowest + by >= LOW and highest + by <= HIGH]
    if not held:
        name, span = melody.title or "the melody", highest - lowest
        spans = f"it spans {span} semitones, the net's pitches {HIGH - LOW}; give a narrower one"
        raise MusegenError(f"{name}: cannot be a soprano: {spans}")
    return min(held, key=price)


def _ancestral(
    model: ChoraleRNN, melody: ChoraleSteps, temperature: float, generator: torch.Generator, n: int
) -> list[ChoraleSteps]:
    pickup = melody.pickup % CHORALE_METRES[melody.metre]
    request = ChoraleRequest(melody.metre, pickup=pickup, temperature=temperature)
    tokens = melody.tokens.copy()
    tokens[0, 0] = REST if tokens[0, 0] == HOLD else tokens[0, 0]
    return harmonise_steps(model, [replace(melody, tokens=tokens)] * n, request, generator)
