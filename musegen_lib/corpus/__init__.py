"""The real music of the course: Bach chorales and folk tunes out of the installed music21.

Nothing is downloaded and nothing derived from the music is shipped: the first use reads music21's own files into
`data/cache/`, later uses load that in milliseconds.

>>> len(load_chorales()), len(load_folk_tunes(region="chinese"))
(365, 1224)
"""

from musegen_lib.corpus.load import (
    CHORALE_TERMS,
    FOLK_TERMS,
    build_caches,
    cache_path,
    corpus_fingerprint,
    find_piece,
    forget,
    load_chorales,
    load_folk_tunes,
    verify_caches,
    windows,
)
from musegen_lib.corpus.table import Corpus

__all__ = [
    "CHORALE_TERMS",
    "FOLK_TERMS",
    "Corpus",
    "build_caches",
    "cache_path",
    "corpus_fingerprint",
    "find_piece",
    "forget",
    "load_chorales",
    "load_folk_tunes",
    "verify_caches",
    "windows",
]
