"""Every page of the book in a real browser: nothing fails, nothing leaves localhost, players play, search finds."""

import pytest
from conftest import AXE, HTML, PHONE

PAGES = sorted(
    path.relative_to(HTML).as_posix() for folder in ("book", "notebooks") for path in (HTML / folder).glob("*.html")
)
LESSONS = [name for name in PAGES if name.startswith("notebooks/")]
CHECKED = "book/api/musegen_lib.core.piece.html"  # one page of the reference stands for all
DURATIONS = """async () => Promise.all([...document.querySelectorAll("audio")].map((player) => new Promise((done) => {
  const end = () => done({
    seconds: player.duration, label: player.getAttribute("aria-label"), error: player.error?.message
  });
  player.addEventListener("loadedmetadata", end);
  player.addEventListener("error", end);
  player.preload = "metadata";
  player.load();
})))"""
HIDDEN = """() => [...document.querySelectorAll(".bd-article img")].filter((image) => !image.naturalWidth || !image.alt)
  .map((image) => image.src.slice(-60))"""


def serious_faults(page):
    """What axe finds that keeps people out, one line a rule with the first place."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    return [f"{rule['id']} ({len(rule['nodes'])}): {rule['nodes'][0]['html'][:160]}" for rule in serious]


def test_all_parts_of_the_book_were_found():
    assert len(LESSONS) == len(list((HTML.parents[2] / "notebooks").glob("*.ipynb"))) >= 5
    names = [
        "intro",
        "playground",
        "claims",
        "benchmarks",
        "datasheets",
        "glossary",
        "faq",
        "tools",
        "trends",
        "teachers",
        "api",
    ]
    assert {f"book/{name}.html" for name in names} <= set(PAGES)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_without_a_fault_and_its_pictures_and_players_are_there(open_page, path):
    watched = open_page(path)
    page = watched.page
    page.wait_for_load_state("networkidle")
    assert page.evaluate(HIDDEN) == []
    players = page.evaluate(DURATIONS)
    assert [player for player in players if player["error"] or not player["seconds"] or not player["label"]] == []
    assert all(1 < player["seconds"] <= 13 for player in players)
    assert bool(players) == (path in LESSONS)
    assert watched.faults == []


@pytest.mark.parametrize("path", [*PAGES, CHECKED])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_either_theme(open_page, path, theme):
    page = open_page(path, theme).page
    assert page.get_attribute("html", "data-theme") == theme
    assert serious_faults(page) == []


@pytest.mark.parametrize("path", [*PAGES, CHECKED])
def test_a_page_is_no_wider_than_a_telephone(open_page, path):
    page = open_page(path, size=PHONE).page
    page.wait_for_load_state("networkidle")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_pages_that_sphinx_adds_load_without_a_fault(open_page, site):
    watched = open_page("index.html")
    watched.page.wait_for_url("**/book/intro.html")
    others = [path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html") if "_static" not in path.parts]
    others = sorted(set(others) - {*PAGES, "index.html"})
    assert len(others) > 100
    for path in others:
        watched.page.goto(f"{site}/{path}", wait_until="load")
        assert watched.faults == [], path


def test_formulas_are_set_with_the_fonts_of_the_site(open_page):
    watched = open_page("notebooks/appendix_theory.html")
    watched.page.wait_for_selector("mjx-container mjx-math")
    assert watched.page.locator("mjx-container").count() > 10
    assert watched.page.locator("mjx-merror").count() == 0
    assert watched.faults == []


def test_the_search_finds_posterior_collapse(open_page):
    watched = open_page("book/intro.html")
    watched.page.keyboard.press("Control+k")
    watched.page.keyboard.type("posterior collapse")
    watched.page.keyboard.press("Enter")
    watched.page.wait_for_url("**/search.html?q=posterior+collapse")
    watched.page.wait_for_selector("#search-results li a")
    found = watched.page.locator("#search-results li a").all_inner_texts()
    assert any("Glossary" in text for text in found), found
    assert watched.faults == []


def test_the_first_page_leads_to_a_lesson_by_keyboard_alone(open_page):
    page = open_page("book/intro.html").page
    for _ in range(60):
        page.keyboard.press("Tab")
        if "00_first_music" in (page.evaluate("() => document.activeElement.href") or ""):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/notebooks/00_first_music.html")


def test_a_solution_is_shut_until_asked_for(open_page):
    page = open_page("notebooks/00_first_music.html").page
    solution = page.locator("details.solution").first
    assert not solution.locator("pre").first.is_visible()
    solution.locator("summary").press("Enter")
    assert solution.locator("pre").first.is_visible()


def test_a_fault_is_noticed(open_page):
    watched = open_page("book/faq.html")
    watched.page.evaluate("() => { console.error('a fault'); new Image().src = 'http://example.invalid/x.png'; }")
    watched.page.evaluate("() => fetch('/nothing-here')")
    watched.page.evaluate("() => document.querySelector('.bd-article h1').innerHTML = '<img src=\"x.png\">'")
    assert any("a fault" in fault for fault in watched.faults)
    assert any("example.invalid" in fault for fault in watched.faults)
    assert any("404" in fault for fault in watched.faults)
    assert any(fault.startswith("image-alt") for fault in serious_faults(watched.page))
