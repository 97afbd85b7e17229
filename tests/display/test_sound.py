"""Sound, measured: in tune, as long as the piece, never silent, never clipped."""

import io
import warnings

import numpy as np
import pytest
import soundfile
from sound_measures import measure
from tiny_fonts import sine_font

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import expressive
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.display import sound as listen
from musegen_lib.display.mastering import CEILING, LOUDNESS, loudness
from musegen_lib.display.sound import SAMPLE_RATE, audio_to_mp3, player, players, render, write_mp3

SCALE = Piece.from_notes([(4 * i, 4, pitch) for i, pitch in enumerate((60, 62, 64, 65, 67))], tempo_qpm=120)


def loudest_hertz(audio):
    part = audio[2000:20_000]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 1 << 17))
    return spectrum.argmax() * SAMPLE_RATE / (1 << 17)


@pytest.mark.parametrize(("pitch", "hertz"), [(45, 110.0), (69, 440.0), (72, 523.25), (84, 1046.5)])
def test_the_piano_is_in_tune(pitch, hertz):
    audio = render(Piece.from_notes([(0, 8, pitch)], tempo_qpm=60))
    assert loudest_hertz(audio) == pytest.approx(hertz, rel=0.01)


def test_the_sound_lasts_as_long_as_the_piece_and_rings_on():
    assert len(render(SCALE)) / SAMPLE_RATE == pytest.approx(SCALE.seconds + listen.TAIL_SECONDS, abs=0.01)


def test_the_sound_is_loud_enough_and_never_clips():
    audio = render(SCALE)
    assert loudness(audio, SAMPLE_RATE) == pytest.approx(LOUDNESS, abs=0.1)
    assert np.abs(audio).max() <= CEILING * (1 + 1e-6)
    assert measure(audio)["silent_share"] < 0.15


def test_ten_hours_are_cut_before_they_are_played():
    endless = Piece.from_notes([(0, 4 * 36_000, 60), (4 * 35_999, 4, 62)], tempo_qpm=60)
    assert len(render(endless, seconds=2)) == 2 * SAMPLE_RATE


def test_a_crowd_of_endless_notes_is_thinned_out_and_says_so(monkeypatch):
    crowd = Piece.from_notes([(0, 100_000, pitch) for pitch in range(128)], tempo_qpm=60)
    monkeypatch.setattr(listen, "MAX_NOTE_SECONDS", 20.0)
    with pytest.warns(UserWarning, match="only the first 7 of 128 notes"):
        assert 0.1 < measure(render(crowd, seconds=2))["peak"] <= CEILING * (1 + 1e-6)


def test_a_cut_ends_softly():
    audio = render(SCALE, seconds=1)
    assert np.abs(audio[-20:]).max() < 0.01


def test_programs_sound_unlike_each_other_and_drums_make_noise():
    piano, flute, drums = (
        measure(render(SCALE.replace(programs=(program,))))["centroid_hz"] for program in (0, 73, DRUMS)
    )
    assert len({round(piano), round(flute), round(drums)}) == 3


def test_a_piece_without_notes_is_silence():
    assert measure(render(Piece.from_notes([])))["peak"] == 0


def test_the_same_piece_gives_the_same_bytes_and_they_decode():
    data = audio_to_mp3(render(SCALE))
    assert data == audio_to_mp3(render(SCALE))
    audio, rate = soundfile.read(io.BytesIO(data))
    assert rate == SAMPLE_RATE
    assert len(audio) / rate == pytest.approx(SCALE.seconds + listen.TAIL_SECONDS, abs=0.1)


def test_a_player_is_capped_labelled_and_never_starts_by_itself():
    shown = player(SCALE, "Scale <1>")
    html = shown._repr_html_()
    assert shown.seconds <= listen.MAX_SECONDS
    assert 'preload="none"' in html
    assert "autoplay" not in html
    assert "Scale &lt;1&gt;" in html
    assert len(shown.mp3) < 100_000
    assert repr(shown) == "Player(Scale <1>, 3.3 s)"  # nothing that another processor rounds otherwise


def test_a_player_plays_as_a_musician_would_unless_told_not_to():
    shaped, bare = player(SCALE, "shaped"), player(SCALE, "bare", expression=False)
    assert shaped.seconds == pytest.approx(expressive(SCALE).seconds + listen.TAIL_SECONDS, abs=0.01)
    assert bare.seconds == pytest.approx(SCALE.seconds + listen.TAIL_SECONDS, abs=0.01)
    assert player(expressive(SCALE), "once is enough").mp3 == shaped.mp3


def test_melodies_dances_and_chorales_are_equally_loud():
    rows = [(2 * i, 2, 74 - 12 * voice + i % 5, 80, voice) for i in range(48) for voice in range(4)]
    jig = Piece.from_notes([row for row in rows if row[4] == 0], metre="6/8", tempo_qpm=180)
    chorale = Piece.from_notes(rows, style="chorale", tempo_qpm=80)
    slow = Piece.from_notes([(16 * i, 16, 50 + i) for i in range(8)], tempo_qpm=60)
    found = [loudness(render(expressive(piece), 12.0), SAMPLE_RATE) for piece in (jig, chorale, slow)]
    assert max(found) - min(found) < 1


def test_another_sound_font_plays_in_its_place_and_a_damaged_one_is_named(tmp_path):
    path = tmp_path / "sine.sf2"
    path.write_bytes(sine_font())
    assert loudest_hertz(render(Piece.from_notes([(0, 8, 69)], tempo_qpm=60), soundfont=path)) == pytest.approx(
        440, rel=0.001
    )
    damaged = tmp_path / "damaged.sf2"
    damaged.write_bytes(sine_font(instrument=7))
    with pytest.raises(MusegenError, match=r"damaged\.sf2: the sound font is damaged"):
        render(SCALE, soundfont=damaged)


def test_instruments_that_a_font_lacks_are_told_of(tmp_path):
    (tmp_path / "a.sf2").write_bytes(sine_font())
    drummed = Piece.from_notes([(0, 8, 60), (0, 8, 38, 80, 1)], programs=(0, DRUMS))
    with pytest.warns(UserWarning, match=r"a\.sf2: no drums \(bank 128\)"):
        assert measure(render(drummed, soundfont=tmp_path / "a.sf2"))["peak"] > 0.1


def test_long_releases_and_many_recordings_count_as_work(tmp_path, monkeypatch):
    (tmp_path / "a.sf2").write_bytes(sine_font(release=30_000, n_zones=3))
    monkeypatch.setattr(listen, "MAX_RECORDING_SECONDS", 100.0)
    with pytest.warns(UserWarning, match="only the first 3 of 5 notes"):  # of over 16 s, three times each
        render(SCALE, soundfont=tmp_path / "a.sf2")


def test_a_note_of_too_many_recordings_is_refused_in_one_line(tmp_path):
    (tmp_path / "a.sf2").write_bytes(sine_font(n_zones=65))
    with pytest.raises(MusegenError, match=r"a\.sf2: a note plays more than 64 recordings"):
        render(SCALE, soundfont=tmp_path / "a.sf2")


def test_a_player_needs_a_label_and_players_one_each():
    with pytest.raises(ValueError, match="label"):
        player(SCALE, " ")
    with pytest.raises(ValueError, match="one label a piece"):
        players([SCALE], [])


def test_without_the_sound_font_it_plays_sine_waves_and_says_so(monkeypatch):
    monkeypatch.setattr(listen, "sound_font_path", lambda: None)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        audio = render(Piece.from_notes([(0, 8, 69)], tempo_qpm=60))
    assert loudest_hertz(audio) == pytest.approx(440, rel=0.01)
    assert len(said) == 1


def test_writing_fails_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.mp3"
    write_mp3(SCALE, path)
    before = path.read_bytes()
    monkeypatch.setattr(listen, "audio_to_mp3", lambda audio: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_mp3(SCALE, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp3"]
