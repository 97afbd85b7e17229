"""The first page: real music and what the models make of it, in two minutes after the install."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.errors import MusegenError
from musegen_lib.facts import facts_of, originality_sentence
from musegen_lib.gallery import GalleryItem, write_gallery
from musegen_lib.piece import Piece
from musegen_lib.recipes import RECIPES

INTRO = (
    "Real music first, then what two small models wrote after reading 8,911 folk tunes. "
    "Each piece has a piano roll, its score, a player and a .mid file. Guess before you read: which are real?"
)
REAL = (
    ("A Bach chorale", "bwv66.6.mxl", "J. S. Bach wrote this for four voices; no model had a part in it."),
    ("A Chinese folk song", "han1.abc#104", "Written down from singers; no model had a part in it."),
    ("A German folk song", "erk10.abc#12", "Written down from singers; no model had a part in it."),
)
WISHES = (
    ("markov", {"style": "german", "metre": "2/4", "max_bars": 16}),
    ("rnn", {"style": "chinese", "metre": "2/4", "max_bars": 16}),
    ("rnn", {"style": "german", "metre": "3/4", "max_bars": 16}),
    ("rnn", {"style": "irish", "metre": "6/8", "max_bars": 16}),
)


def make_tour(out: Path, seed: int = 1) -> Path:
    """Write the page and its .mid files to `out`; returns the page."""
    items = [_real_item(*row) for row in tqdm(REAL, desc="real music", leave=False)]
    items += [_generated_item(name, seed, wishes) for name, wishes in tqdm(WISHES, desc="models", leave=False)]
    return write_gallery(items, out, title="First music", intro=INTRO)


def find_piece(name: str) -> Piece:
    """Find a chorale by its file name or a folk tune by its id, such as "han1.abc#104"."""
    corpus = load_chorales() if name.endswith(".mxl") else load_folk_tunes()
    found = np.flatnonzero(corpus.column("id") == name)
    if not len(found):
        raise MusegenError(f"{name}: no such piece in the corpus; ids look like bwv66.6.mxl and han1.abc#104")
    return corpus[int(found[0])]


def _real_item(heading: str, name: str, sentence: str) -> GalleryItem:
    piece = find_piece(name).excerpt(8)
    facts = {"title": piece.title, "source": f"music21 corpus, {name}, first 8 bars", "terms": piece.licence}
    return GalleryItem(piece, heading, sentence, facts)


def _generated_item(model: str, seed: int, wishes: dict) -> GalleryItem:
    recipe = RECIPES[model]
    piece = recipe.generate(1, seed, **wishes)[0]
    found = facts_of(piece)
    facts = {
        "playable": "yes: one melody, in range, whole bars" if found["playable"] else "no",
        "originality": originality_sentence(piece),
        "key fit": f"{found['key_fit']:.0%} of its time on the notes of one key",
    }
    heading = f"{'Markov chain' if model == 'markov' else 'Recurrent network'}: {wishes['style']}, {wishes['metre']}"
    return GalleryItem(piece, heading, recipe.about, facts)
