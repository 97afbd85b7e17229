"""The piano rolls that follow their player: the note that sounds is marked, and the mark moves."""

import pytest

PAGES = ("00_first_music", "01_theory", "01b_first_network")
AT = """async ([box, seconds]) => {
  const audio = box.querySelector("audio");
  if (!audio.duration) await new Promise((done) => {
    audio.addEventListener("loadedmetadata", done);
    audio.preload = "metadata";
    audio.load();
  });
  const moved = new Promise((done) => audio.addEventListener("seeked", done, { once: true }));
  audio.currentTime = seconds;
  await moved;
  audio.dispatchEvent(new Event("timeupdate"));
  return [...box.querySelectorAll(".sounding")].map((note) => [+note.dataset.start, +note.dataset.stop]);
}"""


@pytest.mark.parametrize("name", PAGES)
def test_the_mark_follows_the_sound(open_page, name):
    watched = open_page(f"notebooks/{name}.html")
    boxes = watched.page.query_selector_all(".follow")
    assert boxes
    for box in boxes:
        starts = [float(note.get_attribute("data-start")) for note in box.query_selector_all("[data-start]")]
        assert watched.page.evaluate("box => box.querySelectorAll('.sounding').length", box) == 0
        seen = []
        for seconds in (starts[0] + 0.1, sorted(starts)[len(starts) // 2] + 0.1):
            marked = watched.page.evaluate(AT, [box, seconds])
            assert marked, seconds
            assert all(start <= seconds < stop for start, stop in marked)
            seen.append(marked)
        assert seen[0] != seen[1]
    assert watched.faults == []


def test_the_mark_moves_by_itself_while_the_player_plays(open_page):
    page = open_page("notebooks/01b_first_network.html").page
    page.evaluate("() => document.querySelector('.follow audio').play()")
    first = page.wait_for_selector(".follow .sounding")
    start = first.get_attribute("data-start")
    later = f".follow .sounding:not([data-start='{start}'])"
    assert float(page.wait_for_selector(later).get_attribute("data-start")) > float(start)


def test_the_mark_can_be_seen(open_page):
    page = open_page("notebooks/01b_first_network.html").page
    note = page.locator(".follow [data-start]").first
    drawn = "node => getComputedStyle(node.querySelector('.notehead') || node).stroke"  # a score, or a roll
    before = note.evaluate(drawn)
    note.evaluate("node => node.classList.add('sounding')")
    assert note.evaluate(drawn) != before
