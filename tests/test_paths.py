import os
import subprocess
import sys
from pathlib import Path

import pytest

from musegen_lib import paths
from musegen_lib.paths import data_dir, replacing


def write_half(path, stop):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise stop


def test_data_lie_beside_the_package_unless_the_user_chose_a_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("MUSEGEN_DATA", raising=False)
    assert data_dir() == Path(paths.__file__).parents[1] / "data"
    assert (data_dir() / "splits").is_dir()
    monkeypatch.setenv("MUSEGEN_DATA", str(tmp_path))
    assert data_dir() == tmp_path
    monkeypatch.setenv("MUSEGEN_DATA", "")
    assert data_dir().name == "data"


def test_a_file_is_replaced_and_its_folder_made(tmp_path):
    path = tmp_path / "a" / "b.txt"
    for text in ("first", "second"):
        with replacing(path) as temporary:
            assert temporary.parent == path.parent
            temporary.write_text(text)
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_stop_while_writing_leaves_the_old_file_and_no_other(tmp_path, stop):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(stop):
        write_half(path, stop)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_stop_while_writing_a_new_file_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="disk full"):
        write_half(tmp_path / "a.txt", OSError("disk full"))
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"


def test_writing_nothing_is_an_error_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(FileNotFoundError, match=r"\.a\.txt\.\d+\.tmp"), replacing(path):
        pass
    assert path.read_text() == "old"


def test_a_killed_writer_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    writer = (
        "import os, pathlib, sys; from musegen_lib.paths import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half'); os._exit(9)"
    )
    run = subprocess.run([sys.executable, "-c", writer, str(path)], check=False)
    assert run.returncode == 9
    assert path.read_text() == "old"
    with replacing(path) as temporary:  # what it left behind does not stand in the way
        temporary.write_text("new")
    assert path.read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_of_the_old_file_are_kept_and_a_new_one_gets_the_usual(tmp_path):
    old, new, usual = tmp_path / "old", tmp_path / "new", tmp_path / "usual"
    old.touch()
    old.chmod(0o640)
    usual.touch()
    for path in (old, new):
        with replacing(path) as temporary:
            temporary.write_text("x")
    assert old.stat().st_mode & 0o777 == 0o640
    assert new.stat().st_mode == usual.stat().st_mode
