"""What the tests of the book share: the site on localhost, a browser, and watching what a page does.

The browser is Debian's Chromium, driven by Playwright. Without it the tests skip, and say how to install it; in
continuous integration (CI is set) its absence is a failure.
"""

import functools
import http.server
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "book/_build/html"
STATIC = ROOT / "book/_static"
AXE = ROOT / "book/_web/node_modules/axe-core/axe.min.js"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--mute-audio"),
)
MISSING = "no Chromium: sudo apt-get install chromium, or set CHROMIUM to the program of another one"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}

sys.path.insert(0, str(ROOT / "book/_tools"))
torch.set_num_threads(1)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and keeps no log."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture(scope="session")
def site():
    """The built book on localhost; its address."""
    if not (HTML / "book/intro.html").is_file():
        pytest.fail("the book is not built: run make book")
    server = http.server.ThreadingHTTPServer(("localhost", 0), functools.partial(Quiet, directory=HTML))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium for all tests of a process."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not program:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield chromium
        chromium.close()


class Watched:
    """A page, and what it did that it should not do."""

    def __init__(self, context):
        self.page = context.new_page()
        self.faults = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        context.set_default_timeout(20_000)

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def _request(self, request):
        if not request.url.startswith(("http://localhost:", "data:", "blob:")):
            self.faults.append(f"request: {request.url[:120]}")

    def _response(self, response):
        if response.status >= 400:
            self.faults.append(f"status {response.status}: {response.url}")


@pytest.fixture
def open_page(site, browser):
    """Open a page of the book: open_page("book/intro.html", theme="dark") returns a Watched."""
    contexts = []

    def open_it(path, theme="light", size=DESKTOP, **options):
        contexts.append(browser.new_context(viewport=size, color_scheme=theme, **options))
        watched = Watched(contexts[-1])
        watched.page.add_init_script(
            f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')"
        )
        watched.page.goto(f"{site}/{path}", wait_until="load")
        return watched

    yield open_it
    for context in contexts:
        context.close()
