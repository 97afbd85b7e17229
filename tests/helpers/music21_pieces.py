"""music21 streams as pieces: the oracle that the MusicXML reader and writer are held against."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from music21 import instrument, key, meter, stream, tempo

from musegen_lib.core.note_table import NOTE_DTYPE, clip_overlaps
from musegen_lib.core.piece import DRUMS, Piece


def music21_to_piece(score: stream.Stream, steps_per_beat: int = 4, **labels: Any) -> Piece:
    """Round any music21 stream to the grid: one voice a part, ties merged, grace notes left out, repeats not expanded.

    Of several metres, keys and tempi the first counts. Further labels of Piece are keyword arguments.
    """
    parts = list(getattr(score, "parts", ())) or [score]
    rows = [row for voice, part in enumerate(parts) for row in _rows(part, voice, steps_per_beat)]
    metre = parts[0].recurse().getElementsByClass(meter.TimeSignature).first()
    tonality = score.recurse().getElementsByClass(key.Key).first()  # percussion has none
    marks = [mark.getQuarterBPM() for mark in score.recurse().getElementsByClass(tempo.MetronomeMark)]
    players = [part.recurse().getElementsByClass(instrument.Instrument).first() for part in parts]
    found = {
        "metre": metre.ratioString if metre else None,
        "key": f"{tonality.tonic.name.replace('-', 'b')} {tonality.mode}" if tonality else None,
        "title": (score.metadata.title or "") if score.metadata else "",
        "tempo_qpm": next((round(float(mark), 6) for mark in marks if mark), 100.0),
        "pickup_steps": round(_pickup_beats(parts[0], metre) * steps_per_beat),
        "programs": tuple(_program(player) for player in players),
    }
    notes = clip_overlaps(np.array(rows, dtype=NOTE_DTYPE))
    return Piece(notes, steps_per_beat=steps_per_beat, **found | labels)


def _rows(part: stream.Stream, voice: int, steps_per_beat: int) -> list[tuple[int, int, int, int, int]]:
    """Notes of a part on the grid; ties are merged by pitch, also where they cross from one layer to another."""
    found: list[list] = []  # [start, stop in beats, pitch, velocity]
    ending: dict[tuple[int, Fraction], list] = {}  # (pitch, stop) -> the note, which a tie may lengthen
    for sound in part.flatten().notes:
        if sound.duration.isGrace or not sound.quarterLength:
            continue
        start = Fraction(sound.offset)
        stop = start + Fraction(sound.quarterLength)
        for single in getattr(sound, "notes", [sound]):  # a chord holds notes
            tie = single.tie or sound.tie
            pitch = single.pitch.midi
            row = ending.pop((pitch, start), None) if tie and tie.type in ("stop", "continue") else None
            if row is None:
                row = [start, stop, pitch, single.volume.velocity or sound.volume.velocity or 80]
                found.append(row)
            row[1] = stop
            ending[pitch, stop] = row
    steps = [[int(edge * steps_per_beat + Fraction(1, 2)) for edge in row[:2]] for row in found]  # halves up
    return [(a, max(1, b - a), row[2], row[3], voice) for (a, b), row in zip(steps, found)]


def _pickup_beats(part: stream.Stream, metre: Any) -> Fraction:
    """Length of the first measure where it is shorter than the metre says, else 0."""
    measure = next(iter(part.getElementsByClass("Measure")), None)
    if measure is None or metre is None:
        return Fraction(0)
    beats = Fraction(measure.highestTime)
    return beats if beats < metre.barDuration.quarterLength else Fraction(0)


def _program(player: instrument.Instrument | None) -> int:
    if player is None:
        return 0
    return DRUMS if player.midiChannel == 9 else player.midiProgram or 0
