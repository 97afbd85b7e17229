"""Of several pieces for four voices the one with the fewest faults: what `musegen generate` and `harmonise` write.

The pieces to choose from share a plan: of other lengths the shortest would win.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.metrics.cadences import count_final_tonics, count_home_again, count_phrase_triads
from musegen_lib.metrics.voice_leading import WIDEST, count_crossed_chords
from musegen_lib.metrics.voices import FIFTH, OCTAVE, count_out_of_range, count_parallels

BAD_END, BAD_PHRASE = 4, 2  # faults that a last chord, and that of another phrase, counts which does not close
CROSSED = 0.025  # of chord changes, as in Bach; more is a fault


def keep_best(drawn: Sequence[Piece], draws: int, at_home: bool = False) -> list[Piece]:
    """Of each `draws` pieces in a row the one with the fewest `harmony_faults`, the first of equals."""

    def faults(piece: Piece) -> int:
        return sum(harmony_faults(piece, at_home).values())

    return [min(drawn[i : i + draws], key=faults) for i in range(0, len(drawn), draws)]


def harmony_faults(piece: Piece, at_home: bool = False) -> dict[str, int]:
    """What a choir would stop at, counted.

    Args:
        at_home: the last chord must be the tonic of the piece's key, and no two phrases in a row may close there. Else
            any triad over its root closes, as the key of a given melody may be guessed.
    """
    triads, phrases = count_phrase_triads(piece, piece.fermatas)
    crossed, changes = count_crossed_chords(piece)
    closes, _ = count_final_tonics(piece) if at_home else count_phrase_triads(piece, [piece.n_steps - 1])
    return {
        "last chord": BAD_END * (1 - closes),
        "phrase ends": BAD_PHRASE * (phrases - triads),
        "home again": count_home_again(piece, piece.fermatas)[0] if at_home else 0,
        "parallels": sum(count_parallels(piece, interval)[0] for interval in (FIFTH, OCTAVE)),
        "leaps": sum(_wide_leaps(piece.voice(voice)) for voice in range(piece.n_voices)),
        "crossed voices": max(0, crossed - int(CROSSED * changes)),
        "out of range": count_out_of_range(piece)[0],
    }


def _wide_leaps(line: Piece) -> int:
    """Leaps over an octave; of an octave, too, across a rest: there a voice has lost where it was."""
    onset, stop = line.notes["onset_steps"], line.notes["onset_steps"] + line.notes["duration_steps"]
    apart = np.abs(np.diff(line.notes["pitch"].astype(int)))
    return int((apart + (onset[1:] > stop[:-1]) > WIDEST).sum())
