"""Piece to music21 score, and by its exporter to MusicXML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from musegen_lib.core.keys import TONIC_PITCH_CLASS, metre_to_beats
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.abc.fields import spelling_in

if TYPE_CHECKING:
    from music21 import clef, key, note, stream

Sound = tuple[Fraction, Fraction, list[int], str | None]  # start, stop in beats, pitches, music21's tie type
_NOISE = re.compile(rb"\s*<(encoding-date|software|creator)\b[^>]*>[^<]*</\1>")

_EMPTY_TITLE = re.compile(rb"\s*<movement-title\b[^>]*>(?:[^<]*</movement-title>)?")


def piece_to_music21(piece: Piece) -> stream.Score:
    """Build a music21 score: one part a voice, in measures, with a pickup as a short measure 0.

    A piece without metre gets bars of four quarter notes and no time signature.
    """
    from music21 import metadata, stream, tempo

    score = stream.Score(id="score")
    score.metadata = metadata.Metadata(title=piece.title)
    for voice in range(max(1, piece.n_voices)):
        score.insert(0, _part(piece, voice))
    first = score.parts[0].getElementsByClass(stream.Measure).first()
    first.insert(0, tempo.MetronomeMark(number=piece.tempo_qpm))
    return score


def piece_to_musicxml(piece: Piece) -> bytes:
    """Write MusicXML with music21's exporter; the same piece gives the same bytes, whatever the day.

    `musicxml_to_piece` gives back the notes and labels; velocity, style, source and licence are lost.
    """
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    data = _NOISE.sub(b"", GeneralObjectExporter(piece_to_music21(piece)).parse())
    for voice in range(piece.n_voices):
        if piece.program(voice) == DRUMS:  # music21 puts only the first percussion part on channel 10
            data = re.sub(rb'(<midi-instrument id="I%d">\s*<midi-channel>)\d+' % (voice + 1), rb"\g<1>10", data)
    return data if piece.title else _EMPTY_TITLE.sub(b"", data)


def _part(piece: Piece, voice: int) -> stream.Part:
    """Write one voice; ids are ours, since music21 would draw them at random."""
    from music21 import instrument, meter, stream

    part = stream.Part(id=f"voice-{voice + 1}")
    program = piece.program(voice)
    player = instrument.UnpitchedPercussion() if program == DRUMS else instrument.instrumentFromMidiProgram(program)
    player.partId, player.instrumentId = f"P{voice + 1}", f"I{voice + 1}"
    player.transposition = None  # pitches are written as they sound
    player.partName = f"Voice {voice + 1}"
    player.midiChannel = 9 if program == DRUMS else voice % 9
    part.insert(0, player)
    tonality = _key(piece.key)
    names = _names(tonality)
    edges = _bar_edges(piece)
    for number, (start, stop, sounds) in enumerate(_bars(piece, voice, edges), start=0 if piece.pickup_steps else 1):
        part.append(_measure(number, start, stop, sounds, names))
    first = part.getElementsByClass(stream.Measure).first()
    if piece.metre:
        first.timeSignature = meter.TimeSignature(piece.metre)
        if piece.pickup_steps:
            first.paddingLeft = first.timeSignature.barDuration.quarterLength - (edges[1] - edges[0])
    if tonality:
        first.keySignature = tonality
    first.clef = _clef(piece.notes["pitch"][piece.notes["voice"] == voice])
    return part


def _clef(pitches: np.ndarray) -> clef.Clef:
    """Treble, tenors' treble an octave lower, or bass: the one that needs few ledger lines."""
    from music21 import clef

    if not len(pitches) or pitches.min() >= 55 or pitches.mean() >= 62:
        return clef.TrebleClef()
    return clef.Treble8vbClef() if pitches.mean() >= 55 else clef.BassClef()


def _measure(number: int, start: Fraction, stop: Fraction, sounds: list[Sound], names: list[str]) -> stream.Measure:
    """Lay the sounds of one bar into as few layers as hold them without overlaps, rests between."""
    from music21 import note, stream

    layers: list[list[Sound]] = []
    for sound in sounds:
        free = next((layer for layer in layers if layer[-1][1] <= sound[0]), None)
        if free is None:
            layers.append([sound])
        else:
            free.append(sound)
    measure = stream.Measure(number=number)
    for layer_number, layer in enumerate(layers or [[]], start=1):
        target = measure if len(layers) < 2 else stream.Voice(id=str(layer_number))
        now = start
        for sound in [*layer, (stop, stop, [], None)]:
            if sound[0] > now:
                target.insert(now - start, note.Rest(quarterLength=sound[0] - now))
            if sound[2]:
                target.insert(sound[0] - start, _note(sound, names))
            now = sound[1]
        if target is not measure:
            measure.insert(0, target)
    return measure


def _note(sound: Sound, names: list[str]) -> note.NotRest:
    from music21 import chord, note, pitch, tie

    start, stop, pitches, tie_type = sound
    spelled = [pitch.Pitch(names[p % 12]) for p in pitches]
    for found, midi in zip(spelled, pitches):
        found.octave = 4
        found.octave += (midi - found.midi) // 12
    made = note.Note(spelled[0]) if len(spelled) == 1 else chord.Chord(spelled)
    made.quarterLength = stop - start
    made.tie = tie.Tie(tie_type) if tie_type else None
    return made


def _bars(piece: Piece, voice: int, edges: list[Fraction]) -> Iterator[tuple[Fraction, Fraction, list[Sound]]]:
    """Yield (start, stop, sounds) of each bar; a note over a bar line becomes tied notes, equal notes a chord."""
    bars: list[dict[tuple[Fraction, Fraction, str | None], list[int]]] = [{} for _ in edges[1:]]
    for onset, duration, pitch, *_ in piece.notes[piece.notes["voice"] == voice].tolist():
        start, stop = (Fraction(steps, piece.steps_per_beat) for steps in (onset, onset + duration))
        first = int(np.searchsorted(edges, start, side="right")) - 1
        for bar in range(first, len(bars)):
            if edges[bar] >= stop:
                break
            left, right = max(start, edges[bar]), min(stop, edges[bar + 1])
            tie_type = {(0, 0): None, (0, 1): "start", (1, 1): "continue", (1, 0): "stop"}[left > start, right < stop]
            bars[bar].setdefault((left, right, tie_type), []).append(pitch)
    for (start, stop), bar in zip(pairwise(edges), bars):
        yield start, stop, [(left, right, pitches, kind) for (left, right, kind), pitches in bar.items()]


def _bar_edges(piece: Piece) -> list[Fraction]:
    """Bar lines in beats, from 0 to the first one at or after the end; at least one bar."""
    bar = metre_to_beats(piece.metre) if piece.metre else Fraction(4)
    end = Fraction(piece.n_steps, piece.steps_per_beat)
    edges = [Fraction(0)]
    if piece.pickup_steps and piece.metre:
        edges.append(Fraction(piece.pickup_steps, piece.steps_per_beat))
    while edges[-1] < end or len(edges) < 2:
        edges.append(edges[-1] + bar)
    return edges


def _names(tonality: key.Key | None) -> list[str]:
    """Music21's name of each pitch class, spelled in the key."""
    spelling = spelling_in(tonality.sharps, tonality.mode == "minor") if tonality else spelling_in(0)
    return [letter + {1: "#", 0: "", -1: "-"}[alter] for letter, alter in (spelling[p] for p in range(12))]


def _key(name: str | None) -> key.Key | None:
    from music21 import key

    tonic, _, mode = (name or "").partition(" ")
    known = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian", "ionian", "aeolian")
    if tonic not in TONIC_PITCH_CLASS or mode not in known:
        return None
    return key.Key(tonic.replace("b", "-"), mode)
