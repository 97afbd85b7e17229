"""Keys named from the notes, beside 140 keys that a musician named by reading the tunes (117 of them without doubt)."""

import json
from pathlib import Path

import numpy as np
import pytest

from musegen_lib.core.keys import TONIC_PITCH_CLASS
from musegen_lib.corpus import load_folk_tunes
from musegen_lib.corpus.modes import western_mode, with_modes
from musegen_lib.corpus.table import Entry, entries_to_arrays

LABELLED = json.loads((Path(__file__).parent / "hand_labelled_keys.json").read_text(encoding="utf-8"))
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}


def keys_of(pitches, printed, style):
    notes = [(48 * step, 48, pitch, 0, False) for step, pitch in enumerate(pitches)]
    arrays = with_modes(entries_to_arrays([Entry(notes, {"key": printed, "style": style})]))
    return arrays["key"].tobytes().decode()


def same_key(key, label):
    tonic, _, mode = (key or "").partition(" ")
    return TONIC_PITCH_CLASS.get(tonic) == TONIC_PITCH_CLASS[label["tonic"]] and mode == label["mode"]


@pytest.mark.parametrize("mode", SCALES)
def test_a_scale_names_its_mode(mode):
    assert western_mode(np.isin(np.arange(12), SCALES[mode]).astype(float)) == mode


def test_a_raised_seventh_is_still_minor_and_a_missing_one_still_major():
    assert western_mode(np.isin(np.arange(12), (0, 2, 3, 5, 7, 9, 11)).astype(float)) == "minor"
    assert western_mode(np.isin(np.arange(12), (0, 2, 4, 7, 9)).astype(float)) == "major"


@pytest.mark.parametrize(
    ("final", "key"), [(60, "C gong"), (62, "D shang"), (64, "E jue"), (67, "G zhi"), (69, "A yu"), (65, "C major")]
)
def test_a_chinese_song_is_named_by_its_final_note(final, key):
    assert keys_of([60, 62, 64, 67, 69, final], "C major", "chinese") == key


def test_a_printed_mode_and_an_unknown_key_stay():
    assert keys_of([60, 64, 67, 60], "A dorian", "irish") == "A dorian"
    assert keys_of([60, 64, 67, 60], "", "german") == ""


def test_the_rule_agrees_with_a_musician():
    corpus = load_folk_tunes()
    keys = dict(zip(corpus.column("id").tolist(), corpus.column("key").tolist()))
    agreed = np.array([same_key(keys[label["id"]], label) for label in LABELLED])
    sure = np.array([label["sure"] for label in LABELLED])
    assert len(LABELLED) == 140
    assert sure.sum() == 117
    assert agreed[sure].mean() >= 0.95
    assert agreed.mean() >= 0.9


def test_the_printed_keys_alone_would_not_agree():
    printed = [label["mode"] == "major" for label in LABELLED]  # what the files say of nearly all songs
    assert np.mean(printed) < 0.6
