import re
import subprocess
import sys
import time

import numpy as np
import pytest

from musegen_lib.core.errors import MusegenError
from musegen_lib.corpus import cache
from musegen_lib.corpus.cache import fingerprint, read_arrays, read_or_build, write_arrays

ARRAYS = {
    "pitch": np.array([60, 62, 64], dtype=np.uint8),
    "onset": np.arange(5, dtype=np.int32),
    "mark": np.array([[True, False], [False, True], [True, True]]),
    "title": np.frombuffer("Ä\nb".encode(), dtype=np.uint8),
    "none": np.zeros((0, 3), dtype=np.int16),
}


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "tunes.npz"
    write_arrays(file, ARRAYS)
    return file


def assert_same(found, wanted=ARRAYS):
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(found[name], array)


def test_arrays_come_back_with_their_types_and_shapes(path):
    assert_same(read_arrays(path))


def test_the_same_arrays_give_the_same_bytes_in_any_order_and_at_any_time(path, tmp_path, monkeypatch):
    later = time.time() + 1e6
    monkeypatch.setattr(time, "time", lambda: later)
    other = tmp_path / "other.npz"
    write_arrays(other, dict(reversed(ARRAYS.items())))
    assert other.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"pitch": np.array([60, 62, 65], dtype=np.uint8)},
        {"pitch": np.array([60, 62, 64], dtype=np.int8)},
        {"mark": ARRAYS["mark"].reshape(2, 3)},
        {"none": np.zeros((3, 0), dtype=np.int16)},
        {"more": np.zeros(0)},
    ],
)
def test_a_fingerprint_tells_values_types_shapes_and_names(change):
    assert fingerprint(ARRAYS | change) != fingerprint(ARRAYS)
    renamed = {name.replace("pitch", "pitches"): array for name, array in ARRAYS.items()}
    assert fingerprint(renamed) != fingerprint(ARRAYS)


def test_a_fingerprint_ignores_order_and_memory_layout():
    turned = ARRAYS | {"mark": np.asfortranarray(ARRAYS["mark"])}
    assert fingerprint(dict(reversed(turned.items()))) == fingerprint(ARRAYS)


def test_a_missing_file_says_what_to_run(tmp_path):
    with pytest.raises(MusegenError, match=r"^none\.npz: not built yet; run `musegen data build`$"):
        read_arrays(tmp_path / "none.npz")


@pytest.mark.parametrize("flip", [0x01, 0x08, 0x80, 0xFF])
def test_a_wrong_byte_is_noticed_or_harmless_wherever_it_is(path, flip):
    good = path.read_bytes()
    noticed = []
    for position in range(flip % 5, len(good), 5):
        bad = bytearray(good)
        bad[position] ^= flip
        path.write_bytes(bad)
        try:
            assert_same(read_arrays(path))  # such as a date in the zip file
        except MusegenError as fault:
            noticed.append(str(fault))
    assert len(noticed) > len(good) / 5 / 2
    assert all(re.fullmatch(r"tunes\.npz: damaged cache \(.*\); run `musegen data build`", line) for line in noticed)


def test_a_wrong_byte_in_the_notes_is_noticed(path):
    good = path.read_bytes()
    assert good.count(bytes([60, 62, 64])) == 1
    path.write_bytes(good.replace(bytes([60, 62, 64]), bytes([60, 62, 65])))
    with pytest.raises(MusegenError, match=r"tunes\.npz: damaged cache .*run `musegen data build`"):
        read_arrays(path)


def test_a_file_cut_short_is_noticed_wherever_it_is_cut(path):
    good = path.read_bytes()
    for length in range(0, len(good), 5):
        path.write_bytes(good[:length])
        with pytest.raises(MusegenError, match="damaged cache"):
            read_arrays(path)


def test_a_whole_zip_file_with_other_arrays_is_noticed(path):
    seal = np.frombuffer(bytes.fromhex(fingerprint(ARRAYS)), dtype=np.uint8)
    np.savez(path, seal=seal, **ARRAYS | {"onset": np.zeros(5, np.int32)})
    with pytest.raises(MusegenError, match="its fingerprint is wrong"):
        read_arrays(path)
    np.savez(path, **ARRAYS)
    with pytest.raises(MusegenError, match="its fingerprint is wrong"):
        read_arrays(path)


def test_a_pickle_is_never_opened(path):
    np.savez(path, seal=np.array([{"code": 1}], dtype=object))
    with pytest.raises(MusegenError, match=r"damaged cache .*allow_pickle=False"):
        read_arrays(path)


@pytest.mark.parametrize("stop", [OSError, KeyboardInterrupt])
def test_a_failure_while_writing_leaves_the_old_file(path, monkeypatch, stop):
    def half(file, **arrays):
        file.write(b"PK half")
        raise stop

    monkeypatch.setattr(cache.np, "savez", half)
    with pytest.raises(stop):
        write_arrays(path, {"pitch": np.zeros(3)})
    assert_same(read_arrays(path))
    assert list(path.parent.iterdir()) == [path]


def test_reading_a_good_file_builds_and_says_nothing(path):
    def build():
        raise AssertionError("not needed")

    assert_same(read_or_build(path, build, build))


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "tunes.npz: not built yet; building it now"), (b"noise", "tunes.npz: damaged cache .*; building it now")],
)
def test_a_missing_or_damaged_file_is_built_and_the_user_told(path, content, message):
    path.unlink()
    if content:
        path.write_bytes(content)
    said = []
    assert_same(read_or_build(path, lambda: ARRAYS, said.append))
    assert len(said) == 1
    assert re.fullmatch(message, said[0])
    assert_same(read_arrays(path))


def test_a_build_that_fails_keeps_the_damaged_file_as_it_was(path):
    path.write_bytes(b"noise")
    with pytest.raises(ZeroDivisionError):
        read_or_build(path, lambda: {"pitch": np.array([1 // 0])}, lambda line: None)
    assert path.read_bytes() == b"noise"


def test_two_processes_that_build_at_once_leave_a_good_file(tmp_path):
    builder = """
import pathlib, sys, time
import numpy as np
from musegen_lib.corpus.cache import read_arrays, read_or_build, write_arrays
folder = pathlib.Path(sys.argv[1])
arrays = {"pitch": np.arange(50_000) % 128}
(folder / f"ready{sys.argv[2]}").touch()
while len(list(folder.glob("ready?"))) < 2:
    time.sleep(0.001)
for turn in range(15):
    found = read_or_build(folder / f"{turn}.npz", lambda: arrays, lambda line: None)
    write_arrays(folder / "same.npz", arrays)
    assert np.array_equal(found["pitch"], arrays["pitch"])
    assert np.array_equal(read_arrays(folder / "same.npz")["pitch"], arrays["pitch"])
"""
    runs = [subprocess.Popen([sys.executable, "-c", builder, str(tmp_path), str(number)]) for number in range(2)]
    assert [run.wait(timeout=60) for run in runs] == [0, 0]
    files = sorted(tmp_path.glob("*.npz"))
    assert len(files) == 16
    for file in files:
        assert_same(read_arrays(file), {"pitch": np.arange(50_000) % 128})
    assert not list(tmp_path.glob("*.tmp"))
