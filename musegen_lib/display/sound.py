"""Piece -> sound: an array, an MP3, a player in a notebook, all without a system program.

The sounds come from TimGM6mb.sf2, the sound font inside the installed pretty_midi. It is GPL-2: we read it where it
lies and never copy it. Another font can take its place. The notes sound in a room and come out equally loud.
"""

from __future__ import annotations

import base64
import html
import tempfile
import warnings
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import butter, lfilter

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import expressive, note_delays
from musegen_lib.core.paths import replacing
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.core.progress import progress
from musegen_lib.display.mastering import add_room, master
from musegen_lib.display.soundfont import DRUM_BANK, SoundFont, load_soundfont

SAMPLE_RATE = 22_050  # samples a second
MAX_SECONDS = 12.0  # of a player
MAX_FILE_SECONDS = 600.0  # of anything rendered
MAX_NOTE_SECONDS = 10_000.0  # notes times their length: bounds the work for a piece of a million notes
MAX_RECORDING_SECONDS = 40_000.0  # the same in recordings, with their release: some fonts play many a note, and long
TAIL_SECONDS = 0.8  # the last note rings on
FADE_SECONDS, LAST_FADE_SECONDS = 0.6, 0.2  # at a cut; of the room at the end
MP3_LEVEL = 0.6  # 0 best to 1 smallest: 50 kB for a chorale of 12 s, 65 kB for the densest music tried


def render(piece: Piece, seconds: float | None = None, soundfont: Path | None = None) -> np.ndarray:
    """Play a piece into an array, as it is: `expressive` shapes it before.

    Args:
        seconds: longest result; what lies later is cut before synthesis, with a fade-out. At most MAX_FILE_SECONDS.
        soundfont: a SoundFont 2 file; None takes that of pretty_midi.
    Returns:
        (samples,) float32 at SAMPLE_RATE, mono, of the loudness and below the peak of `master`, mean near 0.
    Raises:
        MusegenError: the file is no sound font, or a note plays more recordings of it than `soundfont` allows.
    """
    limit = MAX_FILE_SECONDS if seconds is None else min(seconds, MAX_FILE_SECONDS)
    if not limit > 0:
        raise ValueError(f"seconds is {seconds}, it must be above 0")
    n_samples = int(min(piece.seconds + TAIL_SECONDS, limit) * SAMPLE_RATE)
    cut = _cut_notes(piece, limit)
    path = soundfont or sound_font_path()
    audio = _sample(cut, n_samples, path) if path else _sine_waves(cut, n_samples)
    audio = lfilter(*butter(1, 20, "highpass", fs=SAMPLE_RATE), audio).astype(np.float32)  # no constant offset
    audio = add_room(audio, SAMPLE_RATE)
    n_fade = min(n_samples, int(SAMPLE_RATE * (FADE_SECONDS if piece.seconds > limit else LAST_FADE_SECONDS)))
    audio[n_samples - n_fade :] *= np.linspace(1, 0, n_fade, dtype=np.float32)
    return master(audio, SAMPLE_RATE)


def sound_font_path() -> Path | None:
    """Where the installed pretty_midi keeps its sound font; None if it has none."""
    spec = find_spec("pretty_midi")
    path = Path(spec.origin).with_name("TimGM6mb.sf2") if spec and spec.origin else None
    return path if path and path.is_file() else None


def audio_to_mp3(audio: np.ndarray) -> bytes:
    """Compress mono audio at SAMPLE_RATE; the same array gives the same bytes."""
    with tempfile.TemporaryDirectory() as folder:  # writing to memory, soundfile goes on after a Ctrl-C
        path = Path(folder, "sound.mp3")
        soundfile.write(path, audio, SAMPLE_RATE, format="MP3", bitrate_mode="VARIABLE", compression_level=MP3_LEVEL)
        return path.read_bytes()


def write_mp3(piece: Piece, path: str | Path, soundfont: Path | None = None) -> Path:
    """Play a piece into a file, as it is. The file is complete or absent: a failure leaves the old one as it was."""
    path = Path(path)
    data = audio_to_mp3(render(piece, soundfont=soundfont))
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return path


@dataclass(frozen=True)
class Player:
    """A sound with its label; shows itself in a notebook as a play button."""

    label: str
    seconds: float
    mp3: bytes

    def __repr__(self) -> str:
        return f"Player({self.label}, {self.seconds:.1f} s)"

    def _repr_html_(self) -> str:
        label = html.escape(self.label, quote=True)
        source = "data:audio/mpeg;base64," + base64.b64encode(self.mp3).decode()
        return (
            '<figure style="margin:0.5em 1em 0.5em 0;display:inline-block;width:22em;max-width:100%">'
            f"<figcaption>{label} ({self.seconds:.1f} s)</figcaption>"
            f'<audio controls preload="none" aria-label="{label}" src="{source}" style="width:100%">'
            "</audio></figure>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


@dataclass(frozen=True)
class Players:
    """Several players in one output, side by side where there is room."""

    players: tuple[Player, ...]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.players))

    def _repr_html_(self) -> str:
        return f"<div>{''.join(player._repr_html_() for player in self.players)}</div>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}


def player(
    piece: Piece, label: str, seconds: float = MAX_SECONDS, expression: bool = True, soundfont: Path | None = None
) -> Player:
    """Return a play button for the first seconds of a piece, MAX_SECONDS at most. The label says what one hears.

    Args:
        expression: play it as a musician would (`core.expression`); False for the bare notes.
    """
    if not label.strip():
        raise ValueError("the label of a player is empty; say what there is to hear")
    audio = render(expressive(piece) if expression else piece, min(seconds, MAX_SECONDS), soundfont)
    return Player(label, len(audio) / SAMPLE_RATE, audio_to_mp3(audio))


def players(
    pieces: Sequence[Piece], labels: Sequence[str], seconds: float = MAX_SECONDS, expression: bool = True
) -> Players:
    """Return one `player` a piece, to compare."""
    if len(pieces) != len(labels):
        raise ValueError(f"{len(pieces)} pieces and {len(labels)} labels: there must be one label a piece")
    return Players(tuple(player(piece, label, seconds, expression) for piece, label in zip(pieces, labels)))


def _cut_notes(piece: Piece, limit: float) -> Piece:
    """Drop what starts after `limit` seconds, shorten what sounds beyond it, bound the sum of the lengths."""
    played = bisect_right(range(piece.n_steps + 1), limit, key=lambda step: float(piece.seconds_at(step)))
    steps = max(1, played - 1)
    notes = piece.notes[piece.notes["onset_steps"] < steps].copy()
    notes["duration_steps"] = np.minimum(notes["duration_steps"], steps - notes["onset_steps"])
    cut = piece.replace(notes=notes)
    seconds = np.diff(cut.note_seconds()).ravel() + TAIL_SECONDS
    affordable = seconds.cumsum() <= MAX_NOTE_SECONDS
    if not affordable.all():
        warnings.warn(f"only the first {affordable.sum()} of {len(notes)} notes are played", stacklevel=3)
    return cut.replace(notes=notes[affordable])


def _sample(piece: Piece, n_samples: int, path: Path) -> np.ndarray:
    font, audio, recorded = load_soundfont(path), np.zeros(n_samples, dtype=np.float32), 0.0
    _tell_of_silent_notes(piece, font, path)
    onsets, ends = piece.note_seconds().T
    times = list(zip(onsets + note_delays(piece), ends))
    for i, (onset, end) in enumerate(progress(times, "notes")):
        if recorded > MAX_RECORDING_SECONDS:
            warnings.warn(f"only the first {i} of {len(piece)} notes are played", stacklevel=3)
            break
        try:
            sound, n_zones = _play(font, piece, i, end - onset)
        except MusegenError as fault:
            raise MusegenError(f"{path}: {fault}") from None
        except (IndexError, ValueError, ArithmeticError):
            raise MusegenError(f"{path}: the sound font is damaged; fetch it again") from None
        recorded += n_zones * len(sound) / SAMPLE_RATE
        start = round(onset * SAMPLE_RATE)
        sound = sound[: max(0, n_samples - start)]
        audio[start : start + len(sound)] += sound
    if not np.isfinite(audio).all():
        raise MusegenError(f"{path}: the sound font is damaged; fetch it again")
    return audio


def _bank(program: int) -> int:
    return DRUM_BANK if program == DRUMS else 0


def _play(font: SoundFont, piece: Piece, i: int, seconds: float) -> tuple[np.ndarray, int]:
    """The sound of note `i`, (samples,) float32, and how many recordings it is made of."""
    _, _, pitch, velocity, voice = piece.notes[i].tolist()
    program = piece.program(voice)
    zones = font.zones(_bank(program), 0 if program == DRUMS else program, pitch, velocity)
    return font.play(zones, pitch, velocity, seconds, SAMPLE_RATE), len(zones)


def _tell_of_silent_notes(piece: Piece, font: SoundFont, path: Path) -> None:
    for bank in sorted({_bank(piece.program(voice)) for voice in set(piece.notes["voice"].tolist())}):
        if not font.has_bank(bank):
            what = "drums" if bank == DRUM_BANK else "instruments"
            warnings.warn(f"{path}: no {what} (bank {bank}), so their notes are silent", stacklevel=4)


def _sine_waves(piece: Piece, n_samples: int) -> np.ndarray:
    warnings.warn("the sound font TimGM6mb.sf2 of pretty_midi is missing: you hear sine waves", stacklevel=3)
    sound = piece.to_pretty_midi().synthesize(fs=SAMPLE_RATE)[:n_samples]
    return np.pad(sound, (0, n_samples - len(sound)))
