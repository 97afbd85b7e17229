"""The ABC writer against our reader, and against abc2midi (inside symusic) and music21."""

import random
from pathlib import Path

import numpy as np
import pytest

from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.abc.reader import parse_abc, piece_to_abc, tune_to_piece

GRIDS = (4, 12, 24, 48, 5, 20, 7, 1, 2, 3, 6, 9, 15, 16, 32)
BAR_LINE_GRIDS = (4, 12, 24, 48, 5, 20, 7, 16)  # for oracles, whose own grid is 480


def read(text, steps_per_beat=None, **labels):
    [tune] = parse_abc(text)
    return tune_to_piece(tune, steps_per_beat, **labels)


def random_notes(rng, grid, most, overlap):
    """Notes of one voice, chords of up to `most` notes, which may reach into the next."""
    rows, now, until = [], 0, {}
    for _ in range(rng.randint(1, 20)):
        now += rng.choice([0, 0, 0, 1, rng.randint(1, grid)])
        length = rng.choice([1, grid, rng.randint(1, 3 * grid), max(1, grid // 3)])
        for pitch in {rng.randint(40, 90) for _ in range(rng.randint(1, most))}:
            if until.get(pitch, 0) <= now:
                rows.append((now, length, pitch, 80))
                until[pitch] = now + length
        now += rng.randint(1, length) if overlap else length
    return rows


def random_piece(rng, grids=GRIDS, most=3, overlap=True):
    grid, n_voices = rng.choice(grids), rng.randint(1, 3)
    rows = [(*row, voice) for voice in range(n_voices) for row in random_notes(rng, grid, most, overlap)]
    end = max(row[0] + row[1] for row in rows)
    key = f"{rng.choice(['C', 'F#', 'Bb', 'Ab', 'E'])} {rng.choice(['major', 'minor', 'dorian', 'mixolydian'])}"
    labels = {
        "metre": rng.choice(["4/4", "3/4", "6/8", "5/4" if grid % 2 else "5/8", None]),
        "key": key,
        "tempo_qpm": rng.choice([60.0, 99.5]),
    }
    for name, value in (("metre", "2/4"), ("key", "G major"), ("tempo", 180.0)):
        if rng.random() < 0.3 and end > 1:
            labels[f"{name}_changes"] = [(rng.randint(1, end - 1), value)]
    programs = rng.choice([(), (40, 0, 0), (0, DRUMS, 41)])[:n_voices]
    return Piece.from_notes(rows, steps_per_beat=grid, programs=programs if any(programs) else (), **labels)


def beats_and_pitches(notes, beat):
    """Rows of (pitch, onset, offset) in quarter notes; onsets a tick apart count as one in their order."""
    rows = [(pitch, onset / beat, (onset + duration) / beat) for onset, duration, pitch in notes]
    return sorted(rows, key=lambda row: (row[0], round(row[1] * 15), row[2]))


def sounds(piece):
    return beats_and_pitches(piece.notes[["onset_steps", "duration_steps", "pitch"]].tolist(), piece.steps_per_beat)


def abc2midi(text, folder):
    """What abc2midi plays; it starts notes up to a tick late and strums chords."""
    import symusic

    path = Path(folder) / "x.abc"
    path.write_text(text)
    score = symusic.Score(str(path))
    notes = [(note.time, note.duration, note.pitch) for track in score.tracks for note in track.notes]
    return beats_and_pitches(notes, score.ticks_per_quarter), score


def agree(ours, theirs, tolerance):
    return len(ours) == len(theirs) and np.abs(np.array(ours) - np.array(theirs)).max(initial=0) < tolerance


def test_fermatas_are_written_where_notes_sound_and_come_back():
    rows = [(0, 4, 67), (4, 12, 72), (4, 28, 64), (4, 4, 55, 80, 1), (8, 8, 53, 80, 1), (32, 6, 72)]
    piece = Piece.from_notes(rows, fermatas=(8, 20, 32), programs=(0, 40))
    assert piece_to_abc(piece).count("!fermata!") == 4
    assert read(piece_to_abc(piece))[0].fermatas == (8, 32)  # at step 20 no note begins


def test_voices_stay_together_in_abc2midi_behind_a_fermata(tmp_path):
    rows = [(0, 16, 72), (0, 8, 60, 80, 1), (8, 8, 62, 80, 1), (16, 4, 74), (16, 4, 65, 80, 1)]
    _, score = abc2midi(piece_to_abc(Piece.from_notes(rows, fermatas=(8,))), tmp_path)
    last = [max(note.time for note in track.notes) for track in score.tracks if track.notes]
    assert abs(last[0] - last[1]) < score.ticks_per_quarter / 8


def test_bar_lines_ties_and_accidentals_are_written_where_any_program_needs_them():
    piece = Piece.from_notes(
        [(0, 4, 67), (4, 8, 66), (12, 12, 65), (28, 4, 65), (32, 4, 77)],
        key="G major", title="Tune", pickup_steps=4, tempo_qpm=90,
    )  # fmt: skip
    assert piece_to_abc(piece) == "X:1\nT:Tune\nM:4/4\nL:1/16\nQ:1/4=90\nK:Gmaj\nG4 | F8 =F8- | =F4 z4 =F4 =f4 |]\n"


@pytest.mark.parametrize(
    ("grid", "lengths", "written"),
    [
        (12, (4, 4, 4), "(3C2 C2 C2"),
        (12, (8, 8, 8), "(3C4 C4 C4"),
        (12, (4, 8), "(3:2:2C2 C4"),
        (5, (1, 1, 1, 1, 1), "(5:4:5C/4 C/4 C/4 C/4 C/4"),
        (7, (3, 4), "(7:4:2C3/4 C"),
        (4, (5, 11), "C4- C C8- C3"),
        (48, (6, 42), "C/2 C7/2"),
    ],
)
def test_odd_lengths_are_tuplets_and_others_have_a_sign_of_their_own(grid, lengths, written):
    onsets = np.cumsum([0, *lengths[:-1]]).tolist()
    piece = Piece.from_notes([(onset, length, 60) for onset, length in zip(onsets, lengths)], steps_per_beat=grid)
    assert piece_to_abc(piece).splitlines()[-1].startswith(written)


def test_pieces_of_many_kinds_come_back_exactly():
    rng = random.Random(7)
    for _ in range(150):
        piece = random_piece(rng)
        back, report = read(piece_to_abc(piece), piece.steps_per_beat, source="", title="", pickup_steps=0)
        assert str(report) == "read completely"
        assert np.array_equal(back.notes, piece.notes)
        assert back.labels == piece.labels
        assert agree(sounds(piece), sounds(read(piece_to_abc(piece))[0]), 1e-9)


def test_pickups_come_back():
    piece = Piece.from_notes([(i, 1, 60 + i % 5) for i in range(40)], metre="3/4", pickup_steps=3)
    assert read(piece_to_abc(piece))[0].pickup_steps == 3


@pytest.mark.parametrize("title", ["Für Elise", "100 % \\ of &amp; & <b>", "a\tb\n c"])
def test_titles_come_back(title):
    piece = Piece.from_notes([(0, 4, 60)], title=title)
    assert read(piece_to_abc(piece))[0].title == " ".join(title.split())


def test_chords_are_written_and_notes_that_end_apart_are_tied():
    assert "[CEG]4" in piece_to_abc(Piece.from_notes([(0, 4, 60), (0, 4, 64), (0, 4, 67)]))
    assert "C2- [C-E]2 E2" in piece_to_abc(Piece.from_notes([(0, 4, 60), (2, 4, 64)])).replace("[CE-]", "[C-E]")


def test_percussion_is_a_voice_of_its_own():
    text = piece_to_abc(Piece.from_notes([(0, 4, 60, 80, 0), (0, 4, 36, 80, 1)], programs=(40, DRUMS)))
    assert "V:1\n%%MIDI program 40\n" in text
    assert "V:2 clef=perc\n%%MIDI channel 10\nC,,4" in text


def test_what_no_tuplet_places_is_refused_in_one_line():
    with pytest.raises(ValueError, match="step 0: ABC has no tuplet of 101, only up to 99; use another grid"):
        piece_to_abc(Piece.from_notes([(0, 1, 60)], steps_per_beat=101))


def test_an_empty_piece_has_no_notes_in_abc():
    assert parse_abc(piece_to_abc(Piece.from_notes([])))[0].notes == ()


def test_abc2midi_plays_what_we_write(tmp_path):
    rng = random.Random(9)
    for _ in range(100):
        piece = random_piece(rng, BAR_LINE_GRIDS, most=1, overlap=False)
        theirs, score = abc2midi(piece_to_abc(piece), tmp_path)
        assert agree(sounds(piece), theirs, 0.02), piece_to_abc(piece)
        assert [DRUMS if track.is_drum else track.program for track in score.tracks] == [
            piece.program(voice) for voice in range(piece.n_voices)
        ]


def test_abc2midi_plays_the_chords_that_we_write(tmp_path):
    rng = random.Random(10)
    for _ in range(40):
        piece = random_piece(rng, (1, 2, 3), most=3, overlap=False)
        assert agree(sounds(piece), abc2midi(piece_to_abc(piece), tmp_path)[0], 0.11), piece_to_abc(piece)


def test_music21_reads_the_melodies_that_we_write():
    from music21 import converter

    rng = random.Random(11)
    for _ in range(12):
        piece = random_piece(rng, (4, 12, 5, 7), most=1, overlap=False)
        piece = piece.replace(metre="4/4", metre_changes=(), key_changes=())
        score = converter.parseData(piece_to_abc(piece), format="abc")
        notes = [
            (float(note.offset), float(note.quarterLength), note.pitch.midi)
            for part in (score.parts or [score])
            for note in part.stripTies().flatten().notes
        ]
        assert agree(sounds(piece), beats_and_pitches(notes, 1), 1e-4), piece_to_abc(piece)


def clusters(rng):
    """Chords of neighbouring pitches, in one octave and across two."""
    rows, now, grid, base = [], 0, rng.choice((1, 2, 4)), rng.randint(55, 80)
    for _ in range(rng.randint(2, 14)):
        length = rng.choice((1, 2, 3, 4, 2 * grid))
        chord = {base + rng.randint(0, 4) + rng.choice((0, 0, 12)) for _ in range(rng.randint(1, 3))}
        rows += [(now, length, pitch, 80) for pitch in chord]
        now += length
    key = f"{rng.choice(['C', 'F#', 'Bb', 'Ab', 'E', 'G'])} {rng.choice(['major', 'minor'])}"
    return Piece.from_notes(rows, steps_per_beat=grid, metre=rng.choice(["4/4", "3/4", "6/8"]), key=key)


def test_neighbouring_pitches_in_one_chord_are_heard_by_abc2midi_and_by_us(tmp_path):
    rng = random.Random(3)
    for _ in range(60):
        piece = clusters(rng)
        text = piece_to_abc(piece)
        assert np.array_equal(read(text, piece.steps_per_beat, pickup_steps=0)[0].notes, piece.notes), text
        assert agree(sounds(piece), abc2midi(text, tmp_path)[0], 0.11), text


def test_two_notes_of_a_chord_have_two_letters_and_a_held_one_keeps_its_own():
    piece = Piece.from_notes([(0, 4, 70), (0, 4, 71), (4, 4, 63), (4, 4, 64)], steps_per_beat=1, metre="4/4")
    assert piece_to_abc(piece).splitlines()[-1] == "[_B_c]4 | [^DE]4 |]"
    held = Piece.from_notes([(2, 6, 68), (5, 2, 67)], steps_per_beat=1, metre="4/4")
    assert piece_to_abc(held).splitlines()[-1] == "z2 _A2- | _A- [G_A-]2 _A |]"


def test_an_excerpt_ends_in_a_plain_bar_line():
    piece = Piece.from_notes([(0, 16, 60), (16, 16, 62)])
    assert piece_to_abc(piece).endswith("|]\n")
    assert piece_to_abc(piece.excerpt(1)).endswith(" |\n")
