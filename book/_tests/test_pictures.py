"""Pictures of the book and of the gallery page, kept in book/_static for the README and for eyes.

`MUSEGEN_PICTURES=1 make book-test` makes them anew. Without that variable they are made beside and must have the same
size, the same theme and something to see: a page that has gone blank is caught.
"""

import os

import matplotlib.image
import pytest
from conftest import DESKTOP, PHONE, STATIC

from musegen_lib.cli.tour import make_tour

KEEP = bool(os.environ.get("MUSEGEN_PICTURES"))
SHOTS = {  # name: page, theme, window, what to bring into sight
    "book_intro": ("book/intro.html", "light", DESKTOP, None),
    "book_intro_phone_dark": ("book/intro.html", "dark", PHONE, None),
    "book_lesson": ("notebooks/00_first_music.html", "light", DESKTOP, ".cell_output audio"),
    "book_lesson_phone_dark": ("notebooks/00_first_music.html", "dark", PHONE, ".cell_output audio"),
    "book_lesson_dark": ("notebooks/04_rnn.html", "dark", DESKTOP, ".cell_output audio"),
    "book_playground": ("book/playground.html", "light", DESKTOP, '[data-is="piano"]'),
    "book_playground_phone_dark": ("book/playground.html", "dark", PHONE, '[data-is="piano"]'),
    "book_map_dark": ("book/playground.html", "dark", DESKTOP, '[data-is="map"]'),
}


def play(page):
    """Let the playground make something to look at."""
    page.wait_for_selector("#play[data-ready=yes]")
    for pitch in (67, 71, 74):
        page.click(f'[data-pitch="{pitch}"]')
    page.click('[data-is="write"]')
    page.wait_for_selector('[data-is="tune"] .note')
    page.click('[data-is="stop"]')
    page.click('[data-is="open-map"]')
    page.wait_for_selector('[data-is="map"] .square >> nth=48')
    page.click('[data-is="map"] .square >> nth=24')
    page.click('[data-is="stop"]')


@pytest.mark.parametrize("name", SHOTS)
def test_a_picture_shows_something(open_page, tmp_path, name):
    path, theme, size, sight = SHOTS[name]
    page = open_page(path, theme, size).page
    page.wait_for_load_state("networkidle")
    if "playground" in path:
        play(page)
    page.evaluate("() => scrollTo(0, 0)")
    if sight:
        page.locator(sight).first.evaluate("node => scrollTo(0, node.getBoundingClientRect().top + scrollY - 130)")
    page.wait_for_timeout(300)
    file = (STATIC if KEEP else tmp_path) / f"{name}.png"
    page.screenshot(path=file)
    picture = matplotlib.image.imread(file)[..., :3]
    assert picture.shape[:2] == (size["height"], size["width"])
    assert picture.std() > 0.02
    assert (picture.mean() > 0.5) == (theme == "light")
    assert matplotlib.image.imread(STATIC / f"{name}.png").shape[:2] == picture.shape[:2]


def test_the_readme_has_its_gallery_and_its_score(browser, tmp_path):
    if KEEP:
        page = browser.new_page(viewport={"width": 900, "height": 1000})
        page.goto(make_tour(tmp_path / "tour").as_uri())
        last = page.locator("h2").last
        last.evaluate("node => scrollTo(0, node.getBoundingClientRect().top + scrollY - 20)")
        page.screenshot(path=STATIC / "gallery.png")
        page.add_style_tag(content="figcaption { visibility: hidden }")
        page.locator("svg").last.screenshot(path=STATIC / "score.png")
        page.close()
    for name in ("gallery.png", "score.png"):
        assert matplotlib.image.imread(STATIC / name).std() > 0.02
