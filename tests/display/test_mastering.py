"""Loudness against the values of the standard, and what room and limiter do to a sound."""

import numpy as np
import pytest

from musegen_lib.display.mastering import CEILING, LOUDNESS, add_room, loudness, master, room

RATE = 22_050


def sine(seconds, level_db=0.0, rate=RATE, hertz=997.0):
    return 10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_a_full_sine_of_997_hertz_reads_as_the_standard_says(rate):
    assert loudness(sine(3, rate=rate), rate) == pytest.approx(-3.01, abs=0.05)


def test_loudness_follows_the_level_and_pauses_do_not_count():
    assert loudness(sine(3, -20), RATE) == pytest.approx(-23.01, abs=0.05)
    tone = sine(3, -20)
    with_pause = np.concatenate([tone, np.zeros(6 * RATE), tone])
    assert loudness(with_pause, RATE) == pytest.approx(loudness(tone, RATE), abs=0.5)
    with_whisper = np.concatenate([tone, sine(6, -50)])  # 30 LU below: the relative gate
    assert loudness(with_whisper, RATE) == pytest.approx(loudness(tone, RATE), abs=0.5)


def test_what_lies_below_the_absolute_gate_is_silence_and_draws_no_mean_down():
    assert loudness(sine(1, -66), RATE) == pytest.approx(-69.01, abs=0.05)
    assert loudness(sine(1, -68), RATE) == -np.inf
    quiet, hiss = sine(2, -57), sine(20, -72)  # the relative gate alone would lie 10 LU below the mean of both
    assert loudness(np.concatenate([quiet, hiss]), RATE) == pytest.approx(loudness(quiet, RATE), abs=0.5)


def test_low_notes_count_less_and_high_ones_more():
    low, middle, high = (loudness(sine(2, hertz=hertz), RATE) for hertz in (40.0, 500.0, 4000.0))
    assert low < middle - 2
    assert high > middle + 2


def test_silence_and_a_moment_of_sound_have_a_loudness():
    assert loudness(np.zeros(RATE), RATE) == loudness(np.zeros(0), RATE) == -np.inf
    assert np.isfinite(loudness(sine(0.05), RATE))


def test_a_sound_is_brought_to_its_loudness_without_a_peak_above_the_limit():
    quiet = master(sine(3, -45).astype(np.float32), RATE)
    assert loudness(quiet, RATE) == pytest.approx(LOUDNESS, abs=0.01)
    spiky = sine(3, -45).astype(np.float32)
    spiky[RATE] = 0.1
    limited = master(spiky, RATE)
    assert np.abs(limited).max() <= CEILING * (1 + 1e-6)
    far = slice(0, RATE // 2)
    assert loudness(limited[far], RATE) == pytest.approx(loudness(quiet[far], RATE), abs=0.5)  # only the spike is held
    assert master(np.zeros(9, np.float32), RATE).tolist() == [0] * 9


def test_the_limiter_turns_down_before_a_peak_and_does_not_cut_it_off():
    spiky = sine(3, -45).astype(np.float32)
    spiky[RATE] = 0.1
    gain = master(spiky, RATE)[spiky != 0] / spiky[spiky != 0]
    at = np.count_nonzero(spiky[:RATE])
    assert gain[at] < 0.7 * gain[0]
    assert gain[at - 40 : at + 41].max() < 0.9 * gain[0]  # 2 ms before and after
    assert np.abs(np.diff(gain)).max() < 0.01 * gain[0]


def test_the_room_rings_after_the_sound_dies_away_and_keeps_the_length():
    clap = np.zeros(2 * RATE, dtype=np.float32)
    clap[0] = 1
    heard = add_room(clap, RATE)
    assert (len(heard), heard[0]) == (len(clap), 1)
    early, late = (np.sqrt((heard[at : at + RATE // 10] ** 2).mean()) for at in (RATE // 10, RATE))
    assert 20 * np.log10(early / late) == pytest.approx(45, abs=4)  # 60 dB in 1.2 s
    assert np.array_equal(room(RATE), room.__wrapped__(RATE))


def test_a_long_sound_goes_through_the_room_in_parts_that_fit_together(monkeypatch):
    noise = np.random.default_rng(0).random(3 * RATE).astype(np.float32)
    whole = add_room(noise, RATE)
    monkeypatch.setattr("musegen_lib.display.mastering.BLOCK", 10_000)
    assert np.allclose(add_room(noise, RATE), whole, atol=1e-4)
