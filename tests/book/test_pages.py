"""Pages of the book: the glossary is whole, pages quote recorded values only, and no link leads nowhere."""

import re
import unicodedata
from pathlib import Path

import nbformat
import pytest

from book._tools.ledger_pages import PLACEHOLDER, render_pages
from musegen_lib.lessons.recording import ROW

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
LESSON = re.compile(r"\[(?:\d[a-z]? |Appendix: )[A-Za-z', ]+\]\(\.\./notebooks/(\w+)\.ipynb\)|this page")
CJK = re.compile(r"[\u4e00-\u9fff]")
TERM = re.compile(r'\| <a id="([^"]*)"></a>(.*?) \| (.*?) \| (.*?) \| (.*?) \|')
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)|(?:href|src)=\"([^\"]+)\"")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.I)  # https:, mailto:, attachment:
CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]+`", re.M | re.S)
TYPED_NUMBER = re.compile(r"\d[.,]\d|\d ?%|±\s*\d")


def terms_of(text):
    """Return (anchor, English, Chinese, meaning, lesson) of each row; a row of another form fails here."""
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| term |")]
    return [(TERM.fullmatch(row) or pytest.fail(f"not a row of the glossary: {row}")).groups() for row in rows]


def plain(text):
    """Return a text as the alphabet sorts it: small letters without accents."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()


def faults_of_terms(terms):
    """Return one line for each row that lacks a language, stands out of order or has a bad anchor."""
    faults = []
    for anchor, english, chinese, meaning, lesson in terms:
        wanted = "term-" + re.sub(r"[^a-z0-9]+", "-", plain(re.sub(r" \(.*?\)", "", english))).strip("-")
        faults += [f"{english}: anchor {anchor}, wanted {wanted}"] if anchor != wanted else []
        faults += [f"{english}: no Chinese in {chinese!r}"] if not CJK.search(chinese) else []
        faults += [f"{english}: no English term"] if not re.match(r"[A-Za-z]", english) else []
        faults += [f"{english}: the meaning is no sentence"] if not re.fullmatch(r"[A-Z].{15,}\.", meaning) else []
        faults += [f"{english}: {lesson!r} is no lesson"] if not LESSON.fullmatch(lesson) else []
    names = [plain(english) for _, english, *_ in terms]
    faults += [f"{late} stands before {early}" for late, early in zip(names, names[1:]) if late > early]
    anchors = [anchor for anchor, *_ in terms]
    return faults + [f"{anchor} is not unique" for anchor in sorted({a for a in anchors if anchors.count(a) > 1})]


def anchors_of(text):
    """Return every place of a page that a link can name: HTML ids, and headings as GitHub spells them."""
    headings = re.findall(r"^#{1,6} +(.+?)\s*$", CODE.sub("", text), re.M)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'\bid="([^"]+)"', text))


def words_of(path):
    """Return the prose of a page: a Markdown file, or the Markdown cells of a notebook."""
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def dead_links(path):
    """Return one line for each link within the course that leads to no file, or to no place in it."""
    text, faults = words_of(path), []
    for target in (first or second for first, second in LINK.findall(CODE.sub("", text))):
        if ELSEWHERE.match(target):
            continue
        name, _, anchor = target.partition("#")
        page = (path.parent / name).resolve() if name else path
        if not page.exists():
            faults.append(f"{path.name}: {target} leads to no file")
        elif anchor and page.suffix in (".md", ".ipynb") and anchor not in anchors_of(words_of(page)):
            faults.append(f"{path.name}: {target} leads to no place in {page.name}")
    return faults


def pages():
    """Return the pages with links: the first page, the book and the lessons."""
    return [ROOT / "README.md", *sorted(BOOK.glob("*.md")), *sorted((ROOT / "notebooks").glob("*.ipynb"))]


GLOSSARY = terms_of((BOOK / "glossary.md").read_text(encoding="utf-8"))
RENDERED, LEDGER_FAULTS = render_pages(ROOT)


def test_the_glossary_has_at_least_120_terms():
    assert len(GLOSSARY) >= 120


def test_every_term_has_both_languages_a_meaning_a_lesson_and_its_own_anchor_in_order():
    assert faults_of_terms(GLOSSARY) == []


def test_a_term_that_lessons_link_to_leads_back_to_one_of_them():
    """The appendices are not on the path: a term leads there only if no lesson links to it."""
    linking = {path.stem: words_of(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    faults = []
    for anchor, english, _, _, lesson in GLOSSARY:
        stems = [stem for stem, words in linking.items() if f"glossary.md#{anchor})" in words]
        stems = [stem for stem in stems if not stem.startswith("appendix")] or stems
        named = LESSON.fullmatch(lesson)[1]
        faults += [f"{english}: {named}, linked from {', '.join(stems)}"] if stems and named not in stems else []
    assert faults == []


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_no_link_within_the_course_leads_nowhere(path):
    assert dead_links(path) == []


@pytest.mark.parametrize("path", RENDERED, ids=lambda path: path.name)
def test_the_committed_page_is_what_the_lessons_recorded(path):
    assert path.read_text(encoding="utf-8") == RENDERED[path], "run `make ledger`"


def test_every_value_that_a_page_quotes_was_recorded():
    assert LEDGER_FAULTS == []


@pytest.mark.parametrize("path", sorted((BOOK / "_templates").glob("*.md")), ids=lambda path: path.name)
def test_no_measured_number_is_typed_into_a_template(path):
    assert TYPED_NUMBER.findall(PLACEHOLDER.sub("", path.read_text(encoding="utf-8"))) == []


def test_the_ledger_has_a_row_for_each_claim_and_each_erratum():
    text = (BOOK / "_templates" / "claims.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \|.*\{\{ row (\w+) \w+ \}\}", text, re.M)
    wanted = [f"C{number}" for number in range(1, 16)] + [f"E{number}" for number in range(1, 18)]
    assert rows == [(row, row) for row in wanted]
    assert all(ROW.fullmatch(row) for row in wanted)


def test_a_bad_row_of_the_glossary_is_caught():
    lesson = "[0 First music](../notebooks/00_first_music.ipynb)"
    good = ("term-pitch", "pitch", "音高", "How high a note is, in semitones.", lesson)
    assert faults_of_terms([good]) == []
    for place, bad in enumerate(("term-pitches", "音高", "pitch", "high", "lesson one")):
        assert faults_of_terms([(*good[:place], bad, *good[place + 1 :])]), bad
    assert faults_of_terms([good, good]) == ["term-pitch is not unique"]
    early = ("term-bar", "bar", "小节", "The stretch between two bar lines.", "this page")
    assert faults_of_terms([good, early]) == ["pitch stands before bar"]
    with pytest.raises(pytest.fail.Exception, match="not a row"):
        terms_of("| pitch | 音高 |")


def test_a_link_that_leads_nowhere_is_caught_in_a_page_and_in_a_notebook(tmp_path):
    text = '# Two voices\n[a](b.md) [c](#two-voices) [d](#three) <img src="e.png"> [f](https://x.org) `[g](h.md)`\n'
    (tmp_path / "page.md").write_text(text)
    faults = ["b.md leads to no file", "#three leads to no place in page.md", "e.png leads to no file"]
    assert dead_links(tmp_path / "page.md") == [f"page.md: {fault}" for fault in faults]
    cells = [nbformat.v4.new_markdown_cell("[pitch](page.md#term-pitch)"), nbformat.v4.new_code_cell("'[x](y.md)'")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "nb.ipynb")
    assert dead_links(tmp_path / "nb.ipynb") == ["nb.ipynb: page.md#term-pitch leads to no place in page.md"]
    (tmp_path / "page.md").write_text('<a id="term-pitch"></a>')
    assert dead_links(tmp_path / "nb.ipynb") == []


@pytest.mark.parametrize("text", ["2.86 nats", "59 %", "± 2", "1,153 tunes"])
def test_a_typed_number_is_caught(text):
    assert TYPED_NUMBER.search(text)


def test_the_readme_quotes_the_benchmark_table_as_it_stands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = [
        line.replace("](notebooks/", "](../notebooks/")
        for line in readme.splitlines()
        if line.endswith("_music.ipynb) |")
    ]
    table = (BOOK / "benchmarks.md").read_text(encoding="utf-8").splitlines()
    assert len(quoted) >= 3
    assert [line for line in quoted if line not in table] == [], "copy the rows anew"


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.name)
def test_the_lesson_map_of_the_readme_states_the_minutes_of_the_lesson(path):
    (row,) = [
        line
        for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
        if f"](notebooks/{path.name}) |" in line and line.startswith("| [")
    ]
    minutes = re.search(r"Reading: (\d+) minutes", words_of(path))[1]
    assert f"| {minutes} | ready |" in row
