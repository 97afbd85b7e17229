"""The tools that build the book, and the files that decide how: no browser is needed here."""

import json
import re

import pytest
from api_pages import modules
from check_links import dead_links
from conftest import HTML, ROOT
from teaching_pages import STAR_MINUTES, lesson_table, timings, wrong_answers
from vendor import FILES

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ELSEWHERE = re.compile(r"<(?:script|link|img|audio|iframe|source)\b[^>]*?(?:src|href)=\"(?:https?:)?//[^\"]+", re.I)
USES = re.compile(r"uses: *(\S+)")


def test_a_link_that_leads_nowhere_is_told(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html#here">b</a><a href="#top">up</a><a href="https://example.org/x">away</a>'
        '<a href="c.html">gone</a><a href="b.html#there">no such place</a><img src="d.png"><a href="#down">down</a>'
    )
    (tmp_path / "b.html").write_text('<p id="here">B</p>')
    assert dead_links(tmp_path) == [
        "a.html: #down leads to no place in that page",
        "a.html: b.html#there leads to no place in that page",
        "a.html: c.html leads to no file",
        "a.html: d.png leads to no file",
    ]


def test_no_page_asks_another_site_for_a_part_of_itself():
    pages = [path for path in HTML.rglob("*.html") if "_static" not in path.parts]
    found = {path.name: ELSEWHERE.findall(path.read_text(encoding="utf-8")) for path in pages}
    assert len(found) > 50
    assert {name: links for name, links in found.items() if links} == {}
    assert ELSEWHERE.search('<script src="https://example.org/x.js">')


def test_every_lesson_and_module_is_in_the_book():
    assert {path.stem for path in (HTML / "notebooks").glob("*.html")} == {path.stem for path in NOTEBOOKS}
    assert {path.stem for path in (HTML / "book/api").glob("*.html")} == set(modules())
    assert {"musegen_lib.core.piece", "musegen_lib.models.melody.rnn"} <= set(modules())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_minutes_of_the_sections_add_up_to_the_stated_ones(path):
    table = lesson_table(path)
    stated = int(re.search(r"stated reading time (\d+) minutes", table)[1])
    rows = re.findall(r"^\| (?!Exercises|section|-)(.+?) \| (\d+) \|$", table, re.M)
    assert len(rows) >= 4
    assert abs(sum(int(minutes) for _, minutes in rows) - stated) <= len(rows) / 2
    exercises = re.search(r"^\| Exercises: (.*?) \| (\d+) \|$", table, re.M)
    assert (exercises is not None) == ("NotImplementedError" in path.read_text(encoding="utf-8"))
    if exercises:
        assert int(exercises[2]) == sum(STAR_MINUTES[len(mark)] for mark in exercises[1].split(", "))


def test_each_exercise_of_a_lesson_has_wrong_answers_with_what_the_check_says():
    page = wrong_answers()
    for path in NOTEBOOKS:
        for name in re.findall(r"check\.(\w+)\(", path.read_text(encoding="utf-8")):
            assert page.count(f"| `{name}` |") >= 3, name
    assert ": right." not in page
    assert "Traceback" not in page
    assert timings() in (ROOT / "book/_build/generated/timings.md").read_text(encoding="utf-8")


def test_what_comes_from_npm_is_pinned_and_names_no_host():
    wanted = json.loads((ROOT / "book/_web/package.json").read_text(encoding="utf-8"))
    text = (ROOT / "book/_web/package-lock.json").read_text(encoding="utf-8")
    locked = json.loads(text)["packages"]
    assert "://" not in text
    assert all(entry["integrity"].startswith("sha512-") for name, entry in locked.items() if name)
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert locked[f"node_modules/{name}"]["version"] == version
    assert {source.split("/")[0] for source in FILES} == set(wanted["dependencies"])


def test_the_workflow_grants_little_and_pins_every_action():
    text = (ROOT / ".github/workflows/book.yml").read_text(encoding="utf-8")
    actions = USES.findall(text)
    assert len(actions) >= 4
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action) for action in actions)
    assert "permissions: {}" in text
    assert set(re.findall(r"(\w[\w-]*): write", text)) == {"pages", "id-token"}
    assert "persist-credentials: false" in text
    assert re.findall(r"run: (.*)", text) == ["make test", "make book-test"]
