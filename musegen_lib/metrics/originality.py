"""Is it copied? The longest run of notes that a piece shares with a collection, at any transposition and tempo unit.

Two runs are the same if their melodic intervals and their durations are. The figure means little alone: print beside
it what held-out tunes score, since real tunes share phrases too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from musegen_lib.core.piece import Piece
from musegen_lib.corpus import Corpus
from musegen_lib.encodings.arrays import piece_to_grid

LONGEST_RUN = 64  # longer runs count as this many intervals


def melody_symbols(piece: Piece) -> Int[np.ndarray, "N"]:
    """One number a melodic step: its interval, and the duration of the note it leaves in 48ths of a beat.

    >>> a, b = Piece.from_notes([(0, 4, 60), (4, 4, 62)]), Piece.from_notes([(0, 4, 65), (4, 4, 67)])
    >>> melody_symbols(a).tolist() == melody_symbols(b).tolist()
    True
    """
    pitch = piece.notes["pitch"].astype(np.int64)
    ticks = piece.notes["duration_steps"].astype(np.int64) * 48 // piece.steps_per_beat
    return (np.diff(pitch) + 128) * 65_536 + np.minimum(ticks[:-1], 65_535)


def corpus_to_symbols(corpus: Corpus) -> list[Int[np.ndarray, "N"]]:
    """The same for every piece of a corpus of melodies, straight from its arrays."""
    pitch, duration = corpus.arrays["pitch"].astype(np.int64), corpus.arrays["duration"].astype(np.int64)
    steps = (np.diff(pitch) + 128) * 65_536 + duration[:-1]
    offsets = corpus.arrays["offsets"]
    return [steps[offsets[row] : offsets[row + 1] - 1] for row in corpus.rows]


def chord_symbols(piece: Piece) -> Int[np.ndarray, "N"]:
    """One number a beat of a piece for four voices: how the bass moved since the last beat, and the chord above it.

    Same at every transposition. A chord is the interval of each upper voice above the bass, a rest a value of its own.

    >>> chord = [(0, 8, 72, 80, 0), (0, 8, 67, 80, 1), (0, 8, 64, 80, 2), (0, 4, 48, 80, 3), (4, 4, 45, 80, 3)]
    >>> len(chord_symbols(Piece.from_notes(chord)))
    1
    """
    beats = np.abs(piece_to_grid(piece))[piece.pickup_steps % piece.steps_per_beat :: piece.steps_per_beat]
    bass = beats[:, 3:]
    above = np.where((beats[:, :3] > 0) & (bass > 0), np.clip(beats[:, :3] - bass, 0, 62), 63)  # (N, 3)
    moved = np.clip(np.diff(bass[:, 0]), -31, 31) + 31
    return (moved * 64**3 + above[1:] @ [64**2, 64, 1]).astype(np.int64)


class CopyDetector:
    """Finds the longest run that a melody shares with any melody of a collection.

    Memory and time: a sorted list of all suffixes, built once (about 2 s for 900,000 notes); a query is a binary
    search for each of its notes.
    """

    def __init__(self, melodies: Sequence[Int[np.ndarray, "N"]]):
        joined = np.concatenate([part for melody in melodies for part in (melody, [-1])])  # -1 ends each melody
        self.alphabet, ids = np.unique(joined, return_inverse=True)
        if len(self.alphabet) >= 65_536:
            raise ValueError(f"{len(self.alphabet)} different steps are more than the detector's 65,535")
        self.order = _suffix_order(ids)
        self.text = (ids + 1).astype(">u2").tobytes()  # big-endian: bytes sort as numbers do

    def longest_run(self, melody: Int[np.ndarray, "N"]) -> int:
        """Notes in the longest shared run: its intervals plus one, or 0 if not even one step is shared."""
        place = np.minimum(np.searchsorted(self.alphabet, melody), len(self.alphabet) - 1)
        ids = np.where(self.alphabet[place] == melody, place + 1, 0)  # 0: a step the collection never takes
        query = ids.astype(">u2").tobytes()
        longest = 0
        for start in range(len(melody)):
            if len(melody) - start <= longest:
                break
            longest = max(longest, self._match(query[2 * start : 2 * (start + LONGEST_RUN)]))
        return longest + 1 if longest else 0

    def _match(self, wanted: bytes) -> int:
        low, high = 0, len(self.order)
        while low < high:
            middle = (low + high) // 2
            if self._suffix(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        near = [self._suffix(i) for i in (low - 1, low) if 0 <= i < len(self.order)]
        return max(_common(suffix, wanted) for suffix in near)

    def _suffix(self, rank: int) -> bytes:
        start = 2 * int(self.order[rank])
        return self.text[start : start + 2 * LONGEST_RUN]


def _common(a: bytes, b: bytes) -> int:
    n = min(len(a), len(b)) // 2
    x, y = np.frombuffer(a, ">u2", n), np.frombuffer(b, ">u2", n)
    different = np.nonzero(x != y)[0]
    return int(different[0]) if len(different) else n


def _suffix_order(ids: Int[np.ndarray, "N"]) -> Int[np.ndarray, "N"]:
    """Sort suffixes by their first LONGEST_RUN symbols, doubling the compared length each round."""
    rank, span = ids.astype(np.int64), 1
    while span < LONGEST_RUN:
        later = np.zeros_like(rank)
        later[:-span] = rank[span:] + 1
        _, rank = np.unique(rank * (rank.max() + 2) + later, return_inverse=True)
        span *= 2
    return np.argsort(rank, kind="stable")
