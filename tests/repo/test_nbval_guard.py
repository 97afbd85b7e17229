"""The notebook lane: the four mends of tests/nbval_guard.py, and the rules of tests/nbval_sanitize.cfg."""

import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbval.plugin import get_sanitize_patterns

ROOT = Path(__file__).resolve().parents[2]
SANITIZE = (ROOT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8")
LANE = ["-p", "tests.nbval_guard", "@tests/nbval_options.txt"]


def write_lesson(path, sources, outputs=()):
    """Write a notebook that seems to have been run."""
    cells = [new_code_cell(source, execution_count=n + 1) for n, source in enumerate(sources)]
    for cell, output in zip(cells, outputs, strict=False):
        cell.outputs = output
    nbformat.write(new_notebook(cells=cells), path)


def run_lane(path, sources, *options, outputs=()):
    """Write a notebook, run the notebook lane over it as `make test` does; return (report, seconds)."""
    write_lesson(path, sources, outputs)
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "--rootdir=.", *LANE, "-rs", *options, str(path)]
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr, time.monotonic() - started


def result(text, name="stdout"):
    return [new_output("stream", name=name, text=text)]


def sanitize(text):
    for regex, replacement in get_sanitize_patterns(SANITIZE):
        text = re.sub(regex, replacement, text)
    return text


def test_a_dead_kernel_is_noticed_at_once(tmp_path):
    report, seconds = run_lane(tmp_path / "dead.ipynb", ["x = 1", "import os; os._exit(1)", "y = 1"])
    assert "the kernel died while this cell ran" in report
    assert "1 failed, 1 passed, 1 skipped" in report
    assert seconds < 60  # the cell timeout alone is 180


def test_a_kernel_that_dies_at_its_start_is_started_again(tmp_path):
    first = "import os; os.remove(__file__); os._exit(1)"
    (tmp_path / "ipykernel_launcher.py").write_text(first)  # `python -m` looks into the folder of the notebook first
    report, _ = run_lane(tmp_path / "fine.ipynb", ["x = 1"])
    assert "1 passed" in report
    assert not (tmp_path / "ipykernel_launcher.py").exists()


def test_the_cells_below_a_failed_one_are_skipped(tmp_path):
    report, _ = run_lane(tmp_path / "fail.ipynb", ["x = 1", "1 / 0", "y = 1", "z = 1"])
    assert "1 failed, 1 passed, 2 skipped" in report
    assert "an earlier cell failed (Cell 1)" in report


def test_a_cell_longer_than_a_slice_of_the_wait_passes_and_one_beyond_the_timeout_fails(tmp_path):
    report, _ = run_lane(tmp_path / "slow.ipynb", ["import time; time.sleep(1.5)"])
    assert "1 passed" in report
    report, seconds = run_lane(tmp_path / "slow.ipynb", ["import time; time.sleep(50)"], "--nbval-cell-timeout=2")
    assert "Timeout of 2 seconds exceeded" in report
    assert seconds < 45


def test_outputs_are_compared_after_the_rules_are_applied(tmp_path):
    stored = [result("<object at 0x7f00aa00bb00>\n"), result("4\n")]
    report, _ = run_lane(
        tmp_path / "same.ipynb", ["print('<object at 0x7fffffffffff>')", "print(2 + 3)"], outputs=stored
    )
    assert "1 failed, 1 passed" in report
    assert "Cell outputs differ" in report


def test_all_lessons_run_and_the_last_line_counts_them(tmp_path):
    write_lesson(tmp_path / "02_good.ipynb", ["x = 1"])
    report, _ = run_lane(tmp_path / "01_bad.ipynb", ["1 / 0", "x = 1"], str(tmp_path))
    assert report.splitlines()[-1] == "1 lesson passed, 1 failed: 01_bad"


def test_two_processes_count_together_and_a_lesson_that_cannot_be_read_has_failed(tmp_path):
    write_lesson(tmp_path / "01_bad.ipynb", ["1 / 0"])
    write_lesson(tmp_path / "02_good.ipynb", ["x = 1"])
    on_two = [str(tmp_path), "-n", "2", "--dist", "loadfile", f"--rootdir={tmp_path}"]
    report, _ = run_lane(tmp_path / "03_fine.ipynb", ["x = 1"], *on_two)
    assert report.splitlines()[-1] == "2 lessons passed, 1 failed: 01_bad"
    (tmp_path / "01_bad.ipynb").write_text("{")
    report, _ = run_lane(tmp_path / "03_fine.ipynb", ["x = 1"], *on_two)
    assert "failed: 01_bad" in report.splitlines()[-1]


def test_every_rule_written_is_a_rule_loaded():
    assert len(get_sanitize_patterns(SANITIZE)) == SANITIZE.count("\nregex: ") == SANITIZE.count("\nreplace: ") == 3


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ('<audio src="data:audio/mpeg;base64,SUQzBAA+/w==">', '<audio src="data:audio/mpeg;base64,SOUND">'),
        ("<Player object at 0x7f12ab34cd56>", "<Player object at ADDRESS>"),
        ("done: 12/12 [00:03<00:00,  3.91it/s, loss=1.20]", "done: 12/12 [TIME, loss=1.20]"),
        ("slow: 2/2 [01:03<00:00, 31.5s/it]", "slow: 2/2 [TIME]"),
        ("bars 8 [A minor], 0x3 and 12.3 s", "bars 8 [A minor], 0x3 and 12.3 s"),
    ],
)
def test_a_rule_takes_what_varies_and_leaves_the_rest(text, cleaned):
    assert sanitize(text) == cleaned
