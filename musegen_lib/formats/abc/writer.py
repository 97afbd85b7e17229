"""From a Piece to ABC text, in the words that other programs understand as we do.

Accidentals are written wherever a note differs from the key or from an earlier one of its letter in the bar, since
programs differ in how far an accidental reaches. Odd divisions are tuplets; other lengths have a sign of their own.
"""

from __future__ import annotations

import html
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import product

from musegen_lib.core.expression import plain
from musegen_lib.core.keys import FIFTHS, TONIC_PITCH_CLASS, church_key
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.abc.fields import parse_key, spelling_in
from musegen_lib.formats.abc.rhythm import Sign, Slice, to_signs, to_slices
from musegen_lib.formats.abc.tokens import NATURALS

BARS_PER_LINE = 4
SIGNS = {1: "^", -1: "_", 0: "="}
Name = tuple[str, int]  # letter, semitones
Options = dict[int, tuple[Name, ...]]  # pitch class -> its names, the usual one first
_NAMES = [(letter, alter) for letter in FIFTHS for alter in SIGNS]
ENHARMONIC = {  # a name -> it and the others of its pitch class
    (x, up): ((x, up), *((y, to) for y, to in _NAMES if y != x and (NATURALS[x] + up - NATURALS[y] - to) % 12 == 0))
    for x, up in _NAMES
}
LOOK_AHEAD = 8


def piece_to_abc(piece: Piece) -> str:
    """Write a piece as one ABC tune, one V: field a voice; velocities and expression are lost, tempi are rounded to
    tenths.

    `parse_abc` and `tune_to_piece` give the notes back exactly. Notes of one voice that overlap are chords whose notes
    are tied; percussion is a voice with clef=perc on MIDI channel 10.

    Raises:
        ValueError: notes that no tuplet of up to 99 places.
    """
    piece = plain(piece)
    unit = Fraction(1, min(4, piece.steps_per_beat & -piece.steps_per_beat))  # in beats
    header = [
        "X:1",
        f"T:{_escape(piece.title)}",
        f"M:{piece.metre or 'none'}",
        f"L:1/{4 * unit.denominator}",
        f"Q:1/4={_number(piece.tempo_qpm)}",
        f"K:{_key(piece.key)}",
    ]
    header += ["%%MIDI fermatafixed 1/1"] * bool(piece.fermatas)  # abc2midi would double them, each voice its own
    with_fields = piece.n_voices > 1 or DRUMS in piece.programs[: piece.n_voices]
    for number in range(piece.n_voices):
        program = piece.program(number)
        header += [f"V:{number + 1}{' clef=perc' * (program == DRUMS)}"] * with_fields
        header += ["%%MIDI channel 10"] if program == DRUMS else [f"%%MIDI program {program}"] * (program > 0)
        header += [f"K:{_key(piece.key)}"] * (number > 0 and bool(piece.key_changes))
        lines = " ".join(_voice_to_words(piece, number, unit)).split("\n")
        header += [line.strip() for line in lines if line.strip()]
    return "\n".join(header) + "\n"


def _escape(title: str) -> str:
    title = " ".join(title.split()).replace("\\", r"\\").replace("%", r"\%")
    return title if html.unescape(title) == title else title.replace("&", "&amp;")


def _number(tempo: float) -> str:
    return f"{round(tempo, 1) or tempo:.9f}".rstrip("0").rstrip(".")


def _key(key: str | None) -> str:
    tonic, _, mode = (church_key(key) or "").partition(" ")
    return f"{tonic}{mode[:3]}" if tonic in TONIC_PITCH_CLASS and mode else "none"


class _Speller:
    """Spells pitches in a key; notes of a chord get a letter each if they can, since abc2midi errs with one for two."""

    def __init__(self, key: str, marked: set[str]):
        self.key = parse_key(key)
        self.spelling = spelling_in(self.key.n_sharps, (self.key.name or "").endswith("minor"))
        self.marked = marked  # letters that the bar alters, in any octave
        self.names: dict[int, Name] = {}  # of the pitch classes of the last chord
        self.held: set[int] = set()  # those of its notes that are tied to the next

    def spell(self, each: Slice, ahead: Iterable[int], held: Iterable[int]) -> list[str]:
        """Write a chord, of which the `held` notes will be tied to the next; pitches `ahead` will sound with them."""
        kept = {key: self.names[key] for key in self.held}
        options = {pitch % 12: ENHARMONIC[self.spelling[pitch % 12]] for pitch in each.pitches}
        options |= {key: (name,) for key, name in kept.items()}  # the tied name, for abc2midi alters its letter
        self.names = _one_letter_each(options, {pitch % 12: ENHARMONIC[self.spelling[pitch % 12]] for pitch in ahead})
        self.held = {pitch % 12 for pitch in held}
        return [self._write(pitch, *self.names[pitch % 12]) for pitch in each.pitches]

    def _write(self, pitch: int, letter: str, alter: int) -> str:
        usual = self.key.alters.get(letter, 0)
        if alter != usual:
            self.marked.add(letter)
        octave = (pitch - alter - NATURALS[letter]) // 12
        name = letter + "," * -octave if octave < 1 else letter.lower() + "'" * (octave - 1)
        return SIGNS[alter] + name if letter in self.marked else name

    def letters(self, pitches: Iterable[int]) -> set[str]:
        """The letters that name the pitches, as in the last chord."""
        return {(self.spelling | self.names)[pitch % 12][0] for pitch in pitches}


def _one_letter_each(names: Options, ahead: Options) -> dict[int, Name]:
    """Choose names of pitch classes so that as few as can be share a letter, now and with those ahead; else the first.

    >>> _one_letter_each({10: (("B", -1), ("A", 1)), 11: (("B", 0), ("C", -1))}, {})
    {10: ('B', -1), 11: ('C', -1)}
    """
    every = ahead | names if len(ahead | names) <= len(FIFTHS) else names
    usual = {pitch: options[0] for pitch, options in every.items()}
    if len({letter for letter, _ in usual.values()}) == len(usual) or len(names) > len(FIFTHS):
        return {pitch: usual[pitch] for pitch in names}

    def cost(chosen: tuple[Name, ...]) -> tuple[int, int, int]:
        now = [letter for (letter, _), pitch in zip(chosen, every) if pitch in names]
        n_changed = sum(a != b for a, b in zip(chosen, usual.values()))
        return len(now) - len(set(now)), len(chosen) - len({letter for letter, _ in chosen}), n_changed

    best = min(product(*every.values()), key=cost)
    return {pitch: name for pitch, name in zip(every, best) if pitch in names}


def _pitches_ahead(slices: Sequence[Slice]) -> dict[int, set[int]]:
    """What will sound while notes of a slice are held, as far as LOOK_AHEAD slices on, by the start of the slice."""
    found = {}
    for number, each in enumerate(slices):
        ahead, held = set(each.pitches), each.held
        for later in slices[number + 1 : number + LOOK_AHEAD] if held else ():
            ahead.update(later.pitches if held else ())
            held &= later.held
        found[each.start] = ahead
    return found


def _voice_to_words(piece: Piece, voice: int, unit: Fraction) -> Iterator[str]:
    """The music of one voice, word by word."""
    bar_lines = piece.bar_onsets.tolist()
    fields = _changes(piece, voice)
    cuts = sorted({*bar_lines, *fields, piece.n_steps} - {0})
    slices = to_slices(piece.notes[piece.notes["voice"] == voice], cuts, piece.n_steps)
    starts, ahead = [each.start for each in slices], _pitches_ahead(slices)
    fermatas = _fermatas(piece, slices)
    speller, n_bars, start, is_bar_line = _Speller(_key(piece.key), set()), 0, 0, set(bar_lines[1:])
    for stop in cuts:
        row = bisect_left(starts, start)
        if start in is_bar_line:
            n_bars += 1
            yield "|" if n_bars % BARS_PER_LINE else "|\n"
            speller.marked &= speller.letters(slices[row - 1].held)
        for letter, value in fields.get(start, ()):
            yield f"\n{letter}:{value}\n"  # music21 passes over fields within lines
            if letter == "K":  # a note held over the change may get another name
                speller = _Speller(value, speller.marked | speller.letters(slices[row - 1].held))
        for sign in to_signs(slices[row : bisect_left(starts, stop)], piece.steps_per_beat):
            yield sign.tuplet + fermatas.pop(sign.slice.start, "") + _word(sign, unit, speller, ahead[sign.slice.start])
        start = stop
    yield "|" if piece.is_cut else "|]"


def _fermatas(piece: Piece, slices: Sequence[Slice]) -> dict[int, str]:
    """What to write before the notes and chords that sound where the music pauses, by the start of their slice."""
    return {
        each.start: "!fermata!"
        for each in slices
        if each.pitches and any(each.start <= step < each.stop for step in piece.fermatas)
    }


def _changes(piece: Piece, voice: int) -> dict[int, list[tuple[str, str]]]:
    """Changes of metre, key and, in the first voice, tempo by step, as (letter, value)."""
    fields: dict[int, list[tuple[str, str]]] = {}
    timelines = [("M", "metre", lambda metre: metre or "none"), ("K", "key", _key), ("Q", "tempo_qpm", _tempo)]
    for letter, name, write in timelines[: 3 if voice == 0 else 2]:
        for onset, value in piece.timeline(name)[1:]:
            if onset < piece.n_steps:
                fields.setdefault(onset, []).append((letter, write(value)))
    return fields


def _tempo(tempo: float) -> str:
    return f"1/4={_number(tempo)}"


def _word(sign: Sign, unit: Fraction, speller: _Speller, ahead: Iterable[int]) -> str:
    """One sign: its notes with their ties, and its length."""
    length = sign.length / unit
    above = "" if length.numerator == 1 else str(length.numerator)
    below = "" if length.denominator == 1 else f"/{length.denominator}"
    pitches = sign.slice.pitches
    ties = ["-" if not sign.is_last or pitch in sign.slice.held else "" for pitch in pitches]
    names = speller.spell(sign.slice, ahead, [pitch for pitch, tie in zip(pitches, ties) if tie])
    if len(names) < 2:
        return f"{''.join(names) or 'z'}{above}{below}{''.join(ties)}"
    return f"[{''.join(map(''.join, zip(names, ties)))}]{above}{below}"
