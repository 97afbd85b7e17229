"""The sampler: in tune for sustained programs, louder when struck harder, ending when released."""

import numpy as np
import pytest

from musegen_lib.core.errors import MusegenError
from musegen_lib.display.sound import sound_font_path
from musegen_lib.display.soundfont import DRUM_BANK, SoundFont, load_soundfont

RATE = 22_050


@pytest.fixture(scope="module")
def font():
    return load_soundfont(sound_font_path())


@pytest.mark.parametrize("program", [0, 40, 48, 56, 65, 71, 73])  # piano, strings, brass, reeds, flute
@pytest.mark.parametrize("pitch", [60, 69, 76])
def test_the_pitch_repeats_at_its_frequency(font, program, pitch):
    sound = font.note(0, program, pitch, 80, 1.0, RATE)[4000:12_192]
    likeness = np.fft.irfft(np.abs(np.fft.rfft(sound, 1 << 15)) ** 2)  # autocorrelation
    period = RATE / (440 * 2 ** ((pitch - 69) / 12))  # samples
    assert likeness[round(period)] > 0.8 * likeness[0]
    assert likeness[round(period / 2)] < 0.7 * likeness[0]


def test_a_harder_stroke_is_louder(font):
    soft, loud = (np.abs(font.note(0, 0, 60, velocity, 0.5, RATE)).max() for velocity in (40, 100))
    assert 3 < loud / soft < 12


def test_a_note_ends_soon_after_its_release(font):
    assert len(font.note(0, 73, 72, 80, 0.5, RATE)) < 1.5 * RATE


def test_a_note_begins_and_ends_without_a_click(font):
    sound = font.note(0, 48, 60, 80, 0.5, RATE)
    assert abs(sound[0]) < 0.01
    assert abs(sound[-1]) < 0.01


def test_drums_sound_and_an_absent_program_plays_the_lowest_of_its_bank(font):
    assert np.abs(font.note(DRUM_BANK, 0, 38, 100, 0.2, RATE)).max() > 0.05
    assert np.array_equal(font.note(DRUM_BANK, 99, 38, 100, 0.2, RATE), font.note(DRUM_BANK, 0, 38, 100, 0.2, RATE))


@pytest.mark.parametrize("data", [b"", b"MThd", b"RIFF\0\0\0\0sfbk"])
def test_another_file_is_refused_by_name(tmp_path, data):
    (tmp_path / "a.sf2").write_bytes(data)
    with pytest.raises(MusegenError, match=r"a\.sf2"):
        SoundFont.read(tmp_path / "a.sf2")
