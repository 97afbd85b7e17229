from dataclasses import replace

import numpy as np
import pytest

from musegen_lib.corpus import load_chorales, load_folk_tunes, windows
from musegen_lib.corpus.table import Corpus, Entry, coarsest_grid, entries_to_arrays

BEAT = 48  # ticks


def entry(*notes, pickup=0, tempo=100, **texts):
    """Notes are (onset, duration, pitch[, voice[, mark]]) in ticks."""
    full = [(*note, *(0, False)[len(note) - 3 :]) for note in notes]
    return Entry(full, {"id": "x", "metre": "4/4"} | texts, pickup, tempo)


def table(*entries, steps_per_beat=None):
    return Corpus(entries_to_arrays(entries), np.arange(len(entries)), "CC0", steps_per_beat)


def rows(piece):
    return [row[:3] for row in piece.notes.tolist()]


@pytest.fixture
def three():
    return table(
        entry((0, 48, 60), (48, 24, 62), id="a", title="Ä  long\n title", style="german", key="G major"),
        entry((0, 16, 65), id="b", style="chinese", metre="", tempo=72),
        entry((0, 48, 67), (48, 48, 69), (96, 192, 71), id="c", style="german", metre="3/4", pickup=48),
    )


# From ticks to pieces


def test_a_row_becomes_a_piece_with_its_labels(three):
    first, second, third = three
    assert rows(first) == [(0, 4, 60), (4, 2, 62)]
    assert (first.title, first.key, first.style, first.source, first.licence) == (
        *("Ä long title", "G major", "german", "a", "CC0"),
    )
    assert (second.metre, second.key, second.tempo_qpm, second.steps_per_beat) == (None, None, 72.0, 12)
    assert rows(second) == [(0, 4, 65)]  # a triplet eighth
    assert (third.metre, third.pickup_steps, third.bar_onsets.tolist()) == ("3/4", 4, [0, 4, 16])


@pytest.mark.parametrize(
    ("ticks", "steps_per_beat"),
    [(12, 4), (36, 4), (6, 8), (18, 8), (4, 12), (16, 12), (2, 24), (3, 48), (1, 48), (0, 4)],
)
def test_the_grid_is_the_coarsest_that_is_exact(ticks, steps_per_beat):
    assert coarsest_grid(entry((0, 48, 60), (48, 48 + ticks, 62))) == steps_per_beat
    assert coarsest_grid(entry((0, 48, 60), pickup=ticks)) == steps_per_beat
    assert coarsest_grid(entry()) == 4


def test_notes_move_to_the_nearest_step_of_a_wished_grid_and_halves_move_up():
    corpus = table(entry((0, 16, 60), (16, 16, 62), (32, 16, 64), (54, 42, 65)), steps_per_beat=4)
    assert rows(corpus[0]) == [(0, 1, 60), (1, 2, 62), (3, 1, 64), (5, 3, 65)]


def test_the_pickup_is_rounded_as_the_notes_are():
    corpus = table(entry((0, 20, 60), (20, 192, 62), pickup=20), steps_per_beat=4)
    assert corpus[0].pickup_steps == corpus[0].notes["onset_steps"][1] == 2


def test_notes_that_round_to_no_length_are_left_out_with_their_marks():
    notes = [
        (0, 6, 60, 0, False),
        (6, 6, 60, 0, False),
        (12, 6, 62, 0, True),
        (18, 6, 64, 0, False),
        (24, 24, 65, 0, True),
    ]
    corpus = table(entry(*notes), steps_per_beat=4)
    assert rows(corpus[0]) == [(0, 1, 60), (1, 1, 62), (2, 2, 65)]
    assert corpus.marks(0).tolist() == [False, True, True]
    assert len(replace(corpus, steps_per_beat=None)[0]) == 5


@pytest.mark.parametrize("steps_per_beat", [0, 5, 32, 96])
def test_a_grid_that_ticks_cannot_hold_is_refused(steps_per_beat):
    with pytest.raises(ValueError, match=f"steps_per_beat {steps_per_beat} must divide 48"):
        table(entry((0, 48, 60)), steps_per_beat=steps_per_beat)


def test_marks_follow_the_notes_of_the_piece_where_the_table_goes_voice_by_voice():
    soprano = [(0, 48, 72, 0, False), (48, 48, 74, 0, True)]
    bass = [(0, 24, 48, 1, False), (24, 24, 50, 1, False), (48, 48, 52, 1, True)]
    corpus = table(entry(*soprano, *bass))
    piece = corpus[0]
    assert piece.notes["pitch"][corpus.marks(0)].tolist() == [74, 52]
    assert len(corpus.marks(0)) == len(piece)


def test_a_chorale_knows_its_fermatas_and_a_song_has_phrase_ends_only():
    notes = [(0, 96, 72, 0, True), (0, 48, 60, 1, False), (48, 48, 59, 1, True), (96, 48, 72, 0, False)]
    assert table(entry(*notes, style="chorale"))[0].fermatas == (4,)  # where the lower voice has come to rest
    assert table(entry(*notes, style="german"))[0].fermatas == ()


# A corpus is a sequence that can be narrowed down


def test_a_corpus_is_a_sequence(three):
    assert (len(three), len(list(three))) == (3, 3)
    assert three[-1] == three[2] == list(three)[2]
    assert isinstance(three[1:], Corpus)
    assert [piece.source for piece in three[::-1]] == ["c", "b", "a"]
    with pytest.raises(IndexError, match="out of bounds"):
        three[3]


def test_counts_and_columns_are_those_of_the_selected_pieces(three):
    chosen = three.select(np.array([True, False, True]))
    assert chosen.n_notes.tolist() == [2, 3]
    assert chosen.column("id").tolist() == ["a", "c"]
    assert chosen.column("pickup").tolist() == [0, 48]
    assert repr(chosen) == "Corpus(2 pieces, 5 notes)"
    assert chosen.select(np.array([False, True]))[0].source == "c"


def test_where_keeps_pieces_that_agree_in_every_column(three):
    assert three.where(style="german").column("id").tolist() == ["a", "c"]
    assert three.where(style="german", metre="3/4").column("id").tolist() == ["c"]
    assert len(three.where(style="klezmer")) == 0


def test_marks_belong_to_the_selection():
    corpus = table(entry((0, 48, 60, 0, True)), entry((0, 48, 60, 0, False), (48, 48, 62, 0, True)))
    assert corpus[1:].marks(0).tolist() == [False, True]


# The real tables


@pytest.mark.parametrize("load", [load_chorales, load_folk_tunes])
def test_the_exact_grid_keeps_every_note_of_the_ticks(load):
    corpus = replace(load(), steps_per_beat=None)
    chosen = np.random.default_rng(0).choice(len(corpus), 150, replace=False)
    for index in chosen.tolist():
        piece, row = corpus[index], corpus.rows[index]
        part = slice(corpus.arrays["offsets"][row], corpus.arrays["offsets"][row + 1])
        ticks = BEAT // piece.steps_per_beat
        found = [(o * ticks, d * ticks, p, v) for o, d, p, _, v in piece.notes.tolist()]
        columns = (corpus.arrays[name][part].tolist() for name in ("onset", "duration", "pitch", "voice"))
        assert sorted(found) == sorted(zip(*columns))


def test_every_tune_is_still_one_melody_on_sixteenths():
    corpus = load_folk_tunes(steps_per_beat=4)
    fine = corpus.select(corpus.column("grid") > 4)
    assert len(fine) == 1351
    for piece in fine:
        offset = piece.notes["onset_steps"] + piece.notes["duration_steps"]
        assert (piece.notes["onset_steps"][1:] >= offset[:-1]).all()


def test_sixteenths_cost_the_chorales_five_notes():
    exact, rounded = load_chorales(steps_per_beat=None), load_chorales()
    lost = {a.source: len(a) - len(b) for a, b in zip(exact, rounded) if len(a) != len(b)}
    assert lost == {"bwv248.64-s.mxl": 2, "bwv36.4-2.mxl": 1, "bwv432.mxl": 2}


def test_fermatas_stand_on_the_same_beat_in_all_four_voices():
    chorales = load_chorales()
    together = []
    for index in range(len(chorales)):
        notes = chorales[index].notes[chorales.marks(index)]
        together += [len(set(notes["voice"][notes["onset_steps"] == onset])) for onset in set(notes["onset_steps"])]
    assert sum(together) > 7800
    assert together.count(4) / len(together) > 0.5


def test_a_phrase_of_a_song_ends_with_its_last_note():
    songs = load_folk_tunes(kind="song")[::40]
    ends = [songs.marks(index) for index in range(len(songs))]
    assert np.mean([marks[-1] for marks in ends]) > 0.95
    assert 5 < np.mean([len(marks) / max(1, marks.sum()) for marks in ends]) < 12  # notes a phrase


def test_windows_are_full_bars_on_bar_lines_without_the_pickup():
    piece = entry(*((24 * n, 24, 60 + n % 5) for n in range(2 + 3 * 8 + 3)), pickup=48)  # eighths: 1 + 3 bars + a bit
    found = windows(table(piece), n_bars=2, hop_bars=1)
    assert [(w.n_steps, w.pickup_steps) for w in found] == [(32, 0)] * 2
    assert [w.notes["pitch"][0] for w in found] == [62, 60]
    assert len(windows(table(piece), n_bars=2)) == 1
    assert windows(table(entry((0, 48, 60), metre=""))) == []
