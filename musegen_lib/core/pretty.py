"""`Piece` to the object of pretty_midi, which most Python music code expects, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from musegen_lib.core.note_table import NOTE_DTYPE, clip_overlaps
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.core.timeline import to_timeline

if TYPE_CHECKING:
    import pretty_midi

RESOLUTION = 220  # ticks per quarter note, or the next multiple of the grid


def piece_to_pretty_midi(piece: Piece) -> pretty_midi.PrettyMIDI:
    """One instrument a voice; times in seconds through all changes of tempo."""
    import pretty_midi as pm

    ticks_per_step = -(-RESOLUTION // piece.steps_per_beat)
    resolution = ticks_per_step * piece.steps_per_beat
    score = pm.PrettyMIDI(resolution=resolution, initial_tempo=piece.tempo_qpm)
    # pretty_midi offers no public way to change the tempo
    score._tick_scales = [(at * ticks_per_step, 60 / tempo / resolution) for at, tempo in piece.timeline("tempo_qpm")]
    score._update_tick_to_time(piece.n_steps * ticks_per_step + 1)
    for at, metre in piece.timeline("metre"):
        if metre:
            time = float(piece.seconds_at(at))
            score.time_signature_changes.append(pm.TimeSignature(*map(int, metre.split("/")), time))
    seconds = piece.note_seconds()
    for voice in range(piece.n_voices):
        program = piece.program(voice)
        instrument = pm.Instrument(program % DRUMS, is_drum=program == DRUMS, name=f"voice {voice}")
        rows = piece.notes["voice"] == voice
        for (_, _, pitch, velocity, _), (start, end) in zip(piece.notes[rows].tolist(), seconds[rows].tolist()):
            instrument.notes.append(pm.Note(velocity, pitch, start, end))
        score.instruments.append(instrument)
    return score


def piece_from_pretty_midi(score: pretty_midi.PrettyMIDI, steps_per_beat: int = 4, **fields: Any) -> Piece:
    """Times are rounded to steps; one voice an instrument."""

    def to_step(seconds: float) -> int:
        return round(score.time_to_tick(seconds) * steps_per_beat / score.resolution)

    rows = []
    for voice, instrument in enumerate(score.instruments):
        for note in instrument.notes:
            start = to_step(note.start)
            rows.append((start, max(1, to_step(note.end) - start), note.pitch, max(1, note.velocity), voice))
    times, tempi = score.get_tempo_changes()
    tempo, tempo_changes = to_timeline([(to_step(t), float(q)) for t, q in zip(times, tempi)], 120.0)
    metres = [(to_step(t.time), f"{t.numerator}/{t.denominator}") for t in score.time_signature_changes]
    metre, metre_changes = to_timeline(metres, "4/4")
    found = {
        "tempo_qpm": tempo,
        "metre": metre,
        "tempo_changes": tempo_changes if "tempo_qpm" not in fields else (),
        "metre_changes": metre_changes if "metre" not in fields else (),
        "programs": tuple(DRUMS if i.is_drum else i.program for i in score.instruments),
        "steps_per_beat": steps_per_beat,
    }
    return Piece(clip_overlaps(np.array(sorted(rows), dtype=NOTE_DTYPE)), **found | fields)
