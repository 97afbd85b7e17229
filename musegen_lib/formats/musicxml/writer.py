"""Piece to music21 score, and by its exporter to MusicXML."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from musegen_lib.core.expression import plain
from musegen_lib.core.keys import TONIC_PITCH_CLASS, church_key, metre_to_beats
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.core.timeline import value_at
from musegen_lib.formats.abc.fields import spelling_in
from musegen_lib.formats.musicxml.clefs import choose_clefs
from musegen_lib.formats.musicxml.exported import KeyChange, complete
from musegen_lib.formats.musicxml.layers import Printed, Sound, bar_edges, bar_layers, print_layer

if TYPE_CHECKING:
    from music21 import key, meter, note, stream

_NOISE = re.compile(rb"\s*<(encoding-date|software|creator)\b[^>]*>[^<]*</\1>")
_EMPTY_TITLE = re.compile(rb"\s*<movement-title\b[^>]*>(?:[^<]*</movement-title>)?")
DIVISIONS = 10_080  # of a quarter note, which music21 writes; more where the grid needs them


def piece_to_music21(piece: Piece) -> stream.Score:
    """Build a music21 score: one part a voice, in measures, with a pickup as a short measure 0.

    A piece without metre gets bars of four quarter notes and no time signature. Drums are notes of their MIDI pitch.
    """
    from music21 import metadata, stream, tempo

    score = stream.Score(id="score")
    score.metadata = metadata.Metadata(title=piece.title)
    edges = bar_edges(piece)
    for voice, clef_name in enumerate(choose_clefs(piece)):
        score.insert(0, _part(piece, voice, edges, clef_name))
    measures = list(score.parts[0].getElementsByClass(stream.Measure))
    for beats, tempo_qpm in _in_beats(piece, "tempo_qpm"):
        _insert(measures, edges, beats, tempo.MetronomeMark(number=tempo_qpm))
    return score


def piece_to_musicxml(piece: Piece) -> bytes:
    """Write MusicXML with music21's exporter; the same piece gives the same bytes, whatever the day.

    `musicxml_to_piece` gives back the notes and labels; velocity, expression, style, source, licence and `is_cut` are
    lost.

    Raises:
        MusegenError: a note is shorter than a 1024th, or falls between all note values.
    """
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    piece = plain(piece)
    with _divisions(piece.steps_per_beat) as divisions:
        exporter = GeneralObjectExporter(piece_to_music21(piece))
        exporter.makeNotation = False  # it would join notes that it takes for tied ones, and fill short bars
        data = _NOISE.sub(b"", exporter.parse())
    drums = [voice for voice in range(piece.n_voices) if piece.program(voice) == DRUMS]
    data = complete(data, drums, list(_keys_inside_bars(piece)), divisions)
    return data if piece.title else _EMPTY_TITLE.sub(b"", data)


@contextmanager
def _divisions(steps_per_beat: int) -> Iterator[int]:
    """Let music21 count in divisions that hold the grid; how many are in a quarter note."""
    from music21 import defaults

    before = defaults.divisionsPerQuarter
    defaults.divisionsPerQuarter = math.lcm(DIVISIONS, steps_per_beat)
    try:
        yield defaults.divisionsPerQuarter
    finally:
        defaults.divisionsPerQuarter = before


def _part(piece: Piece, voice: int, edges: list[Fraction], clef_name: str) -> stream.Part:
    """Write one voice; ids are ours, since music21 would draw them at random."""
    from music21 import clef, instrument, stream

    part = stream.Part(id=f"voice-{voice + 1}")
    program = piece.program(voice)
    player = instrument.UnpitchedPercussion() if program == DRUMS else instrument.instrumentFromMidiProgram(program)
    player.partId, player.instrumentId = f"P{voice + 1}", f"I{voice + 1}"
    player.transposition = None  # pitches are written as they sound
    player.partName = f"Voice {voice + 1}"
    player.midiChannel = 9 if program == DRUMS else voice % 9
    part.insert(0, player)
    fermatas = [Fraction(step, piece.steps_per_beat) for step in piece.fermatas]
    measures = []
    for number, layers in enumerate(bar_layers(piece, voice, edges)):
        step = int(edges[number] * piece.steps_per_beat)
        names = _names(_key(value_at(piece.key, piece.key_changes, step)))
        metre = value_at(piece.metre, piece.metre_changes, step)
        pauses = [at for at in fermatas if edges[number] <= at < edges[number + 1]]
        is_full = bool(metre) and edges[number + 1] - edges[number] == metre_to_beats(metre)
        measures.append(_measure(number + (not _has_pickup(piece)), layers, names, is_full, pauses))
        part.append(measures[-1])
    _sign(piece, measures, edges, with_keys=program != DRUMS or set(piece.programs) == {DRUMS})
    measures[0].clef = clef.clefFromString(clef_name)
    measures[-1].rightBarline = None if piece.is_cut else "final"
    part.makeAccidentals(inPlace=True)
    if all(metre for _, metre in piece.timeline("metre")):
        _beam(piece, part, measures, edges)
    return part


def _beam(piece: Piece, part: stream.Part, measures: list[stream.Measure], edges: list[Fraction]) -> None:
    """Beams by the beats; a short bar that is no pickup lacks its end, where music21 would miss its beginning."""
    for number, measure in enumerate(measures[_has_pickup(piece) :], start=_has_pickup(piece)):
        metre = value_at(piece.metre, piece.metre_changes, int(edges[number] * piece.steps_per_beat))
        measure.paddingRight = max(0, metre_to_beats(metre) - (edges[number + 1] - edges[number]))
    part.makeBeams(inPlace=True)
    for measure in measures:
        measure.paddingRight = 0.0  # meant for the beams only


def _has_pickup(piece: Piece) -> bool:
    return bool(piece.pickup_steps and piece.metre)


def _sign(piece: Piece, measures: list[stream.Measure], edges: list[Fraction], with_keys: bool) -> None:
    """Put metres and keys into the measures of a part."""
    from music21 import stream

    for beats, metre in _in_beats(piece, "metre"):
        if metre or beats:
            _insert(measures, edges, beats, _metre(metre))
    for beats, name in _in_beats(piece, "key") if with_keys else []:
        if beats in edges and (tonality := _key(name)):
            _insert(measures, edges, beats, tonality)
    if _has_pickup(piece):
        measures[0].paddingLeft = max(0, metre_to_beats(piece.metre) - (edges[1] - edges[0]))
        measures[0].showNumber = stream.enums.ShowNumber.NEVER


def _keys_inside_bars(piece: Piece) -> Iterator[KeyChange]:
    """Keys that music21 would not write."""
    edges = bar_edges(piece)
    for beats, name in _in_beats(piece, "key"):
        bar = int(np.searchsorted(edges, beats, side="right")) - 1
        if beats not in edges and bar < len(edges) - 1 and (tonality := _key(name)):
            yield bar, edges[bar + 1] - beats, tonality.sharps, tonality.mode


def _in_beats(piece: Piece, name: str) -> list[tuple[Fraction, object]]:
    return [(Fraction(onset, piece.steps_per_beat), value) for onset, value in piece.timeline(name)]


def _insert(measures: list[stream.Measure], edges: list[Fraction], beats: Fraction, sign: object) -> None:
    """Insert a sign where it is in force; what comes after the last bar line is left out."""
    bar = int(np.searchsorted(edges, beats, side="right")) - 1
    if bar < len(measures):
        measures[bar].insert(beats - edges[bar], sign)


def _metre(name: str | None) -> meter.TimeSignature:
    from music21 import meter

    return meter.TimeSignature(name) if name else meter.SenzaMisuraTimeSignature()


def _measure(
    number: int, layers: list[list[Sound]], names: list[str], is_full: bool, pauses: list[Fraction]
) -> stream.Measure:
    """Write a bar; of its layers the highest that sounds bears a fermata."""
    from music21 import expressions, stream

    measure = stream.Measure(number=number)
    start = layers[0][0].start
    for layer_number, layer in enumerate(layers, start=1):
        target = measure if len(layers) < 2 else stream.Voice(id=str(layer_number))
        is_empty = is_full and len(layer) == 1 and not layer[0].pitches
        for printed in [Printed(layer[0], layer[0].stop - start)] if is_empty else print_layer(layer):
            made = _note(printed, names)
            here = [] if made.isRest else [at for at in pauses if printed.sound.start <= at < printed.sound.stop]
            if here:
                sign = expressions.Fermata()
                sign.type = "upright"  # music21's own choice stands below the note
                made.expressions.append(sign)
            pauses = [at for at in pauses if at not in here]
            if made.isRest:
                made.fullMeasure = is_empty  # else music21 sorts the whole score to find it out
            target.insert(printed.sound.start - start, made)
        if target is not measure:
            measure.insert(0, target)
    return measure


def _note(printed: Printed, names: list[str]) -> note.GeneralNote:
    from music21 import chord, duration, note, pitch, tie

    sound = printed.sound
    spelled = [pitch.Pitch(names[p % 12]) for p in sound.pitches]
    for found, midi in zip(spelled, sound.pitches):
        found.octave = 4
        found.octave += (midi - found.midi) // 12
    made = note.Rest() if not spelled else note.Note(spelled[0]) if len(spelled) == 1 else chord.Chord(spelled)
    made.duration = duration.Duration(quarterLength=printed.value)
    if printed.actual > 1:
        tuplet = duration.Tuplet(printed.actual, printed.normal)
        tuplet.type, tuplet.bracket = printed.bracket, True
        made.duration.appendTuplet(tuplet)
    kind = {(0, 1): "start", (1, 1): "continue", (1, 0): "stop"}.get((sound.tied_back, sound.tied_on))
    made.tie = tie.Tie(kind) if kind else None
    return made


def _names(tonality: key.Key | None) -> list[str]:
    """Music21's name of each pitch class, spelled in the key."""
    spelling = spelling_in(tonality.sharps, tonality.mode == "minor") if tonality else spelling_in(0)
    return [letter + {1: "#", 0: "", -1: "-"}[alter] for letter, alter in (spelling[p] for p in range(12))]


def _key(name: str | None) -> key.Key | None:
    from music21 import key

    tonic, _, mode = (church_key(name) or "").partition(" ")
    known = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian", "ionian", "aeolian")
    if tonic not in TONIC_PITCH_CLASS or mode not in known:
        return None
    return key.Key(tonic.replace("b", "-"), mode)
