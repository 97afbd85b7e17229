"""The first page: real music and what the models make of it, in two minutes after the install."""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm

from musegen_lib.cli.output import Expression
from musegen_lib.corpus import find_piece
from musegen_lib.display.gallery import GalleryItem, write_gallery
from musegen_lib.display.soundfont import load_soundfont
from musegen_lib.encodings.melody_events import is_playable
from musegen_lib.models.facts import facts_of, originality_sentence
from musegen_lib.models.registry import RECIPES

INTRO = (
    "Real music first, then what two small models wrote after reading thousands of folk tunes. "
    "Each piece has a piano roll, its score, a player and a .mid file."
)
REAL = (
    ("A Bach chorale", "bwv66.6.mxl", "J. S. Bach wrote this for four voices; no model had a part in it."),
    (
        "A Chinese folk song: Molihua, the jasmine flower",
        "han1.abc#516",
        "Written down from singers; no model had a part in it.",
    ),
    (
        "A German folk song: Die Gedanken sind frei",
        "erk30.abc#527",
        "Written down from singers; no model had a part in it.",
    ),
)
TUNES_DRAWN = 20  # for each wish; the first is shown, whatever it is
WISHES = (
    ("markov", {"style": "german", "metre": "2/4"}),
    ("rnn", {"style": "chinese", "metre": "2/4", "key": "D major", "temperature": 0.8}),
    ("rnn", {"style": "german", "metre": "3/4", "key": "F major", "temperature": 0.8}),
    ("rnn", {"style": "irish", "metre": "6/8", "key": "G major", "temperature": 0.8}),
)


def make_tour(
    out: Path, seed: int = 1, expression: Expression = Expression.LIGHT, soundfont: Path | None = None
) -> Path:
    """Write the page and its .mid files to `out`; returns the page."""
    if soundfont:
        load_soundfont(soundfont)  # a file that is none is told of before the work
    items = [_real_item(*row) for row in tqdm(REAL, desc="real music", leave=False)]
    items += [_generated_item(name, seed, wishes) for name, wishes in tqdm(WISHES, desc="models", leave=False)]
    expressed = expression == Expression.LIGHT
    return write_gallery(items, out, title="First music", intro=INTRO, expression=expressed, soundfont=soundfont)


def _real_item(heading: str, name: str, sentence: str) -> GalleryItem:
    piece = find_piece(name).excerpt(8)
    facts = {"title": piece.title, "source": f"music21 corpus, {name}, first 8 bars", "terms": piece.licence}
    return GalleryItem(piece, heading, sentence, facts)


def _generated_item(model: str, seed: int, wishes: dict) -> GalleryItem:
    recipe = RECIPES[model]
    pieces = recipe.generate(TUNES_DRAWN, seed, **wishes)
    piece, valid = pieces[0], sum(map(is_playable, pieces))
    found = facts_of(piece)
    facts = {
        "playable": f"{'yes' if found['playable'] else 'no'} (one melody, in range, whole bars); "
        f"so are {valid} of the {len(pieces)} tunes drawn with it",
        "originality": originality_sentence(piece),
        "key fit": f"{found['key_fit']:.0%} of its time on the notes of one key",
    }
    heading = f"{'Markov chain' if model == 'markov' else 'Recurrent network'}: {wishes['style']}, {wishes['metre']}"
    return GalleryItem(piece, heading, recipe.about, facts)
