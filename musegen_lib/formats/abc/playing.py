"""From a tune as written to a `Piece` as played: repeats and jumps taken, all notes at the pitch they sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from musegen_lib.core.errors import MusegenError
from musegen_lib.core.keys import metre_to_beats, transpose_key
from musegen_lib.core.limits import MAX_BEATS, refuse_endless
from musegen_lib.core.piece import DRUMS, Piece
from musegen_lib.formats.abc.bars import Bar, expand_parts, play, to_measures
from musegen_lib.formats.abc.fields import parse_key
from musegen_lib.formats.abc.text import plain_text
from musegen_lib.formats.abc.voices import FINE_PER_BEAT, UNREAD, VoiceReader
from musegen_lib.formats.grid import changes_to_steps, coarsest_grid, table_to_notes, to_steps
from musegen_lib.formats.repeats import Span, play_changes, play_notes
from musegen_lib.formats.report import NotationReport

if TYPE_CHECKING:
    from musegen_lib.formats.abc.reader import Tune

VELOCITY = 80
DEFAULT_TEMPO = 100.0
Timeline = list[tuple[int, Any]]  # (onset in fine ticks, value), the one at the start first


def tune_to_piece(
    tune: Tune, steps_per_beat: int | None = None, as_written: bool = False, **labels: Any
) -> tuple[Piece, NotationReport]:
    """Play a tune: one voice a voice, repeats and jumps taken, transpositions sounding.

    Args:
        steps_per_beat: None for the coarsest grid that holds every note exactly; else notes are moved to this one.
        as_written: take no repeats and jumps.
        labels: fields of Piece, in place of what the tune says.
    Returns:
        the piece, and what was left out or moved.

    >>> from musegen_lib.formats.abc.reader import parse_abc
    >>> [tune] = parse_abc("X:1\\nT:Scale\\nM:2/4\\nL:1/8\\nK:G\\n|:D|G2 A2|B2 c>d:|")
    >>> tune_to_piece(tune)[0], tune_to_piece(tune, as_written=True)[0]
    (Piece('Scale': 12 notes, 6 bars of 2/4, G major, 5.4 s), Piece('Scale': 6 notes, 3 bars of 2/4, G major, 2.7 s))
    """
    name = f"{tune.source}, line {tune.line}: tune X:{tune.number}"
    try:
        whole = [(0, max(part.now for part in tune.parts))]
        spans = whole if as_written else _spans(tune, whole[0][1])
        layers = [_without_unisons(part) for part in tune.parts]
        voices = [play_notes(rows, spans) for rows, _ in layers]
    except ValueError as fault:
        raise MusegenError(f"{name}: {fault}") from None
    times = _timelines(tune.parts, spans)
    pickup = _pickup(tune.parts[0], times["metre"])
    beats = sum(stop - start for start, stop in spans) / FINE_PER_BEAT
    if beats > MAX_BEATS:
        raise MusegenError(f"{name} plays {beats:,.0f} quarter notes, more than {MAX_BEATS:,}; read it --as-written")
    table = np.array([(*row[:3], VELOCITY, n) for n, rows in enumerate(voices) for row in rows], dtype=np.int64)
    table = table.reshape(-1, 5)
    grid = steps_per_beat or _exact_grid(table, times, pickup)
    notes, moved = table_to_notes(table, grid, FINE_PER_BEAT)
    found: dict[str, Any] = {
        "title": plain_text(tune.titles[0]) if tune.titles else "",
        "source": f"{tune.source} X:{tune.number}",
        "pickup_steps": to_steps(pickup, grid, FINE_PER_BEAT),
        "programs": _programs(tune.parts),
    }
    for label, default, changes in (
        ("metre", None, "metre_changes"),
        ("key", None, "key_changes"),
        ("tempo_qpm", DEFAULT_TEMPO, "tempo_changes"),
    ):
        found[label], later = changes_to_steps(times[label], default, grid, FINE_PER_BEAT)
        last = int((notes["onset_steps"] + notes["duration_steps"]).max(initial=0))
        found[changes] = tuple(change for change in later if change[0] < last)
    piece = Piece(notes, steps_per_beat=grid, **found | labels)
    try:
        refuse_endless(piece)
    except MusegenError as fault:
        raise MusegenError(f"{name} {fault}") from None
    drums = sum(len(rows) for part, rows in zip(tune.parts, voices) if part.is_drums)
    counts = {"grace_notes": tune.n_grace, "unisons": sum(n for _, n in layers), "unread": tune.counts[UNREAD]}
    return piece, NotationReport(**moved, **counts, drum_notes=drums, remarks=_remarks(tune, spans))


def _spans(tune: Tune, end: int) -> list[Span]:
    """What to play in order, by the signs of the first voice that has any."""
    part = next(
        (p for p in tune.parts if p.marks or any(":" in b.line or b.ending for b in p.bar_lines)), tune.parts[0]
    )
    labels = sorted({label for part in tune.parts for label in part.part_labels})
    edges = [Bar(onset, "", "") for onset, _ in labels]
    measures = to_measures([*part.bar_lines, *edges], part.marks, end)
    return play(measures, labels, tune.fields.get("P", ("",))[-1])


def _without_unisons(part: VoiceReader) -> tuple[list[list[int]], int]:
    """The notes of a voice; of two layers or chord notes with one pitch at a time the longer stays. And how many went.

    One that starts while its pitch sounds and ends later is cut off by neither: the earlier ends there.
    """
    rows = sorted(part.sounding, key=lambda row: (row[2], row[0], -row[1]))
    kept: list[list[int]] = []
    for row in rows:
        if not (kept and kept[-1][2] == row[2] and row[1] <= kept[-1][1]):
            kept.append(row)
    return kept, len(rows) - len(kept)


def _timelines(parts: Sequence[VoiceReader], spans: Sequence[Span]) -> dict[str, Timeline]:
    """Metre and key of the first voice and the tempi of all, in playing order; the key as it sounds."""
    tempi = {onset: tempo for part in reversed(parts) for onset, tempo in part.changes["tempo"]}
    pitched = next((part for part in parts if not part.is_drums), parts[0])
    played = {
        "metre": play_changes(parts[0].changes["metre"], spans),
        "key": play_changes(pitched.changes["key"], spans),
        "tempo_qpm": play_changes(sorted(tempi.items()), spans),
    }
    played["key"] = [(onset, transpose_key(*value)) for onset, value in played["key"]]
    return played


def _pickup(part: VoiceReader, metres: Timeline) -> int:
    """Length of the incomplete first bar: where most written bar lines fall, counted in whole bars of the first metre.

    A first bar with a short metre of its own becomes a pickup of the metre behind it.
    """
    first = metres[0][1] if metres else None
    metres[:] = [each for n, each in enumerate(metres) if n == 0 or each[1] != metres[n - 1][1]]
    change = metres[1][0] if len(metres) > 1 else None
    if first is None or len(part.bars) < 2:
        return 0
    bar = int(metre_to_beats(first) * FINE_PER_BEAT)
    if change == bar and _becomes_pickup(metres, part.now):
        metres[:] = [(0, metres[1][1]), *metres[2:]]
        return bar
    phases = [onset % bar for onset, _ in part.bars[1:] if change is None or onset <= change]
    return max(phases, key=phases.count, default=0)


def _becomes_pickup(metres: Timeline, end: int) -> bool:
    """Whether a first bar leads into at least two bars of a longer metre."""
    (_, first), (onset, second), *later = metres
    if second is None or metre_to_beats(second) <= metre_to_beats(first):
        return False
    stop = later[0][0] if later else end
    return stop - onset >= 2 * metre_to_beats(second) * FINE_PER_BEAT


def _exact_grid(table: np.ndarray, times: dict[str, Timeline], pickup: int) -> int:
    changes = [onset for label in ("metre", "key") for onset, _ in times[label]]
    return coarsest_grid(np.concatenate([table[:, :2].ravel(), changes, [pickup]]).astype(np.int64), FINE_PER_BEAT)


def _programs(parts: Sequence[VoiceReader]) -> tuple[int, ...]:
    programs = tuple(DRUMS if part.is_drums else part.program for part in parts)
    return programs if any(programs) else ()


def _remarks(tune: Tune, spans: Sequence[Span]) -> tuple[str, ...]:
    """What was left out, each with its number, and what was taken for granted."""
    said = [f"{phrase}: {number}" for phrase, number in tune.counts.items() if number and phrase != UNREAD]
    unread = {parse_key(value).unread for value in tune.fields["K"]} - {""}
    said += [f"{sign} right behind the tonic of K: is not read; put a space before it" for sign in sorted(unread)]
    if "X" not in tune.fields:
        said.append("the line X: with the number of the tune is missing; read as a tune")
    order = tune.fields.get("P", ("",))[-1]
    labelled = any(part.part_labels for part in tune.parts)
    if len(expand_parts(order)) > 1 and not labelled:
        said.append(f"the order of parts P:{order} is ignored, for no part is marked")
    unplayed = {row[0] for part in tune.parts for row in part.sounding}
    for start, stop in set(spans):
        unplayed -= {onset for onset in unplayed if start <= onset < stop}
    if unplayed:
        said.append(f"chords and notes that the signs of repeat never reach: {len(unplayed)}")
    return tuple(said)
