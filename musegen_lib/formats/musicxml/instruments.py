"""The instruments of a part: General MIDI programs, and which drum an unpitched note strikes. Used by `parts`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from xml.etree import ElementTree as ET

from musegen_lib.core.piece import DRUMS
from musegen_lib.formats.musicxml.attributes import number

# the customary places on a staff of five lines, named as in treble clef, and General MIDI's drums there
DRUM_LINES = dict(
    zip(
        ("D4", "E4", "F4", "G4", "A4", "B4", "C5", "D5", "E5", "F5", "G5", "A5", "B5", "C6"),
        (44, 36, 36, 41, 43, 45, 38, 47, 48, 51, 42, 49, 57, 55),
    )
)
RELATED_DRUMS = {
    35: 36,
    37: 38,
    39: 38,
    40: 38,
    46: 42,
    50: 48,
    52: 49,
    53: 51,
    59: 51,
}  # those on one line with others
SNARE = 38
CROSSED = (37, 42, 44, 49, 51, 52, 53, 55, 57, 59)  # side stick, closed hi-hats and cymbals
HEADS = {**dict.fromkeys(CROSSED, "x"), 46: "circle-x"}  # note heads of drums; 46 is the open hi-hat
_LABEL = re.compile(r"(?:(?:musicxml )?part|p|music|score|staff|track|instrument|melody)?[ #]*\d*")
OTHER_NAMES = {"corno inglese": "english horn", "corn[io]": "horn", "bass guitar": "electric bass"}  # to music21's


@dataclass(frozen=True)
class Instrument:
    """One <score-instrument>: `drum` is the MIDI pitch that its unpitched notes play, None where the file is silent."""

    name: str = ""
    sound: str = ""  # MusicXML's name of it, from its last part back: "alto saxophone" of "wind.reed.saxophone.alto"
    is_percussion: bool = False
    program: int | None = None
    drum: int | None = None

    def drum_at(self, line: str) -> tuple[int, bool]:
        """The drum of a note on a line such as "C5", and whether it had to be guessed."""
        if self.drum is not None:
            return self.drum, False
        named = _drum_names().get(_plain(self.name))
        return (named, False) if named else (DRUM_LINES.get(line, SNARE), True)


def read_instruments(header: ET.Element | None) -> dict[str | None, Instrument]:
    """Instruments of a <score-part> by id; that of notes which name none, the first, is under None."""
    if header is None:
        return {None: Instrument()}
    names = {each.get("id"): each for each in header.findall("score-instrument")}
    players = {each.get("id"): each for each in header.findall("midi-instrument")}
    found = {one: _instrument(names.get(one), players.get(one)) for one in [*names, *players]}
    return {None: next(iter(found.values()), Instrument()), **found}


def program_of(instrument: Instrument, part_name: str) -> int | None:
    """The program that the file gives, else that of the sound's, the instrument's or the part's name, else None."""
    if instrument.is_percussion:
        return DRUMS
    if instrument.program is not None:
        return instrument.program
    programs = map(_program_named, (instrument.sound, instrument.name, part_name))
    return next((program for program in programs if program is not None), None)


@lru_cache(maxsize=1024)
def _program_named(name: str) -> int | None:
    """The program of a name: General MIDI's own, such as "violin", else as music21 knows the names of scores."""
    general = _program_names()
    for form in (name, name.partition(" ")[0] if name.islower() else name):
        if _plain(form) in general:
            return general[_plain(form)]
    if not name:
        return None
    from music21.instrument import InstrumentException, fromString  # takes 0.4 s, and few files need it

    for ours, theirs in OTHER_NAMES.items():
        name = re.sub(rf"\b{ours}\b", theirs, name[:100], flags=re.IGNORECASE)
    try:
        return fromString(name).midiProgram
    except InstrumentException:
        return None


def says_instrument(name: str) -> bool:
    """Whether a name says more than that this is a part.

    >>> says_instrument("Zink"), says_instrument("Part 1"), says_instrument("P2")
    (True, False, False)
    """
    return not _LABEL.fullmatch(name[:100].lower())


def _instrument(named: ET.Element | None, player: ET.Element | None) -> Instrument:
    channel, program, drum = (
        player.find(tag) if player is not None else None for tag in ("midi-channel", "midi-program", "midi-unpitched")
    )
    return Instrument(
        name=(named.findtext("instrument-name") or "") if named is not None else "",
        sound=_turn((named.findtext("instrument-sound") or "") if named is not None else ""),
        is_percussion=channel is not None and (channel.text or "").strip() == "10",
        program=None if program is None else max(0, number(program, 0, 128) - 1),  # some files count from 0
        drum=None if drum is None else number(drum, 1, 128) - 1,
    )


def _turn(sound: str) -> str:
    return " ".join(sound.lower().replace("-", " ").split(".")[:-3:-1])


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


@cache
def _program_names() -> dict[str, int]:
    """General MIDI's names of programs, and those of drum sets."""
    from pretty_midi.constants import INSTRUMENT_MAP

    names = {_plain(name): program for program, name in enumerate(INSTRUMENT_MAP)}
    drums = dict.fromkeys(("drumset", "drumkit", "drums", "percussion"), DRUMS)
    return names | drums


@cache
def _drum_names() -> dict[str, int]:
    """General MIDI's names of drums, with and without their number."""
    from pretty_midi.constants import DRUM_MAP

    names = {_plain(name): 35 + drum for drum, name in reversed(list(enumerate(DRUM_MAP)))}
    short = {name.rstrip("12"): drum for name, drum in names.items()}
    return short | names | {"bassdrum": 36, "snare": SNARE, "snaredrum": SNARE, "hihat": 42}


def line_of(drum: int) -> tuple[str, str]:
    """Step and octave of the line of a staff that a drum is written on; B4, the middle line, for those without one."""
    lines = {pitch: line for line, pitch in DRUM_LINES.items()}
    step, octave = lines.get(RELATED_DRUMS.get(drum, drum), "B4")
    return step, octave


def name_of(drum: int) -> str:
    """General MIDI's name of a drum, or its number."""
    from pretty_midi.constants import DRUM_MAP

    return DRUM_MAP[drum - 35] if 35 <= drum < 35 + len(DRUM_MAP) else f"Drum {drum}"
