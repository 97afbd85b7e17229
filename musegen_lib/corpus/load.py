"""Loading the two collections, and keeping their caches right."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.paths import committed, data_dir
from musegen_lib.core.piece import Piece
from musegen_lib.corpus import build, cache, splits
from musegen_lib.corpus.modes import with_modes
from musegen_lib.corpus.table import Corpus

CACHES: dict[str, Callable[[], dict[str, np.ndarray]]] = {
    "chorales": build.chorale_arrays,
    "folk": build.folk_arrays,
}
CHORALE_LICENCE = "(c) 2004 Margaret Greentree, used in music21 by permission; excerpts for teaching"
FOLK_LICENCE = "music21 corpus; legal status unclear, non-commercial; excerpts for teaching"
CHORALE_TERMS = "trained on Bach chorales, (c) 2004 Margaret Greentree, used in music21 by permission: for teaching"
FOLK_TERMS = (
    "trained on music21's folk collections (legal status unclear, non-commercial): for teaching, non-commercial"
)


def load_chorales(split: str = "tune", part: str | None = None, steps_per_beat: int | None = 4) -> Corpus:
    """Load the 365 four-voice Bach chorales (voice 0 soprano to 3 bass).

    Args:
        split: "tune" keeps a hymn tune on one side; "jsb" is the usual benchmark's assignment, which leaks.
        part: "train", "valid" or "test"; None for all.
        steps_per_beat: 4 rounds 18 of 96,101 notes; None keeps every note exact.
    """
    table = splits.chorale_split(split)
    corpus = _corpus("chorales", CHORALE_LICENCE, steps_per_beat)
    return _part(corpus, np.array([table.get(name, "none") for name in corpus.column("id")]), part)


def load_folk_tunes(
    region: str | None = None, kind: str | None = None, part: str | None = None, steps_per_beat: int | None = None
) -> Corpus:
    """Load folk tunes, 12,895 in all.

    Args:
        region: one of `build.REGIONS`, such as "chinese" or "german".
        kind: "song" (Essen) or "dance" (fiddle books).
        part: "train", "valid" or "test"; None for all.
        steps_per_beat: None picks for each tune the coarsest exact grid, from sixteenths up.
    """
    corpus = _corpus("folk", FOLK_LICENCE, steps_per_beat)
    for name, value in (("style", region), ("kind", kind)):
        if value is not None:
            known = sorted(set(corpus.text(name)))
            if value not in known:
                raise MusegenError(f"no folk tunes of {value!r}; choose one of {', '.join(known)}")
            corpus = corpus.where(**{name: value})
    table = splits.folk_split()
    return _part(corpus, np.array([table.get(tune, "train") for tune in corpus.column("id")]), part)


def find_piece(name: str) -> Piece:
    """Find a chorale by its file name or a folk tune by its id, such as "han1.abc#104"."""
    corpus = load_chorales() if name.endswith(".mxl") else load_folk_tunes()
    found = np.flatnonzero(corpus.column("id") == name)
    if not len(found):
        raise MusegenError(f"{name}: no such piece in the corpus; ids look like bwv66.6.mxl and han1.abc#104")
    return corpus[int(found[0])]


def windows(corpus: Iterable[Piece], n_bars: int = 2, hop_bars: int | None = None) -> list[Piece]:
    """Cut every piece into excerpts of n_bars full bars, each on a bar line, hop_bars apart (default n_bars).

    A pickup is left out. Split the corpus first: windows of one piece never belong on two sides.
    """
    hop, found = hop_bars or n_bars, []
    for piece in corpus:
        if piece.steps_per_bar is None:
            continue
        first = 1 if piece.pickup_steps else 0
        full = (piece.n_steps - piece.pickup_steps) // piece.steps_per_bar
        for bar in range(first, first + full - n_bars + 1, hop):
            found.append(piece.excerpt(n_bars, bar))
    return found


def cache_path(name: str) -> Path:
    """File of a cache; its name holds the reader's and music21's version, so that neither can go stale."""
    return data_dir() / "cache" / f"{name}-v{build.READER_VERSION}-music21-{version('music21')}.npz"


def build_caches() -> None:
    """Build every cache anew, replacing what is there only when done."""
    for name, make in CACHES.items():
        print(f"building {name} from music21 {version('music21')} ...")
        cache.write_arrays(cache_path(name), make())
    forget()


def corpus_fingerprint(name: str) -> str:
    """SHA-256 of a collection ("chorales" or "folk") as it is read here."""
    return cache.fingerprint(cache.read_or_build(cache_path(name), CACHES[name], print))


def forget() -> None:
    """Drop what was loaded, so that the next use reads the caches again."""
    _loaded.clear()


def verify_caches() -> None:
    """Check each cache against itself and against the committed fingerprints; rebuild a damaged one.

    Raises:
        MusegenError: a rebuilt cache still differs from the committed fingerprint.
    """
    committed = _committed_fingerprints()
    for name, make in CACHES.items():
        path = cache_path(name)
        found = cache.fingerprint(cache.read_or_build(path, make, print))
        wanted = committed.get(path.name)
        if wanted and wanted != found:
            raise MusegenError(f"{path.name}: fingerprint {found[:12]} is not the committed {wanted[:12]}")
        print(f"{path.name}: {'as committed' if wanted else 'no committed fingerprint'} ({found[:12]})")


def _committed_fingerprints() -> dict[str, str]:
    path = committed("fingerprints.json")
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")).items())
    except (OSError, ValueError, RecursionError, AttributeError) as fault:
        raise MusegenError(f"{path.name}: the fingerprints are missing or unreadable; restore data/") from fault


_loaded: dict[Path, dict[str, np.ndarray]] = {}


def _corpus(name: str, licence: str, steps_per_beat: int | None) -> Corpus:
    path = cache_path(name)
    if path not in _loaded:
        arrays = cache.read_or_build(path, CACHES[name], lambda line: print(line, file=sys.stderr))
        _loaded[path] = with_modes(arrays) if name == "folk" else arrays
    arrays = _loaded[path]
    return Corpus(arrays, np.arange(len(arrays["grid"])), licence, steps_per_beat)


def _part(corpus: Corpus, parts: np.ndarray, part: str | None) -> Corpus:
    if part is None:
        return corpus
    if part not in splits.SPLITS:
        raise MusegenError(f"part {part!r} is unknown; use one of {', '.join(splits.SPLITS)}")
    return corpus.select(parts == part)
