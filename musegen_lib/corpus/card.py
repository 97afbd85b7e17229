"""What the corpus holds, counted: the numbers behind data/README.md."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from musegen_lib.corpus import load_chorales, load_folk_tunes
from musegen_lib.corpus.splits import SPLITS
from musegen_lib.corpus.table import Corpus


def corpus_card() -> dict[str, Any]:
    """Counts, ranges, grids, metres and splits of both collections."""
    folk = load_folk_tunes()
    styles = Counter(folk.column("style").tolist())
    return {
        "chorales": _counts(load_chorales())
        | {f"split {split}": {part: len(load_chorales(split, part)) for part in SPLITS} for split in ("tune", "jsb")},
        "folk tunes": _counts(folk)
        | {
            "styles": dict(styles.most_common()),
            "split": {part: len(load_folk_tunes(part=part)) for part in SPLITS},
            "on sixteenths": int((folk.column("grid") == 4).sum()),
        },
    }


def _counts(corpus: Corpus) -> dict[str, Any]:
    notes = corpus.n_notes
    metres = Counter(corpus.column("metre").tolist())
    return {
        "pieces": len(corpus),
        "notes": int(notes.sum()),
        "notes a piece (least, median, most)": [int(notes.min()), int(np.median(notes)), int(notes.max())],
        "pitches": [int(corpus.arrays["pitch"].min()), int(corpus.arrays["pitch"].max())],
        "metres": {metre or "none": count for metre, count in metres.most_common(8)},
        "with a pickup": int((corpus.column("pickup") > 0).sum()),
    }
