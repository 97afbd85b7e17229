"""Follow every link inside the built book: file and anchor."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKS = {"href", "src", "data"}
NOT_PAGES = "_static"  # templates of the theme lie there


class Page(HTMLParser):
    """The ids of a page and what it links to."""

    def __init__(self, text: str):
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect ids and links."""
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.ids.add(value)
            if name in LINKS and value:
                self.links.add(value)


def dead_links(folder: Path) -> list[str]:
    """One line for each link between pages of a site that leads to no file, or to no place in it."""
    folder = folder.resolve()
    files = [path for path in sorted(folder.rglob("*.html")) if path.relative_to(folder).parts[0] != NOT_PAGES]
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in files}
    faults = []
    for path, page in pages.items():
        for link in sorted(page.links):
            fault = fault_of(link, path, pages)
            faults += [f"{path.relative_to(folder)}: {link} {fault}"] if fault else []
    return faults


def fault_of(link: str, path: Path, pages: dict[Path, Page]) -> str:
    """What is wrong with one link; empty for a good one, and for those that leave the site."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "leads to no file"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].ids:
        return "leads to no place in that page"
    return ""
