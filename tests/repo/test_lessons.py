"""The lessons rebuilt for the learner keep to tests/helpers/lesson_checks.py, and each check catches a fault."""

from pathlib import Path

import lesson_checks as checks
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
TO_BE_REBUILT = {  # shrinks with every lesson
    "03_vae",
    "05_style_transfer",
    "06_recommendation",
    "06b_listeners",
}
REBUILT = [path for path in sorted(FOLDER.glob("[0-9]*.ipynb")) if path.stem not in TO_BE_REBUILT]


@pytest.mark.parametrize("path", REBUILT, ids=lambda path: path.stem)
@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_the_lesson_keeps_to(check, path):
    assert check(nbformat.read(path, as_version=4)) == [], check.__doc__


def lesson(text, *cells):
    return new_notebook(cells=[new_markdown_cell(text), *cells])


def code(source, *tags):
    return new_code_cell(source, metadata={"tags": list(tags)})


def recording(name, value):
    note = {"musegen_record": {"kind": "value", "name": name, "value": value}}
    cell = code("record(...)", "proof")
    cell.outputs = [new_output("display_data", {"text/plain": name}, metadata=note)]
    return cell


SENTENCE = "The network needs fewer nats per note than the chain of order four does. "
GOOD = "# A lesson\n\nIt takes 5 minutes, and it is about one network that counts the notes.\n\n"


def test_a_good_lesson_passes_every_check():
    text = GOOD + SENTENCE * 9 + "It needs 2.86<!-- =nats --> nats per note and keeps 93 %<!-- =kept --> of the notes."
    good = lesson(text, code("x = 1"), recording("nats", "2.861"), recording("kept", "0.93"))
    assert [fault for check in checks.CHECKS for fault in check(good)] == []


BROKEN = {
    "no minutes": (checks.faults_of_minutes, "write '5 minutes'", lesson("# A lesson")),
    "wrong minutes": (checks.faults_of_minutes, "write '20 minutes'", lesson("10 minutes. " + "la " * 2600)),
    "two hours": (checks.faults_of_minutes, "at most 60", lesson("120 minutes " + "la " * 15_600)),
    "many cells": (checks.faults_of_measure, "61 cells", lesson("x", *[code("x") for _ in range(60)])),
    "much code": (checks.faults_of_measure, "201 lines", lesson("x", code("x\n" * 201))),
    "many words": (checks.faults_of_measure, "2,501 words", lesson("la " * 2501)),
    "a wide line": (checks.faults_of_measure, "89 columns", lesson("x", code("x" * 89))),
    "a bare number": (checks.faults_of_numbers, "2.86 names no", lesson("It needs 2.86 nats.")),
    "a number of no name": (
        checks.faults_of_numbers,
        "nothing of the name",
        lesson("It needs 2.9<!-- =nats --> nats."),
    ),
    "a number that moved": (
        checks.faults_of_numbers,
        "recorded is 2.861",
        lesson("It needs 2.85<!-- =nats --> nats.", recording("nats", "2.861")),
    ),
    "a share that moved": (
        checks.faults_of_numbers,
        "recorded is 0.93",
        lesson("It keeps 92 %<!-- =kept --> of them.", recording("kept", "0.93")),
    ),
    "maxims": (checks.faults_of_style, "under 7 words", lesson(SENTENCE + "Forms rule. Ears decide.")),
    "colons": (checks.faults_of_style, "colons", lesson(SENTENCE + "There is one thing to say of it: a chain counts.")),
    "a code": (
        checks.faults_of_style,
        "codes of the ledger",
        lesson(SENTENCE + "This is what row C4 of the ledger says."),
    ),
    "a homely word": (checks.faults_of_wording, "write fix", lesson("We mended the net.")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_check_catches(name):
    check, fault, notebook = BROKEN[name]
    assert any(fault in line for line in check(notebook)), check(notebook)


def test_lines_of_proof_and_of_solutions_are_not_counted_those_of_exercises_are():
    hidden = lesson("x", code("x\n" * 300, "proof"), code("x\n" * 300, "solution"))
    assert (checks.code_lines(hidden), checks.code_lines(lesson("x", code("x\n" * 7, "exercise")))) == (0, 7)


def test_words_of_headings_tables_and_formulas_are_counted():
    text = "# Two words\n\n| a | b |\n|---|---|\n\nA [link](https://example.org/long) of $x + y$ parts <!-- no -->"
    assert checks.words_of(text) == ["Two", "words", "a", "b", "A", "[link]", "of", "$x", "y$", "parts"]


def test_names_of_notes_are_no_codes():
    assert checks.faults_of_style(lesson("The first note is C4, and the melody climbs from there to E5.")) == []


def test_a_slider_counts_as_one_picture_and_one_player():
    player = '<audio src="data:audio/mpeg;base64,AAAA"></audio>'
    states = f'<fieldset id="states-1"><img alt="a"><svg></svg>{player}</fieldset>'
    silent = '<fieldset id="states-2"><svg></svg><svg></svg></fieldset>'
    followed = f'<div class="follow"><svg></svg>{player}</div>'
    for shown, wanted in ((states, 2), (silent, 1), (followed, 2), (states + silent + followed, 5)):
        cell = code("x")
        cell.outputs = [new_output("display_data", {"text/html": shown})]
        assert checks.n_pictures(lesson("x", cell)) == wanted
