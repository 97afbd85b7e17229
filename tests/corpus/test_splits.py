import hashlib
import json
from collections import Counter

import numpy as np
import pytest

from data.splits.make import make_folk_split
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import data_dir
from musegen_lib.corpus import load_chorales, load_folk_tunes, splits
from musegen_lib.corpus.splits import MIN_DISTINCT, SHARED_INTERVALS, chorale_split, folk_split, group_by_shared_run


def read(name):
    return json.loads((data_dir() / "splits" / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folk():
    """Ids of all folk tunes, their pitches, and the family of each."""
    corpus = load_folk_tunes()
    arrays = corpus.arrays
    pitches = np.split(arrays["pitch"], arrays["offsets"][1:-1])
    families = group_by_shared_run([np.diff(pitch.astype(int)) for pitch in pitches])
    return corpus.column("id").tolist(), pitches, families


@pytest.fixture(scope="module")
def tune_of():
    """File name of a chorale -> number of its hymn tune."""
    return {name: number for number, group in enumerate(read("bach_tune_groups.json")) for name in group["files"]}


def count_leaks(table, tune_of, part, known=None):
    """Pieces of a part whose hymn tune is also in train, and pieces of the part; `known` limits both."""
    table = {name: side for name, side in table.items() if known is None or name in known}
    trained = {tune_of[name] for name, side in table.items() if side == "train"}
    names = [name for name, side in table.items() if side == part]
    return sum(tune_of[name] in trained for name in names), len(names)


# Families

RUN = [2, 2, 1, 2, -3, 2, -2, 5, -7, 2, 2, -4, 2, -2, 1, -1]  # 16 intervals


def families(*melodies):
    return group_by_shared_run([np.array(melody, dtype=int) for melody in melodies])


def test_tunes_that_share_16_intervals_are_a_family_wherever_the_run_stands():
    assert families(RUN, [7, 7], [3, *RUN, 9]) == [0, 1, 0]


def test_15_shared_intervals_prove_nothing():
    assert len(RUN) == SHARED_INTERVALS
    assert families([*RUN[:15], 9], [*RUN[:15], 8]) == [0, 1]


def test_a_run_of_few_different_intervals_proves_nothing():
    scale, trill = [2, 2, 1] * 8, [1, -1] * 12
    assert MIN_DISTINCT == 4
    assert families(scale, scale, trill, trill) == [0, 1, 2, 3]
    assert families([*scale, 3, 4], [*scale, 3, 4]) == [0, 0]  # the last window holds four different ones


def test_a_family_is_a_chain_and_takes_the_number_of_its_first_tune():
    other = [-step for step in RUN]
    assert families([4], other, RUN, [*other, 11, *RUN]) == [0, 1, 1, 1]


def test_families_are_those_of_a_comparison_of_all_with_all():
    rng = np.random.default_rng(0)
    melodies = [rng.integers(-3, 4, rng.integers(0, 30)).tolist() for _ in range(40)]
    for _ in range(30):  # plant copies
        a, b = rng.integers(0, 40, 2)
        start = int(rng.integers(0, 8))
        melodies[b] = melodies[b][:5] + melodies[a][start : start + int(rng.integers(12, 20))] + melodies[b][5:9]
    windows = [{tuple(m[i : i + 16]) for i in range(len(m) - 15) if len(set(m[i : i + 16])) >= 4} for m in melodies]
    wanted = list(range(40))
    for _ in range(40):  # spread the lowest number until nothing changes
        wanted = [min(wanted[j] for j in range(40) if i == j or windows[i] & windows[j]) for i in range(40)]
    assert families(*melodies) == wanted
    assert 2 < len(set(wanted)) < 40


# Folk tunes


def test_no_family_of_folk_tunes_is_on_two_sides(folk):
    ids, _, family = folk
    table = folk_split()
    sides = {}
    for tune, head in zip(ids, family):
        sides.setdefault(head, set()).add(table.get(tune, "train"))
    assert all(len(side) == 1 for side in sides.values())
    sizes = Counter(family)
    assert sum(size for size in sizes.values() if size > 1) == 3842
    assert (len(sizes), max(sizes.values())) == (10_601, 22)


def test_the_committed_folk_split_is_the_one_the_library_makes(folk, monkeypatch):
    ids, pitches, family = folk
    monkeypatch.setattr(splits, "group_by_shared_run", lambda intervals: family)  # known already
    assert make_folk_split(ids, pitches) == read("folk_split.json")


def test_the_split_of_folk_tunes_is_a_hash_of_the_first_of_each_family(folk):
    ids, _, family = folk
    table = folk_split()
    for row in range(0, len(ids), 50):
        digest = int.from_bytes(hashlib.sha256(ids[family[row]].encode()).digest(), "big")
        assert table.get(ids[row], "train") == {0: "valid", 1: "test"}.get(digest % 10, "train")


def test_parts_of_the_folk_tunes_are_about_eight_one_and_one_tenth(folk):
    ids = folk[0]
    parts = {part: load_folk_tunes(part=part).column("id").tolist() for part in ("train", "valid", "test")}
    assert {part: len(tunes) for part, tunes in parts.items()} == {"train": 10_289, "valid": 1322, "test": 1284}
    assert sorted(tune for part in parts.values() for tune in part) == sorted(ids)
    assert len(set(ids)) == 12_895


def test_relatives_of_a_tune_follow_it_to_its_side():
    rng = np.random.default_rng(0)
    tunes = [rng.integers(50, 80, 30) for _ in range(40)]
    ids = [f"tune {number}" for number in range(80)]
    split = make_folk_split(ids, [*tunes, *(tune + 3 for tune in tunes)])  # each comes again, transposed
    for part in split.values():
        numbers = {int(name.split()[1]) for name in part}
        assert {(number + 40) % 80 for number in numbers} == numbers
    assert split["valid"]
    assert split["test"]


# Chorales


def test_the_tune_split_keeps_every_hymn_tune_on_one_side(tune_of):
    table = chorale_split("tune")
    sides = {}
    for name, side in table.items():
        sides.setdefault(tune_of[name], set()).add(side)
    assert all(len(side) == 1 for side in sides.values())
    assert len(sides) > 150
    assert [count_leaks(table, tune_of, part) for part in ("valid", "test")] == [(0, 54), (0, 54)]


def test_the_benchmarks_split_leaks_about_half_of_its_hymn_tunes(tune_of):
    table = chorale_split("jsb")
    assert [count_leaks(table, tune_of, part) for part in ("valid", "test")] == [(37, 75), (47, 76)]
    clean = set(load_chorales().column("id"))  # of the 365 clean scores only
    assert [count_leaks(table, tune_of, part, clean) for part in ("valid", "test")] == [(31, 67), (42, 69)]


def test_every_clean_chorale_has_a_side_of_the_tune_split_and_341_of_the_benchmarks():
    ids = load_chorales().column("id").tolist()
    assert sorted(chorale_split("tune")) == sorted(ids)
    assert Counter(chorale_split("jsb").values()) == {"train": 224, "valid": 75, "test": 76}
    sizes = {
        split: [len(load_chorales(split, part)) for part in ("train", "valid", "test")] for split in ("tune", "jsb")
    }
    assert sizes == {"tune": [257, 54, 54], "jsb": [205, 67, 69]}


# Faults


def test_an_unknown_split_or_part_is_named():
    with pytest.raises(MusegenError, match="split 'random' is unknown; use 'tune' or 'jsb'"):
        load_chorales("random")
    for load in (load_chorales, load_folk_tunes):
        with pytest.raises(MusegenError, match="part 'dev' is unknown; use one of train, valid, test"):
            load(part="dev")


def test_a_data_folder_of_ones_own_needs_no_split_files(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSEGEN_DATA", str(tmp_path))
    assert len(folk_split()) == 1322 + 1284


@pytest.mark.parametrize("content", [b"{", b"\xff"])
def test_a_broken_split_file_is_named(tmp_path, monkeypatch, content):
    monkeypatch.setenv("MUSEGEN_DATA", str(tmp_path))
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "folk_split.json").write_bytes(content)
    with pytest.raises(MusegenError, match=r"folk_split\.json: the split file is missing or unreadable"):
        folk_split()
