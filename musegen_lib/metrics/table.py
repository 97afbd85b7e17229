"""One table of every metric over groups of pieces: real, shuffled, noise, and whatever a model wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from musegen_lib.core.piece import Piece
from musegen_lib.metrics.histograms import (
    mean_inter_onset_interval,
    n_pitch_classes_used,
    n_pitches_used,
    notes_per_bar,
    pitch_classes_per_bar,
    pitch_range,
)
from musegen_lib.metrics.likelihood import Estimate, mean_estimate, ratio_estimate
from musegen_lib.metrics.texture import (
    empty_bars_rate,
    empty_beats_rate,
    groove_consistency,
    groove_similarity,
    polyphony,
    polyphony_rate,
    qualified_note_rate,
)
from musegen_lib.metrics.tonality import key_fit, pitch_class_entropy, pitch_entropy, scale_consistency, tonal_distance
from musegen_lib.metrics.voices import RULES, count_leaps


@dataclass(frozen=True)
class Metric:
    """A row of the table: measure gives a number a piece, or (hits, chances), which are pooled and given per cent."""

    name: str
    unit: str
    measure: Callable[[Piece], float | tuple[int, int]]

    def estimate(self, pieces: Sequence[Piece]) -> Estimate:
        """Mean over pieces, or hits per 100 chances over all pieces; both with the standard error over pieces."""
        values = np.array([self.measure(piece) for piece in pieces], dtype=np.float64)
        if values.ndim == 2:
            return ratio_estimate(100 * values[:, 0], values[:, 1])
        return mean_estimate(values)


@dataclass(frozen=True)
class MetricRow:
    """One metric, and its estimate in each group."""

    name: str
    unit: str
    estimates: dict[str, Estimate]


def tonal_distance_of_outer_voices(piece: Piece) -> float:
    """`tonal_distance` of the first and the last voice."""
    return tonal_distance(piece.voice(0), piece.voice(piece.n_voices - 1)) if piece.n_voices > 1 else float("nan")


def eighths_rate(piece: Piece) -> float:
    """`qualified_note_rate` with an eighth as the shortest note that is no crumb."""
    return qualified_note_rate(piece, shortest_beats=0.5)


MELODY_METRICS = (
    Metric("scale consistency", "share of notes", scale_consistency),
    Metric("key fit", "share of time", key_fit),
    Metric("pitch class entropy", "bits", pitch_class_entropy),
    Metric("pitch entropy", "bits", pitch_entropy),
    Metric("pitch range", "semitones", pitch_range),
    Metric("pitches used", "count", n_pitches_used),
    Metric("pitch classes used", "count", n_pitch_classes_used),
    Metric("pitch classes a bar", "count", lambda piece: _mean(pitch_classes_per_bar(piece))),
    Metric("leaps over a fifth", "% of moves", count_leaps),
    Metric("notes a bar", "count", lambda piece: _mean(notes_per_bar(piece))),
    Metric("inter-onset interval", "beats", mean_inter_onset_interval),
    Metric("groove consistency", "share of positions", groove_consistency),
    Metric("groove similarity", "share of positions", groove_similarity),
    Metric("notes of an eighth or more", "share of notes", eighths_rate),
    Metric("empty bars", "share of bars", empty_bars_rate),
    Metric("empty beats", "share of beats", empty_beats_rate),
)
_UNITS = {
    "parallel fifths": "per 100 changes",
    "parallel octaves": "per 100 changes",
    "voice crossing": "% of steps",
    "triads and sevenths": "% of beats",
    "out of range": "% of notes",
}
VOICE_METRICS = (
    Metric("polyphony", "pitches", polyphony),
    Metric("polyphony rate", "share of steps", polyphony_rate),
    Metric("tonal distance, outer voices", "0 to 2.83", tonal_distance_of_outer_voices),
    *(Metric(name, unit, RULES[name]) for name, unit in _UNITS.items()),
)


def metric_table(groups: Mapping[str, Sequence[Piece]], metrics: Sequence[Metric] | None = None) -> list[MetricRow]:
    """Measure every group of pieces by every metric.

    Args:
        groups: a name and its pieces, such as real, shuffled, noise, model; printed in this order.
        metrics: None takes MELODY_METRICS, and VOICE_METRICS too if every piece has four voices.
    """
    if metrics is None:
        four = all(piece.n_voices == 4 for pieces in groups.values() for piece in pieces)
        metrics = MELODY_METRICS + VOICE_METRICS if four else MELODY_METRICS
    return [MetricRow(m.name, m.unit, {name: m.estimate(p) for name, p in groups.items()}) for m in metrics]


def format_table(rows: Sequence[MetricRow]) -> str:
    """Write rows as text in columns, mean ± standard error."""
    groups = list(rows[0].estimates) if rows else []
    lines = [["metric", "unit", *groups]]
    lines += [[row.name, row.unit, *(str(row.estimates[name]) for name in groups)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() for line in lines)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
