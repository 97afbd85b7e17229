"""The sampler: in tune for sustained programs, louder when struck harder, ending when released."""

import struct

import numpy as np
import pytest
from sound_measures import cents_off, click
from tiny_fonts import sine_font

from musegen_lib.core.errors import MusegenError
from musegen_lib.display.sound import sound_font_path
from musegen_lib.display.soundfont import (
    ATTACK,
    ATTENUATION,
    CENTS_PER_KEY,
    CUTOFF,
    DECAY,
    DELAY,
    KEY_TO_DECAY,
    KEYS,
    SUSTAIN,
    SoundFont,
    load_soundfont,
)
from musegen_lib.display.soundfont_tables import DRUM_BANK, MAX_BYTES, MAX_CHUNKS

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


@pytest.mark.parametrize(
    ("program", "pitches", "most"), [(0, range(60, 97, 4), 3), (19, range(36, 97, 4), 4), (40, range(28, 97, 4), 1)]
)
def test_piano_organ_and_violin_are_in_tune_over_the_keyboard(font, program, pitches, most):
    off = {pitch: cents_off(font.note(0, program, pitch, 80, 2.0, RATE), pitch, RATE) for pitch in pitches}
    assert max(map(abs, off.values())) < most, off


def test_a_recording_that_is_sharp_is_brought_to_its_pitch_by_its_loop(tmp_path):
    (tmp_path / "sine.sf2").write_bytes(sine_font())  # 4 cents sharp
    font = SoundFont.read(tmp_path / "sine.sf2")
    for pitch in range(36, 97, 6):
        assert abs(cents_off(font.note(0, 0, pitch, 80, 2.0, RATE), pitch, RATE)) < 0.3


@pytest.mark.parametrize("pitch", [40, 60, 80])
@pytest.mark.parametrize("program", [0, 19, 40, 73])
def test_no_note_of_the_usual_font_clicks_at_its_end(font, program, pitch):
    assert click(font.note(0, program, pitch, 80, 0.5, RATE)[RATE // 3 :]) < 5


def test_a_note_let_go_of_does_not_click(tmp_path):
    (tmp_path / "sine.sf2").write_bytes(sine_font())
    sound = SoundFont.read(tmp_path / "sine.sf2").note(0, 0, 45, 80, 0.5, RATE)
    assert click(sound) < 3
    cut = sound.copy()
    cut[RATE // 4 + np.abs(cut[RATE // 4 : RATE // 2]).argmax() + 1 :] = 0
    assert click(cut) > 6  # what a click would measure


@pytest.mark.parametrize("pitch", [48, 60, 72])
@pytest.mark.parametrize("program", [0, 19])
def test_a_harder_stroke_is_brighter(font, program, pitch):
    dull, usual, bright = (centroid(font.note(0, program, pitch, velocity, 1.0, RATE)) for velocity in (30, 80, 120))
    assert dull * 1.1 < usual < bright / 1.01


def centroid(sound):
    spectrum = np.abs(np.fft.rfft(sound))
    return (np.fft.rfftfreq(len(sound), 1 / RATE) * spectrum).sum() / spectrum.sum()


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


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (sine_font(version=3), "compressed"),
        (sine_font()[:-10], "cut off"),
        (sine_font().replace(b"shdr", b"none"), "lacks shdr"),
        (sine_font(rate=399), "damaged"),
        (sine_font(more=((CENTS_PER_KEY, 100),) * 62), "damaged"),  # 65 generators in a zone
        (sine_font().replace(b"ifil\4\0\0\0\2\0\1\0", b"ifil\0\0\0\0"), "damaged"),
        (sine_font(bank=5), "no instruments in bank 0 and no drums"),
        (sine_font().replace(struct.pack("<HHHH", 0, 0, 1, 0), struct.pack("<HHHH", 1, 0, 0, 0)), "damaged"),
        (sine_font()[:12] + bytes(8 * MAX_CHUNKS) + sine_font()[12:], "lacks"),
    ],
)
def test_a_font_that_cannot_be_played_is_refused_with_the_reason(tmp_path, data, fault):
    (tmp_path / "a.sf2").write_bytes(data)
    with pytest.raises(MusegenError, match=fault):
        SoundFont.read(tmp_path / "a.sf2")


def test_a_font_larger_than_the_limit_is_not_read(tmp_path):
    with (tmp_path / "a.sf2").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(MusegenError, match=r"a\.sf2: larger than 500 MB"):
        SoundFont.read(tmp_path / "a.sf2")


@pytest.mark.parametrize("kind", [ATTENUATION, SUSTAIN, KEY_TO_DECAY, CENTS_PER_KEY, CUTOFF, DELAY, ATTACK, DECAY])
@pytest.mark.parametrize("amount", [-(2**15), 2**15 - 1])
def test_no_number_in_a_font_makes_a_sound_that_is_infinite_or_too_loud(tmp_path, kind, amount):
    (tmp_path / "a.sf2").write_bytes(sine_font(more=((kind, amount),)))
    for pitch in (0, 60, 127):
        sound = SoundFont.read(tmp_path / "a.sf2").note(0, 0, pitch, 127, 0.1, RATE)
        assert np.abs(sound).max(initial=0) < 1.1


def test_an_instrument_of_thousands_of_zones_is_not_searched_for_each_note(tmp_path):
    (tmp_path / "a.sf2").write_bytes(sine_font(n_zones=5000, more=((KEYS, 0),)))
    with pytest.raises(MusegenError, match="looks through more than 4096"):
        SoundFont.read(tmp_path / "a.sf2").note(0, 0, 60, 80, 0.1, RATE)


def test_a_release_of_hours_takes_no_memory(tmp_path):
    (tmp_path / "a.sf2").write_bytes(sine_font(release=30_000))
    assert len(SoundFont.read(tmp_path / "a.sf2").note(0, 0, 60, 80, 0.1, RATE)) < 21 * RATE
