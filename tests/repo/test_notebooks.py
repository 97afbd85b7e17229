"""Every notebook keeps the rules of tests/helpers/notebook_checks.py, and each rule catches one that breaks it."""

import base64
import io
from pathlib import Path

import nbformat
import notebook_checks as checks
import numpy as np
import pytest
import soundfile
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))  # by glob: a list would forget the next lesson
KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}


def read(path):
    return nbformat.read(path, as_version=4)


def test_there_is_at_least_one_notebook():
    assert NOTEBOOKS, "notebooks/ holds no .ipynb: the course begins with 00_first_music.ipynb"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_the_notebook_keeps_to(check, path):
    assert check(read(path)) == [], check.__doc__


def player(seconds=1.0, peak=0.5):
    """Return an output with an MP3 of a sine."""
    time = np.arange(int(22050 * seconds)) / 22050
    file = io.BytesIO()
    soundfile.write(file, peak * np.sin(2 * np.pi * 440 * time), 22050, format="MP3")
    payload = base64.b64encode(file.getvalue()).decode()
    return shown({"text/html": f'<audio controls src="data:audio/mpeg;base64,{payload}"></audio>', "text/plain": "A4"})


def shown(data):
    return new_output("display_data", data=data)


def code(source, *outputs, tags=(), count=1, **metadata):
    cell = new_code_cell(source, execution_count=count, metadata={**({"tags": list(tags)} if tags else {}), **metadata})
    cell.outputs = list(outputs)
    return cell


def words(text="We hear one A of a second, and see that nothing else is in the bar."):
    return new_markdown_cell(text)


def notebook(*cells, **metadata):
    return new_notebook(cells=list(cells), metadata={"kernelspec": KERNELSPEC, **metadata})


def twins():
    """Return a notebook in which two cells have one id; nbformat would mend it while building."""
    both = notebook(words(), words())
    both.cells[1].id = both.cells[0].id
    return both


def test_a_good_notebook_passes_every_check():
    figure = shown({"image/png": "iVBORw0KGgo=", "text/plain": "A falling line from C5 to C4"})
    good = notebook(
        words("# A good lesson on one note"),
        code("listen(piece)", player(), count=1),
        words(),
        code("show(fig, alt='...')", figure, count=2),
        words(),
        code("fit(model)", tags=["nbval-ignore-output"], count=3),
        code("assert loss < 2", tags=["proof"], count=4),
        code("assert loss < 1\nprint('below 1: True')", new_output("stream", text="below 1: True\n"), count=5),
        words(),
        code("raise NotImplementedError", tags=["exercise", "raises-exception"], count=6),
        words(),
        code("answer = 60", tags=["solution"], count=7),
        words(),
    )
    assert [fault for check in checks.CHECKS for fault in check(good)] == []


BROKEN = {
    "an old format": (checks.faults_of_form, "older than 4.5", lambda: notebook(words()) | {"nbformat_minor": 4}),
    "another kernel": (checks.faults_of_form, "kernelspec", lambda: notebook(kernelspec={**KERNELSPEC, "name": "ir"})),
    "widget state": (checks.faults_of_form, "metadata.widgets", lambda: notebook(widgets={"state": {}})),
    "two cells with one id": (
        checks.faults_of_form,
        "not valid",
        twins,
    ),
    "cells out of order": (checks.faults_of_execution, "count 7", lambda: notebook(code("x = 1", count=7))),
    "a cell never run": (checks.faults_of_execution, "count None", lambda: notebook(code("x = 1", count=None))),
    "an error": (
        checks.faults_of_execution,
        "ends in KeyError",
        lambda: notebook(code("x", new_output("error", ename="KeyError", evalue="", traceback=[]))),
    ),
    "a value without output": (checks.faults_of_execution, "no output", lambda: notebook(code("x = 1\nx"))),
    "a player without output": (checks.faults_of_execution, "no output", lambda: notebook(code("listen(x)"))),
    "a huge file": (checks.faults_of_size, "the budget is", lambda: notebook(words("la " * 600_000))),
    "no player": (checks.faults_of_players, "no player", lambda: notebook(words())),
    "a silent player": (checks.faults_of_players, "silent", lambda: notebook(code("x", player(peak=0.001)))),
    "a long player": (checks.faults_of_players, "14.0 s", lambda: notebook(code("x", player(seconds=14)))),
    "a broken player": (
        checks.faults_of_players,
        "cannot be decoded",
        lambda: notebook(code("x", shown({"text/html": '<audio src="data:audio/mpeg;base64,AAAA">'}))),
    ),
    "a figure without words": (
        checks.faults_of_figures,
        "alt text",
        lambda: notebook(code("x", shown({"image/png": "iVBO", "text/plain": "<Figure size 640x480 with 1 Axes>"}))),
    ),
    "a script": (
        checks.faults_of_outputs,
        "script",
        lambda: notebook(code("x", shown({"text/html": "<script>go()</script>"}))),
    ),
    "a picture from elsewhere": (
        checks.faults_of_outputs,
        "loads from the network",
        lambda: notebook(code("x", shown({"text/html": '<img src="https://example.org/a.png">'}))),
    ),
    "a player that starts": (
        checks.faults_of_outputs,
        "starts by itself",
        lambda: notebook(code("x", shown({"text/html": "<audio controls autoplay>"}))),
    ),
    "a call that starts a player": (
        checks.faults_of_outputs,
        "starts by itself",
        lambda: notebook(code("Audio(x, autoplay=True)")),
    ),
    "a path in the source": (
        checks.faults_of_paths,
        "holds the path",
        lambda: notebook(code(f"open('{Path('/', 'home', 'me', 'song.mid').as_posix()}')")),
    ),
    "a path in an output": (
        checks.faults_of_paths,
        "holds the path",
        lambda: notebook(code("x", new_output("stream", text="saved C:" + r"\Users\me\song.mid"))),
    ),
    "a long cell": (checks.faults_of_length, "26 lines", lambda: notebook(code("x = 1\n" * 26), code("x"), code("y"))),
    "long cells": (checks.faults_of_length, "median", lambda: notebook(code("x = 1\n" * 9))),
    "too few words": (checks.faults_of_prose, "words of prose", lambda: notebook(code("x = 1"), words("One A."))),
    "too many words": (checks.faults_of_prose, "words of prose", lambda: notebook(code("x"), words("la " * 16))),
    "code without words": (
        checks.faults_of_prose,
        "followed by prose",
        lambda: notebook(code("x"), code("y"), words("la " * 12)),
    ),
    "an exercise without solution": (
        checks.faults_of_exercises,
        "cell 2 is an exercise",
        lambda: notebook(code("a", tags=["solution"]), code("b", tags=["exercise"])),
    ),
    "two exercises and one solution": (
        checks.faults_of_exercises,
        "cell 1 is an exercise",
        lambda: notebook(code("a", tags=["exercise"]), code("b", tags=["exercise"]), code("c", tags=["solution"])),
    ),
    "an ignored output and no assert": (
        checks.faults_of_ignored_outputs,
        "cell 1 is tagged",
        lambda: notebook(code("fit()", tags=["nbval-ignore-output"]), words("## Next"), code("assert True")),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_check_catches(name):
    check, fault, build = BROKEN[name]
    assert any(fault in line for line in check(nbformat.from_dict(build()))), check(nbformat.from_dict(build()))


def test_sounds_in_base64_are_not_read_as_paths():
    payload = "A" * 50 + Path("/", "tmp", "x").as_posix() + "B" * 50
    assert checks.faults_of_paths(notebook(code("x", shown({"text/html": f"data:audio/mpeg;base64,{payload}"})))) == []
