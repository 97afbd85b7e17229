"""The student version of every lesson runs to its end; an exercise may stop, and only for want of an answer.

`make notebook-test` runs the same cells with the solutions in; so no cell may need what an exercise or a solution
defines, which is read from the code here. With `make student-test` whole lessons run, next to copies of what stands
beside them, so that their relative paths lead where they should.
"""

import ast
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from notebook_checks import numbered, parse, tags

from musegen_lib.core.errors import MusegenError
from musegen_lib.lessons.notebooks import execute, student_version

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = [  # without exercises the student version is the notebook itself, which nbval runs
    path for path in sorted((ROOT / "notebooks").glob("*.ipynb")) if '"exercise"' in path.read_text(encoding="utf-8")
]
BESIDE = ("data", "book", "README.md")  # what a lesson may reach by a relative path
SECONDS_A_CELL = 180


def lay_out(root, out):
    """Write a clone in which only notebooks/ is new; a system without links lays out that folder alone."""
    shutil.copytree(root / "notebooks", out / "notebooks", ignore=shutil.ignore_patterns("out", ".*", "*.ipynb"))
    for name in BESIDE:
        if (root / name).exists():
            try:
                (out / name).symlink_to(root / name, target_is_directory=(root / name).is_dir())
            except OSError:  # Windows asks for a privilege
                continue
    return out / "notebooks"


def run_student_version(path, folder):
    """Run the student version of a notebook in a folder; return one line for each error that is not allowed."""
    out = student_version(path, folder / path.name)
    notebook = nbformat.read(out, as_version=4)
    exercises = [cell.id for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.id in exercises:
            cell.metadata["tags"] = [*cell.metadata["tags"], "raises-exception"]  # go on, and look at it below
    nbformat.write(notebook, out)
    try:
        execute(out, timeout=SECONDS_A_CELL)
    except MusegenError as error:
        return [str(error)]
    cells = [cell for cell in nbformat.read(out, as_version=4).cells if cell.id in exercises]
    errors = [(cell, output) for cell in cells for output in cell.outputs if output.output_type == "error"]
    wrong = [(cell, output) for cell, output in errors if output.ename != "NotImplementedError"]
    return [f"{path.name}, exercise {cell.source!r:.60}: {output.ename}: {output.evalue}" for cell, output in wrong]


SCOPES = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bound(tree, inside=True):
    """Names that code binds; not inside: those that the cells after it see."""
    names, left = imported(tree), list(ast.iter_child_nodes(tree))
    for node in left:  # grows as it goes
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.arg):
            names.add(node.arg)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        if inside or not isinstance(node, SCOPES):
            left += ast.iter_child_nodes(node)
    return names


def imported(tree):
    """Names that code imports."""
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {(alias.asname or alias.name).partition(".")[0] for node in imports for alias in node.names}


def needs_of_answers(notebook):
    """One line for each cell that reads a name which an exercise or a solution above it binds."""
    answers, faults = set(), []
    for where, cell in numbered(notebook):
        tree = parse(cell)
        if "solution" in tags(cell):
            answers |= bound(tree, inside=False)
        elif "exercise" in tags(cell):
            answers |= bound(tree, inside=False) - imported(tree)  # imports stand above what stops
        else:
            loaded = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - bound(tree)
            faults += [f"{where} needs {name}, which an answer binds" for name in sorted(loaded & answers)]
            answers -= bound(tree, inside=False)
    return faults


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_needs_what_an_answer_binds(path):
    assert needs_of_answers(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize(
    ("cells", "faults"),
    [
        ([("def fifth(pitch): ...", ["exercise"]), ("fifth(60)", [])], ["In [2] needs fifth, which an answer binds"]),
        ([("scale = [0]", ["solution"]), ("scale[0]", [])], ["In [2] needs scale, which an answer binds"]),
        ([("def f(x):\n    return x", ["solution"]), ("x = 1\nprint(x)", []), ("x", [])], []),
        ([("import numpy as np\nx = 1", ["exercise"]), ("np.ones(2)", [])], []),
        ([("x = 1", ["solution"]), ("x = 2\nx + 1", []), ("scale = 1", []), ("scale", [])], []),
        ([("scale = 1", []), ("scale", []), ("scale = 2", ["solution"])], []),
    ],
)
def test_a_cell_that_needs_an_answer_is_told(cells, faults, tmp_path):
    path = write_lesson(tmp_path / "nb.ipynb", *cells)
    assert needs_of_answers(nbformat.read(path, as_version=4)) == faults


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_student_version_of_the_lesson_runs_to_its_end(path, tmp_path):
    assert run_student_version(path, lay_out(ROOT, tmp_path)) == []


def write_lesson(path, *cells):
    """Write a notebook of (source, tags) pairs."""
    made = [new_code_cell(source, metadata={"tags": list(tags)}) for source, tags in cells]
    nbformat.write(new_notebook(cells=made), path)
    return path


STUB = "def fifth(pitch):\n    raise NotImplementedError"
ANSWER = "def fifth(pitch):\n    return pitch + 7"


def test_an_exercise_may_stop_for_want_of_an_answer_and_the_lesson_goes_on(tmp_path):
    cells = [(f"{STUB}\n\n\nfifth(60)", ["exercise"]), (ANSWER, ["solution"]), ("open('ran.txt', 'w').close()", [])]
    (tmp_path / "student").mkdir()
    assert run_student_version(write_lesson(tmp_path / "nb.ipynb", *cells), tmp_path / "student") == []
    assert (tmp_path / "student" / "ran.txt").exists()


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([(STUB, ["exercise"]), (ANSWER, ["solution"]), ("fifth(60)", [])], r"cell \[2\]: NotImplementedError"),
        ([("scale = [0]", ["solution"]), ("scale[0]", [])], r"cell \[1\]: NameError"),
        ([("{}['tonic']", ["exercise"]), ("7", ["solution"])], "exercise .*: KeyError: 'tonic'"),
    ],
    ids=["a lesson that needs an answer", "a lesson that needs a solution", "an exercise that fails otherwise"],
)
def test_a_student_version_that_cannot_run_is_caught(cells, fault, tmp_path):
    (tmp_path / "student").mkdir()
    faults = run_student_version(write_lesson(tmp_path / "nb.ipynb", *cells), tmp_path / "student")
    assert len(faults) == 1
    assert re.search(fault, faults[0]), faults


def test_relative_paths_lead_beside_the_notebook_and_to_the_clone(tmp_path):
    (tmp_path / "clone" / "notebooks" / "out").mkdir(parents=True)
    (tmp_path / "clone" / "notebooks" / "tune.txt").write_text("C D E")
    (tmp_path / "clone" / "README.md").write_text("Read me")
    (tmp_path / "student").mkdir()
    folder = lay_out(tmp_path / "clone", tmp_path / "student")
    cells = [("assert open('tune.txt').read() and open('../README.md').read()", [])]
    assert run_student_version(write_lesson(tmp_path / "clone" / "notebooks" / "nb.ipynb", *cells), folder) == []
    assert not (folder / "out").exists()
