"""`Piece`, the one core type: a table of notes on a time grid, with what a musician needs to read it.

Every lesson, model, plot and player takes and returns a `Piece`, so the output of any model can be drawn,
engraved, heard, saved, measured and given to any other model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from musegen_lib.core import timeline
from musegen_lib.core.keys import transpose_key
from musegen_lib.core.note_table import NOTE_DTYPE, check_notes
from musegen_lib.core.piano_roll_svg import piece_to_svg

if TYPE_CHECKING:
    import pretty_midi

DRUMS = 128  # the value in `programs` of a voice that plays percussion
CHANGES = {"metre": "metre_changes", "key": "key_changes", "tempo_qpm": "tempo_changes"}  # where each one's changes are


@dataclass(frozen=True, eq=False, repr=False)
class Piece:
    """Notes in time order on a grid of `steps_per_beat` steps; a beat is a quarter note.

    Args:
        notes: (N,) structured array of NOTE_DTYPE, any order; kept sorted by onset, voice, pitch, read-only.
        steps_per_beat: grid steps per quarter note; 4 puts the notes on sixteenths.
        tempo_qpm: quarter notes per minute.
        metre: such as "4/4"; None where the source states none.
        key: such as "G major", "A minor", "D dorian"; None where unknown.
        pickup_steps: length of the incomplete first bar, 0 if the piece starts on a bar line.
        programs: General MIDI program (0-127, or DRUMS) of each voice; voices beyond its end play that of the style.
        metre_changes, key_changes, tempo_changes: (onset in steps, value) after the start, in time order. A change of
            metre begins a bar.
        fermatas: steps at which the music pauses, in time order; a fermata stands over all that sounds there. In a
            chorale each ends a phrase.
        is_cut: whether the music goes on where the piece ends, as after `excerpt`; its score has no final bar line.
        expression: seed of the small delays with which `core.expression` has the notes played; None without.
    Raises:
        ValueError: a note or a change is out of range, or a voice strikes a pitch it is still sounding.
    """

    notes: np.ndarray
    steps_per_beat: int = 4
    tempo_qpm: float = 100.0
    metre: str | None = "4/4"
    key: str | None = None
    title: str = ""
    style: str = ""
    source: str = ""
    licence: str = ""
    pickup_steps: int = 0
    programs: tuple[int, ...] = ()
    metre_changes: timeline.Changes[str | None] = ()
    key_changes: timeline.Changes[str | None] = ()
    tempo_changes: timeline.Changes[float] = ()
    fermatas: tuple[int, ...] = ()
    is_cut: bool = False
    expression: int | None = None

    def __post_init__(self) -> None:
        notes = np.array(self.notes, dtype=NOTE_DTYPE)
        notes = notes[np.lexsort((notes["pitch"], notes["voice"], notes["onset_steps"]))]
        notes.flags.writeable = False
        object.__setattr__(self, "notes", notes)
        object.__setattr__(self, "programs", tuple(self.programs))
        object.__setattr__(self, "fermatas", tuple(sorted({int(step) for step in self.fermatas})))
        for name, changes in CHANGES.items():
            tidy = timeline.tidy_changes(changes, getattr(self, name), getattr(self, changes))
            object.__setattr__(self, changes, tidy)
        timeline.check_times(self)
        if not all(0 <= program <= DRUMS for program in self.programs):
            raise ValueError(f"programs {self.programs} must lie in 0-127, or be {DRUMS} for percussion")
        if self.expression is not None and not (type(self.expression) is int and 0 <= self.expression < 2**31):
            raise ValueError(f"expression {self.expression!r} must be None or an integer from 0 to 2,147,483,647")
        check_notes(notes)

    @classmethod
    def from_notes(cls, rows: Iterable[Sequence[int]], **fields: Any) -> Piece:
        """Build a piece from rows of (onset, duration, pitch[, velocity[, voice]]), times in steps.

        >>> Piece.from_notes([(0, 4, 60), (4, 4, 62)], title="two notes")
        Piece('two notes': 2 notes, 1 bar of 4/4, 1.2 s)
        """
        defaults = (0, 1, 60, 80, 0)
        table = [tuple(row) + defaults[len(tuple(row)) :] for row in rows]
        for onset, duration, pitch, velocity, voice in table:
            if not (0 <= pitch <= 127 and 1 <= velocity <= 127 and 0 <= voice <= 255):
                raise ValueError(
                    f"note (onset {onset}, duration {duration}, pitch {pitch}, velocity {velocity}, voice {voice}): "
                    "pitch must lie in 0-127, velocity in 1-127, voice in 0-255"
                )
        return cls(np.array(table, dtype=NOTE_DTYPE), **fields)

    @property
    def n_steps(self) -> int:
        """Steps from the start to the end of the last note."""
        return int((self.notes["onset_steps"].astype(np.int64) + self.notes["duration_steps"]).max(initial=0))

    @property
    def n_voices(self) -> int:
        """One more than the highest voice number in use."""
        return int(self.notes["voice"].max(initial=0)) + 1 if len(self.notes) else 0

    @property
    def steps_per_bar(self) -> int | None:
        """Length of a full bar of the first metre; None without a metre or where the grid cannot hold the bar."""
        return timeline.steps_per_bar(self.metre, self.steps_per_beat)

    @property
    def bar_onsets(self) -> np.ndarray:
        """Steps at which bars begin: 0, then every bar line before the end."""
        lines = [np.arange(start, stop, bar or stop) for start, stop, bar in self._bar_spans()]
        return np.concatenate(lines) if lines else np.zeros(0, dtype=int)

    @property
    def n_bars(self) -> int:
        """How many bars begin: the length of `bar_onsets`, counted without writing them out."""
        return sum(-(-(stop - start) // (bar or stop)) for start, stop, bar in self._bar_spans())

    @property
    def seconds(self) -> float:
        """Playing time, through all changes of tempo."""
        return float(self.seconds_at(self.n_steps))

    def seconds_at(self, steps: Any) -> np.ndarray:
        """Playing time from the start to each of the steps given."""
        return timeline.steps_to_seconds(steps, self.tempo_qpm, self.tempo_changes, self.steps_per_beat)

    def note_seconds(self) -> np.ndarray:
        """(N, 2): playing time from the start to the beginning and the end of each note."""
        onsets = self.notes["onset_steps"].astype(np.int64)
        return self.seconds_at(np.column_stack([onsets, onsets + self.notes["duration_steps"]]))

    def timeline(self, name: str) -> list[tuple[int, Any]]:
        """All of "metre", "key" or "tempo_qpm" as (onset in steps, value), the one at the start first."""
        return [(0, getattr(self, name)), *getattr(self, CHANGES[name])]

    def _bar_spans(self) -> Iterator[tuple[int, int, int | None]]:
        return timeline.bar_spans(self.metre, self.metre_changes, self.pickup_steps, self.n_steps, self.steps_per_beat)

    def program(self, voice: int) -> int:
        """General MIDI program of a voice, DRUMS for percussion."""
        return self.programs[voice] if voice < len(self.programs) else default_program(self.style)

    def replace(self, **changes: Any) -> Piece:
        """Return a copy with some fields changed, checked like a new piece."""
        return replace(self, **changes)

    def voice(self, voice: int) -> Piece:
        """Return one voice alone, renumbered to voice 0."""
        notes = self.notes[self.notes["voice"] == voice].copy()
        notes["voice"] = 0
        return self.replace(notes=notes, programs=(self.program(voice),))

    def transpose(self, semitones: int) -> Piece:
        """Shift every pitched note and the key; ValueError if a note leaves MIDI's 0-127."""
        pitched = np.array([self.program(v) != DRUMS for v in range(256)])[self.notes["voice"]]
        pitch = self.notes["pitch"] + np.where(pitched, semitones, 0)
        if pitch.size and not (pitch.min() >= 0 and pitch.max() <= 127):
            raise ValueError(f"transposing by {semitones} moves pitches to {pitch.min()}-{pitch.max()}, outside 0-127")
        notes = self.notes.copy()
        notes["pitch"] = pitch
        changes = tuple((onset, transpose_key(key, semitones)) for onset, key in self.key_changes)
        return self.replace(notes=notes, key=transpose_key(self.key, semitones), key_changes=changes)

    def excerpt(self, n_bars: int = 8, first_bar: int = 0) -> Piece:
        """Cut out whole bars; bar 0 is the pickup if there is one. Notes are clipped at both ends; expression goes."""
        if self.expression is not None:
            from musegen_lib.core.expression import plain  # it imports us

            return plain(self).excerpt(n_bars, first_bar)
        lines = [*self.bar_onsets.tolist(), self.n_steps]
        start, stop = (lines[min(bar, len(lines) - 1)] for bar in (first_bar, first_bar + n_bars))
        onset = np.maximum(self.notes["onset_steps"], start)
        offset = np.minimum(self.notes["onset_steps"] + self.notes["duration_steps"], stop)
        notes = self.notes.copy()
        notes["onset_steps"], notes["duration_steps"] = onset - start, offset - onset
        labels: dict[str, Any] = {"pickup_steps": self.pickup_steps if first_bar == 0 else 0}
        labels["is_cut"] = self.is_cut or stop < self.n_steps
        for name, changes in CHANGES.items():
            cut = timeline.cut_changes(getattr(self, name), getattr(self, changes), start, stop)
            labels[name], labels[changes] = cut
        labels["fermatas"] = [step - start for step in self.fermatas if start <= step < stop]
        return self.replace(notes=notes[offset > onset], **labels)

    def to_pretty_midi(self) -> pretty_midi.PrettyMIDI:
        """Return the piece as the object most Python music code expects; one instrument a voice."""
        from musegen_lib.core.pretty import piece_to_pretty_midi

        return piece_to_pretty_midi(self)

    @classmethod
    def from_pretty_midi(cls, score: pretty_midi.PrettyMIDI, steps_per_beat: int = 4, **fields: Any) -> Piece:
        """Read a pretty_midi object onto the grid: times are rounded to steps, one voice an instrument."""
        from musegen_lib.core.pretty import piece_from_pretty_midi

        return piece_from_pretty_midi(score, steps_per_beat, **fields)

    def __len__(self) -> int:
        return len(self.notes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Piece):
            return NotImplemented
        return np.array_equal(self.notes, other.notes) and self.labels == other.labels

    __hash__ = None  # two equal pieces hold different arrays

    @property
    def labels(self) -> dict[str, Any]:
        """Every field but the notes, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "notes"}

    @property
    def summary(self) -> str:
        """Counts and labels for people, such as "8 notes, 2 bars of 4/4, G major, 4.8 s"."""
        found = list(dict.fromkeys(metre for _, metre in self.timeline("metre") if metre))
        bars, metres = self.n_bars, ", ".join(found[:3]) + ", ..." * (len(found) > 3)
        parts = [
            f"{len(self)} note{'s' * (len(self) != 1)}",
            f"{bars} bar{'s' * (bars != 1)} of {metres}" if metres else "no metre",
        ]
        parts += [f"{self.n_voices} voices"] * (self.n_voices > 1) + [self.key] * bool(self.key)
        return ", ".join([*parts, f"{self.seconds:.1f} s"])

    def __repr__(self) -> str:
        return f"Piece({self.title!r}: {self.summary})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": piece_to_svg(self)}


def default_program(style: str) -> int:
    """What plays a piece that names no program: an organ, the best in tune, chorales, a piano all else."""
    return 19 if style == "chorale" else 0


def pitched_notes(piece: Piece) -> np.ndarray:
    """The note table without percussion."""
    if DRUMS not in piece.programs:
        return piece.notes
    pitched = np.array([piece.program(voice) != DRUMS for voice in range(256)])
    return piece.notes[pitched[piece.notes["voice"]]]
