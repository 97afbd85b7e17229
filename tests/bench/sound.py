"""The sound in numbers: tuning, brightness, level, peaks and clicks. `python -m tests.bench.sound` prints them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from musegen_lib.core.expression import expressive
from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.display.mastering import loudness
from musegen_lib.display.sound import SAMPLE_RATE, render, sound_font_path
from musegen_lib.display.soundfont import load_soundfont
from musegen_lib.models.registry import RECIPES
from tests.helpers.sound_measures import cents_off, click, measure

PROGRAMS = {"piano": 0, "church organ": 19}
KEYS, VELOCITIES = range(36, 97, 6), (30, 60, 90, 120)


def notes() -> Iterator[str]:
    """Each program over the keyboard, and the brightness of its C4."""
    font = load_soundfont(sound_font_path())
    for name, program in PROGRAMS.items():
        off = [cents_off(font.note(0, program, pitch, 80, 2.0, SAMPLE_RATE), pitch, SAMPLE_RATE) for pitch in KEYS]
        yield f"{name}: cents off, MIDI {KEYS[0]} to {KEYS[-1]}: " + " ".join(f"{cents:+.1f}" for cents in off)
        hertz = [measure(font.note(0, program, 60, v, 1.0, SAMPLE_RATE))["centroid_hz"] for v in VELOCITIES]
        yield f"{name}: centroid in Hz at velocities {VELOCITIES}: " + " ".join(f"{value:.0f}" for value in hertz)


def music(n: int = 20) -> Iterator[str]:
    """Kinds of music: level, peak, silence, click and length, without and with expression."""
    chorales, tunes = load_chorales(), load_folk_tunes()
    kinds = {
        "rnn, jigs": RECIPES["rnn"].generate(n, 0, style="irish", metre="6/8"),
        "rnn, german": RECIPES["rnn"].generate(n, 0, style="german"),
        "rnn-chorales": RECIPES["rnn-chorales"].generate(n, 0),
        "folk songs": [tunes[i * len(tunes) // n] for i in range(n)],
        "Bach chorales": [chorales[i * len(chorales) // n] for i in range(n)],
    }
    for name, pieces in kinds.items():
        played = [expressive(piece) for piece in pieces]
        sounds = [render(piece, 12.0) for piece in played]
        levels, found = [loudness(sound, SAMPLE_RATE) for sound in sounds], [measure(sound) for sound in sounds]
        longer = np.mean([a.seconds / b.seconds for a, b in zip(played, pieces)]) - 1
        yield (
            f"{name}: {min(levels):.2f} to {max(levels):.2f} LUFS, peak up to {max(m['peak'] for m in found):.2f}, "
            f"silence {np.mean([m['silent_share'] for m in found]):.1%}, "
            f"centroid {np.mean([m['centroid_hz'] for m in found]):.0f} Hz, click up to {max(map(click, sounds)):.1f}, "
            f"longer by {longer:.1%}"
        )


if __name__ == "__main__":
    for line in [*notes(), *music()]:
        print(line)
