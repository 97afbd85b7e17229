"""`musegen transfer`: rewrite any melody towards Chinese or German folk song, and say what came of it."""

from __future__ import annotations

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.piece import Piece, pitched_notes
from musegen_lib.corpus.chinese_german import FEWEST_NOTES, STYLES
from musegen_lib.encodings.arrays import skyline
from musegen_lib.models.style.attribute_vector import by_attribute
from musegen_lib.models.style.baselines import Rewriter, counted, counted_between_ends, snapped
from musegen_lib.models.style.methods import by_ensemble, by_gan, by_rnn, by_vae

METHODS: dict[str, Rewriter] = {  # name: what rewrites; the nets of lesson 5 join here
    "counts": counted,
    "counts-ends": counted_between_ends,
    "snap": snapped,
    "gan": by_gan,
    "rnn": by_rnn,
    "vae": by_vae,
    "vae-ensemble": by_ensemble,
    "vae-attribute": by_attribute,
}


def rewrite(piece: Piece, to: str, method: str = "counts", amount: float = 0.2, seed: int = 0) -> Piece:
    """Rewrite a melody towards a style; at most the share `amount` of its notes changes.

    Raises:
        MusegenError: the style or the method is unknown, or the amount lies outside 0 to 1.
    """
    for what, name, known in (("style", to, STYLES), ("method", method, METHODS)):
        if name not in known:
            raise MusegenError(f"{what} {name!r} is unknown; choose one of {', '.join(known)}")
    if not 0 <= amount <= 1:
        raise MusegenError(f"amount {amount:g} must lie in 0 to 1: it is the largest share of notes to change")
    return METHODS[method](piece, to, amount, seed)


def melody_of(piece: Piece) -> tuple[Piece, list[str]]:
    """The top voice of any piece, drums left out, and lines that tell what was left out or guessed.

    Raises:
        MusegenError: nothing is left but drums, or nothing was there.
    """
    name = piece.title or "the piece"
    sung = pitched_notes(piece)
    n_drums = len(piece) - len(sung)
    if not len(sung):
        raise MusegenError(f"{name}: no melody in it ({len(piece)} notes, all of them drums)")
    melody = skyline(piece.replace(notes=sung))
    told = []
    if n_drums:
        told.append(f"{n_drums} drum notes left out")
    if len(melody) < len(sung):
        told.append(f"several notes at once: the highest is taken, {len(melody)} of {len(piece)} notes")
    if piece.metre is None:
        told.append("no metre: only pitches and durations are read")
    if len(melody) < FEWEST_NOTES:
        told.append(f"{len(melody)} notes are few: the judges were trained on tunes of {FEWEST_NOTES} or more")
    return melody, told
