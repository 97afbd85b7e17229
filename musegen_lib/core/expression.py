"""A piece as a musician plays it: loudness, tempo and small delays out of the place of each note.

Loudness rises to the middle of a phrase and falls to its end, marks bars and beats, and lifts the top line. Time slows
down at the end of a phrase, most at the last. The top line sounds 10 to 30 ms before the other voices. The notes stay
on the grid: `Piece.expression` keeps the seed of the delays, and players and MIDI files add them.

Sources: the arch over a phrase from Todd 1992, "The dynamics of dynamics" (JASA 91), as in the rules of Friberg, Bresin
and Sundberg 2006 (Advances in Cognitive Psychology 2); the curve of a ritardando from Friberg and Sundberg 1999 (JASA
105); the lead of a melody, about 30 ms, from Goebl 2001 (JASA 110); for all of it the survey of Widmer and Goebl 2004
(JNMR 33). The amounts are ours, at the lower end of what they report.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.piece import DRUMS, Piece

ARCH_DB = 4.0  # from the ends of a phrase to its middle
FIRST_BEAT_DB, OFF_BEAT_DB = 1.5, -0.7
UNDER_DB = 3.0  # of what is not the top line
LEAD_SECONDS, SPREAD_SECONDS = (0.010, 0.030), 0.006
LARGEST_DELAY = 0.45  # of a step: a reader that rounds finds the step again
SLOWEST_INSIDE, SLOWEST_AT_END = 0.88, 0.6  # at the very end of a ritardando, of the tempo
BEATS_INSIDE, BEATS_AT_END = 2, 4  # of a ritardando, counted from the beat of the last note
CURVE = 3  # q of Friberg and Sundberg
PLAIN_VELOCITY = 80
FINEST = 48  # steps a beat of written music; on a finer grid someone played
N_NOISE = 997


def expressive(piece: Piece, seed: int = 0, ends: Sequence[int] | None = None) -> Piece:
    """Shape a piece that is written down; one that someone played (loudness or tempo varies) comes back as it is.

    Args:
        seed: of the delays.
        ends: steps at which phrases end, the last one the end of the piece; None finds them.
    """
    as_played = piece.tempo_changes or piece.steps_per_beat > FINEST or len(np.unique(piece.notes["velocity"])) != 1
    if piece.expression is not None or as_played:
        return piece
    top = top_line(piece)
    ends = phrase_ends(piece, top) if ends is None else ends
    notes = piece.notes.copy()
    decibels = _arch(notes["onset_steps"], ends) + _accents(piece) - UNDER_DB * ~top
    notes["velocity"] = np.clip(np.rint(notes["velocity"] * 10 ** (decibels / 40)), 1, 127)
    return piece.replace(notes=notes, tempo_changes=_ritardandi(piece, top, ends), expression=seed % 2**31)


def plain(piece: Piece) -> Piece:
    """Take back what `expressive` did: one loudness, one tempo, no delays. Other pieces come back as they are."""
    if piece.expression is None:
        return piece
    notes = piece.notes.copy()
    notes["velocity"] = PLAIN_VELOCITY
    return piece.replace(notes=notes, tempo_changes=(), expression=None)


def note_delays(piece: Piece) -> np.ndarray:
    """(N,) seconds after its step at which each note is struck; 0 for a piece without expression."""
    if piece.expression is None:
        return np.zeros(len(piece))
    onset, pitch, voice = (piece.notes[name].astype(np.int64) for name in ("onset_steps", "pitch", "voice"))
    noise = np.random.default_rng(piece.expression).random(N_NOISE)[(31 * onset + 7 * pitch + voice) % N_NOISE]
    early, late = LEAD_SECONDS
    under = early + SPREAD_SECONDS + (late - early - SPREAD_SECONDS) * noise
    fastest = max(tempo for _, tempo in piece.timeline("tempo_qpm"))
    step_seconds = 60 / fastest / piece.steps_per_beat
    return np.minimum(np.where(top_line(piece), SPREAD_SECONDS * noise, under), LARGEST_DELAY * step_seconds)


def top_line(piece: Piece) -> np.ndarray:
    """(N,) bool: True for notes above which nothing sounds when they begin, and for percussion."""
    begin = piece.notes["onset_steps"].astype(np.int64)
    edges, place = np.unique([begin, begin + piece.notes["duration_steps"]], return_inverse=True)
    begin, end = place.reshape(2, -1)
    highest = np.zeros(len(edges), dtype=np.uint8)  # that sounds between two edges
    drum = np.array([piece.program(voice) == DRUMS for voice in range(piece.n_voices)], dtype=bool)[
        piece.notes["voice"]
    ]
    for i in np.argsort(piece.notes["pitch"], kind="stable"):
        if not drum[i]:
            highest[begin[i] : end[i]] = piece.notes["pitch"][i]
    return drum | (highest[begin] == piece.notes["pitch"])


def phrase_ends(piece: Piece, top: np.ndarray) -> list[int]:
    """Steps at which phrases end: after fermatas; else at the longest wait of the top line in two to four bars.

    Source: pauses as ends of phrases, Temperley 2001, "The Cognition of Basic Musical Structures", chapter 3; here only
    waits of twice the usual time from note to note count.
    """
    if piece.fermatas:
        onsets, stops = piece.notes["onset_steps"], piece.notes["onset_steps"] + piece.notes["duration_steps"]
        held = [stops[(onsets <= step) & (stops > step) & top].max(initial=step + 1) for step in piece.fermatas]
        return sorted({*map(int, held), piece.n_steps})
    bar, ends = piece.steps_per_bar or 4 * piece.steps_per_beat, [0]
    onsets = np.unique(piece.notes["onset_steps"][top])
    waits = np.diff(onsets)
    long = waits >= 2 * np.median(waits) if len(waits) else waits > 0
    places, waits = onsets[1:][long], waits[long]
    while piece.n_steps - ends[-1] > 11 * bar // 2:
        latest = min(ends[-1] + 9 * bar // 2, piece.n_steps - 3 * bar // 2)
        first, last = np.searchsorted(places, [ends[-1] + 3 * bar // 2, latest + 1])
        found = max(zip(waits[first:last].tolist(), places[first:last].tolist()), default=(0, ends[-1] + 4 * bar))
        ends.append(found[1])
    return [*ends[1:], piece.n_steps]


def _arch(onsets: np.ndarray, ends: Sequence[int]) -> np.ndarray:
    edges = np.array([0, *ends])
    phrase = np.clip(np.searchsorted(edges, onsets, side="right") - 1, 0, len(ends) - 1)
    along = (onsets - edges[phrase]) / (edges[phrase + 1] - edges[phrase])
    return ARCH_DB * (4 * along * (1 - along) - 2 / 3)  # 0 on average


def _accents(piece: Piece) -> np.ndarray:
    onsets, lines = piece.notes["onset_steps"].astype(np.int64), piece.bar_onsets
    if piece.metre is None:
        return np.zeros(len(onsets))
    bar = np.searchsorted(lines, onsets, side="right") - 1
    since = onsets - lines[bar] - np.where(bar == 0, piece.pickup_steps, 0)  # below 0 in a pickup
    return np.where(since == 0, FIRST_BEAT_DB, np.where(since % beat_steps(piece) == 0, 0.0, OFF_BEAT_DB))


def beat_steps(piece: Piece) -> int:
    """Length of the beat one counts: of 6/8 a dotted quarter note, of 3/4 a quarter note."""
    upper, lower = map(int, (piece.metre or "4/4").split("/"))
    counted = f"3/{lower}" if lower >= 8 and upper > 3 and upper % 3 == 0 else f"1/{lower}"
    return max(1, int(metre_to_beats(counted) * piece.steps_per_beat))


def _ritardandi(piece: Piece, top: np.ndarray, ends: Sequence[int]) -> list[tuple[int, float]]:
    """Tempos beat by beat to the end of each phrase: v(x) = (1 + (w^q - 1) x)^(1/q), w the tempo at x = 1."""
    beat, tempo, start = beat_steps(piece), piece.tempo_qpm, 0
    onsets = np.unique(piece.notes["onset_steps"][top])
    changes = []
    for end in ends:
        n_beats, slowest = (BEATS_AT_END, SLOWEST_AT_END) if end == ends[-1] else (BEATS_INSIDE, SLOWEST_INSIDE)
        last = int(onsets[max(0, np.searchsorted(onsets, end) - 1)])
        n_beats = min(n_beats - 1 + -(-(end - last) // beat), (end - start) // (2 * beat))
        for i in range(n_beats):
            along = (i + 0.5) / n_beats
            ratio = (1 + (slowest**CURVE - 1) * along) ** (1 / CURVE)
            changes.append((end - (n_beats - i) * beat, round(tempo * ratio, 1)))
        changes.append((end, tempo))
        start = end
    return changes[:-1]
