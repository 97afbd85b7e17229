"""The ledger: what a lesson records is stored in its output, and a page quotes that and nothing else."""

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from book._tools.ledger_pages import main, read_ledger, render, render_pages, write_pages
from musegen_lib.core.errors import MusegenError
from musegen_lib.lessons.notebooks import execute
from musegen_lib.lessons.recording import KEY, Value, Verdict, record, verdict

LESSON = """
from musegen_lib.lessons.recording import record, verdict
record("collapsed", 2 / 3, spread=0.2, over="3 seeds", unit="of the runs")
verdict("C3", "holds partly", values=["collapsed"], because="The better loss | cures it.")
"""


@pytest.fixture
def said(monkeypatch):
    """Collect what is displayed."""
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    return shown


def write_clone(root, templates, **notebooks):
    """Write a small clone: notebooks as lists of recorded values and verdicts, each below the heading 'Stability'."""
    (root / "notebooks").mkdir(parents=True, exist_ok=True)
    (root / "book" / "_templates").mkdir(parents=True, exist_ok=True)
    for name, text in templates.items():
        (root / "book" / "_templates" / name).write_text(text, encoding="utf-8")
    for name, items in notebooks.items():
        cell = new_code_cell("record(...)", execution_count=1)
        bundles = [item._repr_mimebundle_() for item in items]
        cell.outputs = [nbformat.v4.new_output("display_data", data, metadata=kept) for data, kept in bundles]
        notebook = new_notebook(cells=[new_markdown_cell("# GAN\n\n## 4 Stability\n\nWords."), cell])
        nbformat.write(notebook, root / "notebooks" / f"{name.removeprefix('nb')}.ipynb")
    return root


def test_a_value_is_stored_in_the_digits_that_are_shown(said):
    record("nats", np.float64(2.8567), spread=0.0213, over="standard error over 1,153 tunes", unit="nats a note")
    record("tunes", 1153, decimals=0)
    record("zero", -0.001)
    assert [value.text for value in said] == ["2.86 ± 0.02", "1,153", "0.00"]
    data, metadata = said[0]._repr_mimebundle_()
    assert data == {"text/plain": "Recorded nats: 2.86 ± 0.02 nats a note (standard error over 1,153 tunes)"}
    assert metadata[KEY]["value"] == "2.86"
    assert "67" not in str(metadata)


@pytest.mark.parametrize(
    ("arguments", "named", "pattern"),
    [
        (("Nats a note", 1.0), {}, "name 'Nats a note': wanted small letters"),
        (("nats", float("nan")), {}, "nats: nan is no finite number"),
        (("nats", 1.0, 0.1), {}, "say what the spread is taken over"),
        (("nats", 1.0, 0.004), {"over": "3 seeds"}, "a spread of 0.004 is shown as 0.00, give more decimals"),
    ],
)
def test_a_value_that_would_mislead_is_refused(arguments, named, pattern):
    with pytest.raises(ValueError, match=pattern):
        record(*arguments, **named)


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (("D1", "holds", ["nats"]), "row 'D1': wanted a claim"),
        (("C3", "true", ["nats"]), "C3: result 'true' is unknown; use holds or holds partly or fails"),
        (("E3", "holds"), "E3: result 'holds' is unknown; use shown"),
        (("C3", "holds"), "C3: name the recorded values"),
        (("C3", "holds", "nats"), "C3: name the recorded values"),
        (("C3", "holds", ["nats"], "It wins by 3 nats."), "C3: digits in because="),
    ],
)
def test_a_verdict_that_nothing_bears_out_is_refused(arguments, pattern):
    with pytest.raises(ValueError, match=pattern):
        verdict(*arguments)


def test_what_a_lesson_records_when_it_runs_reaches_the_page(tmp_path):
    page = "Share: {{ 02_gan collapsed }}, {{ 02_gan collapsed.full }}.\n| C3 | Unstable. | {{ row C3 02_gan }} |\n"
    write_clone(tmp_path, {"claims.md": page})
    cells = [new_markdown_cell("# GAN\n\n## 4 Stability"), new_code_cell(LESSON)]
    nbformat.write(new_notebook(cells=cells), tmp_path / "notebooks" / "02_gan.ipynb")
    execute(tmp_path / "notebooks" / "02_gan.ipynb")
    assert write_pages(tmp_path) == []
    note, _, text = (tmp_path / "book" / "claims.md").read_text(encoding="utf-8").partition("\n\n")
    assert "Edit book/_templates/claims.md" in note
    assert text == (
        "Share: 0.67 ± 0.20, 0.67 ± 0.20 of the runs (3 seeds).\n"
        "| C3 | Unstable. | [02_gan](../notebooks/02_gan.ipynb), "
        "[*4 Stability*](../notebooks/02_gan.ipynb#4-stability) "
        r"| **holds partly**: The better loss \| cures it. | collapsed 0.67 ± 0.20 of the runs (3 seeds) |"
        "\n"
    )


def test_a_value_that_no_lesson_recorded_is_told_with_page_and_name(tmp_path):
    write_clone(tmp_path, {"benchmarks.md": "{{ 02_gan validity }}"}, nb02_gan=[Value("nats", "1.00")])
    pages, faults = render_pages(tmp_path)
    assert faults == ["benchmarks.md: 02_gan.ipynb records no value validity"]
    assert next(iter(pages.values())).endswith("not yet measured")


def test_a_row_on_which_its_lesson_is_silent_is_told(tmp_path):
    write_clone(tmp_path, {"claims.md": "{{ row E5 02_gan }}"}, nb02_gan=[])
    pages, faults = render_pages(tmp_path)
    assert faults == ['claims.md: 02_gan.ipynb says nothing on E5: add a cell with verdict("E5", ...)']
    assert "not yet shown" in next(iter(pages.values()))


def test_a_lesson_still_to_come_leaves_its_places_open(tmp_path):
    write_clone(tmp_path, {"claims.md": "{{ row C7 03_vae }} {{ row E7 03_vae }} {{ 03_vae nats }}"})
    pages, faults = render_pages(tmp_path)
    opened = "03_vae, to come | not yet tested | – 03_vae, to come | not yet shown | – not yet measured"
    assert faults == []
    assert next(iter(pages.values())).endswith(opened)


@pytest.mark.parametrize(
    ("items", "template", "fault"),
    [
        ([Value("a", "1"), Value("a", "2")], "", "02_gan.ipynb records a twice"),
        ([Verdict("E5", "shown"), Verdict("E5", "shown")], "{{ row E5 02_gan }}", "E5 has two verdicts"),
        ([Verdict("C3", "holds", ("b",))], "{{ row C3 02_gan }}", "C3: 02_gan.ipynb records no value b"),
        ([Value("a", "1"), Verdict("C3", "holds", ("a",))], "{{ row C3 02_gan }}", "C3: none of its values in"),
        ([Verdict("E99", "shown")], "", "gives a verdict on E99, and no page has that row"),
        ([Value("a", "1")], "{{ 02_gan a.mean }}", "a.mean: a value has text, value"),
        ([Value("a", "1")], "{{ a }}", "{{ a }}: wanted a notebook and a name"),
    ],
)
def test_a_fault_of_the_ledger_is_one_line(tmp_path, items, template, fault):
    write_clone(tmp_path, {"claims.md": template}, nb02_gan=items)
    _, faults = render_pages(tmp_path)
    assert any(fault in line for line in faults), faults
    assert all("\n" not in line for line in faults)


def test_a_record_of_an_older_form_asks_for_a_new_run(tmp_path):
    write_clone(tmp_path, {}, nb02_gan=[Value("a", "1")])
    path = tmp_path / "notebooks" / "02_gan.ipynb"
    path.write_text(path.read_text().replace('"spread"', '"sd"'))
    with pytest.raises(MusegenError, match=r"02_gan\.ipynb: a record of an older form, run the notebook again"):
        read_ledger(tmp_path / "notebooks")


def test_a_stored_value_that_differs_from_the_line_shown_is_refused(tmp_path):
    write_clone(tmp_path, {}, nb02_gan=[Value("a", "1.25")])
    path = tmp_path / "notebooks" / "02_gan.ipynb"
    path.write_text(path.read_text().replace('"value": "1.25"', '"value": "1.20"'))
    with pytest.raises(MusegenError, match=r"02_gan\.ipynb: stored as Recorded a: 1\.20, but shown otherwise"):
        read_ledger(tmp_path / "notebooks")


def test_the_command_writes_the_pages_and_ends_with_status_1_where_a_value_is_missing(tmp_path, capsys):
    write_clone(tmp_path, {"benchmarks.md": "{{ 02_gan nats }} {{ 02_gan bits }}"}, nb02_gan=[Value("nats", "1.00")])
    assert main(tmp_path) == 1
    assert capsys.readouterr().out == "benchmarks.md: 02_gan.ipynb records no value bits\n"
    assert (tmp_path / "book" / "benchmarks.md").read_text().endswith("1.00 not yet measured")


def test_text_around_the_placeholders_is_left_alone():
    text = "A | B\n{ one } $\\frac{1}{2}$ stays\n"
    page, faults = render(text, "x.md", ledger=None)
    assert page.endswith(text)
    assert faults == []
