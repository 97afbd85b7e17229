"""The glossary: every term once, in order, in both languages, at an anchor that links can reach."""

import re
import unicodedata
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROW = re.compile(r'^\| <a id="(term-[a-z0-9-]+)"></a>([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$', re.M)
ROWS = ROW.findall((ROOT / "book" / "glossary.md").read_text(encoding="utf-8"))


def test_there_are_at_least_120_terms_and_every_table_row_is_one():
    lines = [
        line for line in (ROOT / "book" / "glossary.md").read_text(encoding="utf-8").splitlines() if "<a id=" in line
    ]
    assert len(ROWS) == len(lines) >= 120


def test_anchors_are_unique_and_spell_the_term():
    anchors = [anchor for anchor, *_ in ROWS]
    assert len(set(anchors)) == len(anchors)
    for anchor, term, *_ in ROWS:
        plain = unicodedata.normalize("NFD", re.sub(r"\(.*?\)", "", term)).encode("ascii", "ignore").decode().lower()
        assert anchor == "term-" + re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def test_terms_stand_in_the_order_of_the_alphabet():
    initials = [re.sub(r"[^a-z0-9]", "", term.lower())[0] for _, term, *_ in ROWS]
    assert initials == sorted(initials)


def test_every_row_has_chinese_and_a_sentence():
    for _, term, chinese, meaning, _ in ROWS:
        assert re.search(r"[\u4e00-\u9fff]", chinese), term
        assert meaning.strip().endswith("."), term


def test_links_into_the_glossary_reach_an_anchor():
    anchors = {anchor for anchor, *_ in ROWS}
    pages = [*ROOT.glob("*.md"), *ROOT.glob("book/*.md"), *ROOT.glob("notebooks/*.ipynb")]
    found = {
        link
        for page in pages
        for link in re.findall(
            r"\(#(term-[a-z0-9-]+)\)|glossary[^)\s]*#(term-[a-z0-9-]+)", page.read_text(encoding="utf-8")
        )
    }
    assert {a or b for a, b in found} <= anchors
