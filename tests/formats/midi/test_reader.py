import json
import os
import struct
from dataclasses import fields
from io import BytesIO

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_battery import LONG, REFUSED
from midi_bytes import BEAT, END, chunk, meta, off, on, program, quantity, song, tempo, track

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import expressive, plain
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.midi import labels as midi_labels
from musegen_lib.formats.midi import reader as midi
from musegen_lib.formats.midi import timeline as midi_timeline
from musegen_lib.formats.midi.messages import LIMITS, bytes_to_quantity, quantity_to_bytes
from musegen_lib.formats.midi.reader import MidiReport, parse_midi, piece_to_midi, read_midi, write_midi
from musegen_lib.formats.midi.scan import scan
from musegen_lib.formats.report import COMPLETE

QUICK = settings(derandomize=True, deadline=None, database=None, max_examples=120)


def read(*tracks, steps_per_beat=None, **header):
    return parse_midi(song(*tracks, **header), "song.mid", steps_per_beat)


def rows(piece):
    return piece.notes.tolist()


C4 = (0, 4, 60, 80, 0)


# Reading whole files


def test_a_quarter_note_is_read_as_four_sixteenths_and_nothing_is_repaired():
    piece, report = read(track(*BEAT))
    assert rows(piece) == [C4]
    assert (piece.steps_per_beat, piece.tempo_qpm, piece.metre, piece.key, piece.title) == (4, 120.0, "4/4", None, "")
    assert str(report) == "read completely"


def test_title_tempo_metre_and_key_come_from_their_events():
    events = [
        (0, meta(3, b"Air")),
        (0, tempo(600_000)),
        (0, meta(0x58, b"\x06\x03\x24\x08")),
        (0, meta(0x59, b"\xfd\x01")),
    ]
    piece, report = read(track(*events), track(*BEAT))
    assert (piece.title, piece.tempo_qpm, piece.metre, piece.key) == ("Air", 100.0, "6/8", "C minor")
    assert str(report) == "read completely"


@pytest.mark.parametrize(
    ("name", "title"), [("Für".encode(), "Für"), ("Für".encode("latin-1"), "Für"), (b"a\nb\0", "ab")]
)
def test_a_title_is_read_as_utf8_or_latin1_without_control_characters(name, title):
    assert read(track((0, meta(3, name)), *BEAT))[0].title == title


def test_only_the_first_track_names_the_piece():
    assert read(track(*BEAT), track((0, meta(3, b"Flute")), *BEAT))[0].title == ""


@pytest.mark.parametrize(
    ("sharps", "minor", "key"),
    [
        (0, 0, "C major"),
        (7, 0, "C# major"),
        (-7, 0, "Cb major"),
        (7, 1, "A# minor"),
        (-7, 1, "Ab minor"),
        (1, 1, "E minor"),
    ],
)
def test_keys_have_the_name_of_their_signature(sharps, minor, key):
    assert midi_timeline.signature_to_key(sharps, minor) == key
    assert midi_timeline.key_to_signature(key) == (sharps, minor)


def test_every_track_and_channel_with_notes_is_a_voice_and_empty_tracks_are_none():
    first = track((0, program(5, 3)), (0, on(60, 80, 3)), (0, on(64, 70, 1)), (480, off(60, 3)), (0, off(64, 1)))
    piece, _ = read(track(), first, track(), track((0, program(7, 3)), (0, on(67, 60, 3)), (480, off(67, 3))))
    assert rows(piece) == [(0, 4, 64, 70, 0), (0, 4, 60, 80, 1), (0, 4, 67, 60, 2)]
    assert piece.programs == (0, 5, 7)


def test_a_format_0_file_with_sixteen_channels_has_sixteen_voices_and_the_tenth_plays_drums():
    starts = [(0, on(40 + c, 80, c)) for c in range(16)]
    stops = [(480 if c == 0 else 0, off(40 + c, c)) for c in range(16)]
    piece, report = read(track(*starts, *stops), form=0)
    assert rows(piece) == [(0, 4, 40 + v, 80, v) for v in range(16)]
    assert piece.programs == (0,) * 9 + (DRUMS,) + (0,) * 6
    assert str(report) == "read completely"


def test_a_program_set_in_another_track_counts_and_a_change_after_the_first_note_does_not():
    piece, report = read(track((0, program(40, 2))), track((0, on(60, 80, 2)), (480, off(60, 2))))
    assert (piece.programs, report.program_changes) == ((40,), 0)
    events = [(0, program(1)), (0, program(2)), *BEAT, (0, program(3)), *BEAT]
    piece, report = read(track(*events))
    assert (piece.programs, piece.n_voices, report.program_changes) == ((2,), 1, 1)


@pytest.mark.parametrize(
    ("onset_ticks", "grid"), [(120, 4), (160, 12), (80, 12), (40, 12), (20, 24), (10, 48), (1, 480), (479, 480)]
)
def test_the_coarsest_exact_grid_is_chosen(onset_ticks, grid):
    piece, report = read(track((onset_ticks, on(60)), (480, off(60))))
    assert piece.steps_per_beat == grid
    assert rows(piece)[0][:2] == (onset_ticks * grid // 480, grid)
    assert report.notes_moved == 0


def test_a_given_grid_moves_notes_to_the_nearest_step_and_halves_upwards():
    events = [(60, on(60)), (479, off(60)), (1, on(62)), (480, off(62)), (0, on(64)), (10, off(64))]
    piece, report = read(track(*events), steps_per_beat=4)  # a step is 120 ticks
    assert [row[:3] for row in rows(piece)] == [(1, 3, 60), (5, 4, 62), (9, 1, 64)]
    assert (report.notes_moved, report.notes_lengthened) == (3, 1)
    assert report.largest_move_beats == pytest.approx(60 / 480)
    assert str(report).startswith("notes moved onto the grid: 3 (by at most 0.125 beats); ")


# One behaviour where the standard leaves it open


def test_a_note_off_ends_the_oldest_sounding_note_of_its_pitch():
    piece, report = read(track((0, on(60, 70)), (480, on(60, 80)), (480, off(60)), (480, off(60))))
    assert rows(piece) == [(0, 4, 60, 70, 0), (4, 8, 60, 80, 0)]
    assert report.notes_trimmed == 1


def test_a_repeated_note_may_begin_before_the_old_one_ends_on_the_same_tick():
    piece, report = read(track((0, on(60, 70)), (480, on(60, 80)), (0, off(60)), (480, off(60))))
    assert rows(piece) == [(0, 4, 60, 70, 0), (4, 4, 60, 80, 0)]
    assert str(report) == "read completely"


def test_of_two_notes_with_one_pitch_and_onset_the_longer_stays():
    piece, report = read(track((0, on(60, 70)), (0, on(60, 80)), (480, off(60)), (480, off(60))))
    assert rows(piece) == [(0, 8, 60, 80, 0)]
    assert report.notes_merged == 1


def test_a_note_without_length_gets_one_step():
    piece, report = read(track((0, on(60)), (0, off(60))))
    assert (rows(piece), report.zero_length_notes) == ([(0, 1, 60, 80, 0)], 1)


def test_notes_without_an_end_and_ends_without_a_note_are_dropped_and_counted():
    piece, report = read(track(*BEAT, (0, on(62)), (0, on(64)), (0, off(65))))
    assert rows(piece) == [C4]
    assert (report.unended_notes, report.stray_note_offs) == (2, 1)


def test_a_note_off_in_another_track_ends_nothing():
    piece, report = read(track((0, on(60))), track((480, off(60))))
    assert (len(piece), report.unended_notes, report.stray_note_offs) == (0, 1, 1)


def test_running_status_works_also_after_meta_and_system_exclusive_events():
    events = [(0, on(60)), (480, b"\x3c\x00"), (0, meta(1, b"x")), (0, b"\x3e\x50"), (480, b"\x3e\x00")]
    events += [(0, b"\xf0\x02\x01\xf7"), (0, b"\x40\x50"), (480, b"\x40\x00")]
    piece, report = read(track(*events))
    assert [row[:3] for row in rows(piece)] == [(0, 4, 60), (4, 4, 62), (8, 4, 64)]
    assert str(report) == "system exclusive messages ignored: 1; texts ignored: 1"


def test_a_system_exclusive_message_in_two_parts_leaves_the_time_alone():
    """symusic 0.5.9 by itself reads the second part as events and puts the note at tick 6."""
    events = [(0, b"\xf0\x02\x01\x02"), (1, b"\xf7\x02\x03\xf7"), (479, on(60)), (480, off(60))]
    assert rows(read(track(*events))[0]) == [(4, 4, 60, 80, 0)]


def test_each_tempo_is_kept_and_none_that_comes_after_the_music():
    events = [(0, tempo(500_000)), (0, on(60)), (480, tempo(1_500_000)), (480, off(60)), (480, tempo(250_000))]
    piece, report = read(track(*events))
    assert (piece.tempo_qpm, piece.tempo_changes, str(report)) == (120.0, ((4, 40.0),), "read completely")
    assert piece.seconds == pytest.approx(0.5 + 1.5)


def test_a_tempo_that_changes_inside_a_step_leaves_each_note_its_second():
    events = [
        (100, tempo(1_000_000)),
        (30, tempo(250_000)),
        (350, on(60)),
        (480, off(60)),
        (480, on(62)),
        (480, off(62)),
    ]
    piece, _ = read(track(*events))
    seconds = [(100 * 0.5 + 30 * 1.0 + 350 * 0.25) / 480, (100 * 0.5 + 30 * 1.0 + 1310 * 0.25) / 480]
    assert piece.steps_per_beat == 4
    assert piece.seconds_at(piece.notes["onset_steps"]) == pytest.approx(seconds, abs=1e-12)


def test_a_tempo_that_comes_late_follows_the_default_of_120():
    piece, _ = read(track((480, tempo(1_000_000))), track((0, on(60)), (960, off(60))))
    assert piece.seconds == pytest.approx(0.5 + 1.0)


def test_changes_of_metre_and_key_are_kept_up_to_the_last_note():
    events = [(0, meta(0x58, b"\x03\x02\x18\x08")), (0, meta(0x59, b"\x00\x00")), (0, on(60)), (2880, off(60))]
    events += [(0, meta(0x58, b"\x04\x02\x18\x08")), (0, meta(0x59, b"\x01\x00")), (0, meta(0x59, b"\x09\x00"))]
    events += [(0, on(62)), (1920, off(62)), (0, meta(0x58, b"\x02\x02\x18\x08"))]
    piece, report = read(track(*events))
    assert piece.timeline("metre") == [(0, "3/4"), (24, "4/4")]
    assert piece.timeline("key") == [(0, "C major"), (24, "G major")]
    assert piece.bar_onsets.tolist() == [0, 12, 24]
    assert str(report) == "impossible keys ignored: 1"


def test_one_short_first_bar_is_a_pickup_and_a_piece_in_short_bars_has_none():
    def metre(upper):
        return meta(0x58, bytes([upper, 2, 24, 8]))

    beats = [event for pitch in range(60, 70) for event in ((0, on(pitch)), (480, off(pitch)))]
    piece, report = read(track((0, metre(1)), *beats[:2], (0, metre(3)), *beats[2:]))
    assert report.remarks == ("a first bar of 1/4 before 3/4 is read as a pickup",)
    assert (piece.metre, piece.pickup_steps, piece.bar_onsets.tolist()) == ("3/4", 4, [0, 4, 16, 28])
    piece, _ = read(track((0, metre(1)), *beats[:4], (0, metre(3)), *beats[4:]))
    assert (piece.timeline("metre"), piece.pickup_steps) == ([(0, "1/4"), (8, "3/4")], 0)


def test_of_two_metres_at_one_tick_the_last_is_in_force_and_both_are_named():
    events = [(0, meta(0x58, b"\x04\x02\x18\x08")), (0, meta(0x58, b"\x03\x02\x18\x08"))]
    piece, report = read(track(*events, *BEAT))
    assert (piece.metre, str(report)) == ("3/4", "two metres at one tick, 4/4 and 3/4: the last is taken")


def test_an_end_of_the_file_far_behind_the_last_note_is_ignored_with_a_remark():
    piece, report = read(track(*BEAT, (LONG, meta(1, b"")), (LONG, meta(1, b""))))
    assert (rows(piece), report.remarks) == ([C4], ("an end far behind the last note ignored",))


def test_what_is_ignored_is_counted_by_kind():
    controls = [b"\xb0\x07\x64", b"\xb0\x40\x7f", b"\xb0\x40\x00", b"\xe0\x00\x40", b"\xd0\x05", b"\xa0\x3c\x05"]
    piece, report = read(track(*[(0, event) for event in controls], *BEAT))
    assert rows(piece) == [C4]
    assert (report.controllers, report.pedals, report.pitch_bends, report.pressures) == (1, 2, 1, 2)


def test_a_report_has_a_phrase_for_every_count():
    report = MidiReport(**{f.name: 1 for f in fields(MidiReport) if f.name != "remarks"})
    assert (
        str(report).count(";") == len(fields(MidiReport)) - 3  # size of move and remarks have no count to show
    )  # size of move, drums and remarks have no count to show
    assert "\n" not in str(report)


# Repairs


def test_a_missing_end_of_track_is_added_and_reported():
    piece, report = read(track(*BEAT, end=False))
    assert (rows(piece), report.ends_added) == ([C4], 1)


def test_bytes_after_the_end_of_a_track_or_of_the_file_are_ignored_and_counted():
    data = song(track(*BEAT, END, (0, on(62)), (1, off(62)), end=False)) + b"junk"
    piece, report = parse_midi(data, "song.mid")
    assert (rows(piece), report.stray_bytes) == ([C4], 8 + 4)


def test_chunks_of_unknown_kind_and_longer_headers_are_read_over():
    header = chunk(struct.pack(">HHH", 1, 1, 480) + b"??", b"MThd")
    piece, report = parse_midi(header + chunk(b"hello", b"XFIH") + track(*BEAT), "song.mid")
    assert (rows(piece), str(report)) == ([C4], "read completely")


# Refusals


@pytest.mark.parametrize("case", REFUSED)
def test_a_damaged_file_is_refused_in_one_line_with_its_name_the_fault_and_advice(case):
    data, fault = REFUSED[case]
    with pytest.raises(MusegenError, match=r"^bad\?name\.mid: .*; ") as caught:
        parse_midi(data, "bad\nname.mid")
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fault_inside_a_track_names_the_track():
    with pytest.raises(MusegenError, match="track 2: status byte 0xf8"):
        scan(song(track(), track((0, b"\xf8"))), "song.mid")


def test_the_last_tick_and_the_last_second_allowed_are_read():
    slow_enough = song(track((0, tempo(6_001)), (LONG, on(60)), (0, off(60))), division=32767)
    assert parse_midi(slow_enough, "a.mid")[0].n_steps == LONG + 1  # the grid is the file's own
    six_hours = song(track((0, tempo(1_000_000)), (21_600, on(60))), division=1)
    assert scan(six_hours, "b.mid").seconds_at(21_600) == LIMITS.seconds


def test_a_grid_too_fine_for_the_length_or_for_midi_is_refused():
    long_bars = (0, meta(0x58, b"\xff\x00\x18\x08"))  # 255/1, or there are too many of them
    data = song(track((0, tempo(6_001)), long_bars, (3_000_000, on(60)), (1, off(60))), division=1)
    with pytest.raises(MusegenError, match="too long for 32767 steps per beat"):
        parse_midi(data, "song.mid", steps_per_beat=32_767)
    for wrong in (0, 40_000):
        with pytest.raises(MusegenError, match="choose"):
            parse_midi(data, "song.mid", steps_per_beat=wrong)


@pytest.mark.parametrize("value", [0, 127, 128, 16_383, 16_384, 2**28 - 1])
def test_quantities_survive_writing_and_reading(value):
    assert quantity_to_bytes(value) == quantity(value)
    assert bytes_to_quantity(quantity(value), 0) == (value, len(quantity(value)))


# Writing


def odd_piece(**changes):
    labels = {
        "steps_per_beat": 7,
        "tempo_qpm": 123.456789,
        "metre": "255/64",
        "key": "D dorian",
        "title": "Ünïcode ♪ 😀\n\0",
        "style": "chorale",
        "source": "a, b",
        "licence": "CC0",
        "pickup_steps": 3,
        "programs": (40, 0, 5, DRUMS, 0, 0, 99),
    }
    notes = [(0, 3, 60, 1, 0), (3, 1, 60, 127, 0), (5, 9, 127, 64, 2), (5, 1, 0, 64, 3), (5, 1, 60, 80, 200)]
    return Piece.from_notes(notes, **labels | changes)


def assert_survives(piece):
    back, report = parse_midi(piece_to_midi(piece), "ours.mid")
    assert back == piece
    assert str(report) == "read completely"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"metre": None},
        {"metre": "04/4"},
        {"key": None},
        {"key": "G# major"},
        {"key": "not a key"},
        {"title": ""},
        {"title": "x" * 10_000},
        {"tempo_qpm": 0.001},
        {"tempo_qpm": 9999.99},
        {"tempo_qpm": 100},
        {"steps_per_beat": 1},
        {"steps_per_beat": 32_767},
        {"programs": ()},
        {"pickup_steps": 2**31 - 1},
        {"pickup_steps": 2, "steps_per_beat": 4, "metre": "3/4"},
        {"metre_changes": ((3, "3/4"), (9, None), (11, "7/8"))},
        {"metre": "1/4", "metre_changes": ((4, "3/4"),), "steps_per_beat": 4},
        {"key_changes": ((2, "A dorian"), (5, "E minor"), (7, None))},
        {"tempo_changes": ((1, 60), (2, 60.0000001), (9, 5000.5))},
        {"fermatas": (0, 7), "is_cut": True},
    ],
)
def test_a_piece_with_odd_fields_survives(changes):
    if changes.get("tempo_qpm") == 0.001:
        changes = changes | {"steps_per_beat": 4}
    assert_survives(odd_piece(**changes))


def test_an_empty_piece_survives():
    assert_survives(Piece.from_notes([], title="silence", programs=(3,), tempo_qpm=77.7))


def test_256_voices_on_one_pitch_survive_and_do_not_collide():
    assert_survives(Piece.from_notes([(v % 5, 4, 60, 80, v) for v in range(256)], programs=tuple(range(128)) * 2))


PIECES = st.builds(
    lambda notes, **labels: Piece.from_notes(
        [(onset, 1 + length, *where) for where, (onset, length) in notes.items()], **labels
    ),
    st.dictionaries(  # one note for each pitch, velocity and voice triple at most; overlaps are cleared below
        st.tuples(st.integers(0, 127), st.integers(1, 127), st.integers(0, 255)),
        st.tuples(st.integers(0, 2000), st.integers(0, 50)),
        max_size=12,
    ).filter(lambda notes: len({(pitch, voice) for pitch, _, voice in notes}) == len(notes)),
    steps_per_beat=st.integers(1, 32_767).filter(lambda n: n % 3) | st.sampled_from([4, 12, 24]),
    tempo_qpm=st.floats(50, 9_999),
    metre=st.none() | st.builds("{}/{}".format, st.integers(1, 255), st.sampled_from([1, 2, 4, 8, 16, 32, 64])),
    key=st.none() | st.text(max_size=9) | st.sampled_from(["A minor", "D dorian", "Cb major"]),
    title=st.text(max_size=20),
    licence=st.text(max_size=5),
    pickup_steps=st.integers(0, 99),
    programs=st.lists(st.integers(0, 128), max_size=20).map(tuple),
)


@QUICK
@given(piece=PIECES)
def test_any_piece_survives_writing_and_reading(piece):
    assert_survives(piece)


def test_repeated_notes_back_to_back_survive():
    assert_survives(Piece.from_notes([(step, 1, 60, 1 + step % 127) for step in range(50)]))


def test_a_field_that_piece_may_get_one_day_is_not_forgotten():
    assert {f.name for f in fields(Piece)} - {"notes"} | {"voices"} == set(midi_labels.IS_RIGHT)


def test_the_same_piece_gives_the_same_bytes():
    assert piece_to_midi(odd_piece()) == piece_to_midi(odd_piece())


def test_a_file_of_ours_is_these_bytes():
    piece = Piece.from_notes([(0, 4, 60)], tempo_qpm=120.0, key="G major", programs=(5,))
    data = piece_to_midi(piece)
    start = bytes.fromhex("4d54686400000006 0001 0002 01e0 4d54726b")
    events = "00ff5103 07a120  00ff5804 04021808  00ff5902 0100"
    voice = bytes.fromhex("4d54726b 00000010 00c005 00903c50 8360803c40 00ff2f00")
    assert data.startswith(start)
    assert data[22:].startswith(bytes.fromhex(events) + b"\x00\xff\x01")
    assert data.endswith(voice)


def test_a_piece_on_another_grid_keeps_its_labels():
    piece = Piece.from_notes([(0, 4, 60)], steps_per_beat=4, pickup_steps=2, style="jig", metre="6/8")
    back, report = parse_midi(piece_to_midi(piece), "ours.mid", steps_per_beat=12)
    assert back == Piece.from_notes([(0, 12, 60)], steps_per_beat=12, pickup_steps=6, style="jig", metre="6/8")
    assert str(report) == "read completely"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"steps_per_beat": 40_000}, "steps_per_beat"),
        ({"title": "\ud800"}, "title"),
        ({"title": None}, "title"),
        ({"source": "x" * 70_000}, "labels of this length"),
        (
            {"notes": Piece.from_notes([(40_000_000, 8, 60)]).notes, "steps_per_beat": 1, "metre": "255/1"},
            "more than MIDI can state",
        ),
        ({"notes": Piece.from_notes([(300_000, 8, 60)]).notes}, "beyond"),
    ],
)
def test_a_piece_that_midi_cannot_hold_is_refused_by_name(changes, fault):
    with pytest.raises(MusegenError, match=f"^piece .*{fault}"):
        piece_to_midi(Piece.from_notes([], title="x", steps_per_beat=4).replace(**changes))


# Our labels in files of strangers


def labelled(claims, *events):
    text = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return read(track((0, meta(1, b"musegen:" + text)), *events, *BEAT))


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[1]", b"null", b"\xff", b"[" * 60_000, b'{"style": "' + b"x" * 70_000 + b'"}', b"1" * 5_000],
    ids=["empty", "open", "list", "null", "not ascii", "deep", "long", "long number"],
)
def test_labels_that_are_no_labels_are_ignored_with_a_report(text):
    piece, report = labelled(text)
    assert piece == read(track(*BEAT))[0]
    assert str(report) == "musegen labels ignored: all"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps_per_beat", 0),
        ("steps_per_beat", True),
        ("steps_per_beat", 10**30),
        ("steps_per_beat", 4.0),
        ("tempo_qpm", 1e999),
        ("tempo_qpm", float("nan")),
        ("tempo_qpm", "fast"),
        ("tempo_qpm", 100.0),  # the file plays at 120
        ("metre", "4/0"),
        ("metre", "3/4"),  # the file has no metre
        ("metre", 4),
        ("key", "G major"),  # the file has no key
        ("title", "Air"),  # the file has no title
        ("style", 1),
        ("source", None),
        ("pickup_steps", -1),
        ("programs", [1000]),
        ("programs", "0"),
        ("voices", [0, 1]),  # the file has one voice
        ("voices", [256]),
        ("voices", [[]]),
    ],
)
def test_a_wrong_or_contradicted_label_is_ignored_with_a_report(name, value):
    ours = piece_to_midi(Piece.from_notes([(0, 4, 60)], tempo_qpm=120.0, metre=None))
    claims, _ = json.JSONDecoder().raw_decode(ours.split(b"musegen:")[1].decode("latin-1"))
    right, clean = labelled(claims)
    assert (right.metre, str(clean)) == (None, "read completely")
    piece, report = labelled(claims | {name: value})
    assert name in str(report).removeprefix("musegen labels ignored: ").split(", ")
    assert rows(piece) == [C4]
    assert piece.tempo_qpm == 120.0


def test_a_grid_that_does_not_hold_the_notes_is_not_believed():
    data = piece_to_midi(Piece.from_notes([(0, 4, 60)], style="jig", title="x", pickup_steps=2))
    moved = data.replace(b"\x83\x60\x80\x3c", b"\x83\x61\x80\x3c")  # the note now ends a tick late
    piece, report = parse_midi(moved, "ours.mid")
    assert (piece.steps_per_beat, rows(piece), piece.style) == (480, [(0, 481, 60, 80, 0)], "jig")
    assert str(report) == "musegen labels ignored: steps_per_beat, metre, pickup_steps, metre_changes, fermatas"


def test_a_voice_whose_program_was_changed_elsewhere_keeps_the_change():
    data = piece_to_midi(Piece.from_notes([(0, 4, 60, 80, 9)], programs=(1,) * 10))
    piece, report = parse_midi(data.replace(b"\x00\xc0\x01", b"\x00\xc0\x02"), "ours.mid")
    assert (piece.programs, piece.n_voices) == ((2,), 1)
    assert str(report) == "musegen labels ignored: programs, voices"


# The same notes in other software


def band():
    drums = [(4 * beat, 1, 36, 100, 2) for beat in range(4)]
    return Piece.from_notes(
        [(0, 8, 60, 80, 0), (8, 8, 64, 81, 0), (0, 16, 48, 82, 1), *drums, (0, 4, 72, 83, 20)],
        programs=(40, 32, DRUMS, *range(17), 73),
        tempo_qpm=120.0,
        metre="3/4",
        key="A minor",
        title="Band",
    )


def test_pretty_midi_finds_the_same_notes_tempo_metre_key_and_programs():
    score = pretty_midi.PrettyMIDI(BytesIO(piece_to_midi(band())))
    found = [
        (round(n.start * 8, 6), round(n.end * 8, 6), n.pitch, n.velocity, i.program, i.is_drum)
        for i in score.instruments
        for n in i.notes
    ]
    expected = [
        (onset, onset + length, pitch, velocity, band().program(v) % DRUMS, band().program(v) == DRUMS)
        for onset, length, pitch, velocity, v in rows(band())
    ]
    assert sorted(found) == sorted(expected)
    assert score.get_tempo_changes()[1] == [120.0]
    assert [(m.numerator, m.denominator) for m in score.time_signature_changes] == [(3, 4)]
    assert [pretty_midi.key_number_to_key_name(k.key_number) for k in score.key_signature_changes] == ["A minor"]


def test_mido_finds_the_same_notes_and_no_two_pitched_voices_share_a_channel():
    file = mido.MidiFile(file=BytesIO(piece_to_midi(band())))
    channels = [{m.channel for m in t if m.type == "note_on"} for t in file.tracks]
    assert channels == [set(), {0}, {1}, {9}, {2}]
    assert [sum(m.type == "note_on" for m in t) for t in file.tracks] == [0, 2, 1, 4, 1]
    assert file.length == pytest.approx(band().seconds, rel=1e-6)
    assert file.tracks[0].name == "Band"


def test_the_sixteenth_pitched_voice_reuses_the_first_channel_on_another_port():
    piece = Piece.from_notes([(0, 4, 60 + v, 80, v) for v in range(17)])
    file = mido.MidiFile(file=BytesIO(piece_to_midi(piece)))
    channels = [next(m.channel for m in t if m.type == "note_on") for t in file.tracks[1:]]
    assert channels == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 0, 1]
    assert [m.port for t in file.tracks for m in t if m.type == "midi_port"] == [1, 1]


def test_a_file_by_pretty_midi_is_read_note_for_note():
    piece, report = read_midi_bytes_of(band().replace(programs=(40, 32, DRUMS)).to_pretty_midi())
    expected = [row[:4] for row in rows(band())]
    assert sorted(row[:4] for row in rows(piece)) == sorted(expected)
    assert (piece.programs, piece.metre, piece.tempo_qpm) == ((40, 32, DRUMS, 0), "3/4", 120.0)
    assert report.notes_moved == 0


def read_midi_bytes_of(score):
    buffer = BytesIO()
    score.write(buffer)
    return parse_midi(buffer.getvalue(), "pretty.mid", steps_per_beat=4)


EVENTS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(60, 63), st.integers(0, 2), st.integers(0, 3)), max_size=40
)


@QUICK
@given(events=EVENTS)
def test_notes_pair_as_a_queue_per_channel_and_pitch(events):
    queues, expected, tick = {}, [], 0
    for delta, pitch, velocity, channel in events:
        tick += delta
        if velocity:
            queues.setdefault((channel, pitch), []).append((tick, velocity))
        elif queues.get((channel, pitch)):
            onset, loud = queues[channel, pitch].pop(0)
            expected.append((onset, tick, pitch, loud, channel))
    data = song(track(*[(delta, on(pitch, velocity, channel)) for delta, pitch, velocity, channel in events]))
    facts = scan(data, "song.mid")
    found = midi._pair_notes(facts)
    channels = [voice.channel for voice in facts.voices]
    assert sorted((*row[:4], channels[row[4]]) for row in found.tolist()) == sorted(expected)


# Any bytes


def outcome(data):
    try:
        piece, report = parse_midi(data, "any.mid")
    except MusegenError as caught:
        fault = str(caught)
    else:
        assert isinstance(piece, Piece)
        assert "\n" not in str(report)
        return "read"
    assert fault.startswith("any.mid: ")
    assert "\n" not in fault
    return "refused"


@QUICK
@given(data=st.binary(max_size=80))
def test_any_bytes_are_a_piece_or_a_musegen_error(data):
    outcome(data)
    outcome(b"MThd" + data)
    outcome(song(chunk(data)))


def test_a_valid_file_with_any_byte_changed_or_cut_anywhere_is_a_piece_or_a_musegen_error():
    rng = np.random.default_rng(0)
    valid = piece_to_midi(band())
    results = [outcome(valid[:n]) for n in range(0, len(valid), 3)]
    for _ in range(700):
        data = bytearray(valid)
        for position in rng.integers(len(data), size=rng.integers(1, 4)):
            data[position] = rng.integers(256)
        results.append(outcome(bytes(data)))
    assert set(results) == {"read", "refused"}


# Files


def test_a_file_is_written_in_one_stroke_and_read_back(tmp_path):
    path = tmp_path / "a.mid"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_midi(odd_piece(), path)
    assert read_midi(path)[0] == odd_piece()
    assert [p.name for p in tmp_path.iterdir()] == ["a.mid"]
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    path = tmp_path / "a.mid"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(MusegenError, match=r"a\.mid: cannot be written \(No space left on device\)"):
        write_midi(odd_piece(), path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.mid"]


def test_a_missing_folder_is_made(tmp_path):
    write_midi(odd_piece(), tmp_path / "new" / "folder" / "a.mid")
    assert read_midi(tmp_path / "new" / "folder" / "a.mid")[0] == odd_piece()


@pytest.mark.parametrize("place", ["file/a.mid", ".", "", "a\0b/c.mid"])
def test_writing_where_no_file_can_be_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("x")
    with pytest.raises(MusegenError, match="folder"):
        write_midi(odd_piece(), tmp_path / place)


@pytest.mark.parametrize("grid", [4, 12, 48])
def test_a_piece_with_expression_comes_back_on_its_grid_at_any_tempo(grid):
    rows = [(grid * i // 2, grid // 2, 76 - 5 * v, 80, v) for i in range(40) for v in range(4)]
    for qpm in (30.0, 100.0, 290.0):
        piece = expressive(Piece.from_notes(rows, steps_per_beat=grid, tempo_qpm=qpm, key="D major", metre="3/4"), 5)
        data = piece_to_midi(piece)
        back, report = parse_midi(data, "ours.mid")
        assert back == piece
        assert str(report) == COMPLETE
        coarse, _ = parse_midi(data, "ours.mid", steps_per_beat=2)
        assert coarse.notes["onset_steps"].tolist() == [i for i in range(40) for _ in range(4)]


def test_the_delays_of_expression_are_in_the_file_and_believed_up_to_half_a_step():
    piece = expressive(Piece.from_notes([(0, 4, 72, 80, 0), (0, 4, 60, 80, 1)], tempo_qpm=60.0))
    late = [
        note.start
        for track in pretty_midi.PrettyMIDI(BytesIO(piece_to_midi(piece))).instruments
        for note in track.notes
    ]
    assert 0.010 < late[1] - late[0] < 0.030
    assert parse_midi(piece_to_midi(piece), "ours.mid")[0].expression == 0
    score = mido.MidiFile(file=BytesIO(piece_to_midi(piece)))
    next(message for message in score.tracks[1] if message.type == "note_off").time += 1
    out = BytesIO()
    score.save(file=out)
    changed, report = parse_midi(out.getvalue(), "changed.mid")  # an end off the grid: not as we wrote it
    assert (changed.expression, changed.steps_per_beat) == (None, 480)
    assert "expression" in str(report)


def as_edited(piece, kind, **changes):
    """The file of a piece after other software changed its first message of a kind, and kept all else."""
    score = mido.MidiFile(file=BytesIO(piece_to_midi(piece)))
    message = next(message for track in score.tracks for message in track if message.type == kind)
    for name, value in changes.items():
        setattr(message, name, value)
    out = BytesIO()
    score.save(file=out)
    return parse_midi(out.getvalue(), "edited.mid")


SHAPED = expressive(Piece.from_notes([(4 * i, 4, 60 + i % 5, 80, v) for i in range(32) for v in range(2)]), 3)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("note_on", {"velocity": 33}),
        ("note_on", {"time": 15}),
        ("set_tempo", {"tempo": 700_000}),
        ("time_signature", {"numerator": 3}),
    ],
)
def test_what_someone_changed_in_a_file_of_ours_is_read_as_they_left_it(kind, changes):
    saved, report = as_edited(SHAPED, "note_on")
    assert saved == SHAPED  # saving it again changes nothing
    assert str(report) == COMPLETE
    piece, report = as_edited(SHAPED, kind, **changes)
    assert piece.expression is None
    assert "expression" in str(report)
    assert plain(piece) is piece
    assert sorted(piece.notes["velocity"].tolist()) == sorted(
        [33] * (kind == "note_on" and "velocity" in changes)
        + SHAPED.notes["velocity"].tolist()[kind == "note_on" and "velocity" in changes :]
    )
    assert len(piece.tempo_changes) >= len(SHAPED.tempo_changes)


def test_a_quantised_file_does_not_get_its_delays_back():
    bare = SHAPED.replace(expression=None)
    marked = piece_to_midi(SHAPED)
    text = marked[marked.index(b"musegen:") : marked.index(b"}", marked.index(b"musegen:")) + 1]
    data = piece_to_midi(bare)
    ours = data[data.index(b"musegen:") : data.index(b"}", data.index(b"musegen:")) + 1]
    assert len(text) > len(ours)
    score = mido.MidiFile(file=BytesIO(data))
    next(message for message in score.tracks[0] if message.type == "text").text = text.decode()
    out = BytesIO()
    score.save(file=out)
    piece, report = parse_midi(out.getvalue(), "quantised.mid")
    assert piece == bare
    assert "expression" in str(report)
