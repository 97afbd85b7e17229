import os
import subprocess
import sys
from pathlib import Path

import pytest

from musegen_lib.core import paths
from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import check_place, check_writable, committed, data_dir, replacing


def write_half(path, stop):
    with replacing(path) as temporary:
        temporary.write_text("half")
        raise stop


def test_data_lie_beside_the_package_unless_the_user_chose_a_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("MUSEGEN_DATA", raising=False)
    assert data_dir() == Path(paths.__file__).parents[2] / "data"
    assert (data_dir() / "splits").is_dir()
    monkeypatch.setenv("MUSEGEN_DATA", str(tmp_path))
    assert data_dir() == tmp_path
    monkeypatch.setenv("MUSEGEN_DATA", "")
    assert data_dir().name == "data"


def test_a_package_without_its_clone_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.delenv("MUSEGEN_DATA", raising=False)
    monkeypatch.setattr(paths, "COURSE", tmp_path)
    with pytest.raises(MusegenError, match=r"data/splits/folk_split.json is missing: .*clone.*`pip install -e \.`"):
        committed("splits/folk_split.json")


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
    with pytest.raises(FileNotFoundError, match=r"/a\.txt"), replacing(path):
        pass
    assert path.read_text() == "old"


def test_a_killed_writer_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    writer = (
        "import os, pathlib, sys; from musegen_lib.core.paths import replacing\n"
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


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_what_is_no_file_is_refused_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for place in (pipe, Path(os.devnull), tmp_path):
        for write in (check_writable, lambda place: write_half(place, RuntimeError)):
            with pytest.raises(MusegenError, match="is a folder, a device or a pipe, not a file; name a file to write"):
                write(place)
    assert pipe.is_fifo()
    assert not Path(os.devnull).is_file()


def test_a_place_to_write_is_tried_before_the_work_and_left_as_it_was(tmp_path):
    path = tmp_path / "a" / "net.safetensors"
    check_writable(path)
    assert list(path.parent.iterdir()) == []
    path.write_text("mine")
    check_writable(path)
    assert path.read_text() == "mine"
    with pytest.raises(FileExistsError, match=r"net\.safetensors"):
        check_writable(path / "deeper")


def test_a_place_is_looked_at_before_the_work_and_nothing_is_made(tmp_path, monkeypatch):
    check_place(tmp_path / "a" / "b" / "tune.mid")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").touch()
    with pytest.raises(NotADirectoryError, match=r"mine/deeper"):
        check_place(tmp_path / "mine" / "deeper" / "tune.mid")
    monkeypatch.setattr(os, "access", lambda place, mode: False)  # as of a read-only folder; tests may run as root
    with pytest.raises(PermissionError, match=tmp_path.name):
        check_place(tmp_path / "tune.mid")


def test_a_fault_of_the_temporary_file_names_the_file_that_was_asked_for(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "a.txt") as temporary:
        temporary.read_bytes()
    assert caught.value.filename == str(tmp_path / "a.txt")


def test_what_killed_writers_left_is_swept_away_once_it_is_old(tmp_path):
    path = tmp_path / "a[1].txt"
    old, fresh, other = (tmp_path / name for name in (".a[1].txt.77.tmp", ".a[1].txt.88.tmp", ".b.txt.77.tmp"))
    for left in (old, fresh, other):
        left.touch()
    for left in (old, other):
        os.utime(left, (0, 0))
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert {left.name for left in tmp_path.iterdir()} == {path.name, fresh.name, other.name}
