"""A piece as a musician plays it: loudness, tempo and small delays out of the place of each note.

Loudness rises to the middle of a phrase and falls to its end, marks bars and beats, and lifts the top line. Time slows
down at the end of a phrase, most at the last, and pauses at a fermata. The top line sounds 10 to 30 ms before the other
voices. A dance keeps its pulse and has stronger accents; an organ, which knows no touch, is shaped by time alone. The
notes stay on the grid: `Piece.expression` keeps the seed of the delays, and players and MIDI files add them.

Sources: the arch over a phrase from Todd 1992, "The dynamics of dynamics" (JASA 91), as in the rules of Friberg, Bresin
and Sundberg 2006 (Advances in Cognitive Psychology 2); the curve of a final ritardando from Friberg and Sundberg 1999
(JASA 105); the lead of a melody on the piano, about 30 ms, from Goebl 2001 (JASA 110); for all of it the survey of
Widmer and Goebl 2004 (JNMR 33). The amounts are ours, at the lower end of what they report; those of fermatas and
dances, and when no ritardando is played, are ours altogether.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np

from musegen_lib.core.keys import metre_to_beats
from musegen_lib.core.piece import DRUMS, Piece

ORGANS = range(16, 21)  # General MIDI programs
DANCES = ("irish", "american", "scottish", "english")  # styles
ARCH_DB = 4.0  # from the ends of a phrase to its middle
FIRST_BEAT_DB, OFF_BEAT_DB = 1.5, -0.7
DANCE_ACCENTS = 2.0  # times the usual ones
UNDER_DB = 3.0  # of what is not the top line
LEAD_SECONDS, SPREAD_SECONDS = (0.010, 0.030), 0.006
LARGEST_DELAY = 0.45  # of a step: a reader that rounds finds the step again
SLOWEST_INSIDE, SLOWEST_AT_END = 0.88, 0.6  # at the very end of a ritardando, of the tempo
BEATS_INSIDE, BEATS_AT_END = 2, 4  # of a ritardando, counted from the beat of the last note
PAUSE, BREATH_SECONDS = 1.4, 0.06  # of a fermata: how much longer its note is, and the gap behind it
PHRASE_BARS = (4, 2, 3)  # lengths of a phrase, the usual one first
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
    decibels[_played_by(piece, ORGANS)] = 0
    notes["velocity"] = np.clip(np.rint(notes["velocity"] * 10 ** (decibels / 40)), 1, 127)
    return piece.replace(notes=notes, tempo_changes=_tempo_changes(piece, ends), expression=int(seed) % 2**31)


def plain(piece: Piece) -> Piece:
    """Take back what `expressive` did: one loudness, one tempo, no delays. Other pieces come back as they are."""
    if piece.expression is None:
        return piece
    notes = piece.notes.copy()
    notes["velocity"] = PLAIN_VELOCITY
    return piece.replace(notes=notes, tempo_changes=(), expression=None)


def note_delays(piece: Piece) -> np.ndarray:
    """(N,) seconds after its step at which each note is struck; 0 for a piece without expression.

    All are scaled down where a step is so short that the largest would be more than LARGEST_DELAY of it.
    """
    if piece.expression is None:
        return np.zeros(len(piece))
    onset, pitch, voice = (piece.notes[name].astype(np.int64) for name in ("onset_steps", "pitch", "voice"))
    noise = np.random.default_rng(piece.expression).random(N_NOISE)[(31 * onset + 7 * pitch + voice) % N_NOISE]
    early, late = LEAD_SECONDS
    under = early + SPREAD_SECONDS + (late - early - SPREAD_SECONDS) * noise
    delays = np.where(_played_by(piece, ORGANS), 0, np.where(top_line(piece), SPREAD_SECONDS * noise, under))
    fastest = max(tempo for _, tempo in piece.timeline("tempo_qpm"))
    largest = LARGEST_DELAY * 60 / fastest / piece.steps_per_beat
    breath = BREATH_SECONDS * np.isin(onset, [stop for _, stop in _held(piece)])
    return np.minimum(delays * min(1.0, largest / late) + breath, largest)


def _played_by(piece: Piece, programs: Container[int]) -> np.ndarray:
    """(N,) bool: whether the voice of the note has one of these programs."""
    found = np.array([piece.program(voice) in programs for voice in range(piece.n_voices)], dtype=bool)
    return found[piece.notes["voice"]]


def top_line(piece: Piece) -> np.ndarray:
    """(N,) bool: True for notes above which nothing sounds when they begin, and for percussion."""
    begin = piece.notes["onset_steps"].astype(np.int64)
    edges, place = np.unique([begin, begin + piece.notes["duration_steps"]], return_inverse=True)
    begin, end = place.reshape(2, -1)
    highest = np.zeros(len(edges), dtype=np.uint8)  # that sounds between two edges
    drum = _played_by(piece, [DRUMS])
    for i in np.argsort(piece.notes["pitch"], kind="stable"):
        if not drum[i]:
            highest[begin[i] : end[i]] = piece.notes["pitch"][i]
    return drum | (highest[begin] == piece.notes["pitch"])


def phrase_ends(piece: Piece, top: np.ndarray) -> list[int]:
    """Steps at which phrases end: after fermatas; else on bar lines, or before the pickup to them.

    A phrase has four bars, or two or three if the top line waits longer for its next note there; a dance's has four.
    Source: pauses as ends of phrases, Temperley 2001, "The Cognition of Basic Musical Structures", chapter 3.
    """
    if piece.fermatas:
        return sorted({*(stop for _, stop in _held(piece)), piece.n_steps})
    sung = top & ~_played_by(piece, [DRUMS])
    onsets = np.unique(piece.notes["onset_steps"][sung if sung.any() else top]).astype(np.int64)
    lines = _full_bars(piece)
    early = lines - piece.pickup_steps
    places = np.where(np.isin(early, onsets), early, lines)
    after = np.searchsorted(onsets, places)
    waits = onsets[np.minimum(after, len(onsets) - 1)] - onsets[np.maximum(after - 1, 0)]
    lengths = PHRASE_BARS[:1] if piece.style in DANCES else PHRASE_BARS
    bar, ends = 0, []
    while bar + max(lengths) + 2 <= len(lines):  # the last phrase has two bars or more
        bar += max(lengths, key=lambda length: waits[bar + length])
        ends.append(int(places[bar]))
    return [*ends, piece.n_steps]


def _full_bars(piece: Piece) -> np.ndarray:
    """Steps at which bars begin, without the pickup; bars of four beats where no metre says more."""
    if piece.metre is None:
        return np.arange(0, piece.n_steps, 4 * piece.steps_per_beat)
    return piece.bar_onsets[1 if piece.pickup_steps else 0 :]


def _held(piece: Piece) -> list[tuple[int, int]]:
    """Each fermata and the step at which the highest note under it ends."""
    begin, pitch = piece.notes["onset_steps"].astype(np.int64), piece.notes["pitch"]
    stop, is_drum, held = begin + piece.notes["duration_steps"], _played_by(piece, [DRUMS]), []
    for step in piece.fermatas:
        under = np.flatnonzero((begin <= step) & (stop > step) & ~is_drum)
        if len(under):
            held.append((step, int(stop[under[np.argmax(pitch[under])]])))
    return held


def _arch(onsets: np.ndarray, ends: Sequence[int]) -> np.ndarray:
    edges = np.array([0, *ends])
    phrase = np.clip(np.searchsorted(edges, onsets, side="right") - 1, 0, len(ends) - 1)
    along = (onsets - edges[phrase]) / (edges[phrase + 1] - edges[phrase])
    return ARCH_DB * (4 * along * (1 - along) - 2 / 3)  # 0 on average


def _accents(piece: Piece) -> np.ndarray:
    """Decibels for each note on a bar line or off the beat; beats are those of the first metre."""
    onsets, lines = piece.notes["onset_steps"].astype(np.int64), piece.bar_onsets
    if piece.metre is None:
        return np.zeros(len(onsets))
    bar = np.searchsorted(lines, onsets, side="right") - 1
    strength = DANCE_ACCENTS if piece.style in DANCES else 1.0
    since = onsets - lines[bar] - np.where(bar == 0, piece.pickup_steps, 0)  # below 0 in a pickup
    return strength * np.where(since == 0, FIRST_BEAT_DB, np.where(since % beat_steps(piece) == 0, 0.0, OFF_BEAT_DB))


def beat_steps(piece: Piece) -> int:
    """Length of the beat one counts: of 6/8 a dotted quarter note, of 3/4 a quarter note."""
    upper, lower = map(int, (piece.metre or "4/4").split("/"))
    counted = f"3/{lower}" if lower >= 8 and upper > 3 and upper % 3 == 0 else f"1/{lower}"
    return max(1, int(metre_to_beats(counted) * piece.steps_per_beat))


def _tempo_changes(piece: Piece, ends: Sequence[int]) -> list[tuple[int, float]]:
    """Ritardandi to the ends of phrases, and pauses; of a dance, only that of an inner phrase in its last bar.

    No ritardando at the end of what is cut, of less than four bars, and of percussion, which may be played in a loop.
    """
    changes, start, is_dance = {}, 0, piece.style in DANCES
    is_drums = bool(_played_by(piece, [DRUMS]).all())
    is_open = piece.is_cut or len(_full_bars(piece)) < PHRASE_BARS[0]
    for end in ends:
        is_last = end == ends[-1]
        start = max(start, end - 2 * (piece.steps_per_bar or end)) if is_dance else start
        if not (is_drums or (is_open if is_last else is_dance)):
            changes |= _ritardando(piece, start, end, is_long=is_last and not is_dance)
        start = end
    for begin, stop in _held(piece):
        after = {stop: piece.tempo_qpm} | {step: tempo for step, tempo in changes.items() if not begin <= step < stop}
        changes = after | {begin: _round(piece.tempo_qpm / PAUSE)}
    return sorted((step, tempo) for step, tempo in changes.items() if 0 < step < piece.n_steps)


def _ritardando(piece: Piece, start: int, end: int, is_long: bool) -> dict[int, float]:
    """Tempo by beats from before the last note on: v(x) = (1 + (w^q - 1) x)^(1/q), w the tempo at x = 1."""
    n_beats, slowest = (BEATS_AT_END, SLOWEST_AT_END) if is_long else (BEATS_INSIDE, SLOWEST_INSIDE)
    beat, onsets = beat_steps(piece), piece.notes["onset_steps"]
    line = end + (piece.pickup_steps - end) % beat  # the beat at or after the end
    last = int(onsets[onsets < end].max(initial=start))
    n_beats = min(n_beats - 1 + -(-(line - last) // beat), (end - start) // (2 * beat))
    ratios = [(1 + (slowest**CURVE - 1) * (i + 0.5) / n_beats) ** (1 / CURVE) for i in range(n_beats)]
    steps = range(line - n_beats * beat, line, beat)
    return {step: _round(piece.tempo_qpm * ratio) for step, ratio in zip(steps, ratios)} | {end: piece.tempo_qpm}


def _round(tempo: float) -> float:
    return float(f"{tempo:.4g}")
