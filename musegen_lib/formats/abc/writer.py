"""From a Piece to ABC text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from musegen_lib.core.keys import TONIC_PITCH_CLASS
from musegen_lib.core.limits import TICKS_PER_BEAT
from musegen_lib.core.piece import Piece
from musegen_lib.formats.abc.fields import NATURALS, parse_key, spelling_in

BARS_PER_LINE = 4


def piece_to_abc(piece: Piece) -> str:
    """Write a piece as one ABC tune, one V: field a voice; velocities and programs are lost.

    `parse_abc` and `tune_to_piece` give the notes back exactly where each voice sounds one note at a time. Notes
    that start and end together are written as a chord, of which our reader keeps the top note.

    Raises:
        ValueError: notes of one voice overlap without forming a chord, or the grid does not divide 48.
    """
    if TICKS_PER_BEAT % piece.steps_per_beat:
        raise ValueError(
            f"{piece!r}: ABC needs steps_per_beat that divides {TICKS_PER_BEAT}, not {piece.steps_per_beat}"
        )
    tonic, _, mode = (piece.key or "").partition(" ")
    key = f"{tonic}{mode[:3]}" if tonic in TONIC_PITCH_CLASS and mode else "none"
    header = [
        "X:1",
        f"T:{' '.join(piece.title.split())}",
        f"M:{piece.metre or 'none'}",
        f"L:1/{4 * _power_of_two(piece.steps_per_beat)}",
        f"Q:1/4={piece.tempo_qpm:.12g}",
        f"K:{key}",
    ]
    for number in range(piece.n_voices):
        if piece.n_voices > 1:
            header.append(f"V:{number + 1}")
        header.append(_voice_to_abc(piece, number, _Speller(key)))
    return "\n".join(header) + "\n"


class _Speller:
    """Spells pitches in a key, with accidentals only where key and bar do not already give them."""

    def __init__(self, key: str):
        self.key = parse_key(key)
        self.altered: dict[int, int] = {}
        self.spelling = spelling_in(self.key.n_sharps, (self.key.name or "").endswith("minor"))

    def spell(self, pitch: int, in_full: bool = False) -> str:
        """Write one pitch; in_full shows its accidental in any case."""
        letter, alter = self.spelling[pitch % 12]
        natural = pitch - alter
        usual = self.altered.get(natural, self.key.alters.get(letter, 0))
        self.altered[natural] = alter
        sign = {1: "^", -1: "_", 0: "="}[alter] if in_full or alter != usual else ""
        octave = (natural - NATURALS[letter]) // 12
        return sign + (letter + "," * -octave if octave < 1 else letter.lower() + "'" * (octave - 1))

    def bar_line(self) -> None:
        """Forget the accidentals of the bar."""
        self.altered = {}


def _voice_to_abc(piece: Piece, voice: int, speller: _Speller) -> str:
    """Write the music of one voice, notes cut at bar lines and tied."""
    bar_lines = set(piece.bar_onsets.tolist()[1:])
    words, n_bars = [], 0
    odd = piece.steps_per_beat // _power_of_two(piece.steps_per_beat)  # the odd part, as in a triplet grid
    for onset, duration, pitches, tied_before, tied_after in _cut_at_bars(piece, voice):
        if onset in bar_lines:
            n_bars += 1
            words.append("|" if n_bars % BARS_PER_LINE else "|\n")
            speller.bar_line()
        names = [speller.spell(pitch, in_full=tied_before) for pitch in pitches]
        length = Fraction(duration, odd)
        above = "" if length.numerator == 1 else str(length.numerator)
        below = "" if length.denominator == 1 else f"/{length.denominator}"
        sound = f"[{''.join(names)}]" if len(names) > 1 else names[0] if names else "z"
        words.append(f"{sound}{above}{below}{'-' * tied_after}")
    return " ".join([*words, "|]"])


def _cut_at_bars(piece: Piece, voice: int) -> Iterator[tuple[int, int, list[int], bool, bool]]:
    """Yield (onset, duration, pitches, tied to what is before, tied to what follows), rests without pitches."""
    bar_lines = [*piece.bar_onsets.tolist()[1:], piece.n_steps]
    now = 0
    for onset, offset, pitches in [*_chords(piece, voice), (piece.n_steps, piece.n_steps, [])]:
        for start, stop, sounding in ((now, onset, []), (onset, offset, pitches)):
            edges = [start, *bar_lines[bisect_right(bar_lines, start) : bisect_left(bar_lines, stop)], stop]
            for left, right in pairwise(edges):
                if right > left:
                    yield left, right - left, sounding, bool(sounding) and left > start, bool(sounding) and right < stop
        now = offset


def _chords(piece: Piece, voice: int) -> list[tuple[int, int, list[int]]]:
    """Gather the notes of a voice into (onset, offset, pitches)."""
    chords: list[tuple[int, int, list[int]]] = []
    for onset, duration, pitch, *_ in piece.notes[piece.notes["voice"] == voice].tolist():
        if chords and chords[-1][:2] == (onset, onset + duration):
            chords[-1][2].append(pitch)
        elif chords and onset < chords[-1][1]:
            raise ValueError(
                f"{piece!r}: voice {voice} has overlapping notes at step {onset} that form no chord; "
                "give each its own voice, or use encodings.skyline"
            )
        else:
            chords.append((onset, onset + duration, [pitch]))
    return chords


def _power_of_two(steps_per_beat: int) -> int:
    """The largest power of two that divides the grid; what is left (3 for triplets) goes into note lengths."""
    return steps_per_beat & -steps_per_beat
