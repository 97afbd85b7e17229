"""Chinese and German folk song, cut so that no classifier of a transfer ever saw what the transfer learnt from.

Each style has two sides of other source files: "judge" for the classifiers and language models that measure, "transfer"
for the models that are measured. Within a side the parts are the corpus's own, families of a tune kept together.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Bool

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import Corpus, load_folk_tunes

STYLES = ("chinese", "german")
SIDES = ("judge", "transfer")
CLASSIFIER_FILES = {"chinese": ("han2.",), "german": ("fink0.", "kinder0.", "zuccal0.")}
FEWEST_NOTES = 8  # a shorter tune says too little of its style
LONG_NOTE = 2.0  # times the median duration: such a note may end a phrase


def other_style(style: str) -> str:
    """The style that a tune comes from which is to become `style`.

    >>> other_style("chinese")
    'german'
    """
    return STYLES[1 - STYLES.index(_known(style, STYLES, "style"))]


@lru_cache(maxsize=16)
def load_side(style: str, side: str, part: str | None = None) -> Corpus:
    """Load the tunes of a style from the classifiers' files or from the others, in any metre, of 8 notes or more.

    Args:
        style: "chinese" or "german".
        side: "judge" (han2; fink0, kinder0, zuccal0) or "transfer" (every other file of the region).
        part: "train", "valid" or "test"; None for all.
    Raises:
        MusegenError: the style or the side is unknown; the message lists what there is.
    """
    corpus = load_folk_tunes(region=_known(style, STYLES, "style"), part=part)
    measured = np.array([name.startswith(CLASSIFIER_FILES[style]) for name in corpus.column("id").tolist()], dtype=bool)
    wanted = measured if _known(side, SIDES, "side") == "judge" else ~measured
    return corpus.select(wanted & (corpus.n_notes >= FEWEST_NOTES))


@lru_cache(maxsize=8)
def load_held_out(style: str, part: str = "test") -> Corpus:
    """Tunes of both sides that nothing was trained on: equally many of each style, drawn by a fixed seed."""
    found = {name: _both_sides(name, part) for name in STYLES}
    n = min(len(corpus) for corpus in found.values())
    corpus = found[_known(style, STYLES, "style")]
    rows = np.sort(np.random.default_rng(0).permutation(len(corpus))[:n])
    return corpus.select(rows)


def phrase_ends(piece: Piece) -> Bool[np.ndarray, "N"]:
    """One bool a note of a melody: the note ends a phrase, read off the music alone.

    It does if a rest follows, if it is at least twice as long as the median note and no longer one follows, or if it
    is the last. Where the collector marked phrases, `marked_ends` reads his marks.

    >>> phrase_ends(Piece.from_notes([(0, 4, 60), (4, 4, 62), (8, 8, 64), (16, 4, 62), (20, 4, 60)])).tolist()
    [False, False, True, False, True]
    """
    onset = piece.notes["onset_steps"].astype(np.int64)
    duration = piece.notes["duration_steps"].astype(np.int64)
    if not len(onset):
        return np.zeros(0, dtype=bool)
    following = np.append(duration[1:], 0)
    rest = np.append(onset[1:] > onset[:-1] + duration[:-1], True)
    return rest | ((duration >= LONG_NOTE * np.median(duration)) & (duration >= following))


@lru_cache(maxsize=1)
def _rows() -> dict[str, tuple[Corpus, int]]:
    corpus = load_folk_tunes()
    return {name: (corpus, index) for index, name in enumerate(corpus.column("id").tolist())}


def marked_ends(piece: Piece) -> Bool[np.ndarray, "N"]:
    """The phrase ends that the corpus marks for this very tune (found by `source`), else those of `phrase_ends`."""
    corpus, index = _rows().get(piece.source, (None, 0))
    if corpus is not None:
        marks = corpus.marks(index)
        if len(marks) == len(piece) and marks.any():
            return marks | (np.arange(len(marks)) == len(marks) - 1)
    return phrase_ends(piece)


def _both_sides(style: str, part: str) -> Corpus:
    measured, others = (load_side(style, side, part) for side in SIDES)
    return replace(measured, rows=np.sort(np.concatenate([measured.rows, others.rows])))


def _known(name: str, names: tuple[str, ...], what: str) -> str:
    if name not in names:
        raise MusegenError(f"{what} {name!r} is unknown; choose one of {', '.join(names)}")
    return name
