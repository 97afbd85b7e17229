"""The chorale studies: the exported frames, the hymn tunes that leak, and the files as they were last run."""

from data.studies.chorales import export_frames
from musegen_lib.corpus import load_chorales
from musegen_lib.corpus.splits import chorale_split, hymn_tunes
from musegen_lib.lessons.studies import read_study
from musegen_lib.models.chorale.frame_batches import frames_to_ids


def test_exported_frames_hold_what_sounds_on_each_beat():
    found = export_frames()
    assert {part: len(pieces) for part, pieces in found.items()} == {"train": 205, "valid": 67, "test": 69}
    piece = load_chorales("jsb", "test")[0]
    frames = found["test"][0]
    starts = range(piece.pickup_steps % 4, piece.n_steps, 4)
    assert len(frames) == len(starts)
    for start, frame in list(zip(starts, frames))[:12]:
        notes = piece.notes
        sounds = (notes["onset_steps"] <= start) & (start < notes["onset_steps"] + notes["duration_steps"])
        assert frame == sorted(set(notes["pitch"][sounds].tolist()))
    assert frames_to_ids(frames).shape[1] <= 4


def test_the_usual_split_shares_hymn_tunes_and_ours_does_not():
    tunes = hymn_tunes()
    shared = {}
    for split in ("jsb", "tune"):
        parts = chorale_split(split)
        train = {tunes[name] for name, part in parts.items() if part == "train" and name in tunes}
        test = [name for name, part in parts.items() if part == "test"]
        shared[split] = sum(tunes.get(name) in train for name in test)
    assert shared["tune"] == 0
    assert shared["jsb"] > 30


def test_the_benchmark_was_run_with_two_seeds_and_stands_between_knowing_and_guessing():
    rows = [row for row in read_study("frames-benchmark") if row["split"] == "test"]
    assert {row["seed"] for row in rows} == {0, 1}
    for row in rows:
        assert 3 < row["nats_per_frame"] <= row["nats_per_frame_one_key"] < 8
        assert row["frames"] == sum(map(len, export_frames()["test"]))


def test_the_split_study_scores_every_test_piece_once():
    rows = {(row["split"], row["test"]): row for row in read_study("chorale-splits")}
    whole, parts = rows["jsb", "all"], [rows["jsb", "tune in training"], rows["jsb", "tune not in training"]]
    assert sum(row["pieces"] for row in parts) == whole["pieces"] == len(load_chorales("jsb", "test"))
    low, high = sorted(row["nats_per_note"] for row in parts)
    assert low <= whole["nats_per_note"] <= high
    assert rows["tune", "all"]["pieces"] == len(load_chorales("tune", "test"))
