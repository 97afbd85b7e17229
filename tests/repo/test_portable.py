"""make portable: what is compared, and that a disguise is one."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.portable import COMMANDS, DISGUISES, FAILED_CELL, LESSONS, _chosen, disguises, moved_files, wearable

ROOT = Path(__file__).resolve().parents[2]
X86 = pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="no x86 processor")


def test_moved_files_are_counted_and_the_first_is_named():
    plain = {"a.mid": "1", "b.mid": "2", "c.mid": "3"}
    assert moved_files(plain, dict(plain)) == ""
    assert moved_files(plain, {"a.mid": "1", "b.mid": "9", "c.mid": "8"}) == "2 of 3 files, first b.mid"
    assert moved_files(plain, {"a.mid": "1", "b.mid": "2"}) == "1 of 3 files, first c.mid"


def test_the_cell_that_moved_is_read_from_what_pytest_says():
    said = ".F.\nFAILED notebooks/06b_listeners.ipynb::Cell 3 - Notebook cell execution failed\n1 failed"
    assert FAILED_CELL.search(said)[1] == "Cell 3"


def test_an_unknown_name_is_told_what_there_is():
    assert _chosen("none", LESSONS, "lessons", LESSONS) == []
    assert _chosen(None, LESSONS, "lessons", LESSONS) == LESSONS
    with pytest.raises(SystemExit, match=r"lessons 07_opera: unknown; there are 00_first_music, "):
        _chosen("07_opera", LESSONS, "lessons", LESSONS)


def test_every_name_has_variables_and_every_model_a_command():
    assert set(disguises()) == set(DISGUISES)
    assert all(disguises().values())
    assert {"generate gan", "harmonise", "vary", "transfer snap", "recommend similar"} <= set(COMMANDS)


def test_without_vector_code_the_arithmetic_is_another_and_the_same_twice():
    command = [sys.executable, "-m", "tests.portable", "--bits"]
    worn = disguises()["oldest"]
    runs = [subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True) for env in _dressed(worn)]
    seals = [run.stdout for run in runs]
    assert seals[0] == seals[1]
    assert len(seals[0].strip()) == 64
    if platform.machine().lower() in ("x86_64", "amd64"):
        assert seals[2] != seals[0]


def _dressed(worn):
    plain = {**os.environ, "OMP_NUM_THREADS": "1"}
    return plain, plain, {**plain, **worn}


def test_a_broken_trial_does_not_pass_for_a_disguise_that_changes_nothing(monkeypatch):
    done = subprocess.CompletedProcess([], 1, stdout="", stderr="broken")
    monkeypatch.setattr("tests.portable._python", lambda *_: done)
    with pytest.raises(RuntimeError, match="could not be tried"):
        wearable(["avx2"])


@X86
def test_a_disguise_that_changes_no_bit_is_left_out_and_named(monkeypatch, capsys):
    monkeypatch.setattr("tests.portable.disguises", lambda: {"threads-2": {"OMP_NUM_THREADS": "1"}})
    assert wearable(["threads-2"]) == {}
    assert "threads-2: cannot be worn here, or changes no bit; left out" in capsys.readouterr().out


def test_on_another_kind_of_processor_only_threads_are_changed(monkeypatch, capsys):
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert wearable(["avx2", "oldest"]) == {}
    assert "arm64 is no x86 processor: only the number of threads can be changed" in capsys.readouterr().out
