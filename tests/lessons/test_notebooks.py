"""Tests of musegen_lib.lessons.notebooks on small notebooks made on the spot."""

import os
import stat

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from musegen_lib.core.errors import MusegenError
from musegen_lib.lessons.notebooks import execute, student_version


def write_notebook(path, cells):
    notebook = new_notebook(cells=cells)
    notebook.metadata = {"widgets": {"state": 1}, "kernelspec": {"name": "other", "display_name": "x"}, "author": "me"}
    nbformat.write(notebook, path)
    return path


def read_notebook(path):
    return nbformat.read(path, as_version=4)


def test_execute_runs_in_the_folder_of_the_notebook_and_stores_outputs_in_order(tmp_path):
    (tmp_path / "hello.txt").write_text("C major")
    cells = [new_code_cell("text = open('hello.txt').read()"), new_markdown_cell("Words."), new_code_cell("text")]
    path = write_notebook(tmp_path / "nb.ipynb", cells)
    assert 0 < execute(path) < 60
    first, _, last = read_notebook(path).cells
    assert (first.execution_count, last.execution_count) == (1, 2)
    assert last.outputs[0].data["text/plain"] == "'C major'"


def test_a_second_run_changes_no_byte_and_the_mode_of_the_file_stays(tmp_path):
    cells = [new_code_cell("print(1)\nprint(2)", metadata={"collapsed": True, "tags": ["keep"]})]
    path = write_notebook(tmp_path / "nb.ipynb", cells)
    path.chmod(0o640)
    execute(path)
    once = path.read_bytes()
    execute(path)
    assert path.read_bytes() == once
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 or os.name == "nt"
    assert [entry.name for entry in tmp_path.iterdir()] == ["nb.ipynb"]


def test_execute_keeps_only_the_metadata_that_people_write(tmp_path):
    alt = {"image": {"alt": "two bars in C"}}
    cells = [new_code_cell("1", metadata={"collapsed": True, "tags": ["keep"], "mystnb": alt})]
    path = write_notebook(tmp_path / "nb.ipynb", cells)
    execute(path)
    notebook = read_notebook(path)
    assert notebook.cells[0].metadata == {"tags": ["keep"], "mystnb": alt}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info == {"name": "python"}


def test_a_proof_is_folded_for_those_who_learn(tmp_path):
    path = write_notebook(tmp_path / "nb.ipynb", [new_code_cell("assert True", metadata={"tags": ["proof"]})])
    execute(path)
    metadata = read_notebook(path).cells[0].metadata
    assert metadata["tags"] == ["proof", "remove-cell"]
    assert metadata["jupyter"] == {"source_hidden": True, "outputs_hidden": True}


def test_a_failing_cell_is_told_in_one_line_and_leaves_the_file_as_it_was(tmp_path):
    cells = [new_markdown_cell("Words."), new_code_cell("1"), new_code_cell("raise KeyError('no such chord')")]
    path = write_notebook(tmp_path / "nb.ipynb", cells)
    before = path.read_bytes()
    with pytest.raises(MusegenError, match=r"nb\.ipynb, cell \[2\]: KeyError: .*no such chord.*$") as error:
        execute(path)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == before


def test_a_cell_that_should_fail_may_fail(tmp_path):
    cells = [new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}), new_code_cell("'after'")]
    path = write_notebook(tmp_path / "nb.ipynb", cells)
    execute(path)
    assert [cell.outputs[0].output_type for cell in read_notebook(path).cells] == ["error", "execute_result"]


def test_a_dead_kernel_and_a_slow_cell_are_told_in_one_line(tmp_path):
    dead = write_notebook(tmp_path / "dead.ipynb", [new_code_cell("1"), new_code_cell("import os; os._exit(1)")])
    with pytest.raises(MusegenError, match=r"dead\.ipynb, cell \[2\]: the kernel died"):
        execute(dead)
    slow = write_notebook(tmp_path / "slow.ipynb", [new_code_cell("import time; time.sleep(60)")])
    with pytest.raises(MusegenError, match=r"slow\.ipynb, cell \[1\]: took longer than 1 s"):
        execute(slow, timeout=1)


def dying_kernel(folder, times):
    """Kernels that start in this folder die at once, the first so many times."""
    left = folder / "left.txt"
    left.write_text(str(times))
    code = f"""
import os, runpy, sys
from pathlib import Path
left = Path({str(left)!r})
if int(left.read_text()) > 0:
    left.write_text(str(int(left.read_text()) - 1))
    os._exit(1)
sys.path[:] = [folder for folder in sys.path if folder not in ("", {str(folder)!r})]
runpy.run_module("ipykernel_launcher", run_name="__main__")
"""
    (folder / "ipykernel_launcher.py").write_text(code)  # `python -m` looks into the folder of the notebook first


def test_a_kernel_that_dies_at_its_start_is_started_again_twice(tmp_path):
    path = write_notebook(tmp_path / "nb.ipynb", [new_code_cell("6 * 7")])
    dying_kernel(tmp_path, times=2)
    execute(path)
    assert read_notebook(path).cells[0].outputs[0].data["text/plain"] == "42"
    dying_kernel(tmp_path, times=3)
    with pytest.raises(MusegenError, match=r"nb\.ipynb: no kernel starts here \(.*died"):
        execute(path)


def test_a_missing_file_and_a_file_that_is_no_notebook_are_told_in_one_line(tmp_path):
    with pytest.raises(MusegenError, match=r"none\.ipynb: there is no such notebook"):
        execute(tmp_path / "none.ipynb")
    (tmp_path / "text.ipynb").write_text("do re mi")
    with pytest.raises(MusegenError, match=r"text\.ipynb: this is not a notebook"):
        execute(tmp_path / "text.ipynb")


def test_the_student_version_has_no_solutions_and_no_outputs(tmp_path):
    cells = [
        new_code_cell("2 + 2", execution_count=1),
        new_code_cell("raise NotImplementedError", metadata={"tags": ["exercise"]}),
        new_code_cell("answer = 1", metadata={"tags": ["solution"]}),
        new_markdown_cell("Because.", metadata={"tags": ["solution"]}),
    ]
    path = write_notebook(tmp_path / "nb.ipynb", cells)
    before = path.read_bytes()
    out = student_version(path, tmp_path / "students" / "nb.ipynb")
    notebook = read_notebook(out)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells] == ["2 + 2", "raise NotImplementedError"]
    assert all(cell.execution_count is None and not cell.outputs for cell in notebook.cells)
    assert path.read_bytes() == before


def test_the_student_version_never_overwrites_its_source(tmp_path):
    path = write_notebook(tmp_path / "nb.ipynb", [new_code_cell("1")])
    with pytest.raises(MusegenError, match="would overwrite the notebook"):
        student_version(path, path)
