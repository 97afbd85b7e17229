"""One page with everything: pieces to see, hear and take along, in a file that needs nothing but a browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from jinja2 import Environment, PackageLoader
from tqdm import tqdm

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.expression import expressive
from musegen_lib.core.paths import replacing
from musegen_lib.core.piano_roll_svg import piece_to_svg
from musegen_lib.core.piece import Piece
from musegen_lib.display.score import engrave
from musegen_lib.display.sound import Player, player
from musegen_lib.formats.midi.reader import write_midi


@dataclass(frozen=True)
class GalleryItem:
    """A piece with its heading, one sentence on where it comes from, and named facts."""

    piece: Piece
    heading: str
    sentence: str
    facts: Mapping[str, object] = field(default_factory=dict)


def write_gallery(
    items: Sequence[GalleryItem],
    folder: Path,
    title: str,
    intro: str,
    expression: bool = True,
    soundfont: Path | None = None,
) -> Path:
    """Write `folder`/index.html and a .mid file for each item; other files in the folder stay.

    Players and files play the pieces as a musician would, or with `expression` False the bare notes.

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
            piece = expressive(item.piece) if expression else item.piece
            write_midi(piece, workshop / file)
            sound = player(piece, item.heading, expression=False, soundfont=soundfont)
            cards.append(_card(item, file, sound))
        for file in sorted(workshop.iterdir()):
            with replacing(folder / file.name) as temporary:
                shutil.copyfile(file, temporary)
    page = folder / "index.html"
    with replacing(page) as temporary:
        temporary.write_text(_page(cards, title, intro), encoding="utf-8")
    return page


def slug(text: str) -> str:
    """A file name out of a heading.

    >>> slug("A Bach chorale: BWV 66.6!")
    'a-bach-chorale-bwv-66-6'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "piece"


def _card(item: GalleryItem, file: str, sound: Player) -> dict[str, object]:
    """What the template shows of an item; players and pictures have escaped their words themselves."""
    drawn = {"roll": piece_to_svg(item.piece), "score": engrave(item.piece)}
    return {"item": item, "file": file, "sound": sound._repr_html_()} | drawn


def _page(cards: Sequence[Mapping[str, object]], title: str, intro: str) -> str:
    environment = Environment(
        loader=PackageLoader("musegen_lib.display", "."), autoescape=True, keep_trailing_newline=True
    )
    return environment.get_template("gallery.html.j2").render(cards=cards, title=title, intro=intro)
