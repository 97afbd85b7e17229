"""Build the book into book/_build/html, warnings as errors, and check every link inside it.

    make book                        # or: .venv/bin/python book/_tools/build.py

Two things come from npm, pinned by book/_web/package-lock.json: MathJax and the runtime of the playground. With them in
place, and with the corpus in the installed music21, nothing else is fetched.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from api_pages import write_api_pages
from check_links import dead_links
from export_nets import export_nets
from teaching_pages import write_teaching_pages
from vendor import vendor

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "book/_build/html"
DOOR = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Music from neural networks</title>
<link rel="icon" href="_static/icon.svg"><meta http-equiv="refresh" content="0; url=book/intro.html"></head>
<body><a href="book/intro.html">Start here</a></body></html>
"""


def main() -> int:
    """Build and check; return the exit code."""
    started = time.monotonic()
    shutil.rmtree(HTML, ignore_errors=True)  # no page of a lesson or module that is gone stays
    vendor()
    n_bytes = export_nets()
    n_modules = write_api_pages()
    write_teaching_pages()
    command = [
        str(Path(sys.executable).with_name("jupyter-book")),
        "build",
        ".",
        "--path-output",
        "book",
        "-W",
        "--keep-going",
        "-q",
    ]
    command += ["--config", "book/_config.yml", "--toc", "book/_toc.yml"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    built = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if built.returncode:
        print("book: the build failed, see above", file=sys.stderr)
        return built.returncode
    (HTML / "index.html").write_text(DOOR, encoding="utf-8")
    faults = dead_links(HTML)
    print("\n".join(faults[:40]), file=sys.stderr)
    n_pages = len(list(HTML.rglob("*.html")))
    counts = f"{n_pages} pages, {n_modules} modules, {n_bytes / 1e6:.1f} MB of nets, {len(faults)} dead links"
    print(f"book: {counts}, {time.monotonic() - started:.0f} s")
    print("book: to read it: .venv/bin/python -m http.server -d book/_build/html, then localhost:8000")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
