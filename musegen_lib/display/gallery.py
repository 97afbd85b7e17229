"""One page with everything: pieces to see, hear and take along, in a file that needs nothing but a browser."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm import tqdm

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import replacing
from musegen_lib.core.piece import Piece, piece_to_svg
from musegen_lib.display.score import engrave
from musegen_lib.display.sound import player
from musegen_lib.formats.midi.reader import write_midi

STYLE = """
:root { color-scheme: light dark; --paper: #faf8f4; --ink: #23211d; --soft: #6b665c; --line: #ddd6c8; --card: #fff;
  --link: #00588f }
@media (prefers-color-scheme: dark) { :root { --paper: #191817; --ink: #ece8df; --soft: #a9a397; --line: #3b3833;
  --card: #22201e; --link: #7cc0ee } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.05rem/1.6 Georgia, "Times New Roman", serif }
main, header, footer { max-width: 52rem; margin: auto; padding: 1rem 1.25rem }
h1 { font-size: 2.3rem; line-height: 1.2; margin: 2rem 0 .5rem }
h2 { font-size: 1.35rem; margin: 0 0 .25rem }
a { color: var(--link) }
nav ol { columns: 2; column-gap: 2rem; padding-left: 1.4rem; margin: .5rem 0 }
article { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.25rem;
  margin: 0 0 1.75rem }
figure { margin: 1rem 0 }
figcaption, dt { color: var(--soft); font-size: .9rem }
.picture { background: #fff; border-radius: .3rem; padding: .5rem; overflow-x: auto }
.picture svg { display: block; max-width: 100%; height: auto }
audio { width: 100% }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .75rem 0 0 }
dd { margin: 0; font-size: .95rem }
@media (max-width: 34rem) { nav ol { columns: 1 } dl { grid-template-columns: 1fr } dd { margin-bottom: .4rem }
  .picture.score svg { min-width: 34rem; max-width: none } }
"""


@dataclass(frozen=True)
class GalleryItem:
    """A piece with its heading, one sentence on where it comes from, and named facts."""

    piece: Piece
    heading: str
    sentence: str
    facts: Mapping[str, object] = field(default_factory=dict)


def write_gallery(items: Sequence[GalleryItem], folder: Path, title: str, intro: str) -> Path:
    """Write `folder`/index.html and a .mid file for each item; other files in the folder stay.

    Everything is made before anything is put in place, so a failure leaves an older page as it was.
    """
    if not items:
        raise MusegenError("the gallery has no pieces; give at least one")
    folder = Path(folder)
    with TemporaryDirectory() as name:
        workshop = Path(name)
        cards = []
        for number, item in enumerate(tqdm(items, desc="pictures and sound", leave=False), start=1):
            file = f"{number:02d}-{slug(item.heading)}.mid"
            write_midi(item.piece, workshop / file)
            cards.append(_card(item, file, number))
        for file in sorted(workshop.iterdir()):
            with replacing(folder / file.name) as temporary:
                shutil.copyfile(file, temporary)
    page = folder / "index.html"
    with replacing(page) as temporary:
        temporary.write_text(_page(items, cards, title, intro), encoding="utf-8")
    return page


def slug(text: str) -> str:
    """A file name out of a heading.

    >>> slug("A Bach chorale: BWV 66.6!")
    'a-bach-chorale-bwv-66-6'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "piece"


def _card(item: GalleryItem, file: str, number: int) -> str:
    heading, sound = html.escape(item.heading, quote=True), player(item.piece, item.heading)
    facts = "".join(
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>" for name, value in item.facts.items()
    )
    return f"""<article id="piece-{number}">
<h2>{heading}</h2>
<p>{html.escape(item.sentence)}</p>
{sound._repr_html_()}
<figure><figcaption>Piano roll: time to the right, pitch upwards</figcaption>
<div class="picture">{piece_to_svg(item.piece)}</div></figure>
<figure><figcaption>Score</figcaption>
<div class="picture score" role="region" aria-label="Score: {heading}" tabindex="0">{engrave(item.piece)}</div></figure>
{f"<dl>{facts}</dl>" if facts else ""}
<p><a href="{file}" download>{file}</a> ({len(item.piece)} notes)</p>
</article>"""


def _page(items: Sequence[GalleryItem], cards: Sequence[str], title: str, intro: str) -> str:
    entries = "".join(
        f'<li><a href="#piece-{number}">{html.escape(item.heading)}</a></li>' for number, item in enumerate(items, 1)
    )
    contents = f'<nav aria-label="Pieces"><ol>{entries}</ol></nav>' if len(items) > 4 else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title><style>{STYLE}</style></head>
<body><header><h1>{html.escape(title)}</h1><p>{html.escape(intro)}</p>{contents}</header>
<main>{"".join(cards)}</main>
<footer><p>Made by musegen. This page opens from disk and loads nothing from elsewhere.</p></footer>
</body></html>
"""
